"""The sweep: what is due starts an ordinary command; messages whose time has come get their job."""

from __future__ import annotations

from uuid import UUID

from engine.commands import deadlines
from engine.errors import Conflict, EngineError
from engine.kernel import due, outbox
from engine.kernel.incidents import open_incident
from engine.kernel.logs import logger
from engine.kernel.unit_of_work import Actor
from engine.runtime import Runtime

CLOCK = Actor("clock")
log = logger("timers")


def sweep(runtime: Runtime) -> int:
    """Fire everything that is due now and queue the messages that may go; returns how many rows were worked on.

    Any number of sweepers may run: each reads ids nobody holds and the command locks the dossier and checks again.
    """
    worked = 0
    while True:
        with runtime.begin(CLOCK) as w:
            waiting = due.candidates(w.session, w.province, w.now)
        for row in waiting:
            _fire(runtime, row)
        worked += len(waiting)
        if len(waiting) < due.BATCH:
            break
    while True:
        with runtime.begin(CLOCK) as w:
            queued = outbox.queue_waiting(w.session, w.province, w.now)
        worked += queued
        if queued < outbox.BATCH:
            return worked


def _fire(runtime: Runtime, row: UUID) -> None:
    try:
        with runtime.begin(CLOCK) as w:
            deadlines.fire(w, row)
    except Conflict:
        # Somebody works on the dossier; the row stays due and the next sweep takes it.
        log.info("due.busy", due=str(row))
    except Exception as failure:
        # One dossier that cannot go on must not stop the clock of all others: the row is put aside and a person looks.
        log.error("due.failed", due=str(row), exc_info=failure)
        _put_aside(runtime, row, failure)


def _put_aside(runtime: Runtime, row: UUID, failure: Exception) -> None:
    with runtime.begin(CLOCK) as w:
        taken = due.take(w.session, w.province, row, w.now)
        if taken is not None:
            cause = failure.code if isinstance(failure, EngineError) else type(failure).__name__
            incident = open_incident(
                w.session, w.province, w.now, "due.failed", dossier=taken.dossier, kind=taken.kind, due=taken.id, cause=cause
            )
            w.record("incident.opened", taken.dossier, incident=incident.id, code="due.failed")
