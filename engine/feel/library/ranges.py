"""Range functions (clause 10.3.4.7, table 78): how points and ranges lie to each other. An open end reaches to infinity."""

from __future__ import annotations

from typing import Any

from engine.feel import equality
from engine.feel.errors import FeelError
from engine.feel.library.registry import builtin
from engine.feel.limits import Meter
from engine.feel.rangetext import read_range
from engine.feel.values import Range, kind_of

_LOWEST, _HIGHEST = object(), object()


def _start(value: Range) -> Any:
    return _LOWEST if value.low is None else value.low


def _end(value: Range) -> Any:
    return _HIGHEST if value.high is None else value.high


def _order(one: Any, other: Any) -> int:
    """-1, 0 or 1 as *one* lies before, at or behind *other*."""
    if one is other and (one is _LOWEST or one is _HIGHEST):
        return 0
    if one is _LOWEST or other is _HIGHEST:
        return -1
    if one is _HIGHEST or other is _LOWEST:
        return 1
    below = equality.before(one, other)
    if below is None:
        raise FeelError("feel.operands", operator="<", left=kind_of(one), right=kind_of(other))
    return -1 if below else 0 if equality.same(one, other) else 1


def _starts_no_later(one: Range, other: Range) -> bool:
    order = _order(_start(one), _start(other))
    return order < 0 or (order == 0 and (one.low_closed or not other.low_closed))


def _ends_no_earlier(one: Range, other: Range) -> bool:
    order = _order(_end(one), _end(other))
    return order > 0 or (order == 0 and (one.high_closed or not other.high_closed))


def _reaches(one: Range, other: Range) -> bool:
    """Whether *one* ends at or behind the start of *other*, so that a point is common from that side."""
    order = _order(_end(one), _start(other))
    return order > 0 or (order == 0 and one.high_closed and other.low_closed)


@builtin("before(point1: any, point2: any): boolean")
def before(_: Meter, one: Any, other: Any) -> bool | None:
    """Whether the first lies wholly before the second."""
    if one is None or other is None:
        return None
    end, closed = (_end(one), one.high_closed) if isinstance(one, Range) else (one, True)
    start, included = (_start(other), other.low_closed) if isinstance(other, Range) else (other, True)
    order = _order(end, start)
    return order < 0 or (order == 0 and not (closed and included))


@builtin("after(point1: any, point2: any): boolean")
def after(meter: Meter, one: Any, other: Any) -> bool | None:
    """Whether the first lies wholly behind the second."""
    return before(meter, other, one)


@builtin("meets(range1: range, range2: range): boolean")
def meets(_: Meter, one: Range, other: Range) -> bool:
    """Whether the first ends where the second starts, both included."""
    return one.high_closed and other.low_closed and _order(_end(one), _start(other)) == 0


@builtin("met by(range1: range, range2: range): boolean")
def met_by(meter: Meter, one: Range, other: Range) -> bool:
    """Whether the first starts where the second ends, both included."""
    return meets(meter, other, one)


@builtin("overlaps(range1: range, range2: range): boolean")
def overlaps(_: Meter, one: Range, other: Range) -> bool:
    """Whether they have a point in common."""
    return _reaches(one, other) and _reaches(other, one)


@builtin("overlaps before(range1: range, range2: range): boolean")
def overlaps_before(_: Meter, one: Range, other: Range) -> bool:
    """Whether the first starts before the second and ends inside it."""
    starts = _order(_start(one), _start(other))
    earlier = starts < 0 or (starts == 0 and one.low_closed and not other.low_closed)
    ends = _order(_end(one), _end(other))
    return earlier and _reaches(one, other) and (ends < 0 or (ends == 0 and (not one.high_closed or other.high_closed)))


@builtin("overlaps after(range1: range, range2: range): boolean")
def overlaps_after(_: Meter, one: Range, other: Range) -> bool:
    """Whether the first starts inside the second and ends behind it."""
    starts = _order(_start(other), _start(one))
    later = starts < 0 or (starts == 0 and other.low_closed and not one.low_closed)
    ends = _order(_end(other), _end(one))
    return later and _reaches(other, one) and (ends < 0 or (ends == 0 and (not other.high_closed or one.high_closed)))


@builtin("finishes(point: any, range: range): boolean")
def finishes(_: Meter, one: Any, other: Range) -> bool | None:
    """Whether the point is the end of the range, or the first range its last part."""
    if one is None:
        return None
    if not isinstance(one, Range):
        return other.high_closed and _order(one, _end(other)) == 0
    same_end = _order(_end(one), _end(other)) == 0 and one.high_closed == other.high_closed
    return same_end and _starts_no_later(other, one)


@builtin("finished by(range: range, point: any): boolean")
def finished_by(meter: Meter, one: Range, other: Any) -> bool | None:
    """The reverse of ``finishes``."""
    return finishes(meter, other, one)


@builtin("includes(range: range, point: any): boolean")
def includes(_: Meter, one: Range, other: Any) -> bool | None:
    """Whether the point or the whole second range lies in the first."""
    if other is None:
        return None
    if isinstance(other, Range):
        return _starts_no_later(one, other) and _ends_no_earlier(one, other)
    return includes(_, one, Range(other, True, other, True))


@builtin("during(point: any, range: range): boolean")
def during(meter: Meter, one: Any, other: Range) -> bool | None:
    """The reverse of ``includes``."""
    return includes(meter, other, one)


@builtin("starts(point: any, range: range): boolean")
def starts(_: Meter, one: Any, other: Range) -> bool | None:
    """Whether the point is the start of the range, or the first range its first part."""
    if one is None:
        return None
    if not isinstance(one, Range):
        return other.low_closed and _order(one, _start(other)) == 0
    same_start = _order(_start(one), _start(other)) == 0 and one.low_closed == other.low_closed
    return same_start and _ends_no_earlier(other, one)


@builtin("started by(range: range, point: any): boolean")
def started_by(meter: Meter, one: Range, other: Any) -> bool | None:
    """The reverse of ``starts``."""
    return starts(meter, other, one)


@builtin("coincides(point1: any, point2: any): boolean")
def coincides(_: Meter, one: Any, other: Any) -> bool | None:
    """Whether both are the same point or the same range."""
    if one is None or other is None:
        return None
    if isinstance(one, Range) and isinstance(other, Range):
        bounds = (one.low_closed, one.high_closed) == (other.low_closed, other.high_closed)
        return bounds and _order(_start(one), _start(other)) == 0 and _order(_end(one), _end(other)) == 0
    if isinstance(one, Range) or isinstance(other, Range):
        raise FeelError("feel.operands", operator="coincides", left=kind_of(one), right=kind_of(other))
    return _order(one, other) == 0


@builtin("range(from: string): range")
def range_from(_: Meter, text: str) -> Range:
    """A range from text with literal ends (rule 66)."""
    read = read_range(text)
    if read is None:
        raise FeelError("feel.not_readable", expected="range")
    return read
