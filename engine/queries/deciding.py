"""Evaluating a decision model for a designer: the value, and every table with the rows that fired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import EngineError, NotFound, Refused
from engine.feel import FeelError, to_json
from engine.feel import evaluate as evaluate_text
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


@dataclass(frozen=True, slots=True)
class Question:
    """An input a decision file reads, by its path (``dossier.pages``), with the type it declares."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What trying a table gave: the decisions, or the problem."""

    decided: Sequence[Decided]
    problem: FeelError | None


def asked(content: bytes) -> list[Question]:
    """Return the inputs that the decisions of a file read; none when the file cannot be read."""
    try:
        held = read_decisions(content)
        found: dict[str, str] = {}
        for name in held.names:
            for path, kind in held.inputs_of(name).items():
                entries = getattr(kind, "entries", None)
                found.update({f"{path}.{key}": str(one) for key, one in entries.items()} if entries else {path: str(kind)})
        return [Question(name, kind) for name, kind in found.items()]
    except (FeelError, EngineError):
        return []


def tried(w: UnitOfWork, content: bytes, given: Mapping[str, str]) -> Tried:
    """Evaluate every decision of a file; values are FEEL literals, or plain text where they are none.

    Raises:
        Forbidden: the actor designs no procedures.
    """
    designer(w)
    inputs: dict[str, Any] = {}
    for path, text in given.items():
        place, *names = path.split(".")
        holder = inputs
        for name in names:
            holder = holder.setdefault(place, {})
            place = name
        holder[place] = _value(text)
    try:
        held = read_decisions(content)
        return Tried([_decided(held, name, inputs) for name in held.names], None)
    except FeelError as problem:
        return Tried((), problem)


def _value(text: str) -> Any:
    """Return what somebody typed: nothing, a FEEL literal, or the text itself."""
    if not text.strip():
        return None
    try:
        return evaluate_text(text)
    except FeelError:
        return text.strip()


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
