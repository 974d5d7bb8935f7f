"""Splits the author's text into words, numbers, strings and signs, each with its offset."""

from __future__ import annotations

import re
from typing import NamedTuple

from engine.feel import limits
from engine.feel.errors import FeelError, place

# Clause 10.3.1.2, rules 27 to 30: what a name may start with and consist of. Only these characters make words; the rest are signs.
NAME_START = (
    "?A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff"
    "\uf900-\ufdcf\ufdf0-\ufefe\uff00-\ufffd\U00010000-\U000effff"
)
NAME_PART = NAME_START + "0-9\u00b7\u0300-\u036f\u203f-\u2040"
SPACE = "\\s\u0085\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"

_TOKEN = re.compile(
    rf"(?P<space>[{SPACE}]+|//[^\n]*|/\*.*?\*/)"
    rf"|(?P<word>[{NAME_START}][{NAME_PART}]*)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)"
    r'|(?P<string>"(?:[^"\\\n\r]|\\[^\n\r])*")'
    r"|(?P<sign>\.\.|\*\*|<=|>=|!=|->|[-+*/=<>()\[\]{},:.@'])",
    re.DOTALL,
)

KEYWORDS = frozenset(
    "and between else every false for function if in instance not null or return satisfies some then true".split()  # noqa: SIM905 - a table
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|(['\"\\nrt]))")
_SURROGATES = re.compile(r"[\ud800-\udbff][\udc00-\udfff]")
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "'": "'", '"': '"', "\\": "\\"}


class Token(NamedTuple):
    """One token: its kind (``word``, ``number``, ``string``, ``sign`` or ``end``), its text and where it starts."""

    kind: str
    text: str
    at: int


def tokenise(text: str) -> list[Token]:
    """All tokens of *text*, closed by one of kind ``end``.

    Raises:
        FeelError: ``feel.too_long``, ``feel.unclosed_text``, ``feel.unclosed_comment`` or ``feel.character``.
    """
    if len(text) > limits.TEXT_LENGTH:
        raise FeelError("feel.too_long", *place(text, limits.TEXT_LENGTH), limit=limits.TEXT_LENGTH)
    tokens: list[Token] = []
    position, end, match = 0, len(text), _TOKEN.match
    while position < end:
        found = match(text, position)
        if found is None:
            raise _unreadable(text, position)
        kind = found.lastgroup
        if kind != "space":
            tokens.append(Token(str(kind), found.group(), position))
        position = found.end()
    if len(tokens) > limits.TOKENS:
        raise FeelError("feel.too_long", *place(text, tokens[limits.TOKENS].at), limit=limits.TOKENS)
    tokens.append(Token("end", "", end))
    return tokens


def _unreadable(text: str, position: int) -> FeelError:
    if text[position] == '"':
        return FeelError("feel.unclosed_text", *place(text, position))
    if text.startswith("/*", position):
        return FeelError("feel.unclosed_comment", *place(text, position))
    return FeelError("feel.character", *place(text, position), character=f"U+{ord(text[position]):04X}")


def unescape(literal: str) -> str:
    """The text a string literal (with its quotes) stands for; a backslash before any other character stands for itself."""
    body = literal[1:-1]
    if "\\" not in body:
        return body
    body = _ESCAPE.sub(_unescaped, body)
    return _SURROGATES.sub(lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"), body)


def _unescaped(found: re.Match[str]) -> str:
    if found[3]:
        return _PLAIN[found[3]]
    code = int(found[1] or found[2], 16)
    return chr(code) if code <= 0x10FFFF else found[0]


def words_of(name: str) -> tuple[str, ...]:
    """The tokens a name consists of: ``"phí - lệ phí"`` gives three; raises nothing, an impossible name gives an empty tuple."""
    parts = []
    position = 0
    while position < len(name):
        found = _TOKEN.match(name, position)
        if found is None:
            return ()
        if found.lastgroup != "space" or found.group()[0] == "/":
            parts.append(found.group())
        position = found.end()
    return tuple(parts)
