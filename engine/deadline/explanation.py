"""Why this date: one line for each day from reception to the due date, with the act behind every day that does not count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

from engine.deadline.calendar import ONE_DAY, ZONE, Day, DayKind, WorkingCalendar, at
from engine.deadline.term import Due, Extension, Pause, Term, due, stretches

HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class DayLine:
    """One day of the count.

    ``counted`` is what the day adds and ``running`` the sum so far, both in the unit of the term (hours for working hours, else days).
    ``reason_code`` is a sentence of the catalogue; ``act`` names the law or decision behind it; ``ran`` and ``stood`` are the working time
    in which the clock ran and stood still on that day.
    """

    on: date
    kind: DayKind
    counted: Decimal
    running: Decimal
    reason_code: str
    act: str
    name: str = ""
    ran: timedelta = timedelta()
    stood: timedelta = timedelta()


def explain(
    received_at: datetime, term: Term, pauses: Iterable[Pause], calendar: WorkingCalendar, extension: Extension | None = None
) -> list[DayLine]:
    """Return the day-by-day reason of the due date; while the clock stands still, the days until it stopped."""
    ledger = tuple(pauses)
    answer = due(received_at, term, ledger, calendar, extension)
    stood = stretches(ledger, received_at)
    end = answer.at or stood[-1][0]
    count = _Count(received_at, term, calendar, answer, [(s, r or end) for s, r in stood], end)
    first, last = received_at.astimezone(ZONE).date(), end.astimezone(ZONE).date()
    return [count.line(first + ONE_DAY * n) for n in range(max((last - first).days, 0) + 1)]


class _Count:
    """The running count while the days are walked in order."""

    def __init__(
        self,
        received_at: datetime,
        term: Term,
        calendar: WorkingCalendar,
        answer: Due,
        stood: list[tuple[datetime, datetime]],
        end: datetime,
    ) -> None:
        self.received_at, self.term, self.calendar, self.answer, self.stood, self.end = received_at, term, calendar, answer, stood, end
        self.first = received_at.astimezone(ZONE).date()
        self.start_on = answer.counted_from.astimezone(ZONE).date()
        self.last = end.astimezone(ZONE).date()
        self.total = Fraction(1 if term.unit == "same_day" else term.amount)
        self.running = Fraction()

    def line(self, on: date) -> DayLine:
        """Return the line of the next day."""
        day = self.calendar.day(on)
        ran, stopped = self._clock(day)
        added, reason = self._judge(day, ran, stopped)
        added = min(added, self.total - self.running)
        self.running += added
        return DayLine(on, day.kind, _decimal(added), _decimal(self.running), reason, self._act(day, reason), day.name, ran, stopped)

    def _clock(self, day: Day) -> tuple[timedelta, timedelta]:
        """Return the working time of a day in which the clock ran and in which it stood still."""
        midnight = at(day.on, time.min)
        begin, until = max(midnight, self.answer.counted_from), min(midnight + ONE_DAY, self.end)
        if begin >= until:
            return timedelta(), timedelta()
        between = self.calendar.working_time_between
        stopped = sum((between(max(s, begin), min(r, until)) for s, r in self.stood if max(s, begin) < min(r, until)), timedelta())
        return between(begin, until) - stopped, stopped

    def _judge(self, day: Day, ran: timedelta, stopped: timedelta) -> tuple[Fraction, str]:
        if day.on < self.start_on:
            return Fraction(), "deadline.day.before_restart"
        if self.term.unit == "calendar_day":
            return self._judge_calendar_day(day)
        if not day.working:
            return Fraction(), f"deadline.day.{day.kind.value}"
        if self.term.unit == "same_day":
            return self._judge_same_day(day, stopped)
        if day.on == self.start_on and self._by_days:
            return Fraction(), "deadline.day.received" if day.on == self.first else "deadline.day.restarted"
        if not ran:
            return Fraction(), "deadline.day.suspended" if stopped else "deadline.day.outside_hours"
        if self.running >= self.total:
            return Fraction(), "deadline.day.made_up"
        return self._share(day, ran, stopped), self._counted(day, stopped)

    @property
    def _by_days(self) -> bool:
        return self.term.unit == "working_day" and self.term.counting == "day"

    def _share(self, day: Day, ran: timedelta, stopped: timedelta) -> Fraction:
        if self.term.unit == "working_hour":
            return Fraction(ran // timedelta(seconds=1), 3600)
        if self._by_days:
            whole = day.length
            return Fraction((whole - stopped if day.on != self.last else ran) // timedelta(seconds=1), whole // timedelta(seconds=1))
        return Fraction(ran // timedelta(seconds=1), self.calendar.ordinary_length(day.on) // timedelta(seconds=1))

    def _counted(self, day: Day, stopped: timedelta) -> str:
        if stopped:
            return "deadline.day.suspended_part"
        return f"deadline.day.{day.kind.value if day.kind in (DayKind.MAKEUP_WORK, DayKind.HALF_DAY) else 'counted'}"

    def _judge_same_day(self, day: Day, stopped: timedelta) -> tuple[Fraction, str]:
        if day.on == self.last and self.answer.at is not None:
            same = day.on == self.start_on
            return self.total, "deadline.day.same_day" if same else "deadline.day.next_day" if not self.stood else "deadline.day.made_up"
        if stopped:
            return Fraction(), "deadline.day.suspended_part"
        if day.on == self.start_on:
            cutoff = self.term.cutoff
            after = cutoff is not None and self.answer.counted_from.astimezone(ZONE).time() > cutoff
            return Fraction(), "deadline.day.after_cutoff" if after else "deadline.day.outside_hours"
        return Fraction(), "deadline.day.next_day"

    def _judge_calendar_day(self, day: Day) -> tuple[Fraction, str]:
        if day.on == self.start_on:
            return Fraction(), "deadline.day.received" if day.on == self.first else "deadline.day.restarted"
        if any(s.astimezone(ZONE).date() < day.on <= r.astimezone(ZONE).date() for s, r in self.stood):
            return Fraction(), "deadline.day.suspended"
        if self.running >= self.total:
            return Fraction(), "deadline.day.made_up" if day.working else f"deadline.day.{day.kind.value}"
        if self.running + 1 == self.total and not day.working and day.on != self.last:
            return Fraction(1), "deadline.day.last_day_off"
        return Fraction(1), "deadline.day.counted_calendar"

    def _act(self, day: Day, reason: str) -> str:
        own = self.calendar.counting_acts.get(reason.rsplit(".", 1)[-1])
        if own:
            return own
        if not day.working or day.kind is not DayKind.WORKING:
            return day.legal_basis
        return self.term.legal_basis


def _decimal(share: Fraction) -> Decimal:
    exact = (Decimal(share.numerator) / Decimal(share.denominator)).quantize(HUNDREDTH)
    return exact.normalize() if exact != exact.to_integral() else exact.quantize(Decimal(1))
