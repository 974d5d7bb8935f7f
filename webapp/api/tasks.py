"""Work: the inbox, one task whole, and what an officer does with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from engine.commands import tasks as commands
from engine.queries import desk, inbox
from engine.queries.steps import form_of
from engine.runtime import UnitOfWork
from webapp.api.dossiers import FileFacts, PaperFacts
from webapp.api.procedures import FormField, fields_of, words
from webapp.api.routes import Page, bounded, listed, page_of, route
from webapp.api.shapes import taken

TAG = "tasks"


@dataclass(frozen=True)
class Inbox(Page):
    """Which work: `whose` is all, mine or queue; `action` is form, sign, issue or return_result."""

    search: str = ""
    whose: str = "all"
    procedure: str = ""
    action: str = ""
    late: bool = False


@route("GET", "/tasks", "What waits for me, least working time first", tag=TAG, answer=page_of(inbox.InboxRow), query=Inbox)
def tasks(w: UnitOfWork, query: Inbox) -> Any:
    """Return a page of the work list."""
    found = inbox.page(
        w, search=query.search, whose=query.whose, procedure=query.procedure, late=query.late,
        actions=(query.action,) if query.action else (), number=query.page, size=bounded(query),
    )  # fmt: skip
    return listed(inbox.InboxRow, found.rows, found.total, query)


@route("GET", "/tasks/counts", "How much waits, by kind of step", tag=TAG, answer=dict[str, int])
def task_counts(w: UnitOfWork) -> dict[str, int]:
    """Return the counts of the navigation."""
    return inbox.counts(w)


@dataclass(frozen=True)
class QuickReason:
    """A ready-made reason."""

    kind: str
    text: dict[str, str]
    legal_basis: str


@dataclass(frozen=True)
class Colleague:
    """Somebody a task may be handed to."""

    id: UUID
    name: str


@dataclass(frozen=True)
class Task:
    """One task with all that its officer needs."""

    id: UUID
    version: int
    draft_version: int
    step: str
    name: dict[str, str]
    action: str
    state: str
    dossier: str
    subject: str
    procedure: dict[str, str]
    status: str
    due_at: datetime | None
    left: timedelta | None
    assignee: str
    mine: bool
    may_take: bool
    note: str
    draft: dict[str, Any]
    form: Sequence[FormField]
    reasons: Sequence[QuickReason]
    files: Sequence[FileFacts]
    documents: Sequence[PaperFacts]
    earlier: Sequence[desk.EarlierStep]
    colleagues: Sequence[Colleague]
    why: desk.Why


@route("GET", "/tasks/<uuid:task_id>", "One task: form, papers, reasons, neighbours", tag=TAG, answer=Task)
def task(w: UnitOfWork, task_id: UUID) -> Task:
    """Return one task; the reading is journalled."""
    seen = desk.page(w, task_id)
    return taken(
        Task,
        seen.task,
        dossier=seen.dossier.code,
        subject=seen.dossier.subject,
        procedure=dict(seen.procedure),
        status=seen.dossier.status,
        left=seen.left,
        assignee=seen.assignee,
        mine=seen.mine,
        may_take=seen.may_take,
        note=seen.note or "",
        draft=dict(seen.task.draft),
        form=fields_of(seen.form),
        reasons=[QuickReason(r.kind, words(r.text), r.legal_basis) for r in seen.reasons],
        files=[taken(FileFacts, f) for f in seen.files],
        documents=[taken(PaperFacts, d) for d in seen.documents],
        earlier=list(seen.earlier),
        colleagues=[Colleague(p.id, p.full_name) for p in seen.colleagues],
        why=seen.why,
    )


@route("POST", "/tasks/<uuid:task_id>/claim", "Take a task to one's own desk", tag=TAG)
def claim(w: UnitOfWork, task_id: UUID) -> None:
    """Claim a task."""
    commands.claim(w, task_id)


@route("POST", "/tasks/<uuid:task_id>/release", "Give a task back to its queue", tag=TAG)
def release(w: UnitOfWork, task_id: UUID) -> None:
    """Release a task."""
    commands.release(w, task_id)


@dataclass(frozen=True)
class Assignment:
    """To whom a task is handed."""

    person: UUID
    note: str = ""


@route("POST", "/tasks/<uuid:task_id>/assignee", "Hand a task to a colleague", tag=TAG, body=Assignment)
def assign(w: UnitOfWork, task_id: UUID, body: Assignment) -> None:
    """Assign a task."""
    commands.assign(w, task_id, body.person, body.note)


@dataclass(frozen=True)
class Draft:
    """What has been typed so far, and the version it was typed over."""

    answers: dict[str, Any]
    draft_version: int = 0


@dataclass(frozen=True)
class DraftKept:
    """The version of the draft now kept."""

    draft_version: int


@route("POST", "/tasks/<uuid:task_id>/draft", "Keep what has been typed so far", tag=TAG, answer=DraftKept, body=Draft)
def save_draft(w: UnitOfWork, task_id: UUID, body: Draft) -> DraftKept:
    """Keep a draft."""
    return DraftKept(commands.save_draft(w, task_id, form_of(w, task_id).draft(body.answers), body.draft_version))


@dataclass(frozen=True)
class Completion:
    """The answers to the step's form; `version` refuses when the task changed meanwhile."""

    answers: dict[str, Any] = field(default_factory=dict)
    version: int | None = None


@dataclass(frozen=True)
class Completed:
    """What follows: until when it can be undone, and one's next task."""

    undo_until: datetime | None
    next_task: UUID | None


@route("POST", "/tasks/<uuid:task_id>/completion", "Complete a step; the dossier goes on", tag=TAG, answer=Completed, body=Completion)
def complete(w: UnitOfWork, task_id: UUID, body: Completion) -> Completed:
    """Complete a task."""
    done = commands.complete(w, task_id, body.answers, version=body.version)
    return Completed(done.undo_until, done.next_task_id)


@route("POST", "/tasks/<uuid:task_id>/undo", "Call a hand-over back within ten seconds", tag=TAG)
def undo(w: UnitOfWork, task_id: UUID) -> None:
    """Undo a completion."""
    commands.undo(w, task_id)


@dataclass(frozen=True)
class SendBack:
    """To which earlier step, and why."""

    step: str
    reason: str


@route("POST", "/tasks/<uuid:task_id>/send-back", "Send a dossier back to an earlier step", tag=TAG, body=SendBack)
def send_back(w: UnitOfWork, task_id: UUID, body: SendBack) -> None:
    """Send a dossier back."""
    commands.send_back(w, task_id, body.step, body.reason)
