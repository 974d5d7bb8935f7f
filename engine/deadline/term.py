"""The term: what the law grants, when the clock stood still, and the due date that follows.

A due date is an answer, never a fact: it is computed from the reception, the granted term, the suspensions and the calendar whenever
it is asked for.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from fractions import Fraction
from typing import Any, Literal, get_args

from engine.deadline.calendar import ONE_DAY, ZONE, WorkingCalendar
from engine.errors import Refused

Unit = Literal["same_day", "working_hour", "working_day", "calendar_day"]
Counting = Literal["day", "hour"]
OnSupplement = Literal["resume", "restart"]


class OutcomeClass(enum.StrEnum):
    """How a finished dossier stands against its due date."""

    EARLY = "early"
    ON_TIME = "on_time"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Term:
    """What a procedure grants: an amount of a unit, the way of counting it, and the act that says so.

    ``same_day`` needs no amount: the result is due before the office closes, or the next working day when received after ``cutoff``.
    """

    amount: int
    unit: Unit = "working_day"
    counting: Counting = "day"
    cutoff: time | None = None
    on_supplement: OnSupplement = "resume"
    legal_basis: str = ""

    def __post_init__(self) -> None:
        for value, allowed, name in (
            (self.unit, Unit, "unit"),
            (self.counting, Counting, "counting"),
            (self.on_supplement, OnSupplement, "on_supplement"),
        ):
            if value not in get_args(allowed):
                raise Refused("deadline.term_word_unknown", field=name, word=str(value), allowed=", ".join(get_args(allowed)))
        if self.unit != "same_day" and self.amount < 1:
            raise Refused("deadline.term_amount_not_positive", field="amount", amount=self.amount)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Term:
        """Return the term a ``[term]`` table of a procedure (or its JSON copy in a dossier) describes.

        Raises:
            Refused: a word or an amount is wrong.
        """
        cutoff = row.get("cutoff")
        try:
            amount = int(row.get("amount") or 0)
            limit = time.fromisoformat(cutoff) if isinstance(cutoff, str) and cutoff else cutoff or None
        except (TypeError, ValueError) as wrong:
            raise Refused("deadline.term_unreadable", field="term", problem=str(wrong)) from wrong
        return cls(
            amount=amount,
            unit=row.get("unit", "working_day"),
            counting=row.get("counting", "day"),
            cutoff=limit,
            on_supplement=row.get("on_supplement", "resume"),
            legal_basis=row.get("legal_basis", ""),
        )

    @classmethod
    def from_rule(cls, rule: Any) -> Term:
        """Return the term of a package's term rule: a table, or any object with the same names."""
        if isinstance(rule, Mapping):
            return cls.from_json(rule)
        names = ("amount", "unit", "counting", "cutoff", "on_supplement", "legal_basis")
        return cls.from_json({name: getattr(rule, name) for name in names})

    def to_json(self) -> dict[str, Any]:
        """Return the term as JSON, to be pinned in the dossier at reception."""
        return {
            "amount": self.amount,
            "unit": self.unit,
            "counting": self.counting,
            "cutoff": self.cutoff.isoformat("minutes") if self.cutoff else None,
            "on_supplement": self.on_supplement,
            "legal_basis": self.legal_basis,
        }


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch in which the clock stands still, from the request until the answer (None: it still stands)."""

    suspended_at: datetime
    resumed_at: datetime | None = None
    ground: str = "supplement"


@dataclass(frozen=True, slots=True)
class Extension:
    """The one new date an apology letter may promise."""

    granted_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """The due date: None while the clock stands still; provisional when it rests on a year not yet approved.

    ``base_at`` is the date without any suspension, ``suspended`` the working time the clock stood still (calendar days for such a term),
    ``counted_from`` the instant the running term began: the reception, or the answer that restarted it.
    """

    at: datetime | None
    provisional: bool
    base_at: datetime
    suspended: timedelta
    counted_from: datetime


def due(received_at: datetime, term: Term, pauses: Iterable[Pause], calendar: WorkingCalendar, extension: Extension | None = None) -> Due:
    """Return when the result is due.

    The clock starts at valid reception. A suspension moves the date by exactly the working time it lasted (``resume``), or, when a
    supplement restarts the term, grants it afresh from the answer (``restart``). An extension never shortens, and a later suspension
    moves it likewise.
    """
    start = received_at
    ledger = sorted(pauses, key=lambda p: p.suspended_at)
    answered = [p.resumed_at for p in ledger if p.ground == "supplement" and p.resumed_at is not None]
    if term.on_supplement == "restart" and answered:
        start = max(start, *answered)
    stood = stretches(ledger, start)
    base = granted(start, term, calendar)
    if stood and stood[-1][1] is None:
        return Due(None, calendar.provisional(base.astimezone(ZONE).date()), base, _suspended(stood[:-1], term, calendar), start)
    at = _moved(base, stood, term, calendar)
    if extension is not None:
        later = [(max(s, extension.granted_at), r) for s, r in stood if r is not None and r > extension.granted_at]
        at = max(at, _moved(extension.until.astimezone(ZONE), later, term, calendar))
    return Due(at, calendar.provisional(at.astimezone(ZONE).date()), base, _suspended(stood, term, calendar), start)


def granted(received_at: datetime, term: Term, calendar: WorkingCalendar) -> datetime:
    """Return when a term that was never suspended is due."""
    local = received_at.astimezone(ZONE)
    match term.unit:
        case "same_day":
            return _same_day(local, term, calendar)
        case "working_hour":
            return calendar.add_working_time(local, timedelta(hours=term.amount))
        case "calendar_day":
            return close_of(local.date() + ONE_DAY * term.amount, calendar)
        case _ if term.counting == "hour":
            return _days_to_the_hour(local, term.amount, calendar)
        case _:
            return calendar.closing(calendar.add_working_days(local.date(), term.amount))


def outcome(finished_at: datetime, due_at: datetime) -> OutcomeClass:
    """Return early (before the due day), on time (on it, by the hour) or late.

    *Finished* is when the deciding agency hands the result to the counter, not when it is fetched.
    """
    if finished_at > due_at:
        return OutcomeClass.LATE
    return OutcomeClass.EARLY if finished_at.astimezone(ZONE).date() < due_at.astimezone(ZONE).date() else OutcomeClass.ON_TIME


def stretches(pauses: Iterable[Pause], start: datetime) -> list[tuple[datetime, datetime | None]]:
    """Return when the clock stood still since *start*: in order, overlapping suspensions as one."""
    merged: list[tuple[datetime, datetime | None]] = []
    for pause in sorted(pauses, key=lambda p: p.suspended_at):
        since, until = max(pause.suspended_at, start), pause.resumed_at
        if until is not None and until <= since:
            continue
        if merged and (merged[-1][1] is None or since <= merged[-1][1]):
            reached = merged[-1][1]
            merged[-1] = (merged[-1][0], None if until is None or reached is None else max(until, reached))
        else:
            merged.append((since, until))
    return merged


def close_of(on: Any, calendar: WorkingCalendar) -> datetime:
    """Return the close of a day; of the next working day when it is a day off (Civil Code 2015, art. 148.5)."""
    return calendar.closing(on if calendar.working(on) else calendar.next_working(on))


def _same_day(local: datetime, term: Term, calendar: WorkingCalendar) -> datetime:
    today = local.date()
    too_late = not calendar.working(today) or local >= calendar.closing(today) or (term.cutoff is not None and local.time() > term.cutoff)
    return calendar.closing(calendar.next_working(today) if too_late else today)


def _days_to_the_hour(start: datetime, days: int, calendar: WorkingCalendar) -> datetime:
    """Add whole working days in working time: Monday 10:00 and three days give Thursday 10:00.

    A day is measured by the office's own full day in that season: eight hours stay one day for an office of eight hours, and a half
    day is a half.
    """
    left, on = Fraction(days), start.date()
    while True:
        day = calendar.day(on)
        if day.working:
            full = calendar.ordinary_length(on)
            begin = max(start, calendar.opening(on))
            room = calendar.working_time_between(begin, calendar.closing(on)) if begin < calendar.closing(on) else timedelta()
            share = Fraction(room // timedelta(microseconds=1), full // timedelta(microseconds=1))
            if room and left <= share:
                return calendar.add_working_time(begin, _part(left, full))
            left -= share
        on += ONE_DAY


def _part(share: Fraction, full: timedelta) -> timedelta:
    return timedelta(microseconds=round(share * (full // timedelta(microseconds=1))))


def _moved(base: datetime, stood: Iterable[tuple[datetime, datetime | None]], term: Term, calendar: WorkingCalendar) -> datetime:
    moved = base
    for since, until in stood:
        assert until is not None, "an open suspension has no due date"
        if term.unit != "calendar_day":
            moved = calendar.add_working_time(moved, calendar.working_time_between(since, until))
            continue
        before, days = moved, (until.astimezone(ZONE).date() - since.astimezone(ZONE).date()).days
        moved = close_of(moved.astimezone(ZONE).date() + ONE_DAY * days, calendar)
        if since <= before and moved <= until:  # answered after closing time on the last day: there is the next day
            moved = calendar.closing(calendar.next_working(until.astimezone(ZONE).date()))
    return moved


def _suspended(stood: Iterable[tuple[datetime, datetime | None]], term: Term, calendar: WorkingCalendar) -> timedelta:
    total = timedelta()
    for since, until in stood:
        if until is not None and term.unit == "calendar_day":
            total += ONE_DAY * (until.astimezone(ZONE).date() - since.astimezone(ZONE).date()).days
        elif until is not None:
            total += calendar.working_time_between(since, until)
    return total
