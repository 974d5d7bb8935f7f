"""Characters and their classes for regular expressions: escapes, general categories and blocks."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from engine.feel.blocks import BLOCKS

Predicate = Callable[[str], bool]

_CATEGORIES = frozenset(
    "L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po Z Zs Zl Zp S Sm Sc Sk So C Cc Cf Co Cn".split()  # noqa: SIM905 - a table
)


def category(name: str) -> Predicate | None:
    r"""The predicate of ``\p{name}``, or None when there is no such category or block."""
    if name in _CATEGORIES:
        return lambda char: unicodedata.category(char).startswith(name)
    block = BLOCKS.get(name.removeprefix("Is")) if name.startswith("Is") else None
    if block is None:
        return None
    low, high = block
    return lambda char: low <= ord(char) <= high


def folded(text: str) -> str:
    """The text as comparison without regard to case sees it."""
    return text.casefold()


def single(char: str, fold: bool) -> Predicate:
    """The predicate of one character."""
    if fold and (char.lower() != char or char.upper() != char):
        wanted = char.casefold()
        return lambda other: other.casefold() == wanted
    return char.__eq__


def one_of(ranges: list[tuple[str, str]], others: list[Predicate], fold: bool) -> Predicate:
    """The predicate of a class: ranges of characters, and other predicates."""

    def inside(char: str) -> bool:
        return any(low <= char <= high for low, high in ranges) or any(test(char) for test in others)

    if not fold:
        return inside
    return lambda char: inside(char) or inside(char.lower()) or inside(char.upper())


def _name_start(char: str) -> bool:
    return char in "_:" or unicodedata.category(char) in ("Lu", "Ll", "Lt", "Lo", "Nl")


def _name_char(char: str) -> bool:
    return char in "_:-.\u00b7" or unicodedata.category(char) in ("Lu", "Ll", "Lt", "Lo", "Lm", "Nl", "Nd", "Mn", "Mc")


def _word(char: str) -> bool:
    return unicodedata.category(char)[0] not in "PZC"


def _space(char: str) -> bool:
    return char in " \t\n\r"


def _digit(char: str) -> bool:
    return unicodedata.category(char) == "Nd"


ESCAPES: dict[str, Predicate] = {
    "d": _digit,
    "s": _space,
    "w": _word,
    "i": _name_start,
    "c": _name_char,
    "D": lambda char: not _digit(char),
    "S": lambda char: not _space(char),
    "W": lambda char: not _word(char),
    "I": lambda char: not _name_start(char),
    "C": lambda char: not _name_char(char),
}
"""Escapes of several characters."""
