"""The caps of the language: what an expression may cost, so that no text and no value can hang or exhaust the process."""

from __future__ import annotations

from typing import Any, TypeVar

from engine.feel.errors import FeelError

Items = TypeVar("Items", list[Any], dict[str, Any])

TEXT_LENGTH = 20_000
"""Characters of one expression."""
DEPTH = 60
"""Nested brackets, conditionals and loops in one expression."""
CHAIN = 150
"""Operators of one level written one after the other, such as the terms of a sum."""
TREE = 320
"""Levels of the syntax tree, brackets and chains together."""
TOKENS = 6_000
"""Words, numbers and signs of one expression."""
STEPS = 60_000
"""Work units of one evaluation: an iteration, a call, an item read by a built-in function."""
CALL_DEPTH = 40
"""Functions calling each other."""
ITEMS = 20_000
"""Entries of one list or context."""
STRING = 200_000
"""Characters of one text value."""
NESTING = 64
"""Levels of lists and contexts in one value."""
DIGITS = 34
"""Significant digits of a number, as in IEEE 754-2008 decimal128."""
PATTERN = 1_000
"""Characters of a regular expression."""
PROGRAM = 4_000
"""Instructions of a compiled regular expression."""
MATCH_STEPS = 60_000
"""Instructions carried out while matching one regular expression."""


class Meter:
    """Counts the work of one evaluation and stops it at the caps."""

    __slots__ = ("depth", "steps")

    def __init__(self, steps: int = STEPS) -> None:
        self.steps = steps
        self.depth = 0

    def spend(self, steps: int) -> None:
        """Take *steps* work units.

        Raises:
            FeelError: ``feel.too_many_steps`` once the evaluation has used up its budget.
        """
        self.steps -= steps
        if self.steps < 0:
            raise FeelError("feel.too_many_steps", limit=STEPS)

    def enter(self) -> None:
        """Enter a function; pair with ``depth -= 1``.

        Raises:
            FeelError: ``feel.too_deep_calls`` when functions call each other without end.
        """
        self.depth += 1
        if self.depth > CALL_DEPTH:
            raise FeelError("feel.too_deep_calls", limit=CALL_DEPTH)


def sized_text(text: str) -> str:
    """The text itself, refused when longer than a text value may be."""
    if len(text) > STRING:
        raise FeelError("feel.too_large", limit=STRING)
    return text


def sized_items(items: Items) -> Items:
    """The list or context itself, refused when it has too many entries."""
    if len(items) > ITEMS:
        raise FeelError("feel.too_large", limit=ITEMS)
    return items
