"""Whether a value is of a type, and the implicit conversions of clause 10.3.2.9.4."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from engine.feel.errors import FeelError
from engine.feel.types import ContextType, FeelType, FunctionType, ListType, RangeType
from engine.feel.values import Function, Range, kind_of


def instance_of(value: Any, kind: FeelType) -> bool:
    """``value instance of kind``: null is an instance of Null and of nothing else."""
    return value is not None and is_a(value, kind) if kind.name != "Null" else value is None


def is_a(value: Any, kind: FeelType) -> bool:
    """Whether *value* conforms to *kind*; null conforms to every type."""
    if value is None or kind.name == "Any":
        return True
    if kind_of(value) != kind.name:
        return False
    if isinstance(kind, ListType):
        return kind.item.name == "Any" or all(is_a(item, kind.item) for item in value)
    if isinstance(kind, ContextType):
        return all(name in value and is_a(value[name], entry) for name, entry in kind.entries.items())
    if isinstance(kind, RangeType) and isinstance(value, Range):
        return is_a(value.low, kind.item) and is_a(value.high, kind.item)
    if isinstance(kind, FunctionType) and isinstance(value, Function) and kind.parameters is not None:
        return len(kind.parameters) == len(value.parameters)
    return True


def conform(value: Any, kind: FeelType) -> Any:
    """The value as an argument or result of type *kind*: unwrapped from or wrapped into a list of one, a date made midnight UTC.

    Raises:
        FeelError: ``feel.value_type`` when it neither conforms nor can be converted.
    """
    if is_a(value, kind):
        return value
    if isinstance(kind, ListType) and type(value) is not list and is_a(value, kind.item):
        return [value]
    if type(value) is list and len(value) == 1 and is_a(value[0], kind):
        return value[0]
    if kind.name == "date and time" and kind_of(value) == "date":
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise FeelError("feel.value_type", expected=str(kind), found=kind_of(value))
