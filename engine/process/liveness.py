"""Which facts can still make a difference from where a dossier stands: read later on, and not answered anew before.

Two states that agree in these go the same ways from here, however differently they came: the proof run walks on from one of them. The
analysis goes backwards over the diagram in its normal form; whatever it is not sure of counts as still read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from engine.procedure.diagram import SUBPROCESSES, Diagram, Node

Paths = frozenset[str]
_NOTHING: Paths = frozenset()


class Liveness:
    """For every node of *diagram*, the paths somebody reads from there on; *reads* says what each node itself reads."""

    def __init__(self, diagram: Diagram, reads: Mapping[str, Collection[str]]) -> None:
        self._diagram = diagram
        self._before: dict[str, Paths] = dict.fromkeys(diagram.nodes, _NOTHING)
        # What is read at something that is no node of the diagram may be read at any time.
        self.always = frozenset(path for element, paths in reads.items() if element not in diagram.nodes for path in paths)
        own = {name: frozenset((*reads.get(name, ()), *_looped(node))) for name, node in diagram.nodes.items()}
        self._onwards = onward = {name: tuple(self._onward(node)) for name, node in diagram.nodes.items()}
        aside = {name: tuple(self._aside(node)) for name, node in diagram.nodes.items()}
        before: dict[str, set[str]] = {}
        for name in diagram.nodes:
            for other in (*onward[name], *aside[name]):
                before.setdefault(other, set()).add(name)
        ahead = list(diagram.nodes)
        while ahead:
            name = ahead.pop()
            after = _NOTHING.union(*(self._before[other] for other in onward[name]))
            now = own[name].union(_without(after, _written(diagram.nodes[name])), *(self._before[other] for other in aside[name]))
            if now != self._before[name]:
                self._before[name] = now
                ahead.extend(before.get(name, ()))

    def at(self, elements: Iterable[str]) -> Paths:
        """Return what is still read when something waits or is open at each of *elements*."""
        found: set[str] = set(self.always)
        for element in elements:
            node = self._diagram.nodes.get(element)
            if node is None:
                return frozenset(path for paths in self._before.values() for path in paths) | self.always
            if node.kind not in SUBPROCESSES or node.loop is not None:  # what stands inside speaks for it
                found |= self._before[element]
        return frozenset(found)

    def after(self, element: str) -> Paths | None:
        """Return what is read once *element* is done or while it is open, what it answers itself included; None where that is not known."""
        if element not in self._diagram.nodes:
            return None
        return self._before[element].union(self.always, *(self._before[other] for other in self._onwards[element]))

    def _onward(self, node: Node) -> Iterable[str]:
        """Yield where it goes on once the node is done."""
        diagram = self._diagram
        leaving = diagram.leaving(node.id)
        yield from (flow.target for flow in leaving)
        container = diagram.nodes.get(node.container)
        if container is not None and not leaving:
            yield from (flow.target for flow in diagram.leaving(container.id))
            if container.loop is not None:
                yield container.id
            yield from self._onward(container) if not diagram.leaving(container.id) else ()
        if any(event.kind == "link" for event in node.events):
            yield from (other.id for other in diagram.inside(node.container) if any(event.kind == "link" for event in other.events))

    def _aside(self, node: Node) -> Iterable[str]:
        """Yield where it may go on before the node is done, or without it: into it, to the events on its edge and on what it stands in."""
        diagram = self._diagram
        yield from (event.id for event in diagram.boundary(node.id))
        yield from (event.id for level in diagram.level(node.container) for event in diagram.boundary(level))
        if node.kind in SUBPROCESSES:
            yield from (inner.id for inner in diagram.inside(node.id) if not diagram.entering(inner.id) and inner.kind != "boundaryEvent")
            yield from (flow.target for flow in diagram.leaving(node.id))


def _written(node: Node) -> str:
    """Return the variable that a node answers anew, or nothing: what is repeated may be done no time at all."""
    if node.loop is not None:
        return ""
    if node.manual:
        return node.properties.get("variable") or node.properties.get("form") or ""
    return node.operator.result if node.operator is not None else ""


def _looped(node: Node) -> Iterable[str]:
    return (node.loop.input, node.loop.output) if node.loop is not None else ()


def _without(paths: Paths, variable: str) -> Paths:
    if not variable:
        return paths
    return frozenset(path for path in paths if path != variable and not path.startswith(f"{variable}."))
