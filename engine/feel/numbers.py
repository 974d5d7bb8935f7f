"""Numbers: decimals of 34 digits, rounded half to even, never binary floats."""

from __future__ import annotations

import decimal
from decimal import Decimal

from engine.feel import limits
from engine.feel.errors import FeelError

CONTEXT = decimal.Context(
    prec=limits.DIGITS,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow, decimal.FloatOperation],
)
"""IEEE 754-2008 decimal128. Used through its methods only, so that the thread's own context is never touched."""

ZERO = Decimal(0)
ONE = Decimal(1)


def literal(text: str) -> Decimal:
    """The number written as *text*.

    Raises:
        FeelError: ``feel.number_digits`` when it needs more than 34 digits or is too large for decimal128.
    """
    if len(text) > 60:
        digits = text.lower().partition("e")[0].replace(".", "").strip("0")
        if len(digits) > limits.DIGITS:
            raise FeelError("feel.number_digits", limit=limits.DIGITS)
    try:
        exact = Decimal(text)
        rounded = CONTEXT.plus(exact)
    except decimal.DecimalException as problem:
        raise FeelError("feel.number_digits", limit=limits.DIGITS) from problem
    if rounded != exact:
        raise FeelError("feel.number_digits", limit=limits.DIGITS)
    return rounded


def from_float(value: float) -> Decimal:
    """The shortest decimal that reads back as *value*.

    Raises:
        FeelError: ``feel.value_type`` for infinities and NaN.
    """
    if value != value or value in (float("inf"), float("-inf")):
        raise FeelError("feel.value_type", expected="number")
    return Decimal(repr(value))


def text_of(number: Decimal) -> str:
    """The number in plain digits, without exponent and without superfluous zeros behind the point."""
    if number == number.to_integral_value():
        if number.adjusted() > 100:
            return str(number)
        return format(number.to_integral_value(), "f").replace("-0", "0") if number == 0 else format(number.to_integral_value(), "f")
    text = format(number, "f")
    return text.rstrip("0") if "." in text else text


def integer(number: Decimal) -> int:
    """The number as an integer of Python.

    Raises:
        FeelError: ``feel.not_whole`` when it has a fraction or is too large to count with.
    """
    if number != number.to_integral_value() or number.adjusted() > 17:
        raise FeelError("feel.not_whole")
    return int(number)
