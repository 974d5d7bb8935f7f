"""The records of the organisation: units, positions, people, appointments and delegations, all dated.

Periods are half-open and in days of Asia/Ho_Chi_Minh, except a delegation, which begins and ends at an instant. A role is held through an
appointment or a delegation, never as a property of an account. A unit that was merged keeps its row: papers of its time keep its name.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.kernel.tables import Record, belongs_to

LEVELS = ("province", "department", "commune", "division", "centre")


class OrgUnit(Record):
    """An agency or a part of one, as it is called from *valid_from* until *valid_to*."""

    __tablename__ = "org_unit"

    agency_code: Mapped[str]
    old_code: Mapped[str] = mapped_column(default="")
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    short_name: Mapped[str] = mapped_column(default="")
    symbol: Mapped[str] = mapped_column(default="")
    level: Mapped[str]
    parent_id: Mapped[UUID | None]
    place_name: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    successor_id: Mapped[UUID | None]
    legal_basis: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        belongs_to("parent_id", "org_unit"),
        belongs_to("successor_id", "org_unit"),
        UniqueConstraint("province", "agency_code", "valid_from"),
        CheckConstraint(f"level IN {LEVELS}", name="level"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="period"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="parent"),
        Index("ix_org_unit_parent", "province", "parent_id"),
    )


class Position(Record):
    """A post in a unit: the title printed below a signature, the role it plays, its rank (1 head, 2 deputy, 3 others)."""

    __tablename__ = "position"

    unit_id: Mapped[UUID]
    title: Mapped[str]
    title_en: Mapped[str] = mapped_column(default="")
    role: Mapped[str]
    rank: Mapped[int] = mapped_column(SmallInteger, default=3)

    __table_args__ = (belongs_to("unit_id", "org_unit"), Index("ix_position_unit", "province", "unit_id", "role"))


class Person(Record):
    """Somebody who works for the province; the account (none: may not sign in) is separate.

    ``sort_key`` orders in the Vietnamese way by given name; ``folded`` is the name without diacritics, for search.
    """

    __tablename__ = "person"

    full_name: Mapped[str]
    account_id: Mapped[int | None]
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    sort_key: Mapped[str] = mapped_column(String(collation="C"))
    folded: Mapped[str]

    __table_args__ = (UniqueConstraint("province", "account_id"), Index("ix_person_sort_key", "province", "sort_key"))


class Appointment(Record):
    """A person holding a position from a day until a day, by a decision; ``fields`` limits it to sectors (empty: all of the position's).

    ``acting`` marks a head put in charge by decision (quyền).
    """

    __tablename__ = "appointment"

    person_id: Mapped[UUID]
    position_id: Mapped[UUID]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    basis: Mapped[str] = mapped_column(default="")
    fields: Mapped[list[Any]] = mapped_column(default=list)
    acting: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        belongs_to("person_id", "person"),
        belongs_to("position_id", "position"),
        UniqueConstraint("province", "person_id", "position_id", "valid_from"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="period"),
        Index("ix_appointment_person", "province", "person_id"),
        Index("ix_appointment_position", "province", "position_id"),
    )


class Delegation(Record):
    """A power lent in writing: from one appointment to one person, in one signing capacity, for a scope, between two instants.

    ``scope`` holds sector or document-type codes (empty: everything of the appointment). What was lent cannot be lent on.
    """

    __tablename__ = "delegation"

    delegator_id: Mapped[UUID]
    delegate_id: Mapped[UUID]
    capacity: Mapped[str]
    scope: Mapped[list[Any]] = mapped_column(default=list)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    basis: Mapped[str]

    __table_args__ = (
        belongs_to("delegator_id", "appointment"),
        belongs_to("delegate_id", "person"),
        CheckConstraint("ends_at > starts_at", name="period"),
        CheckConstraint("basis <> ''", name="basis"),
        Index("ix_delegation_delegate", "province", "delegate_id", "ends_at"),
    )
