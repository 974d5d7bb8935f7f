"""One input column of a decision table: which rows a value satisfies, as the bits of a number.

Cells of constants are looked up by bisection among the ends of their intervals, so that the time does not grow with the rows; all others
are evaluated, equal ones once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

from engine.feel.dmn.regions import Region
from engine.feel.expression import Expression
from engine.feel.limits import Meter


class Column:
    """Compiled cells of one column. *cells* gives for every row its test (None for ``-``) and its region, if it has one."""

    __slots__ = ("axis", "constant", "ends", "evaluated", "irrelevant", "masks")

    def __init__(self, cells: Sequence[tuple[Expression | None, Region | None]]) -> None:
        self.irrelevant = _bits(row for row, (test, _) in enumerate(cells) if test is None)
        axes = {region.axis for _, region in cells if region is not None}
        self.axis = axes.pop() if len(axes) == 1 else None
        regions: list[tuple[int, Region]] = []
        self.constant: list[tuple[Expression, int]] = []
        self.evaluated: list[tuple[Expression, int]] = []
        by_text: dict[str, tuple[Expression, bool, int]] = {}
        for row, (test, region) in enumerate(cells):
            if test is None:
                continue
            fixed = region is not None and self.axis is not None
            if fixed and region is not None:
                regions.append((1 << row, region))
            known = by_text.get(test.text)
            by_text[test.text] = (test, fixed, (known[2] if known else 0) | 1 << row)
        for test, fixed, rows in by_text.values():
            (self.constant if fixed else self.evaluated).append((test, rows))
        self.ends: list[Any] = []
        self.masks: list[int] = [0]
        if regions:
            self._index(regions)

    def _index(self, regions: Sequence[tuple[int, Region]]) -> None:
        """Cut the axis at every end: segment 2i is the open piece before end i, segment 2i+1 the end itself."""
        ends = {end for _, region in regions for piece in region.intervals for end in (piece.low, piece.high) if end is not None}
        self.ends = sorted(ends)
        changes = [0] * (2 * len(self.ends) + 2)
        for row, region in regions:
            for piece in region.intervals:
                first = 0 if piece.low is None else 2 * bisect_left(self.ends, piece.low) + (1 if piece.low_closed else 2)
                behind = (
                    len(changes) - 1 if piece.high is None else 2 * bisect_left(self.ends, piece.high) + (2 if piece.high_closed else 1)
                )
                changes[first] ^= row
                changes[behind] ^= row
        self.masks = []
        mask = 0
        for change in changes[:-1]:
            mask ^= change
            self.masks.append(mask)

    def rows(self, value: Any, scope: Mapping[str, Any], meter: Meter) -> int:
        """The rows whose test *value* passes."""
        found = self.irrelevant
        if type(value) is self.axis:
            ends = self.ends
            place = bisect_left(ends, value)
            found |= self.masks[2 * place + (place < len(ends) and ends[place] == value)]
        else:
            for test, rows in self.constant:
                if test.evaluate(scope, None, value, meter=meter) is True:
                    found |= rows
        for test, rows in self.evaluated:
            if test.evaluate(scope, None, value, meter=meter) is True:
                found |= rows
        return found


def _bits(rows: Any) -> int:
    mask = 0
    for row in rows:
        mask |= 1 << row
    return mask
