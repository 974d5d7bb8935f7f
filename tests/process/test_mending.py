"""Scenarios of an earlier diagram: what came in between is filled in, what is gone falls away, what cannot be reached is left alone."""

from __future__ import annotations

import tomllib

from engine.procedure.scenarios import read_scenarios, rewritten
from engine.process.mending import mended
from engine.process.rehearsal import try_all
from tests.procedures.packages import changed, clock, real, with_head

FILE = "tests/scenarios.toml"


def drawn_with_head():
    return changed(real(), files={"process.bpmn": with_head().files["process.bpmn"]})


def applied(package):
    text = package.files[FILE].decode()
    for scenario in mended(package, clock).values():
        text = rewritten(text, scenario)
    return text


def test_a_new_step_is_filled_in_and_every_scenario_goes_again():
    package = drawn_with_head()
    assert not try_all(package, clock).green

    after = changed(package, files={FILE: applied(package).encode()})

    assert try_all(after, clock).green
    before, now = (read_scenarios(one).scenarios for one in (package, after))
    for old, new in zip(before, now, strict=True):
        assert (new.name, new.ends, new.passes) == (old.name, old.ends, old.passes)
        kept = iter(new.moves)
        assert all(any((move.name, move.answers) == (one.name, one.answers) for one in kept) for move in old.moves), "in their order"


def test_what_was_written_stays_as_it_was_written_remarks_included():
    package = drawn_with_head()
    text = package.files[FILE].decode()
    lines = [line for line in text.splitlines() if line.startswith(("#", "answers", "name", "passes", "ends"))]

    after = applied(package).splitlines()

    assert [line for line in after if line in lines] == lines
    assert tomllib.loads("\n".join(after))


def test_a_step_that_is_gone_falls_away():
    package = with_head()
    old = changed(package, files={"process.bpmn": real().files["process.bpmn"]})
    assert not try_all(old, clock).green

    after = changed(old, files={FILE: applied(old).encode()})

    assert try_all(after, clock).green
    assert "Activity_0k3v9tq" not in after.files[FILE].decode()


def test_scenarios_that_go_as_written_are_not_touched():
    assert mended(real(), clock) == {}
    assert mended(with_head(), clock) == {}


def test_an_end_nobody_reaches_any_more_is_left_for_a_person():
    text = real().files[FILE].decode().replace('ends = "returned"', 'ends = "nowhere"')
    package = changed(real(), files={FILE: text.encode()})
    lost = {scenario.name for scenario in read_scenarios(package).scenarios if scenario.ends == "nowhere"}

    assert lost
    assert not lost & {name for _file, name in mended(package, clock)}
