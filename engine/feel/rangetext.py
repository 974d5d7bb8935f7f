"""Reads ranges from text: ``[18..21)``, ``(..2)``, ``["a".."f"]`` (rule 66)."""

from __future__ import annotations

import re
from typing import Any

from engine.feel import numbers, temporal
from engine.feel.equality import before
from engine.feel.errors import FeelError
from engine.feel.tokens import unescape
from engine.feel.values import Range

_END = (
    r'\s*(?:(-?[0-9]+(?:\.[0-9]+)?|-?\.[0-9]+)|("(?:[^"\\]|\\.)*")|@("(?:[^"\\]|\\.)*")'
    r'|(?:date and time|date|time|duration)\(("[^"\\]*")\))?\s*'
)
_RANGE = re.compile(rf"\s*([\[\](]){_END}\.\.{_END}([\])\[])\s*\Z")


def read_range(text: str) -> Range | None:
    """The range written as *text*, or None."""
    found = _RANGE.match(text) if len(text) < 1_000 else None
    if found is None:
        return None
    try:
        low, high = _end(found, 2), _end(found, 6)
    except FeelError:
        return None
    unordered = low is not None and high is not None and before(high, low) is not False
    if unordered or (low is None and (high is None or found[1] == "[")) or (high is None and found[10] == "]"):
        return None
    return Range(low, found[1] == "[", high, found[10] == "]")


def _end(found: re.Match[str], first: int) -> Any:
    number, string, at, call = (found[group] for group in range(first, first + 4))
    if number is not None:
        return numbers.literal(number)
    if string is not None:
        return unescape(string)
    if at is None and call is None:
        return None
    value = temporal.read_any(unescape(at or call))
    if value is None:
        raise FeelError("feel.not_readable", expected="range")
    return value
