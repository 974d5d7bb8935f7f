"""Who acts, and in which positions: the appointments and delegations of the actor at the instant of the act."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from engine.errors import Forbidden
from engine.kernel.unit_of_work import UnitOfWork
from engine.organisation.directory import Directory, directory
from engine.organisation.model import Appointment, Delegation, OrgUnit, Position

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True, slots=True)
class Seat:
    """One position a person holds today, by appointment or by delegation, and the units it looks after.

    ``reach`` runs from the unit of the position up to its agency: a task addressed to any of them may land here.
    """

    appointment_id: UUID
    position_id: UUID
    role: str
    title: str
    title_en: str
    unit_id: UUID
    agency_id: UUID
    reach: tuple[UUID, ...]
    fields: tuple[str, ...] = ()
    delegation_id: UUID | None = None
    capacity: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A person with every seat held at one instant."""

    person_id: UUID
    name: str
    seats: tuple[Seat, ...]

    @property
    def roles(self) -> frozenset[str]:
        """The roles held through any seat."""
        return frozenset(s.role for s in self.seats)

    def seat(self, *roles: str, unit: UUID | None = None) -> Seat | None:
        """Return the first seat with one of *roles* (any when none given) that reaches *unit*."""
        for held in self.seats:
            if (not roles or held.role in roles) and (unit is None or unit in held.reach):
                return held
        return None

    def require(self, *roles: str, unit: UUID | None = None) -> Seat:
        """Return such a seat.

        Raises:
            Forbidden: the person holds none today.
        """
        held = self.seat(*roles, unit=unit)
        if held is None:
            raise Forbidden("organisation.no_such_role", roles=", ".join(roles))
        return held


def agency_of(units: dict[UUID, OrgUnit], unit_id: UUID) -> UUID:
    """Return the agency a unit belongs to: the nearest unit upwards that is not a mere division."""
    unit = units[unit_id]
    while unit.level in ("division", "centre") and unit.parent_id in units:
        unit = units[unit.parent_id]
    return unit.id


def reach_of(units: dict[UUID, OrgUnit], unit_id: UUID) -> tuple[UUID, ...]:
    """Return the unit and those above it up to its agency, nearest first."""
    agency, found = agency_of(units, unit_id), [unit_id]
    while found[-1] != agency:
        found.append(units[found[-1]].parent_id or agency)
    return tuple(found)


def units_of(session: Session, province: int) -> dict[UUID, OrgUnit]:
    """Return every unit of the province by id."""
    return directory(session, province).units


def standing_of(w: UnitOfWork, person_id: UUID) -> Standing:
    """Return the standing of a person at ``w.now``."""
    return seats_at(w, person_id, w.now)


def seats_at(w: UnitOfWork, person_id: UUID, at: datetime) -> Standing:
    """Return the standing of a person at an instant; appointments are dated in Vietnamese days."""
    known = directory(w.session, w.province)
    name = known.names.get(person_id)
    if name is None:
        raise Forbidden("organisation.no_person")
    today = at.astimezone(ZONE).date()
    kept: tuple[date, Standing] | None = known.concluded.get(person_id)
    if kept is None or kept[0] != today:
        kept = today, Standing(person_id, name, tuple([_seat(known, a, p) for a, p in known.holdings(person_id, at)]))
        known.concluded[person_id] = kept
    if not known.lent.get(person_id):
        return kept[1]
    # What is lent begins and ends at instants: looked at each time.
    lendings = [_seat(known, a, p, d) for a, p, d in known.lendings(person_id, at)]
    return replace(kept[1], seats=(*kept[1].seats, *lendings))


def _seat(known: Directory, appointment: Appointment, position: Position, delegation: Delegation | None = None) -> Seat:
    """Return a seat as it is for as long as the organisation does not change; when it is held is asked each time."""
    place = (appointment.id, delegation and delegation.id)
    found: Seat | None = known.concluded.get(place)
    if found is None:
        found = known.concluded[place] = seat(known.units, appointment, position, delegation)
    return found


def seat(units: dict[UUID, OrgUnit], appointment: Appointment, position: Position, delegation: Delegation | None = None) -> Seat:
    """Return the seat an appointment (or a delegation from it) gives."""
    return Seat(
        appointment.id,
        position.id,
        position.role,
        position.title,
        position.title_en,
        position.unit_id,
        agency_of(units, position.unit_id),
        reach_of(units, position.unit_id),
        tuple(appointment.fields or ()),
        delegation.id if delegation else None,
        delegation.capacity if delegation else None,
    )


def acting(w: UnitOfWork) -> Standing:
    """Return the standing of the person who acts.

    Raises:
        Forbidden: the actor is not a person of this office.
    """
    if w.actor.person is None:
        raise Forbidden("organisation.no_person")
    cached: Standing | None = w.session.info.get(("standing", w.actor.person))
    if cached is None:
        cached = standing_of(w, w.actor.person)
        w.session.info["standing", w.actor.person] = cached
    return cached


ADMINISTRATORS = ("technical_administrator",)


def require_administrator(w: UnitOfWork) -> None:
    """Refuse anybody but an administrator; the command line acts for the installation itself.

    Raises:
        Forbidden: the actor administers nothing.
    """
    if w.actor.kind in ("cli", "system"):
        return
    acting(w).require(*ADMINISTRATORS)
