"""The statutory clock stands still only for a ground the law knows, on a document, and runs on before the dossier ends."""

from __future__ import annotations

from collections.abc import Iterator

from engine.procedure.diagram import Node
from engine.procedure.operators import GROUNDS, OPERATORS, RESUME, SUPPLEMENT, SUSPEND
from engine.procedure.paths import reachable
from engine.procedure.report import Finding
from engine.procedure.rules.examined import Examined, ground_of, literal


def _calls(examined: Examined, operator: str) -> Iterator[Node]:
    return (node for node in examined.diagram.nodes.values() if node.operator is not None and node.operator.id == operator)


def ground_known(examined: Examined) -> Iterator[Finding]:
    """The clock stops for a ground the law knows; for a supplement it is stopped by the request itself."""
    for operator in (SUSPEND, RESUME):
        known = [ground for ground in GROUNDS if operator == RESUME or ground != "supplement"]
        for node in _calls(examined, operator):
            ground = ground_of(node)
            if ground and ground not in known:  # a missing parameter is told by its own rule
                yield examined.find("suspension-ground", node, ground=ground, known=", ".join(known))


def stands_on_document(examined: Examined) -> Iterator[Finding]:
    """The clock stops on a document: one the office has issued on every path to here, or one of another authority that is named."""
    for node in _calls(examined, SUSPEND):
        assert node.operator is not None
        document = literal(node.operator.parameters.get("document", ""))
        if bool(document) == bool(node.operator.parameters.get("reference", "").strip()):
            yield examined.find("suspension-document", node)
        elif document and f"@issued:{document}" not in examined.certain.get(node.id, frozenset()):
            yield examined.find("suspension-not-issued", node, document=document)


def runs_on(examined: Examined) -> Iterator[Finding]:
    """Whatever stopped the clock lets it run on before the dossier ends, unless it ends by a refusal or a withdrawal."""
    diagram = examined.diagram
    endings = {
        node.id
        for node in diagram.nodes.values()
        if node.operator is not None and node.operator.id in OPERATORS and OPERATORS[node.operator.id].outcome in ("refused", "withdrawn")
    }
    for node in _calls(examined, SUSPEND):
        ground = ground_of(node)
        over = {other.id for other in diagram.nodes.values() if examined.ends_suspension(other, ground)}
        for name in sorted(reachable(diagram, [node.id], without=over | endings)):
            if diagram.nodes[name].kind == "endEvent" and _on_the_way(examined, node.id, name, over | endings):
                yield examined.find("suspension-open", node, ground=ground, end=diagram.nodes[name].name or name)
                break


def _on_the_way(examined: Examined, start: str, end: str, without: set[str]) -> bool:
    """A reminder beside the way ends by itself and ends nothing."""
    aside = {event.id for event in examined.diagram.nodes.values() if event.kind == "boundaryEvent" and not event.interrupting}
    return end in reachable(examined.diagram, [start], without=without | aside)


def was_stopped(examined: Examined) -> Iterator[Finding]:
    """The clock runs on only where every path has stopped it."""
    for node in _calls(examined, RESUME):
        ground = ground_of(node)
        certain = examined.certain.get(node.id)
        if ground in GROUNDS and certain is not None and f"@suspended:{ground}" not in certain and not _cut_short(examined, node, ground):
            yield examined.find("suspension-idle", node, ground=ground)


def _cut_short(examined: Examined, node: Node, ground: str) -> bool:
    """Whether *node* follows at once on events that end the very group in which the clock was stopped: its time is over."""
    diagram = examined.diagram
    before = [diagram.nodes[flow.source] for flow in diagram.entering(node.id) if flow.source in diagram.nodes]
    return bool(before) and all(
        event.kind == "boundaryEvent"
        and event.interrupting
        and any(
            inner.operator is not None and inner.operator.id in (SUSPEND, SUPPLEMENT) and ground_of(inner) == ground
            for inner in diagram.inside(event.attached_to or "")
        )
        for event in before
    )
