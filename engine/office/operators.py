"""What a service task of a diagram may ask the office to do; runs inside the transaction, never touches the network."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.deadline.calendar import ONE_DAY
from engine.dossier import lifecycle
from engine.dossier.model import Suspension
from engine.errors import Conflict, Refused
from engine.kernel.tables import Json
from engine.office import flow as flows
from engine.office import papers
from engine.office.flow import Flow
from engine.office.results import current_document, draft_result
from engine.office.standing import ZONE, agency_of, standing_of
from engine.process.instance import Operation
from engine.process.model import Task

Operator = Callable[[Operation], Json]


def operators(flow: Flow) -> dict[str, Operator]:
    """Return the operators a diagram may name, bound to one dossier under its lock."""
    return {
        "dossier/request_supplement": lambda op: request_supplement(flow, op),
        "dossier/suspend": lambda op: suspend(flow, op),
        "dossier/resume": lambda op: resume(flow, op),
        "dossier/extend": lambda op: extend(flow, op),
        "dossier/reopen": lambda op: reopen(flow, op),
        "dossier/refuse": lambda op: refuse(flow, op),
        "dossier/resolve": lambda op: resolve(flow, op),
        "dossier/approve": lambda op: resolve(flow, op),
        "dossier/close": lambda op: close(flow, op),
        "document/draft": lambda op: draft(flow, op),
        "notice/send": lambda op: notice(flow, op),
    }


def text(op: Operation, name: str, *, required: bool = True) -> str:
    """Return a text parameter.

    Raises:
        Refused: it is required and empty.
    """
    value = op.parameters.get(name)
    if required and not value:
        raise Refused("process.parameter_missing", operator=op.id, parameter=name)
    return str(value or "").strip()


def actor_id(flow: Flow) -> UUID | None:
    """Return the person behind this advance, if it is one."""
    return flow.w.actor.person


def request_supplement(flow: Flow, op: Operation) -> Json:
    """Issue Mẫu 02 (one full request), mark the papers asked for, and stop the statutory clock (NĐ 118/2025/NĐ-CP)."""
    w, d = flow.w, flow.dossier
    wanted = {str(k) for k in op.parameters.get("components") or []}
    asked = [c for c in d.components if c.key in wanted]
    for component in d.components:
        component.asked = component in asked
    content: Json = {
        "reason": text(op, "reason"),
        "legal_basis": text(op, "legal_basis", required=False),
        "components": [papers.copies_print(c.name, c.form, c.copies) for c in asked],
        "officer": papers.person_name(w, actor_id(flow)),
        "contact": papers.person_name(w, actor_id(flow)),
        "contact_phone": papers.agency_print(w, d.deciding_unit_id)["phone"],
    }
    paper = papers.make(
        flow,
        "supplement_request",
        "supplement_request",
        content,
        unit_id=agency_of(papers.units_by_id(w), d.deciding_unit_id),
        name={"vi": "Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ", "en": "Request to supplement the dossier"},
        register="supplement_request",
        symbol="HDHS",
        by=actor_id(flow),
    )
    suspension = Suspension(
        province=w.province,
        dossier_id=d.id,
        ground="supplement",
        legal_basis=content["legal_basis"],
        suspended_at=w.now,
        document_id=paper.id,
        task_id=flow.task.id if flow.task else None,
        request={"reason": content["reason"], "components": sorted(c.key for c in asked)},
    )
    d.suspensions.append(suspension)
    flows.status(flow, "supplement_requested")
    flows.project_due(flow, "supplement_requested")
    w.record("supplement.requested", d.id, document=str(paper.id), components=sorted(wanted))
    announce(flow, "supplement_requested")
    return {"document": str(paper.id)}


def suspend(flow: Flow, op: Operation) -> Json:
    """Stop the clock for a ground the law knows, on the strength of a document: one of ours that is issued, or another authority's."""
    w, d = flow.w, flow.dossier
    ground, key, reference = text(op, "ground"), text(op, "document", required=False), text(op, "reference", required=False)
    if ground not in lifecycle.GROUNDS or not (key or reference):
        raise Refused("process.parameter_missing", operator=op.id, parameter="reference" if ground in lifecycle.GROUNDS else "ground")
    begun, _ = lifecycle.GROUNDS[ground]
    d.suspensions.append(
        Suspension(
            province=w.province,
            dossier_id=d.id,
            ground=ground,
            legal_basis=text(op, "legal_basis"),
            suspended_at=w.now,
            document_id=current_document(flow, key, "issued").id if key else None,
            task_id=flow.task.id if flow.task else None,
            request={"reference": reference} if reference else {},
        )
    )
    flows.status(flow, begun)
    flows.project_due(flow, begun)
    w.record("clock.suspended", d.id, ground=ground)
    announce(flow, begun)
    return {}


