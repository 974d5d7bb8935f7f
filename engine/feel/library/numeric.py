"""Numeric functions (clause 10.3.4.5)."""

from __future__ import annotations

import decimal
from decimal import Decimal

from engine.feel import numbers
from engine.feel.errors import FeelError
from engine.feel.library.registry import builtin
from engine.feel.limits import Meter
from engine.feel.values import MonthsDuration

_ctx = numbers.CONTEXT


def _scaled(number: Decimal, scale: Decimal, rounding: str) -> Decimal:
    digits = numbers.integer(scale)
    if not -6111 <= digits <= 6176:
        raise FeelError("feel.scale")
    if number.is_zero() or number.as_tuple().exponent >= -digits:  # type: ignore[operator]
        return number
    return number.quantize(Decimal((0, (1,), -digits)), rounding=rounding, context=_ctx)


@builtin("decimal(n: number, scale: number): number")
def decimal_function(_: Meter, number: Decimal, scale: Decimal) -> Decimal:
    """The number rounded half to even to *scale* digits."""
    return _scaled(number, scale, decimal.ROUND_HALF_EVEN)


@builtin("floor(n: number, scale?: number): number")
def floor(_: Meter, number: Decimal, scale: Decimal = numbers.ZERO) -> Decimal:
    """The next smaller number of *scale* digits."""
    return _scaled(number, scale, decimal.ROUND_FLOOR)


@builtin("ceiling(n: number, scale?: number): number")
def ceiling(_: Meter, number: Decimal, scale: Decimal = numbers.ZERO) -> Decimal:
    """The next greater number of *scale* digits."""
    return _scaled(number, scale, decimal.ROUND_CEILING)


@builtin("round up(n: number, scale: number): number")
def round_up(_: Meter, number: Decimal, scale: Decimal) -> Decimal:
    """Rounded away from zero."""
    return _scaled(number, scale, decimal.ROUND_UP)


@builtin("round down(n: number, scale: number): number")
def round_down(_: Meter, number: Decimal, scale: Decimal) -> Decimal:
    """Rounded towards zero."""
    return _scaled(number, scale, decimal.ROUND_DOWN)


@builtin("round half up(n: number, scale: number): number")
def round_half_up(_: Meter, number: Decimal, scale: Decimal) -> Decimal:
    """Rounded to the nearest, a half away from zero."""
    return _scaled(number, scale, decimal.ROUND_HALF_UP)


@builtin("round half down(n: number, scale: number): number")
def round_half_down(_: Meter, number: Decimal, scale: Decimal) -> Decimal:
    """Rounded to the nearest, a half towards zero."""
    return _scaled(number, scale, decimal.ROUND_HALF_DOWN)


@builtin("abs(n: number|days and time duration|years and months duration): Any")
def absolute(_: Meter, value: object) -> object:
    """The value without its sign."""
    return MonthsDuration(abs(value.months)) if isinstance(value, MonthsDuration) else abs(value)  # type: ignore[arg-type]


@builtin("modulo(dividend: number, divisor: number): number")
def modulo(_: Meter, dividend: Decimal, divisor: Decimal) -> Decimal:
    """``dividend - divisor * floor(dividend / divisor)``: the remainder with the sign of the divisor."""
    if not divisor:
        raise FeelError("feel.division_by_zero")
    try:
        rest = _ctx.remainder(dividend, divisor)
    except decimal.InvalidOperation:
        raise FeelError("feel.number_range") from None
    return _ctx.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest


@builtin("sqrt(number: number): number")
def square_root(_: Meter, number: Decimal) -> Decimal:
    """The square root of a number that is not negative."""
    if number < 0:
        raise FeelError("feel.number_range")
    return _ctx.sqrt(number)


@builtin("log(number: number): number")
def logarithm(_: Meter, number: Decimal) -> Decimal:
    """The natural logarithm of a positive number."""
    if number <= 0:
        raise FeelError("feel.number_range")
    return _ctx.ln(number)


@builtin("exp(number: number): number")
def exponential(_: Meter, number: Decimal) -> Decimal:
    """e to the power of the number."""
    try:
        return _ctx.exp(number)
    except decimal.Overflow:
        raise FeelError("feel.number_range") from None


@builtin("odd(number: number): boolean")
def odd(_: Meter, number: Decimal) -> bool:
    """Whether a whole number is odd."""
    return numbers.integer(number) % 2 == 1


@builtin("even(number: number): boolean")
def even(_: Meter, number: Decimal) -> bool:
    """Whether a whole number is even."""
    return numbers.integer(number) % 2 == 0
