"""Who writes which variable: parallel steps never the same one, and none the names expressions use for something else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from engine.procedure.diagram import Node
from engine.procedure.report import Finding
from engine.procedure.rules.examined import Examined
from engine.procedure.scope import RESERVED, variable_of

NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


def written(node: Node) -> set[str]:
    """Return the variables a node writes."""
    names = {event.variable for event in node.events if event.variable}
    if node.manual and (variable := variable_of(node)):
        names.add(variable)
    if node.operator is not None and node.operator.result:
        names.add(node.operator.result)
    if node.loop is not None and node.loop.output:
        names.add(node.loop.output)
    return names


def shared_variable(examined: Examined) -> Iterator[Finding]:
    """Two steps that run side by side write different variables (defects 16, 44: one answer would be lost)."""
    writers: dict[str, list[Node]] = {}
    for node in examined.diagram.nodes.values():
        for name in written(node):
            writers.setdefault(name, []).append(node)
    for name, nodes in sorted(writers.items()):
        for one, other in combinations(sorted(nodes, key=lambda node: node.id), 2):
            if frozenset((one.id, other.id)) in examined.parallel:
                yield examined.find("shared-variable", one, variable=name, other=other.name or other.id)


def reserved_name(examined: Examined) -> Iterator[Finding]:
    """A variable has a plain name that means nothing else (defect 11)."""
    for node in examined.diagram.nodes.values():
        for name in sorted(written(node)):
            if name in RESERVED or not NAME.fullmatch(name):
                yield examined.find("reserved-name", node, variable=name)


def two_forms_one_variable(examined: Examined) -> Iterator[Finding]:
    """Steps that store under one name ask for the same fields: of two forms one contains the other."""
    first: dict[str, str] = {examined.package.start_form: examined.package.start_form} if examined.package.start_form else {}
    for node in examined.steps:
        name, form = variable_of(node), node.properties.get("form")
        if not name or not form:
            continue
        other = first.setdefault(name, form)
        if other == form or form not in examined.forms or other not in examined.forms:
            continue
        mine, theirs = ({field.key for field in examined.forms[key].fields} for key in (form, other))
        if not (mine <= theirs or theirs <= mine):
            yield examined.find("two-forms", node, "warning", variable=name, form=form, other=other)