def resume(flow: Flow, op: Operation) -> Json:
    """What the clock stood still for has come, or its time is over: the clock runs on.

    Raises:
        Conflict: nothing is open for this ground.
    """
    w, d, ground = flow.w, flow.dossier, text(op, "ground")
    waiting = next((s for s in d.suspensions if s.resumed_at is None and s.ground == ground), None)
    if waiting is None:
        raise Conflict("suspension.not_open", ground=ground)
    _, ended = lifecycle.GROUNDS[ground]
    waiting.resumed_at, waiting.answer = w.now, {"reference": text(op, "reference", required=False)[:2000]}
    for component in d.components if ground == "supplement" else ():
        component.asked = False
    flows.status(flow, ended)
    flows.project_due(flow, ended)
    w.record("clock.resumed", d.id, ground=ground)
    return {}


def extend(flow: Flow, op: Operation) -> Json:
    """Give the dossier its one new date: ``until`` a day, or ``working_days`` counted from the reception as the law grants them.

    With ``apology`` the agency is to blame and Mẫu 04 says so (TT 03/2025/TT-VPCP); without, the law itself grants more time, and the owner
    is told. A date may be moved once (NĐ 118/2025/NĐ-CP).

    Raises:
        Conflict: it was moved before.
        Refused: the new date is not later than the present one.
    """
    w, d, calendar = flow.w, flow.dossier, flow.calendar
    if d.extension is not None:
        raise Conflict("extension.only_once", until=str(d.extension["until"])[:10])
    reason, basis, apology = text(op, "reason"), text(op, "legal_basis"), bool(op.parameters.get("apology"))
    until = calendar.closing(calendar.next_working(_new_day(flow, op) - ONE_DAY))
    if d.due_at is None or until <= d.due_at:
        raise Refused("extension.not_later", field="until", due=d.due_at.astimezone(ZONE).strftime("%d/%m/%Y") if d.due_at else "–")
    document: UUID | None = None
    if apology:
        seat = standing_of(w, w.actor.person).seats if w.actor.person else ()
        paper = papers.make(
            flow,
            "apology_letter",
            "apology_letter",
            {
                "reason": reason,
                "new_due_at": until.isoformat(),
                "signer": {"title": seat[0].title if seat else "", "name": papers.person_name(w, actor_id(flow))},
            },
            unit_id=agency_of(papers.units_by_id(w), d.deciding_unit_id),
            name={"vi": "Văn bản xin lỗi và đề nghị gia hạn", "en": "Letter of apology with a new date"},
            register="apology_letter",
            symbol="VBXL",
            by=actor_id(flow),
        )
        document = paper.id
    d.extension = {
        "granted_at": w.now.isoformat(),
        "until": until.isoformat(),
        "reason": reason,
        "legal_basis": basis,
        "apology": apology,
        "document": str(document) if document else None,
    }
    flows.project_due(flow, "extended")
    w.record("dossier.extended", d.id, until=flows.iso(until), apology=apology)
    announce(flow, "extended")
    return {"until": until.isoformat()}


def _new_day(flow: Flow, op: Operation) -> date:
    """Return the day an extension names, or the one the granted working days lead to."""
    given, days = op.parameters.get("until"), op.parameters.get("working_days")
    if days is not None:
        return flow.calendar.add_working_days(flow.dossier.received_at.astimezone(ZONE).date(), int(days))
    try:
        return date.fromisoformat(str(given)[:10])
    except ValueError:
        raise Refused("process.parameter_missing", operator=op.id, parameter="until") from None


def reopen(flow: Flow, op: Operation) -> Json:
    """Go on with a dossier whose result the owner is not content with; the time it lay with the owner does not count.

    Raises:
        Conflict: there is no result yet, or it was returned for good.
    """
    w, d = flow.w, flow.dossier
    flows.status(flow, "sent_back")
    if d.resolved_at is not None:
        answer: Json = {"reason": text(op, "reason")}
        d.suspensions.append(
            Suspension(
                province=w.province,
                dossier_id=d.id,
                ground="reopened",
                legal_basis=text(op, "legal_basis"),
                suspended_at=d.resolved_at,
                resumed_at=w.now,
                answer=answer,
            )
        )
    d.resolved_at, d.outcome, d.delivery_status = None, None, "none"
    flows.project_due(flow, "reopened")
    w.record("dossier.reopened", d.id)
    return {}


