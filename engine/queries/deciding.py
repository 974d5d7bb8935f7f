"""Evaluating a decision model for a designer: the value, and every table with the rows that fired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import NotFound, Refused
from engine.feel import FeelError, to_json
from engine.feel.dmn import Decisions, read_decisions
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.drafting import designer
from engine.procedure.registry import ProcedureCache, latest


@dataclass(frozen=True, slots=True)
class FiredTable:
    """A table that was applied: what it read, the rows that fired (from 1), their ids, what it gave."""

    table: str
    inputs: Mapping[str, Any]
    rows: Sequence[int]
    rules: Sequence[str]
    value: Any


@dataclass(frozen=True, slots=True)
class Decided:
    """The value of one decision, with its trace in order of evaluation."""

    decision: str
    value: Any
    fired: Sequence[FiredTable]


def evaluate(w: UnitOfWork, inputs: Mapping[str, Any], *, model: bytes = b"", procedure: str = "", decision: str = "") -> list[Decided]:
    """Evaluate one decision (by name or id) or all of them, of *model* or of the newest version of *procedure*.

    Raises:
        Forbidden: the actor designs no procedures.
        NotFound: there is no such procedure, or it has no such decision.
        Refused: whatever is wrong with model or inputs, with line, column and element.
    """
    designer(w)
    try:
        found = [(held, name) for held in _models(w, model, procedure) for name in held.names]
        wanted = [(held, name) for held, name in found if not decision or decision in (name, held.key_of(name))]
        if not wanted:
            raise NotFound("decision.unknown", name=decision[:80])
        return [_decided(held, name, inputs) for held, name in wanted]
    except FeelError as problem:
        place = {"line": problem.line or 1, "column": problem.column or 1, "element": problem.element or ""}
        raise Refused(
            problem.code, field="input" if problem.code == "decision.missing_input" else "model", **{**problem.facts, **place}
        ) from None


def _models(w: UnitOfWork, model: bytes, procedure: str) -> list[Decisions]:
    if model:
        return [read_decisions(model)]
    current = latest(w.session, w.province, procedure)
    if current is None:
        raise NotFound("procedure.unknown", key=procedure[:60])
    files = w.part(ProcedureCache).package(w, current.id).files
    return [read_decisions(content) for name, content in sorted(files.items()) if name.startswith("decisions/")]


def _decided(held: Decisions, name: str, inputs: Mapping[str, Any]) -> Decided:
    outcome = held.evaluate(name, {key: inputs.get(key) for key in {one.partition(".")[0] for one in held.inputs_of(name)}})
    fired = [
        FiredTable(one.element, {key: to_json(value) for key, value in one.inputs.items()}, one.rows, one.rule_ids, to_json(one.value))
        for one in outcome.fired
    ]
    return Decided(name, to_json(outcome.value), fired)
