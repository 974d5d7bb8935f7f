"""What a process threw out of itself reaches who waits for it: a message the one dossier of its conversation, a signal everybody.

The outbox carries it, at least once; each dossier remembers which it took, so that it takes effect once.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from engine.errors import Conflict, EngineError
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow
from engine.process.instance import hear, receive
from engine.process.model import Instance


def listeners(w: UnitOfWork, event: Json, thrower: UUID | None) -> list[UUID]:
    """Return the running dossiers that wait for an event of this name, whatever their keys; who threw it is not among them."""
    wanted = event["name"] if event["kind"] == "message" else flow.SIGNAL + event["name"]
    query = select(Instance.dossier_id).where(
        Instance.province == w.province, Instance.status != "ended", Instance.dossier_id != thrower,
        Instance.waiting.contains([wanted]), Instance.waiting != [],  # the second for the index's sake
    )  # fmt: skip
    return list(w.session.scalars(query.order_by(Instance.dossier_id)))


def take(w: UnitOfWork, dossier_id: UUID, event: Json, key: str) -> bool:
    """Let one dossier take an event, under its lock; return whether it was for it. The same *key* again changes nothing.

    Raises:
        Refused: the dossier is suspended, or cannot go on.
        Conflict: somebody works on it.
    """
    run = flow.lock(w, dossier_id=dossier_id)
    mark = f"{key}:{dossier_id}"
    if w.recall(mark) is not None:
        return True
    if run.instance is None or run.instance.status == "ended":
        return False
    name, payload, keys = event["name"], event["payload"], event["keys"]
    try:
        if event["kind"] == "message":
            flow.advance(run, lambda prog, state, ctx: receive(prog, state, name, payload, ctx, keys or {}))
        else:
            flow.advance(run, lambda prog, state, ctx: hear(prog, state, name, payload, ctx))
    except Conflict as refused:
        if refused.code != "process.message_not_awaited":
            raise
        return False
    w.remember(mark, {})
    w.record("event.taken", dossier_id, event=event["kind"], name=name, key=key)
    return True


def unclaimed(event: Json) -> EngineError:
    """Return why a message that nobody took is tried again, and at last becomes an incident."""
    return EngineError("event.nobody_waits", name=event["name"])
