"""The organisation as values, read from the records at an instant: what the pure rules of authority and assignment work on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine.organisation.authority import ZONE, Holding, Lending
from engine.organisation.model import Appointment, Delegation, OrgUnit, Position
from engine.organisation.tree import Tree


@dataclass(frozen=True, slots=True)
class Roster:
    """Units, positions held and powers lent, all in force at one instant."""

    tree: Tree
    holdings: tuple[Holding, ...]
    lendings: tuple[Lending, ...]

    def of(self, person_id: UUID) -> tuple[Holding, ...]:
        """Return the positions a person holds."""
        return tuple(h for h in self.holdings if h.person_id == person_id)

    def head_of(self, unit_id: UUID) -> Holding | None:
        """Return who heads an agency."""
        return next((h for h in self.holdings if h.unit_id == unit_id and h.role == "head"), None)


def read_roster(session: Session, province: int, at: datetime) -> Roster:
    """Return who holds what at an instant; two statements, whatever the size of the office."""
    today = at.astimezone(ZONE).date()
    units = session.scalars(select(OrgUnit).where(OrgUnit.province == province))
    held = session.execute(
        select(Appointment, Position)
        .join(Position, (Position.province == Appointment.province) & (Position.id == Appointment.position_id))
        .where(
            Appointment.province == province,
            Appointment.valid_from <= today,
            or_(Appointment.valid_to.is_(None), Appointment.valid_to > today),
        )
    )
    lent = session.scalars(select(Delegation).where(Delegation.province == province, Delegation.starts_at <= at, Delegation.ends_at > at))
    return Roster(Tree.of(units), tuple(holding(a, p) for a, p in held), tuple(lending(d) for d in lent))


def holding(appointment: Appointment, position: Position) -> Holding:
    """Return an appointment as a value."""
    return Holding(
        appointment_id=appointment.id,
        person_id=appointment.person_id,
        position_id=position.id,
        unit_id=position.unit_id,
        role=position.role,
        rank=position.rank,
        title=position.title,
        title_en=position.title_en,
        valid_from=appointment.valid_from,
        valid_to=appointment.valid_to,
        fields=tuple(appointment.fields or ()),
        acting=bool(appointment.acting),
        basis=appointment.basis,
    )


def lending(delegation: Delegation) -> Lending:
    """Return a delegation as a value."""
    return Lending(
        delegation_id=delegation.id,
        delegator_id=delegation.delegator_id,
        delegate_id=delegation.delegate_id,
        capacity=delegation.capacity,
        scope=tuple(delegation.scope or ()),
        starts_at=delegation.starts_at,
        ends_at=delegation.ends_at,
        basis=delegation.basis,
    )
