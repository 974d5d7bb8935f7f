"""The page of a dossier: history, papers, parties, its clock, and where it is on its diagram, drawn and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import selectinload

from engine.deadline.explanation import DayLine, explain
from engine.deadline.stage import remaining
from engine.deadline.term import Term
from engine.documents.model import Document, StoredFile
from engine.dossier.lifecycle import WAITING
from engine.dossier.model import Dossier, DueChange, FeeDue, Handover, Suspension
from engine.dossier.statuses import NationalStatus, national
from engine.errors import NotFound
from engine.kernel.journal import JournalLine
from engine.kernel.search import query as search_query
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow, papers
from engine.office.standing import units_of
from engine.organisation.directory import directory
from engine.procedure.outline import outline
from engine.procedure.registry import ProcedureCache, ProcedureVersion
from engine.process.instance import View, program, view
from engine.process.model import Task
from engine.queries.board import SOON
from engine.queries.desk import documents_of, holds_task, instance_of, oversees


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One step that is open or was done: who, when, how it went against its hours."""

    id: UUID
    step: str
    name: Json
    state: str
    how: str
    who: str
    unit: str
    opened_at: datetime
    closed_at: datetime | None
    due_at: datetime | None
    outcome: str | None
    note: str


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One journal line in the reader's terms: its kind is a sentence of the catalogue."""

    at: datetime
    kind: str
    who: str
    facts: Json
    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class DossierPage:
    """Everything about one dossier."""

    dossier: Dossier
    procedure: Json
    version: Json
    owner: Json
    submitter: Json
    reception_unit: str
    deciding_unit: str
    national: NationalStatus
    left: timedelta | None
    tasks: Sequence[TaskLine]
    files: Sequence[StoredFile]
    documents: Sequence[Document]
    suspensions: Sequence[Suspension]
    fees: Sequence[FeeDue]
    due_changes: Sequence[DueChange]
    handovers: Sequence[Json]
    history: Sequence[HistoryLine]
    days: Sequence[DayLine]
    place: View | None
    diagram: str
    outline: Sequence[Any]
    suspended: datetime | None = None
    """Since when the whole dossier stands still; a supplement that is awaited is not meant."""

    @property
    def still(self) -> bool:
        """Whether the clock stands still now, on whatever ground."""
        return any(one.resumed_at is None for one in self.suspensions)


def by_code(w: UnitOfWork, code: str) -> Dossier:
    """Return a dossier by its printed code.

    Raises:
        NotFound: there is none.
    """
    found = w.session.scalars(select(Dossier).where(Dossier.province == w.province, Dossier.code == code)).one_or_none()
    if found is None:
        raise NotFound("dossier.not_found")
    return found


def readable(w: UnitOfWork, code: str) -> Dossier:
    """Return a dossier the actor may read.

    Raises:
        NotFound: there is none, for this person.
    """
    dossier = by_code(w, code)
    if not (oversees(w, dossier) or holds_task(w, dossier)):
        raise NotFound("dossier.not_found")
    return dossier


def page(w: UnitOfWork, code: str) -> DossierPage:
    """Return the whole page of a dossier; the reading is journalled."""
    dossier = readable(w, code)
    package = w.part(ProcedureCache).package(w, dossier.procedure_version_id)
    version = w.session.get(ProcedureVersion, (w.province, dossier.procedure_version_id))
    assert version is not None
    run = flow.Flow(w, dossier, instance_of(w, dossier), package)
    units = units_of(w.session, w.province)
    term, pauses = Term.from_json(dossier.term), flow.pauses(run)
    w.record("dossier.read", dossier.id)
    return DossierPage(
        dossier,
        {"key": package.key, "code": package.code, "vi": package.name.vi, "en": package.name.en},
        {"number": version.number, "drawing": version.drawing_number, "effective_from": version.effective_from, "id": str(version.id)},
        papers.party_print(w, dossier, "owner"),
        papers.party_print(w, dossier, "submitter"),
        units[dossier.reception_unit_id].name if dossier.reception_unit_id in units else "",
        units[dossier.deciding_unit_id].name if dossier.deciding_unit_id in units else "",
        national(dossier.status, dossier.received_at.date()),
        remaining(w.now, dossier.due_at, run.calendar) if dossier.due_at and dossier.resolved_at is None else None,
        task_lines(w, dossier.id),
        papers.files_of(w, dossier.id),
        documents_of(w, dossier.id),
        dossier.suspensions,
        dossier.fees,
        due_changes(w, dossier.id),
        handovers(w, dossier.id),
        history(w, dossier.id),
        explain(dossier.received_at, term, pauses, run.calendar, flow.extension_of(dossier)),
        view(program(dossier.procedure_version_id, package), run.instance.state) if run.instance is not None else None,
        package.files["process.bpmn"].decode("utf-8"),
        outline(package),
        flow.suspended_since(run),
    )


