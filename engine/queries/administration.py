"""What administrators look at: keys in custody, accounts, one month of the calendar, how far the first hour has come."""

from __future__ import annotations

import calendar as months
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from engine.accounts.model import AccessToken, Account
from engine.deadline.calendar_file import Calendars
from engine.documents.model import SigningKey
from engine.documents.signature import SigningOffice
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.standing import require_administrator, units_of
from engine.organisation.model import Appointment, OrgUnit, Person
from engine.procedure.registry import ProcedureVersion
from signing.errors import SigningError


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key with its holder; ``tries_left`` is None when nobody here can say (custody away, key on a token), 0 when it is locked."""

    reference: str
    holder: str
    kind: str
    valid_from: datetime
    valid_to: datetime
    revoked_at: datetime | None
    tries_left: int | None
    approval: str


def keys(w: UnitOfWork) -> list[KeyRow]:
    """Return every registered key."""
    require_administrator(w)
    names = {p.id: p.full_name for p in w.session.scalars(select(Person).where(Person.province == w.province))}
    units = units_of(w.session, w.province)
    left = tries(w)
    return [
        KeyRow(
            k.reference,
            names.get(k.person_id, "") if k.person_id else units[k.unit_id].name if k.unit_id in units else "",
            "person" if k.person_id else "agency",
            k.valid_from,
            k.valid_to,
            k.revoked_at,
            left.get(k.reference) if left is not None else None,
            k.approval,
        )
        for k in w.session.scalars(
            select(SigningKey).where(SigningKey.province == w.province).order_by(SigningKey.kind, SigningKey.reference)
        )
    ]


def tries(w: UnitOfWork) -> dict[str, int] | None:
    """Return how many tries each key in custody has left; None when custody does not answer."""
    custody: Any = w.part(SigningOffice).custody
    try:
        held = custody.keys()
        return {key.key_id: key.tries_left for key in held}
    except SigningError:
        return None


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as its administrator sees it: no secret is here."""

    id: int
    email: str
    active: bool
    second_factor: bool
    last_login_at: datetime | None


def accounts(w: UnitOfWork) -> dict[int, AccountRow]:
    """Return the accounts of the office by id."""
    require_administrator(w)
    found = w.session.scalars(select(Account).where(Account.kind == "staff"))
    return {a.id: AccountRow(a.id, a.email, a.active, bool(a.tf_totp_secret), a.current_login_at) for a in found}


def month(w: UnitOfWork, year: int, number: int, agency_code: str = "") -> list[Any]:
    """Return the days of a month as the working calendar knows them, each with its act."""
    calendar = w.part(Calendars).of(agency_code)
    first = date(year, number, 1)
    return [calendar.day(first + timedelta(days=n)) for n in range(months.monthrange(year, number)[1])]


def approved_until(w: UnitOfWork) -> date | None:
    """Return the last day the calendar has been decided for."""
    return w.part(Calendars).of().approved_until


@dataclass(frozen=True, slots=True)
class FirstHour:
    """How far the setting up of a new installation has come: counts of what every office needs."""

    units: int
    people: int
    appointments: int
    keys: int
    procedures: int


def first_hour(w: UnitOfWork) -> FirstHour:
    """Return the counts of the first hour."""
    require_administrator(w)

    def count(table: Any) -> int:
        return w.session.scalar(select(func.count()).select_from(table).where(table.province == w.province)) or 0

    return FirstHour(count(OrgUnit), count(Person), count(Appointment), count(SigningKey), count(ProcedureVersion))


def tokens(w: UnitOfWork, account: int) -> list[AccessToken]:
    """Return the access tokens of an account that are in force."""
    return list(
        w.session.scalars(
            select(AccessToken)
            .where(AccessToken.account == account, AccessToken.revoked_at.is_(None))
            .order_by(AccessToken.created_at.desc())
        )
    )
