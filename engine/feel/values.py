"""Values that Python does not have: durations of years and months, ranges, functions; and how values look as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from engine.feel.errors import FeelError
from engine.feel.limits import Meter
from engine.feel.types import ANY, FeelType

MOST_MONTHS = 13 * 10**9
"""No duration is longer than the years that the standard's dates span."""


@dataclass(frozen=True, slots=True, order=True)
class MonthsDuration:
    """A duration of years and months; ``months`` is the whole of it and may be negative."""

    months: int

    def __post_init__(self) -> None:
        if abs(self.months) > MOST_MONTHS:
            raise OverflowError(self.months.bit_length())

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        sign = "-" if self.months < 0 else ""
        return f"{sign}P" + ((f"{years}Y" if years else "") + (f"{months}M" if months else "") or "0M")


@dataclass(frozen=True, slots=True)
class Range:
    """A range; an end that is None is unbounded."""

    low: Any
    low_closed: bool
    high: Any
    high_closed: bool


class Function:
    """A function value: defined in the text or in a decision model, built in, or registered from outside.

    ``call`` takes the meter of the evaluation and one value per parameter.
    """

    __slots__ = ("call", "name", "parameters", "result", "types")

    def __init__(
        self,
        parameters: tuple[str, ...],
        call: Callable[..., Any],
        *,
        types: tuple[FeelType, ...] = (),
        result: FeelType = ANY,
        name: str = "",
    ) -> None:
        self.parameters = parameters
        self.call = call
        self.types = types or (ANY,) * len(parameters)
        self.result = result
        self.name = name

    def invoke(self, meter: Meter, arguments: tuple[Any, ...], names: tuple[str, ...] | None) -> Any:
        """Call with *arguments* in the order of *names*, or of the parameters when *names* is None.

        Raises:
            FeelError: ``feel.arity``, or whatever the function itself raises.
        """
        if names is not None:
            if not set(names) <= set(self.parameters):
                raise FeelError("feel.arity", function=self.name, parameters=", ".join(self.parameters))
            by_name = dict(zip(names, arguments, strict=True))
            arguments = tuple(by_name.get(name) for name in self.parameters)
        elif len(arguments) != len(self.parameters):
            raise FeelError("feel.arity", function=self.name, parameters=", ".join(self.parameters))
        meter.spend(1)
        meter.enter()
        try:
            return self.call(meter, *arguments)
        finally:
            meter.depth -= 1

    def __repr__(self) -> str:
        return f"function {self.name}({', '.join(self.parameters)})"


def kind_of(value: Any) -> str:
    """The name of the value's type, as the standard spells it."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    return "function" if isinstance(value, Function) else "unknown"


_KINDS: dict[type, str] = {
    bool: "boolean",
    type(None): "Null",
    Decimal: "number",
    int: "number",
    float: "number",
    str: "string",
    datetime: "date and time",
    date: "date",
    time: "time",
    timedelta: "days and time duration",
    MonthsDuration: "years and months duration",
    list: "list",
    dict: "context",
    Range: "range",
    Function: "function",
}
