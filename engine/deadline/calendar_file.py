"""Reading ``bpmn/_calendars/*.toml``: checked row by row, so that a wrong calendar is refused before it moves a due date."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, time
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.deadline.calendar import WORKED, AnnualRule, DayKind, Decision, HoursRule, Span, WeekRule, WorkingCalendar, concerns
from engine.errors import NotFound, Refused

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Row = Mapping[str, Any]


class Calendars:
    """Every calendar of the installation: one file each, and from each one calendar per agency, made once.

    A runtime registers one as a part; ``of`` answers for an agency code.
    """

    def __init__(self, folder: Path) -> None:
        """Read nothing yet: *folder* holds ``<key>.toml`` files."""
        self._folder = folder
        self._made: dict[tuple[str, str], WorkingCalendar] = {}
        self._files: dict[str, WorkingCalendar] = {}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The names of the calendars, in alphabetical order."""
        return tuple(sorted(p.stem for p in self._folder.glob("*.toml")))

    def of(self, agency: str = "", key: str | None = None) -> WorkingCalendar:
        """Return the calendar that binds an agency; the only calendar when no key is given.

        Raises:
            NotFound: there is no such calendar.
            Refused: its file is wrong.
        """
        name = key or next(iter(self.keys), "")
        if name not in self.keys:
            raise NotFound("calendar.unknown", key=name)
        made = self._made.get((name, agency))
        if made is None:
            if name not in self._files:
                self._files[name] = read_calendar((self._folder / f"{name}.toml").read_bytes())
            made = self._made[name, agency] = replace(self._files[name], agency=agency)
        return made


def read_calendar(toml: bytes, agency: str = "") -> WorkingCalendar:
    """Return the calendar a TOML file describes, as it binds one agency.

    Raises:
        Refused: ``calendar.invalid``, with the place in the file and what is wrong with it.
    """
    try:
        content = tomllib.loads(toml.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise Refused("calendar.invalid", place="toml", problem=str(wrong)) from wrong
    decided = tuple(Decision(**row) for row in _rows(content, "day", _decision))
    _refuse_doubles(decided)
    _refuse_lopsided_exchanges(decided)
    weeks = tuple(WeekRule(**row) for row in _rows(content, "week", _week))
    hours = tuple(HoursRule(**row) for row in _rows(content, "hours", _hours))
    if not weeks or not hours:
        raise Refused("calendar.invalid", place="week" if not weeks else "hours", problem="missing")
    return WorkingCalendar(
        weeks=weeks,
        hours=hours,
        annual=tuple(AnnualRule(**row) for row in _rows(content, "annual", _annual)),
        decided=decided,
        approved_until=_approved_until(content),
        counting_acts=dict(content.get("counting", {})),
        agency=agency,
    )


def _rows(content: Row, name: str, shape: Any) -> Iterator[dict[str, Any]]:
    for position, row in enumerate(content.get(name, ()), start=1):
        place = f"{name}[{position}]"
        try:
            if not row.get("legal_basis"):
                raise ValueError("legal_basis is required")
            yield shape(row)
        except (KeyError, TypeError, ValueError) as wrong:
            raise Refused("calendar.invalid", place=place, problem=str(wrong)) from wrong


def _validity(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("valid_from", "valid_to") if name in row}


def _week(row: Row) -> dict[str, Any]:
    return {"rest": frozenset(WEEKDAYS.index(name) for name in row["rest"]), "legal_basis": row["legal_basis"], **_validity(row)}


def _annual(row: Row) -> dict[str, Any]:
    month, day = _month_day(row["on"])
    return {"month": month, "day": day, "legal_basis": row["legal_basis"], "name": row.get("name", ""), **_validity(row)}


def _hours(row: Row) -> dict[str, Any]:
    season = tuple(_month_day(text) for text in row["season"]) if "season" in row else None
    if season is not None and len(season) != 2:
        raise ValueError("a season has a first and a last day")
    spans = _spans(row["open"])
    if not spans:
        raise ValueError("office hours are required")
    return {"spans": spans, "legal_basis": row["legal_basis"], "agency": row.get("agency", ""), "season": season, **_validity(row)}


def _decision(row: Row) -> dict[str, Any]:
    if type(row["on"]) is not date:
        raise ValueError("on must be a date")
    kind = DayKind(row["kind"])
    hours = _spans(row["open"]) if "open" in row else None
    if kind is DayKind.HALF_DAY and not hours:
        raise ValueError("a half day needs its hours")
    if hours and kind not in WORKED:
        raise ValueError("a day off has no hours")
    return {
        "on": row["on"],
        "kind": kind,
        "hours": hours,
        **{name: row.get(name, "") for name in ("legal_basis", "name", "agency")},
    }


def _spans(pairs: list[list[str]]) -> tuple[Span, ...]:
    spans = tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in pairs)
    edges = [edge for span in spans for edge in span]
    if edges != sorted(set(edges)):
        raise ValueError("hours must follow one another")
    return spans


def _month_day(text: str) -> tuple[int, int]:
    month, day = (int(part) for part in text.split("-"))
    date(2024, month, day)  # a leap year: 29 February is a possible season's end
    return month, day


def _refuse_doubles(decided: tuple[Decision, ...]) -> None:
    seen: set[tuple[date, str]] = set()
    for row in decided:
        if (row.on, row.agency) in seen:
            raise Refused("calendar.invalid", place=row.on.isoformat(), problem="decided twice")
        seen.add((row.on, row.agency))


def _refuse_lopsided_exchanges(decided: tuple[Decision, ...]) -> None:
    """An exchange gives as many days as it takes: without this check a forgotten worked Saturday lengthens every term around it."""
    for agency in {row.agency for row in decided}:
        binding = [row for row in decided if concerns(row.agency, agency)]
        given = sum(row.kind is DayKind.MAKEUP_WORK for row in binding)
        taken = sum(row.kind is DayKind.SWAP_OFF for row in binding)
        if given != taken:
            raise Refused("calendar.invalid", place="day", problem=f"{taken} days exchanged, {given} made up")


def _approved_until(content: Row) -> date | None:
    """Return the last day of the unbroken run of approved years."""
    years = {int(row["year"]): bool(row.get("approved")) for row in content.get("year", ())}
    last = None
    for year in sorted(years):
        if not years[year] or (last is not None and year != last + 1):
            break
        last = year
    return date(last, 12, 31) if last is not None else None
