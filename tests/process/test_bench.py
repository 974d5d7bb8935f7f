"""The bench command measures real completions and leaves nothing behind."""

import json
import runpy

import pytest

from engine.cli import bench, main
from engine.procedure.gate import check
from engine.procedure.loader import load_folder
from engine.settings import ROOT


def test_the_benchmark_case_is_a_procedure_the_gate_lets_pass():
    assert check(load_folder(ROOT / "benchmarks" / "case")).refused == ()


def test_the_figures_of_one_run_stand_side_by_side(databases, monkeypatch, capsys):
    monkeypatch.setenv("MOTCUA_DATABASE_URL", databases.owner_url("postgres"))
    monkeypatch.setattr(bench, "PROCESSES", 2)
    assert main(["bench", "complete-task", "--cases", "4", "--quick", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["tasks"] == 48
    assert figures["command.tasks_per_second"] > 0
    assert figures["raw.tasks_per_second"] > 0
    assert figures["state_bytes"] <= 12 * 1024
    assert figures["sql_statements"] > 1


GATE = runpy.run_path(str(ROOT / "benchmarks" / "gate.py"))


@pytest.mark.parametrize("shape", GATE["SHAPES"])
def test_every_shape_the_gate_is_measured_with_has_three_hundred_nodes_and_is_well_formed(shape):
    package = GATE["SHAPES"][shape]()
    assert 290 <= len(package.diagram.nodes) <= 300
    examined = GATE["Examined"](package)
    assert not any(finding.severity == "refused" for rule in GATE["STRUCTURE"] for finding in rule(examined))


@pytest.mark.parametrize(
    ("shape", "proved", "found"),
    [("deadlock", True, ["deadlock"]), ("reminders", True, []), ("parallel_choices_10", False, ["not-proved"])],
)
def test_what_is_not_proved_is_said(shape, proved, found):
    figures = GATE["_judged"](GATE["SHAPES"][shape])
    assert (figures["proved"], figures["found"]) == (proved, found)
    assert figures["seconds"] > 0


@pytest.mark.full
def test_the_gate_bench_prints_all_shapes(capsys):
    assert main(["bench", "gate", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures["shapes"]) == set(GATE["SHAPES"])
    assert figures["slowest_s"] == max(row["seconds"] for row in figures["shapes"].values())
