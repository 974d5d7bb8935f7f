"""The time of one step, and how much working time is left before a due date."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.deadline.calendar import WorkingCalendar


def stage_due(opened_at: datetime, hours: float, calendar: WorkingCalendar) -> datetime:
    """Return when a step of so many working hours, open since *opened_at*, should be done.

    A step's hours divide the term among the desks; they never extend it.
    """
    return calendar.add_working_time(opened_at, timedelta(hours=hours))


def remaining(now: datetime, due_at: datetime, calendar: WorkingCalendar) -> timedelta:
    """Return the working time left until *due_at*; negative when it is late."""
    return calendar.working_time_between(now, due_at)
