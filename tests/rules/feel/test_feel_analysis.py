"""What the analysis of decision tables finds, and that it never cries wolf."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from engine.feel import FeelError
from engine.feel.dmn import examine, read_decisions
from engine.feel.dmn.analysis import Finding
from tests.rules.feel.tables import decision, definitions, given, literal, needs, table
from tests.support.effort import effort

CHANNELS = (
    '<itemDefinition name=\'tChannel\'><typeRef>string</typeRef><allowedValues><text>"a", "b"</text></allowedValues></itemDefinition>'
)


def found(logic: str, **kinds: str) -> list[Finding]:
    """What the analysis says of one table over the inputs x and y."""
    kinds = {"x": "number", **kinds}
    return examine(
        definitions(CHANNELS, *(given(name, kind) for name, kind in kinds.items()), decision("d", logic, needs("Input", *kinds)))
    )


def summary(findings: list[Finding]) -> list[tuple[str, tuple[int, ...]]]:
    return [(finding.code.removeprefix("decision."), finding.rows) for finding in findings]


@pytest.mark.parametrize(
    ("policy", "cells", "expected"),
    [
        ("U", ["< 5", ">= 5"], []),
        ("U", ["< 5", "> 5"], [("gap", ())]),
        ("U", ["<= 5", ">= 5"], [("rows_overlap", (1, 2))]),
        ("U", ["[1..5]", "not([1..5])"], []),
        ("U", ["[1..5]", "[3..9]", "< 1", "> 9"], [("rows_overlap", (1, 2))]),
        ("U", ["1, 2", "2, 3", "not(1, 2, 3)"], [("rows_overlap", (1, 2))]),
        ("U", ["-"], []),
        ("U", ["-", "5"], [("rows_overlap", (1, 2))]),
        ("F", ["-", "5"], [("row_covered", (2,))]),
        ("F", ["< 5", "< 9", "[1..7]", "-"], [("row_covered", (3,))]),
        ("F", ["< 5", "<= 3", "-"], [("row_covered", (2,))]),
        ("F", ["5", "-"], []),
        ("C", ["> 5"], []),
        ("R", ["> 5", "> 6"], [("gap", ())]),
        ("U", ["> limit", "5", "not(5)"], []),
        ("F", ["limit", "-"], []),
    ],
)
def test_overlaps_gaps_and_dead_rows_are_found_exactly(policy: str, cells: list[str], expected: list[object]) -> None:
    rules = [(cell, str(row)) for row, cell in enumerate(cells)]
    assert summary(found(table(policy, ["x"], ["r"], rules), limit="number")) == expected


def test_a_gap_comes_with_an_input_that_matches_nothing() -> None:
    rules = [("<= 2", '"a"', "1"), ("> 2", '"a"', "2"), ("> 5", '"b"', "3")]
    (gap,) = found(table("U", ["x", "y"], ["r"], rules), y="tChannel")
    assert gap.code == "decision.gap"
    assert gap.example["y"] == "b"
    assert gap.example["x"] <= 5
    assert gap.facts["example"] == f"x = {gap.example['x']}, y = b"
    default = table("U", ["x", "y"], ["r"], rules, defaults=["0"])
    assert found(default, y="tChannel") == []


def test_texts_outside_the_named_ones_are_a_case_of_their_own() -> None:
    rules = [('"a"', "1"), ('"b"', "2")]
    assert summary(found(table("U", ["y"], ["r"], rules), y="string")) == [("gap", ())]
    assert found(table("U", ["y"], ["r"], rules), y="tChannel") == []


def test_days_have_nothing_between_them() -> None:
    rules = [('< date("2026-07-01")', "1"), ('>= date("2026-07-01")', "2")]
    assert found(table("U", ["y"], ["r"], rules), y="date") == []
    rules = [('<= date("2026-06-30")', "1"), ('>= date("2026-07-01")', "2")]
    assert found(table("U", ["y"], ["r"], rules), y="date") == []
    rules = [('< date("2026-06-30")', "1"), ('>= date("2026-07-01")', "2")]
    (gap,) = found(table("U", ["y"], ["r"], rules), y="date")
    assert str(gap.example["y"]) == "2026-06-30"


def test_rows_whose_cells_exclude_each_other_never_match() -> None:
    logic = table("U", ["x"], ["r"], [("> 10", "1"), ("-", "2")], input_values=["[0..9]"])
    assert summary(found(logic)) == [("row_never", (1,))]


def test_any_reports_only_rows_that_differ() -> None:
    assert found(table("A", ["x"], ["r"], [("> 0", "1"), ("-", "1")])) == []
    assert summary(found(table("A", ["x"], ["r"], [("> 0", "1"), ("-", "2")]))) == [("rows_overlap", (1, 2))]


def test_every_error_of_a_file_is_reported_in_one_answer() -> None:
    rules = [('"a"', "1"), ("1 +", "2"), ("1", "x + y"), ("2", "dòng")]
    data = definitions(
        given("x", "number"), decision("d", table("U", ["x"], ["r"], rules), needs("Input", "x")), decision("e", literal('1 + "a"'))
    )
    findings = examine(data)
    assert [(finding.code, finding.element) for finding in findings] == [
        ("feel.operands", "d: row 1, input “x”"),
        ("feel.unexpected_end", "d: row 2, input “x”"),
        ("feel.unknown_name", "d: row 3, output “r”"),
        ("feel.unknown_name", "d: row 4, output “r”"),
        ("feel.operands", "e"),
    ]
    assert all(finding.line and finding.column for finding in findings)
    assert [finding.code for finding in examine(b"<a/>")] == ["decision.not_dmn"]


def test_large_tables_are_examined_with_bounded_work() -> None:
    rules = [(f"[{row * 10}..{row * 10 + 10})", f"{row % 7}", str(row)) for row in range(400)]
    with effort() as work:
        findings = found(table("U", ["x", "y"], ["r"], rules), y="number")
    assert work.calls < 5_000_000
    assert {finding.code for finding in findings} <= {"decision.gap", "decision.analysis_partial"}


cells = st.one_of(
    st.just("-"),
    st.integers(0, 4).map(str),
    st.builds("{} {}".format, st.sampled_from(["<", "<=", ">", ">="]), st.integers(0, 4)),
    st.builds("[{}..{})".format, st.integers(0, 2), st.integers(2, 4)),
)


@drawn(st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
@settings(max_examples=80, deadline=None)
def test_what_is_reported_happens_and_what_happens_is_reported(rows: list[tuple[str, str]]) -> None:
    rules = [(first, second, str(number)) for number, (first, second) in enumerate(rows)]
    data = definitions(
        given("x", "number"), given("y", "number"), decision("d", table("U", ["x", "y"], ["r"], rules), needs("Input", "x", "y"))
    )
    decisions = read_decisions(data)
    findings = examine(data)
    for finding in findings:
        if finding.code == "decision.gap":
            inputs = {"x": Decimal(0), "y": Decimal(0)} | dict(finding.example)
            assert decisions.evaluate("d", inputs).fired[0].rows == ()
        if finding.code == "decision.rows_overlap":
            inputs = {"x": Decimal(0), "y": Decimal(0)} | dict(finding.example)
            with pytest.raises(FeelError, match=r"decision\.overlap"):
                decisions.evaluate("d", inputs)
    reported = {finding.code for finding in findings}
    for x in (-1, 0, "0.5", 1, 2, 3, "3.5", 4, 5):
        for y in (-1, 0, "0.5", 2, 4, 5):
            try:
                fired = decisions.evaluate("d", {"x": x, "y": y}).fired[0].rows
            except FeelError:
                assert "decision.rows_overlap" in reported
            else:
                assert fired or "decision.gap" in reported
