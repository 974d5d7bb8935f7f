"""The one table of instants at which something falls due: process timers, statutory terms, notices.

A row names what falls due (*dossier*, *kind*, *ref*) and when. Moving the instant changes the row, completion deletes it. The sweep reads
candidate ids and starts an ordinary command for each, which locks the dossier and asks `take` whether the row is still due.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, UniqueConstraint, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.kernel.identifiers import new_id
from engine.kernel.tables import Instant, Record

BATCH = 100
PRESERVE = "preserve"
"""Evidence of an issued document: strangers' services are asked, so it never waits in the way of terms and timers."""


class Due(Record):
    """Something of a dossier that falls due at an instant."""

    __tablename__ = "due"
    __table_args__ = (
        UniqueConstraint("province", "dossier", "kind", "ref"),
        Index("ix_due_open", "province", "due_at", postgresql_where="fired_at is null"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    dossier: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text, comment="timer | term | stage | notice …")
    ref: Mapped[str] = mapped_column(Text, comment="which one of its kind: a timer's key, a task's id; empty when there is only one")
    due_at: Mapped[datetime] = mapped_column(Instant)
    fired_at: Mapped[datetime | None] = mapped_column(Instant)


_INSERT = insert(Due).values(
    province=bindparam("province"), id=bindparam("id"), dossier=bindparam("dossier"), kind=bindparam("kind"), ref=bindparam("ref"),
    due_at=bindparam("due_at"),
)  # fmt: skip
PUT = _INSERT.on_conflict_do_update(
    index_elements=["province", "dossier", "kind", "ref"],
    set_={"due_at": _INSERT.excluded.due_at, "fired_at": None},
    where=Due.due_at != _INSERT.excluded.due_at,
)
DROP = delete(Due).where(
    Due.province == bindparam("of_province"), Due.dossier == bindparam("of_dossier"), Due.kind == bindparam("of_kind"),
    Due.ref == func.any(bindparam("gone", type_=ARRAY(Text))),
)  # fmt: skip


def put(session: Session, province: int, dossier: UUID, kind: str, ref: str, due_at: datetime) -> None:
    """Let (*dossier*, *kind*, *ref*) fall due at *due_at*; a row that stands is moved, and waits again if its instant changed."""
    _put(session, [{"province": province, "id": new_id(), "dossier": dossier, "kind": kind, "ref": ref, "due_at": due_at}])


def _put(session: Session, rows: list[dict[str, Any]]) -> None:
    session.connection().execute(PUT, rows)


def change(
    session: Session, province: int, dossier: UUID, kind: str, before: Mapping[str, datetime], after: Mapping[str, datetime]
) -> None:
    """Make the dossier's rows of *kind* *after*, where they are known to be *before*: only what differs is written."""
    gone = [ref for ref in before if ref not in after]
    if gone:
        session.connection().execute(DROP, {"of_province": province, "of_dossier": dossier, "of_kind": kind, "gone": gone})
    new = [
        {"province": province, "id": new_id(), "dossier": dossier, "kind": kind, "ref": ref, "due_at": at}
        for ref, at in after.items()
        if before.get(ref) != at
    ]
    if new:
        _put(session, new)


def clear(session: Session, province: int, dossier: UUID, kind: str | None = None, ref: str | None = None) -> None:
    """Take rows out: of the dossier, of one *kind*, or exactly one."""
    query = delete(Due).where(Due.province == province, Due.dossier == dossier)
    if kind is not None:
        query = query.where(Due.kind == kind)
    if ref is not None:
        query = query.where(Due.ref == ref)
    session.execute(query)


def replace(session: Session, province: int, dossier: UUID, kind: str, instants: Mapping[str, datetime]) -> None:
    """Make the dossier's rows of *kind* exactly *instants* (ref → due instant)."""
    session.execute(delete(Due).where(Due.province == province, Due.dossier == dossier, Due.kind == kind, Due.ref.not_in(list(instants))))
    for ref, due_at in instants.items():
        put(session, province, dossier, kind, ref, due_at)


def candidates(session: Session, province: int, now: datetime, limit: int = BATCH, *, kind: str | None = None) -> list[UUID]:
    """Return ids of rows that are due and that nobody else is working on, the oldest first: of *kind*, or all but evidence."""
    wanted = Due.kind != PRESERVE if kind is None else Due.kind == kind
    query = select(Due.id).where(Due.province == province, Due.fired_at.is_(None), Due.due_at <= now, wanted)
    query = query.order_by(Due.due_at).limit(limit)
    return list(session.scalars(query.with_for_update(skip_locked=True)))


def of_dossier(session: Session, province: int, dossier: UUID, now: datetime) -> list[Due]:
    """Return what of the dossier is due now, the oldest first: a command fires these before it does its own work."""
    query = select(Due).where(Due.province == province, Due.dossier == dossier, Due.fired_at.is_(None), Due.due_at <= now)
    return list(session.scalars(query.order_by(Due.due_at)))


def find(session: Session, province: int, due: UUID) -> Due | None:
    """Return the row, or None when it has been cleared; tells which dossier to lock before `take`."""
    return session.get(Due, (province, due))


def take(session: Session, province: int, due: UUID, now: datetime) -> Due | None:
    """Mark the row as fired and return it, or None when it is gone, moved or fired already. Lock the dossier first."""
    query = select(Due).where(Due.province == province, Due.id == due).with_for_update()
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None or row.fired_at is not None or row.due_at > now:
        return None
    row.fired_at = now
    session.flush()
    return row


def again(session: Session, province: int, due: UUID) -> None:
    """Let a row that was put aside wait again; the next sweep takes it."""
    session.execute(update(Due).where(Due.province == province, Due.id == due).values(fired_at=None))


def oldest(session: Session, province: int) -> datetime | None:
    """Return the earliest instant still waiting: its lateness is what citizens feel."""
    waiting = select(func.min(Due.due_at)).where(Due.province == province, Due.fired_at.is_(None), Due.kind != PRESERVE)
    return session.scalar(waiting)
