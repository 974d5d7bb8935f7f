"""Values as text, as the ``string`` function gives them (clause 10.3.4.1)."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from engine.feel import limits, numbers, temporal
from engine.feel.values import MonthsDuration, Range


def text_of(value: Any) -> str:
    """The value as text; a text is itself."""
    return value if isinstance(value, str) else limits.sized_text(_literal(value))


def _literal(value: Any) -> str:
    kind = type(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return numbers.text_of(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if kind is list:
        return "[" + ", ".join(map(_literal, value)) + "]"
    if kind is dict:
        return "{" + ", ".join(f"{_key(key)}: {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, date | time | timedelta | MonthsDuration):
        return temporal.text_of(value)
    if kind is Range:
        low = "" if value.low is None else _literal(value.low)
        high = "" if value.high is None else _literal(value.high)
        return f"{'[' if value.low_closed else '('}{low}..{high}{']' if value.high_closed else ')'}"
    return repr(value)


def _key(key: str) -> str:
    return key if key.replace(" ", "_").isidentifier() else _literal(key)
