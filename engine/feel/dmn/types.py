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
    allowed: Expression | None = None
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
        if self.allowed is not None and self.allowed.evaluate({}, None, value) is not True:
            raise FeelError("decision.not_allowed", type=self.name, allowed=self.allowed.text[:120])
        return value


ANYTHING = Declared("Any", ANY)


class TypeTable:
    """The types of one model, its own and the imported ones."""

    def __init__(self, definitions: tuple[ItemDefinition, ...], imported: Mapping[str, TypeTable]) -> None:
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
        prefix, _, rest = name.partition(".")
        if prefix in self.imported and rest:
            return self.imported[prefix].named(rest, line, element)
        raise FeelError("decision.unknown_type", line, 1, element=element or name, name=name)

    def _declared(self, definition: ItemDefinition) -> Declared:
        components = {part.name: self._declared(part) for part in definition.components}
        if definition.function is not None:
            parameters = tuple(self.named(name, definition.line).kind for name in definition.function[0])
            result = self.named(definition.function[1], definition.line).kind
            return Declared(definition.name, FunctionType("function", parameters=parameters, result=result))
        if components:
            kind: FeelType = context_of({name: part.kind for name, part in components.items()})
            base = Declared(definition.name, kind, None, None, components)
        else:
            base = self.named(definition.base, definition.line, definition.name)
        if definition.values:
            base = self._constrained(definition, base)
        if definition.collection:
            return Declared(definition.name, list_of(base.kind), None, base)
        return base

    def _constrained(self, definition: ItemDefinition, base: Declared) -> Declared:
        try:
            allowed = compile_text(definition.values, names={}, mode="lenient", tests=True, implicit={"?": base.kind}, trusted=True)
        except FeelError as problem:
            problem.element = problem.element or definition.name
            raise
        values = constants_of(definition.values)
        kind = one_of(*values) if values and base.kind.name == "string" and all(isinstance(value, str) for value in values) else base.kind
        return Declared(definition.name, kind, allowed, base.item, base.components)


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
