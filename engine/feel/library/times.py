"""Date and time functions (clauses 10.3.4.6 and 10.3.4.11)."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from engine.feel.equality import offset_of, same
from engine.feel.library.registry import builtin
from engine.feel.limits import Meter
from engine.feel.temporal import zone_name

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


@builtin("is(value1: any, value2: any): boolean")
def identical(_: Meter, one: Any, other: Any) -> bool:
    """Whether both are the same element of the semantic domain: of one type, with the same parts and the same zone."""
    if type(one) is not type(other):
        return False
    if isinstance(one, datetime | time):
        plain = one.replace(tzinfo=None) == other.replace(tzinfo=None)
        return (
            plain
            and (one.tzinfo is None) == (other.tzinfo is None)
            and (offset_of(one), zone_name(one)) == (offset_of(other), zone_name(other))
        )
    return same(one, other) is True or (one is None and other is None)


@builtin("day of year(date: date|date and time): number")
def day_of_year(_: Meter, day: date) -> Decimal:
    """The number of the day in its year."""
    return Decimal(day.timetuple().tm_yday)


@builtin("day of week(date: date|date and time): string")
def day_of_week(_: Meter, day: date) -> str:
    """The English name of the weekday."""
    return _DAYS[day.weekday()]


@builtin("month of year(date: date|date and time): string")
def month_of_year(_: Meter, day: date) -> str:
    """The English name of the month."""
    return _MONTHS[day.month - 1]


@builtin("week of year(date: date|date and time): number")
def week_of_year(_: Meter, day: date) -> Decimal:
    """The number of the week as ISO 8601 counts."""
    return Decimal(day.isocalendar().week)
