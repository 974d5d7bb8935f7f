"""Units, positions, people, appointments, delegations and keys: all dated, all journalled."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from engine.accounts.model import Account
from engine.documents.model import SigningKey
from engine.errors import NotFound, Refused
from engine.kernel.identifiers import new_id
from engine.kernel.search import fold
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.standing import acting, require_administrator
from engine.organisation.model import LEVELS, Appointment, Delegation, OrgUnit, Person, Position
from engine.organisation.names import sort_key

ROLES = (
    "reception_officer",
    "return_officer",
    "cashier",
    "specialist",
    "division_head",
    "division_deputy",
    "head",
    "deputy_head",
    "agency_clerk",
    "unit_clerk",
    "office_chief",
    "office_deputy",
    "centre_leader",
    "procedure_controller",
    "procedure_designer",
    "procedure_approver",
    "personnel_officer",
    "technical_administrator",
    "inspector",
)


def add_unit(
    w: UnitOfWork,
    *,
    name: str,
    level: str,
    agency_code: str,
    parent_id: UUID | None = None,
    name_en: str = "",
    short_name: str = "",
    symbol: str = "",
    place_name: str = "",
    address: str = "",
    phone: str = "",
    valid_from: date,
    legal_basis: str = "",
) -> OrgUnit:
    """Establish a unit from a day on, by a legal act."""
    require_administrator(w)
    if not name.strip():
        raise Refused("organisation.name_missing", field="name")
    if level not in LEVELS:
        raise Refused("organisation.level_unknown", field="level", allowed=", ".join(LEVELS))
    taken = w.session.scalar(
        select(OrgUnit.id).where(OrgUnit.province == w.province, OrgUnit.agency_code == agency_code, OrgUnit.valid_from == valid_from)
    )
    if taken is not None or not agency_code.strip():
        raise Refused("organisation.code_taken", field="agency_code")
    unit = OrgUnit(
        province=w.province,
        id=new_id(),
        name=name.strip(),
        name_en=name_en,
        level=level,
        agency_code=agency_code.strip(),
        parent_id=parent_id,
        short_name=short_name or name,
        symbol=symbol,
        place_name=place_name,
        address=address,
        phone=phone,
        valid_from=valid_from,
        legal_basis=legal_basis,
    )
    w.session.add(unit)
    w.session.flush()
    w.record("unit.established", None, unit=str(unit.id), level=level, agency_code=unit.agency_code)
    return unit


def add_person(w: UnitOfWork, full_name: str, *, email: str = "", account_id: int | None = None) -> Person:
    """Enter a person; what they may do comes with an appointment."""
    require_administrator(w)
    if not full_name.strip():
        raise Refused("organisation.name_missing", field="full_name")
    person = Person(
        province=w.province,
        id=new_id(),
        full_name=full_name.strip(),
        email=email,
        account_id=account_id,
        sort_key=sort_key(full_name),
        folded=fold(full_name),
    )
    w.session.add(person)
    w.session.flush()
    w.record("person.entered", None, person=str(person.id))
    return person


def add_position(w: UnitOfWork, unit_id: UUID, title: str, role: str, *, title_en: str = "", rank: int = 3) -> Position:
    """Create a post in a unit, with the role it plays."""
    require_administrator(w)
    if role not in ROLES:
        raise Refused("organisation.role_unknown", field="role", allowed=", ".join(ROLES))
    if not title.strip():
        raise Refused("organisation.name_missing", field="title")
    position = Position(province=w.province, id=new_id(), unit_id=unit_id, title=title.strip(), title_en=title_en, role=role, rank=rank)
    w.session.add(position)
    w.session.flush()
    w.record("position.created", None, position=str(position.id), role=role, unit=str(unit_id))
    return position


def appoint(
    w: UnitOfWork, person_id: UUID, position_id: UUID, valid_from: date, *, valid_to: date | None = None, basis: str = ""
) -> Appointment:
    """Appoint a person to a position from a day on, by a decision."""
    require_administrator(w)
    if valid_to is not None and valid_to <= valid_from:
        raise Refused("organisation.period_empty", field="valid_to")
    appointment = Appointment(
        province=w.province,
        id=new_id(),
        person_id=person_id,
        position_id=position_id,
        valid_from=valid_from,
        valid_to=valid_to,
        basis=basis,
        fields=[],
    )
    w.session.add(appointment)
    w.session.flush()
    w.record("person.appointed", None, appointment=str(appointment.id), person=str(person_id), position=str(position_id))
    return appointment


def end_appointment(w: UnitOfWork, appointment_id: UUID, valid_to: date) -> None:
    """End an appointment at the beginning of a day."""
    require_administrator(w)
    appointment = w.session.get(Appointment, (w.province, appointment_id))
    if appointment is None:
        raise NotFound("organisation.appointment_not_found")
    if valid_to <= appointment.valid_from:
        raise Refused("organisation.period_empty", field="valid_to")
    appointment.valid_to = valid_to
    w.record("appointment.ended", None, appointment=str(appointment_id), valid_to=valid_to.isoformat())


def delegate(w: UnitOfWork, delegate_id: UUID, *, capacity: str, starts_at: datetime, ends_at: datetime, basis: str) -> Delegation:
    """Lend one's own power in writing, for a time; what was lent cannot be lent on (NĐ 30/2020/NĐ-CP, Điều 13).

    Raises:
        Refused: without a basis, for an empty period, or from a power that is itself lent.
    """
    person = acting(w)
    own = next((s for s in person.seats if s.delegation_id is None), None)
    if own is None:
        raise Refused("organisation.delegation_not_own")
    if not basis.strip():
        raise Refused("organisation.basis_missing", field="basis")
    if ends_at <= starts_at or ends_at <= w.now:
        raise Refused("organisation.period_empty", field="ends_at")
    if delegate_id == person.person_id:
        raise Refused("organisation.delegation_to_self", field="person")
    lent = Delegation(
        province=w.province,
        id=new_id(),
        delegator_id=own.appointment_id,
        delegate_id=delegate_id,
        capacity=capacity,
        scope=[],
        starts_at=starts_at,
        ends_at=ends_at,
        basis=basis.strip(),
    )
    w.session.add(lent)
    w.session.flush()
    w.record("power.delegated", None, delegation=str(lent.id), by=str(person.person_id), to=str(delegate_id), capacity=capacity)
    return lent


def register_key(
    w: UnitOfWork,
    reference: str,
    kind: str,
    certificate: bytes,
    chain: list[str],
    valid_from: datetime,
    valid_to: datetime,
    *,
    person_id: UUID | None = None,
    unit_id: UUID | None = None,
    approval: str = "pin",
) -> SigningKey:
    """Let a key in custody be used for a person's or an agency's signatures; *approval* says how its holder authorises one."""
    require_administrator(w)
    key = SigningKey(
        province=w.province,
        id=new_id(),
        reference=reference,
        kind=kind,
        person_id=person_id,
        unit_id=unit_id,
        certificate=certificate,
        chain=chain,
        valid_from=valid_from,
        valid_to=valid_to,
        approval=approval,
    )
    w.session.add(key)
    w.session.flush()
    w.record("key.registered", None, key=str(key.id), kind=kind)
    return key


def link_account(w: UnitOfWork, person_id: UUID, email: str) -> Account:
    """Give a person an account to sign in with; the password is set apart."""
    require_administrator(w)
    account = w.session.scalars(select(Account).where(Account.email == email.strip().lower())).one_or_none()
    if account is None:
        account = Account(email=email.strip().lower(), kind="staff", active=True, created_at=w.now)
        w.session.add(account)
        w.session.flush()
    person = w.session.get(Person, (w.province, person_id))
    if person is None:
        raise NotFound("organisation.person_not_found")
    person.account_id, account.display_name = account.id, person.full_name
    w.record("account.linked", None, person=str(person_id), account=account.id)
    return account


def describe(unit: OrgUnit) -> Json:
    """Return a unit as plain values."""
    return {"id": str(unit.id), "name": unit.name, "name_en": unit.name_en, "level": unit.level, "agency_code": unit.agency_code}
