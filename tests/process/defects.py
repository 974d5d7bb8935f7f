"""The table of the interpreter's defects: its words are kept by hand in `docs/engine-defects.md`, its links to tests are written by this.

`python -m tests.process.defects` writes them again.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "engine-defects.md"
ROW = re.compile(r"^\| (\d+) \| ([^|]*) \| ([^|]*) \|(?: [^|]* \| [^|]* \|)?$")
SHOWN = "tests/process/test_spiff_defects.py"
ANSWERS = (
    "tests/process/test_defects_answered.py",
    "tests/process/test_events.py",
    "tests/process/test_event_subprocesses.py",
    "tests/procedures/test_elements.py",
)
GATE = "tests/procedures/test_gate.py"
RULES = "tests/procedures/test_gate_rules.py"
RULE_TEST = "test_each_rule_is_broken_by_a_diagram"
PATCHES = "tests/process/test_patches.py::test_with_the_change_the_promise_holds_and_without_it_it_breaks"
MORE = {
    2: ("tests/process/test_event_subprocesses.py::test_one_that_interrupts_ends_everything_in_its_level",),
    3: ("tests/process/test_event_subprocesses.py::test_one_that_interrupts_ends_everything_in_its_level",),
    35: (
        "tests/process/test_migration.py::test_a_running_deadline_is_not_restarted_even_when_the_new_version_writes_another",
        "tests/process/test_migration.py::test_the_very_task_stays_open_under_its_number",
    ),
    36: ("tests/procedures/test_decisions.py::test_a_business_rule_task_runs_on_the_decision_it_calls",),
    39: ("tests/process/test_event_subprocesses.py::test_one_that_does_not_interrupt_runs_beside_and_the_level_waits_for_it",),
    48: (PATCHES,),
    49: (PATCHES,),
    50: (PATCHES,),
    56: (PATCHES,),
    57: (PATCHES,),
    58: (PATCHES,),
}
"""Tests whose names do not carry the number."""


@cache
def functions(file: str) -> list[str]:
    """Return the tests of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def numbered(file: str, number: int) -> Iterator[str]:
    """Yield the tests of a file that carry a defect's number."""
    yield from (f"{file}::{name}" for name in functions(file) if re.match(rf"test_(\d\d_)*{number:02}_", name))


def cases(number: int) -> Iterator[str]:
    """Yield the cases of the gate that carry a defect's number."""
    from tests.procedures.test_gate import NORMALISED, REFUSED

    for table, test in (
        (REFUSED, "test_what_would_run_wrongly_is_refused_by_name"),
        (NORMALISED, "test_what_has_an_equivalent_is_rewritten_with_a_note"),
    ):
        if any(re.match(rf"{number} ", name) for name in table):
            yield f"{GATE}::{test}"


def shown(number: int) -> list[str]:
    """Return the tests that show a defect in the library as shipped."""
    return list(numbered(SHOWN, number)) or list(MORE.get(number, ()))


def answered(number: int, words: str) -> list[str]:
    """Return the tests that show our answer, which would fail without it."""
    from engine.procedure.sources import SOURCES

    rules = [f"{RULES}::{RULE_TEST}[{rule}]" for rule in re.findall(r"`([a-z-]+)`", words) if rule in SOURCES]
    found = [*cases(number), *rules, *(test for file in ANSWERS for test in numbered(file, number)), *MORE.get(number, ())]
    return list(dict.fromkeys(found))


def linked(tests: list[str]) -> str:
    """Return tests as links."""
    links = []
    for test in tests:
        file, _, name = test.partition("::")
        links.append(f"[{name}](../{file})")
    return "<br>".join(links)


def rows() -> dict[int, tuple[str, str]]:
    """Return the words of every row: the defect and what answers it."""
    found = (ROW.match(line) for line in TABLE.read_text(encoding="utf-8").splitlines())
    return {int(match[1]): (match[2].strip(), match[3].strip()) for match in found if match}


def written() -> str:
    """Return the document with the links of every row written again."""
    lines = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        match = ROW.match(line)
        if match:
            number, defect, answer = int(match[1]), match[2].strip(), match[3].strip()
            line = f"| {number} | {defect} | {answer} | {linked(shown(number))} | {linked(answered(number, answer))} |"
        elif line.startswith("| # |"):
            line = "| # | as shipped | answered by | shown by | answer shown by |"
        elif line.startswith("|---"):
            line = "|---|---|---|---|---|"
        lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TABLE.write_text(written(), encoding="utf-8")
