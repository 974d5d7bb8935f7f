"""Preparing signatures: what will be signed is made, kept and shown; what follows is in `engine.commands.ceremony`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from engine.commands import tasks
from engine.documents import attachment
from engine.documents.blobs import BlobStore
from engine.documents.model import LIVE_STATES, Document, SignatureRequest, SigningKey
from engine.documents.signature import SigningOffice, date_text, number_text, plan_of, translated
from engine.errors import Conflict, EngineError, Refused
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import attachments, papers, placing, results
from engine.office.flow import Flow, below, iso, require_moving
from engine.office.keys import key_of_agency as key_of_agency
from engine.office.keys import key_of_person as key_of_person
from engine.office.standing import ZONE, Seat, Standing, acting, units_of
from engine.organisation.authority import Act, require
from engine.organisation.roles import keep_apart
from engine.organisation.roster import read_roster
from engine.process.model import Task
from signing import appearance, fields, pades
from signing.errors import SigningError
from signing.model import Prepared, SignerCertificate
from signing.placement import Shift

LIFE = timedelta(minutes=30)
# A line prints the time of signing: what was prepared longer ago is prepared anew.
SAME_LINE = timedelta(minutes=1)
PREFIX = {"own_power": "", "for_collective": "TM.", "for_head": "KT.", "by_order": "TL.", "by_authorisation": "TUQ.", "acting_head": "Q."}


@dataclass(frozen=True, slots=True)
class PreparedRow:
    """One document ready to be signed, or the reason why it is not."""

    task_id: UUID
    request_id: UUID | None
    document_id: UUID | None
    name: Json
    check_code: str
    sha256: str
    failure: str | None = None
    facts: Json = field(default_factory=dict)


def prepare(w: UnitOfWork, task_ids: Sequence[UUID]) -> list[PreparedRow]:
    """Prepare the documents of signing tasks for the leader who acts: printed with the signer's own title, fields added, hash fixed.

    A task that cannot be signed is answered by name and does not stop the others.
    """
    rows = []
    for task_id in task_ids:
        try:
            with w.session.begin_nested():
                rows.append(prepare_one(w, task_id))
        except EngineError as failed:
            known = w.session.get(Task, (w.province, task_id))
            rows.append(PreparedRow(task_id, None, None, known.name if known else {}, "", "", failed.code, dict(failed.facts)))
    return rows


def prepare_one(w: UnitOfWork, task_id: UUID) -> PreparedRow:
    """Prepare one document for the leader's signature."""
    person = acting(w)
    run, task = tasks.locked(w, task_id)
    tasks.require_open(w, task)
    tasks.require_mine(person, task)
    require_moving(run)
    if task.action != "sign":
        raise Refused("signing.not_a_signing_task")
    document = results.document_for_task(run, task.properties, "draft")
    wanted = placing.remembered(w, person.person_id, run.package.key, document.key)
    live = still_good(w, document, person, wanted)
    if live is not None:
        return row_of(task, document, live)
    separate_duties(run, document, person)
    entitled(run, task, document, person)
    seat = person.require(*task.roles, unit=task.unit_id)
    capacity = capacity_of(seat, document, task)
    key = key_of_person(w, person.person_id)
    office = w.part(SigningOffice)
    signer = signer_lines(run, seat, person, capacity)
    content: Json = {}
    if document.order == "number_first" and document.number is None:
        take(run, document)
    printed = results.print_result(run, document, signer)
    place = placing.settle(printed.pdf, papers.fields_json(printed), wanted)
    try:
        plan = plan_of(place.fields, document.order)
        blank = fields.add_fields(printed.pdf, plan, office.font())
        assert plan.leader is not None
        made = pades.prepare(
            blank,
            "leader",
            certificate(key),
            w.now,
            appearance=appearance.leader_appearance(plan.leader, person.name, test=office.test, fonts=office.fonts),
        )
    except SigningError as refused:
        raise translated(refused) from None
    document.content = {**document.content, **content}
    document.fields, document.capacity, document.signer_id = place.fields, capacity, person.person_id
    papers.store(w, document, blank, "rendered", person.person_id)
    request = keep_request(w, document, task, person, key, "leader", capacity, made, seat, place)
    w.record("signature.prepared", run.dossier.id, document=str(document.id), request=str(request.id), sha256=request.shown)
    return row_of(task, document, request)


def separate_duties(run: Flow, document: Document, person: Standing) -> None:
    """Refuse that somebody signs their own request, or, for a citizen's dossier, what they drafted themselves.

    In an internal procedure the diagram may let one official check and sign (the gate warns of it), never the initiator.

    Raises:
        Refused: ``signing.own_work``.
        Forbidden: ``authority.separation_of_duties``.
    """
    if run.dossier.initiator_id == person.person_id:
        raise Refused("signing.own_work")
    if run.dossier.scope == "public" and document.drafted_by_id is not None:
        keep_apart(person.person_id, "sign", {"draft": [document.drafted_by_id]})


