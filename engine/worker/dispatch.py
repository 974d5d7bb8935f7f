"""Delivery of the outbox: at least once, five tries with growing pauses, then an incident for a person.

Three steps: note the try and prepare (a transaction), hand over (none), note the outcome (a transaction). A worker that dies in between
leaves the message waiting; its job is rescued and the key tells the receiver that it is the same message again.
"""

from __future__ import annotations

from uuid import UUID

from engine.connectors import Connectors, Message
from engine.errors import EngineError
from engine.kernel import outbox
from engine.kernel.logs import logger
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import Actor
from engine.runtime import Runtime
from engine.worker import events

WORKER = Actor("system", label="worker")
log = logger("outbox")


def deliver(runtime: Runtime, message_id: UUID) -> None:
    """Deliver one message, unless that has been done."""
    with runtime.begin(WORKER) as w:
        row = outbox.lock(w.session, w.province, message_id)
        if row.state != "waiting":
            return
        row.attempts += 1
        message = Message(row.id, row.key, row.kind, row.dossier, dict(row.payload), row.attempts)
    try:
        receipt = events.pass_on(runtime, message) if message.kind == events.KIND else _carried(runtime, message)
    except Exception as failure:  # whatever it was: the message must not be lost
        log.warning("outbox.try_failed", message=str(message.id), kind=message.kind, attempt=message.attempt, exc_info=failure)
        _note_failure(runtime, message, failure)
        return
    with runtime.begin(WORKER) as w:
        row = outbox.lock(w.session, w.province, message_id)
        if row.state == "waiting":
            outbox.delivered(row, w.now, receipt)
            w.record("message.delivered", row.dossier, message=row.id, kind=row.kind, attempt=message.attempt)
    log.info("outbox.delivered", message=str(message.id), kind=message.kind, attempt=message.attempt)


def _carried(runtime: Runtime, message: Message) -> Json:
    """Hand a message to the outside by its connector and return the receipt."""
    connector = runtime.part(Connectors).of(message.kind)
    with runtime.begin(WORKER) as w:
        prepared = connector.prepare(w, message)
    return {"nobody": True} if prepared is None else connector.deliver(prepared)


def _note_failure(runtime: Runtime, message: Message, failure: Exception) -> None:
    code = failure.code if isinstance(failure, EngineError) else "outbox.undeliverable"
    with runtime.begin(WORKER) as w:
        row = outbox.lock(w.session, w.province, message.id)
        if row.state != "waiting":
            return
        incident = outbox.failed(w.session, row, w.now, code, cause=type(failure).__name__)
        if incident is not None:
            w.record("incident.opened", row.dossier, incident=incident.id, code=code)
