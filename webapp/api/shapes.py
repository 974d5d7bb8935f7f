"""The shapes of requests and answers: dataclasses read from JSON, written as JSON, described as JSON Schema; one truth for all three."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from engine.errors import Invalid, Refused

T = TypeVar("T")
Schema = dict[str, Any]
SCALARS: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    Decimal: {"type": "string", "description": "decimal as text"},
    UUID: {"type": "string", "format": "uuid"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    timedelta: {"type": "integer", "description": "seconds; negative when late"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    Any: {},
}


@cache
def hints(shape: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields."""
    return get_type_hints(shape)


def described(kind: Any, known: dict[str, Schema]) -> Schema:
    """Return the JSON Schema of a type; dataclasses go to *known* by name and are referred to."""
    if kind in SCALARS:
        return dict(SCALARS[kind])
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        members = [described(one, known) for one in inner if one is not type(None)]
        if type(None) in inner:
            members.append({"type": "null"})
        return {"anyOf": members} if len(members) > 1 else members[0]
    if origin is Literal:
        return {"type": "string", "enum": list(inner)}
    if kind is dict or kind is Mapping or origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": described(inner[1], known) if len(inner) == 2 else True}
    if origin is Sequence or origin is list or (origin is tuple and len(inner) == 2 and inner[1] is Ellipsis):
        return {"type": "array", "items": described(inner[0], known)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"type": "string", "enum": [one.value for one in kind]}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return named(kind, known)
    return {}


def named(shape: type, known: dict[str, Schema]) -> Schema:
    """Return a reference to the schema of a dataclass, described once."""
    name = shape.__name__
    if name not in known:
        known[name] = {}
        fields = dataclasses.fields(shape)
        known[name] = {
            "type": "object",
            "description": (shape.__doc__ or "").strip().split("\n")[0],
            "properties": {field.name: described(hints(shape)[field.name], known) for field in fields},
            "required": [field.name for field in fields if without_default(field)],
        }
    return {"$ref": f"#/components/schemas/{name}"}


def without_default(field: Any) -> bool:
    """Say whether a field must be given."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


@cache
def parts_of(shape: type) -> dict[str, tuple[Any, bool]]:
    """Return the fields of a dataclass: of what type each is, and whether it must be given."""
    known = hints(shape)
    return {field.name: (known[field.name], without_default(field)) for field in dataclasses.fields(shape)}


@cache
def names_of(shape: type) -> tuple[str, ...]:
    """Return the names of a dataclass's fields."""
    return tuple(field.name for field in dataclasses.fields(shape))


def written(value: Any) -> Any:
    """Return a value as JSON carries it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, Decimal):
        return format(value, "f")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: written(getattr(value, name)) for name in names_of(type(value))}
    if isinstance(value, Mapping):
        return {str(key): written(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | Sequence):
        return [written(item) for item in value]
    return str(value)


def taken(shape: type[T], record: Any, **more: Any) -> T:
    """Return an answer whose fields are a record's of the same names, and *more*."""
    given = {field.name: getattr(record, field.name) for field in dataclasses.fields(shape) if field.name not in more}  # type: ignore[arg-type]
    return shape(**given, **more)


def read(shape: type[T], given: Any, path: str = "") -> T:
    """Return a request as its dataclass; all that is wrong is said together, each at its field.

    Raises:
        Invalid: fields are missing, unknown or of another type.
    """
    wrong: dict[str, Refused] = {}
    made = _dataclass(shape, given, path, wrong)
    if wrong:
        raise Invalid(wrong)
    return made  # type: ignore[no-any-return]


def _dataclass(shape: type, given: Any, path: str, wrong: dict[str, Refused]) -> Any:
    if not isinstance(given, Mapping):
        wrong[path or "body"] = Refused("api.field_wrong", field=path or "body", name=path or "body", expected="object")
        return None
    fields = parts_of(shape)
    for name in given:
        if name not in fields:
            wrong[f"{path}{name}"] = Refused("api.field_unknown", field=f"{path}{name}"[:80], name=f"{path}{name}"[:80])
    values = {}
    for name, (kind, needed) in fields.items():
        if name in given:
            values[name] = _value(kind, given[name], f"{path}{name}", wrong)
        elif needed:
            wrong[f"{path}{name}"] = Refused("api.field_missing", field=f"{path}{name}", name=f"{path}{name}")
    return shape(**values) if not wrong else None


@cache
def apart(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return what a type is made of: its origin and what stands within its brackets."""
    return get_origin(kind), get_args(kind)


def _value(kind: Any, given: Any, path: str, wrong: dict[str, Refused]) -> Any:
    origin, inner = apart(kind)
    if kind is Any:
        return given
    if origin in (Union, types.UnionType):
        if given is None and type(None) in inner:
            return None
        return _value(next(one for one in inner if one is not type(None)), given, path, wrong)
    if origin is Literal and given in inner:
        return given
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(kind, given, f"{path}.", wrong)
    if origin in (Sequence, list, tuple) and isinstance(given, list):
        return [_value(inner[0], item, f"{path}[{n}]", wrong) for n, item in enumerate(given)]
    if origin in (dict, Mapping) and isinstance(given, Mapping):
        return dict(given)
    found = _scalar(kind, given) if origin is None else None
    if found is None:
        wrong[path] = Refused("api.field_wrong", field=path, name=path, expected=expected(kind))
    return found


PLAIN_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,6})?")


def _scalar(kind: Any, given: Any) -> Any:
    if kind in (bool, int, str):
        return given if type(given) is kind else None
    if not isinstance(given, str) or kind not in (UUID, date, datetime, Decimal):
        return None
    if kind is Decimal:
        return Decimal(given) if PLAIN_DECIMAL.fullmatch(given) else None
    try:
        found = UUID(given) if kind is UUID else kind.fromisoformat(given)
    except ValueError:
        return None
    return None if isinstance(found, datetime) and found.tzinfo is None else found


def expected(kind: Any) -> str:
    """Return what a field takes, for the sentence of a refusal."""
    if get_origin(kind) is Literal:
        return " | ".join(map(str, get_args(kind)))
    schema = described(kind, {})
    return str(schema.get("format") or schema.get("type") or "object")


def asked(shape: type[T], given: Mapping[str, str]) -> T:
    """Return the parameters of an address as their dataclass; empty ones are left out.

    Raises:
        Invalid: a parameter is of another type; unknown ones are ignored.
    """
    known = get_type_hints(shape)
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name not in known or text == "":
            continue
        kind = known[name]
        number = text.removeprefix("-").isdecimal() and len(text) < 10
        values[name] = text == "true" if kind is bool else int(text) if kind is int and number else text
    return read(shape, values)