def entitled(run: Flow, task: Task, document: Document, person: Standing) -> None:
    """Refuse a signature outside the field, the document types or the time of one's appointment or delegation (NĐ 30/2020/NĐ-CP, Điều 13).

    Raises:
        Forbidden: with the nearest reason.
    """
    w = run.w
    roster = read_roster(w.session, w.province, w.now)
    units = units_of(w.session, w.province)
    # A lane of another role signs by order (TL.): the published procedure is the list of what that role may sign for the head.
    act = Act(
        "sign" if {"head", "deputy_head"} & set(task.roles) else "perform",
        roles=frozenset(task.roles),
        units=frozenset(below(units, task.unit_id)),
        field=run.package.field_code,
        document_type=run.package.document(document.key).type,
        power="for_collective" if document.capacity == "for_collective" else "own_power",
    )
    require(act, person.person_id, roster.holdings, roster.lendings, w.now)


def capacity_of(seat: Seat, document: Document, task: Task) -> str:
    """Return in which capacity this seat signs: delegated, as deputy, or as step or document say (NĐ 30/2020/NĐ-CP, Điều 13)."""
    if seat.capacity:
        return seat.capacity
    if seat.role == "deputy_head":
        return "for_head"
    return str(task.properties.get("capacity") or document.capacity or "own_power")


def signer_lines(run: Flow, seat: Seat, person: Standing, capacity: str) -> Json:
    """Return what stands above and below the signature: prefix, whose power, title, name."""
    units = papers.units_by_id(run.w)
    agency = units[seat.agency_id]
    head = head_title(run.w, seat)
    collective = agency.name.upper() if agency.level in ("commune", "province") else ""
    lines = {
        "own_power": [seat.title.upper()],
        "for_collective": [f"TM. {collective}" if collective else "", seat.title.upper()],
        "for_head": [f"KT. {head.upper()}", seat.title.upper()],
        "by_order": [f"TL. {head.upper()}", seat.title.upper()],
        "by_authorisation": [f"TUQ. {head.upper()}", seat.title.upper()],
        "acting_head": [f"Q. {head.upper()}"],
    }[capacity]
    return {
        "prefix": PREFIX[capacity],
        "lines": [line for line in lines if line],
        "title": seat.title,
        "name": person.name,
        "capacity": capacity,
    }


def head_title(w: UnitOfWork, seat: Seat) -> str:
    """Return the title of the head in whose place somebody signs."""
    from engine.organisation.model import Position

    title = w.session.scalar(
        select(Position.title).where(Position.province == w.province, Position.unit_id == seat.agency_id, Position.role == "head").limit(1)
    )
    return title or seat.title


def certificate(key: SigningKey) -> SignerCertificate:
    """Return a key's certificate with its chain."""
    import base64

    return SignerCertificate(key.certificate, tuple(base64.b64decode(one) for one in key.chain))


def keep_request(
    w: UnitOfWork,
    document: Document,
    task: Task,
    person: Standing,
    key: SigningKey,
    kind: str,
    capacity: str | None,
    made: Prepared,
    seat: Seat,
    place: placing.Settled | None = None,
) -> SignatureRequest:
    """Keep a preparation: bytes by content, state as JSON, where the signature stands; nothing secret."""
    basis: Json = {"appointment": str(seat.appointment_id), "delegation": str(seat.delegation_id or ""), "title": seat.title}
    request = SignatureRequest(
        province=w.province,
        document_id=document.id,
        task_id=task.id,
        signer_id=person.person_id,
        key_id=key.id,
        kind=kind,
        capacity=capacity,
        basis={**basis, "place": place.to_json()} if place is not None else basis,
        prepared=w.part(BlobStore).put(made.pdf),
        shown=document.sha256 or "",
        ceremony=made.state,
        created_at=w.now,
        expires_at=w.now + LIFE,
    )
    w.session.add(request)
    w.session.flush()
    return request


def row_of(task: Task, document: Document, request: SignatureRequest) -> PreparedRow:
    """Return what the screen shows of a preparation."""
    code = str(request.ceremony["to_sign_sha256"])
    return PreparedRow(task.id, request.id, document.id, document.name, f"{code[:4]} {code[4:8]}".upper(), request.shown)


