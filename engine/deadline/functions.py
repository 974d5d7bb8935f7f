"""The working-time functions that expressions of a diagram may call, counted in one calendar from one instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from engine.deadline.calendar import ZONE, WorkingCalendar


def working_time(calendar: WorkingCalendar, now: datetime) -> Mapping[str, Callable[..., str]]:
    """Return ``working hours(n)`` and ``working days(n)``: the instant so much working time after *now*, as ISO 8601 text."""

    def working_hours(hours: Any) -> str:
        return calendar.add_working_minutes(now, int(float(hours) * 60)).isoformat()

    def working_days(days: Any) -> str:
        return calendar.closing(calendar.add_working_days(now.astimezone(ZONE).date(), int(days))).isoformat()

    return {"working hours": working_hours, "working days": working_days}
