"""``motcua decision``: evaluate a decision model, examine its tables, or evaluate one expression."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from engine.cli import group, leaf
from engine.feel import FeelError, compile_expression, to_json
from engine.feel.dmn import Decisions, Fired, examine, read_decisions
from engine.feel.dmn.reader import read_model
from engine.sentences import sentence


def add(commands: Any) -> None:
    """Add the commands of this area."""
    found = group(commands, "decision", "evaluate and examine decision models (DMN) and expressions (FEEL)")
    one = leaf(found, "run", _run, "evaluate the decisions of a DMN file")
    one.add_argument("file", type=Path)
    one.add_argument("--input", default="{}", help="the input data as JSON, or @FILE, or - for standard input")
    one.add_argument("--decision", action="append", help="name or id; by default every decision of the file")
    _common(one)
    one = leaf(found, "check", _check, "say what is wrong with a DMN file: errors, overlaps, gaps, rows that never fire")
    one.add_argument("file", type=Path)
    _common(one)
    one = leaf(found, "eval", _eval, "evaluate one FEEL expression")
    one.add_argument("expression")
    one.add_argument("--input", default="{}", help="the variables as JSON, or @FILE, or - for standard input")
    _common(one)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--import", dest="imports", action="append", type=Path, default=[], help="a DMN file that may be imported")
    parser.add_argument("--lenient", action="store_true", help="null instead of an error, as the standard writes it")
    parser.add_argument("--lang", choices=("vi", "en"), default="vi")
    parser.add_argument("--json", action="store_true", help="for machines")


def _input(text: str) -> dict[str, Any]:
    if text == "-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        text = Path(text[1:]).read_text(encoding="utf-8")
    try:
        values = json.loads(text)
    except ValueError as problem:
        raise SystemExit(f"--input: {problem}") from None
    if not isinstance(values, dict):
        raise SystemExit("--input: an object of names and values is needed")
    return values


def _mode(arguments: argparse.Namespace) -> Any:
    return "lenient" if arguments.lenient else "strict"


def _read(arguments: argparse.Namespace) -> Decisions:
    """The model of the file, with the files that may be imported compiled in the order given."""
    return read_decisions(arguments.file.read_bytes(), imports=_imports(arguments), mode=_mode(arguments))


def _imports(arguments: argparse.Namespace) -> dict[str, Decisions]:
    known: dict[str, Decisions] = {}
    for path in arguments.imports:
        source = read_model(path.read_bytes())
        known[source.namespace] = Decisions(source, imports=known, mode=_mode(arguments))
    return known


def _run(arguments: argparse.Namespace) -> int:
    try:
        decisions = _read(arguments)
        outcomes = {name: decisions.evaluate(name, _input(arguments.input)) for name in arguments.decision or decisions.names}
    except FeelError as problem:
        return _said(problem, arguments)
    if arguments.json:
        shown = {
            name: {"value": to_json(outcome.value), "fired": [_fired(step) for step in outcome.fired]} for name, outcome in outcomes.items()
        }
        print(json.dumps(shown, ensure_ascii=False))
        return 0
    for name, outcome in outcomes.items():
        print(f"{name} = {json.dumps(to_json(outcome.value), ensure_ascii=False)}")
        for step in outcome.fired:
            rows = ", ".join(map(str, step.rows)) or "–"
            notes = "; ".join(filter(None, step.annotations))
            print(f"  {step.element}: {rows}" + (f" ({notes})" if notes else ""))
    return 0


def _fired(step: Fired) -> dict[str, Any]:
    inputs = {label: to_json(value) for label, value in step.inputs.items()}
    return {"table": step.element, "inputs": inputs, "rows": list(step.rows), "rules": list(step.rule_ids), "value": to_json(step.value)}


def _check(arguments: argparse.Namespace) -> int:
    try:
        findings = examine(arguments.file.read_bytes(), imports=_imports(arguments))
    except FeelError as problem:
        return _said(problem, arguments)
    shown = [
        {
            "code": finding.code,
            "element": finding.element,
            "rows": list(finding.rows),
            "line": finding.line,
            "column": finding.column,
            "sentence": str(sentence(finding.code, arguments.lang, finding.facts)),
        }
        for finding in findings
    ]
    if arguments.json:
        print(json.dumps(shown, ensure_ascii=False))
    for one in shown if not arguments.json else ():
        print(f"{one['element']}: {one['sentence']} [{one['code']}]")
    return 1 if findings else 0


def _eval(arguments: argparse.Namespace) -> int:
    try:
        value = to_json(compile_expression(arguments.expression, mode=_mode(arguments)).evaluate(_input(arguments.input)))
    except FeelError as problem:
        return _said(problem, arguments)
    print(json.dumps(value, ensure_ascii=False))
    return 0


def _said(problem: FeelError, arguments: argparse.Namespace) -> int:
    text = str(sentence(problem.code, arguments.lang, problem.facts))
    if arguments.json:
        shown = {"code": problem.code, "line": problem.line, "column": problem.column, "element": problem.element, "sentence": text}
        print(json.dumps({"error": shown}, ensure_ascii=False))
        return 1
    place = (
        {"vi": "dòng {}, cột {}: ", "en": "line {}, column {}: "}[arguments.lang].format(problem.line, problem.column)
        if problem.line
        else ""
    )
    print(f"{problem.element + ': ' if problem.element else ''}{place}{text} [{problem.code}]", file=sys.stderr)
    return 1
