"""Conversion functions (10.3.4.1) and the boolean function (10.3.4.2)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, TypeVar

from engine.feel import numbers, temporal
from engine.feel.display import text_of
from engine.feel.errors import FeelError
from engine.feel.library.registry import builtin
from engine.feel.limits import Meter
from engine.feel.operations import passes
from engine.feel.values import MonthsDuration

Read = TypeVar("Read")


def _read(value: Read | None, expected: str) -> Read:
    if value is None:
        raise FeelError("feel.not_readable", expected=expected)
    return value


@builtin("date(from: string|date|date and time): date")
def date_from(_: Meter, value: str | date) -> date:
    """A date from text, or the date of a date and time."""
    if isinstance(value, str):
        return _read(temporal.read_date(value), "date")
    return value.date() if isinstance(value, datetime) else value


@builtin("date(year: number, month: number, day: number): date")
def date_of(_: Meter, year: Decimal, month: Decimal, day: Decimal) -> date:
    """A date from its parts."""
    try:
        return date(numbers.integer(year), numbers.integer(month), numbers.integer(day))
    except (ValueError, OverflowError):
        raise FeelError("feel.not_readable", expected="date") from None


@builtin("time(from: string|time|date and time): time")
def time_from(_: Meter, value: Any) -> time:
    """A time from text, or the time of a date and time."""
    if isinstance(value, str):
        return _read(temporal.read_time(value), "time")
    return value.timetz() if isinstance(value, datetime) else value


@builtin("time(hour: number, minute: number, second: number, offset?: days and time duration?): time")
def time_of(_: Meter, hour: Decimal, minute: Decimal, second: Decimal, offset: timedelta | None = None) -> time:
    """A time from its parts."""
    try:
        whole = int(second)
        micro = int(numbers.CONTEXT.multiply(second - whole, Decimal(1_000_000)))
        zone = None if offset is None else UTC if not offset else timezone(offset)
        return time(numbers.integer(hour), numbers.integer(minute), whole, micro, tzinfo=zone)
    except (ValueError, OverflowError):
        raise FeelError("feel.not_readable", expected="time") from None


@builtin("date and time(from: string|date and time): date and time")
def date_time_from(_: Meter, value: str | datetime) -> datetime:
    """A date and time from text; a date alone is its midnight."""
    if isinstance(value, datetime):
        return value
    read = temporal.read_date_time(value)
    if read is None:
        day = temporal.read_date(value)
        read = None if day is None else datetime(day.year, day.month, day.day)  # noqa: DTZ001 - without zone, as written
    return _read(read, "date and time")


@builtin("date and time(date: date|date and time, time: time): date and time")
def date_time_of(_: Meter, day: date, hour: time) -> datetime:
    """A date and time from a date and a time."""
    return datetime.combine(day.date() if isinstance(day, datetime) else day, hour)


@builtin("duration(from: string|days and time duration|years and months duration): Any")
def duration_from(_: Meter, value: Any) -> timedelta | MonthsDuration:
    """A duration of either kind from text."""
    if isinstance(value, str):
        read = temporal.read_duration(value)
        if read is None:
            raise FeelError("feel.not_readable", expected="duration")
        return read
    assert isinstance(value, timedelta | MonthsDuration)
    return value


@builtin("years and months duration(from: date|date and time, to: date|date and time): years and months duration")
def months_between(_: Meter, start: date, end: date) -> MonthsDuration:
    """The whole months between two dates."""
    if isinstance(start, datetime) and start.tzinfo and isinstance(end, datetime) and end.tzinfo:
        end = end.astimezone(start.tzinfo)
    if end < start if type(start) is type(end) is date else _position(end) < _position(start):
        return MonthsDuration(-months_between(_, end, start).months)
    months = (end.year - start.year) * 12 + end.month - start.month
    return MonthsDuration(months - (_position(end)[2:] < _position(start)[2:]))


def _position(moment: date) -> tuple[int, ...]:
    clock = (moment.hour, moment.minute, moment.second, moment.microsecond) if isinstance(moment, datetime) else (0, 0, 0, 0)
    return (moment.year, moment.month, moment.day, *clock)


@builtin("string(from: any): string")
def string(_: Meter, value: Any) -> str | None:
    """The value as text; null stays null."""
    return None if value is None else text_of(value)


_SEPARATORS = {" ", ",", "."}


@builtin("number(from: string|number): number")
def number_from(_: Meter, value: str | Decimal) -> Decimal:
    """A number from text with a decimal point."""
    return value if isinstance(value, Decimal) else number(_, value, None, None)


@builtin("number(from: string, grouping separator: string?, decimal separator: string?): number")
def number(_: Meter, text: str, grouping: str | None = None, point: str | None = None) -> Decimal:
    """A number from text with the separators named."""
    if grouping is not None and (grouping not in _SEPARATORS or grouping == point):
        raise FeelError("feel.separator")
    if point is not None and point not in {",", "."}:
        raise FeelError("feel.separator")
    if grouping is not None:
        text = text.replace(grouping, "")
    if point is not None:
        text = text.replace(point, ".")
    if not temporal.NUMBER.match(text):
        raise FeelError("feel.not_readable", expected="number")
    return numbers.literal(text)


@builtin("not(negand: any): boolean")
def negation(_: Meter, value: Any) -> bool | None:
    """True for false, false for true, null for null."""
    result = passes(value)
    return None if result is None else not result