def names(w: UnitOfWork) -> Mapping[UUID, str]:
    """Return the names of all people of the province by id."""
    return directory(w.session, w.province).names


def name_of(people: Mapping[UUID, str], person_id: UUID | None) -> str:
    """Return the name of a person, or nothing."""
    return people.get(person_id, "") if person_id is not None else ""


def task_lines(w: UnitOfWork, dossier_id: UUID) -> list[TaskLine]:
    """Return the steps of a dossier in the order they were opened; those undone are left out."""
    people, units = names(w), units_of(w.session, w.province)
    return [
        TaskLine(
            t.id,
            t.step,
            t.name,
            t.state,
            t.closed_how or "",
            name_of(people, t.closed_by_id or t.assignee_id),
            units[t.unit_id].name if t.unit_id in units else "",
            t.opened_at,
            t.closed_at,
            t.due_at,
            t.outcome,
            t.note,
        )
        for t in w.session.scalars(
            select(Task)
            .where(Task.province == w.province, Task.dossier_id == dossier_id, Task.state != "undone")
            .order_by(Task.opened_at, Task.id)
        )
    ]


def due_changes(w: UnitOfWork, dossier_id: UUID) -> list[DueChange]:
    """Return every move of the due date."""
    return list(
        w.session.scalars(
            select(DueChange).where(DueChange.province == w.province, DueChange.dossier_id == dossier_id).order_by(DueChange.at)
        )
    )


def handovers(w: UnitOfWork, dossier_id: UUID) -> list[Json]:
    """Return the lines of the control sheet (Mẫu 06)."""
    people, units = names(w), units_of(w.session, w.province)

    def unit(unit_id: UUID | None) -> str:
        return units[unit_id].name if unit_id in units else ""

    return [
        {
            "at": h.at,
            "kind": h.kind,
            "step": h.step,
            "from_person": people.get(h.from_person_id, "") if h.from_person_id else "",
            "from_unit": unit(h.from_unit_id),
            "to_unit": unit(h.to_unit_id),
            "to_person": people.get(h.to_person_id, "") if h.to_person_id else "",
            "due_at": h.due_at,
            "outcome": h.outcome,
            "note": h.note,
        }
        for h in w.session.scalars(
            select(Handover).where(Handover.province == w.province, Handover.dossier_id == dossier_id).order_by(Handover.at, Handover.id)
        )
    ]


def history(w: UnitOfWork, dossier_id: UUID) -> list[HistoryLine]:
    """Return the journal of a dossier, newest first; mere readings are left out."""
    people = names(w)
    lines = w.session.scalars(
        select(JournalLine)
        .where(JournalLine.province == w.province, JournalLine.chain == dossier_id, JournalLine.kind != "dossier.read")
        .order_by(JournalLine.number.desc())
    )
    return [HistoryLine(line.at, line.kind, who(people, line.actor), line.facts, line.number, line.hash.hex()) for line in lines]


def who(people: Mapping[UUID, str], actor: Json) -> str:
    """Return the name of an actor, or its kind (citizen, clock, system) for the screen to word."""
    person = actor.get("person")
    return people.get(UUID(person), "") if person else str(actor.get("kind", ""))


