"""Deadlines as instants: durations, dates and cycles of ISO 8601, exact at month ends and independent of the server's zone."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_NUMBER = r"([0-9]{1,6})"
_DURATION = re.compile(
    rf"P(?:{_NUMBER}W|(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}(?:\.([0-9]{{1,6}}))?S)?)?)"
)
_CYCLE = re.compile(r"R([0-9]{0,4})/([^/]{1,60})(?:/([^/]{1,60}))?")
_MAX_CYCLES = 1000


class BadTime(ValueError):
    """A text that is not a duration, an instant with its zone, or a cycle we can honour exactly."""


@dataclass(frozen=True, slots=True)
class Duration:
    """Calendar *months* and an exact *rest*; months are counted in a civil calendar, the rest in elapsed time."""

    months: int
    rest: timedelta

    def after(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """Return the instant this much later, in UTC: 31 January plus one month is the last day of February."""
        if self.months:
            local = instant.astimezone(zone)
            year, month = divmod(local.year * 12 + local.month - 1 + self.months, 12)
            last = calendar.monthrange(year, month + 1)[1]
            instant = local.replace(year=year, month=month + 1, day=min(local.day, last))
        return instant.astimezone(UTC) + self.rest


@dataclass(frozen=True, slots=True)
class Cycle:
    """*times* repetitions (-1 without end) *every* so often, the first at *first*."""

    times: int
    first: datetime
    every: timedelta


def duration(text: str) -> Duration:
    """Read an ISO 8601 duration: no sign, at least one part that is not zero.

    Raises: BadTime.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or text.strip().endswith("T"):
        raise BadTime(text)
    weeks, years, months, days, hours, minutes, seconds, fraction = match.groups()
    rest = timedelta(
        weeks=int(weeks or 0),
        days=int(days or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=int(seconds or 0),
        microseconds=int((fraction or "").ljust(6, "0")),
    )
    length = Duration(int(years or 0) * 12 + int(months or 0), rest)
    if not length.months and not length.rest:
        raise BadTime(text)
    return length


def instant(text: str) -> datetime:
    """Read an instant that carries its zone, as UTC.

    Raises: BadTime, also for an instant without a zone: the server's own zone must never decide a deadline.
    """
    try:
        value = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadTime(text) from None
    if value.tzinfo is None:
        raise BadTime(text)
    return value.astimezone(UTC)


def cycle(text: str, now: datetime, zone: ZoneInfo) -> Cycle:
    """Read a repetition such as ``R3/PT1H`` or ``R/2026-01-05T08:00:00+07:00/P1D``; its period may not be months or years.

    Raises: BadTime.
    """
    match = _CYCLE.fullmatch(text.strip())
    if match is None:
        raise BadTime(text)
    count, first, second = match.groups()
    times = int(count) if count else -1
    period = duration(second or first)
    if period.months or times == 0 or times > _MAX_CYCLES:
        raise BadTime(text)
    return Cycle(times, instant(first) if second else period.after(now, zone), period.rest)


def is_literal(text: str) -> bool:
    """Whether *text* is a time written out, as most modelers store it, and not an expression."""
    for read in (duration, instant):
        try:
            read(text)
        except BadTime:
            continue
        return True
    return _CYCLE.fullmatch(text.strip()) is not None
