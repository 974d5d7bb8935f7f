"""What time it is at the office: the system's clock, in demo mode moved by one row, in tests wherever the test wants.

Every unit of work reads the clock once, at its beginning; no rule asks the database for the time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import BigInteger, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.kernel.tables import Base, ProvinceKey


class Clock(Protocol):
    """Whatever can say what time it is at the office."""

    def now(self, session: Session, province: int) -> datetime:
        """Return the aware instant, in UTC, at which the unit of work takes place."""
        ...


class SystemClock:
    """The computer's own clock."""

    def now(self, session: Session, province: int) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)


class DemoClock(Base):
    """How far a demonstration's clock is moved, in microseconds; one row per province, none means not moved."""

    __tablename__ = "demo_clock"

    province: Mapped[ProvinceKey]
    offset: Mapped[int] = mapped_column(BigInteger)


OFFSET = select(DemoClock.offset).where(DemoClock.province == bindparam("province"))


class ShiftedClock:
    """The computer's clock plus the offset kept in the database, so that every process sees the same office time."""

    def now(self, session: Session, province: int) -> datetime:
        """Return the present instant, moved by the stored offset."""
        offset = session.scalar(OFFSET, {"province": province}) or 0
        return datetime.now(UTC) + timedelta(microseconds=offset)


class MovableClock:
    """A clock that stands still until somebody moves it: for simulations and tests."""

    def __init__(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)

    def now(self, session: Session, province: int) -> datetime:
        """Return where the clock stands."""
        return self.at

    def move(self, by: timedelta) -> datetime:
        """Move the clock forward and return where it stands now."""
        self.at += by
        return self.at


def shift(session: Session, province: int, offset: timedelta) -> None:
    """Move the demonstration's clock to *offset* from the computer's."""
    row = insert(DemoClock).values(province=province, offset=offset // timedelta(microseconds=1))
    session.execute(row.on_conflict_do_update(index_elements=["province"], set_={"offset": row.excluded.offset}))
