"""What compiled expressions call: comparison, logic, paths, filters, loops and invocations.

Every function here raises FeelError without a place; whoever evaluates adds the place. The forgiving variants of ``guards`` turn the error
into null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from engine.feel import numbers
from engine.feel.conformance import conform
from engine.feel.convert import READY, convert
from engine.feel.equality import before, same, within
from engine.feel.errors import FeelError
from engine.feel.limits import ITEMS, Meter
from engine.feel.properties import property_of
from engine.feel.types import FeelType
from engine.feel.values import Function, Range, kind_of

# -- variables ----------------------------------------------------------------------------------------------------------------------


def variable(scope: Mapping[str, Any], name: str) -> Any:
    """The variable *name*; a variable that is not there is an error."""
    try:
        value = scope[name]
    except KeyError:
        raise FeelError("feel.unknown_name", name=name) from None
    return value if type(value) in READY else convert(value)


def path(scope: Mapping[str, Any], name: str, entry: str) -> Any:
    """``name.entry`` from the scope: the path nearly every condition consists of."""
    try:
        value = scope[name][entry]
    except (KeyError, TypeError):
        return long_path(scope, name, entry)
    return value if type(value) in READY else convert(value)


def long_path(scope: Mapping[str, Any], *names: str) -> Any:
    """``a.b.c`` from the scope; an entry that is not there is an error, behind null everything is null."""
    value: Any = scope
    for position, name in enumerate(names):
        if isinstance(value, Mapping):
            if name not in value:
                raise FeelError("feel.unknown_name", name=".".join(names[: position + 1]))
            value = value[name]
        elif value is None:
            return None
        else:
            value = entry_of(convert(value), name)
    return value if type(value) in READY else convert(value)


def optional(scope: Mapping[str, Any], *names: str) -> Any:
    """``a.b.c`` from the scope, null when nothing is called so: a name inside a filter may be an entry that this item lacks."""
    return long_path(scope, *names) if names[0] in scope else None


def declared(scope: Mapping[str, Any], read: Callable[[Any], Any], *names: str) -> Any:
    """``a.b.c`` from the scope, read as its declared type; what is declared and absent is null."""
    value: Any = scope
    for name in names:
        if isinstance(value, Mapping):
            value = value.get(name)
        elif value is None:
            return None
        else:
            raise FeelError("feel.value_type", name=".".join(names), expected="context", found=kind_of(value))
    try:
        return read(value)
    except FeelError as problem:
        problem.facts.setdefault("name", ".".join(names))
        raise


def declared_variable(scope: Mapping[str, Any], read: Callable[[Any], Any], name: str) -> Any:
    """A declared variable, read as its type."""
    try:
        return read(scope[name])
    except (KeyError, FeelError):
        return declared(scope, read, name)


def declared_path(scope: Mapping[str, Any], read: Callable[[Any], Any], name: str, entry: str) -> Any:
    """``name.entry`` of a declared variable: the path nearly every condition consists of."""
    try:
        return read(scope[name][entry])
    except (KeyError, TypeError, FeelError):
        return declared(scope, read, name, entry)


# -- comparison and logic -------------------------------------------------------------------------------------------------------------


def equal(one: Any, other: Any) -> bool | None:
    """``one = other``."""
    result = same(one, other)
    if result is None:
        raise FeelError("feel.operands", operator="=", left=kind_of(one), right=kind_of(other))
    return result


def unequal(one: Any, other: Any) -> bool | None:
    """``one != other``."""
    result = same(one, other)
    if result is None:
        raise FeelError("feel.operands", operator="!=", left=kind_of(one), right=kind_of(other))
    return not result


def less(one: Any, other: Any, operator: str = "<") -> bool | None:
    """``one < other``."""
    if type(one) is Decimal and type(other) is Decimal:
        return one < other
    if one is None or other is None:
        return None
    result = before(one, other)
    if result is None:
        raise FeelError("feel.operands", operator=operator, left=kind_of(one), right=kind_of(other))
    return result


def greater(one: Any, other: Any) -> bool | None:
    """``one > other``."""
    return less(other, one, ">")


def at_most(one: Any, other: Any) -> bool | None:
    """``one <= other``."""
    if type(one) is Decimal and type(other) is Decimal:
        return one <= other
    below = less(one, other, "<=")
    return below if below is not False else same(one, other)


def at_least(one: Any, other: Any) -> bool | None:
    """``one >= other``."""
    if type(one) is Decimal and type(other) is Decimal:
        return one >= other
    above = less(other, one, ">=")
    return above if above is not False else same(one, other)


def between(value: Any, low: Any, high: Any) -> bool | None:
    """``value between low and high``, both ends included."""
    return conjunction(at_least(value, low), at_most(value, high))


def conjunction(*terms: Any) -> bool | None:
    """``and`` of its terms in three values."""
    unknown = False
    for term in terms:
        if term is False:
            return False
        if term is None:
            unknown = True
        elif term is not True:
            raise FeelError("feel.not_boolean", found=kind_of(term))
    return None if unknown else True


def disjunction(*terms: Any) -> bool | None:
    """``or`` of its terms in three values."""
    unknown = False
    for term in terms:
        if term is True:
            return True
        if term is None:
            unknown = True
        elif term is not False:
            raise FeelError("feel.not_boolean", found=kind_of(term))
    return None if unknown else False


def holds(condition: Any) -> bool:
    """Whether the condition of an ``if`` is true; null counts as not."""
    if condition is True:
        return True
    if condition is False or condition is None:
        return False
    raise FeelError("feel.not_boolean", found=kind_of(condition))


# -- unary tests ----------------------------------------------------------------------------------------------------------------------


def matches(value: Any, test: Any) -> bool | None:
    """Whether *value* passes a test given by value: it equals it, lies in the range, or is in the list."""
    kind = type(test)
    if kind is Range:
        return same(value, test) if type(value) is Range else within(value, test)
    if kind is list:
        if type(value) is list and same(value, test):
            return True
        return any(matches(value, item) is True for item in test)
    if kind is bool and type(value) is not bool and value is not None:
        return bool(test)
    return same(value, test)


def passes(result: Any) -> bool | None:
    """The outcome of a test that asks about ``?`` itself."""
    if result is None or result is True or result is False:
        return result
    raise FeelError("feel.not_boolean", found=kind_of(result))


# -- contexts, lists ------------------------------------------------------------------------------------------------------------------


def entry_of(base: Any, name: str) -> Any:
    """``base.name`` of a computed value: an entry, a property, or the same of every item of a list."""
    kind = type(base)
    if kind is dict:
        return base.get(name)
    if base is None:
        return None
    if kind is list:
        return [entry_of(item, name) for item in base]
    return property_of(base, name)


def has_entry(base: Any, name: str) -> bool:
    """Whether *base* is a context with this entry; decides whom a name inside a filter means."""
    return type(base) is dict and name in base


def as_list(value: Any) -> list[Any]:
    """A list as it is; anything else as a list of one; null as an empty list."""
    if type(value) is list:
        return value
    return [] if value is None else [value]


def item_at(base: Any, position: Any) -> Any:
    """``base[position]``, counted from 1, from the end when negative; null outside."""
    items = as_list(base)
    if position is None:
        return None
    index = numbers.integer(position)
    if index > 0:
        return items[index - 1] if index <= len(items) else None
    return items[index] if index and -index <= len(items) else None


def filtered(meter: Meter, base: Any, condition: Callable[[Any], Any]) -> Any:
    """``base[condition]``: the items for which it is true; a condition that is a number picks by position."""
    items = as_list(base)
    meter.spend(len(items) + 1)
    found = []
    for item in items:
        result = condition(item)
        if result is True:
            found.append(item)
        elif type(result) is Decimal:
            return item_at(items, result)
        elif result is not False and result is not None:
            raise FeelError("feel.not_boolean", found=kind_of(result))
    return found


# -- iteration ------------------------------------------------------------------------------------------------------------------------


def span(meter: Meter, low: Any, high: Any) -> list[Any]:
    """The whole numbers (or days) from *low* to *high*, downwards when *high* is smaller."""
    if low is None or high is None:
        return []
    return spanned(meter, low, high)


def spanned(meter: Meter, low: Any, high: Any) -> list[Any]:
    """The steps of a range that loops walk over."""
    if type(low) is Decimal and type(high) is Decimal:
        first, last = numbers.integer(low), numbers.integer(high)
    elif type(low) is date and type(high) is date:
        first, last = low.toordinal(), high.toordinal()
    else:
        raise FeelError("feel.operands", operator="..", left=kind_of(low), right=kind_of(high))
    step = 1 if last >= first else -1
    if abs(last - first) >= ITEMS:
        raise FeelError("feel.too_large", limit=ITEMS)
    meter.spend(abs(last - first) + 1)
    if type(low) is date:
        return [low + timedelta(days=days) for days in range(0, last - first + step, step)]
    return [Decimal(number) for number in range(first, last + step, step)]


def source(meter: Meter, value: Any) -> list[Any]:
    """What a loop walks over: the items of a list, the steps of a closed range, or the one value."""
    if type(value) is Range:
        steps = span(meter, value.low, value.high)
        if steps and not value.low_closed:
            steps = steps[1:]
        if steps and not value.high_closed:
            steps = steps[:-1]
        return steps
    items = as_list(value)
    meter.spend(len(items))
    return items


def loop(meter: Meter, sources: tuple[Callable[..., Any], ...], body: Callable[..., Any], partial: bool) -> list[Any]:
    """``for … return …``; with *partial* the body receives the results so far as its last argument."""
    results: list[Any] = []
    last = len(sources) - 1

    def walk(level: int, chosen: tuple[Any, ...]) -> None:
        for item in source(meter, sources[level](*chosen)):
            if level < last:
                walk(level + 1, (*chosen, item))
                continue
            meter.spend(1)
            if partial:
                meter.spend(len(results))
                results.append(body(*chosen, item, list(results)))
            else:
                results.append(body(*chosen, item))
            if len(results) > ITEMS:
                raise FeelError("feel.too_large", limit=ITEMS)

    walk(0, ())
    return results


def quantified(meter: Meter, sources: tuple[Callable[..., Any], ...], body: Callable[..., Any], every: bool) -> bool | None:
    """``some`` or ``every … satisfies …`` in three values; stops as soon as the answer is known."""
    unknown = False
    last = len(sources) - 1

    def walk(level: int, chosen: tuple[Any, ...]) -> bool:
        nonlocal unknown
        for item in source(meter, sources[level](*chosen)):
            if level < last:
                if walk(level + 1, (*chosen, item)):
                    return True
                continue
            meter.spend(1)
            result = passes(body(*chosen, item))
            if result is None:
                unknown = True
            elif result is not every:
                return True
        return False

    decided = walk(0, ())
    if decided:
        return not every
    return None if unknown else every


# -- functions ------------------------------------------------------------------------------------------------------------------------


def invoke(meter: Meter, function: Any, names: tuple[str, ...] | None, *arguments: Any) -> Any:
    """Call a function value with positional arguments, or with arguments in the order of *names*."""
    if not isinstance(function, Function):
        raise FeelError("feel.not_function", found=kind_of(function))
    return function.invoke(meter, arguments, names)


def interval(low: Any, low_closed: bool, high: Any, high_closed: bool) -> Range | None:
    """A range; its ends must be of one kind that has an order."""
    if low is not None and high is not None and before(low, high) is None:
        raise FeelError("feel.operands", operator="..", left=kind_of(low), right=kind_of(high))
    if low is None and high is None:
        return None
    if low is not None and high is not None and before(high, low):
        raise FeelError("feel.range_order")
    return Range(low, low_closed, high, high_closed)


def function(signature: tuple[tuple[str, ...], tuple[FeelType, ...]], body: Callable[..., Any]) -> Function:
    """A function defined in the text; arguments are checked against the declared types."""
    names, kinds = signature
    if all(kind.name == "Any" for kind in kinds):
        return Function(names, body, types=kinds)

    def checked(meter: Meter, *arguments: Any) -> Any:
        return body(meter, *(conform(value, kind) for value, kind in zip(arguments, kinds, strict=True)))

    return Function(names, checked, types=kinds)
