"""The scenarios of a package: lives of dossiers an official can read, in ``tests/*.toml``; read with the line of every fault.

A scenario says what happens, move by move, what the dossier must have passed and where it ends. A waiver names a flow no scenario
walks, and why that is acceptable.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import tomlkit

from engine.errors import Refused
from engine.procedure.package import Package
from engine.procedure.report import Finding, Place
from engine.procedure.toml_lines import line_of

PLACE = re.compile(r"tests/[\w-]+\.toml")
SHORTEST_REASON = 10
"""Characters a reason for a waiver needs at least: "n/a" is none."""


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that happens: a *step* is done with *answers*, a *message* arrives with *answers* as payload, or a timer's hour comes."""

    kind: Literal["step", "message", "wait"]
    name: str
    answers: Mapping[str, Any] = field(default_factory=dict)
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Fee:
    """What a dossier with these facts pays, in đồng; *key* names the fee when the package has several."""

    facts: Mapping[str, Any]
    amount: int
    key: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One life of a dossier, or (with *fees* alone) a row of examples of what it costs."""

    name: str
    file: str
    line: int | None
    start: Mapping[str, Any]
    moves: tuple[Move, ...]
    passes: tuple[str, ...]
    ends: str
    fees: tuple[Fee, ...] = ()
    dossier: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    """When the life begins; an aware instant, or None for an ordinary working morning."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A flow no scenario walks, with the reason why."""

    flow: str
    reason: str
    file: str
    line: int | None


@dataclass(frozen=True)
class Scenarios:
    """Everything ``tests/*.toml`` of a package says, and what is wrong with it."""

    scenarios: tuple[Scenario, ...]
    waivers: tuple[Waiver, ...]
    faults: tuple[Finding, ...]


def read_scenarios(package: Package) -> Scenarios:
    """Return the scenarios and waivers of *package*; a file or row that cannot be read is a finding, the others still count."""
    found: list[Scenario] = []
    waivers: list[Waiver] = []
    faults: list[Finding] = []
    for name in sorted(path for path in package.files if PLACE.fullmatch(path)):
        reader = _Reader(name, package)
        found += reader.scenarios()
        waivers += reader.waivers()
        faults += reader.faults
    return Scenarios(tuple(found), tuple(waivers), tuple(faults))


def fault(rule: str, file: str, line: int | None, element: str = "", **facts: Any) -> Finding:
    """Return a finding about a row of a scenario file."""
    return Finding(rule, "refused", element, "", Place(file, line), {"file": file, "line": line or 1, **facts})


