"""Who is behind an account: the person and the seats held today; and the demo accounts a visitor may choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import SmallInteger, Text, bindparam, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from engine.accounts.model import Account, Preference, RoleName, account_role
from engine.kernel import wire
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.organisation.directory import Directory, OrganisationChange, directory, renumber
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
    roles = tuple((role.name, role.description) for role in owner.roles) if owner else ()
    name = (owner.display_name or owner.email) if owner else ""
    return behind(w, account, name, roles, preference.choices if preference else {})


@dataclass(frozen=True, slots=True)
class Holder:
    """The account a session belongs to, column by column, and who is behind it."""

    account: Mapping[str, Any]
    roles: tuple[tuple[str, str | None], ...]
    person: SignedIn


def holder(w: UnitOfWork, uniquifier: str) -> Holder | None:
    """Return whose session this is as it stands now, in one statement; None when the account is closed or its sessions were ended."""
    found = wire.read(w.session, (_known(),), {"uniquifier": uniquifier, "province": w.province})[0]
    if not found:
        return None
    organisation, roles, choices, *values = found[0]
    account = dict(zip(_names(), values, strict=True))
    if not account["active"]:
        return None
    renumber(w.session, organisation)
    named = tuple((role["name"], role["description"]) for role in roles or ())
    return Holder(account, named, behind(w, account["id"], account["display_name"] or account["email"], named, choices or {}))


@cache
def _known() -> wire.Prepared:
    organisation = select(OrganisationChange.number).where(OrganisationChange.province == bindparam("province", type_=SmallInteger()))
    role = func.jsonb_build_object(
        literal_column("'name'"), RoleName.name, literal_column("'description'"), RoleName.description, type_=JSONB()
    )
    roles = select(func.jsonb_agg(role)).join(account_role, account_role.c.role == RoleName.id).where(account_role.c.account == Account.id)
    choices = select(Preference.choices).where(Preference.account == Account.id)
    return wire.prepared(
        select(
            organisation.scalar_subquery(), roles.correlate(Account).scalar_subquery(), choices.correlate(Account).scalar_subquery(),
            *wire.columns(Account),
        ).where(Account.fs_uniquifier == bindparam("uniquifier", type_=Text()))
    )  # fmt: skip


@cache
def _names() -> tuple[str, ...]:
    return tuple(wire.shape(Account).read)


def behind(w: UnitOfWork, account: int, otherwise: str, roles: Sequence[tuple[str, str | None]], choices: Json) -> SignedIn:
    """Return the person of an account with everything held at ``w.now``; *otherwise* is the name of an account without one."""
    known = directory(w.session, w.province)
    person = known.accounts.get(account)
    installation = tuple(
        Held(name, {"vi": description or name, "en": name}, UUID(int=0), {"vi": "", "en": ""}) for name, description in roles
    )
    seats = held_by(known, person, w.now) if person else ()
    return SignedIn(account, person, known.names[person] if person else otherwise, (*seats, *installation), dict(choices))


def held_by(known: Directory, person: UUID, at: datetime) -> tuple[Held, ...]:
    """Return the positions a person holds at an instant, own ones first, each group by rank."""
    own = sorted((position for _, position in known.holdings(person, at)), key=_rank)
    lent = sorted((position for _, position, _ in known.lendings(person, at)), key=_rank)
    return (
        *(held(position, known.units[position.unit_id], False) for position in own),
        *(held(position, known.units[position.unit_id], True) for position in lent),
    )


def _rank(position: Position) -> int:
    return position.rank


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
