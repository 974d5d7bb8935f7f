"""The journal's daily seal: one root over all chains that grew, a time stamp over it, a copy outside the database."""

from __future__ import annotations

import json

from engine.kernel import journal_proof, journal_seal, requests
from engine.kernel.logs import logger
from engine.kernel.unit_of_work import Actor
from engine.runtime import Runtime

CLOCK = Actor("clock")
log = logger("seal")


def seal_once_a_day(runtime: Runtime) -> bool:
    """Seal the journal if it has not been sealed today (by the office's clock) and stamp what is unstamped; says whether it sealed."""
    with runtime.begin(CLOCK) as w:
        last = journal_seal.last_sealed_at(w.session, w.province)
        zone = runtime.settings.zone
        fresh = last is not None and last.astimezone(zone).date() >= w.now.astimezone(zone).date()
        made = None if fresh else journal_seal.add_seal(w.session, w.province, w.now)
        if made is not None:
            requests.forget(w.session, w.province, w.now)
    stamped = stamp(runtime)
    if made is not None or stamped or not runtime.settings.kept_seals.exists():
        keep(runtime)
    return made is not None


def keep(runtime: Runtime) -> None:
    """Copy new seals and tokens to the file outside the database; a place that cannot be written to does not stop the sealing."""
    try:
        with runtime.begin(CLOCK) as w:
            journal_proof.keep(w.session, w.province, runtime.settings.kept_seals)
    except OSError as failure:
        log.error("seal.not_copied", kind=type(failure).__name__)


def stamp(runtime: Runtime) -> int:
    """Ask the time-stamping authority for a token over every seal that has none; returns how many were stamped."""
    address = time_stamping_address(runtime)
    if address is None:
        return 0
    from signing.errors import SigningError
    from signing.tsa import TimeStampClient

    client = TimeStampClient([address])
    with runtime.begin(CLOCK) as w:
        waiting = [(seal.number, seal.hash) for seal in journal_seal.unstamped(w.session, w.province)]
    stamped = 0
    for number, digest in waiting:
        try:
            token = client.token(digest, w.now, max_skew=None)
        except SigningError as failure:
            log.warning("seal.not_stamped", seal=number, code=failure.code)
            break
        with runtime.begin(CLOCK) as w:
            w.session.add(journal_seal.JournalToken(province=w.province, seal=number, token=token, at=w.now))
        stamped += 1
    return stamped


def time_stamping_address(runtime: Runtime) -> str | None:
    """Return the address of the installation's time-stamping authority, or None when it has none."""
    told = runtime.settings.home / "trust_services.json"
    return str(json.loads(told.read_text())["tsa"]) if told.exists() else None
