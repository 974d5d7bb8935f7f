"""The records of a running process: the instance with its slim state, and one row for every task that was ever open."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, UniqueConstraint, false, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from engine.kernel.tables import Json, Record, belongs_to


class Instance(Record):
    """The state of one dossier's process between two wait states; the dossier row is its lock."""

    __tablename__ = "instance"

    dossier_id: Mapped[UUID]
    procedure_version_id: Mapped[UUID]
    state: Mapped[bytes]
    version: Mapped[int] = mapped_column(default=1)
    status: Mapped[str] = mapped_column(default="running")
    ended_by: Mapped[str | None]
    waiting: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    rewound: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it ever went back: then a step may open under an identifier it had before, and its rounds are counted."""

    __table_args__ = (
        belongs_to("dossier_id", "dossier", ondelete="CASCADE"),
        UniqueConstraint("province", "dossier_id"),
        # Only who waits for something stands in it: completing a step elsewhere does not touch it.
        Index("ix_instance_waiting", "waiting", postgresql_using="gin", postgresql_where=text("waiting <> '{}'")),
        {"postgresql_with": {"fillfactor": 70}},
    )


class Task(Record):
    """A step of the process open at somebody's desk, or closed by somebody.

    ``engine_task`` is the interpreter's identifier; a step sent back keeps it, hence ``round``.
    ``before`` keeps what an undo within ten seconds restores.
    """

    __tablename__ = "task"

    dossier_id: Mapped[UUID]
    instance_id: Mapped[UUID]
    engine_task: Mapped[UUID]
    round: Mapped[int] = mapped_column(default=1)
    step: Mapped[str]
    name: Mapped[Json]
    lane: Mapped[str]
    action: Mapped[str]
    properties: Mapped[Json]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    unit_id: Mapped[UUID]
    assignee_id: Mapped[UUID | None]
    reason: Mapped[Json] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="open")
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[UUID | None]
    closed_how: Mapped[str | None]
    outcome: Mapped[str | None]
    answers: Mapped[Json] = mapped_column(default=dict)
    draft: Mapped[Json] = mapped_column(default=dict)
    draft_version: Mapped[int] = mapped_column(default=0)
    draft_at: Mapped[datetime | None]
    draft_by_id: Mapped[UUID | None]
    note: Mapped[str] = mapped_column(default="")
    undo_until: Mapped[datetime | None]
    before: Mapped[Json | None]
    before_state: Mapped[bytes | None]

    __table_args__ = (
        belongs_to("dossier_id", "dossier", ondelete="CASCADE"),
        belongs_to("instance_id", "instance", ondelete="CASCADE"),
        UniqueConstraint("province", "instance_id", "engine_task", "round"),
        Index("ix_task_open", "province", "unit_id", "due_at", postgresql_where=text("state = 'open'")),
        # What a person holds, the most urgent first: a step asks for one of them, however many there are.
        Index("ix_task_assignee", "province", "assignee_id", "due_at", "opened_at", postgresql_where=text("state = 'open'")),
        # The open tasks of a dossier, however many it has closed.
        Index("ix_task_dossier", "province", "dossier_id", "state"),
    )
