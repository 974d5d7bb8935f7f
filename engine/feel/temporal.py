"""Dates, times and durations: reading and writing them, and their properties.

A date is ``datetime.date``, a time ``datetime.time``, a date and time ``datetime.datetime`` (each with or without a zone), a duration of
days and time ``datetime.timedelta``; a duration of years and months is ``values.MonthsDuration``.
"""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache

from engine.feel.values import MonthsDuration

Temporal = date | time | datetime | timedelta | MonthsDuration

_DATE = re.compile(r"(-?[0-9]{4,9})-([0-9]{2})-([0-9]{2})\Z")
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:([Zz])|([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?|@([A-Za-z0-9_+\-/]{1,64}))?\Z"
)
_MONTHS = re.compile(r"(-)?P(?=[0-9])(?:([0-9]{1,9})Y)?(?:([0-9]{1,9})M)?\Z")
_DAYS = re.compile(
    r"(-)?P(?=[0-9T])(?:([0-9]{1,12})D)?(?:T(?=[0-9])(?:([0-9]{1,12})H)?(?:([0-9]{1,12})M)?(?:([0-9]{1,15})(?:\.([0-9]{1,9}))?S)?)?\Z"
)


def read_date(text: str) -> date | None:
    """The date written as ``YYYY-MM-DD``, or None when there is no such day."""
    found = _DATE.match(text)
    if found is None or (len(found[1].lstrip("-")) > 4 and found[1].lstrip("-")[0] == "0"):
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def read_time(text: str) -> time | None:
    """The time written as ``hh:mm:ss`` with an optional fraction and an optional offset or ``@`` zone, or None."""
    found = _TIME.match(text)
    if found is None:
        return None
    zone = _zone_of(found)
    if zone is None and (found[5] or found[6] or found[10]):
        return None
    try:
        return time(int(found[1]), int(found[2]), int(found[3]), int((found[4] or "0")[:6].ljust(6, "0")), tzinfo=zone)
    except ValueError:
        return None


def read_date_time(text: str) -> datetime | None:
    """The date and time written with ``T`` between, or None."""
    day, middle, hour = text.partition("T")
    if not middle:
        return None
    on, at = read_date(day), read_time(hour)
    return None if on is None or at is None else datetime.combine(on, at)


def read_duration(text: str) -> timedelta | MonthsDuration | None:
    """The duration of either kind written in the ISO 8601 form of XML Schema, or None."""
    found = _MONTHS.match(text)
    if found is not None:
        months = int(found[2] or 0) * 12 + int(found[3] or 0)
        return MonthsDuration(-months if found[1] else months)
    found = _DAYS.match(text)
    if found is None or text.endswith("T"):
        return None
    try:
        length = timedelta(
            days=int(found[2] or 0),
            hours=int(found[3] or 0),
            minutes=int(found[4] or 0),
            seconds=int(found[5] or 0),
            microseconds=int((found[6] or "0")[:6].ljust(6, "0")),
        )
    except OverflowError:
        return None
    return -length if found[1] else length


def read_any(text: str) -> Temporal | None:
    """Whatever an ``@`` literal may hold: the first of duration, date and time, date, time that fits, or None."""
    if text.startswith(("P", "-P")):
        return read_duration(text)
    return read_date_time(text) or read_date(text) or read_time(text)


@lru_cache(256)
def zone(name: str) -> tzinfo | None:
    """The zone of this IANA name, or None; only names of the zone database are looked up, never paths."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _zone_of(found: re.Match[str]) -> tzinfo | None:
    if found[5]:
        return UTC
    if found[10]:
        return zone(found[10])
    if not found[6]:
        return None
    offset = timedelta(hours=int(found[7]), minutes=int(found[8]), seconds=int(found[9] or 0))
    if int(found[8]) > 59 or int(found[9] or 0) > 59 or offset > timedelta(hours=14):
        return None
    return timezone(-offset if found[6] == "-" else offset)


def zone_name(value: datetime | time) -> str | None:
    """The name of the value's zone, when it was given by name."""
    return value.tzinfo.key if isinstance(value.tzinfo, zoneinfo.ZoneInfo) else None


def text_of(value: Temporal) -> str:
    """The value as the literal that reads back as the same value."""
    if isinstance(value, datetime):
        return f"{value.date().isoformat()}T{_time_text(value.timetz())}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return _time_text(value)
    if isinstance(value, MonthsDuration):
        return str(value)
    return _days_text(value)


def _time_text(value: time) -> str:
    text = value.replace(tzinfo=None).isoformat()
    if "." in text:
        text = text.rstrip("0")
    if value.tzinfo is None:
        return text
    if isinstance(value.tzinfo, zoneinfo.ZoneInfo):
        return f"{text}@{value.tzinfo.key}"
    offset = value.tzinfo.utcoffset(None) or timedelta(0)
    if not offset:
        return text + "Z"
    seconds = abs(int(offset.total_seconds()))
    shown = f"{seconds // 3600:02}:{seconds // 60 % 60:02}" + (f":{seconds % 60:02}" if seconds % 60 else "")
    return f"{text}{'-' if offset < timedelta(0) else '+'}{shown}"


def _days_text(value: timedelta) -> str:
    length = abs(value)
    hours, rest = divmod(length.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{length.microseconds:06}".rstrip("0") if length.microseconds else ""
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + (f"{seconds}{fraction}S" if seconds or fraction else "")
    shown = (f"{length.days}D" if length.days else "") + (f"T{clock}" if clock else "")
    return ("-" if value < timedelta(0) else "") + "P" + (shown or "T0S")


def add_months(on: date, months: int) -> date:
    """The same day *months* later; a day the month does not have becomes its last day. Keeps the time of a date and time.

    Raises:
        ValueError, OverflowError: outside the years 1 to 9999.
    """
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    if month == 1:
        last = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    else:
        last = 30 if month in (3, 5, 8, 10) else 31
    return on.replace(year=year, month=month + 1, day=min(on.day, last))


NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,5})?\Z")
"""A number as the conversion function reads it."""
