"""The outbox: what the office has promised to the outside, kept in the transaction that promised it.

The row is the truth: its key is unique, it knows its state, how often delivery was tried and the incident that ended it. The job
that procrastinate runs carries only the row's id and is put on the same connection, so neither exists without the other. A message
that has to wait has no job; the sweep of `engine.worker.timers` gives it one when its time has come, because jobs scheduled far ahead
make every fetch of the queue slower.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from procrastinate import App, SyncPsycopgConnector
from sqlalchemy import Index, Text, UniqueConstraint, bindparam, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.errors import Conflict, NotFound
from engine.kernel import due
from engine.kernel.canonical import plain
from engine.kernel.identifiers import new_id
from engine.kernel.incidents import Incident, find, open_incident
from engine.kernel.tables import Instant, Json, Record

DELIVER = "outbox.deliver"
QUEUE = "outbox"
BATCH = 1000
PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
)  # after tries 1 to 4; the fifth is the last

jobs = App(connector=SyncPsycopgConnector())  # never opened: jobs are put on the caller's connection; the worker opens its own


class OutboxMessage(Record):
    """One promise to the outside."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        UniqueConstraint("province", "key"),
        Index(None, "province", "not_before", postgresql_where="state = 'waiting' and queued_at is null"),
        Index(None, "province", "dossier"),
    )

    key: Mapped[str] = mapped_column(Text, comment="what makes the promise one; receivers know it too")
    kind: Mapped[str] = mapped_column(Text, comment="chooses the connector")
    dossier: Mapped[UUID | None]
    payload: Mapped[Json] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, default="waiting", comment="waiting | delivered | failed | withdrawn")
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Instant)
    not_before: Mapped[datetime] = mapped_column(Instant)
    queued_at: Mapped[datetime | None] = mapped_column(Instant, comment="when it was last given a job")
    delivered_at: Mapped[datetime | None] = mapped_column(Instant)
    receipt: Mapped[Json | None] = mapped_column(JSONB, comment="what the receiver answered")
    incident: Mapped[UUID | None]


@dataclass(frozen=True, slots=True)
class Promise:
    """A message of the present unit of work, not yet written."""

    kind: str
    key: str
    payload: Json
    dossier: UUID | None
    not_before: datetime | None


def promise(kind: str, key: str, payload: Any, dossier: UUID | None, not_before: datetime | None) -> Promise:
    """Return the message in storable form; refuses at once what JSON cannot hold."""
    return Promise(kind, key, plain(payload), dossier, not_before)


WRITE = (
    insert(OutboxMessage).on_conflict_do_nothing(index_elements=["province", "key"]).returning(OutboxMessage.id, OutboxMessage.queued_at)
)


def write(session: Session, province: int, now: datetime, promises: list[Promise]) -> list[UUID]:
    """Write the messages whose key is new, give a job to those that are due, and return the ids of the new ones."""
    rows = [
        {
            "province": province, "id": new_id(), "key": item.key, "kind": item.kind, "dossier": item.dossier, "payload": item.payload,
            "state": "waiting", "attempts": 0, "created_at": now, "not_before": item.not_before or now,
            "queued_at": now if item.not_before is None or item.not_before <= now else None,
        }
        for item in {item.key: item for item in promises}.values()
    ]  # fmt: skip
    written = session.connection().execute(WRITE, rows).all()
    enqueue(session, DELIVER, [{"province": province, "message": str(row.id)} for row in written if row.queued_at is not None], queue=QUEUE)
    return [row.id for row in written]


def enqueue(session: Session, task: str, arguments: list[dict[str, Any]], *, queue: str) -> None:
    """Put one job per item of *arguments* on the session's own connection: they exist only if it commits."""
    if arguments:
        driver = session.connection().connection.driver_connection
        jobs.configure_task(task, queue=queue, connection=driver).batch_defer(*arguments)


WAITING = (
    select(OutboxMessage.id)
    .where(
        OutboxMessage.province == bindparam("of_province"),
        OutboxMessage.state == "waiting",
        OutboxMessage.queued_at.is_(None),
        OutboxMessage.not_before <= bindparam("now", type_=Instant()),
    )
    .order_by(OutboxMessage.not_before)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
QUEUE_THEM = update(OutboxMessage).where(OutboxMessage.province == bindparam("of_province"), OutboxMessage.id.in_(WAITING)).values(
    queued_at=bindparam("now", type_=Instant())
).returning(OutboxMessage.id)  # fmt: skip


def queue_waiting(session: Session, province: int, now: datetime) -> int:
    """Give a job to up to a thousand messages whose time has come; any number of sweepers may run. Returns how many."""
    taken = session.connection().execute(QUEUE_THEM, {"of_province": province, "now": now}).scalars().all()
    enqueue(session, DELIVER, [{"province": province, "message": str(message)} for message in taken], queue=QUEUE)
    return len(taken)


def lock(session: Session, province: int, message: UUID) -> OutboxMessage:
    """Return the message, its row locked.

    Raises:
        NotFound: when there is none.
    """
    query = select(OutboxMessage).where(OutboxMessage.province == province, OutboxMessage.id == message)
    found = session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise NotFound("outbox.unknown")
    return found


def delivered(message: OutboxMessage, now: datetime, receipt: Any = None) -> None:
    """Write down that the receiver has it."""
    message.state, message.delivered_at, message.receipt = "delivered", now, plain(receipt)


def failed(session: Session, message: OutboxMessage, now: datetime, code: str, **facts: Any) -> Incident | None:
    """Write down a failed try: the message waits longer each time; after the fifth a person has to look (the incident is returned)."""
    if message.attempts <= len(PAUSES):
        message.not_before, message.queued_at = now + PAUSES[max(message.attempts - 1, 0)], None
        return None
    incident = open_incident(
        session,
        message.province,
        now,
        code,
        dossier=message.dossier,
        message=message.id,
        kind=message.kind,
        attempts=message.attempts,
        **facts,
    )
    message.state, message.incident = "failed", incident.id
    return incident


def retry(session: Session, province: int, incident: UUID, now: datetime, account: int | None) -> Incident:
    """Let what failed be tried again (the message from its first try, what fell due at the next sweep) and close the incident.

    Raises:
        NotFound: when there is no such incident.
        Conflict: when somebody has settled it already.
    """
    found = _open(session, province, incident)
    if found.message is not None:
        message = lock(session, province, found.message)
        message.state, message.attempts, message.not_before, message.queued_at, message.incident = "waiting", 0, now, now, None
        session.flush()
        enqueue(session, DELIVER, [{"province": province, "message": str(message.id)}], queue=QUEUE)
    if "due" in found.facts:
        due.again(session, province, UUID(found.facts["due"]))
    found.resolved_at, found.resolved_by, found.resolution = now, account, "retried"
    return found


def settle(session: Session, province: int, incident: UUID, now: datetime, account: int | None) -> Incident:
    """Close an open incident without trying again; its message, if any, is withdrawn.

    Raises:
        NotFound: when there is no such incident.
        Conflict: when somebody has settled it already.
    """
    found = _open(session, province, incident)
    if found.message is not None:
        lock(session, province, found.message).state = "withdrawn"
    found.resolved_at, found.resolved_by, found.resolution = now, account, "settled"
    return found


def _open(session: Session, province: int, incident: UUID) -> Incident:
    found = find(session, province, incident, lock=True)
    if found.resolved_at is not None:
        raise Conflict("incident.settled", number=found.number, at=found.resolved_at)
    return found
