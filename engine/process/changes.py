"""The records of changes to running dossiers from outside their process: moves to another version, tokens put on another step."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.kernel.tables import Json, Record, belongs_to


class Migration(Record):
    """A decision to let running dossiers of a procedure go on under another version, with its legal basis."""

    __tablename__ = "migration"
    __table_args__ = (
        belongs_to("target_id", "procedure_version"),
        Index("ix_migration_working", "province", "state", postgresql_where=text("state in ('applying', 'undoing')")),
        Index("ix_migration_key", "province", "key", "created_at"),
    )

    key: Mapped[str] = mapped_column(String(60))
    target_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(String(12), default="planned")
    """``planned``, ``submitted`` (waits for its second person), ``applying``, ``applied``, ``undoing``, ``undone``, ``discarded``."""
    legal_basis: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID | None]
    started_at: Mapped[datetime | None]
    started_by_id: Mapped[UUID | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_by_id: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]


class MigrationItem(Record):
    """One running dossier in a migration: its class with the reasons, what was chosen, what happened, and what an undo puts back."""

    __tablename__ = "migration_item"
    __table_args__ = (
        belongs_to("migration_id", "migration", ondelete="CASCADE"),
        belongs_to("dossier_id", "dossier", ondelete="CASCADE"),
        UniqueConstraint("province", "migration_id", "dossier_id"),
        Index("ix_migration_item_state", "province", "migration_id", "state", "id"),
    )

    migration_id: Mapped[UUID]
    dossier_id: Mapped[UUID]
    from_version_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(12))
    reasons: Mapped[list[Any]]
    group: Mapped[str] = mapped_column(String(64))
    """Dossiers with the same reasons between the same versions are decided together."""
    new_steps: Mapped[list[Any]]
    choice: Mapped[str] = mapped_column(String(12), default="")
    """``move``, ``keep``, ``place`` (on ``new_step``), or nothing yet."""
    new_step: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(String(12), default="planned")
    """``planned``, ``moved``, ``kept``, ``failed``, ``undone``, ``gone_on`` (an undo came too late)."""
    fault: Mapped[str] = mapped_column(default="")
    moved_at: Mapped[datetime | None]
    version_after: Mapped[int | None]
    before: Mapped[Json | None] = mapped_column(deferred=True)
    before_state: Mapped[bytes | None] = mapped_column(deferred=True)


class TokenMove(Record):
    """A token to be put on another step in an emergency: proposed by one person, made by another, with what an undo puts back."""

    __tablename__ = "token_move"
    __table_args__ = (
        belongs_to("dossier_id", "dossier", ondelete="CASCADE"),
        Index("ix_token_move_open", "province", "dossier_id", unique=True, postgresql_where=text("state = 'proposed'")),
        Index("ix_token_move_dossier", "province", "dossier_id", "proposed_at"),
    )

    dossier_id: Mapped[UUID]
    source: Mapped[str]
    """The node of the diagram that held the token."""
    target: Mapped[str]
    """The step it goes to."""
    state: Mapped[str] = mapped_column(String(12), default="proposed")
    """``proposed``, ``made``, ``rejected``, ``undone``."""
    reason: Mapped[str]
    legal_basis: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    """Why it was rejected or undone."""
    proposed_at: Mapped[datetime]
    proposed_by_id: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[UUID | None]
    version_after: Mapped[int | None]
    before: Mapped[Json | None] = mapped_column(deferred=True)
    before_state: Mapped[bytes | None] = mapped_column(deferred=True)
