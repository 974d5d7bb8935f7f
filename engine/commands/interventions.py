"""Stepping into the course of a dossier: suspend and resume it, skip a step, move a token in an emergency by two persons.

Each needs an authority of its own, a reason, and leaves a line in the journal and on the control sheet. Reasons are free text and may name
people: the journal keeps their digest, the record the words.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from engine.commands.dossiers import note_handover
from engine.commands.tasks import Completed, flow_hash, hand_former, last_done, locked, require_open, snapshot
from engine.deadline.calendar import WorkingCalendar
from engine.documents.model import Document, SignatureRequest
from engine.dossier import lifecycle
from engine.dossier.model import Suspension
from engine.errors import Conflict, EngineError, Forbidden, Refused
from engine.kernel import due as due_table
from engine.kernel.identifiers import new_id
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow, intervening, moving, papers
from engine.office.flow import UNDO, Flow
from engine.office.intervening import GROUNDS, RESUMERS, SUSPENDERS
from engine.office.operators import announce
from engine.office.standing import ADMINISTRATORS, acting, agency_of
from engine.process.changes import TokenMove
from engine.process.instance import complete as complete_step
from engine.process.instance import fire
from engine.process.interventions import move_token, postpone
from engine.process.model import Task

LONGEST = 2000
LEGAL_ACTS = ("sign", "issue", "return_result")


def said(reason: str, field: str = "reason", code: str = "task.reason_missing") -> str:
    """Return a reason as it is kept.

    Raises:
        Refused: there is none.
    """
    if not reason.strip():
        raise Refused(code, field=field)
    return reason.strip()[:LONGEST]


def digest(reason: str) -> str:
    """Return the SHA-256 of a reason: the journal proves it without holding it."""
    return hashlib.sha256(reason.encode()).hexdigest()


def suspend(w: UnitOfWork, code: str, ground: str, reason: str, legal_basis: str) -> None:
    """Let a dossier stand still on a ground of law: nothing of it can be done, its term and its deadlines wait, a numbered notice says so.

    Raises:
        Forbidden: the actor does not answer for the term of this dossier.
        Refused: no such ground, no reason, or no legal basis.
        Conflict: it has its result, has ended, stands still already, or is being signed at this moment.
    """
    person = acting(w)
    run = flow.lock(w, code=code)
    d = run.dossier
    seat = intervening.seat_for(w, person, SUSPENDERS, d)
    if seat is None:
        raise Forbidden("organisation.no_such_role", roles=", ".join(SUSPENDERS))
    if ground not in GROUNDS:
        raise Refused("intervention.ground_unknown", field="ground", allowed=", ".join(GROUNDS))
    words = said(reason)
    basis = said(legal_basis, "legal_basis", "intervention.basis_missing")
    require_running(run)
    if intervening.standing_still(d) is not None:
        raise Conflict("intervention.stands_still", since=flow.iso(max(s.suspended_at for s in d.suspensions)))
    if being_signed(w, d.id):
        raise Conflict("intervention.being_signed")
    assert run.instance is not None
    flow.advance(run, lambda prog, state, ctx: fire(prog, state, ctx))  # what has fallen due before happens before
    require_running(run)
    paper = papers.make(
        run,
        "suspension_notice",
        "suspension_notice",
        {"ground": words, "legal_basis": basis, "signer": {"title": seat.title, "name": person.name}},
        unit_id=agency_of(papers.units_by_id(w), d.deciding_unit_id),
        name={"vi": "Thông báo tạm dừng giải quyết hồ sơ", "en": "Notice of suspension"},
        register="suspension_notice",
        symbol="TB",
        by=person.person_id,
    )
    d.suspensions.append(
        Suspension(
            province=w.province, dossier_id=d.id, ground=ground, legal_basis=basis, suspended_at=w.now, document_id=paper.id,
            request={"reason": words, "by": str(person.person_id)},
        )
    )  # fmt: skip
    begun, _ended = lifecycle.GROUNDS[ground]
    flow.status(run, begun)
    run.instance.status = "suspended"
    run.instance.version += 1
    flow.project_due(run, begun)
    due_table.replace(w.session, w.province, run.dossier.id, "timer", {})  # they come back with the advance that resumes it
    note_handover(run, "suspended", words)
    w.record(
        "dossier.suspended", d.id, ground=ground, legal_basis=basis, reason_sha256=digest(words), document=str(paper.id),
    )  # fmt: skip
    announce(run, begun)


def require_running(run: Flow) -> None:
    """Refuse when there is nothing to step into any more.

    Raises:
        Conflict: the dossier has its result, or has ended.
    """
    d = run.dossier
    if d.closed_at is not None or d.resolved_at is not None or run.instance is None or run.instance.status == "ended":
        raise Conflict("intervention.over", status=d.status)


def being_signed(w: UnitOfWork, dossier_id: UUID) -> bool:
    """Say whether a signature of a dossier was approved and is not in its document yet."""
    found = w.session.scalar(
        select(func.count(SignatureRequest.id))
        .join(Document, (Document.province == SignatureRequest.province) & (Document.id == SignatureRequest.document_id))
        .where(
            SignatureRequest.province == w.province, Document.dossier_id == dossier_id, SignatureRequest.state.in_(("approved", "signed"))
        )
    )
    return bool(found)


def resume(w: UnitOfWork, code: str, reason: str) -> None:
    """Let a suspended dossier go on: its term and every deadline that ran move on by the working time it stood still.

    Raises:
        Forbidden: the actor does not work on dossiers of this unit.
        Refused: no reason.
        Conflict: it is not suspended.
    """
    person = acting(w)
    run = flow.lock(w, code=code)
    d = run.dossier
    if intervening.seat_for(w, person, RESUMERS, d) is None:
        raise Forbidden("organisation.no_such_role", roles=", ".join(RESUMERS))
    words = said(reason)
    open_now = intervening.standing_still(d)
    if run.instance is None or run.instance.status != "suspended" or open_now is None:
        raise Conflict("intervention.goes_on")
    since = open_now.suspended_at
    open_now.resumed_at, open_now.answer = w.now, {"note": words, "by": str(person.person_id)}
    run.instance.status = "running"
    _begun, ended = lifecycle.GROUNDS[open_now.ground]
    flow.status(run, ended)
    calendar = run.calendar
    for task in w.session.scalars(select(Task).where(Task.province == w.province, Task.dossier_id == d.id, Task.state == "open")):
        if task.due_at is not None:
            task.due_at = later(calendar, since, w.now, task.due_at)
    flow.project_due(run, ended)
    flow.advance(run, lambda prog, state, ctx: postpone(prog, state, lambda at: later(calendar, since, w.now, at), ctx))
    note_handover(run, "resumed", words)
    w.record("dossier.resumed", d.id, ground=open_now.ground, reason_sha256=digest(words), suspended_at=flow.iso(since))
    announce(run, "resumed")


def later(calendar: WorkingCalendar, since: datetime, until: datetime, due_at: datetime) -> datetime:
    """Return where a deadline moves that stood still from *since* to *until*: by the working time between, none if it had passed. Pure."""
    if due_at <= since:
        return due_at
    return max(due_at, calendar.add_working_time(due_at, calendar.working_time_between(since, until)))


def skip(w: UnitOfWork, task_id: UUID, reason: str) -> Completed:
    """Let a dossier pass over a step nobody can do: the step closes without answers, the rest goes its way; undone like a completion.

    Raises:
        Forbidden: the actor is no administrator.
        Refused: no reason, a signature, a seal or the return of a result, or the way on depends on answers nobody gave.
        Conflict: the step was closed meanwhile.
    """
    person = acting(w)
    person.require(*ADMINISTRATORS)
    run, task = locked(w, task_id)
    require_open(w, task)
    words = said(reason)
    if task.action in LEGAL_ACTS:
        raise Refused("intervention.legal_act", action=task.action)
    assert run.instance is not None
    before_state, before = run.instance.state, {**snapshot(run), "draft": task.draft, "note": task.note}
    task.state, task.closed_at, task.closed_by_id, task.closed_how = "done", w.now, person.person_id, "skipped"
    task.note, task.answers, task.version = words, {}, task.version + 1
    flow.status(run, "work_started")
    note_handover(run, "skipped", words)
    w.record("task.skipped", run.dossier.id, task=str(task.id), step=task.step, reason_sha256=digest(words), answers_hash=flow_hash({}))
    try:
        flow.advance(
            run, lambda prog, state, ctx: complete_step(prog, state, task.engine_task, None, None, ctx), closing=task, by=person.person_id
        )
    except Refused as fault:
        if fault.code == "dossier.suspended":
            raise
        raise Refused("intervention.answers_needed", cause=fault.code) from fault
    undoable = not run.irreversible and run.dossier.closed_at is None
    if undoable:
        task.undo_until, task.before, task.before_state = w.now + UNDO, {**before, "version_after": run.instance.version}, before_state
    return Completed(task.id, run.dossier.id, task.undo_until, None)


def propose_move(w: UnitOfWork, code: str, source: str, target: str, reason: str, legal_basis: str) -> TokenMove:
    """Propose to put the token of a dossier on another step, because an emergency leaves no way the diagram knows; nothing moves yet.

    Raises:
        Forbidden: the actor neither administers nor leads where the dossier is decided.
        Refused: no reason, no legal basis, or no token can go there.
        Conflict: another proposal waits, or the dossier has its result.
    """
    person = acting(w)
    run = flow.lock(w, code=code)
    d = run.dossier
    if not intervening.may_propose(w, person, d):
        raise Forbidden("organisation.no_such_role", roles=", ".join((*ADMINISTRATORS, *SUSPENDERS)))
    words, basis = said(reason), said(legal_basis, "legal_basis", "intervention.basis_missing")
    require_way(run, source, target)
    waiting = select(TokenMove.id).where(TokenMove.province == w.province, TokenMove.dossier_id == d.id, TokenMove.state == "proposed")
    if w.session.scalar(waiting) is not None:
        raise Conflict("intervention.another_waits")
    made = TokenMove(
        province=w.province, id=new_id(), dossier_id=d.id, source=source, target=target, reason=words, legal_basis=basis,
        proposed_at=w.now, proposed_by_id=person.person_id,
    )  # fmt: skip
    w.session.add(made)
    w.session.flush()
    w.record(
        "token.move_proposed", d.id, move=str(made.id), source=source, target=target, legal_basis=basis, reason_sha256=digest(words)
    )  # fmt: skip
    return made


def require_way(run: Flow, source: str, target: str) -> None:
    """Refuse a move that cannot be made now.

    Raises:
        Conflict: the dossier has its result, or stands still.
        Refused: the token is not alone on its level, the target is no step of that level, or a signature would be passed over.
    """
    require_running(run)
    flow.require_moving(run)
    if intervening.Way(source, target) not in intervening.ways(run):
        raise Refused("intervention.no_way", field="target", source=source, target=target)


def approve_move(w: UnitOfWork, move_id: UUID) -> None:
    """Carry out a proposed move: the head or a deputy of the deciding agency, and never who proposed it.

    Raises:
        Forbidden: the actor does not lead that agency.
        Refused: it is the actor's own proposal, or the token has gone elsewhere.
        Conflict: the proposal was decided meanwhile.
    """
    run, found = decided(w, move_id)
    require_way(run, found.source, found.target)
    assert run.instance is not None
    d, before_state = run.dossier, run.instance.state
    before = moving.before_move(run)
    waiting = intervening.standing_still(d)
    if waiting is not None:  # what was asked for is not waited for any more: the clock goes on
        waiting.resumed_at, waiting.answer = w.now, {"moved": str(found.id)}
        before["suspension"] = str(waiting.id)
        before["asked"] = [str(one.id) for one in d.components if one.asked]
        for component in d.components:
            component.asked = False
        _begun, ended = lifecycle.GROUNDS[waiting.ground]
        flow.status(run, ended)
        flow.project_due(run, ended)
    run.instance.rewound = True
    flow.advance(
        run, lambda prog, state, ctx: move_token(prog, state, found.source, found.target, ctx), by=w.actor.person
    )  # fmt: skip
    hand_former(run, found.target, found.reason, last_done(run, found.target))
    found.state, found.decided_at, found.decided_by_id = "made", w.now, w.actor.person
    found.before, found.before_state, found.version_after = before, before_state, run.instance.version
    note_handover(run, "moved", found.reason)
    w.record(
        "token.moved", d.id, move=str(found.id), source=found.source, target=found.target, legal_basis=found.legal_basis,
        reason_sha256=digest(found.reason), proposed_by=str(found.proposed_by_id),
    )  # fmt: skip


def reject_move(w: UnitOfWork, move_id: UUID, reason: str) -> None:
    """Refuse a proposed move with a reason; who proposed it may take it back with this too.

    Raises:
        Forbidden: the actor neither leads the deciding agency nor proposed it.
        Refused: no reason.
        Conflict: it was decided meanwhile.
    """
    words = said(reason)
    known = intervening.proposal(w, move_id)
    own = known.proposed_by_id == acting(w).person_id
    _run, found = decided(w, move_id, own=own)
    found.state, found.decided_at, found.decided_by_id, found.note = "rejected", w.now, w.actor.person, words
    w.record("token.move_rejected", found.dossier_id, move=str(found.id), reason_sha256=digest(words))


def decided(w: UnitOfWork, move_id: UUID, *, own: bool = False) -> tuple[Flow, TokenMove]:
    """Lock the dossier of a proposal that still waits, for somebody entitled to decide it."""
    person = acting(w)
    run = flow.lock(w, dossier_id=intervening.proposal(w, move_id).dossier_id)
    found = intervening.proposal(w, move_id)
    if not own and not intervening.may_approve(w, person, run.dossier):
        raise Forbidden("organisation.no_such_role", roles=", ".join(intervening.LEADERS))
    if found.state != "proposed":
        raise Conflict("intervention.decided", who=papers.person_name(w, found.decided_by_id), at=flow.iso(found.decided_at))
    if not own and found.proposed_by_id == person.person_id:
        raise Refused("intervention.own_proposal")
    return run, found


def undo_move(w: UnitOfWork, move_id: UUID, reason: str) -> None:
    """Put a moved token back where it was, to the very bytes, as long as nothing has been done since.

    Raises:
        Forbidden: the actor does not lead the deciding agency.
        Refused: no reason.
        Conflict: a step was done since, or the move was never made.
    """
    person, words = acting(w), said(reason)
    run = flow.lock(w, dossier_id=intervening.proposal(w, move_id).dossier_id)
    found, d = intervening.proposal(w, move_id), run.dossier
    if not intervening.may_approve(w, person, d):
        raise Forbidden("organisation.no_such_role", roles=", ".join(intervening.LEADERS))
    if found.state != "made" or found.before is None or found.before_state is None:
        raise Conflict("intervention.decided", who=papers.person_name(w, found.decided_by_id), at=flow.iso(found.decided_at))
    before: Json = found.before
    try:
        moving.put_back(run, found.version_after, before, found.before_state)
    except EngineError as late:
        raise Conflict("intervention.gone_on") from late
    for one in d.suspensions:
        if str(one.id) == before.get("suspension"):
            one.resumed_at, one.answer = None, {}
            flow.project_due(run, lifecycle.GROUNDS[one.ground][0])
    for component in d.components:
        component.asked = component.asked or str(component.id) in before.get("asked", ())
    found.state, found.note = "undone", words
    note_handover(run, "move_undone", words)
    w.record("token.move_undone", d.id, move=str(found.id), reason_sha256=digest(words))
