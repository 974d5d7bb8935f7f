"""What officers do with the tasks on their desks: claim, release, assign, save, complete, undo, send back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from engine.commands.dossiers import give_back, note_handover
from engine.deadline.term import outcome
from engine.errors import Conflict, Forbidden, Refused
from engine.kernel.canonical import canonical
from engine.kernel.outbox import OutboxMessage
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.kernel.wire import change
from engine.office import flow, papers
from engine.office.choices import offered
from engine.office.flow import UNDO, Flow
from engine.office.standing import Standing, acting, standing_of
from engine.office.steps import find as find
from engine.office.steps import variables
from engine.procedure.forms import Form
from engine.process.instance import complete as complete_step
from engine.process.instance import fire as fire_timers
from engine.process.instance import send_back as send_back_step
from engine.process.model import Task


@dataclass(frozen=True, slots=True)
class Completed:
    """What the screen says after a completion: until when it can be undone, and which task to open next."""

    task_id: UUID
    dossier_id: UUID
    undo_until: datetime | None
    next_task_id: UUID | None


def locked(w: UnitOfWork, task_id: UUID) -> tuple[Flow, Task]:
    """Lock the dossier of a task, fire what is due on it first, and read the task again.

    Timers go first: whoever completes after the due instant is late even if no worker has run.
    """
    run = flow.lock_task(w, task_id)
    assert run.instance is not None
    assert run.task is not None
    if run.instance.status == "running" and any(at <= w.now for at in (run.timers or {}).values()):
        flow.advance(run, lambda prog, state, ctx: fire_timers(prog, state, ctx), how="timer")
    return run, run.task


def require_open(w: UnitOfWork, task: Task) -> None:
    """Refuse when somebody was faster, naming who and when.

    Raises:
        Conflict: the task is closed.
    """
    if task.state != "open" and task.closed_how == "timer":
        raise Conflict("task.overtaken", at=flow.iso(task.closed_at))
    if task.state != "open":
        raise Conflict(
            "task.closed", who=papers.person_name(w, task.closed_by_id), at=flow.iso(task.closed_at), how=task.closed_how or task.state
        )


def require_mine(standing: Standing, task: Task) -> None:
    """Refuse when this task is not for this person.

    Raises:
        Forbidden: the lane is another's, or a colleague has claimed it.
    """
    if not flow.may_take(standing, task):
        raise Forbidden("task.not_yours", assigned=task.assignee_id is not None)


def claim(w: UnitOfWork, task_id: UUID) -> Task:
    """Take a task from the queue of one's unit to one's own desk."""
    person = acting(w)
    run, task = locked(w, task_id)
    require_open(w, task)
    if task.assignee_id == person.person_id:
        return task
    if task.assignee_id is not None:
        raise Conflict("task.claimed", who=papers.person_name(w, task.assignee_id), at=flow.iso(task.claimed_at))
    require_mine(person, task)
    put_on_desk(run, task, person)
    return task


def put_on_desk(run: Flow, task: Task, person: Standing, *, kind: str = "task.claimed", **facts: str) -> None:
    """Make a person the assignee and remember by which seat."""
    w = run.w
    held = person.seat(*task.roles, unit=task.unit_id)
    seat = {"position": held.title, "position_en": held.title_en, "delegation": str(held.delegation_id or "")} if held else {}
    reason = {**task.reason, "seat": seat, "claimed": True}
    change(task, assignee_id=person.person_id, claimed_at=w.now, version=task.version + 1, reason=reason)
    flow.status(run, "work_started")
    w.record(kind, run.dossier.id, task=str(task.id), **(facts or {"person": str(person.person_id)}))


def release(w: UnitOfWork, task_id: UUID) -> None:
    """Give a claimed task back to the queue of its unit."""
    person = acting(w)
    run, task = locked(w, task_id)
    require_open(w, task)
    if task.assignee_id != person.person_id:
        raise Conflict("task.claimed", who=papers.person_name(w, task.assignee_id), at=flow.iso(task.claimed_at))
    if task.reason.get("initiator"):
        raise Refused("task.initiators_own")
    task.assignee_id, task.claimed_at = None, None
    task.version += 1
    w.record("task.released", run.dossier.id, task=str(task.id))


def assign(w: UnitOfWork, task_id: UUID, person_id: UUID, note: str = "") -> None:
    """Hand a task to a colleague who may take it: one's own task, or any of one's division for its head, who says why.

    Raises:
        Forbidden: the task is on somebody else's desk.
        Refused: the colleague may not do it, or it is taken from somebody without a reason.
    """
    person = acting(w)
    run, task = locked(w, task_id)
    require_open(w, task)
    heads = person.seat("division_head", "division_deputy", "head", "deputy_head", "office_chief", "centre_leader", unit=task.unit_id)
    if task.assignee_id != person.person_id and heads is None and not (task.assignee_id is None and flow.may_take(person, task)):
        raise Forbidden("task.not_yours", assigned=True)
    target = standing_of(w, person_id)
    if target.seat(*task.roles, unit=task.unit_id) is None:
        raise Refused("task.person_not_entitled", field="person")
    before = task.assignee_id
    if before not in (None, person.person_id) and not note.strip():
        raise Refused("task.reason_missing", field="note")
    put_on_desk(run, task, target, kind="task.assigned", to=str(target.person_id), before=str(before or ""))
    note_handover(run, "reassigned", note.strip()[:500])


def save_draft(w: UnitOfWork, task_id: UUID, draft: Mapping[str, Any], version: int) -> int:
    """Keep what has been typed so far; a draft somebody else saved meanwhile is shown, not overwritten.

    Raises:
        Conflict: the draft was saved by somebody else, or on another device.
    """
    person = acting(w)
    task = find(w, task_id)
    require_open(w, task)
    require_mine(person, task)
    changed = w.session.execute(
        update(Task)
        .where(Task.province == w.province, Task.id == task_id, Task.draft_version == version, Task.state == "open")
        .values(draft=dict(draft), draft_version=version + 1, draft_at=w.now, draft_by_id=person.person_id)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict("task.draft_stale", who=papers.person_name(w, task.draft_by_id), at=flow.iso(task.draft_at))
    return version + 1


Answers = Mapping[str, Any] | Callable[[Form], Mapping[str, Any]]
"""The answers to a form, or who reads them once the form is known: under the lock, so that nothing has to be looked up before."""


def complete(w: UnitOfWork, task_id: UUID, answers: Answers, *, version: int | None = None) -> Completed:
    """Complete a step with its form's answers; the dossier goes on to the next desk, and for ten seconds it can be called back.

    Raises:
        Conflict: somebody closed or changed the task meanwhile.
        Invalid: the form has wrong fields.
        Forbidden: the task is not this person's.
    """
    run, task = locked(w, task_id)
    person = acting(w)
    require_open(w, task)
    require_mine(person, task)
    flow.require_moving(run)
    if version is not None and version != task.version:
        raise Conflict("task.changed", who=papers.person_name(w, task.assignee_id), at=flow.iso(task.claimed_at))
    if task.action in ("sign", "issue"):
        raise Refused("task.needs_signature")
    key = task.properties.get("form")
    form = offered(w, run.package.form(key)) if key else None
    # Reading the answers so far means reading the whole state: only a form with rules of visibility needs them.
    scope = {"dossier": flow.dossier_context(run), **variables(run)} if form is not None and form.has_rules else {}
    cleaned = form.check(answers(form) if callable(answers) else answers, scope) if form is not None else {}
    if task.action == "return_result":
        give_back(w, run.dossier, "counter")
    return finish(run, task, cleaned, person.person_id)


def finish(run: Flow, task: Task, answers: Json, by: UUID | None, *, undo: bool = True) -> Completed:
    """Close a task with its answers and let the process run on; keep what an undo restores."""
    w, d = run.w, run.dossier
    assert run.instance is not None
    before_state, before = run.instance.state, snapshot(run)
    first = task.assignee_id is None
    if first and by is not None:
        put_on_desk(run, task, acting(w) if by == w.actor.person else standing_of(w, by))
    change(
        task, state="done", closed_at=w.now, closed_by_id=by, closed_how="completed", answers=answers, draft={}, version=task.version + 1
    )
    if task.due_at is not None:
        task.outcome = outcome(w.now, task.due_at).value
    w.record("task.completed", d.id, task=str(task.id), step=task.step, answers_hash=flow_hash(answers), outcome=task.outcome)
    flow.status(run, "work_started")
    made = flow.advance(
        run,
        lambda prog, state, ctx: complete_step(
            prog, state, task.engine_task, task.properties.get("variable") or task.properties.get("form") or task.step, answers, ctx
        ),
        closing=task,
        by=by,
    )
    if made.ended is not None and d.closed_at is None:
        if d.status == "resolved" or d.delivery_status == "delivered":
            flow.status(run, "returned")
        flow.close(run)
    undoable = undo and not run.irreversible and d.closed_at is None
    if undoable:
        change(task, undo_until=w.now + UNDO, before={**before, "version_after": run.instance.version}, before_state=before_state)
    return Completed(task.id, d.id, task.undo_until if undoable else None, next_task(run, by))


def snapshot(run: Flow) -> Json:
    """Return the facts of the dossier that an undo puts back."""
    d = run.dossier
    return {"status": d.status, "waiting": list(run.instance.waiting) if run.instance else []}


def flow_hash(answers: Json) -> str:
    """Return the SHA-256 of the canonical answers: the journal proves them without holding them."""
    return hashlib.sha256(canonical(answers)).hexdigest()


def next_task(run: Flow, person_id: UUID | None) -> UUID | None:
    """Return the task to open by itself: my next step of the same dossier, else my most urgent one."""
    w, dossier_id = run.w, run.dossier.id
    if person_id is None:
        return None
    if run.open_tasks is not None and person_id == w.actor.person:
        own = [one.id for one in run.open_tasks if one.state == "open" and one.assignee_id == person_id]
        return own[0] if own else run.next_task_id
    mine = select(Task.id).where(Task.province == w.province, Task.state == "open", Task.assignee_id == person_id)
    same = w.session.scalar(mine.where(Task.dossier_id == dossier_id).limit(1))
    return same or w.session.scalar(mine.order_by(Task.due_at.asc().nulls_last(), Task.opened_at).limit(1))


def undo(w: UnitOfWork, task_id: UUID) -> None:
    """Call a hand-over back within ten seconds, unless the next desk has begun.

    Raises:
        Conflict: too late, or somebody has gone on.
        Forbidden: it was somebody else's hand-over.
    """
    person = acting(w)
    run = flow.lock(w, dossier_id=find(w, task_id).dossier_id)
    task = w.session.get(Task, (w.province, task_id), populate_existing=True)
    assert task is not None
    assert run.instance is not None
    if task.closed_by_id != person.person_id:
        raise Forbidden("task.not_yours", assigned=True)
    if task.undo_until is None or task.before_state is None or task.before is None or w.now > task.undo_until:
        raise Conflict("task.undo_too_late")
    if run.instance.version != task.before["version_after"] or begun_after(run, task):
        raise Conflict("task.undo_overtaken")
    for opened in w.session.scalars(
        select(Task).where(
            Task.province == w.province, Task.dossier_id == run.dossier.id, Task.opened_at >= task.closed_at, Task.state == "open"
        )
    ):
        if opened.id != task.id:
            opened.state, opened.closed_at, opened.closed_by_id, opened.closed_how = "undone", w.now, person.person_id, "undone"
    run.task = task
    note_handover(run, "undone", "")
    w.session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.province == w.province, OutboxMessage.dossier == run.dossier.id, OutboxMessage.created_at >= task.closed_at,
               OutboxMessage.state == "waiting")
        .values(state="withdrawn")
    )  # fmt: skip
    run.instance.state, run.instance.waiting, run.instance.rewound = task.before_state, task.before["waiting"], True
    run.instance.version += 1
    run.dossier.status = task.before["status"]
    task.state, task.closed_at, task.closed_by_id, task.closed_how, task.outcome = "open", None, None, None, None
    task.draft, task.note = dict(task.before.get("draft", task.answers)), task.before.get("note", task.note)
    task.undo_until, task.before, task.before_state = None, None, None
    task.answers = {}
    task.draft_version += 1
    task.version += 1
    w.record("task.completion_undone", run.dossier.id, task=str(task.id))


def begun_after(run: Flow, task: Task) -> bool:
    """Say whether a colleague has begun on what the hand-over opened."""
    w = run.w
    return (
        w.session.scalar(
            select(Task.id)
            .where(
                Task.province == w.province, Task.dossier_id == run.dossier.id, Task.id != task.id, Task.opened_at >= task.closed_at,
                (Task.state != "open") | (Task.claimed_at.is_not(None)) | (Task.draft_version > 0),
            )
            .limit(1)
        )
        is not None
    )  # fmt: skip


def send_back(w: UnitOfWork, task_id: UUID, to_step: str, reason: str) -> None:
    """Send a dossier back to an earlier step with a reason; a new round opens there, earlier answers stay visible.

    Raises:
        Refused: no reason, or the step cannot be a target now.
    """
    person = acting(w)
    run, task = locked(w, task_id)
    require_open(w, task)
    require_mine(person, task)
    if not reason.strip():
        raise Refused("task.reason_missing", field="reason")
    previous = last_done(run, to_step)
    task.state, task.closed_at, task.closed_by_id, task.closed_how = "done", w.now, person.person_id, "sent_back"
    task.note = reason.strip()[:2000]
    task.version += 1
    note_handover(run, "sent_back", task.note)
    w.record("task.sent_back", run.dossier.id, task=str(task.id), to_step=to_step)
    assert run.instance is not None
    run.instance.rewound = True
    flow.advance(run, lambda prog, state, ctx: send_back_step(prog, state, to_step, ctx), closing=task, by=person.person_id)
    hand_former(run, to_step, task.note, previous)


def hand_former(run: Flow, step: str, note: str, previous: Task | None) -> None:
    """Give a step that opened again the note why, the answers of its *previous* round as a draft, and the desk of who gave them."""
    w = run.w
    for opened in w.session.scalars(
        select(Task).where(Task.province == w.province, Task.dossier_id == run.dossier.id, Task.state == "open", Task.step == step)
    ):
        opened.note = note
        if previous is not None:
            opened.draft, opened.draft_version = dict(previous.answers), 1
            former = standing_of(w, previous.closed_by_id) if previous.closed_by_id else None
            if opened.assignee_id is None and former is not None and flow.may_take(former, opened):
                opened.assignee_id, opened.claimed_at = former.person_id, w.now


def last_done(run: Flow, step: str) -> Task | None:
    """Return the last completed round of a step."""
    w = run.w
    return w.session.scalars(
        select(Task)
        .where(Task.province == w.province, Task.dossier_id == run.dossier.id, Task.step == step, Task.state == "done")
        .order_by(Task.closed_at.desc())
        .limit(1)
    ).one_or_none()


def return_by_download(w: UnitOfWork, code: str) -> None:
    """The owner has downloaded the result: the return step, if one waits, is completed by that."""
    run = flow.lock(w, code=code)
    if run.dossier.delivery_status == "delivered":
        return
    task = w.session.scalars(
        select(Task)
        .where(Task.province == w.province, Task.dossier_id == run.dossier.id, Task.state == "open", Task.action == "return_result")
        .limit(1)
    ).one_or_none()
    if task is None:
        raise Refused("result.not_ready")
    run.task = task
    give_back(w, run.dossier, "download")
    finish(run, task, {}, None, undo=False)
