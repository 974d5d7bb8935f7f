"""On time, due soon, late: now, by unit and procedure; every number opens its list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from engine.dossier.lifecycle import WAITING
from engine.dossier.model import Dossier
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.standing import acting, units_of
from engine.procedure.registry import ProcedureVersion

SOON = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class BoardRow:
    """The dossiers of one deciding unit and procedure."""

    unit: str
    unit_id: str
    procedure: Json
    procedure_key: str
    received: int
    open: int
    due_soon: int
    late_open: int
    paused: int
    early: int
    on_time: int
    late: int
    refused: int
    ended: int


def rows(w: UnitOfWork) -> list[BoardRow]:
    """Return the board of the units the actor looks after; early + on time + late = resolved in every row."""
    person = acting(w)
    units = units_of(w.session, w.province)

    def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count(case((condition, 1)))

    running = and_(Dossier.closed_at.is_(None), Dossier.resolved_at.is_(None))
    query: Any = (
        select(
            Dossier.deciding_unit_id,
            Dossier.procedure_key,
            func.max(ProcedureVersion.name_vi),
            func.max(ProcedureVersion.name_en),
            func.count(),
            count(running),
            count(and_(running, Dossier.due_at >= w.now, Dossier.due_at < w.now + SOON)),
            count(and_(running, Dossier.due_at < w.now)),
            count(Dossier.status.in_(sorted(WAITING))),
            count(Dossier.outcome == "early"),
            count(Dossier.outcome == "on_time"),
            count(Dossier.outcome == "late"),
            count(Dossier.status == "refused"),
            count(Dossier.status.in_(["withdrawn", "stopped"])),
        )
        .join(ProcedureVersion, and_(ProcedureVersion.province == Dossier.province, ProcedureVersion.id == Dossier.procedure_version_id))
        .where(Dossier.province == w.province)
        .group_by(Dossier.deciding_unit_id, Dossier.procedure_key)
    )
    if person.seat("inspector", "centre_leader", "procedure_controller") is None:
        reach = {u for s in person.seats for u in s.reach}
        query = query.where(Dossier.deciding_unit_id.in_(reach) | Dossier.reception_unit_id.in_(reach))
    found = []
    for unit_id, key, vi, en, *numbers in w.session.execute(query):
        unit = units.get(unit_id)
        found.append(BoardRow(unit.name if unit else "", str(unit_id), {"vi": vi, "en": en}, key, *numbers))
    return sorted(found, key=lambda r: (-r.late_open, -r.due_soon, r.unit))
