"""The documents on the language: every example is run, the table of functions is that of the library."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.feel import DATE, compile_expression, context_of, evaluate
from engine.feel.equality import same
from engine.feel.library import LIBRARY
from engine.feel.library.registry import Overload
from engine.feel.types import ANY
from engine.settings import ROOT

DOCUMENTS = ("feel.md", "feel.vi.md")
DOCS = ROOT / "docs"


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def examples(name: str) -> list[tuple[str, str]]:
    """Every line with an arrow in the blocks of FEEL."""
    found = []
    for block in re.findall(r"```feel\n(.*?)```", text_of(name), re.DOTALL):
        for line in block.strip().splitlines():
            left, arrow, right = line.partition("→")
            assert arrow, line
            found.append((left.strip(), right.strip()))
    return found


def scope_of(name: str) -> dict[str, Any]:
    found = re.search(r"```json scope\n(.*?)```", text_of(name), re.DOTALL)
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


@pytest.mark.parametrize(("document", "expression", "expected"), [(name, *pair) for name in DOCUMENTS for pair in examples(name)])
def test_every_example_gives_what_the_document_says(document: str, expression: str, expected: str) -> None:
    scope = scope_of(document)
    names = dict.fromkeys(scope, ANY) | {"dossier": context_of({"received on": DATE}, open=True)}
    value = compile_expression(expression, names=names).evaluate(scope)
    wanted = evaluate(expected)
    assert type(value) is type(wanted)
    assert wanted is None or same(value, wanted) is True, value


def test_both_documents_show_the_same_examples() -> None:
    first, second = (examples(name) for name in DOCUMENTS)
    assert first == second
    assert len(first) > 45


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_programs_of_the_documents_run(document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for program in re.findall(r"```python\n(.*?)```", text_of(document), re.DOTALL):
        exec(compile(program, document, "exec"), {})


def signature(overload: Overload) -> str:
    parameters = []
    for parameter in overload.parameters:
        kinds = "any" if not parameter.kinds else " or ".join(sorted(parameter.kinds))
        shown = f"{parameter.name}: {kinds}"
        parameters.append(f"[{shown}]" if parameter.optional else f"{shown}, …" if parameter.repeats else shown)
    return f"`{overload.function}({', '.join(parameters)})`"


def table() -> str:
    """The built-in functions as the documents list them."""
    lines = []
    for name in sorted(LIBRARY):
        for overload in LIBRARY[name].overloads:
            says = (overload.call.__doc__ or "").strip().splitlines()[0]
            lines.append(f"| {signature(overload)} | {overload.result}: {says} |")
    return "\n".join(lines)


def test_the_table_of_functions_is_that_of_the_library() -> None:
    assert table() in text_of("feel.md")
    listed = [re.findall(r"^\| (`[a-z].*?\)`) \|", text_of(name), re.MULTILINE) for name in DOCUMENTS]
    assert listed[0] == listed[1] == [signature(overload) for name in sorted(LIBRARY) for overload in LIBRARY[name].overloads]


def test_every_function_of_the_clause_is_there() -> None:
    clause = """
    date|date and time|time|number|string|duration|years and months duration|not|substring|string length|upper case|lower case
    |substring before|substring after|replace|contains|starts with|ends with|matches|split|list contains|count|min|max|sum|mean|all|any
    |sublist|append|concatenate|insert before|remove|reverse|index of|union|distinct values|flatten|product|median|stddev|mode|decimal|floor
    |ceiling|abs|modulo|sqrt|log|exp|odd|even|is|before|after|meets|met by|overlaps|overlaps before|overlaps after|finishes|finished by
    |includes|during|starts|started by|coincides|day of year|day of week|month of year|week of year|sort|get value|get entries
    """
    names = {" ".join(name.split()) for name in clause.split("|")}
    assert len(names) == 74
    assert names <= set(LIBRARY)


def test_the_documents_are_found() -> None:
    assert all(Path(DOCS / name).is_file() for name in DOCUMENTS)
