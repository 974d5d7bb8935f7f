"""The border: values of Python and JSON become values of the language, and back.

JSON knows neither decimals nor dates: state holds them as canonical text. Where a variable is declared, its type decides and the text is
read; where it is not, text stays text. Numbers of JSON become decimals always.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from engine.feel import limits, numbers, temporal
from engine.feel.errors import FeelError
from engine.feel.types import ContextType, FeelType, ListType
from engine.feel.values import Function, MonthsDuration, Range, kind_of

READY = frozenset((str, bool, type(None), Decimal, date, time, datetime, timedelta, MonthsDuration, Range, Function))
"""Types whose values are values of the language as they are."""


def to_feel(value: Any, kind: FeelType | None = None) -> Any:
    """The value as the language sees it; with a declared *kind* also read from its canonical text.

    Raises:
        FeelError: ``feel.value_type`` when the value is of no type of the language or not of the declared one; ``feel.too_large``.
    """
    return convert(value, 0) if kind is None else coerce(value, kind)


def convert(value: Any, depth: int = 0) -> Any:
    """The value with every number a decimal; lists and contexts are copied only where something in them changes."""
    kind = type(value)
    if kind in READY:
        if kind is str and len(value) > limits.STRING:
            raise FeelError("feel.too_large", limit=limits.STRING)
        return value
    if kind is int:
        if value.bit_length() > 128:
            raise FeelError("feel.number_digits", limit=limits.DIGITS)
        return numbers.CONTEXT.create_decimal(value)
    if kind is float:
        return numbers.from_float(value)
    if depth > limits.NESTING:
        raise FeelError("feel.too_large", limit=limits.NESTING)
    if isinstance(value, list | tuple):
        if len(value) > limits.ITEMS:
            raise FeelError("feel.too_large", limit=limits.ITEMS)
        items = [item if type(item) in READY else convert(item, depth + 1) for item in value]
        return value if kind is list and all(map(_same, items, value)) else items
    if isinstance(value, Mapping):
        if len(value) > limits.ITEMS:
            raise FeelError("feel.too_large", limit=limits.ITEMS)
        entries = {str(key): item if type(item) in READY else convert(item, depth + 1) for key, item in value.items()}
        return value if kind is dict and all(map(_same, entries.values(), value.values())) else entries
    return _of_subclass(value)


def _same(one: object, other: object) -> bool:
    return one is other


def _of_subclass(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal | date | time | timedelta | Function):
        return value
    raise FeelError("feel.value_type", expected="a value of the language", found=type(value).__name__)


_READERS: dict[str, Callable[[str], Any]] = {
    "date": temporal.read_date,
    "time": temporal.read_time,
    "date and time": temporal.read_date_time,
    "days and time duration": temporal.read_duration,
    "years and months duration": temporal.read_duration,
}


def coerce(value: Any, kind: FeelType, depth: int = 0) -> Any:
    """The value as *kind* declares it; null stays null.

    Raises:
        FeelError: ``feel.value_type``: the value is not of the declared type.
    """
    if value is None:
        return None
    name = kind.name
    if name == "Any":
        return convert(value, depth)
    found = type(value)
    if name in ("string", "boolean"):
        if found is (str if name == "string" else bool):
            return value
        raise mismatch(kind, value)
    if name == "number":
        return _number(value, kind)
    if found is str and name in _READERS:
        read = _READERS[name](value)
        if read is None or kind_of(read) != name:
            raise mismatch(kind, value)
        return read
    if depth > limits.NESTING:
        raise FeelError("feel.too_large", limit=limits.NESTING)
    if isinstance(kind, ListType):
        items = value if isinstance(value, list | tuple) else [value]
        return [coerce(item, kind.item, depth + 1) for item in items]
    if isinstance(kind, ContextType):
        if not isinstance(value, Mapping):
            raise mismatch(kind, value)
        return {
            key: coerce(item, kind.entries[key], depth + 1) if key in kind.entries else convert(item, depth + 1)
            for key, item in value.items()
        }
    converted = convert(value, depth)
    if kind_of(converted) != name:
        raise mismatch(kind, value)
    return converted


def _number(value: Any, kind: FeelType) -> Decimal:
    if type(value) is Decimal:
        return value
    if type(value) is str and temporal.NUMBER.match(value):
        try:
            return numbers.literal(value)
        except FeelError:
            raise mismatch(kind, value) from None
    if type(value) in (int, float):
        converted = convert(value)
        assert isinstance(converted, Decimal)
        return converted
    raise mismatch(kind, value)


def mismatch(kind: FeelType, value: Any) -> FeelError:
    """The error for a value that is not of *kind*; it names types, never the value."""
    return FeelError("feel.value_type", expected=str(kind), found=kind_of(value))


def to_json(value: Any) -> Any:
    """The value as JSON: whole numbers as numbers, other decimals, dates and durations as canonical text.

    Raises:
        FeelError: ``feel.no_json`` for functions.
    """
    kind = type(value)
    if kind in (str, bool, type(None)):
        return value
    if kind is Decimal:
        whole = value == value.to_integral_value() and value.adjusted() <= 15
        return int(value) if whole else numbers.text_of(value)
    if kind is list:
        return [to_json(item) for item in value]
    if kind is dict:
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, date | time | datetime | timedelta | MonthsDuration):
        return temporal.text_of(value)
    if kind is Range:
        low, high = to_json(value.low), to_json(value.high)
        return f"{'[' if value.low_closed else '('}{low}..{high}{']' if value.high_closed else ')'}"
    raise FeelError("feel.no_json", found=kind_of(value))
