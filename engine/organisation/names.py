"""Vietnamese order of names: by letter (a ă â b … d đ e ê …), then by tone; people by their given name, which is written last.

The key is plain ASCII, so any database sorts it right under the collation "C".
"""

from __future__ import annotations

import unicodedata

ALPHABET = tuple("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")
TONES = {"\u0300": "1", "\u0309": "2", "\u0303": "3", "\u0301": "4", "\u0323": "5"}
_LETTER_MARKS = {"\u0306", "\u0302", "\u031b"}
_FIRST_LETTER = ord("A")
_END_OF_LETTERS, _END_OF_WORD = " ", "!"


def text_key(text: str) -> str:
    """Return a key that sorts *text* word by word, each by its letters and then by its tones; case is ignored."""
    return "".join("".join(_letters(word)) + _END_OF_LETTERS + "".join(_tones(word)) + _END_OF_WORD for word in text.casefold().split())


def sort_key(full_name: str) -> str:
    """Return the key of a person's name: given name first, then family name and the names between."""
    words = full_name.split()
    return text_key(" ".join(words[-1:] + words[:-1]))


def _letters(word: str) -> list[str]:
    found = []
    for letter in unicodedata.normalize("NFC", "".join(c for c in unicodedata.normalize("NFD", word) if c not in TONES)):
        if letter in ALPHABET:
            found.append(chr(_FIRST_LETTER + ALPHABET.index(letter)))
        else:  # a foreign letter sorts with its base, a digit as itself, signs are left out
            base = unicodedata.normalize("NFD", letter)[0]
            found.append(chr(_FIRST_LETTER + ALPHABET.index(base)) if base in ALPHABET else base if base in "0123456789" else "")
    return found


def _tones(word: str) -> list[str]:
    """Return one digit a letter: its tone."""
    found: list[str] = []
    for mark in unicodedata.normalize("NFD", word):
        if mark in TONES and found:
            found[-1] = TONES[mark]
        elif mark not in _LETTER_MARKS and not unicodedata.combining(mark):
            found.append("0")
    return found
