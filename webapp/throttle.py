"""Guessing passwords takes too long: failures are counted in the database, so that every web process sees them."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from flask import current_app, request

from engine.accounts.model import SignInFailure
from engine.errors import Refused
from engine.runtime import UnitOfWork

FREE = 5
WINDOW = timedelta(minutes=15)
LONGEST = timedelta(minutes=15)


def subjects(name: str) -> list[tuple[str, int]]:
    """Return what failures are counted for, with how many are free: this account, and this address (an office shares one)."""
    key = current_app.config["SECRET_KEY"].encode()
    return [
        (hmac.new(key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest(), free)
        for kind, value, free in (("account", name.casefold(), FREE), ("address", request.remote_addr or "", FREE * 10))
    ]


def blocked(w: UnitOfWork, name: str) -> Refused | None:
    """Return the refusal while this account or address has to wait."""
    for subject, _free in subjects(name):
        row = w.session.get(SignInFailure, subject)
        if row and row.blocked_until and row.blocked_until > w.now:
            return Refused("sign_in.wait", minutes=max(1, -int((w.now - row.blocked_until).total_seconds() // 60)))
    return None


def failed(w: UnitOfWork, name: str) -> None:
    """Count one failure; from the sixth the wait doubles each time."""
    for subject, free in subjects(name):
        row = w.session.get(SignInFailure, subject, with_for_update=True)
        if row is None:
            w.session.add(SignInFailure(subject=subject, count=1, first_at=w.now))
            continue
        if expired(row, w.now):
            row.count, row.first_at = 0, w.now
        row.count += 1
        if row.count > free:
            row.blocked_until = w.now + min(timedelta(seconds=30) * 2 ** (row.count - free - 1), LONGEST)


def expired(row: SignInFailure, now: datetime) -> bool:
    """Say whether the failures are too old to count."""
    return now - max(row.first_at, row.blocked_until or row.first_at) > WINDOW


def succeeded(w: UnitOfWork, name: str) -> None:
    """Forget the failures of an account that signed in."""
    subject, _free = subjects(name)[0]
    row = w.session.get(SignInFailure, subject)
    if row is not None:
        w.session.delete(row)
