"""Reads boxed expressions from XML."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import get_args

from engine.feel.dmn import model
from engine.feel.dmn.xml import Element, attribute, child, children, is_feel, kind, refuse, text

_ORIENTATIONS = ("", "Rule-as-Row", "Rule-as-Column", "CrossTable")
"""How a table is drawn; whichever it is, the file lists its rules one by one and means the same (clause 8.2.2)."""

MAX_RULES = 5_000
MAX_COLUMNS = 100


_SCHEMA = "http://www.w3.org/2001/XMLSchema"
"""Files of 1.1 name the simple types of XML Schema where they mean those of FEEL."""


def type_of(part: Element) -> str:
    """The type a box states: ``feel:number`` in 1.1, ``number`` since; ``{namespace}name`` for the type of an imported model."""
    written = attribute(part, "typeRef") or text(part, "typeRef")
    prefix, _, name = written.rpartition(":")
    namespace = str(part.nsmap.get(prefix, "")) if prefix else ""
    if not namespace or is_feel(namespace) or namespace == _SCHEMA or namespace == attribute(part.getroottree().getroot(), "namespace"):
        return name
    return f"{{{namespace}}}{name}"


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
"""A text as FEEL writes it, and nothing else."""


def read_box(part: Element, depth: int = 0, as_kind: str = "") -> model.Boxed:
    """The boxed expression in *part*.

    Raises:
        FeelError: ``decision.unsupported`` with the element that is not known, or what else is wrong in it.
    """
    name = as_kind or kind(part)
    if depth > 30:
        raise refuse("decision.too_large", part, limit=30)
    if name not in _READERS:
        raise refuse("decision.unsupported", part, kind=name)
    return _READERS[name](part, depth)


def inner(part: Element, depth: int, *without: str) -> model.Boxed:
    """The one boxed expression inside *part*."""
    boxes = [box for box in part if kind(box) in _READERS and kind(box) not in without]
    if len(boxes) != 1:
        raise refuse("decision.empty", part)
    return read_box(boxes[0], depth + 1)


def _literal(part: Element, depth: int) -> model.Boxed:
    if child(part, "importedValues") is not None:
        raise refuse("decision.unsupported", part, kind="importedValues")
    return model.LiteralBox(part.sourceline or 1, type_of(part), text(part, "text"))


def _table(part: Element, depth: int) -> model.Boxed:
    policy = attribute(part, "hitPolicy") or "UNIQUE"
    aggregation = attribute(part, "aggregation")
    orientation = attribute(part, "preferredOrientation")
    if orientation not in _ORIENTATIONS:
        raise refuse("decision.unsupported", part, kind=orientation[:60])
    if policy not in get_args(model.HitPolicy) or aggregation not in get_args(model.Aggregation):
        raise refuse("decision.hit_policy", part, policy=f"{policy} {aggregation}".strip()[:60])
    inputs = tuple(_input(column) for column in children(part, "input"))
    outputs = tuple(_output(column) for column in children(part, "output"))
    if not outputs:
        raise refuse("decision.no_output", part)
    if len(outputs) > 1 and (policy == "OUTPUT ORDER" or aggregation):
        # Clause 10.3.2.10: tables with compound outputs support neither aggregation nor output order.
        raise refuse("decision.compound", part, policy=policy)
    if aggregation and policy != "COLLECT":
        raise refuse("decision.hit_policy", part, policy=f"{policy} {aggregation}")
    names = [column.name for column in outputs]
    if len(outputs) > 1 and (len(set(names)) < len(names) or not all(names)):
        raise refuse("decision.output_names", part)
    rules = tuple(_rule(row, len(inputs), len(outputs)) for row in children(part, "rule"))
    if len(rules) > MAX_RULES or len(inputs) + len(outputs) > MAX_COLUMNS:
        raise refuse("decision.too_large", part, limit=MAX_RULES)
    return model.TableBox(part.sourceline or 1, type_of(part), policy, aggregation, inputs, outputs, rules)  # type: ignore[arg-type]


def _input(column: Element) -> model.Input:
    expression = child(column, "inputExpression")
    if expression is None:
        raise refuse("decision.empty", column)
    written = text(expression, "text")
    return model.Input(attribute(column, "label") or written, written, type_of(expression), text(column, "inputValues", "text"))


def _output(column: Element) -> model.Output:
    default = child(column, "defaultOutputEntry")
    return model.Output(
        attribute(column, "name"),
        type_of(column),
        text(column, "outputValues", "text"),
        text(default, "text") if default is not None else "",
    )


def _rule(row: Element, inputs: int, outputs: int) -> model.Rule:
    tests: list[str] = []
    results: list[str] = []
    for cell in children(row, "inputEntry", "outputEntry"):
        (tests if kind(cell) == "inputEntry" else results).append(text(cell, "text"))
    if len(tests) != inputs or len(results) != outputs:
        raise refuse("decision.cells", row, inputs=inputs, outputs=outputs)
    notes = " · ".join(filter(None, (text(note, "text") for note in children(row, "annotationEntry"))))
    return model.Rule(attribute(row, "id"), tuple(tests), tuple(results), notes or text(row, "description"), row.sourceline or 1)


def _context(part: Element, depth: int) -> model.Boxed:
    entries = []
    for entry in children(part, "contextEntry"):
        variable = child(entry, "variable")
        name = attribute(variable, "name") if variable is not None else ""
        entries.append(model.Entry(name, type_of(variable) if variable is not None else "", inner(entry, depth)))
    names = [entry.name for entry in entries if entry.name]
    if len(set(names)) < len(names) or any(not entry.name for entry in entries[:-1]):
        raise refuse("decision.context_names", part)
    return model.ContextBox(part.sourceline or 1, type_of(part), tuple(entries))


def _list(part: Element, depth: int) -> model.Boxed:
    return model.ListBox(
        part.sourceline or 1, type_of(part), tuple(read_box(item, depth + 1) for item in part if kind(item) not in ("", "description"))
    )


def _relation(part: Element, depth: int) -> model.Boxed:
    columns = tuple(attribute(column, "name") for column in children(part, "column"))
    rows = tuple(tuple(read_box(cell, depth + 1) for cell in row if kind(cell) not in ("", "description")) for row in children(part, "row"))
    if any(len(row) != len(columns) for row in rows):
        raise refuse("decision.cells", part, inputs=len(columns), outputs=0)
    return model.RelationBox(part.sourceline or 1, type_of(part), columns, rows)


def _invocation(part: Element, depth: int) -> model.Boxed:
    arguments = []
    for binding in children(part, "binding"):
        parameter = child(binding, "parameter")
        if parameter is None or not attribute(parameter, "name"):
            raise refuse("decision.nameless", binding)
        arguments.append((attribute(parameter, "name"), inner(binding, depth)))
    return model.InvocationBox(part.sourceline or 1, type_of(part), inner(part, depth), tuple(arguments))


def _function(part: Element, depth: int) -> model.Boxed:
    parameters = tuple((attribute(parameter, "name"), type_of(parameter)) for parameter in children(part, "formalParameter"))
    if len({name for name, _ in parameters}) < len(parameters) or not all(name for name, _ in parameters):
        raise refuse("decision.nameless", part)
    written = attribute(part, "kind").rpartition(":")[2]
    body = inner(part, depth) if written in ("", "FEEL") else _external(part, written, [name for name, _ in parameters], depth)
    return model.FunctionBox(part.sourceline or 1, type_of(part), parameters, body)


_EXTERNAL = {"Java": ("java", "class", "method signature"), "PMML": ("pmml", "document", "model")}


def _external(part: Element, written: str, parameters: list[str], depth: int) -> model.Boxed:
    """A Java or PMML function as the expression that means the same: only registered functions are ever called (10.3.2.13.3)."""
    box = inner(part, depth) if written in _EXTERNAL else None
    entries = {entry.name: entry.value for entry in box.entries} if isinstance(box, model.ContextBox) else {}
    kind_name, *keys = _EXTERNAL.get(written, ("",))
    texts = [value.text.strip() for key in keys if isinstance(value := entries.get(key), model.LiteralBox)]
    if len(texts) != 2 or len(entries) != 2 or not all(_STRING.fullmatch(text) for text in texts):
        raise refuse("decision.external", part, kind=written[:20])
    names = ", ".join(parameters)
    context = ", ".join(f"{key}: {text}" for key, text in zip(keys, texts, strict=True))
    return model.LiteralBox(part.sourceline or 1, "", f"(function({names}) external {{{kind_name}: {{{context}}}}})({names})")


def _under(part: Element, name: str, depth: int) -> model.Boxed:
    holder = child(part, name)
    if holder is None:
        raise refuse("decision.empty", part)
    return inner(holder, depth)


def _conditional(part: Element, depth: int) -> model.Boxed:
    return model.ConditionalBox(part.sourceline or 1, type_of(part), *(_under(part, name, depth) for name in ("if", "then", "else")))


def _filter(part: Element, depth: int) -> model.Boxed:
    return model.FilterBox(part.sourceline or 1, type_of(part), _under(part, "in", depth), _under(part, "match", depth))


def _iterator(part: Element, depth: int) -> model.Boxed:
    body = "return" if kind(part) == "for" else "satisfies"
    variable = attribute(part, "iteratorVariable")
    if not variable:
        raise refuse("decision.nameless", part)
    return model.IteratorBox(
        part.sourceline or 1, type_of(part), kind(part), variable, _under(part, "in", depth), _under(part, body, depth)
    )


_READERS: dict[str, Callable[[Element, int], model.Boxed]] = {
    "literalExpression": _literal,
    "decisionTable": _table,
    "context": _context,
    "list": _list,
    "relation": _relation,
    "invocation": _invocation,
    "functionDefinition": _function,
    "conditional": _conditional,
    "filter": _filter,
    "for": _iterator,
    "some": _iterator,
    "every": _iterator,
}
