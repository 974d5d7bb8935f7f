"""What the counter sees before it promises anything (papers, fields, fee, due date), and its lists of the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import selectinload

from engine.documents.model import StoredFile
from engine.dossier import checklist, fees
from engine.dossier.identity import Card, read_card
from engine.dossier.model import Dossier, Handover
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.intake import in_force, preview_due, reception_facts, waiting
from engine.office.standing import ZONE, Seat, acting, agency_of, units_of
from engine.organisation.model import OrgUnit
from engine.procedure.package import Component, Package
from engine.procedure.registry import ProcedureVersion

COUNTER = ("reception_officer", "return_officer", "cashier", "centre_leader")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A component of the checklist: is it required on the facts so far, and the files already brought for it."""

    component: Component
    required: bool
    files: Sequence[StoredFile]


@dataclass(frozen=True, slots=True)
class Intake:
    """One reception on its way."""

    package: Package
    form: Any
    wanted: Sequence[Wanted]
    units: Sequence[OrgUnit]
    own_unit: UUID
    fees: Sequence[fees.FeeLine]
    pages: int
    due: Json


def intake(w: UnitOfWork, procedure: str, *, upload_key: str, reception: Any, deciding_unit: UUID | None) -> Intake:
    """Return what the counter sees of a reception on its way: *reception* is what has been entered so far.

    Raises:
        Forbidden: the actor is no reception officer today.
        NotFound: the procedure is not in force.
    """
    seat = acting(w).require("reception_officer")
    _, package = in_force(w, procedure)
    files = waiting(w, upload_key) if upload_key else []
    facts = reception_facts(reception, package, reception.answers)
    pages = sum(f.pages for f in files)
    today = w.now.astimezone(ZONE).date()
    unit = deciding_unit or own_agency(w, seat)
    return Intake(
        package,
        package.form(package.start_form) if package.start_form else None,
        [Wanted(c, checklist.wanted_so_far(c, facts), [f for f in files if f.component == c.key]) for c in package.components],
        deciding_units(w, today),
        own_agency(w, seat),
        fees.due_fees(package.fees, {**facts, "pages": pages, "received_on": today.isoformat()}) if pages or not package.components else [],
        pages,
        preview_due(w, procedure, unit),
    )


def own_agency(w: UnitOfWork, seat: Seat) -> UUID:
    """Return the agency of the counter itself: the usual one to decide."""
    return agency_of(units_of(w.session, w.province), seat.unit_id)


def deciding_units(w: UnitOfWork, today: date) -> list[OrgUnit]:
    """Return the agencies a counter may hand dossiers to, by level and name."""
    found = [
        u
        for u in units_of(w.session, w.province).values()
        if u.level in ("province", "department", "commune") and u.valid_from <= today and (u.valid_to is None or u.valid_to > today)
    ]
    return sorted(found, key=lambda u: (("commune", "department", "province").index(u.level), u.name))


def card(w: UnitOfWork, text: str) -> Card:
    """Return the person on a scanned identity card.

    Raises:
        Invalid: the text is no card's, or its fields contradict each other.
    """
    return read_card(text, w.now.astimezone(ZONE).date())


def counter_units(w: UnitOfWork) -> set[UUID]:
    """Return the units at whose counters the actor works.

    Raises:
        Forbidden: at none.
    """
    person = acting(w)
    person.require(*COUNTER)
    return {s.unit_id for s in person.seats if s.role in COUNTER}


@dataclass(frozen=True, slots=True)
class TodayRow:
    """A dossier received at this counter today."""

    code: str
    procedure: dict[str, str]
    owner: str
    received_at: datetime
    due_at: datetime | None
    status: str
    financial_status: str


def today(w: UnitOfWork) -> list[TodayRow]:
    """Return what this counter has received today, newest first."""
    begin = day_begin(w)
    rows = w.session.execute(
        select(Dossier, ProcedureVersion)
        .join(ProcedureVersion, and_(ProcedureVersion.province == Dossier.province, ProcedureVersion.id == Dossier.procedure_version_id))
        .where(
            Dossier.province == w.province,
            Dossier.scope == "public",
            Dossier.reception_unit_id.in_(counter_units(w)),
            Dossier.received_at >= begin,
            Dossier.received_at < begin + timedelta(days=1),
        )
        .options(selectinload(Dossier.parties))
        .order_by(Dossier.received_at.desc())
        .limit(200)
    )
    return [
        TodayRow(
            d.code,
            {"vi": v.name_vi, "en": v.name_en},
            owner_name(d),
            d.received_at,
            d.due_at,
            d.status,
            d.financial_status,
        )
        for d, v in rows
    ]


def owner_name(dossier: Dossier) -> str:
    """Return the name of the owner."""
    owner = dossier.party("owner")
    return owner.name if owner else ""


def day_begin(w: UnitOfWork, on: date | None = None) -> datetime:
    """Return the beginning of a day of the office."""
    return datetime.combine(on or w.now.astimezone(ZONE).date(), time.min, ZONE)


@dataclass(frozen=True, slots=True)
class HandoverRow:
    """A dossier handed from this counter to a unit on a day."""

    code: str
    owner: str
    step: Json
    at: datetime
    to_unit: str


def handovers(w: UnitOfWork, on: date) -> dict[str, list[HandoverRow]]:
    """Return what this counter handed over on a day, by receiving unit: the list both sides sign."""
    begin, units = day_begin(w, on), units_of(w.session, w.province)
    rows = w.session.execute(
        select(Handover, Dossier)
        .join(Dossier, and_(Dossier.province == Handover.province, Dossier.id == Handover.dossier_id))
        .where(
            Handover.province == w.province,
            Handover.kind == "handed_over",
            Handover.from_unit_id.in_(counter_units(w)),
            Handover.from_unit_id != Handover.to_unit_id,
            Handover.at >= begin,
            Handover.at < begin + timedelta(days=1),
        )
        .options(selectinload(Dossier.parties))
        .order_by(Handover.at)
    )
    found: dict[str, list[HandoverRow]] = {}
    for handover, dossier in rows:
        unit = units[handover.to_unit_id].name if handover.to_unit_id in units else ""
        owner = dossier.party("owner")
        found.setdefault(unit, []).append(HandoverRow(dossier.code, owner.name if owner else "", handover.step, handover.at, unit))
    return found


def asked_components(w: UnitOfWork, dossier: Dossier) -> list[Any]:
    """Return the papers a dossier is waiting for."""
    return [c for c in dossier.components if c.asked]
