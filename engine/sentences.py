"""What people read when the engine says no: what happened, why, and what to do, in Vietnamese and English.

One TOML file per area under ``engine/catalogue``; each code is a table with ``vi.what``, ``vi.why``, ``vi.do`` and the same in ``en``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

CATALOGUE = Path(__file__).parent / "catalogue"
LANGUAGES = ("vi", "en")
FALLBACK = "engine.unexpected"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A reason in one language."""

    what: str
    why: str
    do: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.do) if part)


class _Blank(Formatter):
    """Fills placeholders; a fact that is missing leaves a dash instead of an error on top of the error."""

    def get_value(self, key: int | str, args: Any, kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(str(key), "–")

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        # Only plain names: a placeholder never walks into attributes of a fact.
        return self.get_value(field_name, args, kwargs), field_name


@cache
def catalogue() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return every code with its sentences.

    Raises:
        ValueError: when two files explain the same code.
    """
    codes: dict[str, Mapping[str, Mapping[str, str]]] = {}
    for path in sorted(CATALOGUE.glob("*.toml")):
        for code, languages in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if code in codes:
                raise ValueError(f"{path.name}: {code} is explained twice")
            codes[code] = languages
    return codes


def sentence(code: str, language: str = "vi", facts: Mapping[str, Any] | None = None) -> Sentence:
    """Return the sentence of *code* with the *facts* filled in; an unknown code gets the sentence of the unexpected."""
    known = catalogue()
    languages = known.get(code) or known[FALLBACK]
    texts = languages.get(language) or languages["vi"]
    values = dict(facts or {})
    return Sentence(*(_Blank().vformat(texts.get(part, ""), (), values) for part in ("what", "why", "do")))
