"""How long the signatures of issued documents can be proven, and what is to be renewed when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, cast, select

from engine.documents.model import Document
from engine.dossier.model import Dossier
from engine.kernel.due import PRESERVE, Due
from engine.kernel.journal import JournalLine
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.standing import acting
from engine.queries.audit import AUDITORS


@dataclass(frozen=True, slots=True)
class Renewal:
    """One issued document: its level, until when that stands, when it is worked on next, what the last attempt lacked (a code)."""

    document_id: UUID
    dossier: str
    name: Json
    number: int | None
    level: str
    until: datetime | None
    next_at: datetime
    missing: str
    late: bool


def renewals(w: UnitOfWork, *, limit: int = 500) -> Sequence[Renewal]:
    """Return what is to be renewed, the nearest first.

    Raises:
        Forbidden: the actor checks nothing.
    """
    acting(w).require(*AUDITORS)
    return report(w, limit=limit)


def report(w: UnitOfWork, *, limit: int = 500) -> list[Renewal]:
    """Return the same for whoever sits at the machine."""
    last = (
        select(JournalLine.facts)
        .where(JournalLine.province == Due.province, JournalLine.chain == Due.dossier, JournalLine.kind == "document.preserved")
        .where(JournalLine.facts["document"].astext == Due.ref)
        .order_by(JournalLine.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(Due.due_at, Document, Dossier.code, last)
        .join(Document, (Document.province == Due.province) & (cast(Document.id, Text) == Due.ref))
        .join(Dossier, (Dossier.province == Due.province) & (Dossier.id == Due.dossier))
        .where(Due.province == w.province, Due.kind == PRESERVE, Due.fired_at.is_(None))
        .order_by(Due.due_at)
        .limit(limit)
    )
    return [_renewal(document, code, at, facts or {}, w.now) for at, document, code, facts in w.session.execute(query)]


def _renewal(document: Document, code: str, at: datetime, facts: Json, now: datetime) -> Renewal:
    until = datetime.fromisoformat(facts["until"]) if facts.get("until") else None
    late = bool(until and until <= now) or bool(facts.get("missing"))
    return Renewal(document.id, code, document.name, document.number, facts.get("level", "B-T"), until, at, facts.get("missing", ""), late)
