"""How many requests a program may send: each caller has a minute's worth, refilled steadily (a token bucket, in each web process).

Counted is who asks, not where from: an office of fifty counters behind one address is fifty callers. Only who proves nobody counts by
address. It is meant for programs that run wild; guessing is stopped elsewhere (`webapp.throttle`, and tokens of 256 bits).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Lock

from werkzeug.exceptions import TooManyRequests

from webapp.application import this_application

MOST_CALLERS = 10_000


class Allowance:
    """What every caller has left."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = float(per_minute)
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = Lock()

    def take(self, caller: str) -> float:
        """Take one request from what *caller* has left; return 0, or after how many seconds there is one again."""
        now, each = self._clock(), self.most / 60
        with self._lock:
            left, at = self._left.get(caller, (self.most, now))
            left = min(self.most, left + (now - at) * each)
            if len(self._left) >= MOST_CALLERS and caller not in self._left:
                self._left = {one: known for one, known in self._left.items() if known[0] + (now - known[1]) * each < self.most}
            self._left[caller] = (left - 1 if left >= 1 else left, now)
        return 0.0 if left >= 1 else (1 - left) / each


def count(caller: str) -> None:
    """Count a request of this application's caller.

    Raises:
        TooManyRequests: with after how many seconds it may come again.
    """
    known: Allowance = this_application().extensions["allowance"]
    wait = known.take(caller)
    if wait:
        raise TooManyRequests(retry_after=math.ceil(wait))
