"""May this person do this, today, and by what: an appointment or a delegation; pure.

Appointments and delegations arrive as values. A delegation lends what its delegator holds by appointment and nothing that was itself
lent, so what was lent cannot be lent on. The answer names the appointment or delegation, because a signature stands on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from engine.errors import Forbidden, Refused
from engine.organisation.roles import CAPACITIES, answering

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HEAD, DEPUTY = "head", "deputy_head"


@dataclass(frozen=True, slots=True)
class Holding:
    """A position held by a person from a day until a day (half-open); *fields* limits it to sectors, empty to none."""

    appointment_id: UUID
    person_id: UUID
    position_id: UUID
    unit_id: UUID
    role: str
    rank: int = 3
    title: str = ""
    title_en: str = ""
    valid_from: date = date.min
    valid_to: date | None = None
    fields: tuple[str, ...] = ()
    acting: bool = False
    basis: str = ""

    def valid(self, at: datetime) -> bool:
        """Say whether the position is held at an instant."""
        today = at.astimezone(ZONE).date()
        return self.valid_from <= today and (self.valid_to is None or today < self.valid_to)


@dataclass(frozen=True, slots=True)
class Lending:
    """A power lent by the holder of an appointment to a person, in a capacity, for a scope, between two instants."""

    delegation_id: UUID
    delegator_id: UUID
    delegate_id: UUID
    capacity: str
    scope: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    basis: str = ""

    def valid(self, at: datetime) -> bool:
        """Say whether the power is lent at an instant."""
        return self.starts_at <= at < self.ends_at


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody wants to do: work of a role in a unit, or sign for it.

    *units* are the units the work is addressed to together with their parts (empty: any). *field* is the sector of the procedure,
    *document_type* the abbreviation of the paper; both may be limited by an appointment or a delegation. *power* is what is signed with:
    the agency's own, or a collective's.
    """

    kind: Literal["perform", "sign"]
    roles: frozenset[str] = frozenset()
    units: frozenset[UUID] = frozenset()
    field: str = ""
    document_type: str = ""
    power: Literal["own_power", "for_collective"] = "own_power"


@dataclass(frozen=True, slots=True)
class Grant:
    """By what a person may: the appointment behind it, the delegation when it was lent, the signing capacity that follows.

    ``reason_code`` is a sentence of the catalogue.
    """

    holding: Holding
    lending: Lending | None
    capacity: str | None
    reason_code: str


def permitted(act: Act, person_id: UUID, holdings: Iterable[Holding], lendings: Iterable[Lending], at: datetime) -> Grant | None:
    """Return by what the person may do this at this instant, or None; an own appointment comes before a delegation."""
    return _grant(act, person_id, tuple(holdings), tuple(lendings), at)[0]


def require(act: Act, person_id: UUID, holdings: Iterable[Holding], lendings: Iterable[Lending], at: datetime) -> Grant:
    """Return by what the person may do this.

    Raises:
        Forbidden: with the nearest reason: no such role, outside the field, or the appointment or delegation not in force.
    """
    grant, nearest = _grant(act, person_id, tuple(holdings), tuple(lendings), at)
    if grant is None:
        raise Forbidden(nearest, roles=", ".join(sorted(act.roles)))
    return grant


def check_delegation(new: Lending, holdings: Iterable[Holding], lendings: Iterable[Lending]) -> None:
    """Refuse a delegation that cannot be: longer than the appointment, wider than it, without a basis, or of what was itself lent.

    Raises:
        Refused: with the field at fault.
    """
    if new.capacity not in CAPACITIES or new.capacity in ("own_power", "for_collective", "acting_head"):
        raise Refused("authority.capacity_not_lendable", field="capacity", capacity=new.capacity)
    if not new.basis.strip():
        raise Refused("authority.delegation_without_basis", field="basis")
    if new.ends_at <= new.starts_at:
        raise Refused("authority.delegation_period_wrong", field="ends_at")
    delegator = next((h for h in holdings if h.appointment_id == new.delegator_id), None)
    if (
        delegator is None
        or not delegator.valid(new.starts_at)
        or (delegator.valid_to and new.ends_at.astimezone(ZONE).date() > delegator.valid_to)
    ):
        raise Refused("authority.delegator_not_in_office", field="delegator")
    if delegator.person_id == new.delegate_id:
        raise Refused("authority.delegation_to_oneself", field="delegate")
    if delegator.role not in (HEAD, DEPUTY):
        borrowed = any(x.delegate_id == delegator.person_id and x.starts_at < new.ends_at and new.starts_at < x.ends_at for x in lendings)
        raise Refused("authority.redelegation" if borrowed else "authority.delegator_has_no_power", field="delegator")
    if delegator.fields and not (new.scope and set(new.scope) <= set(delegator.fields)):
        raise Refused("authority.delegation_wider_than_power", field="scope")


def _grant(
    act: Act, person_id: UUID, holdings: tuple[Holding, ...], lendings: tuple[Lending, ...], at: datetime
) -> tuple[Grant | None, str]:
    nearest = "authority.no_such_role"
    for holding in sorted((h for h in holdings if h.person_id == person_id), key=lambda h: h.rank):
        capacity = _own_capacity(holding, act)
        if not _fits(holding, act) or (act.kind == "sign" and capacity is None):
            continue
        if not holding.valid(at):
            nearest = "authority.appointment_not_in_force"
        elif not _covers(holding.fields, act):
            nearest = "authority.outside_field"
        else:
            return Grant(holding, None, capacity, "authority.by_appointment"), ""
    own = {h.appointment_id: h for h in holdings}
    for lending in lendings:
        lender = own.get(lending.delegator_id)
        if (
            lending.delegate_id != person_id
            or lender is None
            or not _fits(lender, act)
            or (act.kind == "sign" and _own_capacity(lender, act) is None)
        ):
            continue
        if not lending.valid(at) or not lender.valid(at):
            nearest = "authority.delegation_not_in_force"
        elif not _covers(lending.scope, act) or not _covers(lender.fields, act):
            nearest = "authority.outside_delegation"
        else:
            return Grant(lender, lending, lending.capacity if act.kind == "sign" else None, "authority.by_delegation"), ""
    return None, nearest


def _fits(holding: Holding, act: Act) -> bool:
    return (not act.roles or holding.role in answering(act.roles)) and (not act.units or holding.unit_id in act.units)


def _covers(limits: tuple[str, ...], act: Act) -> bool:
    """Say whether a list of sectors or document types (empty: no limit) lets the act pass."""
    return not limits or not (act.field or act.document_type) or act.field in limits or act.document_type in limits


def _own_capacity(holding: Holding, act: Act) -> str | None:
    if act.kind != "sign":
        return None
    if holding.role == HEAD:
        return "acting_head" if holding.acting else act.power
    return "for_head" if holding.role == DEPUTY else None
