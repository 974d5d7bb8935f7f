"""Properties of dates, times, durations and ranges behind a dot (clause 10.3.2.3, table 65)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from engine.feel import temporal
from engine.feel.equality import offset_of
from engine.feel.errors import FeelError
from engine.feel.types import ANY, BOOLEAN, DAYS, NUMBER, STRING, FeelType
from engine.feel.values import MonthsDuration, Range, kind_of

Reader = Callable[[Any], Any]


def property_of(value: Any, name: str) -> Any:
    """The property *name* of *value*.

    Raises:
        FeelError: ``feel.no_property`` when values of this type have no such property.
    """
    read = _PROPERTIES.get(type(value), {}).get(name)
    if read is None:
        raise FeelError("feel.no_property", name=name, found=kind_of(value))
    return read(value)


def _seconds(value: time | datetime) -> Decimal:
    return Decimal(value.second) if not value.microsecond else Decimal(value.second) + Decimal(value.microsecond).scaleb(-6)


def _signed(length: timedelta, part: Reader) -> Any:
    return -part(-length) if length < timedelta(0) else part(length)


def _months(value: MonthsDuration, part: Reader) -> Decimal:
    return Decimal(-part(-value.months) if value.months < 0 else part(value.months))


_DATE: dict[str, Reader] = {
    "year": lambda value: Decimal(value.year),
    "month": lambda value: Decimal(value.month),
    "day": lambda value: Decimal(value.day),
    "weekday": lambda value: Decimal(value.isoweekday()),
}
_TIME: dict[str, Reader] = {
    "hour": lambda value: Decimal(value.hour),
    "minute": lambda value: Decimal(value.minute),
    "second": _seconds,
    "time offset": offset_of,
    "timezone": temporal.zone_name,
}
_NAMES = {
    date: "date",
    datetime: "date and time",
    time: "time",
    timedelta: "days and time duration",
    MonthsDuration: "years and months duration",
    Range: "range",
}
_PROPERTIES: dict[type, dict[str, Reader]] = {
    date: _DATE,
    datetime: _DATE | _TIME,
    time: _TIME,
    timedelta: {
        "days": lambda value: _signed(value, lambda length: Decimal(length.days)),
        "hours": lambda value: _signed(value, lambda length: Decimal(length.seconds // 3600)),
        "minutes": lambda value: _signed(value, lambda length: Decimal(length.seconds // 60 % 60)),
        "seconds": lambda value: _signed(value, lambda length: Decimal(length.seconds % 60) + Decimal(length.microseconds).scaleb(-6)),
    },
    MonthsDuration: {
        "years": lambda value: _months(value, lambda months: months // 12),
        "months": lambda value: _months(value, lambda months: months % 12),
    },
    Range: {
        "start": lambda value: value.low,
        "end": lambda value: value.high,
        "start included": lambda value: value.low_closed,
        "end included": lambda value: value.high_closed,
    },
}
_TYPES: dict[str, FeelType] = {
    "time offset": DAYS,
    "timezone": STRING,
    "start included": BOOLEAN,
    "end included": BOOLEAN,
    "start": ANY,
    "end": ANY,
}
PROPERTY_TYPES: dict[str, dict[str, FeelType]] = {
    _NAMES[kind]: {name: _TYPES.get(name, NUMBER) for name in known} for kind, known in _PROPERTIES.items()
}
"""The properties of each type, by the name of the type, with their types."""
