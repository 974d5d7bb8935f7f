"""The bench command measures real completions and leaves nothing behind."""

import json

from engine.cli import main
from engine.procedure.gate import check
from engine.procedure.loader import load_folder
from engine.settings import ROOT


def test_the_benchmark_case_is_a_procedure_the_gate_lets_pass():
    assert check(load_folder(ROOT / "benchmarks" / "case")).refused == ()


def test_the_figures_of_one_run_stand_side_by_side(databases, monkeypatch, capsys):
    monkeypatch.setenv("MOTCUA_DATABASE_URL", databases.owner_url("postgres"))
    assert main(["bench", "complete-task", "--cases", "4", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["tasks"] == 48
    assert figures["command.tasks_per_second"] > 0
    assert figures["raw.tasks_per_second"] > figures["command.tasks_per_second"]
    assert figures["state_bytes"] <= 12 * 1024
    assert figures["sql_statements"] > 1
