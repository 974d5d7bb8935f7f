"""Whom a name means while an expression is compiled: a local variable, an entry of the filtered item, or a variable of the scope."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.feel.types import ANY, ContextType, FeelType, ListType


@dataclass(slots=True)
class Local:
    """A name introduced in the text, held in the generated variable *variable*."""

    variable: str
    type: FeelType = ANY


@dataclass(slots=True)
class Frame:
    """One level of names. A frame with *item* is a filter: its item's entries are names too."""

    names: dict[str, Local] = field(default_factory=dict)
    item: Local | None = None

    def may_have(self, name: str) -> bool | None:
        """Whether the filtered item has an entry *name*; None when only the value can tell."""
        if self.item is None:
            return False
        kind = self.item.type
        if isinstance(kind, ContextType) and not kind.open:
            return name in kind.entries
        return None if kind.name in ("Any", "context") else False


def item_type(kind: FeelType) -> FeelType:
    """The type of the items a filter or loop sees in a value of *kind*."""
    if isinstance(kind, ListType):
        return kind.item
    return ANY if kind.name in ("list", "range") else kind
