"""One value, one sequence of bytes: what the journal and the package manifest are hashed over."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Set
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import orjson

LARGEST = 2**63 - 1


def plain(value: Any) -> Any:
    """Return *value* as JSON holds it: texts in NFC, decimals, dates and identifiers as canonical text.

    Raises:
        TypeError: for binary floating point (it has no canonical text) and for anything JSON has no place for.
        ValueError: for a naive instant, a NUL character or an integer beyond 64 bits; PostgreSQL would refuse or change them.
    """
    kind = type(value)
    if kind is str and value.isascii() and "\0" not in value:  # most of what is ever written; ASCII is NFC
        return value
    if kind is dict:
        made = {}
        for key, item in value.items():
            if type(key) is not str or not key.isascii() or "\0" in key:
                key = plain(str(key))
            made[key] = item if type(item) is str and item.isascii() and "\0" not in item else plain(item)
        return made
    if kind is int and -LARGEST <= value <= LARGEST:
        return value
    if kind is UUID:
        return str(value)
    if kind is datetime and value.tzinfo is UTC:
        return value.isoformat(timespec="microseconds")[:-6] + "Z"
    match value:
        case None | bool():
            return value
        case Enum():
            return plain(value.value)
        case str():
            if "\0" in value:
                raise ValueError("a NUL character cannot be stored")
            return unicodedata.normalize("NFC", value)
        case int():
            if abs(value) > LARGEST:
                raise ValueError("an integer beyond 64 bits cannot be stored")
            return value
        case Decimal():
            return format(value, "f")
        case datetime():
            if value.tzinfo is None:
                raise ValueError("a naive instant cannot be stored")
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value // timedelta(microseconds=1)
        case UUID():
            return str(value)
        case Mapping():
            return {plain(str(key)): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case Set():
            return sorted(plain(item) for item in value)
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")


def canonical(value: Any) -> bytes:
    """Return the canonical bytes of *value*: JSON in UTF-8, keys sorted, no blanks, every text in NFC."""
    return encoded(plain(value))


def json_text(value: Any) -> str:
    """Return JSON as a column takes it: as short as can be, keys in their own order."""
    return orjson.dumps(value).decode()


def encoded(value: Any) -> bytes:
    """Return the canonical bytes of what `plain` has returned."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
