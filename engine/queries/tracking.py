"""What a citizen sees: progress by the code alone without personal data; the rest after access has been proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.documents.blobs import BlobStore
from engine.documents.model import Document
from engine.dossier.model import Dossier, FeeDue
from engine.dossier.statuses import name as status_name
from engine.errors import NotFound
from engine.kernel.due import Due
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import papers
from engine.office.attachments import attached
from engine.office.standing import units_of
from engine.procedure.operators import CONFIRMATION_ANSWERED
from engine.procedure.outline import milestones
from engine.procedure.registry import ProcedureCache
from engine.process.instance import program, view
from engine.process.model import Task
from engine.queries.desk import documents_of, instance_of

HANDED_OVER = ("result", "annex", "copy")
"""Papers their owner gets with the result, not before it is ready."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """One step of the way in plain words; ``state`` is done, current or ahead."""

    step: str
    name: Json
    state: str
    at: datetime | None
    unit: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What the code alone opens: stage, unit, dates; no name, address, number or file."""

    code: str
    procedure: Json
    status: str
    status_name: Json
    received_at: datetime
    due_at: datetime | None
    original_due_at: datetime | None
    provisional: bool
    paused: bool
    late: bool
    outcome: str | None
    reception_unit: str
    deciding_unit: str
    holder: str
    step: Json
    milestones: Sequence[Milestone]
    ready: bool
    returned_at: datetime | None


def public(w: UnitOfWork, code: str) -> Progress:
    """Return the progress of a dossier by its code.

    Raises:
        NotFound: there is none, or it is an internal one.
    """
    dossier = w.session.scalars(
        select(Dossier).where(Dossier.province == w.province, Dossier.code == code, Dossier.scope == "public")
    ).one_or_none()
    if dossier is None:
        raise NotFound("dossier.not_found")
    return progress_of(w, dossier)


def progress_of(w: UnitOfWork, d: Dossier) -> Progress:
    """Return the progress of a dossier."""
    units = units_of(w.session, w.province)
    package = w.part(ProcedureCache).package(w, d.procedure_version_id)
    rows = list(
        w.session.scalars(
            select(Task).where(Task.province == w.province, Task.dossier_id == d.id, Task.state != "undone").order_by(Task.opened_at)
        )
    )
    current = next((t for t in rows if t.state == "open"), None)
    end = d.resolved_at or d.closed_at or w.now
    return Progress(
        d.code,
        {"code": package.code, "vi": package.name.vi, "en": package.name.en},
        d.status,
        {"vi": status_name(d.status, "vi"), "en": status_name(d.status, "en")},
        d.received_at,
        d.due_at,
        d.original_due_at,
        d.due_provisional,
        d.status == "awaiting_supplement",
        d.due_at is not None and d.due_at < end,
        d.outcome,
        units[d.reception_unit_id].name if d.reception_unit_id in units else "",
        units[d.deciding_unit_id].name if d.deciding_unit_id in units else "",
        units[current.unit_id].name if current is not None and current.unit_id in units else "",
        current.name if current is not None else {"vi": "", "en": ""},
        way(w, d, package, rows),
        d.status == "resolved",
        d.returned_at,
    )


def way(w: UnitOfWork, d: Dossier, package: Any, rows: Sequence[Task]) -> list[Milestone]:
    """Return the milestones: what was done with its time, where it is, what lies ahead on the normal path."""
    units, instance = units_of(w.session, w.province), instance_of(w, d)
    place = view(program(d.procedure_version_id, package), instance.state) if instance is not None else None
    last = {t.step: t for t in rows}
    found = []
    for step in milestones(package):
        task = last.get(step.id)
        if task is not None:
            state = "current" if task.state == "open" else "done"
            found.append(Milestone(step.id, step.name, state, task.closed_at or task.opened_at, units[task.unit_id].name))
        elif d.closed_at is None:
            state = "done" if place is not None and step.id in place.done else "ahead"
            found.append(Milestone(step.id, step.name, state, None, ""))
    return found


