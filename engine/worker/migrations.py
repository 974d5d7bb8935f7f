"""Dossiers on their way to another version: one transaction each, by any number of workers, until nothing of a plan waits."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from engine.commands import migration
from engine.errors import Conflict
from engine.kernel.logs import logger
from engine.kernel.unit_of_work import Actor
from engine.runtime import Runtime

WORKER = Actor("system", label="worker")
log = logger("migrations")


def move_waiting(runtime: Runtime) -> int:
    """Carry on with every plan that is being applied or undone; return how many dossiers were worked on."""
    with runtime.begin(WORKER) as w:
        plans = migration.working(w)
    return sum(carry_on(runtime, plan) for plan in plans)


def carry_on(runtime: Runtime, plan: UUID, progress: Callable[[int], None] = lambda _: None) -> int:
    """Carry on with one plan until nothing waits but dossiers somebody is working on; those come with the next call."""
    worked = 0
    while True:
        with runtime.begin(WORKER) as w:
            batch = migration.waiting(w, plan)
        busy = 0
        for item in batch:
            try:
                with runtime.begin(WORKER) as w:
                    migration.carry(w, item)
            except Conflict:
                busy += 1
                log.info("migration.busy", item=str(item))
        worked += len(batch) - busy
        progress(worked)
        if not batch or busy:
            break
    with runtime.begin(WORKER) as w:
        migration.finish(w, plan)
    return worked
