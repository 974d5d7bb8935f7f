"""Handing thrown events over: each listener takes it in a transaction of its own; a message goes to one dossier, a signal to all."""

from __future__ import annotations

from engine.commands import events
from engine.connectors import Message
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import Actor
from engine.runtime import Runtime

WORKER = Actor("system", label="worker")
KIND = "event"


def pass_on(runtime: Runtime, message: Message) -> Json:
    """Hand one event to whoever waits for it and return the receipt: which dossiers took it.

    Raises:
        EngineError: ``event.nobody_waits``: nobody waits for this message under these keys, or not yet.
    """
    event, took = message.payload, []
    with runtime.begin(WORKER) as w:
        waiting = events.listeners(w, event, message.dossier)
    for dossier in waiting:
        with runtime.begin(WORKER) as w:
            if events.take(w, dossier, event, message.key):
                took.append(str(dossier))
        if took and event["kind"] == "message":
            break
    if not took and event["kind"] == "message":
        raise events.unclaimed(event)
    return {"took": took}
