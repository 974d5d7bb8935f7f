"""How large a diagram may be: judged first, so that nothing else ever walks one that was made to exhaust us."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from engine.procedure.diagram import Diagram
from engine.procedure.report import Finding, at

MAX_NODES = 300
"""Nodes of one level; the interpreter parses by recursion and slows down beyond (defect 21)."""
MAX_TOTAL = 1_000
MAX_NESTING = 5
"""Levels of groups inside groups; nobody reads more, and each level multiplies the work of every analysis."""


def oversize(diagram: Diagram) -> Iterator[Finding]:
    """Yield what is too large to be examined any further."""
    counts = Counter(node.container for node in diagram.nodes.values())
    for container, count in sorted(counts.items()):
        if count > MAX_NODES:
            yield at(diagram, "too-many-nodes", container, count=count, limit=MAX_NODES)
    if len(diagram.nodes) > MAX_TOTAL or len(diagram.flows) > 3 * MAX_TOTAL:
        yield at(diagram, "too-many-nodes", diagram.processes[0].id, count=len(diagram.nodes), limit=MAX_TOTAL)
    for container in diagram.containers:
        if len(diagram.level(container)) > MAX_NESTING:
            yield at(diagram, "nested-too-deep", container, limit=MAX_NESTING)
            return
