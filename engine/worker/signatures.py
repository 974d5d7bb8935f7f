"""Signatures between approval and document: what a lost answer, a dead process or a silent authority left is carried on."""

from __future__ import annotations

from engine.commands import ceremony
from engine.kernel.unit_of_work import Actor
from engine.runtime import Runtime

WORKER = Actor("system", label="worker")


def carry_on(runtime: Runtime) -> int:
    """Carry on with every ceremony whose time has come; return how many were worked on."""
    return ceremony.carry_on(lambda: runtime.begin(WORKER))
