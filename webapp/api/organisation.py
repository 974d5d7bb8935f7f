"""The organisation: who I am, units, people, positions, appointments, delegations, keys."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from engine.commands import keys
from engine.commands import organisation as commands
from engine.errors import NotFound, Refused
from engine.queries import administration
from engine.queries import organisation as queries
from engine.queries.names import role_names
from engine.queries.signed_in import Held
from engine.runtime import UnitOfWork
from webapp.api.access import me as whose
from webapp.api.routes import route
from webapp.api.shapes import taken
from webapp.api.signatures import Invitation

TAG = "organisation"


@dataclass(frozen=True)
class Me:
    """The person of the token, with the positions held today."""

    name: str
    person: UUID | None
    held: Sequence[Held]


@route("GET", "/me", "Who am I, and what do I hold today", tag=TAG, answer=Me)
def me(w: UnitOfWork) -> Me:
    """Return the person of the token."""
    found = whose()
    return Me(found.name, found.person, found.held)


@dataclass(frozen=True)
class Unit:
    """A unit of the administration."""

    id: UUID
    name: str
    name_en: str
    short_name: str
    level: str
    agency_code: str
    parent_id: UUID | None
    valid_from: date
    valid_to: date | None


@route("GET", "/units", "Units that exist today", tag=TAG, answer=Sequence[Unit])
def units(w: UnitOfWork) -> list[Unit]:
    """Return the units by level and name."""
    return [taken(Unit, unit) for unit in queries.units(w)]


@dataclass(frozen=True)
class NewUnit:
    """A unit to establish; `level` is province, department, commune, centre or division."""

    name: str
    level: str
    agency_code: str
    valid_from: date
    parent_id: UUID | None = None
    name_en: str = ""
    short_name: str = ""
    place_name: str = ""
    legal_basis: str = ""


@dataclass(frozen=True)
class Made:
    """The id of what was made."""

    id: UUID


@route("POST", "/units", "Establish a unit", tag=TAG, answer=Made, body=NewUnit, status=201)
def add_unit(w: UnitOfWork, body: NewUnit) -> Made:
    """Establish a unit."""
    made = commands.add_unit(
        w, name=body.name, level=body.level, agency_code=body.agency_code, parent_id=body.parent_id, name_en=body.name_en,
        short_name=body.short_name, place_name=body.place_name, valid_from=body.valid_from, legal_basis=body.legal_basis,
    )  # fmt: skip
    return Made(made.id)


@route("GET", "/people", "Everybody, in Vietnamese order of names", tag=TAG, answer=Sequence[queries.PersonRow])
def people(w: UnitOfWork) -> Any:
    """Return everybody with what they hold."""
    return queries.people(w)


@dataclass(frozen=True)
class NewPerson:
    """Somebody who comes to the office."""

    full_name: str
    email: str = ""


@route("POST", "/people", "Enter a person", tag=TAG, answer=Made, body=NewPerson, status=201)
def add_person(w: UnitOfWork, body: NewPerson) -> Made:
    """Enter a person."""
    return Made(commands.add_person(w, body.full_name, email=body.email).id)


@route("GET", "/roles", "Roles and what people call them", tag=TAG, answer=dict[str, dict[str, str]])
def roles(w: UnitOfWork) -> Any:
    """Return every role with its names."""
    return {role: dict(names) for role, names in role_names().items()}


@dataclass(frozen=True)
class PositionFacts:
    """A position of a unit."""

    id: UUID
    unit_id: UUID
    unit: str
    title: str
    title_en: str
    role: str


@route("GET", "/positions", "Positions by unit", tag=TAG, answer=Sequence[PositionFacts])
def positions(w: UnitOfWork) -> list[PositionFacts]:
    """Return every position."""
    return [PositionFacts(p.id, p.unit_id, unit, p.title, p.title_en, p.role) for p, unit in queries.positions(w)]


@dataclass(frozen=True)
class NewPosition:
    """A position to create."""

    unit_id: UUID
    title: str
    role: str
    title_en: str = ""


@route("POST", "/positions", "Create a position", tag=TAG, answer=Made, body=NewPosition, status=201)
def add_position(w: UnitOfWork, body: NewPosition) -> Made:
    """Create a position."""
    return Made(commands.add_position(w, body.unit_id, body.title, body.role, title_en=body.title_en).id)


@dataclass(frozen=True)
class NewAppointment:
    """Who holds a position from when, by which decision."""

    person_id: UUID
    position_id: UUID
    valid_from: date
    valid_to: date | None = None
    basis: str = ""


@route("POST", "/appointments", "Appoint somebody to a position", tag=TAG, answer=Made, body=NewAppointment, status=201)
def appoint(w: UnitOfWork, body: NewAppointment) -> Made:
    """Appoint a person."""
    made = commands.appoint(w, body.person_id, body.position_id, body.valid_from, valid_to=body.valid_to, basis=body.basis)
    return Made(made.id)


@dataclass(frozen=True)
class EndOfAppointment:
    """The first day on which the appointment no longer holds."""

    valid_to: date


@route("POST", "/appointments/<uuid:appointment_id>/end", "End an appointment", tag=TAG, body=EndOfAppointment)
def end_appointment(w: UnitOfWork, appointment_id: UUID, body: EndOfAppointment) -> None:
    """End an appointment."""
    commands.end_appointment(w, appointment_id, body.valid_to)


@dataclass(frozen=True)
class DelegationFacts:
    """A power lent for a time."""

    id: UUID
    delegator: str
    delegate: str
    capacity: str
    starts_at: datetime
    ends_at: datetime
    basis: str


@route("GET", "/delegations", "Delegations running or to come", tag=TAG, answer=Sequence[DelegationFacts])
def delegations(w: UnitOfWork) -> list[DelegationFacts]:
    """Return the delegations."""
    return [taken(DelegationFacts, d, delegator=by, delegate=to) for d, by, to in queries.delegations(w)]


@dataclass(frozen=True)
class NewDelegation:
    """To whom one's own power is lent, in which capacity, for how long, by which act."""

    delegate_id: UUID
    capacity: str
    starts_at: datetime
    ends_at: datetime
    basis: str


