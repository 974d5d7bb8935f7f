"""Every test the law table names exists: a table of law that points to nothing is worse than none."""

from __future__ import annotations

import ast
import re

import pytest

from engine.settings import ROOT

TABLE = (ROOT / "docs" / "law-of-signing.md").read_text("utf-8")
ROWS = [line for line in TABLE.splitlines() if line.startswith("| ") and not line.startswith(("| clause", "| trap"))]
NAMES = sorted(set(re.findall(r"`(tests/[\w/.-]+(?:::\w+)?)`", TABLE)))


def test_every_row_names_a_test() -> None:
    assert len(ROWS) > 20
    assert [row for row in ROWS if not re.search(r"`tests/", row.rsplit("|", 2)[1])] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_test_named_exists(name: str) -> None:
    file, _, test = name.partition("::")
    assert (ROOT / file).is_file()
    if test:
        found = {one.name for one in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))) if isinstance(one, ast.FunctionDef)}
        assert test in found
