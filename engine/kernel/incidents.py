"""Incidents: what went wrong without anybody at the screen, kept until a person settles it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.errors import NotFound
from engine.kernel.canonical import plain
from engine.kernel.tables import Instant, Json, Record


class Incident(Record):
    """One failure that needs a person: a code and facts without personal data."""

    __tablename__ = "incident"
    __table_args__ = (Index(None, "province", "opened_at", postgresql_where="resolved_at is null"),)

    code: Mapped[str] = mapped_column(Text)
    facts: Mapped[Json] = mapped_column(JSONB)
    dossier: Mapped[UUID | None]
    message: Mapped[UUID | None] = mapped_column(comment="the outbox message that could not be delivered")
    opened_at: Mapped[datetime] = mapped_column(Instant)
    resolved_at: Mapped[datetime | None] = mapped_column(Instant)
    resolved_by: Mapped[int | None] = mapped_column(comment="account")
    resolution: Mapped[str | None] = mapped_column(Text, comment="retried | settled")

    @property
    def number(self) -> str:
        """A short number to read out over the telephone."""
        return self.id.hex[-8:].upper()


def open_incident(
    session: Session, province: int, at: datetime, code: str, *, dossier: UUID | None = None, message: UUID | None = None, **facts: Any
) -> Incident:
    """Write down a failure and return the incident."""
    incident = Incident(province=province, code=code, facts=plain(facts), dossier=dossier, message=message, opened_at=at)
    session.add(incident)
    session.flush()
    return incident


def find(session: Session, province: int, incident: UUID, *, lock: bool = False) -> Incident:
    """Return the incident.

    Raises:
        NotFound: when there is none.
    """
    query = select(Incident).where(Incident.province == province, Incident.id == incident)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("incident.unknown")
    return found
