"""One folding of text, on write and on query: search without diacritics that does not depend on the database's locale."""

from __future__ import annotations

import re
import unicodedata

_MARKS, _GAPS = re.compile("[\u0300-\u036f]+"), re.compile("[^0-9a-z]+")


def fold(text: str) -> str:
    """Return *text* in lower case without diacritics and signs: 'Nguyễn Văn ĐẶNG, H29.100-26' → 'nguyen van dang h29 100 26'."""
    decomposed = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return _GAPS.sub(" ", _MARKS.sub("", decomposed)).strip()


def query(text: str, *, typing: bool = False) -> str | None:
    """Return the text as a query of PostgreSQL's full-text search, all words wanted; None when nothing is left to search for.

    With *typing* the last word may be the beginning of one.
    """
    words = fold(text).split()
    if not words:
        return None
    if typing:
        words[-1] += ":*"
    return " & ".join(words)
