"""Decision tables of the package: what the language finds in them, and that every decision a step asks for is there with its inputs."""

from __future__ import annotations

from collections.abc import Iterator

from engine.feel import FeelError, compile_expression
from engine.feel.dmn import Finding as Found
from engine.feel.dmn import analyse
from engine.feel.types import ContextType
from engine.procedure.decisions import decision_files
from engine.procedure.operators import DECISION
from engine.procedure.report import Finding, Place, Severity
from engine.procedure.rules.examined import Examined, literal
from engine.procedure.scope import FUNCTIONS

_WARNINGS = frozenset(("decision.gap", "decision.row_covered", "decision.row_never", "decision.analysis_partial"))


def decision_readable(examined: Examined) -> Iterator[Finding]:
    """Every decision file is read and compiled; rows that overlap where one may match are refused, gaps and idle rows told."""
    known = decision_files(examined.package)
    for broken in known.broken:
        problem = broken.problem
        facts = {**problem.facts, "line": problem.line, "column": problem.column}
        yield Finding(problem.code, "refused", problem.element, "", Place(broken.file, problem.line or None), facts)
    for file, decisions in known.files.items():
        for table in decisions.tables:
            yield from (_told(file, found) for found in analyse(table))


def _told(file: str, found: Found) -> Finding:
    severity: Severity = "warning" if found.code in _WARNINGS else "refused"
    return Finding(found.code, severity, found.element, "", Place(file, found.line or None), dict(found.facts))


def _given(examined: Examined, inputs: str) -> frozenset[str]:
    """The names in the context of inputs that a step passes; an expression that is wrong is told by its own rule."""
    try:
        kind = compile_expression(inputs, names=examined.types, functions=FUNCTIONS).type
    except FeelError:
        return frozenset()
    return frozenset(kind.entries) if isinstance(kind, ContextType) else frozenset()


def decision_known(examined: Examined) -> Iterator[Finding]:
    """A decision a step asks for stands in exactly one file, and every path to the step has set what it reads."""
    known = decision_files(examined.package)
    for node in examined.diagram.nodes.values():
        if node.operator is None or node.operator.id != DECISION:
            continue
        name = literal(node.operator.parameters.get("decision", ""))
        if not name:
            continue  # a missing parameter is told by its own rule
        holders = len(known.holders(name))
        if holders != 1:
            yield examined.find("decision-unknown" if not holders else "decision-twice", node, decision=name)
            continue
        certain = examined.certain.get(node.id, frozenset()) | {"dossier", *_given(examined, node.operator.parameters.get("inputs", ""))}
        missing = [variable for variable in known.inputs_of(name) if variable not in certain]
        if missing and node.id in examined.certain:
            yield examined.find("decision-input", node, decision=name, names=", ".join(missing))
        if not node.operator.result:
            yield examined.find("decision-result", node, decision=name)
