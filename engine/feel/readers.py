"""Readers of declared variables: one function per type, made once, that turns a value of JSON into a value of the language.

They do what ``convert.coerce`` does, faster: the shape of the type is walked when the reader is made, not when it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from engine.feel import limits, numbers
from engine.feel.convert import READY, coerce, convert, mismatch
from engine.feel.errors import FeelError
from engine.feel.types import BOOLEAN, DATE, NUMBER, STRING, ContextType, FeelType, ListType

Reader = Callable[[Any], Any]
_create = numbers.CONTEXT.create_decimal


def _number(value: Any) -> Any:
    kind = type(value)
    if kind is Decimal or value is None:
        return value
    if kind is int and -(10**30) < value < 10**30:
        return _create(value)
    return coerce(value, NUMBER)


def _text(value: Any) -> Any:
    if type(value) is str or value is None:
        return value
    raise mismatch(STRING, value)


def _truth(value: Any) -> Any:
    if value is True or value is False or value is None:
        return value
    raise mismatch(BOOLEAN, value)


def _day(value: Any) -> Any:
    if type(value) is str and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise mismatch(DATE, value) from None
    return value if type(value) is date else coerce(value, DATE)


def _anything(value: Any) -> Any:
    return value if type(value) in READY else convert(value)


_PLAIN: dict[str, Reader] = {"number": _number, "string": _text, "boolean": _truth, "date": _day, "Any": _anything}


@lru_cache(2048)
def reader(kind: FeelType) -> Reader:
    """The reader of values of *kind*; it raises ``feel.value_type`` for values that are none."""
    if kind.name in _PLAIN:
        return _PLAIN[kind.name]
    return lambda value: coerce(value, kind)


def projected(kind: FeelType, names: tuple[str, ...]) -> tuple[Reader, tuple[str, ...]]:
    """The reader of ``value.a.b`` for a value of *kind*, and the names that it leaves to others.

    Only what is asked for is read: of a list of contexts the one entry of each.
    """
    if not names:
        return reader(kind), ()
    if isinstance(kind, ListType):
        inner, rest = projected(kind.item, names)
        return _each(inner), rest
    if isinstance(kind, ContextType) and names[0] in kind.entries:
        inner, rest = projected(kind.entries[names[0]], names[1:])
        return _entry(kind, names[0], inner), rest
    return reader(kind), names


def _each(inner: Reader) -> Reader:
    def read(value: Any) -> Any:
        if value is None:
            return None
        items = value if isinstance(value, list | tuple) else [value]
        if len(items) > limits.ITEMS:
            raise FeelError("feel.too_large", limit=limits.ITEMS)
        return [inner(item) for item in items]

    return read


def _entry(kind: FeelType, name: str, inner: Reader) -> Reader:
    def read(value: Any) -> Any:
        if isinstance(value, Mapping):
            return inner(value.get(name))
        if value is None:
            return None
        raise mismatch(kind, value)

    return read