@dataclass(frozen=True, slots=True)
class Found:
    """One dossier of a search."""

    code: str
    subject: str
    procedure: Json
    owner: str
    status: str
    received_at: datetime
    due_at: datetime | None
    outcome: str | None
    late: bool


PAUSED = "paused"
"""What a list is asked for to show every dossier whose clock stands still, whatever the ground."""


def search(
    w: UnitOfWork,
    text: str = "",
    *,
    status: str = "",
    procedure: str = "",
    identity: str = "",
    late: bool = False,
    reception_unit: UUID | None = None,
    deciding_unit: UUID | None = None,
    standing: str = "",
    page_number: int = 1,
    size: int = 25,
) -> tuple[list[Found], int]:
    """Return dossiers the actor may read, newest first, and their number (capped at 1000).

    Words match without diacritics in code, subject, procedure and names; *identity* matches a whole identity number by its blind index;
    ``standing`` is ``running``, ``soon`` or ``late``: how an open dossier stands now, as the board counts it.
    """
    from engine.dossier.identity import digits
    from engine.dossier.model import Party
    from engine.kernel.sealing import Sealing
    from engine.office.standing import acting

    person = acting(w)
    query = select(Dossier, ProcedureVersion).join(
        ProcedureVersion, and_(ProcedureVersion.province == Dossier.province, ProcedureVersion.id == Dossier.procedure_version_id)
    )
    query = query.where(Dossier.province == w.province)
    if person.seat("inspector") is None:
        reach = {u for s in person.seats for u in s.reach}
        query = query.where(
            Dossier.reception_unit_id.in_(reach)
            | Dossier.deciding_unit_id.in_(reach)
            | Dossier.support_unit_id.in_(reach)
            | (Dossier.initiator_id == person.person_id)
        )
    words = search_query(text, typing=True)
    if words:
        query = query.where(Dossier.words.op("@@")(func.to_tsquery("simple", words)))
    if status:
        query = query.where(Dossier.status.in_(sorted(WAITING)) if status == PAUSED else Dossier.status == status)
    if procedure:
        query = query.where(Dossier.procedure_key == procedure)
    if reception_unit is not None:
        query = query.where(Dossier.reception_unit_id == reception_unit)
    if deciding_unit is not None:
        query = query.where(Dossier.deciding_unit_id == deciding_unit)
    if standing:
        query = query.where(Dossier.closed_at.is_(None), Dossier.resolved_at.is_(None))
    if standing == "late":
        query = query.where(Dossier.due_at < w.now)
    elif standing == "soon":
        query = query.where(Dossier.due_at >= w.now, Dossier.due_at < w.now + SOON)
    if late:
        query = query.where(Dossier.due_at < func.coalesce(Dossier.resolved_at, Dossier.closed_at, w.now))
    if identity:
        index = w.part(Sealing).blind("identity", digits(identity))
        query = query.where(Dossier.id.in_(select(Party.dossier_id).where(Party.province == w.province, Party.identity_index == index)))
        w.record("identity.looked_up", None)
    counted = query.with_only_columns(Dossier.id, maintain_column_froms=True).limit(1001).subquery()
    total = w.session.scalar(select(func.count()).select_from(counted)) or 0
    query = query.options(selectinload(Dossier.parties)).order_by(Dossier.received_at.desc(), Dossier.id)
    rows = w.session.execute(query.limit(size).offset((max(page_number, 1) - 1) * size))
    found = []
    for d, v in rows:
        owner = d.party("owner")
        end = d.resolved_at or d.closed_at or w.now
        found.append(
            Found(
                d.code,
                d.subject,
                {"vi": v.name_vi, "en": v.name_en},
                owner.name if owner else "",
                d.status,
                d.received_at,
                d.due_at,
                d.outcome,
                d.due_at is not None and d.due_at < end,
            )
        )
    return found, total
