"""Documents whose evidence is due: one after the other, apart from the sweep, because strangers' services are asked."""

from __future__ import annotations

from uuid import UUID

from engine.commands import preservation
from engine.documents.preservation import Preserver
from engine.errors import Conflict
from engine.kernel import due
from engine.kernel.logs import logger
from engine.kernel.unit_of_work import Actor
from engine.runtime import Runtime

CLOCK = Actor("clock")
log = logger("preservation")


def preserve_waiting(runtime: Runtime) -> int:
    """Make every document last whose time has come; stops at the first that lacks an answer. Returns how many were kept."""
    with runtime.begin(CLOCK) as w:
        rows = due.candidates(w.session, w.province, w.now, kind=due.PRESERVE)
    kept = 0
    for row in rows:
        done, missing = preserve(runtime, row)
        kept += done
        if missing:
            break
    return kept


def preserve(runtime: Runtime, row: UUID) -> tuple[bool, str]:
    """Make one document last; says whether it was kept and what was missing."""
    with runtime.begin(CLOCK) as w:
        found, now = preservation.waiting(w, row), w.now
        if found is None:
            due.take(w.session, w.province, row, now)
            return False, ""
    made = runtime.part(Preserver)(found[1], now)
    if made.missing:
        log.warning("document.not_preserved", due=str(row), code=made.missing)
    try:
        with runtime.begin(CLOCK) as w:
            return preservation.keep(w, row, found[0], made) and not made.missing, made.missing
    except Conflict:
        return False, ""  # somebody works on the dossier; the row stays due
