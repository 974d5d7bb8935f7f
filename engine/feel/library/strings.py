"""String functions (clause 10.3.4.3). Lengths and positions count characters, not code units."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.feel import numbers, regex
from engine.feel.errors import FeelError
from engine.feel.library.registry import builtin
from engine.feel.limits import Meter, sized_items, sized_text
from engine.feel.values import kind_of


@builtin("substring(string: string, start position: number, length?: number?): string")
def substring(_: Meter, text: str, start: Decimal, length: Decimal | None = None) -> str:
    """*length* (or all) characters from *start position* on, counted from 1, or from the end when negative."""
    index = numbers.integer(start)
    if index == 0 or abs(index) > len(text):
        raise FeelError("feel.position", function="substring")
    first = index - 1 if index > 0 else len(text) + index
    if length is None:
        return text[first:]
    size = numbers.integer(length)
    if not 1 <= size <= len(text) - first:
        raise FeelError("feel.position", function="substring")
    return text[first : first + size]


@builtin("string length(string: string): number")
def string_length(_: Meter, text: str) -> Decimal:
    """The number of characters."""
    return Decimal(len(text))


@builtin("upper case(string: string): string")
def upper_case(_: Meter, text: str) -> str:
    """In capitals."""
    return sized_text(text.upper())


@builtin("lower case(string: string): string")
def lower_case(_: Meter, text: str) -> str:
    """In small letters."""
    return sized_text(text.lower())


@builtin("substring before(string: string, match: string): string")
def substring_before(_: Meter, text: str, match: str) -> str:
    """What stands before the first *match*; nothing when there is none."""
    head, found, _rest = text.partition(match) if match else ("", "", "")
    return head if found else ""


@builtin("substring after(string: string, match: string): string")
def substring_after(_: Meter, text: str, match: str) -> str:
    """What stands behind the first *match*; nothing when there is none."""
    return text.partition(match)[2] if match else text


@builtin("contains(string: string, match: string): boolean")
def contains(_: Meter, text: str, match: str) -> bool:
    """Whether *match* occurs."""
    return match in text


@builtin("starts with(string: string, match: string): boolean")
def starts_with(_: Meter, text: str, match: str) -> bool:
    """Whether the text begins with *match*."""
    return text.startswith(match)


@builtin("ends with(string: string, match: string): boolean")
def ends_with(_: Meter, text: str, match: str) -> bool:
    """Whether the text ends with *match*."""
    return text.endswith(match)


@builtin("matches(input: string, pattern: string, flags?: string?): boolean")
def matches(meter: Meter, text: str, pattern: str, flags: str | None = None) -> bool:
    """Whether the regular expression (XPath, flags s m i x q) matches somewhere."""
    return regex.compiled(pattern, flags or "").search(text, 0, meter) is not None


@builtin("replace(input: string, pattern: string, replacement: string, flags?: string?): string")
def replace(meter: Meter, text: str, pattern: str, replacement: str, flags: str | None = None) -> str:
    """Every match replaced; ``$1`` in the replacement stands for the first group."""
    compiled = regex.compiled(pattern, flags or "")
    parts = regex.replacement_parts(replacement, "q" in (flags or ""))
    return sized_text(compiled.replace(text, parts, meter))


@builtin("split(string: string, delimiter: string): list<string>")
def split(meter: Meter, text: str, delimiter: str) -> list[str]:
    """The pieces between the matches of the regular expression *delimiter*."""
    return sized_items(regex.compiled(delimiter, "").split(text, meter))


@builtin("string join(list: list, delimiter?: string?): string")
def string_join(_: Meter, items: list[Any], delimiter: str | None = None) -> str:
    """The texts of the list joined; null items are left out."""
    for item in items:
        if item is not None and type(item) is not str:
            raise FeelError("feel.argument", function="string join", parameter="list", expected="string", found=kind_of(item))
    return sized_text((delimiter or "").join(item for item in items if item is not None))