@route("POST", "/delegations", "Lend one's own power", tag=TAG, answer=Made, body=NewDelegation, status=201)
def delegate(w: UnitOfWork, body: NewDelegation) -> Made:
    """Delegate."""
    made = commands.delegate(w, body.delegate_id, capacity=body.capacity, starts_at=body.starts_at, ends_at=body.ends_at, basis=body.basis)
    return Made(made.id)


@route("GET", "/keys", "Signing keys and whether they are locked", tag="keys", answer=Sequence[administration.KeyRow])
def key_list(w: UnitOfWork) -> Any:
    """Return every key."""
    return administration.keys(w)


@route("POST", "/keys/<reference>/unlock", "Give a locked key its tries back", tag="keys")
def unlock_key(w: UnitOfWork, reference: str) -> None:
    """Unlock a key."""
    keys.unlock(w, reference)


@dataclass(frozen=True)
class KeyHolder:
    """Who gets a key: a `person`, or an `agency`."""

    kind: Literal["person", "agency"]
    holder: UUID


@route("POST", "/keys/invitation", "What the PIN of a new key is sealed to", tag="keys", answer=Invitation, body=KeyHolder)
def key_invitation(w: UnitOfWork, body: KeyHolder) -> Invitation:
    """Return the invitation of a new key."""
    told = keys.invitation(w, body.kind, body.holder)
    return Invitation(told["public_key"], told["nonce"], float(told["seconds"]))


@dataclass(frozen=True)
class NewKey:
    """A key to issue under a PIN only its holder knows, sealed by the client."""

    kind: Literal["person", "agency"]
    holder: UUID
    sealed_pin: str


