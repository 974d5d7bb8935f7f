"""Moves over the tokens of one text, and matches names of several words against the known ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.feel.errors import FeelError, place
from engine.feel.names import NameTable
from engine.feel.tokens import KEYWORDS, Token, tokenise
from engine.feel.types import FeelType


class Cursor:
    """A place among the tokens of one text. *names* are the names of several words that the text may use."""

    def __init__(self, text: str, names: NameTable, builtins: NameTable, types: Mapping[str, FeelType] | None = None) -> None:
        self.text = text
        self.tokens = tokenise(text)
        self.index = 0
        self.token = self.tokens[0]
        self.scopes = [builtins, names]
        self.types = types or {}
        self.depth = 0
        self.asks = False
        self.tried: dict[int, bool] = {}

    # -- moving -------------------------------------------------------------------------------------------------------------------

    def next(self) -> Token:
        """Take the current token."""
        token = self.token
        self.index += 1
        self.token = self.tokens[self.index]
        return token

    def moved(self, index: int) -> None:
        """Continue at token *index*."""
        self.index = index
        self.token = self.tokens[index]

    def fail(self, code: str, at: int | None = None, **facts: Any) -> FeelError:
        """An error placed at the current token, or at offset *at*."""
        return FeelError(code, *place(self.text, self.token.at if at is None else at), **facts)

    def unexpected(self) -> FeelError:
        """The error for a token that nothing allows here."""
        if self.token.kind == "end":
            return self.fail("feel.unexpected_end")
        return self.fail("feel.unexpected", found=self.token.text[:40])

    def expect(self, text: str) -> Token:
        """Take the token *text* or fail."""
        if self.token.text != text or self.token.kind == "string":
            if self.token.kind == "end":
                raise self.fail("feel.missing_end", expected=text)
            raise self.fail("feel.missing", expected=text, found=self.token.text[:40])
        return self.next()

    def at_sign(self, text: str) -> bool:
        """Whether the current token is this word or sign (and not a string that looks like it)."""
        return self.token.text == text and self.token.kind != "string"

    # -- names --------------------------------------------------------------------------------------------------------------------

    def known_name(self) -> str | None:
        """The longest known name of several tokens that starts here, taken; or None."""
        first = self.token.text
        best: tuple[int, str] | None = None
        for scope in self.scopes:
            for words, name in scope.by_first.get(first, ()):
                size = len(words)
                if best is not None and size <= best[0]:
                    break
                if all(token.text == word for token, word in zip(self.tokens[self.index : self.index + size], words, strict=False)) and (
                    self.index + size < len(self.tokens)
                ):
                    best = size, name
                    break
        if best is None:
            return None
        self.moved(self.index + best[0])
        return best[1]

    def free_name(self) -> str:
        """A name nobody declared: words that follow each other, as long as none is a word of the language."""
        first = self.next()
        if first.text == "?":
            self.asks = True
            return "?"
        if self.token.kind != "word" or self.token.text in KEYWORDS:
            return first.text
        words = [first.text]
        while self.token.kind == "word" and self.token.text not in KEYWORDS:
            words.append(self.next().text)
        return " ".join(words)

    def entry_name(self) -> str:
        """The name behind a dot; its first word may be a word of the language."""
        if self.token.kind != "word":
            raise self.fail("feel.name_expected") if self.token.kind != "end" else self.unexpected()
        return self.known_name() or self.free_name()

    def new_name(self, until: Iterable[str]) -> str:
        """A name being introduced: every token up to one of *until*, joined as the author wrote it."""
        start = self.token
        if start.kind != "word":
            raise self.fail("feel.name_expected") if start.kind != "end" else self.unexpected()
        last = start
        while self.token.text not in until or self.token.kind == "string":
            if self.token.kind not in ("word", "number") and self.token.text not in (".", "/", "-", "'", "+", "*"):
                raise self.unexpected()
            last = self.next()
        return " ".join(self.text[start.at : last.at + len(last.text)].split())

    def introduce(self, names: Iterable[str]) -> None:
        """Open a scope that knows *names*; close with ``self.scopes.pop()``."""
        self.scopes.append(NameTable(names))
