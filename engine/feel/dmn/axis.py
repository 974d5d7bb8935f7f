"""The elementary pieces of a column: between two neighbouring ends every value meets the same cells, so one example stands for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from engine.feel.dmn.regions import WHOLE, Interval, Region
from engine.feel.dmn.table import InputColumn
from engine.feel.values import MonthsDuration

OTHER_TEXT = "…"
"""The example for any text that no cell names."""


_SAMPLES: dict[type, Any] = {Decimal: Decimal(0), str: OTHER_TEXT, date: date(2000, 1, 1)}
_SAMPLES |= {timedelta: timedelta(0), MonthsDuration: MonthsDuration(0)}


@dataclass(frozen=True, slots=True)
class Piece:
    """One elementary piece: an example value, and the rows whose cell certainly accepts it."""

    example: Any
    rows: int


def pieces_of(column: InputColumn, rows: int) -> list[Piece] | None:
    """The pieces of *column* over *rows* rows; None when its type has no axis. A cell that computes something accepts every piece."""
    axes = {region.axis for region in column.regions if region is not None}
    if len(axes) > 1:
        return None
    computed = sum(1 << row for row in range(rows) if column.tests[row] is None or column.regions[row] is None)
    if not axes:
        return [Piece(None, computed)]
    axis = axes.pop()
    examples = _examples(axis, column)
    regions = [(1 << row, region) for row, region in enumerate(column.regions) if region is not None]
    return [Piece(example, computed | sum(bit for bit, region in regions if holds(region, example))) for example in examples]


def holds(region: Region, value: Any) -> bool:
    """Whether *value* lies in *region*."""
    return any(_inside(piece, value) for piece in region.intervals)


def _inside(piece: Interval, value: Any) -> bool:
    if piece.low is not None and (value < piece.low or (value == piece.low and not piece.low_closed)):
        return False
    return piece.high is None or bool(value < piece.high or (value == piece.high and piece.high_closed))


def _examples(axis: type, column: InputColumn) -> list[Any]:
    if axis is bool:
        return [False, True]
    if column.kind.allowed:
        return list(column.kind.allowed)
    ends = sorted(
        {end for region in column.regions if region for piece in region.intervals for end in (piece.low, piece.high) if end is not None}
    )
    if not ends:
        return [_SAMPLES[axis]]
    if axis is str and all(_only_points(region) for region in column.regions if region):
        # Texts compared for equality only: besides the named ones all texts are alike.
        found: list[Any] = [*ends, OTHER_TEXT]
    else:
        found = [value for value in (_between(None, ends[0]), *_interleaved(ends), _between(ends[-1], None)) if value is not None]
    if column.allowed is not None:
        found = [value for value in found if column.allowed.evaluate({}, None, value) is True]
    return found


def _only_points(region: Region) -> bool:
    return all(piece.low is None or piece.high is None or piece.low == piece.high for piece in region.intervals)


def _interleaved(ends: Sequence[Any]) -> list[Any]:
    found = []
    for place, end in enumerate(ends):
        found.append(end)
        if place + 1 < len(ends):
            found.append(_between(end, ends[place + 1]))
    return found


def _between(low: Any, high: Any) -> Any:
    """A value strictly between both, or None where the type has none."""
    known = low if low is not None else high
    if isinstance(known, Decimal):
        return _number_between(low, high)
    if isinstance(known, str):
        return f"{low or ''}\u0001" if high is None or f"{low or ''}\u0001" < high else None
    step: Any = timedelta(days=1) if isinstance(known, date) else timedelta(microseconds=1)
    if isinstance(known, MonthsDuration):
        value = MonthsDuration(low.months + 1) if low is not None else MonthsDuration(high.months - 1)
    else:
        try:
            value = low + step if low is not None else high - step
        except OverflowError:
            return None
    return None if low is not None and high is not None and not value < high else value


def _number_between(low: Decimal | None, high: Decimal | None) -> Decimal:
    if low is None:
        assert high is not None
        return high - 1
    if high is None or low + 1 < high:
        return low + 1
    return (low + high) / 2


def region_in(column: InputColumn, row: int) -> Region | None:
    """What row *row* accepts in this column: everything for ``-``, None when its cell computes something."""
    if column.tests[row] is None:
        return Region(object, (WHOLE,))
    return column.regions[row]


def meet(one: Region, other: Region) -> bool:
    """Whether both have a value in common."""
    return any(_meet(a, b) for a in one.intervals for b in other.intervals)


def _meet(one: Interval, other: Interval) -> bool:
    return _reaches(one, other) and _reaches(other, one)


def _reaches(one: Interval, other: Interval) -> bool:
    if one.high is None or other.low is None:
        return True
    return bool(other.low < one.high or (other.low == one.high and one.high_closed and other.low_closed))
