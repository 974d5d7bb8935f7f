"""What expressions may name: facts of the dossier, the initiator, and the answers of earlier steps, each with its declared type.

State holds JSON only. The language reads the texts of JSON as the declared type (a number field's ``"12.5"`` as a number, a date field's
``"2026-09-05"`` as a date), so whoever evaluates passes these types as ``names``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.feel import ANY, BOOLEAN, CONTEXT, DATE, NUMBER, STRING, FeelType, context_of, list_of, one_of
from engine.procedure.diagram import Diagram, Node, Operator
from engine.procedure.form_fields import Field
from engine.procedure.forms import Form
from engine.procedure.operators import DECISION
from engine.procedure.package import Package

DOSSIER: Mapping[str, FeelType] = {
    "code": STRING,
    "channel": one_of("in_person", "online", "postal"),
    "status": STRING,
    "pages": NUMBER,
    "delivery": STRING,
    "by_representative": BOOLEAN,
    "subject": STRING,
    "financial_status": one_of("none", "due", "paid"),
    "received_on": DATE,
    "answers": CONTEXT,
}
"""The facts of a dossier that every expression may read."""

INITIATOR: Mapping[str, FeelType] = {"title": STRING}
"""Who started an internal procedure."""


def _known_at_run_time(amount: object) -> object:
    raise NotImplementedError(amount)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {"working hours": _known_at_run_time, "working days": _known_at_run_time}
"""Functions of the working calendar; here only their names and their one parameter, the calendar is known when a dossier runs."""

RESERVED = frozenset(("dossier", "initiator", "typename", "now", "today", "item", "partial", "true", "false", "null"))


def variable_of(node: Node) -> str | None:
    """Return the variable that holds the answers of a step."""
    form = node.properties.get("form")
    return node.properties.get("variable") or (form or None)


def base_types(package: Package) -> dict[str, FeelType]:
    """Return what is known from the start: the dossier, the initiator, the form of the application."""
    start = package.form(package.start_form) if package.start_form and package.start_form in package.form_keys else None
    types: dict[str, FeelType] = {"dossier": context_of({**DOSSIER, **({"answers": form_type(start)} if start is not None else {})})}
    if package.scope == "internal":
        types["initiator"] = context_of(INITIATOR)
    if start is not None and package.start_form:
        types[package.start_form] = form_type(start)
    return types


def variable_types(package: Package, diagram: Diagram) -> dict[str, FeelType]:
    """Return every variable that some step writes, with its type; two forms behind one variable add up their fields."""
    types = base_types(package)
    for node in diagram.nodes.values():
        found: dict[str, FeelType] = {}
        variable = variable_of(node) if node.manual else None
        form = node.properties.get("form")
        if variable and form in package.form_keys:
            found[variable] = form_type(package.form(str(form)))
        if node.operator is not None and node.operator.result:
            found[node.operator.result] = _result_type(package, node.operator)
        for event in node.events:
            if event.variable:
                found[event.variable] = CONTEXT
        for name, kind in found.items():
            types[name] = _merged(types[name], kind) if name in types else kind
    return types


def _result_type(package: Package, operator: Operator) -> FeelType:
    if operator.id != DECISION:
        return CONTEXT
    from engine.procedure.decisions import decision_files

    return decision_files(package).type_of(operator.parameters.get("decision", "").strip().strip('"'))


def _merged(one: FeelType, other: FeelType) -> FeelType:
    if one == other:
        return one
    first, second = getattr(one, "entries", {}), getattr(other, "entries", {})
    entries = {name: first.get(name, second.get(name, ANY)) for name in (*first, *second)}
    entries |= {name: ANY for name in first if name in second and first[name] != second[name]}
    return context_of(entries, open=getattr(one, "open", False) or getattr(other, "open", False))


def form_type(form: Form) -> FeelType:
    """Return the type of a form's answers."""
    return context_of({field.key: field_type(field) for field in form.fields})


def field_type(field: Field) -> FeelType:
    """Return the type FEEL sees of a field; a closed choice knows its values."""
    if field.kind == "number":
        return NUMBER
    if field.kind == "date":
        return DATE
    if field.kind == "checkbox":
        return BOOLEAN
    if field.kind in ("select", "radio"):
        return one_of(*field.values)
    if field.kind == "checklist":
        return list_of(STRING)
    if field.kind == "file" and field.multiple:
        return list_of(STRING)
    return STRING
