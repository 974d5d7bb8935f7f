"""What happened during an evaluation: which elements were evaluated, and which rows of which tables fired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.feel.limits import Meter


@dataclass(frozen=True, slots=True)
class Fired:
    """One evaluation of a decision table: the input values, and the rows that matched (counted from 1)."""

    element: str
    inputs: Mapping[str, Any]
    rows: tuple[int, ...]
    rule_ids: tuple[str, ...]
    annotations: tuple[str, ...]
    value: Any


@dataclass(frozen=True, slots=True)
class Reached:
    """One element of the graph with its value."""

    element: str
    kind: str
    value: Any


@dataclass(slots=True)
class Run:
    """One evaluation: its budget, its trace, the values already known, and where null came from."""

    meter: Meter
    steps: list[Fired | Reached] = field(default_factory=list)
    element: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The value of a decision, and how it came about."""

    value: Any
    trace: tuple[Fired | Reached, ...]

    @property
    def fired(self) -> tuple[Fired, ...]:
        """The decision tables of the trace."""
        return tuple(step for step in self.trace if isinstance(step, Fired))
