"""A text in the two languages of the product."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """A text in Vietnamese and English."""

    vi: str
    en: str

    def in_language(self, language: str) -> str:
        """Return the text in *language* (``vi`` or ``en``); Vietnamese stands in for a missing one."""
        return (self.en or self.vi) if language.startswith("en") else self.vi

    def __bool__(self) -> bool:
        return bool(self.vi or self.en)
