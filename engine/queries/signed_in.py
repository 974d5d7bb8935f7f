"""Who is behind an account: the person and the seats held today; and the demo accounts a visitor may choose from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from engine.accounts.model import Account, Preference
from engine.kernel.unit_of_work import UnitOfWork
from engine.organisation.directory import directory
from engine.organisation.model import Appointment, OrgUnit, Person, Position

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True, slots=True)
class Held:
    """A position held today: its title, its role, its unit; ``lent`` when it is held by delegation."""

    role: str
    title: dict[str, str]
    unit_id: UUID
    unit: dict[str, str]
    lent: bool = False


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person of an account, with everything held today and the choices made for the screens."""

    account: int
    person: UUID | None
    name: str
    held: tuple[Held, ...]
    choices: dict[str, Any]

    @property
    def roles(self) -> frozenset[str]:
        """The roles held today, by appointment or delegation."""
        return frozenset(h.role for h in self.held)


def signed_in(w: UnitOfWork, account: int) -> SignedIn:
    """Return who is behind an account."""
    owner = w.session.get(Account, account)
    preference = w.session.get(Preference, account)
    known = directory(w.session, w.province)
    person = known.accounts.get(account)
    installation = tuple(
        Held(role.name, {"vi": role.description or role.name, "en": role.name}, UUID(int=0), {"vi": "", "en": ""})
        for role in (owner.roles if owner else ())
    )
    held = held_by(w, person) if person else ()
    return SignedIn(
        account,
        person,
        known.names[person] if person else (owner.display_name or owner.email if owner else ""),
        (*held, *installation),
        dict(preference.choices) if preference else {},
    )


def held_by(w: UnitOfWork, person: UUID) -> tuple[Held, ...]:
    """Return the positions a person holds at ``w.now``, own ones first."""
    known = directory(w.session, w.province)
    own = sorted((p for _, p in known.holdings(person, w.now)), key=lambda p: p.rank)
    lent = sorted((p for _, p, _ in known.lendings(person, w.now)), key=lambda p: p.rank)
    return (*(held(p, known.units[p.unit_id], False) for p in own), *(held(p, known.units[p.unit_id], True) for p in lent))


def positions(today: date, province: int) -> Any:
    """Return the query of appointments valid on a day, with position and unit."""
    return (
        select(Position, OrgUnit)
        .select_from(Appointment)
        .join(Position, (Position.province == Appointment.province) & (Position.id == Appointment.position_id))
        .join(OrgUnit, (OrgUnit.province == Position.province) & (OrgUnit.id == Position.unit_id))
        .where(
            Appointment.province == province,
            Appointment.valid_from <= today,
            or_(Appointment.valid_to.is_(None), Appointment.valid_to > today),
        )
        .order_by(Position.rank)
    )


def held(position: Position, unit: OrgUnit, lent: bool) -> Held:
    """Return one position as the screens show it."""
    return Held(
        position.role, {"vi": position.title, "en": position.title_en}, unit.id, {"vi": unit.name, "en": unit.name_en or unit.name}, lent
    )


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account of the demonstration: one click signs in."""

    account: int
    name: str
    title: dict[str, str]
    unit: dict[str, str]
    role: str


def demo_accounts(w: UnitOfWork) -> list[DemoAccount]:
    """Return the demo accounts with what their people do, by unit and rank."""
    today = w.now.astimezone(ZONE).date()
    rows = w.session.execute(
        positions(today, w.province)
        .add_columns(Person, Account.id)
        .join(Person, (Person.province == Appointment.province) & (Person.id == Appointment.person_id))
        .join(Account, Account.id == Person.account_id)
        .where(Account.demo, Account.active)
    )
    found: dict[int, DemoAccount] = {}
    for position, unit, person, account in rows:
        known = held(position, unit, False)
        found.setdefault(account, DemoAccount(account, person.full_name, known.title, known.unit, position.role))
    return list(found.values())


def choose(w: UnitOfWork, account: int, **choices: Any) -> None:
    """Keep what a person chose for their own screens."""
    preference = w.session.get(Preference, account)
    if preference is None:
        preference = Preference(account=account, person=w.actor.person, choices={})
        w.session.add(preference)
    preference.choices = {**preference.choices, **choices}
