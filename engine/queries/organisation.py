"""Units, people and what they hold; the signed-in person's own seats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import and_, select

from engine.accounts.model import Account
from engine.documents.model import SigningKey
from engine.kernel.unit_of_work import Actor, UnitOfWork
from engine.office.standing import ZONE, Standing, acting, standing_of, units_of
from engine.organisation.model import Appointment, Delegation, OrgUnit, Person, Position


@dataclass(frozen=True, slots=True)
class Held:
    """One appointment with its position and unit."""

    id: UUID
    title: str
    role: str
    unit: str
    valid_from: date
    valid_to: date | None
    basis: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person with appointments, account and keys."""

    id: UUID
    name: str
    email: str
    account_id: int | None
    held: Sequence[Held]
    has_key: bool


def units(w: UnitOfWork, *, levels: Sequence[str] = ()) -> list[OrgUnit]:
    """Return the units that exist today, by level and name."""
    today = w.now.astimezone(ZONE).date()
    order = {"province": 0, "department": 1, "commune": 2, "centre": 3, "division": 4}
    return sorted(
        (
            u
            for u in units_of(w.session, w.province).values()
            if u.valid_from <= today and (u.valid_to is None or u.valid_to > today) and (not levels or u.level in levels)
        ),
        key=lambda u: (order.get(u.level, 9), u.name),
    )


def people(w: UnitOfWork) -> list[PersonRow]:
    """Return everybody in Vietnamese order of names."""
    all_units = units_of(w.session, w.province)
    keyed = set(w.session.scalars(select(SigningKey.person_id).where(SigningKey.province == w.province)))
    held: dict[UUID, list[Held]] = {}
    for a, p in w.session.execute(
        select(Appointment, Position)
        .join(Position, and_(Position.province == Appointment.province, Position.id == Appointment.position_id))
        .where(Appointment.province == w.province)
        .order_by(Appointment.valid_from)
    ):
        unit = all_units.get(p.unit_id)
        held.setdefault(a.person_id, []).append(Held(a.id, p.title, p.role, unit.name if unit else "", a.valid_from, a.valid_to, a.basis))
    return [
        PersonRow(p.id, p.full_name, p.email, p.account_id, held.get(p.id, []), p.id in keyed)
        for p in w.session.scalars(select(Person).where(Person.province == w.province).order_by(Person.sort_key))
    ]


def positions(w: UnitOfWork) -> list[tuple[Position, str]]:
    """Return every position with the name of its unit."""
    all_units = units_of(w.session, w.province)
    return [
        (p, all_units[p.unit_id].name if p.unit_id in all_units else "")
        for p in w.session.scalars(select(Position).where(Position.province == w.province).order_by(Position.unit_id, Position.rank))
    ]


def delegations(w: UnitOfWork) -> list[tuple[Delegation, str, str]]:
    """Return the delegations that are running or to come, with both names."""
    names = {p.id: p.full_name for p in w.session.scalars(select(Person).where(Person.province == w.province))}
    rows = w.session.execute(
        select(Delegation, Appointment.person_id)
        .join(Appointment, and_(Appointment.province == Delegation.province, Appointment.id == Delegation.delegator_id))
        .where(Delegation.province == w.province, Delegation.ends_at > w.now)
        .order_by(Delegation.starts_at)
    )
    return [(d, names.get(by, ""), names.get(d.delegate_id, "")) for d, by in rows]


def my_standing(w: UnitOfWork) -> Standing:
    """Return the seats of the signed-in person today."""
    return acting(w)


def person_of_account(w: UnitOfWork, account_id: int) -> Person | None:
    """Return the person who signs in with an account."""
    return w.session.scalars(select(Person).where(Person.province == w.province, Person.account_id == account_id)).one_or_none()


def actor_of_account(w: UnitOfWork, account_id: int) -> Actor:
    """Return the actor an account stands for."""
    person = person_of_account(w, account_id)
    return Actor("person", account=account_id, person=person.id if person else None)


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account of the demonstration, signed in to by one click."""

    account_id: int
    name: str
    title: str
    title_en: str
    role: str
    unit: str
    email: str


def demo_accounts(w: UnitOfWork) -> list[DemoAccount]:
    """Return the demo accounts by unit and rank, with what each holds today."""
    all_units, found = units_of(w.session, w.province), []
    rows = w.session.execute(
        select(Account, Person).join(Person, Person.account_id == Account.id).where(Account.demo.is_(True), Person.province == w.province)
    )
    for account, person in rows:
        standing = standing_of(w, person.id)
        seat = standing.seats[0] if standing.seats else None
        found.append(
            DemoAccount(
                account.id,
                person.full_name,
                seat.title if seat else "",
                seat.title_en if seat else "",
                seat.role if seat else "",
                all_units[seat.unit_id].name if seat else "",
                account.email,
            )
        )
    return sorted(found, key=lambda a: (a.unit, a.title, a.name))
