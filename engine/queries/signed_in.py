"""Who is behind an account: the person and the seats held today; and the demo accounts a visitor may choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import SmallInteger, Text, bindparam, cast, func, literal_column, null, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from engine.accounts.model import Account, Preference, RoleName, account_role
from engine.errors import Conflict
from engine.kernel import wire
from engine.kernel.requests import AnsweredRequest
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
    choices = preference.choices if preference else {}
    return _behind(directory(w.session, w.province), w.now, account, name, roles, choices)


@dataclass(frozen=True)
class Holder:
    """The account a session belongs to, column by column, and who is behind it at the instant of the unit of work.

    ``answer`` is what was answered to the request asked for with it: None when it is new, `NOT_ASKED` when none was asked for.
    """

    account: Mapping[str, Any]
    roles: tuple[tuple[str, str | None], ...]
    choices: Json
    answer: Json | None
    known: Directory
    at: datetime

    @property
    def person_id(self) -> UUID | None:
        """The person of the account."""
        return self.known.accounts.get(self.account["id"])

    @cached_property
    def person(self) -> SignedIn:
        """The person with everything held; put together when somebody asks."""
        account = self.account
        return _behind(self.known, self.at, account["id"], account["display_name"] or account["email"], self.roles, self.choices)


NOT_ASKED: Json = {}


def holder(w: UnitOfWork, uniquifier: str, request_key: str = "", *, claims: bool = True) -> Holder | None:
    """Return whose session this is as it stands now, in one journey; None when the account is closed or its sessions were ended.

    A form's *request_key* is claimed in the same journey, exactly as `UnitOfWork.recall` claims it for this account, so that
    `UnitOfWork.remember` may keep the answer. Without *claims* it is only looked for, by the same statement, as `UnitOfWork.find` does.

    Raises:
        Conflict: the key was claimed with other content, which forms never give.
    """
    asked = {"uniquifier": uniquifier, "province": w.province, "key": f":{request_key}", "at": w.now}
    looked = bool(request_key) and not claims
    statements = (_known(looked), CLAIM) if request_key and claims else (_known(looked),)
    found, *claimed = wire.read(w.session, statements, asked)
    if not found:
        return None
    organisation, roles, choices, before, *values = found[0]
    account = dict(zip(_names(), values, strict=True))
    if not account["active"]:
        return None
    renumber(w.session, w.province, organisation)
    answer: Json | None = before if looked else NOT_ASKED
    if claimed:
        ((content, answer),) = claimed[0]
        if content:
            raise Conflict("request.other_content")
    named = tuple((role["name"], role["description"]) for role in roles or ())
    return Holder(account, named, choices or {}, answer, directory(w.session, w.province), w.now)


CLAIM = wire.Prepared(
    "insert into answered_request as known (province, key, content, at) "
    "select $1, 'person:' || account.id || $2, '', $3 from account where fs_uniquifier = $4 and active "
    "on conflict (province, key) do update set key = known.key returning known.content, known.answer",
    ("province", "key", "at", "uniquifier"),
)


@cache
def _known(looked: bool) -> wire.Prepared:
    before = select(AnsweredRequest.answer).where(
        AnsweredRequest.province == bindparam("province", type_=SmallInteger()),
        AnsweredRequest.key == literal_column("'person:'") + cast(Account.id, Text) + bindparam("key", type_=Text()),
        AnsweredRequest.content == literal_column("''"),
    )
    organisation = select(OrganisationChange.number).where(OrganisationChange.province == bindparam("province", type_=SmallInteger()))
    role = func.jsonb_build_object(
        literal_column("'name'"), RoleName.name, literal_column("'description'"), RoleName.description, type_=JSONB()
    )
    roles = select(func.jsonb_agg(role)).join(account_role, account_role.c.role == RoleName.id).where(account_role.c.account == Account.id)
    choices = select(Preference.choices).where(Preference.account == Account.id)
    return wire.prepared(
        select(
            organisation.scalar_subquery(), roles.correlate(Account).scalar_subquery(), choices.correlate(Account).scalar_subquery(),
            before.correlate(Account).scalar_subquery() if looked else null(), *wire.columns(Account),
        ).where(Account.fs_uniquifier == bindparam("uniquifier", type_=Text()))
    )  # fmt: skip


@cache
def _names() -> tuple[str, ...]:
    return tuple(wire.shape(Account).read)


def _behind(
    known: Directory, at: datetime, account: int, otherwise: str, roles: Sequence[tuple[str, str | None]], choices: Json
) -> SignedIn:
    """Return the person of an account with everything held at an instant; *otherwise* is the name of an account without one."""
    person = known.accounts.get(account)
    installation = tuple(
        Held(name, {"vi": description or name, "en": name}, UUID(int=0), {"vi": "", "en": ""}) for name, description in roles
    )
    seats = held_by(known, person, at) if person else ()
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
