"""Values of branches brought together: what a branch changed is taken from it, nothing else; pure functions over JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NO = object()


class MergeConflict(ValueError):
    """Two parallel branches gave one variable different values."""


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same in type and content: unlike ``==``, ``1`` is not ``true`` and not ``1.0``."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def merge3(
    base: Mapping[str, Any], mine: Mapping[str, Any], other: Mapping[str, Any], path: tuple[str, ...] = (), strict: bool = True
) -> dict[str, Any]:
    """Take from *other* only what it changed since *base*; a value changed on both sides is a conflict (16, 44).

    Raises: MergeConflict, unless not *strict*: then *other* wins (several end events: the later one).
    """
    out = dict(mine)
    for key in dict.fromkeys((*base, *other)):  # in their own order: a set's differs from process to process, and so would the stored bytes
        before, theirs, ours = base.get(key, _NO), other.get(key, _NO), mine.get(key, _NO)
        if same(theirs, before):
            continue
        if same(ours, before) or same(ours, theirs):
            value = theirs
        elif isinstance(ours, dict) and isinstance(theirs, dict):
            value = merge3(before if isinstance(before, dict) else {}, ours, theirs, (*path, key), strict)
        elif strict:
            raise MergeConflict(".".join((*path, key)))
        else:
            value = theirs
        if value is _NO:
            out.pop(key, None)
        else:
            out[key] = value
    return out
