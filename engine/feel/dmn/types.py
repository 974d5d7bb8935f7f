"""Item definitions: names of types, with the values they allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.feel import tree
from engine.feel.conformance import conform
from engine.feel.convert import coerce
from engine.feel.dmn.model import ItemDefinition
from engine.feel.dmn.regions import constant
from engine.feel.errors import FeelError
from engine.feel.expression import Expression, compile_text, parse
from engine.feel.types import ANY, NAMED, FeelType, FunctionType, context_of, list_of, one_of


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared type: its shape, and the tests its values (of a list: its items) must pass."""

    name: str
    kind: FeelType
    allowed: tuple[Expression, ...] = ()
    item: Declared | None = None
    components: Mapping[str, Declared] = field(default_factory=dict)

    def read(self, value: Any) -> Any:
        """A value from outside, of JSON or of the language, as this type declares it.

        Raises:
            FeelError: ``feel.value_type`` or ``decision.not_allowed``.
        """
        return self.check(coerce(value, self.kind))

    def bind(self, value: Any) -> Any:
        """A computed value as this type declares it, with the implicit conversions of clause 10.3.2.9.4.

        Raises:
            FeelError: ``feel.value_type`` or ``decision.not_allowed``.
        """
        return self.check(conform(value, self.kind))

    def check(self, value: Any) -> Any:
        """The value itself, when it and everything in it is allowed; null always is."""
        if value is None:
            return None
        if self.item is not None:
            for item in value:
                self.item.check(item)
        for name, component in self.components.items():
            component.check(value.get(name))
        for tests in self.allowed:
            if tests.evaluate({}, None, value) is not True:
                raise FeelError("decision.not_allowed", type=self.name, allowed=tests.text[:120])
        return value


ANYTHING = Declared("Any", ANY)


class TypeTable:
    """The types of one model, its own and the imported ones, those by namespace with the name of the import."""

    def __init__(self, definitions: tuple[ItemDefinition, ...], imported: Mapping[str, tuple[str, TypeTable]]) -> None:
        self.definitions = {definition.name: definition for definition in definitions}
        self.imported = imported
        self.known: dict[str, Declared] = {}
        self.open: set[str] = set()
        for definition in definitions:
            self.named(definition.name, definition.line)
        self.kinds = {name: declared.kind for name, declared in self.known.items()}

    def named(self, name: str, line: int = 1, element: str = "") -> Declared:
        """The type *name*; no name at all stands for any value.

        Raises:
            FeelError: ``decision.unknown_type``, or ``decision.type_cycle`` for a type that contains itself.
        """
        if not name or name == "Any":
            return ANYTHING
        if name in self.known:
            return self.known[name]
        definition = self.definitions.get(name)
        if definition is not None:
            if name in self.open:
                raise FeelError("decision.type_cycle", line, 1, element=name, name=name)
            self.open.add(name)
            self.known[name] = self._declared(definition)
            self.open.discard(name)
            return self.known[name]
        if name in NAMED:
            return Declared(name, NAMED[name])
        for namespace, (prefix, theirs) in self.imported.items():
            start = f"{prefix}." if prefix else ""
            for written in (start, f"{{{namespace}}}"):
                if name.startswith(written) and theirs.has(name.removeprefix(written)):
                    return theirs.named(name.removeprefix(written), line, element)
        raise FeelError("decision.unknown_type", line, 1, element=element or name, name=name)

    def has(self, name: str) -> bool:
        """Whether this model, or one it imports, defines the type *name*."""
        return name in self.definitions or any(
            name.startswith(f"{prefix}.") and theirs.has(name[len(prefix) + 1 :]) for prefix, theirs in self.imported.values() if prefix
        )

    def _declared(self, definition: ItemDefinition) -> Declared:
        components = {part.name: self._declared(part) for part in definition.components}
        if definition.function is not None:
            parameters = tuple(self.named(name, definition.line).kind for name in definition.function[0])
            result = self.named(definition.function[1], definition.line).kind
            return Declared(definition.name, FunctionType("function", parameters=parameters, result=result))
        if components:
            kind: FeelType = context_of({name: part.kind for name, part in components.items()})
            base = Declared(definition.name, kind, (), None, components)
        else:
            base = self.named(definition.base, definition.line, definition.name)
        base = self._constrained(definition, definition.values, base)
        if definition.collection:
            base = Declared(definition.name, list_of(base.kind), (), base)
        return self._constrained(definition, definition.constraint, base)

    def _constrained(self, definition: ItemDefinition, written: str, base: Declared) -> Declared:
        """The type *base* with the tests *written* on its values, behind those it has already."""
        if not written:
            return base
        try:
            allowed = compile_text(written, names={}, mode="lenient", tests=True, implicit={"?": base.kind}, trusted=True)
        except FeelError as problem:
            problem.element = problem.element or definition.name
            raise
        values = constants_of(written)
        kind = one_of(*values) if values and base.kind.name == "string" and all(isinstance(value, str) for value in values) else base.kind
        return Declared(definition.name, kind, (*base.allowed, allowed), base.item, base.components)


def constants_of(text: str) -> tuple[Any, ...] | None:
    """The values of a list of constants such as ``"a", "b"``, or None when it is anything else."""
    node = parse(text, {}, tests=True)
    assert isinstance(node, tree.Tests)
    values: list[Any] = []
    for test in node.tests:
        value, known = constant(test.operand)
        if not known or test.operator or node.negated:
            return None
        values.extend(value if isinstance(value, list) else [value])
    return tuple(values)
