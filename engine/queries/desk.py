"""One task as its officer sees it: the form, the papers beside it, the reasons, the neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.deadline.stage import remaining
from engine.documents.model import Document, StoredFile
from engine.dossier.model import Dossier
from engine.errors import Forbidden
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow, papers, steps
from engine.office.choices import offered
from engine.office.standing import acting, units_of
from engine.organisation.model import Person
from engine.procedure.forms import Form
from engine.procedure.package import Reason
from engine.procedure.registry import ProcedureCache
from engine.process.instance import program, send_back_targets
from engine.process.model import Instance, Task


@dataclass(frozen=True, slots=True)
class Why:
    """Why this is on my desk: lane → role → position → appointment or delegation."""

    lane: str
    roles: Sequence[str]
    unit: str
    position: str
    position_en: str
    delegated: bool
    initiator: bool
    claimed_at: datetime | None


@dataclass(frozen=True, slots=True)
class EarlierStep:
    """A step the dossier may be sent back to, who did it last and when."""

    step: str
    name: Json
    who: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything of one task page."""

    task: Task
    dossier: Dossier
    procedure: Json
    form: Form | None
    scope: Json
    reasons: Sequence[Reason]
    files: Sequence[StoredFile]
    documents: Sequence[Document]
    why: Why
    left: timedelta | None
    earlier: Sequence[EarlierStep]
    colleagues: Sequence[Person]
    mine: bool
    may_take: bool
    assignee: str
    note: str
    suspended: datetime | None


def page(w: UnitOfWork, task_id: UUID) -> Desk:
    """Return a task with all that its officer needs; reading a dossier is journalled.

    Raises:
        NotFound: there is no such task.
        Forbidden: it is not for this person.
    """
    person = acting(w)
    task = steps.find(w, task_id)
    dossier = w.session.get(Dossier, (w.province, task.dossier_id))
    assert dossier is not None
    package = w.part(ProcedureCache).package(w, dossier.procedure_version_id)
    may_take = flow.may_take(person, task)
    if not may_take and task.closed_by_id != person.person_id and not oversees(w, dossier):
        raise Forbidden("task.not_yours", assigned=task.assignee_id is not None)
    run = flow.Flow(w, dossier, instance_of(w, dossier), package)
    units = units_of(w.session, w.province)
    seat = person.seat(*task.roles, unit=task.unit_id)
    form_key = task.properties.get("form")
    w.record("dossier.read", dossier.id, task=str(task.id))
    return Desk(
        task,
        dossier,
        {"key": package.key, "code": package.code, "vi": package.name.vi, "en": package.name.en},
        offered(w, package.form(form_key)) if form_key else None,
        {"dossier": flow.dossier_context(run), **steps.variables(run)},
        package.reasons,
        papers.files_of(w, dossier.id),
        documents_of(w, dossier.id),
        Why(
            task.lane,
            task.roles,
            units[task.unit_id].name if task.unit_id in units else "",
            seat.title if seat else "",
            seat.title_en if seat else "",
            bool(seat and seat.delegation_id),
            bool(task.reason.get("initiator")),
            task.claimed_at,
        ),
        remaining(w.now, task.due_at, run.calendar) if task.due_at else None,
        earlier_steps(run, task) if task.state == "open" else (),
        [p for p in flow.candidates(w, task) if p.id != task.assignee_id] if task.state == "open" else (),
        task.assignee_id == person.person_id,
        may_take,
        papers.person_name(w, task.assignee_id),
        task.note,
        flow.suspended_since(run),
    )


def instance_of(w: UnitOfWork, dossier: Dossier) -> Instance | None:
    """Return the running (or ended) instance of a dossier."""
    return w.session.scalars(select(Instance).where(Instance.province == w.province, Instance.dossier_id == dossier.id)).one_or_none()


def documents_of(w: UnitOfWork, dossier_id: UUID) -> list[Document]:
    """Return the papers made for a dossier that still count, oldest first."""
    return list(
        w.session.scalars(
            select(Document)
            .where(Document.province == w.province, Document.dossier_id == dossier_id, Document.state != "cancelled")
            .order_by(Document.created_at)
        )
    )


def earlier_steps(run: flow.Flow, task: Task) -> list[EarlierStep]:
    """Return the steps a dossier may be sent back to now, newest first, each once."""
    w = run.w
    if run.instance is None:
        return []
    allowed = {t.step for t in send_back_targets(program(run.dossier.procedure_version_id, run.package), run.instance.state)}
    found: dict[str, EarlierStep] = {}
    for done in w.session.scalars(
        select(Task)
        .where(Task.province == w.province, Task.dossier_id == run.dossier.id, Task.state == "done", Task.step != task.step)
        .order_by(Task.closed_at.desc())
    ):
        if done.step in allowed and done.step not in found:
            found[done.step] = EarlierStep(done.step, done.name, papers.person_name(w, done.closed_by_id), done.closed_at)
    return list(found.values())


def oversees(w: UnitOfWork, dossier: Dossier) -> bool:
    """Say whether the actor may read a dossier without holding a task of it: reception, deciding unit, Centre, inspector, leaders."""
    person = acting(w)
    if dossier.initiator_id == person.person_id:
        return True
    if dossier.scope == "internal":
        return person.seat("head", "deputy_head", "division_head", "personnel_officer", unit=dossier.support_unit_id) is not None
    looks = ("reception_officer", "return_officer", "cashier", "centre_leader")
    decides = ("head", "deputy_head", "division_head", "division_deputy", "specialist", "agency_clerk", "office_chief")
    return (
        person.seat(*looks, unit=dossier.reception_unit_id) is not None
        or person.seat(*decides, unit=dossier.deciding_unit_id) is not None
        or any(dossier.deciding_unit_id in s.reach or s.agency_id == dossier.deciding_unit_id for s in person.seats if s.role in decides)
        or person.seat("inspector") is not None
    )


def file_of(w: UnitOfWork, file_id: UUID) -> tuple[StoredFile, Dossier | None]:
    """Return a stored file the actor may see, journalled.

    Raises:
        NotFound: there is none, for this person.
    """
    from engine.errors import NotFound

    stored = w.session.get(StoredFile, (w.province, file_id))
    if stored is None:
        raise NotFound("file.not_found")
    if stored.dossier_id is None:
        return stored, None
    dossier = w.session.get(Dossier, (w.province, stored.dossier_id))
    assert dossier is not None
    if not (oversees(w, dossier) or holds_task(w, dossier)):
        raise NotFound("file.not_found")
    return stored, dossier


def holds_task(w: UnitOfWork, dossier: Dossier) -> bool:
    """Say whether the actor has, or may take, a task of this dossier."""
    person = acting(w)
    found = w.session.scalars(select(Task).where(Task.province == w.province, Task.dossier_id == dossier.id))
    return any((t.state == "open" and flow.may_take(person, t)) or t.closed_by_id == person.person_id for t in found)


def document_for(w: UnitOfWork, document_id: UUID) -> tuple[Document, Dossier | None]:
    """Return a document the actor may see.

    Raises:
        NotFound: there is none, for this person.
    """
    from engine.errors import NotFound

    document = papers.document_of(w, document_id)
    dossier = w.session.get(Dossier, (w.province, document.dossier_id)) if document.dossier_id else None
    if dossier is not None and not (oversees(w, dossier) or holds_task(w, dossier)):
        raise NotFound("document.not_found")
    return document, dossier


def scope_json(scope: Any) -> Json:
    """Return a scope as JSON for the page."""
    return dict(scope)