@dataclass(frozen=True)
class IssuedKey:
    """The key's name in custody."""

    reference: str
    valid_to: datetime


@route("POST", "/keys", "Issue a TEST key", tag="keys", answer=IssuedKey, body=NewKey, status=201)
def issue_key(w: UnitOfWork, body: NewKey) -> IssuedKey:
    """Issue a key."""
    return taken(IssuedKey, keys.issue(w, body.kind, body.holder, body.sealed_pin[:2000]))


@dataclass(frozen=True)
class DeviceKey:
    """The certificate of a key on a USB token (base64 of DER) and those above it; the key itself is known nowhere here."""

    kind: Literal["person", "agency"]
    holder: UUID
    certificate: str
    chain: Sequence[str]


@route("POST", "/keys/device", "Register a key on a USB token by its certificate", tag="keys", answer=IssuedKey, body=DeviceKey, status=201)
def register_device_key(w: UnitOfWork, body: DeviceKey) -> IssuedKey:
    """Register a key; it takes the place of those its holder has used."""
    leaf, *above = (decoded(one) for one in (body.certificate, *body.chain))
    return taken(IssuedKey, keys.register(w, body.kind, body.holder, leaf, above))


def decoded(text: str) -> bytes:
    """Return what is written in base64.

    Raises:
        Refused: ``key.certificate_unreadable``.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("key.certificate_unreadable", field="certificate") from None


@dataclass(frozen=True)
class AccountLink:
    """By which address somebody signs in."""

    email: str


@dataclass(frozen=True)
class LinkedAccount:
    """The account somebody signs in with."""

    id: int
    email: str


@route("POST", "/people/<uuid:person_id>/account", "Give a person an account", tag=TAG, answer=LinkedAccount, body=AccountLink, status=201)
def link_account(w: UnitOfWork, person_id: UUID, body: AccountLink) -> LinkedAccount:
    """Link an account; its first password is set on the screens, where it can be handed over."""
    return taken(LinkedAccount, commands.link_account(w, person_id, body.email))


@route("GET", "/accounts", "Accounts of the office; no secret is here", tag=TAG, answer=Sequence[administration.AccountRow])
def accounts(w: UnitOfWork) -> Any:
    """Return the accounts."""
    return list(administration.accounts(w).values())


@dataclass(frozen=True)
class CalendarDay:
    """One day as deadlines count it, with the act behind it."""

    on: date
    kind: str
    legal_basis: str


@route("GET", "/calendar/<int:year>/<int:month>", "A month as deadlines count it", tag=TAG, answer=Sequence[CalendarDay])
def calendar_month(w: UnitOfWork, year: int, month: int) -> list[CalendarDay]:
    """Return the days of a month."""
    if not (2000 <= year <= 2100 and 1 <= month <= 12):
        raise Refused("api.field_wrong", field="month", name="month", expected="2000-01 … 2100-12")
    return [CalendarDay(d.on, str(getattr(d.kind, "value", d.kind)), d.legal_basis) for d in administration.month(w, year, month)]


@dataclass(frozen=True)
class TokenFacts:
    """A token of mine; its text is never shown again."""

    id: int
    name: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@route("GET", "/tokens", "My access tokens", tag="meta", answer=Sequence[TokenFacts])
def tokens(w: UnitOfWork) -> list[TokenFacts]:
    """Return my tokens."""
    return [taken(TokenFacts, token) for token in administration.tokens(w, whose().account)]


@route("DELETE", "/tokens/<int:token_id>", "Revoke one of my access tokens", tag="meta")
def revoke_token(w: UnitOfWork, token_id: int) -> None:
    """Revoke a token at once."""
    token = next((one for one in administration.tokens(w, whose().account) if one.id == token_id), None)
    if token is None:
        raise NotFound("web.no_token")
    token.revoked_at = w.now
    w.record("token.revoked", account=whose().account)
