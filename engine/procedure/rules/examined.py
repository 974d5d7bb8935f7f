"""The package under examination, with what several rules ask for, worked out once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from lxml import etree

from engine.errors import EngineError
from engine.feel.types import FeelType
from engine.procedure.diagram import BPMN, Diagram, Flow, Node
from engine.procedure.forms import Form
from engine.procedure.normaliser import Normalised, normalise
from engine.procedure.operators import DRAFT, EXTEND, OPERATORS, RESUME, SUPPLEMENT, SUPPLEMENT_ANSWERED, SUSPEND
from engine.procedure.package import Package
from engine.procedure.paths import before_each, side_by_side
from engine.procedure.report import Finding, Severity, at
from engine.procedure.scope import base_types, variable_of, variable_types

EXTENDED = "@extended"
"""Mark: on every path to here the law's longer term has been granted."""


class Examined:
    """A package with its normalised diagram; rules read it and yield findings."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.original: Diagram = package.diagram
        self.normalised: Normalised = normalise(package.whole)
        self.diagram: Diagram = self.normalised.diagram

    @cached_property
    def elements(self) -> Mapping[str, etree._Element]:
        """Every element of the model, as it was drawn, by its identifier."""
        return {identifier: element for element in self.original.root.iter(f"{{{BPMN}}}*") if (identifier := element.get("id"))}

    @cached_property
    def keyed(self) -> frozenset[str | None]:
        """The messages with a business key (correlation property): they can travel between dossiers of different procedures."""
        found = self.original.root.iter(f"{{{BPMN}}}correlationPropertyRetrievalExpression")
        return frozenset(one.get("messageRef", "").rpartition(":")[2] for one in found)

    def find(self, rule: str, element: Node | Flow | str, severity: Severity = "refused", **facts: Any) -> Finding:
        """Return a finding about an element of the diagram as it was drawn."""
        return at(self.original, rule, element, severity, **facts)

    @property
    def main(self) -> str:
        """The process that runs."""
        main = self.diagram.main
        return main.id if main is not None else ""

    @cached_property
    def steps(self) -> tuple[Node, ...]:
        """The steps people do, of the processes that can run."""
        return tuple(node for node in self.diagram.nodes.values() if node.manual)

    @cached_property
    def forms(self) -> Mapping[str, Form]:
        """The forms that can be read."""
        found: dict[str, Form] = {}
        for key in self.package.form_keys:
            try:
                found[key] = self.package.form(key)
            except EngineError:
                continue
        return found

    @cached_property
    def types(self) -> Mapping[str, FeelType]:
        """Every variable with its type."""
        return variable_types(self._readable, self.diagram)

    @cached_property
    def _readable(self) -> Package:
        """The package without forms that cannot be read, so that one broken form does not hide the faults of the rest."""
        broken = {f"forms/{key}.json" for key in self.package.form_keys if key not in self.forms}
        return dataclasses.replace(
            self.package, files={name: content for name, content in self.package.files.items() if name not in broken}
        )

    @cached_property
    def base_types(self) -> Mapping[str, FeelType]:
        """What is known before the first step."""
        return base_types(self._readable)

    @cached_property
    def certain(self) -> Mapping[str, frozenset[str]]:
        """For each node: the variables every path to it has set, with marks ``@draft:…``, ``@signed:…``, ``@issued:…``,
        ``@suspended:…``, ``@outcome``."""
        found: dict[str, frozenset[str]] = {}
        called = {node.attributes.get("calledElement", "") for node in self.diagram.nodes.values() if node.kind == "callActivity"}
        for process in self.diagram.processes:
            # A called process is judged as if nothing were known: it may be called from anywhere.
            entry = self._entry if process.id not in called else frozenset(("dossier",))
            found.update(before_each(self.diagram, process.id, entry, self.gained, self._overwrites))
        return found

    @property
    def _entry(self) -> frozenset[str]:
        start = self.package.start_form
        fields = self._fields(start, start) if start else ()
        return frozenset((*self.base_types, *fields))

    def _fields(self, variable: str, form: str | None) -> Iterator[str]:
        """Yield ``variable.field`` for the fields of a form."""
        if form is not None and form in self.forms:
            yield from (f"{variable}.{field.key}" for field in self.forms[form].fields)

    def gained(self, node: Node) -> Iterator[str]:
        """Yield what is certain once *node* is done."""
        variable = variable_of(node) if node.manual else None
        if variable:
            yield variable
            yield from self._fields(variable, node.properties.get("form"))
        for event in node.events:
            if event.variable:
                yield event.variable
        document = node.properties.get("document", "")
        if node.operator is not None:
            if node.operator.result:
                yield node.operator.result
            if node.operator.id == DRAFT:
                yield f"@draft:{literal(node.operator.parameters.get('document', ''))}"
            if any(extended_days(node)):
                yield EXTENDED
            if node.operator.id in (SUSPEND, SUPPLEMENT):
                yield f"@suspended:{ground_of(node)}"
            yield from _outcome(node)
        match node.properties.get("action"):
            case "sign":
                yield f"@signed:{document}"
            case "issue":
                yield f"@issued:{document}"
            case "return_result":
                yield "@outcome"

    def _overwrites(self, node: Node, fact: str) -> bool:
        """A step's answers replace the whole variable, so fields of an earlier form are not certain; a clock that runs stands no more."""
        if fact.startswith("@suspended:"):
            return self.ends_suspension(node, fact.removeprefix("@suspended:"))
        variable = variable_of(node) if node.manual else None
        return variable is not None and fact.startswith(f"{variable}.")

    def ends_suspension(self, node: Node, ground: str) -> bool:
        """Say whether the clock that stands still for *ground* runs on after *node*."""
        if node.operator is not None and node.operator.id == RESUME:
            return ground_of(node) == ground
        return ground == "supplement" and any(
            event.kind == "message" and self.diagram.name_of(event.reference) == SUPPLEMENT_ANSWERED for event in node.events
        )

    @cached_property
    def fields(self) -> frozenset[str]:
        """Every ``variable.field`` that some form writes."""
        found = set(self._entry)
        for node in self.steps:
            found.update(self.gained(node))
        return frozenset(name for name in found if "." in name)

    def known_at(self, node: str) -> dict[str, FeelType]:
        """Return the variables an expression at *node* may count on."""
        certain = self.certain.get(node, frozenset())
        return {name: kind for name, kind in self.types.items() if name in certain}

    @cached_property
    def parallel(self) -> frozenset[frozenset[str]]:
        """Pairs of nodes that may be at work at the same time."""
        pairs: set[frozenset[str]] = set()
        for container in self.diagram.containers:
            pairs |= side_by_side(self.diagram, container)
        return frozenset(pairs)


def extended_days(node: Node) -> Iterator[int]:
    """Yield the working days an extension grants, where the diagram names them."""
    if node.operator is not None and node.operator.id == EXTEND:
        days = node.operator.parameters.get("working_days", "").strip()
        if days.isdecimal():
            yield int(days)


def ground_of(node: Node) -> str:
    """Return the ground a service task stops the clock for, or lets it run on from."""
    if node.operator is None or node.operator.id == SUPPLEMENT:
        return "supplement"
    return literal(node.operator.parameters.get("ground", ""))


def literal(text: str) -> str:
    """Return the text a FEEL string literal stands for, or the text itself."""
    bare = text.strip()
    return bare[1:-1] if len(bare) >= 2 and bare[0] == bare[-1] == '"' and '"' not in bare[1:-1] else bare


def _outcome(node: Node) -> Iterator[str]:
    kind = OPERATORS.get(node.operator.id) if node.operator is not None else None
    if kind is not None and kind.outcome:
        yield "@outcome"
