"""Who works where, kept in the memory of each process: the organisation changes a few times a day and is asked for at every click.

The database gives the organisation a new number whenever one of its rows changes, from a sequence and so never the same one twice,
not even after a rollback. A process that knows the number knows the whole organisation; one short statement a unit of work, or none
where a command reads the number together with the row it locks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, Engine, bindparam, event, inspect, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.kernel.session import engine_of
from engine.kernel.tables import Base, ProvinceKey
from engine.organisation.authority import ZONE
from engine.organisation.model import Appointment, Delegation, OrgUnit, Person, Position

WATCHED = (OrgUnit, Position, Person, Appointment, Delegation)
KNOWN = "organisation"
"""Where a session remembers the organisation whose number it has read."""

T = TypeVar("T")


class OrganisationChange(Base):
    """The number of the last change of a province's organisation; written by triggers."""

    __tablename__ = "organisation_change"

    province: Mapped[ProvinceKey]
    number: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True)
class Directory:
    """The organisation of a province at one number: copies of the records, in no session, never to be changed."""

    number: int
    units: dict[UUID, OrgUnit]
    names: Mapping[UUID, str]
    accounts: Mapping[int, UUID]
    """People by the account they sign in with."""
    held: Mapping[UUID, Sequence[tuple[Appointment, Position]]]
    """Appointments with their positions, by person, of all times."""
    lent: Mapping[UUID, Sequence[tuple[Appointment, Position, Delegation]]]
    """What was ever lent to a person."""
    concluded: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    """What was concluded from this organisation and is asked for again; it goes when the organisation changes."""

    def holdings(self, person_id: UUID, at: datetime) -> list[tuple[Appointment, Position]]:
        """Return what a person holds at an instant; appointments are dated in Vietnamese days."""
        today = at.astimezone(ZONE).date()
        return [(a, p) for a, p in self.held.get(person_id, ()) if a.valid_from <= today and (a.valid_to is None or a.valid_to > today)]

    def lendings(self, person_id: UUID, at: datetime) -> list[tuple[Appointment, Position, Delegation]]:
        """Return what is lent to a person at an instant, from appointments that still stand then."""
        today = at.astimezone(ZONE).date()
        return [
            (a, p, d)
            for a, p, d in self.lent.get(person_id, ())
            if d.starts_at <= at < d.ends_at and a.valid_from <= today and (a.valid_to is None or a.valid_to > today)
        ]


_known: WeakKeyDictionary[Engine, dict[int, Directory]] = WeakKeyDictionary()
_lock = Lock()


LAST = select(OrganisationChange.number).where(OrganisationChange.province == bindparam("province"))


def directory(session: Session, province: int) -> Directory:
    """Return the organisation as this session sees it now."""
    known: Directory | None = session.info.get(KNOWN)
    if known is None:
        known = session.info[KNOWN] = _numbered(session, province, session.scalar(LAST, {"province": province}) or 0)
    return known


def renumber(session: Session, province: int, number: int | None) -> None:
    """Go on with the number just read, together with a lock: what was concluded from an older one is forgotten."""
    known: Directory | None = session.info.get(KNOWN)
    if known is None or known.number != (number or 0):
        session.info[KNOWN] = _numbered(session, province, number or 0)
        _forget_standings(session)


def _numbered(session: Session, province: int, number: int) -> Directory:
    engine = engine_of(session)
    with _lock:
        found = _known.setdefault(engine, {}).get(province)
    if found is None or found.number != number:
        found = _read(session, province, number)
        with _lock:
            _known[engine][province] = found
    return found


def _forget_standings(session: Session) -> None:
    for key in [key for key in session.info if isinstance(key, tuple) and key[0] == "standing"]:
        del session.info[key]


def _read(session: Session, province: int, number: int) -> Directory:
    units, positions, people, appointments, delegations = (
        [_copy(one) for one in session.scalars(select(record).where(record.province == province))] for record in WATCHED
    )
    posts = {one.id: one for one in positions}
    held: dict[UUID, list[tuple[Appointment, Position]]] = {}
    by_id: dict[UUID, tuple[Appointment, Position]] = {}
    for one in appointments:
        by_id[one.id] = (one, posts[one.position_id])
        held.setdefault(one.person_id, []).append(by_id[one.id])
    lent: dict[UUID, list[tuple[Appointment, Position, Delegation]]] = {}
    for one in delegations:
        lent.setdefault(one.delegate_id, []).append((*by_id[one.delegator_id], one))
    accounts = {one.account_id: one.id for one in people if one.account_id is not None}
    return Directory(number, {one.id: one for one in units}, {one.id: one.full_name for one in people}, accounts, held, lent)


def _copy(record: Any) -> Any:
    """Return a record as it is, belonging to no session: whoever changes the organisation changes the record, never this copy."""
    return type(record)(**{column.key: getattr(record, column.key) for column in inspect(type(record)).column_attrs})


@event.listens_for(Session, "after_flush")
def _forget(session: Session, _context: object) -> None:
    """Let a session that changes the organisation read the number again."""
    if KNOWN in session.info and any(isinstance(one, WATCHED) for group in (session.new, session.dirty, session.deleted) for one in group):
        del session.info[KNOWN]
        _forget_standings(session)
