"""How built-in functions are declared: the signature as the standard prints it, and what Python calls.

``@builtin("substring(string: string, start position: number, length?: number): string")`` registers one overload. ``name?:`` marks a
parameter that may be left out, a type ending in ``?`` one that may be null, ``|`` alternatives, ``…`` before the name that it repeats.
Arguments are converted before the call: a list of one where an item is wanted, an item where a list is wanted; null where null is not
allowed makes the result null. The function never sees a value of another type.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TypeVar

from engine.feel.arithmetic import midnight
from engine.feel.errors import FeelError
from engine.feel.limits import Meter
from engine.feel.names import NameTable
from engine.feel.types import ANY, NAMED, FeelType, FunctionType
from engine.feel.typetext import parse_type
from engine.feel.values import Function, kind_of

_NULL = object()
Call = TypeVar("Call", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: the names of the types it takes (none at all: any), whether it may be null, be left out or repeat."""

    name: str
    kinds: frozenset[str]
    nullable: bool
    optional: bool
    repeats: bool
    type: FeelType

    def read(self, meter: Meter, value: Any, function: str) -> Any:
        """The argument as the function expects it; ``_NULL`` when it is null and must not be."""
        if value is None:
            return None if self.nullable else _NULL
        kind = kind_of(value)
        if kind in ("list", "context"):
            meter.spend(len(value) // 4)
        elif kind == "string":
            meter.spend(len(value) >> 8)
        if not self.kinds or kind in self.kinds:
            return value
        if "list" in self.kinds:
            return [value]
        if kind == "list" and len(value) == 1 and kind_of(value[0]) in self.kinds:
            return value[0]
        if kind == "date" and "date and time" in self.kinds:
            return midnight(value)
        expected = ", ".join(sorted(self.kinds))
        raise FeelError("feel.argument", function=function, parameter=self.name, expected=expected, found=kind)


_SMALL = {"number": Decimal, "boolean": bool, "date": date, "time": time, "date and time": datetime}
"""Types whose values cost nothing to pass."""


class Overload:
    """One way to call a built-in function."""

    __slots__ = ("call", "function", "parameters", "repeats", "required", "result", "small")

    def __init__(self, function: str, parameters: tuple[Parameter, ...], result: FeelType, call: Callable[..., Any]) -> None:
        self.function = function
        self.parameters = parameters
        self.result = result
        self.call = call
        self.required = sum(not parameter.optional for parameter in parameters)
        self.repeats = bool(parameters) and parameters[-1].repeats
        self.small = tuple(
            frozenset(kind for name, kind in _SMALL.items() if not parameter.kinds or name in parameter.kinds) for parameter in parameters
        )

    def takes(self, count: int) -> bool:
        """Whether *count* positional arguments fit."""
        return self.required <= count and (self.repeats or count <= len(self.parameters))

    def __call__(self, meter: Meter, *arguments: Any) -> Any:
        """Read the arguments and call."""
        meter.spend(1)
        parameters = self.parameters
        last = len(parameters) - 1
        read = []
        for position, value in enumerate(arguments):
            parameter = parameters[min(last, position)]
            converted = parameter.read(meter, value, self.function)
            if converted is _NULL:
                return None
            read.append(converted)
        return self.call(meter, *read)


class Builtin(Function):
    """A built-in function: several overloads under one name."""

    __slots__ = ("overloads",)

    def __init__(self, name: str) -> None:
        super().__init__((), _unused, name=name)
        self.overloads: list[Overload] = []

    def choose(self, count: int, names: tuple[str, ...] | None) -> Overload | None:
        """The overload that takes *count* positional arguments, or exactly the arguments *names*."""
        for overload in self.overloads:
            if names is None:
                if overload.takes(count):
                    return overload
            else:
                known = {parameter.name for parameter in overload.parameters}
                needed = {parameter.name for parameter in overload.parameters if not parameter.optional}
                if needed <= set(names) <= known:
                    return overload
        return None

    def arity_error(self) -> FeelError:
        """The error for arguments no overload takes."""
        known = "; ".join(", ".join(parameter.name for parameter in overload.parameters) for overload in self.overloads)
        return FeelError("feel.arity", function=self.name, parameters=known)

    def invoke(self, meter: Meter, arguments: tuple[Any, ...], names: tuple[str, ...] | None) -> Any:
        """Call the overload that fits."""
        overload = self.choose(len(arguments), names)
        if overload is None:
            raise self.arity_error()
        return overload(meter, *(arguments if names is None else in_order(overload, names, arguments)))


def _unused(*_: Any) -> None:
    raise AssertionError("built-in functions are called through their overloads")


def in_order(overload: Overload, names: tuple[str, ...], arguments: tuple[Any, ...], absent: Any = None) -> list[Any]:
    """Named arguments in the order of the parameters, *absent* for those in between that were left out."""
    by_name = dict(zip(names, arguments, strict=True))
    ordered = [by_name.get(parameter.name, absent) for parameter in overload.parameters]
    while overload.parameters and len(ordered) > overload.required and overload.parameters[len(ordered) - 1].name not in by_name:
        ordered.pop()
    return ordered


LIBRARY: dict[str, Builtin] = {}
"""All built-in functions by name."""

_SIGNATURE = re.compile(r"(?P<name>[^(]+)\((?P<parameters>.*)\): (?P<result>.+)\Z")
_PARAMETER = re.compile(r"(?P<repeats>…)?(?P<name>[^:?]+)(?P<optional>\?)?: (?P<type>.+)\Z")


def builtin(signature: str) -> Callable[[Call], Call]:
    """Register the decorated function under *signature*; it is called with the meter and the read arguments."""
    found = _SIGNATURE.match(signature)
    assert found, signature
    name = found["name"]
    written = re.split(r", (?![^<]*>)", found["parameters"]) if found["parameters"] else []
    parameters = tuple(_parameter(text) for text in written)
    result = parse_type(found["result"])

    def register(call: Call) -> Call:
        LIBRARY.setdefault(name, Builtin(name)).overloads.append(Overload(name, parameters, result, call))
        return call

    return register


def _parameter(text: str) -> Parameter:
    found = _PARAMETER.match(text)
    assert found, text
    written = found["type"]
    nullable = written.endswith("?")
    kinds = [kind.strip() for kind in written.rstrip("?").split("|")]
    any_kind = kinds == ["any"]
    plain = frozenset(() if any_kind else (kind.partition("<")[0] for kind in kinds))
    assert all(kind in NAMED for kind in plain), text
    shown = parse_type(kinds[0]) if len(kinds) == 1 and not any_kind else ANY
    return Parameter(found["name"], plain, nullable or any_kind, bool(found["optional"]), bool(found["repeats"]), shown)


def function_type(name: str) -> FunctionType:
    """The type of a built-in function as a value."""
    return FunctionType("function", parameters=None, result=LIBRARY[name].overloads[0].result)


def name_table() -> NameTable:
    """The names of built-in functions that consist of several words."""
    return NameTable(LIBRARY)
