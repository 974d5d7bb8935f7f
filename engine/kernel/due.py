"""The one table of instants at which something falls due: process timers, statutory terms, notices.

A row names what falls due (*dossier*, *kind*, *ref*) and when. Moving the instant changes the row, completion deletes it. The sweep reads
candidate ids and starts an ordinary command for each, which locks the dossier and asks `take` whether the row is still due.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, UniqueConstraint, delete, event, func, select, update
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column

from engine.kernel import wire
from engine.kernel.identifiers import new_id
from engine.kernel.tables import Instant, Record
from engine.kernel.wire import Part

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


Key = tuple[int, UUID, str, str]
_LATER = "due later"
PUT = (
    "insert into due (province, id, dossier, kind, ref, due_at) values {rows} on conflict (province, dossier, kind, ref) "
    "do update set due_at = excluded.due_at, fired_at = null where due.due_at <> excluded.due_at"
)
DROP = "delete from due where province = %s and dossier = %s"


@dataclass(slots=True)
class Later:
    """What a unit of work changes in the table and nobody has asked about yet: it travels with everything else at the end.

    The changes of one statement do not see each other: a row is never both put and dropped here.
    """

    put: dict[Key, datetime] = field(default_factory=dict)
    dropped: list[tuple[int, UUID, str | None, list[str] | None]] = field(default_factory=list)

    def drops(self, key: Key) -> bool:
        """Say whether this row is among those to be dropped."""
        return any(_matches(one, key) for one in self.dropped)

    def drop(self, province: int, dossier: UUID, kind: str | None, refs: list[str] | None) -> None:
        """Drop rows: of the dossier, of one *kind*, of some *refs*."""
        gone = (province, dossier, kind, refs)
        self.put = {key: at for key, at in self.put.items() if not _matches(gone, key)}
        if gone not in self.dropped:
            self.dropped.append(gone)

    def parts(self) -> list[Part]:
        """Return the statements, to be sent together or in this order."""
        found = []
        for province, dossier, kind, refs in self.dropped:
            found.append(
                Part(
                    DROP + (" and kind = %s" if kind is not None else "") + (" and ref = any(%s)" if refs is not None else ""),
                    [province, dossier, *([kind] if kind is not None else []), *([refs] if refs is not None else [])],
                )
            )
        if self.put:
            rows = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(self.put))
            given = [value for (province, *rest), at in self.put.items() for value in (province, new_id(), *rest, at)]
            found.append(Part(PUT.format(rows=rows), given))
        return found


def _matches(gone: tuple[int, UUID, str | None, list[str] | None], key: Key) -> bool:
    province, dossier, kind, refs = gone
    return key[:2] == (province, dossier) and kind in (None, key[2]) and (refs is None or key[3] in refs)


def _later(session: Session) -> Later:
    known: Later | None = session.info.get(_LATER)
    if known is None:
        known = session.info[_LATER] = Later()
    return known


def parts(session: Session) -> list[Part]:
    """Return what is still to be written; whoever asks writes it."""
    known: Later | None = session.info.pop(_LATER, None)
    return known.parts() if known is not None else []


def settle(session: Session) -> None:
    """Write now what was to be written at the end."""
    for part in parts(session):
        wire.send(session, part)


@event.listens_for(Session, "do_orm_execute")
def _asked(state: ORMExecuteState) -> None:
    """Whoever asks the database something in the same unit of work finds what was changed so far; relations do not lead here."""
    if _LATER in state.session.info and not state.is_relationship_load:
        settle(state.session)


def put(session: Session, province: int, dossier: UUID, kind: str, ref: str, due_at: datetime) -> None:
    """Let (*dossier*, *kind*, *ref*) fall due at *due_at*; a row that stands is moved, and waits again if its instant changed."""
    if due_at.tzinfo is None:
        raise ValueError("a naive datetime reached the database")
    key = (province, dossier, kind, ref)
    if _later(session).drops(key):
        settle(session)
    _later(session).put[key] = due_at


def change(
    session: Session, province: int, dossier: UUID, kind: str, before: Mapping[str, datetime], after: Mapping[str, datetime]
) -> None:
    """Make the dossier's rows of *kind* *after*, where they are known to be *before*: only what differs is written."""
    gone = [ref for ref in before if ref not in after]
    if gone:
        _later(session).drop(province, dossier, kind, gone)
    for ref, at in after.items():
        if before.get(ref) != at:
            put(session, province, dossier, kind, ref, at)


def clear(session: Session, province: int, dossier: UUID, kind: str | None = None) -> None:
    """Take rows out: of the dossier, or of one *kind*."""
    _later(session).drop(province, dossier, kind, None)


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
