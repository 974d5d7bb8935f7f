"""What happens when an instant has come: process timers fire, statutory terms are noticed."""

from __future__ import annotations

from uuid import UUID

from engine.kernel import due as due_table
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow
from engine.procedure.operators import TERM_ENDING
from engine.process.instance import fire as fire_timers


def fire(w: UnitOfWork, due_id: UUID) -> bool:
    """Fire one row of the due table if it still waits; the dossier is locked first. Returns whether anything was done."""
    row = due_table.find(w.session, w.province, due_id)
    if row is None:
        return False
    run = flow.lock(w, dossier_id=row.dossier)
    taken = due_table.take(w.session, w.province, due_id, w.now)
    if taken is None:
        return False
    if taken.kind == "timer":
        if run.instance is not None and run.instance.status == "running":
            flow.advance(run, lambda prog, state, ctx: fire_timers(prog, state, ctx), how="timer")
        w.record("timer.fired", run.dossier.id, timer=taken.ref, due_at=flow.iso(taken.due_at))
    elif taken.kind == "term" and taken.ref == "ending":
        if flow.tell(run, TERM_ENDING, {"due_at": flow.iso(run.dossier.due_at)}):
            w.record("dossier.term_ending", run.dossier.id, due_at=flow.iso(run.dossier.due_at))
    elif taken.kind == "term":
        w.record("dossier.overdue", run.dossier.id, due_at=flow.iso(taken.due_at))
    return True
