"""States of delivered versions are read and led on by the interpreter of today as they were stored (``motcua dev golden`` keeps them)."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.deadline.calendar_file import Calendars
from engine.deadline.functions import working_time
from engine.procedure.loader import load_folder
from engine.process.golden import STATES, record, replay
from engine.settings import ROOT

KEPT = sorted((ROOT / "tests" / "golden" / "states").glob("*.zip"))
DELIVERED = sorted(found.parent for found in (ROOT / "bpmn").glob("[!_]*/procedure.toml"))


def functions(now: datetime) -> Mapping[str, Callable[..., Any]]:
    return working_time(Calendars(ROOT / "bpmn" / "_calendars").of(), now)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_every_kept_state_is_read_as_it_was_and_goes_on_as_it_went(path: Path):
    assert list(replay(path.read_bytes(), functions)) == []


@pytest.mark.parametrize("folder", DELIVERED, ids=lambda folder: folder.name)
def test_every_delivered_package_has_states_that_survive_being_stored(folder: Path):
    package = load_folder(folder)
    mine = [path for path in KEPT if path.stem == f"{package.key}-{package.content_hash[:12]}"]
    content = mine[0].read_bytes() if mine else record(package, functions)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        lives = json.loads(archive.read(STATES))
    assert len(lives) > 1
    assert {life["places"][-1]["seen"]["ended"] is not None for life in lives} == {True}
    if not mine:
        assert list(replay(content, functions)) == []


@pytest.mark.full
@pytest.mark.parametrize("folder", DELIVERED, ids=lambda folder: folder.name)
def test_the_states_of_what_is_delivered_are_kept(folder: Path):
    package = load_folder(folder)
    assert any(path.stem == f"{package.key}-{package.content_hash[:12]}" for path in KEPT), "run  motcua dev golden"


def test_an_interpreter_that_reads_a_state_otherwise_is_found(monkeypatch: pytest.MonkeyPatch):
    from engine.process import reading

    read = reading.variables
    monkeypatch.setattr(reading, "variables", lambda run: {**read(run), "review": None})
    path = next(one for one in KEPT if one.stem.startswith("certified"))
    assert any("read as" in said for said in replay(path.read_bytes(), functions))


def test_a_state_that_cannot_be_read_is_found():
    path = next(one for one in KEPT if one.stem.startswith("certified"))
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    lives = json.loads(files[STATES])
    lives[0]["places"][0]["state"] = lives[0]["places"][0]["state"].replace('"format":1', '"format":99')
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in {**files, STATES: json.dumps(lives).encode()}.items():
            archive.writestr(name, content)
    assert [said for said in replay(out.getvalue(), functions) if "state_unreadable" in said]
