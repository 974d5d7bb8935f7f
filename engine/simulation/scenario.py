"""A scenario: lives of dossiers as data, and the plan of what happens when; pure.

The plan is decided by the seed, the calendar and the instant it ends at, so an interrupted run finds the same plan again.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from engine.deadline.calendar import ONE_DAY, ZONE, WorkingCalendar, at

SETTLED = timedelta(hours=1)
"""How long a day's office must have been open before it counts as the last working day of a plan."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happens: in which life, the how-manieth act of it, and when; act 0 is the reception."""

    at: datetime
    life: int
    position: int
    act: Mapping[str, Any]


@dataclass(frozen=True)
class Life:
    """One dossier's life: its number, what the scenario says of it, and the random choices that belong to it alone."""

    number: int
    row: Mapping[str, Any]

    @property
    def chance(self) -> Random:
        """Return the life's own random numbers, the same at every call."""
        return Random(f"life {self.number}")  # noqa: S311  invented citizens need no secrecy


@dataclass(frozen=True)
class Scenario:
    """What ``lives.toml`` says."""

    content: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Scenario:
        """Read a scenario file."""
        return cls(tomllib.loads(path.read_text(encoding="utf-8")))

    @property
    def lives(self) -> list[Life]:
        """Return every life, each row as often as it says."""
        rows = [row for row in self.content["life"] for _ in range(row["count"])]
        return [Life(number, row) for number, row in enumerate(rows)]

    def offices(self, life: Life) -> tuple[str, str] | None:
        """Return where a life's dossier is received and who decides; None for an internal procedure."""
        if life.row.get("kind") == "internal":
            return None
        reception, deciding = life.chance.choice(self.content["public"]["offices"])
        return reception, deciding

    def shares(self, moments: list[Moment]) -> list[list[Moment]]:
        """Return the plan in two shares that never touch the same register: one counter, and everything else."""
        lives = self.lives
        first = next(office for life in lives if (office := self.offices(life)) is not None)[0]
        here = {life.number for life in lives if (office := self.offices(life)) is not None and office[0] == first}
        return [[m for m in moments if (m.life in here) is one] for one in (True, False)]

    def plan(self, calendar: WorkingCalendar, until: datetime) -> list[Moment]:
        """Return everything that happens, in order, all of it before *until*."""
        last = last_working_day(calendar, until)
        moments = [moment for life in self.lives for moment in plan_life(life, calendar, last, until)]
        return sorted(moments, key=lambda m: (m.at, m.life, m.position))


def plan_life(life: Life, calendar: WorkingCalendar, last: datetime, until: datetime) -> list[Moment]:
    """Return what happens to one dossier; a life that would reach beyond *until* begins a working day earlier."""
    chance = life.chance
    back = chance.randint(*life.row["days_ago"])
    first, latest = (time.fromisoformat(text) for text in life.row["at"])
    minute = chance.randint(first.hour * 60 + first.minute, latest.hour * 60 + latest.minute)
    second = chance.randint(0, 59)
    waits = [(act, chance.randint(*act["wait"]), chance.randint(1, 59)) for act in life.row["acts"]]
    while True:
        day = days_back(calendar, last, back)
        here = at(day.date(), time(minute // 60, minute % 60, second))
        moments = [Moment(here, life.number, 0, {"act": "receive"})]
        for position, (act, wait, seconds) in enumerate(waits, start=1):
            here = calendar.add_working_time(here, timedelta(minutes=wait, seconds=seconds))
            moments.append(Moment(here, life.number, position, act))
        if here < until - timedelta(minutes=1):
            return moments
        back += 1


def last_working_day(calendar: WorkingCalendar, until: datetime) -> datetime:
    """Return noon of the last day on which the office has been open for an hour."""
    on = until.astimezone(ZONE).date()
    while not calendar.working(on) or calendar.opening(on) + SETTLED > until:
        on -= ONE_DAY
    return at(on, time(12))


def days_back(calendar: WorkingCalendar, last: datetime, back: int) -> datetime:
    """Return noon of the working day *back* working days before *last*."""
    on = last
    for _ in range(back):
        on -= ONE_DAY
        while not calendar.working(on.date()):
            on -= ONE_DAY
    return on


def filled(value: Any, facts: Mapping[str, str]) -> Any:
    """Return an answer with the placeholders of the scenario filled in, whatever its shape."""
    if isinstance(value, str) and "{" in value:
        return facts[value[1:-1]] if value.startswith("{") and value.endswith("}") else value
    if isinstance(value, list):
        return [filled(one, facts) for one in value]
    if isinstance(value, Mapping):
        return {name: filled(one, facts) for name, one in value.items()}
    return value


def day_facts(calendar: WorkingCalendar, received: datetime) -> Iterator[tuple[str, str]]:
    """Yield ``day+n`` with the n-th working day after reception, for n up to 30."""
    on = received.astimezone(ZONE).date()
    for n in range(1, 31):
        on = calendar.next_working(on)
        yield f"day+{n}", on.isoformat()
