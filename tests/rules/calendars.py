"""Builders the tests of the rules share: instants, and a plain calendar beside the published one."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import cache
from pathlib import Path

from engine.deadline.calendar import ZONE, Decision, HoursRule, WeekRule, WorkingCalendar, load_calendar

PUBLISHED = Path(__file__).parents[2] / "bpmn" / "_calendars" / "vietnam.toml"
EIGHT_HOURS = ((time(8), time(12)), (time(13), time(17)))


@cache
def vietnam(agency: str = "") -> WorkingCalendar:
    return load_calendar(PUBLISHED.read_bytes(), agency)


def plain_week(*decided: Decision, hours: tuple[tuple[time, time], ...] = EIGHT_HOURS) -> WorkingCalendar:
    """Monday to Friday, 08:00 to 12:00 and 13:00 to 17:00, approved for ever."""
    return WorkingCalendar(
        weeks=[WeekRule(frozenset({5, 6}), "week")], hours=[HoursRule(hours, "hours")], decided=decided, approved_until=date(9999, 12, 31)
    )


def local(text: str) -> datetime:
    """Return the instant of a local time, written like 2026-11-20T10:00."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)
