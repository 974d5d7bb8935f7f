"""The people and units of a demonstration province, entered by the office's own commands from ``province.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.accounts.administration import create_account, hash_password
from engine.commands import organisation as commands
from engine.kernel.unit_of_work import Actor, UnitOfWork
from engine.organisation.model import OrgUnit, Person
from engine.organisation.roster import Roster, read_roster
from signing.testpki import AgencySpec, PersonSpec, TestPki

FOUNDED = date(2025, 7, 1)
SYSTEM = Actor("system", label="demonstration")


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the demonstration: how to act as them, and what they sign with."""

    key: str
    person_id: UUID
    name: str
    email: str
    titles: tuple[str, ...]
    roles: tuple[str, ...]
    units: tuple[str, ...]
    pin: str | None
    actor: Actor


@dataclass(frozen=True)
class Province:
    """The demonstration province as it stands in the database."""

    password: str
    units: Mapping[str, UUID]
    members: Mapping[UUID, Member]
    seals: Mapping[str, str]
    """PIN of each agency's seal key, by the key's name in custody."""
    roster: Roster

    def member(self, key: str) -> Member:
        """Return a person by the key of ``province.toml``."""
        return next(m for m in self.members.values() if m.key == key)

    @property
    def pins(self) -> dict[str, str]:
        """The PIN of every key, by its name in custody."""
        return {key_name(m.key): m.pin for m in self.members.values() if m.pin} | dict(self.seals)


def read_province() -> Mapping[str, Any]:
    """Return ``province.toml``."""
    return tomllib.loads(resources.files("engine.simulation").joinpath("province.toml").read_text(encoding="utf-8"))


def key_name(key: str) -> str:
    """Return the name of a person's or agency's key in custody."""
    return f"demo-{key.replace('_', '-')}"


def founded(w: UnitOfWork) -> bool:
    """Say whether the province has been entered."""
    codes = [row["code"] for row in read_province()["unit"][:1]]
    return w.session.scalar(select(OrgUnit.id).where(OrgUnit.province == w.province, OrgUnit.agency_code.in_(codes)).limit(1)) is not None


def found(w: UnitOfWork, pki: TestPki) -> None:
    """Enter units, people, accounts, positions and keys; all of it, or nothing."""
    rows = read_province()
    units = enter_units(w, rows["unit"])
    password = hash_password(rows["password"])
    people = {row["key"]: enter_person(w, row, units, password) for row in rows["person"]}
    issue_keys(w, pki, rows, units, people)


def enter_units(w: UnitOfWork, rows: list[dict[str, Any]]) -> dict[str, UUID]:
    """Enter the units, those above before those below."""
    units: dict[str, UUID] = {}
    for row in rows:
        given = {name: value for name, value in row.items() if name not in ("key", "code", "parent")}
        parent = units[row["parent"]] if "parent" in row else None
        unit = commands.add_unit(
            w, **given, agency_code=row["code"], parent_id=parent, valid_from=FOUNDED, legal_basis="Tỉnh hư cấu, dùng để trình diễn (TEST)"
        )
        units[row["key"]] = unit.id
    return units


def enter_person(w: UnitOfWork, row: Mapping[str, Any], units: Mapping[str, UUID], password: str) -> UUID:
    """Enter a person with account and positions."""
    person = commands.add_person(w, row["name"], email=row["email"])
    create_account(w, row["email"], row["name"], password_hash=password, roles=tuple(row.get("account_roles", ())), demo=True)
    commands.link_account(w, person.id, row["email"])
    for held in row["positions"]:
        position = commands.add_position(w, units[held["unit"]], held["title"], held["role"], title_en=held["title_en"], rank=held["rank"])
        commands.appoint(w, person.id, position.id, held["since"], basis=held["basis"])
    return person.id


def issue_keys(w: UnitOfWork, pki: TestPki, rows: Mapping[str, Any], units: Mapping[str, UUID], people: Mapping[str, UUID]) -> None:
    """Issue TEST keys to leaders and agencies; a key file an interrupted run left behind is used again."""
    names = {row["key"]: row["name"] for row in rows["unit"]}
    known, since = set(pki.key_ids()), w.now - timedelta(days=60)
    for row in rows["person"]:
        if "pin" in row:
            name, held = key_name(row["key"]), row["positions"][0]
            if name not in known:
                spec = PersonSpec(name, row["name"], held["title"], names[held["unit"]], row["key"], row["pin"])
                pki.issue_person(spec, valid_from=since)
            register(w, pki, name, "leader", since, person_id=people[row["key"]])
    codes = {row["key"]: row["code"] for row in rows["unit"]}
    for row in rows["seal"]:
        name = key_name(row["unit"])
        if name not in known:
            pki.issue_agency(AgencySpec(name, names[row["unit"]], codes[row["unit"]], row["pin"]), valid_from=since)
        register(w, pki, name, "agency", since, unit_id=units[row["unit"]])


def register(w: UnitOfWork, pki: TestPki, name: str, kind: str, since: datetime, **whose: Any) -> None:
    """Let the office use a key."""
    import base64

    certificate = pki.certificate(name)
    chain = [base64.b64encode(der).decode() for der in certificate.chain]
    commands.register_key(w, name, kind, certificate.der, chain, since, since + timedelta(days=5 * 365), **whose)


def lend(w: UnitOfWork, row: Mapping[str, Any], province: Province, today: datetime) -> None:
    """Let a leader delegate as ``province.toml`` says; the unit of work is the leader's own."""
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    commands.delegate(
        w,
        province.member(row["to"]).person_id,
        capacity=row["capacity"],
        starts_at=midnight + timedelta(days=row["from_days"]),
        ends_at=midnight + timedelta(days=row["to_days"]),
        basis=row["basis"],
    )


def read_back(w: UnitOfWork, at: datetime) -> Province:
    """Return the province as the database has it."""
    rows = read_province()
    codes = {row["code"]: row["key"] for row in rows["unit"]}
    units = {
        codes[u.agency_code]: u.id
        for u in w.session.scalars(select(OrgUnit).where(OrgUnit.province == w.province, OrgUnit.agency_code.in_(codes)))
    }
    people = {p.email: p for p in w.session.scalars(select(Person).where(Person.province == w.province))}
    members = {}
    for row in rows["person"]:
        person, held = people[row["email"]], row["positions"]
        members[person.id] = Member(
            row["key"], person.id, person.full_name, person.email, tuple(p["title"] for p in held), tuple(p["role"] for p in held),
            tuple(p["unit"] for p in held), row.get("pin"), Actor("person", account=person.account_id, person=person.id),
        )  # fmt: skip
    seals = {key_name(row["unit"]): row["pin"] for row in rows["seal"]}
    return Province(rows["password"], units, members, seals, read_roster(w.session, w.province, at))
