"""``motcua decision`` and ``motcua bench feel``, as an official or an administrator calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main

FEES = str(Path(__file__).parent / "models" / "fees.dmn")
DOSSIER = {"dossier": {"pages": 5, "channel": "post", "received on": "2026-08-01"}}


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of one command."""
    code = main(["decision", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_file_is_evaluated_with_the_rows_that_fired(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "run", FEES, "--input", json.dumps(DOSSIER))
    assert code == 0
    assert out.splitlines() == ["Mức phí = 29000", "  Mức phí: 2", "Tổng phải nộp = 30000", "  Mức phí: 2"]
    code, out, _ = called(capsys, "run", FEES, "--input", json.dumps(DOSSIER), "--decision", "d1", "--json")
    assert json.loads(out) == {
        "d1": {
            "value": 29000,
            "fired": [{"table": "Mức phí", "inputs": {"Số trang": 5, "Hình thức": "post"}, "rows": [2], "rules": ["R2"], "value": 29000}],
        }
    }


def test_input_comes_from_a_file_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    given = tmp_path / "input.json"
    given.write_text(json.dumps(DOSSIER), encoding="utf-8")
    assert called(capsys, "run", FEES, "--input", f"@{given}", "--decision", "Mức phí")[0] == 0


def test_an_error_is_said_in_the_language_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = json.dumps({"dossier": {**DOSSIER["dossier"], "channel": "fax"}})
    code, _, err = called(capsys, "run", FEES, "--input", wrong, "--lang", "en")
    assert code == 1
    assert err.startswith("dossier: The value is not one of the type “tChannel”.")
    code, out, _ = called(capsys, "run", FEES, "--input", wrong, "--json")
    assert json.loads(out)["error"]["code"] == "decision.not_allowed"


def test_a_sound_file_is_said_to_be_sound_and_a_wrong_one_explained(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert called(capsys, "check", FEES) == (0, "", "")
    wrong = tmp_path / "wrong.dmn"
    wrong.write_bytes(Path(FEES).read_bytes().replace(b"<text>&gt; 2</text>", b"<text>&gt;= 2</text>"))
    code, out, _ = called(capsys, "check", str(wrong))
    assert code == 1
    assert "Các dòng 1, 2 giao nhau. Ví dụ cả hai cùng khớp khi: Số trang = 2, Hình thức = counter." in out


def test_an_expression_is_evaluated(capsys: pytest.CaptureFixture[str]) -> None:
    assert called(capsys, "eval", "a * 2", "--input", '{"a": 1.5}')[:2] == (0, "3\n")
    code, _, err = called(capsys, "eval", 'a + "x"', "--input", '{"a": 1}')
    assert code == 1
    assert err.startswith("dòng 1, cột 3: Không dùng được “+” giữa number và string.")


@pytest.mark.full
def test_the_bench_reaches_its_goals(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "feel", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["expressions"]["condition"]["evaluate_us"] <= 4
    assert all(row["compile_us"] <= 1000 for row in figures["expressions"].values())
    assert all(row.get("times_pysfeel", 20) >= 20 for row in figures["expressions"].values())
    assert figures["tables"]["200 rows"]["decide_us"] <= 100
    assert figures["hostile"]["slowest_ms"] <= 100
