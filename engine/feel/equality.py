"""When two values are equal and how they are ordered (clause 10.3.2.13); no modes here: None where the standard says null."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from engine.feel.values import Function, MonthsDuration, Range

PLAIN = frozenset((str, bool, Decimal, date, timedelta, MonthsDuration))
"""Types whose values Python compares as the standard does."""
ORDERED = frozenset((str, Decimal, date, timedelta, MonthsDuration))


def same(one: Any, other: Any) -> bool | None:
    """Whether both are equal; None when they are of different kinds, so that the question has no answer."""
    kind = type(one)
    if kind is type(other):
        if kind in PLAIN:
            return bool(one == other)
        if kind is list:
            return len(one) == len(other) and all(same(a, b) is True for a, b in zip(one, other, strict=True))
        if kind is dict:
            return one.keys() == other.keys() and all(same(item, other[key]) is True for key, item in one.items())
        if kind is datetime:
            return same_instant(one, other)
        if kind is time:
            return same_time(one, other)
        if kind is Range:
            return (one.low_closed, one.high_closed) == (other.low_closed, other.high_closed) and (
                same(one.low, other.low) is True and same(one.high, other.high) is True
            )
        if isinstance(one, Function):
            return one is other
        return bool(one == other)
    if one is None or other is None:
        return False
    return None


def same_instant(one: datetime, other: datetime) -> bool:
    """Whether two dates with time are one instant; never when only one of them knows its zone."""
    if (one.tzinfo is None) != (other.tzinfo is None):
        return False
    return one == other if one.tzinfo is None else one.astimezone(UTC) == other.astimezone(UTC)


def same_time(one: time, other: time) -> bool:
    """Whether two times of day are the same; never when only one of them knows its offset."""
    return (one.tzinfo is None) == (other.tzinfo is None) and seconds_of(one) == seconds_of(other)


def seconds_of(value: time) -> Decimal:
    """Seconds since midnight, less the offset; a zone without a fixed offset counts with its winter time."""
    offset = offset_of(value)
    seconds = Decimal(value.hour * 3600 + value.minute * 60 + value.second) + Decimal(value.microsecond).scaleb(-6)
    return seconds if offset is None else seconds - int(offset.total_seconds())


def offset_of(value: datetime | time) -> timedelta | None:
    """The offset from UTC; a time of day in a named zone has the offset the zone has on 1 January 2000."""
    if value.tzinfo is None:
        return None
    if isinstance(value, datetime):
        return value.utcoffset()
    return value.tzinfo.utcoffset(datetime.combine(date(2000, 1, 1), value.replace(tzinfo=None)))


def before(one: Any, other: Any) -> bool | None:
    """Whether *one* < *other*; None when the values have no order. Of two values one without offset borrows the other's (table 54)."""
    kind = type(one)
    if kind is not type(other):
        return None
    if kind in ORDERED:
        return bool(one < other)
    if kind is datetime:
        if (one.tzinfo is None) != (other.tzinfo is None):
            one, other = one.replace(tzinfo=one.tzinfo or other.tzinfo), other.replace(tzinfo=other.tzinfo or one.tzinfo)
        return bool(one < other if one.tzinfo is None else one.astimezone(UTC) < other.astimezone(UTC))
    if kind is time:
        if (one.tzinfo is None) != (other.tzinfo is None):
            one, other = one.replace(tzinfo=None), other.replace(tzinfo=None)
        return seconds_of(one) < seconds_of(other)
    return None


def within(value: Any, interval: Range) -> bool | None:
    """Whether *value* lies in *interval*; None when it cannot be compared with an end."""
    low, high = interval.low, interval.high
    if value is None or (low is None and high is None):
        return None
    result: bool | None = True
    if low is not None:
        below = before(low, value)
        if below is None:
            result = None
        elif not below and not (interval.low_closed and same(low, value)):
            return False
    if high is not None:
        above = before(value, high)
        if above is None:
            return None
        if not above and not (interval.high_closed and same(high, value)):
            return False
    return result
