"""The one error of the language: a code, a place in the author's text, and the facts its sentence needs."""

from __future__ import annotations

from typing import Any


class FeelError(Exception):
    """An expression or a decision model cannot be read, checked or evaluated.

    ``code`` is dotted lowercase and has a sentence in the catalogue. ``line`` and ``column`` count from 1 in the author's text and are 0
    where no text exists (a value at the border). ``element`` names the element of a decision model. ``facts`` never hold values of the
    scope, only names, types and limits, so that an error may be logged.
    """

    def __init__(self, code: str, /, line: int = 0, column: int = 0, *, element: str = "", **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.line = line
        self.column = column
        self.element = element
        self.facts = facts

    def __str__(self) -> str:
        place = f" at line {self.line}, column {self.column}" if self.line else ""
        inside = f" in {self.element}" if self.element else ""
        facts = ", ".join(f"{key}={value}" for key, value in self.facts.items())
        return f"{self.code}{place}{inside}" + (f" ({facts})" if facts else "")

    def at(self, text: str, offset: int) -> FeelError:
        """The same error with its place computed from *offset* in *text*; an error that has a place keeps it."""
        if not self.line:
            self.line, self.column = place(text, offset)
        return self


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of the character at *offset*."""
    offset = min(offset, len(text))
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
