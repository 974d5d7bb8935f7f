"""Arithmetic on numbers, texts, dates and durations (clause 10.3.2.14); a pair of types the standard does not list is an error."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NoReturn

from engine.feel import limits, numbers, temporal
from engine.feel.errors import FeelError
from engine.feel.values import MonthsDuration, kind_of

_ctx = numbers.CONTEXT
_MICROSECOND = timedelta(microseconds=1)
Operation = Callable[[Any, Any], Any]


def refuse(operator: str, one: Any, other: Any) -> NoReturn:
    """Raise ``feel.operands``: the operator does not work on these types."""
    raise FeelError("feel.operands", operator=operator, left=kind_of(one), right=kind_of(other))


def _guarded(operator: str, one: Any, other: Any, table: dict[tuple[type, type], Operation]) -> Any:
    if one is None or other is None:
        return None
    operation = table.get((type(one), type(other)))
    if operation is None:
        refuse(operator, one, other)
    try:
        return operation(one, other)
    except (OverflowError, ValueError) as problem:
        raise FeelError("feel.out_of_range") from problem
    except decimal.DivisionByZero as problem:
        raise FeelError("feel.division_by_zero") from problem
    except decimal.DecimalException as problem:
        raise FeelError("feel.number_range") from problem


def add(one: Any, other: Any) -> Any:
    """``one + other``."""
    if type(one) is Decimal and type(other) is Decimal:
        try:
            return _ctx.add(one, other)
        except decimal.DecimalException as problem:
            raise FeelError("feel.number_range") from problem
    return _guarded("+", one, other, _ADD)


def subtract(one: Any, other: Any) -> Any:
    """``one - other``."""
    if type(one) is Decimal and type(other) is Decimal:
        try:
            return _ctx.subtract(one, other)
        except decimal.DecimalException as problem:
            raise FeelError("feel.number_range") from problem
    return _guarded("-", one, other, _SUBTRACT)


def multiply(one: Any, other: Any) -> Any:
    """``one * other``."""
    return _guarded("*", one, other, _MULTIPLY)


def divide(one: Any, other: Any) -> Any:
    """``one / other``."""
    return _guarded("/", one, other, _DIVIDE)


def power(one: Any, other: Any) -> Any:
    """``one ** other``."""
    return _guarded("**", one, other, _POWER)


def negate(value: Any) -> Any:
    """``-value``."""
    if type(value) is Decimal:
        return _ctx.minus(value)
    if value is None:
        return None
    if type(value) is timedelta:
        return -value
    if type(value) is MonthsDuration:
        return MonthsDuration(-value.months)
    raise FeelError("feel.operand", operator="-", found=kind_of(value))


def _join(one: str, other: str) -> str:
    return limits.sized_text(one + other)


def _later(moment: datetime, by: timedelta) -> datetime:
    """Elapsed time, not wall-clock time: across a change of offset the clock shows the difference."""
    return moment + by if moment.tzinfo is None else (moment.astimezone(UTC) + by).astimezone(moment.tzinfo)


def _later_time(hour: time, by: timedelta) -> time:
    moment = datetime.combine(date(2000, 1, 1), hour.replace(tzinfo=None)) + timedelta(seconds=by.seconds, microseconds=by.microseconds)
    return moment.time().replace(tzinfo=hour.tzinfo)


def _elapsed(one: datetime, other: datetime) -> timedelta:
    if (one.tzinfo is None) != (other.tzinfo is None):
        raise FeelError("feel.zone_missing")
    return one - other if one.tzinfo is None else one.astimezone(UTC) - other.astimezone(UTC)


def _elapsed_times(one: time, other: time) -> timedelta:
    if (one.tzinfo is None) != (other.tzinfo is None):
        raise FeelError("feel.zone_missing")
    first, second = (datetime.combine(date(2000, 1, 1), hour) for hour in (one, other))
    return _elapsed(first, second)


def midnight(day: date) -> datetime:
    """A date among dates with time is midnight UTC (clause 10.3.2.3.6)."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _scaled(length: timedelta, by: Decimal) -> timedelta:
    microseconds = _ctx.multiply(Decimal(length // _MICROSECOND), by)
    return timedelta(microseconds=int(microseconds.to_integral_value(decimal.ROUND_HALF_EVEN)))


def _scaled_months(length: MonthsDuration, by: Decimal) -> MonthsDuration:
    return MonthsDuration(int(_ctx.multiply(Decimal(length.months), by).to_integral_value(decimal.ROUND_DOWN)))


def _power(one: Decimal, other: Decimal) -> Decimal:
    if not one and not other:
        return numbers.ONE
    if abs(other) > 999_999_999:
        raise FeelError("feel.number_range")
    result = _ctx.power(one, other)
    if not result.is_finite():
        # Zero to a negative power raises no signal in decimal arithmetic.
        raise FeelError("feel.number_range")
    return result


_ADD: dict[tuple[type, type], Operation] = {
    (str, str): _join,
    (date, timedelta): lambda a, b: (midnight(a) + b).date(),
    (timedelta, date): lambda a, b: (midnight(b) + a).date(),
    (datetime, timedelta): _later,
    (timedelta, datetime): lambda a, b: _later(b, a),
    (time, timedelta): _later_time,
    (timedelta, time): lambda a, b: _later_time(b, a),
    (timedelta, timedelta): lambda a, b: a + b,
    (MonthsDuration, MonthsDuration): lambda a, b: MonthsDuration(a.months + b.months),
} | {
    pair: operation
    for kind in (date, datetime)
    for pair, operation in (
        ((kind, MonthsDuration), lambda a, b: temporal.add_months(a, b.months)),
        ((MonthsDuration, kind), lambda a, b: temporal.add_months(b, a.months)),
    )
}
_SUBTRACT: dict[tuple[type, type], Operation] = {
    (date, date): lambda a, b: a - b,
    (datetime, datetime): _elapsed,
    (datetime, date): lambda a, b: _elapsed(a, midnight(b)),
    (date, datetime): lambda a, b: _elapsed(midnight(a), b),
    (time, time): _elapsed_times,
    (date, timedelta): lambda a, b: (midnight(a) - b).date(),
    (datetime, timedelta): lambda a, b: _later(a, -b),
    (time, timedelta): lambda a, b: _later_time(a, -b),
    (timedelta, timedelta): lambda a, b: a - b,
    (MonthsDuration, MonthsDuration): lambda a, b: MonthsDuration(a.months - b.months),
    (date, MonthsDuration): lambda a, b: temporal.add_months(a, -b.months),
    (datetime, MonthsDuration): lambda a, b: temporal.add_months(a, -b.months),
}
_MULTIPLY: dict[tuple[type, type], Operation] = {
    (Decimal, Decimal): _ctx.multiply,
    (timedelta, Decimal): _scaled,
    (Decimal, timedelta): lambda a, b: _scaled(b, a),
    (MonthsDuration, Decimal): _scaled_months,
    (Decimal, MonthsDuration): lambda a, b: _scaled_months(b, a),
}


def _divided(length: timedelta, by: Decimal) -> timedelta:
    microseconds = _ctx.divide(Decimal(length // _MICROSECOND), by)
    return timedelta(microseconds=int(microseconds.to_integral_value(decimal.ROUND_HALF_EVEN)))


def _divided_months(length: MonthsDuration, by: Decimal) -> MonthsDuration:
    return MonthsDuration(int(_ctx.divide(Decimal(length.months), by).to_integral_value(decimal.ROUND_DOWN)))


def _ratio(one: Any, other: Any) -> Decimal:
    if type(one) is timedelta:
        return _ctx.divide(Decimal(one // _MICROSECOND), Decimal(other // _MICROSECOND))
    return _ctx.divide(Decimal(one.months), Decimal(other.months))


_DIVIDE: dict[tuple[type, type], Operation] = {
    (Decimal, Decimal): _ctx.divide,
    (timedelta, Decimal): _divided,
    (timedelta, timedelta): _ratio,
    (MonthsDuration, Decimal): _divided_months,
    (MonthsDuration, MonthsDuration): _ratio,
}
_POWER: dict[tuple[type, type], Operation] = {(Decimal, Decimal): _power}