def refuse(flow: Flow, op: Operation) -> Json:
    """Issue Mẫu 03 with reason and legal ground; the dossier ends as refused."""
    w, d = flow.w, flow.dossier
    paper = papers.make(
        flow,
        "refusal",
        "refusal",
        {"reason": text(op, "reason"), "legal_basis": text(op, "legal_basis"), "officer": papers.person_name(w, actor_id(flow))},
        unit_id=agency_of(papers.units_by_id(w), d.deciding_unit_id),
        name={"vi": "Phiếu từ chối tiếp nhận giải quyết hồ sơ", "en": "Refusal"},
        register="refusal",
        symbol="TCHS",
        by=actor_id(flow),
    )
    flows.status(flow, "refused")
    flows.close(flow)
    w.record("dossier.refused", d.id, document=str(paper.id))
    announce(flow, "refused")
    return {"document": str(paper.id)}


def resolve(flow: Flow, op: Operation) -> Json:
    """The result is ready: the outcome against the term is fixed now (national status 9)."""
    flows.status(flow, "resolved")
    flows.settle_outcome(flow)
    flow.dossier.delivery_status = "ready"
    flow.w.record("dossier.resolved", flow.dossier.id, outcome=flow.dossier.outcome)
    announce(flow, "resolved")
    return {}


def close(flow: Flow, op: Operation) -> Json:
    """A procedure has ended without what was asked for: withdrawn by its initiator, or as ``outcome`` says (refused, stopped, closed)."""
    event = text(op, "outcome", required=False) or "withdrawn"
    if event not in ("withdrawn", "refused", "stopped", "closed"):
        raise Refused("process.parameter_missing", operator=op.id, parameter="outcome")
    flows.status(flow, event)
    flows.close(flow)
    flow.w.record("dossier.closed", flow.dossier.id, ended_as=event)
    return {}


def draft(flow: Flow, op: Operation) -> Json:
    """Draft the document of this key from its template, for the leader to sign."""
    document = draft_result(flow, text(op, "document"), {k: v for k, v in op.parameters.items() if k != "document"}, dict(op.variables))
    return {"document": str(document.id)}


def notice(flow: Flow, op: Operation) -> Json:
    """Promise a notice by the outbox: to the owner, or to whom the procedure's own text names (initiator, those whose turn it is)."""
    template = text(op, "template")
    declared = flow.package.notices.get(template, {})
    match declared.get("to", "owner"):
        case "initiator":
            people = {flow.dossier.initiator_id} - {None}
        case "assignees":
            people = whose_turn(flow)
        case _:
            announce(flow, template)
            return {}
    for person in sorted(people, key=str):
        promise(flow, template, person=str(person))
    return {}


def whose_turn(flow: Flow) -> set[UUID | None]:
    """Return the people who have the dossier's open steps on their desk, or may take them."""
    w = flow.w
    w.session.flush()
    people: set[UUID | None] = set()
    for task in w.session.scalars(
        select(Task).where(Task.province == w.province, Task.dossier_id == flow.dossier.id, Task.state == "open")
    ):
        people |= {task.assignee_id} if task.assignee_id else {person.id for person in flows.candidates(w, task)}
    return people


def announce(flow: Flow, template: str) -> None:
    """Promise one notice a milestone: the message carries ids, the connector reads the address when it sends."""
    with flow.w.session.no_autoflush:  # nobody changes the owner here: what the step changes is written with its end
        party: Any = flow.dossier.party("owner")
    if party is not None and party.email_sealed:
        promise(flow, template)


def promise(flow: Flow, template: str, **to: str) -> None:
    """Promise one mail about this dossier as it stands, after the time in which a step can be undone."""
    w, d = flow.w, flow.dossier
    moved = flow.instance.version if flow.instance is not None else 1  # none yet while the process begins
    key = ":".join((str(d.id), template, str(moved), *to.values()))
    w.send("mail", key, {"dossier": str(d.id), "template": template, **to}, dossier=d.id, not_before=w.now + flows.UNDO)