def still_good(w: UnitOfWork, document: Document, person: Standing, wanted: Shift | None = None) -> SignatureRequest | None:
    """Return this person's living preparation of a document; one that has expired, or is somebody else's unapproved one, is ended.

    So is one whose signature does not stand as its signer has *wanted* since: the moved one is other bytes, to be shown again.

    Raises:
        Conflict: the document has been approved and is being signed; a second signature must not come to be.
    """
    live = w.session.scalars(
        select(SignatureRequest)
        .where(
            SignatureRequest.province == w.province,
            SignatureRequest.document_id == document.id,
            SignatureRequest.state.in_(LIVE_STATES),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if live is None:
        return None
    stands = wanted is None or placing.asked(live.basis) == wanted
    if live.at_agent and live.signer_id == person.person_id and stands:
        return live  # the same bytes for the same agent, which signs them once
    if live.state in ("approved", "signed"):
        raise Conflict("signing.under_way", at=iso(live.approved_at))
    if live.signer_id == person.person_id and live.expires_at > w.now and live.shown == document.sha256 and stands:
        return live
    live.state = "expired" if live.expires_at <= w.now else "refused"
    return None


def take(run: Flow, document: Document) -> None:
    """Give a document its number and date; kept when the ceremony fails, so that no gap arises and no number is given twice."""
    w = run.w
    taken = papers.take_number(
        w,
        document.unit_id,
        document.register or "outgoing",
        document.name.get("vi", document.key),
        dossier_id=run.dossier.id,
        document_id=document.id,
        by=w.actor.person,
    )
    document.number, document.issued_on = taken.number, taken.on
    w.record("document.numbered", run.dossier.id, document=str(document.id), number=taken.number, on=taken.on.isoformat())


def prepare_issue(w: UnitOfWork, task_id: UUID) -> PreparedRow:
    """Number and date a document the leader has signed, and prepare the agency's seal signature for the document clerk.

    An annex in its own file or an electronic copy has neither leader nor number: only the agency's line is prepared.

    Raises:
        Refused: there is no leader signature, no key, or the task is no issuing step.
        Conflict: somebody else has numbered it.
    """
    person = acting(w)
    run, task = tasks.locked(w, task_id)
    tasks.require_open(w, task)
    tasks.require_mine(person, task)
    require_moving(run)
    if task.action != "issue":
        raise Refused("signing.not_an_issuing_task")
    seat = person.require(*task.roles, unit=task.unit_id)
    if run.package.document(str(task.properties.get("document", ""))).agency_only:
        return prepare_attachment(run, task, person, seat)
    document = results.document_for_task(run, task.properties, "signed", "numbered")
    live = still_good(w, document, person)
    if live is not None:
        return row_of(task, document, live)
    key, office = key_of_agency(w, document.unit_id), w.part(SigningOffice)
    leader = next(r for r in reversed(document.revisions) if r.kind == "signed")
    pdf = w.part(BlobStore).get(leader.sha256)
    if document.number is None:
        take(run, document)
    assert document.number is not None
    assert document.issued_on is not None
    plan = plan_of(document.fields, document.order)
    try:
        if document.state == "signed":
            filled = fields.fill_number(
                pdf,
                number_text(document.number) if plan.number else None,
                date_text(document.issued_on) if plan.date else None,
            ) if plan.number or plan.date else pdf  # fmt: skip
            papers.store(w, document, filled, "numbered", person.person_id)
            document.state = "numbered"
        numbered = next(r for r in reversed(document.revisions) if r.kind == "numbered")
        units = papers.units_by_id(w)
        assert plan.agency is not None
        made = pades.prepare(
            w.part(BlobStore).get(numbered.sha256),
            "agency",
            certificate(key),
            w.now,
            appearance=appearance.agency_appearance(plan.agency, units[document.unit_id].name, test=office.test, fonts=office.fonts),
        )
    except SigningError as refused:
        raise translated(refused) from None
    request = keep_request(w, document, task, person, key, "agency", None, made, seat)
    w.record("seal.prepared", run.dossier.id, document=str(document.id), request=str(request.id))
    return row_of(task, document, request)


def prepare_attachment(run: Flow, task: Task, person: Standing, seat: Seat) -> PreparedRow:
    """Prepare the agency's line on an annex or a copy (NĐ 30/2020/NĐ-CP, Phụ lục I); asked again within a minute, it is the same one.

    Raises:
        Refused: the annexed document has not been issued, there is no key, or the line finds no free place top right of page 1.
    """
    w = run.w
    document = results.document_for_task(run, task.properties, "draft")
    lines, link = attachments.said_on(run, document)
    live = still_good(w, document, person)
    if live is not None:
        if live.at_agent or w.now - live.created_at <= SAME_LINE:
            return row_of(task, document, live)
        live.state = "refused"
    key, office = key_of_agency(w, document.unit_id), w.part(SigningOffice)
    document.content = {**document.content, attachment.KEPT: link}
    printed, plan = attachments.print_attachment(run, document)
    assert plan.agency is not None
    try:
        blank = fields.add_fields(printed, plan)
        made = pades.prepare(
            blank,
            "agency",
            certificate(key),
            w.now,
            appearance=appearance.line_appearance(plan.agency, lines, w.now.astimezone(ZONE), fonts=office.fonts),
        )
    except SigningError as refused:
        raise translated(refused) from None
    papers.store(w, document, blank, "rendered", person.person_id)
    request = keep_request(w, document, task, person, key, "agency", None, made, seat)
    w.record("line.prepared", run.dossier.id, document=str(document.id), request=str(request.id), sha256=request.shown)
    return row_of(task, document, request)


def invitation(w: UnitOfWork, key_reference: str) -> Json:
    """Return what a browser seals the PIN of a key to; the PIN itself never passes through this process."""
    try:
        challenge = w.part(SigningOffice).custody.challenge(key_reference)
    except SigningError as refused:
        raise translated(refused) from None
    return {"public_key": challenge.public_key, "nonce": challenge.nonce, "seconds": challenge.seconds}
