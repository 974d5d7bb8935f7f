"""The working calendar: which days and hours an office works, decided by which act.

A calendar is rules (the week, the yearly holidays, the office hours of each season) and dated decisions that overrule them: Tết windows,
compensatory days, exchanged days, half days, closures. Everything is read from ``bpmn/_calendars/*.toml``; nothing here knows a date of
the law. All instants are aware; days are days of Asia/Ho_Chi_Minh.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
ONE_DAY = timedelta(days=1)
Span = tuple[time, time]


class DayKind(enum.StrEnum):
    """What a day is to an office."""

    WORKING = "working"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    COMPENSATORY_OFF = "compensatory_off"
    SWAP_OFF = "swap_off"
    MAKEUP_WORK = "makeup_work"
    HALF_DAY = "half_day"
    CLOSURE = "closure"


WORKED = frozenset({DayKind.WORKING, DayKind.MAKEUP_WORK, DayKind.HALF_DAY})


@dataclass(frozen=True, slots=True)
class Day:
    """One day of an office: its kind, the hours the doors are open, and the act that decided it."""

    on: date
    kind: DayKind
    hours: tuple[Span, ...]
    legal_basis: str
    name: str = ""

    @property
    def working(self) -> bool:
        """Say whether the day counts as a working day."""
        return self.kind in WORKED

    @property
    def length(self) -> timedelta:
        """The working time of the day."""
        return sum((at(self.on, close) - at(self.on, open_) for open_, close in self.hours), timedelta())


@dataclass(frozen=True, slots=True)
class WeekRule:
    """Which days of the week (Monday = 0) are rest days, from when until when (half-open)."""

    rest: frozenset[int]
    legal_basis: str
    valid_from: date = date.min
    valid_to: date = date.max


@dataclass(frozen=True, slots=True)
class AnnualRule:
    """A holiday on the same solar date every year."""

    month: int
    day: int
    legal_basis: str
    name: str = ""
    valid_from: date = date.min
    valid_to: date = date.max


@dataclass(frozen=True, slots=True)
class HoursRule:
    """The office hours of an agency (empty: of all) in a season (month and day, both included; empty: all year)."""

    spans: tuple[Span, ...]
    legal_basis: str
    agency: str = ""
    season: tuple[tuple[int, int], tuple[int, int]] | None = None
    valid_from: date = date.min
    valid_to: date = date.max

    def applies(self, on: date) -> bool:
        """Say whether the rule is in force and in season on a day."""
        if not self.valid_from <= on < self.valid_to:
            return False
        if self.season is None:
            return True
        first, last = self.season
        today = (on.month, on.day)
        return first <= today <= last if first <= last else today >= first or today <= last


@dataclass(frozen=True, slots=True)
class Decision:
    """A day decided by an act, for one agency (empty: for all); hours only when they differ from the office hours."""

    on: date
    kind: DayKind
    legal_basis: str
    name: str = ""
    agency: str = ""
    hours: tuple[Span, ...] | None = None


def at(on: date, clock: time) -> datetime:
    """Return the instant of a clock time on a day of Asia/Ho_Chi_Minh."""
    return datetime.combine(on, clock, ZONE)


def concerns(rule_agency: str, agency: str) -> bool:
    """Say whether a rule of one agency binds another: itself and everything below it; no agency binds all."""
    return rule_agency in ("", agency) or agency.startswith(f"{rule_agency}.")


@dataclass(frozen=True, eq=False)
class WorkingCalendar:
    """The days and hours of one agency, and the arithmetic on them."""

    weeks: Sequence[WeekRule]
    hours: Sequence[HoursRule]
    annual: Sequence[AnnualRule] = ()
    decided: Sequence[Decision] = ()
    approved_until: date | None = None
    counting_acts: Mapping[str, str] = field(default_factory=dict)
    agency: str = ""
    _decided: dict[date, Decision] = field(init=False, repr=False, default_factory=dict)
    _days: dict[date, Day] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        for decision in sorted(self.decided, key=lambda d: len(d.agency)):
            if concerns(decision.agency, self.agency):
                self._decided[decision.on] = decision

    def day(self, on: date) -> Day:
        """Return what a day is: the decision about it, else the yearly holiday, else the rule of the week."""
        found = self._days.get(on)
        if found is None:
            found = self._days[on] = self._judge(on)
        return found

    def working(self, on: date) -> bool:
        """Say whether the office works on a day."""
        return self.day(on).working

    def ordinary_length(self, on: date) -> timedelta:
        """Return the length of a full working day in the season of *on*, whatever *on* itself is."""
        return Day(on, DayKind.WORKING, self.office_hours(on).spans, "").length

    def office_hours(self, on: date) -> HoursRule:
        """Return the office hours in force: those of the nearest agency above win over the general ones.

        Raises:
            LookupError: the calendar grants no hours on that day.
        """
        found = [r for r in self.hours if r.applies(on) and concerns(r.agency, self.agency)]
        if not found:
            raise LookupError(f"no office hours on {on.isoformat()}")
        return max(found, key=lambda r: (len(r.agency), r.valid_from))

    def opening(self, on: date) -> datetime:
        """Return the instant the office opens on a working day."""
        return at(on, self._spans(on)[0][0])

    def closing(self, on: date) -> datetime:
        """Return the instant the office closes on a working day."""
        return at(on, self._spans(on)[-1][1])

    def next_working(self, on: date) -> date:
        """Return the first working day after a day."""
        return self.add_working_days(on, 1)

    def add_working_days(self, on: date, days: int) -> date:
        """Return the day on which the *days*-th working day after *on* falls; *on* itself when *days* is 0.

        The first day is not counted (Civil Code 2015, art. 147.2). ``days`` must not be negative.
        """
        if days < 0:
            raise ValueError("a term is not counted backwards")
        for step in self._walk(on + ONE_DAY):
            if days == 0:
                return on
            if step.working:
                days, on = days - 1, step.on
        raise AssertionError("the walk does not end")

    def day_before(self, instant: datetime) -> datetime:
        """Return the same hour one working day earlier: the last working day before the day of *instant*."""
        local = instant.astimezone(ZONE)
        on = local.date() - ONE_DAY
        while not self.working(on):
            on -= ONE_DAY
        return datetime.combine(on, local.timetz())

    def working_days_between(self, start: date, end: date) -> int:
        """Return how many working days lie after *start*, up to and with *end*; negative when *end* is earlier."""
        if end < start:
            return -self.working_days_between(end, start)
        return sum(self.working(start + ONE_DAY * n) for n in range(1, (end - start).days + 1))

    def add_working_time(self, start: datetime, amount: timedelta) -> datetime:
        """Return the earliest instant by which *amount* of working time has passed since *start*."""
        if amount < timedelta():
            raise ValueError("a term is not counted backwards")
        if not amount:
            return start
        for day in self._walk(start.astimezone(ZONE).date()):
            for open_, close in _spans_at(day):
                begin = max(open_, start)
                if begin >= close:
                    continue
                if amount <= close - begin:
                    return (begin + amount).astimezone(ZONE)
                amount -= close - begin
        raise AssertionError("the walk does not end")

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """Return the working time from *start* to *end*; negative when *end* is earlier."""
        if end < start:
            return -self.working_time_between(end, start)
        first, last = start.astimezone(ZONE).date(), end.astimezone(ZONE).date()
        total = timedelta()
        for n in range((last - first).days + 1):
            for open_, close in _spans_at(self.day(first + ONE_DAY * n)):
                total += max(min(close, end) - max(open_, start), timedelta())
        return total

    def add_working_minutes(self, start: datetime, minutes: int) -> datetime:
        """Return the instant *minutes* working minutes after *start*."""
        return self.add_working_time(start, timedelta(minutes=minutes))

    def working_minutes_between(self, start: datetime, end: datetime) -> int:
        """Return the whole working minutes from *start* to *end*."""
        return int(self.working_time_between(start, end) / timedelta(minutes=1))

    def provisional(self, on: date) -> bool:
        """Say whether a day lies beyond the last approved year, so that a date resting on it may still move."""
        return self.approved_until is None or on > self.approved_until

    def _spans(self, on: date) -> tuple[Span, ...]:
        hours = self.day(on).hours
        if not hours:
            raise LookupError(f"the office is closed on {on.isoformat()}")
        return hours

    def _walk(self, on: date) -> Iterator[Day]:
        """Yield the days from *on*; a calendar that never works again is an error, not an endless loop."""
        idle = 0
        while idle < 366:
            day = self.day(on)
            idle = 0 if day.working else idle + 1
            yield day
            on += ONE_DAY
        raise LookupError(f"the calendar has no working day in the year before {on.isoformat()}")

    def _judge(self, on: date) -> Day:
        decision = self._decided.get(on)
        if decision is not None:
            hours = decision.hours if decision.hours is not None else self.office_hours(on).spans
            return Day(on, decision.kind, hours if decision.kind in WORKED else (), decision.legal_basis, decision.name)
        for yearly in self.annual:
            if (yearly.month, yearly.day) == (on.month, on.day) and yearly.valid_from <= on < yearly.valid_to:
                return Day(on, DayKind.HOLIDAY, (), yearly.legal_basis, yearly.name)
        week = max((w for w in self.weeks if w.valid_from <= on < w.valid_to), key=lambda w: w.valid_from, default=None)
        if week is None:
            raise LookupError(f"no rule of the week on {on.isoformat()}")
        if on.weekday() in week.rest:
            return Day(on, DayKind.WEEKEND, (), week.legal_basis)
        rule = self.office_hours(on)
        return Day(on, DayKind.WORKING, rule.spans, rule.legal_basis)


def _spans_at(day: Day) -> Iterator[tuple[datetime, datetime]]:
    for open_, close in day.hours:
        yield at(day.on, open_), at(day.on, close)


def load_calendar(toml: bytes, agency: str = "") -> WorkingCalendar:
    """Return the calendar a TOML file describes, as it binds one agency.

    Raises:
        Refused: ``calendar.invalid``, with the place in the file.
    """
    from engine.deadline.calendar_file import read_calendar

    return read_calendar(toml, agency)
