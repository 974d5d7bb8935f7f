"""Actors for tests that do not care who it is."""

from __future__ import annotations

from engine.kernel.unit_of_work import Actor

SYSTEM = Actor("system", label="tests")
CLOCK = Actor("clock")
CITIZEN = Actor("citizen", label="portal")


def officer(account: int = 7) -> Actor:
    """Return a signed-in person without an office of their own."""
    return Actor("person", account=account)
