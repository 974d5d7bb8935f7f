"""``motcua procedure new | try``: a package from the template, and a package played by hand in the terminal."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine.deadline.calendar_file import Calendars
from engine.deadline.functions import working_time
from engine.errors import EngineError, Invalid, Refused
from engine.procedure.drafts import named
from engine.procedure.loader import KEY, load_folder
from engine.procedure.package import DECLARATION, Package
from engine.procedure.scenarios import Move, with_scenario
from engine.process.rehearsal import Rehearsal, rehearse
from engine.sentences import sentence
from engine.settings import Settings

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SCENARIOS = "tests/scenarios.toml"


def new(chosen: argparse.Namespace) -> int:
    """Write a package folder from the template with its own key, code and names."""
    target: Path = chosen.folder
    if target.exists():
        raise Refused("draft.folder_taken", folder=target.name)
    if not re.fullmatch(KEY, target.name):
        raise Refused("draft.key_pattern", field="folder")
    template = load_folder(Settings.from_environment().procedures / "_template")
    declared = named(
        template.files[DECLARATION].decode(), key=target.name, code=chosen.code, vi=chosen.name_vi, en=chosen.name_en or chosen.name_vi
    )
    for name, content in {**template.files, DECLARATION: declared.encode()}.items():
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    print(target)
    return 0


def play(chosen: argparse.Namespace) -> int:
    """Play a package move by move, as read from the terminal or a file of moves; ``save`` writes the scenario into the folder."""
    from engine.cli.procedure import read_package

    calendar = Calendars(Settings.from_environment().procedures / "_calendars").of()
    package = read_package(chosen.package)
    run = rehearse(package, lambda now: working_time(calendar, now))
    run.begin(json.loads(chosen.start))
    _show(run)
    for line in _lines(sys.stdin):
        try:
            if line in ("quit", "q"):
                break
            run = _moved(run, line, chosen, package)
        except Invalid as invalid:
            for field, reason in invalid.errors.items():
                print(f"  ✗ {field}: {sentence(reason.code, chosen.lang, reason.facts).what}")
        except EngineError as refused:
            said = sentence(refused.code, chosen.lang, refused.facts)
            print(f"  ✗ {said.what} {said.do}")
        _show(run)
    return 0


def _lines(source: Any) -> Iterable[str]:
    while True:
        if source.isatty():
            print("> ", end="", flush=True)
        line = source.readline()
        if not line:
            return
        if line.strip():
            yield line.strip()


def _moved(run: Rehearsal, line: str, chosen: argparse.Namespace, package: Package) -> Rehearsal:
    try:
        word, *rest = shlex.split(line)
    except ValueError:
        raise Refused("scenario.command", text=line) from None
    if word == "undo":
        again = rehearse(package, run.functions, program=run.program)
        first, *moves = (done.move for done in run.done)
        again.begin(first.answers)
        for move in moves[:-1]:
            again.act(move)
        return again
    if word == "save":
        if not rest:
            raise Refused("scenario.name_missing")
        place = chosen.package / SCENARIOS
        text = place.read_text(encoding="utf-8") if place.exists() else ""
        place.parent.mkdir(exist_ok=True)
        place.write_text(with_scenario(text, " ".join(rest), run.written()), encoding="utf-8")
        return run
    if word in ("message", "wait"):
        if len(rest) != 1:
            raise Refused("scenario.command", text=line)
        run.act(Move(word, rest[0]))  # type: ignore[arg-type]
        return run
    if not all("=" in part for part in rest):
        raise Refused("scenario.command", text=line)
    run.act(Move("step", word, {key: _value(value) for key, _, value in (part.partition("=") for part in rest)}))
    return run


def _value(text: str) -> Any:
    """Return what a word of the terminal means: JSON where it is JSON, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _show(run: Rehearsal) -> None:
    assert run.advance is not None
    if run.advance.ended is not None:
        print(f"■ {run.advance.ended}")
        return
    print(f"⏱ {run.now.astimezone(ZONE):%d/%m/%Y %H:%M}")
    for task in run.open:
        form = task.properties.get("form")
        fields = ", ".join(field.key for field in run.package.form(form).fields) if form else ""
        print(f"  ▸ {task.step}  {task.name} [{task.lane or '–'}]{'  ' + fields if fields else ''}")
    for name in run.advance.waiting:
        print(f"  ✉ message {name}")
    for timer in run.advance.timers:
        print(f"  ⧗ wait {timer.step}  {timer.due_at.astimezone(ZONE):%d/%m/%Y %H:%M}")
