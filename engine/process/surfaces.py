"""The texts a designer writes, as the library meets them: each compiled once, each knowing what kind of value it must give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from itertools import count
from typing import Any, Self
from weakref import WeakValueDictionary

from engine.errors import EngineError, Refused
from engine.feel import Expression, FeelError, FeelType, compile_expression, to_json
from engine.process import timing
from engine.process.values import Context, Json

MAX_COUNT = 200
MAX_COMPILED = 20_000

CONTEXT: ContextVar[Context] = ContextVar("context")


def _forward(name: str, sample: Callable[..., Any]) -> Callable[..., Any]:
    """Stand for the function *name* of whichever context evaluates: compiled expressions are shared, calendars are not."""

    @wraps(sample)
    def call(*values: Any) -> Any:
        return CONTEXT.get().functions[name](*values)

    return call


class Types(dict[str, FeelType]):
    """The variables of one program with their declared types; surfaces refer to it by number so that a pickled copy stays small."""

    def __init__(self, declared: Mapping[str, FeelType]) -> None:
        super().__init__(declared)
        self.number = next(_numbers)
        _types[self.number] = self


_numbers = count(1)
_types: WeakValueDictionary[int, Types] = WeakValueDictionary()
_compiled: dict[tuple[str, int, tuple[str, ...]], Expression] = {}


def compiled(text: str, types: int, functions: Mapping[str, Callable[..., Any]]) -> Expression:
    """Return the expression of *text*, compiled once per process for each program and set of function names.

    Raises: FeelError.
    """
    key = (text, types, tuple(sorted(functions)))
    known = _compiled.get(key)
    if known is None:
        forwards = {name: _forward(name, call) for name, call in functions.items()}
        known = compile_expression(text, names=_types.get(types), functions=forwards)
        if len(_compiled) >= MAX_COMPILED:
            _compiled.clear()
        _compiled[key] = known
    return known


class Surface(str):
    """An expression text at its place: *kind* is condition, watch, count, value, key, due, cycle or list;
    *element* the node it stands on."""

    __slots__ = ("element", "kind", "types")
    kind: str
    element: str
    types: int

    @classmethod
    def at(cls, text: str, kind: str, element: str, types: int = 0) -> Self:
        """Mark *text* as one of the texts the engine may evaluate; *types* is the number of the program's declared variables."""
        surface = cls(text)
        surface.kind, surface.element, surface.types = kind, element, types
        return surface

    def evaluate(self, scope: Mapping[str, Json]) -> Any:
        """Evaluate over *scope* and return the kind of value this place needs.

        Raises: Refused ``process.expression_failed`` with the place in the author's text, ``process.not_boolean``,
        ``process.count_out_of_range``, ``process.bad_timer``.
        """
        reader = _READERS[self.kind]
        if self.kind in ("due", "cycle") and timing.is_literal(self):
            return reader(self, self.strip())
        return reader(self, self._look(scope))

    def _look(self, scope: Mapping[str, Json]) -> Any:
        context = CONTEXT.get()
        try:
            expression = compiled(str(self), self.types, context.functions)
            if self.kind == "watch":  # what nobody has answered yet is null, not unknown
                scope = {**{name.partition(".")[0]: None for name in expression.names}, **scope}
            return expression.evaluate({**scope, "dossier": context.facts()})
        except FeelError as error:
            if isinstance(error.__cause__, EngineError):
                raise error.__cause__ from None
            raise Refused(
                "process.expression_failed", step=self.element, reason=error.code, line=error.line, column=error.column
            ) from error

    def _condition(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise Refused("process.not_boolean", step=self.element)
        return value

    def _watch(self, value: Any) -> bool:
        # An answer nobody has given yet is null: what waits for it goes on waiting.
        return value is not None and self._condition(value)

    def _count(self, value: Any) -> int:
        number = to_json(value)
        if isinstance(number, bool) or not isinstance(number, int | float) or number != int(number) or not 1 <= number <= MAX_COUNT:
            raise Refused("process.count_out_of_range", step=self.element, limit=MAX_COUNT)
        return int(number)

    def _due(self, value: Any) -> datetime:
        context = CONTEXT.get()
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise Refused("process.bad_timer", step=self.element)
            return value.astimezone(UTC)
        if isinstance(value, timedelta) and value > timedelta(0):
            return context.now.astimezone(UTC) + value
        if isinstance(value, date) and not isinstance(value, datetime):
            return datetime.combine(value, datetime.min.time(), context.zone).astimezone(UTC)
        text = to_json(value)
        for read in (lambda one: timing.duration(one).after(context.now, context.zone), timing.instant):
            try:
                return read(str(text))
            except timing.BadTime:
                continue
        raise Refused("process.bad_timer", step=self.element)

    def _cycle(self, value: Any) -> timing.Cycle:
        context = CONTEXT.get()
        try:
            return timing.cycle(str(to_json(value)), context.now, context.zone)
        except timing.BadTime:
            raise Refused("process.bad_timer", step=self.element) from None


_READERS: dict[str, Callable[[Surface, Any], Any]] = {
    "condition": Surface._condition,
    "watch": Surface._watch,
    "count": Surface._count,
    "due": Surface._due,
    "cycle": Surface._cycle,
    "value": lambda _, value: to_json(value),
    "key": lambda _, value: to_json(value),
}


class ListLimit(Surface):
    """Not written by anyone: the check that a list to be repeated over exists and is no longer than 200."""

    __slots__ = ()

    def evaluate(self, scope: Mapping[str, Json]) -> Any:
        """Return the list.

        Raises: Refused ``process.count_out_of_range``.
        """
        given = scope.get(str(self))
        if not isinstance(given, list | dict) or len(given) > MAX_COUNT:
            raise Refused("process.count_out_of_range", step=self.element, limit=MAX_COUNT)
        return given
