"""List functions (clause 10.3.4.4) and sorting (10.3.4.9)."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from engine.feel import numbers
from engine.feel.arithmetic import add
from engine.feel.equality import before, same
from engine.feel.errors import FeelError
from engine.feel.library.registry import builtin
from engine.feel.limits import Meter, sized_items
from engine.feel.operations import conjunction, disjunction, passes
from engine.feel.values import Function, kind_of

_ctx = numbers.CONTEXT


def _several(items: tuple[Any, ...]) -> list[Any]:
    """The arguments of a function that takes one list or the items themselves."""
    return items[0] if len(items) == 1 and type(items[0]) is list else list(items)


def _numbers(items: list[Any], function: str) -> list[Decimal]:
    for item in items:
        if type(item) is not Decimal:
            raise FeelError("feel.argument", function=function, parameter="list", expected="number", found=kind_of(item))
    return items


@builtin("list contains(list: list, element: any): boolean")
def list_contains(_: Meter, items: list[Any], element: Any) -> bool:
    """Whether an item equals the element."""
    return any(same(item, element) is True for item in items)


@builtin("count(list: list): number")
def count(_: Meter, items: list[Any]) -> Decimal:
    """The number of items."""
    return Decimal(len(items))


def _extreme(items: list[Any], function: str, wins: Callable[[Any, Any], bool | None]) -> Any:
    best: Any = None
    for position, item in enumerate(items):
        better = True if position == 0 and before(item, item) is not None else wins(item, best)
        if better is None:
            raise FeelError("feel.argument", function=function, parameter="list", expected="comparable", found=kind_of(item))
        if better:
            best = item
    return best


@builtin("min(…list: any): Any")
def minimum(_: Meter, *items: Any) -> Any:
    """The least item of one list or of the arguments; null for none."""
    return _extreme(_several(items), "min", before)


@builtin("max(…list: any): Any")
def maximum(_: Meter, *items: Any) -> Any:
    """The greatest item of one list or of the arguments; null for none."""
    return _extreme(_several(items), "max", lambda item, best: before(best, item))


@builtin("sum(…list: any): Any")
def total(_: Meter, *items: Any) -> Any:
    """The sum of numbers, or of durations of one kind; null for none."""
    found = _several(items)
    if not found:
        return None
    if type(found[0]) is Decimal or len(found) == 1:
        _numbers(found, "sum")
    result = found[0]
    for item in found[1:]:
        if kind_of(item) != kind_of(result) or kind_of(item) == "string":
            raise FeelError("feel.argument", function="sum", parameter="list", expected=kind_of(result), found=kind_of(item))
        result = add(result, item)
    return result


@builtin("product(…list: any): number")
def product(_: Meter, *items: Any) -> Decimal | None:
    """The product of numbers; null for none."""
    found = _numbers(_several(items), "product")
    if not found:
        return None
    result = numbers.ONE
    try:
        for item in found:
            result = _ctx.multiply(result, item)
    except decimal.Overflow:
        raise FeelError("feel.number_range") from None
    return result


@builtin("mean(…list: any): number")
def mean(_: Meter, *items: Any) -> Decimal | None:
    """The arithmetic mean of numbers; null for none."""
    found = _numbers(_several(items), "mean")
    return _ctx.divide(total(_, found), Decimal(len(found))) if found else None


@builtin("median(…list: any): number")
def median(_: Meter, *items: Any) -> Decimal | None:
    """The middle of the sorted numbers, or the mean of the two in the middle; null for none."""
    found = sorted(_numbers(_several(items), "median"))
    if not found:
        return None
    half = len(found) // 2
    return found[half] if len(found) % 2 else _ctx.divide(_ctx.add(found[half - 1], found[half]), Decimal(2))


@builtin("stddev(…list: any): number")
def standard_deviation(_: Meter, *items: Any) -> Decimal | None:
    """The standard deviation of a sample; null for fewer than two numbers."""
    found = _numbers(_several(items), "stddev")
    if len(found) < 2:
        return None
    middle = _ctx.divide(total(_, found), Decimal(len(found)))
    squares = numbers.ZERO
    for item in found:
        difference = _ctx.subtract(item, middle)
        squares = _ctx.add(squares, _ctx.multiply(difference, difference))
    return _ctx.sqrt(_ctx.divide(squares, Decimal(len(found) - 1)))


@builtin("mode(…list: any): list<number>")
def mode(_: Meter, *items: Any) -> list[Decimal]:
    """The most frequent numbers in ascending order."""
    found = _numbers(_several(items), "mode")
    frequency: dict[Decimal, int] = {}
    for item in found:
        frequency[item] = frequency.get(item, 0) + 1
    most = max(frequency.values(), default=0)
    return sorted(item for item, times in frequency.items() if times == most)


@builtin("all(…list: any): boolean")
def all_true(_: Meter, *items: Any) -> bool | None:
    """Whether all items are true, in three values."""
    return conjunction(*(passes(item) for item in _several(items)))


@builtin("any(…list: any): boolean")
def any_true(_: Meter, *items: Any) -> bool | None:
    """Whether an item is true, in three values."""
    return disjunction(*(passes(item) for item in _several(items)))


def _place(items: list[Any], position: Decimal, function: str, beyond: int = 0) -> int:
    """The Python index of *position*, counted from 1 or from the end."""
    index = numbers.integer(position)
    if index == 0 or index > len(items) + beyond or index < -len(items):
        raise FeelError("feel.position", function=function)
    return index - 1 if index > 0 else len(items) + index


@builtin("sublist(list: list, start position: number, length?: number): list")
def sublist(_: Meter, items: list[Any], start: Decimal, length: Decimal | None = None) -> list[Any]:
    """The items from *start position* on, at most *length*."""
    first = _place(items, start, "sublist")
    if length is None:
        return items[first:]
    size = numbers.integer(length)
    if not 1 <= size <= len(items) - first:
        raise FeelError("feel.position", function="sublist")
    return items[first : first + size]


@builtin("append(list: list, …item: any): list")
def append(_: Meter, items: list[Any], *more: Any) -> list[Any]:
    """The list with the items behind it."""
    return sized_items([*items, *more])


@builtin("concatenate(…list: list): list")
def concatenate(_: Meter, *lists: list[Any]) -> list[Any]:
    """All items of all lists."""
    return sized_items([item for items in lists for item in items])


@builtin("insert before(list: list, position: number, newItem: any): list")
def insert_before(_: Meter, items: list[Any], position: Decimal, new: Any) -> list[Any]:
    """The list with *newItem* in front of the item at *position*."""
    index = _place(items, position, "insert before", beyond=1)
    return sized_items([*items[:index], new, *items[index:]])


@builtin("remove(list: list, position: number): list")
def remove(_: Meter, items: list[Any], position: Decimal) -> list[Any]:
    """The list without the item at *position*."""
    index = _place(items, position, "remove")
    return items[:index] + items[index + 1 :]


@builtin("list replace(list: list, position: number|function, newItem: any): list")
def list_replace(meter: Meter, items: list[Any], position: Decimal | Function, new: Any) -> list[Any]:
    """The list with *newItem* at *position*, or wherever the function of item and new item is true."""
    if isinstance(position, Function):
        return [new if passes(position.invoke(meter, (item, new), None)) else item for item in items]
    index = _place(items, position, "list replace")
    return [*items[:index], new, *items[index + 1 :]]


@builtin("reverse(list: list): list")
def reverse(_: Meter, items: list[Any]) -> list[Any]:
    """The items from last to first."""
    return items[::-1]


@builtin("index of(list: list, match: any): list<number>")
def index_of(_: Meter, items: list[Any], match: Any) -> list[Decimal]:
    """The positions of all items that equal *match*."""
    return [Decimal(place) for place, item in enumerate(items, 1) if same(item, match) is True]


@builtin("union(…list: list): list")
def union(meter: Meter, *lists: list[Any]) -> list[Any]:
    """All items of all lists, each once."""
    return distinct_values(meter, concatenate(meter, *lists))


@builtin("distinct values(list: list): list")
def distinct_values(meter: Meter, items: list[Any]) -> list[Any]:
    """The items, each once, in the order of their first appearance."""
    plain: set[tuple[type, Any]] = set()
    others: list[Any] = []
    found: list[Any] = []
    for item in items:
        if type(item) in (str, Decimal, bool, type(None)):
            key = (type(item), item)
            if key in plain:
                continue
            plain.add(key)
        else:
            meter.spend(len(others))
            if any(same(other, item) is True for other in others):
                continue
            others.append(item)
        found.append(item)
    return found


@builtin("flatten(list: list): list")
def flatten(meter: Meter, items: list[Any]) -> list[Any]:
    """All items that are no lists, at any depth."""
    found: list[Any] = []
    waiting = [iter(items)]
    while waiting:
        for item in waiting[-1]:
            meter.spend(1)
            if type(item) is list:
                waiting.append(iter(item))
                break
            found.append(item)
        else:
            waiting.pop()
    return sized_items(found)


@builtin("sort(list: list, precedes?: function): list")
def sort(meter: Meter, items: list[Any], precedes: Function | None = None) -> list[Any]:
    """The items in the order the function gives (whether its first argument comes first); ascending without one. Stable."""

    def order(one: Any, other: Any) -> bool:
        meter.spend(1)
        result = before(one, other) if precedes is None else passes(precedes.invoke(meter, (one, other), None))
        if result is None and precedes is None:
            raise FeelError("feel.operands", operator="<", left=kind_of(one), right=kind_of(other))
        return result is True

    return sorted(items, key=cmp_to_key(lambda one, other: -1 if order(one, other) else int(order(other, one))))
