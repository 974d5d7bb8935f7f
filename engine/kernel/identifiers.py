"""UUIDv7 made in Python: sortable by time, unique without asking the database."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_DRAWN = 1000


class _Randomness(threading.local):
    """The system's randomness, a hundred identifiers' worth at a time: to ask for it lets another thread run, at every identifier."""

    left = b""

    def bits(self) -> int:
        """Return 80 random bits nobody else gets."""
        if not self.left:
            self.left = os.urandom(_DRAWN)
        drawn, self.left = self.left[:10], self.left[10:]
        return int.from_bytes(drawn)


_randomness = _Randomness()
os.register_at_fork(after_in_child=lambda: _randomness.__dict__.clear())  # a child would go on with the same bytes


def new_id() -> UUID:
    """Return a new UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, then randomness."""
    milliseconds = time.time_ns() // 1_000_000
    random = _randomness.bits()
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 62 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return UUID(int=value)
