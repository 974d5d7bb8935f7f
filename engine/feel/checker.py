"""Infers the type of an expression and finds, before anything runs, what can only go wrong: types that do not fit, values never taken.

Where a type cannot be known the check is silent; what it reports is always an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from engine.feel import tree
from engine.feel.errors import FeelError, place
from engine.feel.library import LIBRARY, Overload
from engine.feel.properties import PROPERTY_TYPES
from engine.feel.resolver import similar
from engine.feel.signs import result_of
from engine.feel.types import (
    ANY,
    BOOLEAN,
    FUNCTION,
    LIST,
    NULL,
    ContextType,
    FeelType,
    FunctionType,
    ListType,
    context_of,
    list_of,
    range_of,
)
from engine.feel.values import Function, Range, kind_of

_UNKNOWN = ("Any", "Null")
_ORDERED = ("number", "string", "date", "time", "date and time", "days and time duration", "years and months duration")
Names = dict[str, FeelType]


class Checker:
    """Infers types in one text. *names* are the declared variables, or None when anything may be there."""

    def __init__(
        self, text: str, names: Mapping[str, FeelType] | None, functions: Mapping[str, Function], implicit: Mapping[str, FeelType]
    ) -> None:
        self.text = text
        self.names = names
        self.functions = functions
        self.frames: list[tuple[Names, FeelType | None]] = [(dict(implicit), None)]

    def fail(self, code: str, at: int, **facts: Any) -> FeelError:
        """An error placed at offset *at*."""
        return FeelError(code, *place(self.text, at), **facts)

    @contextmanager
    def frame(self, names: Names, item: FeelType | None = None) -> Iterator[Names]:
        """A level of names; with *item* those of a filtered item."""
        self.frames.append((names, item))
        yield names
        self.frames.pop()

    def type_of(self, node: tree.Node) -> FeelType:
        """The type of *node*.

        Raises:
            FeelError: ``feel.operands``, ``feel.not_boolean``, ``feel.argument``, ``feel.never_equal`` or ``feel.unknown_entry``.
        """
        return _TYPES[type(node)](self, node)

    def _name(self, node: tree.Name) -> FeelType:
        for names, item in reversed(self.frames):
            if isinstance(item, ContextType) and node.name in item.entries:
                return item.entries[node.name]
            if node.name in names:
                return names[node.name]
            if item is not None and (item.name == "Any" or (isinstance(item, ContextType) and (item.open or self.names is None))):
                return ANY
        if self.names is not None and node.name in self.names:
            return self.names[node.name]
        if self.names is None:
            return ANY
        if node.name in LIBRARY or node.name in self.functions:
            return FUNCTION
        raise self.fail("feel.unknown_name", node.at, name=node.name, known=similar(node.name, self.names))

    def _path(self, node: tree.Path) -> FeelType:
        return self._entry(self.type_of(node.base), node)

    def _entry(self, base: FeelType, node: tree.Path) -> FeelType:
        if isinstance(base, ListType):
            return list_of(self._entry(base.item, node))
        if isinstance(base, ContextType):
            known = base.entries.get(node.name)
            if known is None and not base.open:
                raise self.fail("feel.unknown_entry", node.at, name=node.name, known=similar(node.name, base.entries))
            return known or ANY
        properties = PROPERTY_TYPES.get(base.name)
        if properties is not None:
            if node.name not in properties:
                raise self.fail("feel.no_property", node.at, name=node.name, found=str(base))
            return properties[node.name]
        if base.name in _UNKNOWN:
            return ANY
        raise self.fail("feel.no_property", node.at, name=node.name, found=str(base))

    def _filter(self, node: tree.Filter) -> FeelType:
        base = self.type_of(node.base)
        item = base.item if isinstance(base, ListType) else base
        with self.frame({"item": item}, item):
            condition = self.type_of(node.condition)
        if condition.name == "number":
            return item
        if condition.name not in ("boolean", *_UNKNOWN):
            raise self.fail("feel.not_boolean", node.condition.at, found=str(condition))
        return list_of(item) if condition.name == "boolean" else ANY

    def _call(self, node: tree.Call) -> FeelType:
        given = [self.type_of(argument) for argument in node.arguments]
        callee = node.callee
        if isinstance(callee, tree.Name) and not any(callee.name in names for names, _ in self.frames):
            outside = self.functions.get(callee.name)
            if outside is not None:
                return outside.result
            declared = (self.names or {}).get(callee.name)
            known = LIBRARY.get(callee.name)
            if known is not None and (declared is None or declared.name != "function"):
                names = tuple(node.names) if node.names is not None else None
                overload = known.choose(len(given), names)
                return ANY if overload is None else self._builtin(node, overload, given)
        kind = self.type_of(callee)
        return kind.result if isinstance(kind, FunctionType) else ANY

    def _builtin(self, node: tree.Call, overload: Overload, given: list[FeelType]) -> FeelType:
        by_name = {parameter.name: parameter for parameter in overload.parameters}
        for position, (kind, argument) in enumerate(zip(given, node.arguments, strict=True)):
            last = len(overload.parameters) - 1
            parameter = by_name[node.names[position]] if node.names else overload.parameters[min(position, last)]
            fits = not parameter.kinds or kind.name in parameter.kinds or kind.name in (*_UNKNOWN, "list") or "list" in parameter.kinds
            if not fits and not (kind.name == "date" and "date and time" in parameter.kinds):
                expected = ", ".join(sorted(parameter.kinds))
                raise self.fail(
                    "feel.argument", argument.at, function=overload.function, parameter=parameter.name, expected=expected, found=str(kind)
                )
        return overload.result

    def _negate(self, node: tree.Negate) -> FeelType:
        kind = self.type_of(node.operand)
        if kind.name not in ("number", "days and time duration", "years and months duration", *_UNKNOWN):
            raise self.fail("feel.operand", node.at, operator="-", found=str(kind))
        return kind

    def _arithmetic(self, node: tree.Arithmetic) -> FeelType:
        left, right = self.type_of(node.left), self.type_of(node.right)
        if left.name in _UNKNOWN or right.name in _UNKNOWN:
            return ANY
        result = result_of(node.operator, left.name, right.name)
        if result is None:
            raise self._operands(node.at, node.operator, left, right)
        return result

    def _operands(self, at: int, operator: str, left: FeelType, right: FeelType) -> FeelError:
        return self.fail("feel.operands", at, operator=operator, left=str(left), right=str(right))

    def _comparable(self, at: int, operator: str, left: FeelType, right: FeelType) -> None:
        """Refuse a comparison whose answer could only be null."""
        if left.name in _UNKNOWN or right.name in _UNKNOWN:
            return
        if left.name != right.name or (operator not in ("=", "!=") and left.name not in _ORDERED):
            raise self._operands(at, operator, left, right)

    def _compare(self, node: tree.Compare) -> FeelType:
        left, right = self.type_of(node.left), self.type_of(node.right)
        self._comparable(node.at, node.operator, left, right)
        if node.operator in ("=", "!="):
            self._taken(left, node.right)
            self._taken(right, node.left)
        return BOOLEAN

    def _taken(self, kind: FeelType, node: tree.Node) -> None:
        """Refuse comparing with a constant that a closed type never takes: nearly always a slip of the pen."""
        if kind.allowed and isinstance(node, tree.Literal) and node.value is not None and node.value not in kind.allowed:
            known = ", ".join(map(str, kind.allowed))
            raise self.fail("feel.never_equal", node.at, value=str(node.value), known=known)

    def _between(self, node: tree.Between) -> FeelType:
        value = self.type_of(node.value)
        for end in (node.low, node.high):
            self._comparable(end.at, "between", value, self.type_of(end))
        return BOOLEAN

    def _in_node(self, node: tree.In) -> FeelType:
        with self.frame({"?": self.type_of(node.value)}):
            return self._tests(node.tests)

    def _tests(self, node: tree.Tests) -> FeelType:
        for test in node.tests:
            self._test(test)
        return BOOLEAN

    def _test(self, node: tree.Test) -> FeelType:
        value = self._name(tree.Name(node.at, "?"))
        operand = self.type_of(node.operand)
        if node.operator:
            self._comparable(node.at, node.operator, value, operand)
            return BOOLEAN
        if node.asks:
            self._condition(operand, node.at)
        elif operand.name == "range":
            item = getattr(operand, "item", ANY)
            if value.name != "range":
                self._comparable(node.at, "in", value, item)
        elif operand.name not in ("list", "boolean"):
            self._comparable(node.at, "=", value, operand)
            self._taken(value, node.operand)
        if isinstance(node.operand, tree.ListOf):
            for item_node in node.operand.items:
                self._taken(value, item_node)
        return BOOLEAN

    def _condition(self, kind: FeelType, at: int) -> None:
        """Refuse anything that can be no condition."""
        if kind.name not in ("boolean", *_UNKNOWN):
            raise self.fail("feel.not_boolean", at, found=str(kind))

    def _logic(self, node: tree.Logic) -> FeelType:
        for term in node.terms:
            self._condition(self.type_of(term), term.at)
        return BOOLEAN

    def _if_node(self, node: tree.If) -> FeelType:
        self._condition(self.type_of(node.condition), node.condition.at)
        return joined(self.type_of(node.positive), self.type_of(node.negative))

    def _iterations(self, node: tree.For | tree.Quantified, names: Names) -> None:
        for iteration in node.iterations:
            source = self.type_of(iteration.source)
            if iteration.upto is not None:
                upto = self.type_of(iteration.upto)
                self._comparable(iteration.at, "..", source, upto)
                if source.name not in ("number", "date", *_UNKNOWN):
                    raise self._operands(iteration.at, "..", source, upto)
                names[iteration.name] = source
            else:
                names[iteration.name] = getattr(source, "item", ANY) if source.name in ("list", "range") else source

    def _for_node(self, node: tree.For) -> FeelType:
        with self.frame({}) as names:
            self._iterations(node, names)
            names.setdefault("partial", LIST)
            return list_of(self.type_of(node.body))

    def _quantified(self, node: tree.Quantified) -> FeelType:
        with self.frame({}) as names:
            self._iterations(node, names)
            self._condition(self.type_of(node.body), node.body.at)
        return BOOLEAN

    def _instance_of(self, node: tree.InstanceOf) -> FeelType:
        self.type_of(node.value)
        return BOOLEAN

    def _list_node(self, node: tree.ListOf) -> FeelType:
        kinds = [self.type_of(item) for item in node.items]
        if not kinds:
            return LIST
        item = kinds[0]
        for kind in kinds[1:]:
            item = joined(item, kind)
        return list_of(item)

    def _context_node(self, node: tree.ContextOf) -> FeelType:
        with self.frame({}) as names:
            for key, entry in node.entries:
                names[key] = self.type_of(entry)
            return context_of(names)

    def _range_node(self, node: tree.RangeOf) -> FeelType:
        ends = [self.type_of(end) for end in (node.low, node.high) if end is not None]
        if len(ends) > 1:
            self._comparable(node.at, "..", ends[0], ends[1])
        for end in ends:
            if end.name not in (*_ORDERED, *_UNKNOWN):
                raise self._operands(node.at, "..", end, end)
        return range_of(ends[0])

    def _function_node(self, node: tree.FunctionOf) -> FeelType:
        with self.frame(dict(node.parameters)):
            return FunctionType("function", parameters=tuple(kind for _, kind in node.parameters), result=self.type_of(node.body))

    def _literal(self, node: tree.Literal) -> FeelType:
        return type_of_value(node.value)


def type_of_value(value: Any) -> FeelType:
    """The type of a constant."""
    if isinstance(value, Range):
        return range_of(type_of_value(value.low if value.low is not None else value.high))
    return NULL if value is None else FeelType(kind_of(value))


def may_be(kind: FeelType, wanted: FeelType) -> bool:
    """Whether a value of type *kind* can be one of type *wanted*, conversions of lists of one included."""
    if kind.name in _UNKNOWN or wanted.name == "Any" or kind.name == wanted.name:
        return True
    if isinstance(kind, ListType):
        return may_be(kind.item, wanted)
    return (isinstance(wanted, ListType) and may_be(kind, wanted.item)) or (kind.name == "date" and wanted.name == "date and time")


def joined(one: FeelType, other: FeelType) -> FeelType:
    """The type of a value that is of one of two types."""
    if one.name == "Null":
        return other if other.name == "Null" else ANY if other.name == "Any" else other
    if other.name == "Null" or (one.name == other.name and not isinstance(one, ListType | ContextType | FunctionType)):
        return FeelType(one.name) if one.allowed else one
    if isinstance(one, ListType) and isinstance(other, ListType):
        return list_of(joined(one.item, other.item))
    return one if one == other else ANY


_TYPES: dict[type, Callable[[Checker, Any], FeelType]] = {
    tree.Literal: Checker._literal,
    tree.Name: Checker._name,
    tree.External: Checker._name,
    tree.Path: Checker._path,
    tree.Filter: Checker._filter,
    tree.Call: Checker._call,
    tree.Negate: Checker._negate,
    tree.Arithmetic: Checker._arithmetic,
    tree.Compare: Checker._compare,
    tree.Between: Checker._between,
    tree.Logic: Checker._logic,
    tree.If: Checker._if_node,
    tree.In: Checker._in_node,
    tree.Tests: Checker._tests,
    tree.InstanceOf: Checker._instance_of,
    tree.ListOf: Checker._list_node,
    tree.ContextOf: Checker._context_node,
    tree.RangeOf: Checker._range_node,
    tree.For: Checker._for_node,
    tree.Quantified: Checker._quantified,
    tree.FunctionOf: Checker._function_node,
}
