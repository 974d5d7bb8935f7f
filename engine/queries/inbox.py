"""The work lists: what waits for one person, most urgent first, with search and filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import selectinload

from engine.deadline.stage import remaining
from engine.dossier.model import Dossier
from engine.kernel.search import query as search_query
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.flow import calendar_for
from engine.office.standing import Standing, acting
from engine.organisation.model import Person
from engine.procedure.registry import ProcedureVersion
from engine.process.model import Task

PAGE = 25
COUNT_CAP = 1000


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One task on a work list; ``left`` is working time to the earlier of stage and statutory due date, negative when late."""

    task_id: UUID
    version: int
    step: Json
    action: str
    dossier_code: str
    subject: str
    procedure: Json
    owner: str
    status: str
    opened_at: datetime
    due_at: datetime | None
    left: timedelta | None
    assignee: str
    mine: bool
    sent_back: bool


@dataclass(frozen=True, slots=True)
class InboxPage:
    """A page of a work list; ``total`` stops at 1000, ``seen`` changes when the list does."""

    rows: Sequence[InboxRow]
    total: int
    capped: bool
    page: int
    pages: int
    seen: str


def reachable(w: UnitOfWork, standing: Standing) -> Any:
    """Return the condition of tasks this person may take: own, or of a lane whose role one holds in that unit."""
    mine = Task.assignee_id == standing.person_id
    seats = [and_(Task.unit_id.in_(s.reach), Task.roles.contains([s.role])) for s in standing.seats]
    return and_(Task.province == w.province, Task.state == "open", or_(mine, and_(Task.assignee_id.is_(None), or_(False, *seats))))


def base(w: UnitOfWork, standing: Standing) -> Select[Task, Dossier, ProcedureVersion, str]:
    """Return the query of a work list."""
    return (
        select(Task, Dossier, ProcedureVersion, Person.full_name)
        .join(Dossier, and_(Dossier.province == Task.province, Dossier.id == Task.dossier_id))
        .join(ProcedureVersion, and_(ProcedureVersion.province == Task.province, ProcedureVersion.id == Dossier.procedure_version_id))
        .outerjoin(Person, and_(Person.province == Task.province, Person.id == Task.assignee_id))
        .where(reachable(w, standing))
    )


def earliest() -> Any:
    """Return the earlier of a task's stage and the dossier's statutory due date; the latter is over once the result is ready."""
    return func.least(Task.due_at, case((Dossier.resolved_at.is_(None), Dossier.due_at)))


def page(
    w: UnitOfWork,
    *,
    search: str = "",
    whose: str = "all",
    procedure: str = "",
    late: bool = False,
    actions: Sequence[str] = (),
    number: int = 1,
    size: int = PAGE,
) -> InboxPage:
    """Return a page of the actor's work list, least working time left first.

    ``whose`` is ``all``, ``mine`` or ``queue``; ``actions`` limits to kinds of step (signing room, clerk's desk).
    """
    standing = acting(w)
    found = base(w, standing)
    if whose == "mine":
        found = found.where(Task.assignee_id == standing.person_id)
    elif whose == "queue":
        found = found.where(Task.assignee_id.is_(None))
    if procedure:
        found = found.where(Dossier.procedure_key == procedure)
    if actions:
        found = found.where(Task.action.in_(actions))
    if late:
        found = found.where(earliest() < w.now)
    words = search_query(search, typing=True)
    if words:
        found = found.where(Dossier.words.op("@@")(func.to_tsquery("simple", words)))
    counted = found.with_only_columns(Task.id, Task.version, maintain_column_froms=True).limit(COUNT_CAP + 1).subquery()
    total, sum_versions = w.session.execute(select(func.count(), func.coalesce(func.sum(counted.c.version), 0)).select_from(counted)).one()
    rows = w.session.execute(
        found.options(selectinload(Dossier.parties))
        .order_by(earliest().asc().nulls_last(), Task.opened_at, Task.id)
        .limit(size)
        .offset((max(number, 1) - 1) * size)
    ).all()
    shown = [row_of(w, standing, *r) for r in rows]
    return InboxPage(
        shown, min(total, COUNT_CAP), total > COUNT_CAP, number, max(1, -(-min(total, COUNT_CAP) // size)), f"{total}-{sum_versions}"
    )


def row_of(w: UnitOfWork, standing: Standing, task: Task, dossier: Dossier, version: ProcedureVersion, assignee: str | None) -> InboxRow:
    """Return one row; the owner's name is shown to those who may take the task."""
    dues = [d for d in (task.due_at, dossier.due_at if dossier.resolved_at is None else None) if d is not None]
    due_at = min(dues) if dues else None
    party = dossier.party("owner")
    return InboxRow(
        task.id,
        task.version,
        task.name,
        task.action,
        dossier.code,
        dossier.subject,
        {"vi": version.name_vi, "en": version.name_en},
        party.name if party else "",
        dossier.status,
        task.opened_at,
        due_at,
        remaining(w.now, due_at, calendar_for(w, dossier.deciding_unit_id)) if due_at else None,
        assignee or "",
        task.assignee_id == standing.person_id,
        bool(task.note),
    )


def counts(w: UnitOfWork) -> dict[str, int]:
    """Return how many tasks wait, by kind of step, and how many of them are late; for the navigation."""
    standing = acting(w)
    found = (
        select(Task.action, func.count(), func.count().filter(earliest() < w.now))
        .join(Dossier, and_(Dossier.province == Task.province, Dossier.id == Task.dossier_id))
        .where(reachable(w, standing))
        .group_by(Task.action)
    )
    result = {"all": 0, "late": 0, "form": 0, "sign": 0, "issue": 0, "return_result": 0}
    for action, count, late in w.session.execute(found):
        result[action] = count
        result["all"] += count
        result["late"] += late
    return result


def seen(w: UnitOfWork) -> str:
    """Return a text that changes when the actor's list changes; an unchanged poll costs one small query."""
    standing = acting(w)
    count, versions = w.session.execute(select(func.count(), func.coalesce(func.sum(Task.version), 0)).where(reachable(w, standing))).one()
    return f"{count}-{versions}"
