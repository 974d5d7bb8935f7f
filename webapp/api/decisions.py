"""Decisions: a decision model evaluated on given data, with the rows that fired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.queries import deciding
from engine.runtime import UnitOfWork
from webapp.api.routes import route


@dataclass(frozen=True)
class Question:
    """A DMN model as text, or the key of a procedure; the decision (all when empty); the input data by name."""

    input: Mapping[str, Any]
    model: str = ""
    procedure: str = ""
    decision: str = ""


@dataclass(frozen=True)
class Fired:
    """A table that was applied: what it read, the rows that fired (from 1), what it gave."""

    table: str
    inputs: Mapping[str, Any]
    rows: Sequence[int]
    rules: Sequence[str]
    value: Any


@dataclass(frozen=True)
class Answer:
    """The value of a decision, with every table applied on the way."""

    decision: str
    value: Any
    fired: Sequence[Fired]


@route("POST", "/decisions/evaluation", "Evaluate a decision model, with the rows that fired", tag="procedures", answer=Sequence[Answer],
       body=Question, pure=True)  # fmt: skip
def evaluate(w: UnitOfWork, body: Question) -> list[Answer]:
    """Evaluate decisions; nothing is stored."""
    found = deciding.evaluate(w, body.input, model=body.model.encode(), procedure=body.procedure, decision=body.decision)
    return [Answer(one.decision, one.value, [Fired(f.table, f.inputs, f.rows, f.rules, f.value) for f in one.fired]) for one in found]
