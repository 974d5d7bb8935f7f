"""Scenarios of a package: read with the line of every fault, played on the real interpreter, counted against the flows drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest

from engine.cli import main
from engine.deadline.calendar_file import Calendars
from engine.deadline.functions import working_time
from engine.errors import Conflict
from engine.procedure.loader import load_files, load_folder
from engine.procedure.package import Package
from engine.procedure.scenarios import Move, read_scenarios
from engine.process.rehearsal import rehearse, try_all
from engine.settings import ROOT
from tests.procedures.packages import SHIPPED

COPY = "certified_electronic_copy"
FILE = "tests/scenarios.toml"


def functions(now: datetime) -> Mapping[str, Callable[..., Any]]:
    return working_time(Calendars(ROOT / "bpmn" / "_calendars").of(), now)


def package(scenarios: str | None = None, name: str = COPY) -> Package:
    shipped = load_folder(ROOT / "bpmn" / name)
    if scenarios is None:
        return shipped
    return load_files({**shipped.files, FILE: scenarios.encode()}, name)


def written(text: str) -> Package:
    """The package with its own scenarios and one more row."""
    return package(package().files[FILE].decode() + text)


@pytest.mark.parametrize(
    ("text", "rule", "said"),
    [
        ('[[scenario]]\nstart = {}\n', "scenario.key_missing", "name"),
        ('[[scenario]]\nname = "x"\n', "scenario.key_missing", "expect"),
        ('[[scenario]]\nname = "x"\n[scenario.expect]\npasses = []\n', "scenario.key_missing", "ends"),
        ('[[scenario]]\nname = "x"\n[scenario.expect]\nends = "a"\npasses = "b"\n', "scenario.key_kind", "passes"),
        ('[[scenario]]\nname = "x"\nat = "hôm nay"\n[scenario.expect]\nends = "a"\n', "scenario.key_kind", "at"),
        ('[[scenario]]\nname = "x"\n[[scenario.step]]\n[scenario.expect]\nends = "a"\n', "scenario.move_kind", "wait"),
        ('[[scenario]]\nname = "x"\n[[scenario.step]]\nstep = "a"\nwait = "b"\n[scenario.expect]\nends = "a"\n',
         "scenario.move_kind", "wait"),
        ('[scenario]\nname = "x"\n', "scenario.row_kind", "scenario"),
        ('[[scenario]\n', "package.toml_broken", "1"),
        ('[[waiver]]\nflow = "nowhere"\nreason = "không bao giờ xảy ra"\n', "scenario.waiver_flow", "nowhere"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_with_its_line(text: str, rule: str, said: str) -> None:
    read = read_scenarios(package(text))

    [found] = [fault for fault in read.faults if fault.rule == rule]
    assert found.place.file == FILE
    assert found.place.line is not None
    assert 1 <= found.place.line <= text.count("\n") + 1
    assert said in found.vi + found.repair("vi")
    assert found.en


def test_a_fault_in_one_row_leaves_the_others_readable() -> None:
    read = read_scenarios(written("\n[[scenario]]\nstart = {}\n"))

    assert len(read.faults) == 1
    assert len(read.scenarios) == len(read_scenarios(package()).scenarios)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_packages_are_green_and_every_flow_is_walked(name: str) -> None:
    trial = try_all(package(name=name), functions)

    assert [fault.vi for fault in trial.faults] == []
    assert trial.coverage.flows
    assert all(times or flow in trial.coverage.waived for flow, times in trial.coverage.flows.items())


@pytest.mark.parametrize(
    ("row", "rule", "said"),
    [
        ('[[scenario.step]]\nstep = "sign"\n[scenario.expect]\nends = "returned"\n', "scenario.step_closed", "examine"),
        ('[[scenario.step]]\nwait = "never"\n[scenario.expect]\nends = "returned"\n', "scenario.no_timer", "never"),
        ('[[scenario.step]]\nmessage = "hello"\n[scenario.expect]\nends = "returned"\n', "scenario.stopped", "hello"),
        ('[scenario.expect]\nends = "returned"\n', "scenario.ends", "examine"),
        ('[[scenario.step]]\nstep = "examine"\nanswers = { decision = "perhaps" }\n[scenario.expect]\nends = "returned"\n',
         "scenario.answers", "decision"),
        ('[[scenario.step]]\nstep = "examine"\nanswers = { decision = "refuse", reason = "Bị tẩy xóa.", legal_basis = "Điều 22" }\n'
         '[scenario.expect]\nends = "refused"\npasses = ["sign"]\n', "scenario.passes", "refuse"),
        ('[[scenario.fee]]\npages = 1\namount = 5\n', "scenario.fee", "2000"),
    ],
)  # fmt: skip
def test_what_goes_otherwise_than_written_is_told_with_scenario_and_line(row: str, rule: str, said: str) -> None:
    before = package().files[FILE].decode().count("\n")
    [found] = try_all(written(f'\n[[scenario]]\nname = "Thử nghiệm"\n{row}'), functions).faults

    assert found.rule == rule
    assert found.place.line is not None
    assert found.place.line > before
    assert said in found.vi
    assert found.en


def test_a_flow_no_scenario_walks_is_named_unless_waived_with_a_reason() -> None:
    one = "\n[[scenario]]".join(package().files[FILE].decode().split("\n[[scenario]]")[:2])
    trial = try_all(package(one), functions)
    assert trial.coverage.bare
    assert {fault.rule for fault in trial.faults} == {"scenario.flow_bare"}
    assert {fault.element for fault in trial.faults} == set(trial.coverage.bare)
    assert all(fault.place.x is not None for fault in trial.faults)

    waived = one + "".join(f'\n[[waiver]]\nflow = "{flow}"\nreason = "đã thử ở bản trước"\n' for flow in trial.coverage.bare)
    assert try_all(package(waived), functions).green
    silent = one + f'\n[[waiver]]\nflow = "{trial.coverage.bare[0]}"\nreason = "ok"\n'
    assert "scenario.waiver_reason" in {fault.rule for fault in try_all(package(silent), functions).faults}


def test_a_package_without_scenarios_has_not_been_tried() -> None:
    bare = load_files({name: content for name, content in package().files.items() if name != FILE}, COPY)

    assert "scenario.none" in {fault.rule for fault in try_all(bare, functions).faults}


def test_the_clock_of_a_rehearsal_is_moved_to_the_deadline_it_waits_for() -> None:
    run = rehearse(package(name="internal_leave"), functions)
    start = {"kind": "annual", "from_on": "2026-12-01", "to_on": "2026-12-02", "days": 2, "place": "x", "reason": "y", "hand_over": "z"}
    run.begin(start)
    assert run.advance is not None
    first = run.advance.timers[0]

    run.act(Move("wait", first.step))

    assert run.now > first.due_at
    with pytest.raises(Conflict):
        run.act(Move("step", "leader_signs"))


def test_the_command_line_says_the_same_and_fails_when_something_is_red(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for name, content in package('[[scenario]]\nname = "Dở dang"\n[scenario.expect]\nends = "returned"\n').files.items():
        target = tmp_path / COPY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    assert main(["procedure", "test", str(ROOT / "bpmn" / COPY)]) == 0
    assert "✓" in capsys.readouterr().out
    assert main(["procedure", "test", str(tmp_path / COPY)]) == 1
    said = capsys.readouterr().out
    assert "✗ Dở dang" in said
    assert "tests/scenarios.toml:1" in said
