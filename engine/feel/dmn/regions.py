"""What a cell of constants accepts, as intervals on the axis of its column: for fast look-up and for analysis.

Only cells whose meaning is fixed by their text have a region; a cell that computes anything has none and is tested as an expression.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from engine.feel import temporal, tree
from engine.feel.values import MonthsDuration, Range

AXES: tuple[type, ...] = (Decimal, str, date, timedelta, MonthsDuration, bool)
"""Types of Python whose values lie on an axis."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A piece of an axis; an end that is None reaches to infinity."""

    low: Any
    low_closed: bool
    high: Any
    high_closed: bool

    @property
    def empty(self) -> bool:
        """Whether no value lies in it."""
        if self.low is None or self.high is None:
            return False
        return bool(self.high < self.low or (self.low == self.high and not (self.low_closed and self.high_closed)))


@dataclass(frozen=True, slots=True)
class Region:
    """Disjoint intervals in ascending order, on the axis of one type."""

    axis: type
    intervals: tuple[Interval, ...]


WHOLE = Interval(None, False, None, False)


def region_of(tests: tree.Tests) -> Region | None:
    """The region of a cell, or None when it is ``-``, mentions names or mixes types."""
    found: list[Interval] = []
    axes: set[type] = set()
    for test in tests.tests:
        pieces = _pieces(test)
        if pieces is None:
            return None
        for piece in pieces:
            axes.add(type(piece.low if piece.low is not None else piece.high))
            if not piece.empty:
                found.append(piece)
    if len(axes) != 1:
        return None
    axis = axes.pop()
    if axis not in AXES:
        return None
    joined = union(found)
    if tests.negated:
        joined = complement(joined)
    return Region(axis, tuple(joined))


def _pieces(test: tree.Test) -> list[Interval] | None:
    value, known = constant(test.operand)
    if not known or value is None:
        return None
    match test.operator:
        case "<" | "<=":
            return [Interval(None, False, value, test.operator == "<=")]
        case ">" | ">=":
            return [Interval(value, test.operator == ">=", None, False)]
        case "=":
            return [Interval(value, True, value, True)] if type(value) in AXES else None
        case "!=":
            return complement([Interval(value, True, value, True)]) if type(value) in AXES else None
    pieces = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Range):
            pieces.append(Interval(item.low, item.low_closed, item.high, item.high_closed))
        elif type(item) in AXES:
            pieces.append(Interval(item, True, item, True))
        else:
            return None
    return pieces


def constant(node: tree.Node | None) -> tuple[Any, bool]:
    """The value of a literal, a negated number, or a list or range of them; and whether it is one."""
    match node:
        case None:
            return None, True
        case tree.Literal(value=value):
            return value, True
        case tree.Negate(operand=tree.Literal(value=Decimal() as value)):
            return -value, True
        case tree.ListOf(items=items):
            values = [constant(item) for item in items]
            return [value for value, _ in values], all(known for _, known in values)
        case tree.RangeOf():
            low, first = constant(node.low)
            high, last = constant(node.high)
            same = low is None or high is None or type(low) is type(high)
            return Range(low, node.low_closed, high, node.high_closed), first and last and same
        case tree.Call(callee=tree.Name(name=name), arguments=[tree.Literal(value=str() as text)], names=None):
            return _called(name, text)
    return None, False


def _called(name: str, text: str) -> tuple[Any, bool]:
    reader = {"date": temporal.read_date, "duration": temporal.read_duration}.get(name)
    value = reader(text) if reader is not None else None
    return value, value is not None


def _starts_before(one: Interval, other: Interval) -> bool:
    if one.low is None or other.low is None:
        return one.low is None and other.low is not None
    return bool(one.low < other.low or (one.low == other.low and one.low_closed and not other.low_closed))


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The intervals joined where they touch, in ascending order."""
    ordered: list[Interval] = []
    for piece in intervals:
        place = 0
        while place < len(ordered) and _starts_before(ordered[place], piece):
            place += 1
        ordered.insert(place, piece)
    joined: list[Interval] = []
    for piece in ordered:
        last = joined[-1] if joined else None
        if last is not None and _touches(last, piece):
            high, closed = _later_end(last, piece)
            joined[-1] = Interval(last.low, last.low_closed, high, closed)
        else:
            joined.append(piece)
    return joined


def _touches(one: Interval, other: Interval) -> bool:
    if one.high is None or other.low is None:
        return True
    return bool(other.low < one.high or (other.low == one.high and (one.high_closed or other.low_closed)))


def _later_end(one: Interval, other: Interval) -> tuple[Any, bool]:
    if one.high is None or other.high is None:
        return None, False
    if one.high == other.high:
        return one.high, one.high_closed or other.high_closed
    return (one.high, one.high_closed) if other.high < one.high else (other.high, other.high_closed)


def complement(intervals: Iterable[Interval]) -> list[Interval]:
    """What lies outside of disjoint ascending intervals."""
    outside: list[Interval] = []
    low, closed = None, False
    first = True
    for piece in intervals:
        if piece.low is not None:
            gap = Interval(None if first else low, closed, piece.low, not piece.low_closed)
            if not gap.empty:
                outside.append(gap)
        if piece.high is None:
            return outside
        low, closed, first = piece.high, not piece.high_closed, False
    outside.append(Interval(low, closed, None, False))
    return outside
