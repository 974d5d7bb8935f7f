"""Which names of several words the parser may meet: ``phí thẩm định`` or ``a-b`` are one name only where such a name is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.feel.tokens import KEYWORDS, words_of
from engine.feel.types import ContextType, FeelType, ListType

Words = tuple[str, ...]


class NameTable:
    """Names of more than one token, grouped by their first word, longest first."""

    __slots__ = ("by_first",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.by_first: dict[str, list[tuple[Words, str]]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Make *name* known if it needs knowing: one plain word never does, unless it is a word of the language."""
        if name.isidentifier() and name not in KEYWORDS:
            return
        words = words_of(name)
        if len(words) > 1:
            known = self.by_first.setdefault(words[0], [])
            if (words, name) not in known:
                known.append((words, name))
                known.sort(key=lambda entry: -len(entry[0]))

    def copy(self) -> NameTable:
        """A table that can grow without changing this one."""
        table = NameTable()
        table.by_first = {first: list(known) for first, known in self.by_first.items()}
        return table


def names_within(declared: Mapping[str, FeelType]) -> Iterable[str]:
    """All names of entries anywhere inside the declared types, for use behind a dot and inside filters."""
    for name, kind in declared.items():
        yield name
        while isinstance(kind, ListType):
            kind = kind.item
        if isinstance(kind, ContextType):
            yield from names_within(kind.entries)
