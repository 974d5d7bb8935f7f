"""Characters and their classes for regular expressions: escapes, general categories and the common blocks."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

Predicate = Callable[[str], bool]

_CATEGORIES = frozenset(
    "L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po Z Zs Zl Zp S Sm Sc Sk So C Cc Cf Co Cn".split()  # noqa: SIM905 - a table
)
_BLOCKS: dict[str, tuple[int, int]] = {
    "BasicLatin": (0x0, 0x7F),
    "Latin-1Supplement": (0x80, 0xFF),
    "LatinExtended-A": (0x100, 0x17F),
    "LatinExtended-B": (0x180, 0x24F),
    "IPAExtensions": (0x250, 0x2AF),
    "SpacingModifierLetters": (0x2B0, 0x2FF),
    "CombiningDiacriticalMarks": (0x300, 0x36F),
    "Greek": (0x370, 0x3FF),
    "GreekandCoptic": (0x370, 0x3FF),
    "Cyrillic": (0x400, 0x4FF),
    "Armenian": (0x530, 0x58F),
    "Hebrew": (0x590, 0x5FF),
    "Arabic": (0x600, 0x6FF),
    "Devanagari": (0x900, 0x97F),
    "Thai": (0xE00, 0xE7F),
    "Lao": (0xE80, 0xEFF),
    "Khmer": (0x1780, 0x17FF),
    "LatinExtendedAdditional": (0x1E00, 0x1EFF),
    "GreekExtended": (0x1F00, 0x1FFF),
    "GeneralPunctuation": (0x2000, 0x206F),
    "SuperscriptsandSubscripts": (0x2070, 0x209F),
    "CurrencySymbols": (0x20A0, 0x20CF),
    "LetterlikeSymbols": (0x2100, 0x214F),
    "NumberForms": (0x2150, 0x218F),
    "Arrows": (0x2190, 0x21FF),
    "MathematicalOperators": (0x2200, 0x22FF),
    "BoxDrawing": (0x2500, 0x257F),
    "GeometricShapes": (0x25A0, 0x25FF),
    "CJKSymbolsandPunctuation": (0x3000, 0x303F),
    "Hiragana": (0x3040, 0x309F),
    "Katakana": (0x30A0, 0x30FF),
    "CJKUnifiedIdeographs": (0x4E00, 0x9FFF),
    "HangulSyllables": (0xAC00, 0xD7AF),
    "PrivateUseArea": (0xE000, 0xF8FF),
    "HalfwidthandFullwidthForms": (0xFF00, 0xFFEF),
}


def category(name: str) -> Predicate | None:
    r"""The predicate of ``\p{name}``, or None when there is no such category or block."""
    if name in _CATEGORIES:
        return lambda char: unicodedata.category(char).startswith(name)
    block = _BLOCKS.get(name.removeprefix("Is")) if name.startswith("Is") else None
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
