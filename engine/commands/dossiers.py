"""What the office does with a dossier as a whole: receive, answer a supplement, return the result, withdraw, stop."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from engine.commands import files
from engine.commands.access import access_hash, check_access
from engine.commands.fees import pay, pay_fees
from engine.commands.reception import Received, receive_dossier, start_internal, term_words
from engine.dossier.model import Dossier, Handover
from engine.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow, papers
from engine.office.flow import Flow
from engine.office.intake import PartyInput, Reception, in_force, preview_due
from engine.office.operators import announce
from engine.office.standing import acting, agency_of, units_of
from engine.procedure.operators import CONFIRMATION_ANSWERED
from engine.process.instance import cancel as cancel_process
from engine.process.instance import receive
from engine.process.model import Task

__all__ = [
    "PartyInput",
    "Received",
    "Reception",
    "access_hash",
    "answer_supplement",
    "check_access",
    "confirm",
    "digest",
    "give_back",
    "in_force",
    "note_handover",
    "pay",
    "pay_fees",
    "preview_due",
    "receive_dossier",
    "start_internal",
    "stop",
    "term_words",
    "withdraw",
]


RECEIVERS = ("reception_officer",)


def answer_supplement(
    w: UnitOfWork, code: str, answers: Mapping[str, Sequence[files.Examined]], note: str, *, access_checked: bool = False
) -> None:
    """Take the owner's answer to a supplement request; the clock resumes and the dossier goes back to the step that asked.

    *answers* maps component keys to examined files. A citizen must have proved access (``access_checked``); staff act by their seat.

    Raises:
        Refused: nothing was asked, or a paper asked for is still missing.
    """
    run = flow.lock(w, code=code)
    d = run.dossier
    if w.actor.kind == "citizen":
        if not access_checked:
            raise Forbidden("tracking.access_needed")
    else:
        acting(w).require(*RECEIVERS, unit=d.reception_unit_id)
    waiting = next((s for s in d.suspensions if s.resumed_at is None and s.ground == "supplement"), None)
    if waiting is None:
        raise Conflict("supplement.not_awaited")
    wrong = {
        f"component.{c.key}": Refused("supplement.paper_missing", field=f"component.{c.key}", component=c.name.get("vi", c.key))
        for c in d.components
        if c.asked and not answers.get(c.key)
    }
    if wrong:
        raise Invalid(wrong)
    kept: list[str] = []
    for key, uploads in answers.items():
        component = next((c for c in d.components if c.key == key), None)
        if component is None:
            raise NotFound("dossier.component_unknown", component=key)
        kept.extend(str(files.keep(w, upload, component=key, dossier_id=d.id).id) for upload in uploads)
        component.present, component.asked = True, False
    for component in d.components:
        component.asked = False
    waiting.resumed_at, waiting.answer = w.now, {"note": note.strip()[:2000], "files": kept}
    w.session.flush()
    d.pages = sum(f.pages for f in papers.files_of(w, d.id))
    flow.status(run, "supplement_answered")
    w.record("supplement.answered", d.id, files=kept)
    flow.project_due(run, "supplement_answered")
    flow.advance(run, lambda prog, state, ctx: receive(prog, state, "supplement_answered", {"answered_at": w.now.isoformat()}, ctx))


def confirm(w: UnitOfWork, code: str, agreed: bool, remark: str = "", *, access_checked: bool = False) -> None:
    """Take the owner's word on a draft the office showed: agreed, or what is to be corrected; the process goes on.

    A citizen must have proved access (``access_checked``); staff note at the counter what the owner says.

    Raises:
        Conflict: nothing is to be confirmed now.
        Refused: a correction was asked for without saying which.
    """
    run = flow.lock(w, code=code)
    if w.actor.kind == "citizen":
        if not access_checked:
            raise Forbidden("tracking.access_needed")
    else:
        acting(w).require(*RECEIVERS, unit=run.dossier.reception_unit_id)
    said = remark.strip()[:2000]
    if not agreed and not said:
        raise Refused("confirmation.remark_missing", field="remark")
    if not flow.tell(run, CONFIRMATION_ANSWERED, {"agreed": agreed, "remark": said}):
        raise Conflict("confirmation.not_awaited")
    if not agreed:
        note_handover(run, "remarked", said[:500])
    w.record("confirmation.answered", run.dossier.id, agreed=agreed)


def give_back(w: UnitOfWork, dossier: Dossier, how: str) -> None:
    """Mark the result as delivered; finishing late or early was decided when the result was ready."""
    dossier.delivery_status, dossier.returned_at = "delivered", w.now
    w.record("result.returned", dossier.id, how=how)


def withdraw(w: UnitOfWork, code: str, reason: str) -> None:
    """The owner withdraws the dossier at the counter: the process ends, the papers stay in the file.

    Raises:
        Refused: it has ended already, or no reason was given.
    """
    end_early(w, code, reason, "withdrawn", "withdrawal", "stop_notice", {"vi": "Xác nhận rút hồ sơ", "en": "Confirmation of withdrawal"})


def stop(w: UnitOfWork, code: str, reason: str, legal_basis: str) -> None:
    """Stop handling a dossier with Mẫu 05 (TT 03/2025/TT-VPCP): a document with reason and ground, not a status flip."""
    if not legal_basis.strip():
        raise Refused("dossier.legal_basis_missing", field="legal_basis")
    name = {"vi": "Thông báo dừng giải quyết hồ sơ", "en": "Notice of stopping"}
    end_early(w, code, reason, "stopped", "stop_notice", "stop_notice", name, legal_basis=legal_basis)


def end_early(w: UnitOfWork, code: str, reason: str, event: str, kind: str, template: str, name: Json, *, legal_basis: str = "") -> None:
    """End a dossier before its result, with a numbered paper."""
    person = acting(w)
    run = flow.lock(w, code=code)
    d = run.dossier
    roles = RECEIVERS if event == "withdrawn" else ("specialist", "division_head", "head", "deputy_head", "centre_leader")
    unit = d.reception_unit_id if event == "withdrawn" else d.deciding_unit_id
    person.require(*roles, unit=unit)
    if not reason.strip():
        raise Refused("dossier.reason_missing", field="reason")
    if d.closed_at is not None or d.resolved_at is not None:
        raise Conflict("dossier.ended", status=d.status)
    for suspension in d.suspensions:
        suspension.resumed_at = suspension.resumed_at or w.now
    if run.instance is not None and run.instance.status == "suspended":
        run.instance.status = "running"
    papers.make(
        run,
        kind,
        template,
        {
            "ground": reason.strip(),
            "legal_basis": legal_basis.strip(),
            "requested_by": papers.party_print(w, d, "owner")["name"] if event == "withdrawn" else "",
            "signer": {"title": person.require(*roles, unit=unit).title, "name": person.name},
        },
        unit_id=agency_of(units_of(w.session, w.province), unit),
        name=name,
        register=kind,
        symbol="DGQ",
        by=person.person_id,
    )
    flow.project_due(run, event)
    flow.status(run, event)
    flow.advance(run, lambda prog, state, ctx: cancel_process(prog, state, ctx))
    for task in w.session.scalars(select(Task).where(Task.province == w.province, Task.dossier_id == d.id, Task.state == "open")):
        task.state, task.closed_at, task.closed_by_id, task.closed_how = "cancelled", w.now, person.person_id, event
    flow.close(run)
    w.record(f"dossier.{event}", d.id)
    announce(run, event)


def note_handover(run: Flow, kind: str, note: str) -> None:
    """Write a line of the control sheet that is not a step: sent back, reassigned."""
    w, d = run.w, run.dossier
    w.session.add(
        Handover(
            province=w.province,
            dossier_id=d.id,
            at=w.now,
            kind=kind,
            step=run.task.name if run.task else {},
            from_person_id=w.actor.person,
            from_unit_id=run.task.unit_id if run.task else None,
            note=note,
        )
    )


def digest(content: bytes) -> str:
    """Return the SHA-256 (hex) of a content."""
    return hashlib.sha256(content).hexdigest()