class _Reader:
    def __init__(self, file: str, package: Package) -> None:
        self.file = file
        self.package = package
        self.faults: list[Finding] = []
        self.text = ""
        self.rows: Mapping[str, Any] = {}
        try:
            self.text = package.files[file].decode("utf-8")
            self.rows = tomllib.loads(self.text)
        except UnicodeDecodeError:
            self._fault("package.not_utf8", ())
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"line (\d+)", str(error))
            self.faults.append(fault("package.toml_broken", file, int(place[1]) if place else 1))

    def _fault(self, rule: str, path: tuple[str | int, ...], element: str = "", **facts: Any) -> None:
        self.faults.append(fault(rule, self.file, line_of(self.text, path) or 1, element, **facts))

    def _tables(self, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        rows = self.rows.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            self._fault("scenario.row_kind", (name,), key=name)
            return
        yield from enumerate(rows)

    def scenarios(self) -> Iterable[Scenario]:
        for position, row in self._tables("scenario"):
            try:
                yield self._scenario(("scenario", position), row)
            except Refused as refused:
                path = refused.facts["path"]
                self._fault(refused.code, path, **{key: value for key, value in refused.facts.items() if key != "path"})

    def _scenario(self, path: tuple[str | int, ...], row: Mapping[str, Any]) -> Scenario:
        name = _text(row, "name", path)
        fees = tuple(self._fee((*path, "fee", place), one) for place, one in enumerate(_list(row, "fee", path)))
        moves = tuple(self._move((*path, "step", place), one) for place, one in enumerate(_list(row, "step", path)))
        expect = _table(row, "expect", path)
        if not fees and not expect:
            raise Refused("scenario.key_missing", path=path, key="expect")
        passes = expect.get("passes", [])
        if not isinstance(passes, list) or not all(isinstance(one, str) for one in passes):
            raise Refused("scenario.key_kind", path=(*path, "expect", "passes"), key="passes")
        at = row.get("at")
        if at is not None and (not isinstance(at, datetime) or at.tzinfo is None):
            raise Refused("scenario.key_kind", path=(*path, "at"), key="at")
        return Scenario(
            name=name,
            file=self.file,
            line=line_of(self.text, path),
            start=_table(row, "start", path),
            moves=moves,
            passes=tuple(passes),
            ends=_text(expect, "ends", (*path, "expect")) if expect else "",
            fees=fees,
            dossier=_table(row, "dossier", path),
            at=at,
        )

    def _move(self, path: tuple[str | int, ...], row: Mapping[str, Any]) -> Move:
        kinds = [kind for kind in ("step", "message", "wait") if kind in row]
        if len(kinds) != 1:
            raise Refused("scenario.move_kind", path=path)
        [kind] = kinds
        return Move(kind, _text(row, kind, path), _table(row, "answers", path), line_of(self.text, path))  # type: ignore[arg-type]

    def _fee(self, path: tuple[str | int, ...], row: Mapping[str, Any]) -> Fee:
        amount = row.get("amount")
        if not isinstance(amount, int) or isinstance(amount, bool):
            raise Refused("scenario.key_kind", path=(*path, "amount"), key="amount")
        facts = {key: value for key, value in row.items() if key not in ("amount", "fee")}
        return Fee(facts, amount, str(row.get("fee", "")), line_of(self.text, path))

    def waivers(self) -> Iterable[Waiver]:
        for position, row in self._tables("waiver"):
            path = ("waiver", position)
            flow, reason = row.get("flow"), row.get("reason")
            if not isinstance(flow, str) or flow not in self.package.diagram.flows:
                self._fault("scenario.waiver_flow", path, str(flow or ""), flow=str(flow or ""))
            elif not isinstance(reason, str) or len(reason.strip()) < SHORTEST_REASON:
                self._fault("scenario.waiver_reason", path, flow, flow=flow)
            else:
                yield Waiver(flow, reason.strip(), self.file, line_of(self.text, path))


def _text(row: Mapping[str, Any], key: str, path: tuple[str | int, ...]) -> str:
    value = row.get(key)
    if value is None or value == "":
        raise Refused("scenario.key_missing", path=path, key=key)
    if not isinstance(value, str):
        raise Refused("scenario.key_kind", path=(*path, key), key=key)
    return value


def _table(row: Mapping[str, Any], key: str, path: tuple[str | int, ...]) -> Mapping[str, Any]:
    value = row.get(key, {})
    if not isinstance(value, Mapping):
        raise Refused("scenario.key_kind", path=(*path, key), key=key)
    return value


def _list(row: Mapping[str, Any], key: str, path: tuple[str | int, ...]) -> list[Mapping[str, Any]]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise Refused("scenario.key_kind", path=(*path, key), key=key)
    return value


def with_scenario(text: str, name: str, scenario: Scenario) -> str:
    """Return a scenario file with one more scenario at its end; what stood there stays as it was, remarks included."""
    row = tomlkit.table()
    row["name"] = name
    if scenario.at is not None:
        row["at"] = scenario.at
    if scenario.start:
        row["start"] = _inline(scenario.start)
    if scenario.dossier:
        row["dossier"] = _inline(scenario.dossier)
    _moves_into(row, scenario.moves)
    expect = tomlkit.table()
    expect["passes"] = list(scenario.passes)
    expect["ends"] = scenario.ends
    row["expect"] = expect
    return _appended(text, "scenario", row)


def _moves_into(row: Any, moves: Iterable[Move]) -> None:
    """Put *moves* into a scenario; rows that say the same already stay as they are written, remarks included."""
    there = list(row.get("step", ()))
    made = tomlkit.aot()
    for move in moves:
        said = {move.kind: move.name, **({"answers": dict(move.answers)} if move.answers else {})}
        same = next((place for place, line in enumerate(there) if line.unwrap() == said), None)
        if same is not None:
            made.append(there[same])
            del there[: same + 1]
            continue
        line = tomlkit.table()
        line[move.kind] = move.name
        if move.answers:
            line["answers"] = _inline(move.answers)
        made.append(line)
    if made:
        row["step"] = made


def rewritten(text: str, scenario: Scenario) -> str:
    """Return a scenario file in which the scenario of this name has these moves and passes these steps; all else stays as it was."""
    document = tomlkit.parse(text)
    for row in document.get("scenario", ()):
        if row.get("name") == scenario.name:
            _moves_into(row, scenario.moves)
            if "passes" in row["expect"]:
                row["expect"]["passes"] = list(scenario.passes)
    return tomlkit.dumps(document)


def with_waiver(text: str, flow: str, reason: str) -> str:
    """Return a scenario file with one more waiver at its end."""
    row = tomlkit.table()
    row["flow"], row["reason"] = flow, reason
    return _appended(text, "waiver", row)


def _inline(values: Mapping[str, Any]) -> Any:
    made = tomlkit.inline_table()
    for key, value in values.items():
        made[key] = _inline(value) if isinstance(value, Mapping) else value
    return made


def _appended(text: str, key: str, row: Any) -> str:
    rows = tomlkit.aot()
    rows.append(row)
    document = tomlkit.document()
    document[key] = rows
    return f"{text.rstrip()}\n\n{tomlkit.dumps(document).strip()}\n".lstrip()
