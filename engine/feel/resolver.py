"""Decides whom each name of an expression means, and keeps what its generated code will need."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping
from typing import Any

from engine.feel import guards, python, tree
from engine.feel.errors import FeelError, place
from engine.feel.library import LIBRARY
from engine.feel.readers import projected
from engine.feel.scopes import Frame, Local
from engine.feel.types import ContextType, FeelType
from engine.feel.values import Function


class Resolver:
    """What compiling one tree needs to know. *names* are the declared variables (None: anything may be there),
    *functions* those registered from outside."""

    def __init__(
        self,
        text: str,
        names: Mapping[str, FeelType] | None,
        functions: Mapping[str, Function],
        lenient: bool,
        implicit: Mapping[str, FeelType],
        trusted: bool = False,
    ) -> None:
        self.text = text
        self.names = names
        self.functions = functions
        self.lenient = lenient
        self.trusted = trusted
        self.guards = guards.LENIENT if lenient else guards.STRICT
        self.globals: dict[str, Any] = {"__builtins__": {}, "_text": text}
        self.frames: list[Frame] = [Frame({name: Local("i" + str(n), kind) for n, (name, kind) in enumerate(implicit.items())})]
        self.implicit = tuple(local.variable for local in self.frames[0].names.values())
        self.count = 0
        self.level = 0
        self.metered = False
        self.used: set[str] = set()

    # -- pieces ----------------------------------------------------------------------------------------------------------------------

    def call(self, guard: str, at: int, *arguments: ast.expr) -> ast.expr:
        """A call of *guard*."""
        if guard not in self.globals:
            self.globals[guard] = self.guards[guard]
        return python.call(guard, at, *arguments)

    def constant(self, value: Any, at: int) -> ast.expr:
        """A constant: plain ones in the code, all others under a generated name."""
        if value is None or isinstance(value, str | bool):
            return python.plain(value, at)
        return python.name(self.hold(value), at)

    def hold(self, value: Any) -> str:
        """A global name for *value*."""
        name = f"k{len(self.globals)}"
        self.globals[name] = value
        return name

    def fresh(self) -> str:
        """A new generated variable."""
        self.count += 1
        return f"v{self.count}"

    def meter(self, at: int) -> ast.expr:
        """The meter; an expression that never asks for it runs without one."""
        self.metered = True
        return python.name("m", at)

    def shown(self, names: tuple[str, ...] | None, at: int) -> ast.expr:
        """The names of named arguments, or None."""
        return python.plain(None, at) if names is None else python.pack([python.plain(name, at) for name in names], at)

    def fail(self, code: str, at: int, **facts: Any) -> FeelError:
        """An error placed at offset *at*."""
        return FeelError(code, *place(self.text, at), **facts)

    # -- names --------------------------------------------------------------------------------------------------------------

    def entries(self, value: ast.expr, names: tuple[str, ...], at: int) -> ast.expr:
        """``value.a.b``."""
        for name in names:
            value = self.call("_entry", at, value, self.constant(name, at))
        return value

    def resolved(self, node: tree.Name, names: tuple[str, ...], frame: int | None = None, optional: bool = False) -> ast.expr:
        """The name with the entries behind it, looked up from the innermost frame outwards."""
        first, at = names[0], node.at
        level = len(self.frames) - 1 if frame is None else frame
        while level >= 0:
            known = self.frames[level]
            local = known.names.get(first)
            if local is not None:
                return self.entries(python.name(local.variable, at), names[1:], at)
            if known.item is not None:
                item_itself = first == "item"
                has = known.may_have(first)
                if has is not False:
                    item = python.name(known.item.variable, at)
                    found = self.entries(item, names, at)
                    if has:
                        return found
                    otherwise = self.entries(item, names[1:], at) if item_itself else self.outside_filter(node, names, level - 1)
                    return python.choice(self.call("_has", at, item, self.constant(first, at)), found, otherwise, at)
                if item_itself:
                    return self.entries(python.name(known.item.variable, at), names[1:], at)
            level -= 1
        return self.from_scope(names, at, optional)

    def outside_filter(self, node: tree.Name, names: tuple[str, ...], frame: int) -> ast.expr:
        """What a name means when the filtered item has no such entry; null when nothing else is called so."""
        return self.resolved(node, names, frame, True) if self.can_resolve(names[0], frame) else self.constant(None, node.at)

    def can_resolve(self, name: str, frame: int) -> bool:
        """Whether *name* means anything outside the filter at hand: if not, it can only be an entry of the item."""
        return (
            self.names is None
            or name in self.names
            or any(name in known.names or known.may_have(name) is not False for known in self.frames[: frame + 1])
        )

    def from_scope(self, names: tuple[str, ...], at: int, optional: bool = False) -> ast.expr:
        """A variable of the scope with the entries behind it; null instead of an error when *optional* and absent."""
        first = names[0]
        if self.names is None:
            if first in LIBRARY or first in self.functions:
                return self.entries(python.name(self.hold(self.functions.get(first) or LIBRARY[first]), at), names[1:], at)
            self.used.add(".".join(names))
            scope = python.name("s", at)
            guard = "_optional" if optional else "_variable" if len(names) == 1 else "_path" if len(names) == 2 else "_long"
            return self.call(guard, at, scope, *(self.constant(name, at) for name in names))
        kind = self.names.get(first)
        if kind is None:
            if first in self.functions or first in LIBRARY:
                return self.entries(python.name(self.hold(self.functions.get(first) or LIBRARY[first]), at), names[1:], at)
            raise self.fail("feel.unknown_name", at, name=first, known=similar(first, self.names))
        if self.trusted:
            self.closed_entries(names, kind, at)
            self.used.add(".".join(names))
            return self.entries(python.item(python.name("s", at), first, at), names[1:], at)
        self.closed_entries(names, kind, at)
        self.used.add(".".join(names))
        taken = 1
        while taken < len(names) and isinstance(kind, ContextType) and names[taken] in kind.entries:
            kind = kind.entries[names[taken]]
            taken += 1
        read, rest = projected(kind, names[taken:])
        guard = {1: "_declared_1", 2: "_declared_2"}.get(taken, "_declared")
        keys = [self.constant(name, at) for name in names[:taken]]
        value = self.call(guard, at, python.name("s", at), python.name(self.hold(read), at), *keys)
        return self.entries(value, rest, at)

    def closed_entries(self, names: tuple[str, ...], kind: FeelType, at: int) -> None:
        """Refuse a path into a context whose entries are all known and do not include it."""
        for taken, name in enumerate(names[1:], 1):
            if not isinstance(kind, ContextType):
                return
            if name not in kind.entries:
                if not kind.open and not self.lenient:
                    path = ".".join(names[: taken + 1])
                    raise self.fail("feel.unknown_name", at, name=path, known=similar(name, kind.entries))
                return
            kind = kind.entries[name]


def similar(name: str, known: Mapping[str, Any]) -> str:
    """Known names that the author may have meant."""
    return ", ".join(difflib.get_close_matches(name, list(known), 3, 0.6))
