"""The order of events inside one instance, in place of the server's clock and of random names."""

from __future__ import annotations

from contextvars import ContextVar


class Ticks:
    """The order of events inside one instance: a counter kept in its state, in place of the server's wall clock."""

    def __init__(self, last: int = 0) -> None:
        self.last = last


TICKS: ContextVar[Ticks] = ContextVar("ticks")
UNCOUNTED = Ticks()


def tick(count: int = 1) -> int:
    """Count *count* events in the life of the instance at hand; return the number of the last of them."""
    ticks = TICKS.get(UNCOUNTED)
    ticks.last += count
    return ticks.last