@dataclass(frozen=True, slots=True)
class OwnerView:
    """What the owner sees after proving access."""

    progress: Progress
    owner: Json
    documents: Sequence[Document]
    fees: Sequence[FeeDue]
    asked: Sequence[Json]
    request: Json
    request_document: UUID | None
    suspended_at: datetime | None
    result: Document | None
    beside: Sequence[tuple[Document, Json]]
    """The annexes and copies that go with the result, each with what it is attached to."""
    refusal: Json
    confirm: Document | None
    """The paper the owner is asked to look at now: a draft to check, or an answer to be content with."""
    confirm_until: datetime | None


def owner(w: UnitOfWork, code: str) -> OwnerView:
    """Return the dossier to its owner; the caller has proved access before (`commands.dossiers.check_access`)."""
    dossier = w.session.scalars(select(Dossier).where(Dossier.province == w.province, Dossier.code == code)).one_or_none()
    if dossier is None:
        raise NotFound("dossier.not_found")
    waiting = next((s for s in dossier.suspensions if s.resumed_at is None and s.ground == "supplement"), None)
    documents = [p for p in documents_of(w, dossier.id) if p.state == "issued"]
    result = next((p for p in reversed(documents) if p.kind == "result"), None)
    refusal = next((p.content for p in documents if p.kind in ("refusal", "stop_notice", "withdrawal")), {})
    instance = instance_of(w, dossier)
    asked = instance is not None and instance.status == "running" and CONFIRMATION_ANSWERED in instance.waiting
    w.record("dossier.read_by_owner", dossier.id)
    ready = dossier.status in ("resolved", "returned")
    return OwnerView(
        progress_of(w, dossier),
        papers.party_print(w, dossier, "owner"),
        documents,
        dossier.fees,
        [{"key": c.key, "name": c.name, "form": c.form} for c in dossier.components if c.asked],
        waiting.request if waiting is not None else {},
        waiting.document_id if waiting is not None else None,
        waiting.suspended_at if waiting is not None else None,
        result if ready else None,
        [(p, link) for p in documents if (link := attached(p)) is not None] if ready else [],
        refusal,
        _shown(documents_of(w, dossier.id)) if asked else None,
        next(iter(timers_of(w, dossier.id)), None) if asked else None,
    )


def _shown(documents: Sequence[Document]) -> Document | None:
    """Return the paper the owner is asked about: the draft, or the result as issued."""
    return next((p for p in reversed(documents) if p.kind == "result" and p.state in ("draft", "issued")), None)


def timers_of(w: UnitOfWork, dossier_id: UUID) -> Sequence[datetime]:
    """Return when the process of a dossier goes on by itself, the earliest first."""
    query = select(Due.due_at).where(Due.province == w.province, Due.dossier == dossier_id, Due.kind == "timer", Due.fired_at.is_(None))
    return w.session.scalars(query.order_by(Due.due_at)).all()


def issued_document(w: UnitOfWork, code: str, document_id: UUID) -> Document:
    """Return an issued paper of a dossier to its owner, for download.

    Raises:
        NotFound: it is not of this dossier, or not issued.
    """
    seen = owner(w, code)
    for document in (*seen.documents, *([seen.confirm] if seen.confirm is not None else [])):
        shown = document.kind not in HANDED_OVER or seen.result is not None or document is seen.confirm
        if document.id == document_id and shown:
            return document
    raise NotFound("document.not_found")


def issued_bytes(w: UnitOfWork, code: str, document_id: UUID) -> tuple[Document, bytes]:
    """Return an issued paper of a dossier with its bytes, for its owner.

    Raises:
        NotFound: it is not of this dossier, or not issued.
    """
    document = issued_document(w, code, document_id)
    return document, w.part(BlobStore).get(document.sha256 or "")
