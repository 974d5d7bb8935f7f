"""Well-formedness: one start, ends, flows that connect, everything reachable, nothing that turns in circles by itself."""

from __future__ import annotations

from collections.abc import Iterator

from engine.procedure.diagram import FLOW_NODES, SUBPROCESSES, Node, tag
from engine.procedure.paths import automatic_cycles, reachable
from engine.procedure.report import Finding
from engine.procedure.rules.examined import Examined


def one_process(examined: Examined) -> Iterator[Finding]:
    """Exactly one process of the file runs (BPMN 2.0, 10.2: isExecutable)."""
    if examined.diagram.main is None:
        for process in examined.diagram.processes[1:] or examined.diagram.processes:
            yield examined.find("one-process", process.id)


def duplicate_id(examined: Examined) -> Iterator[Finding]:
    """Identifiers are unique in the file (BPMN 2.0, 8.3.1)."""
    for identifier, line in examined.original.duplicates:
        yield examined.find("duplicate-id", identifier, line=line)
    for element in examined.original.root.iter("{http://www.omg.org/spec/BPMN/20100524/MODEL}*"):
        if tag(element) in FLOW_NODES | {"sequenceFlow"} and not element.get("id"):
            yield examined.find("id-missing", "", line=element.sourceline or 0)


def dangling_flow(examined: Examined) -> Iterator[Finding]:
    """A sequence flow connects two nodes of its own level (BPMN 2.0, 8.4.13)."""
    nodes = examined.original.nodes
    for flow in examined.original.flows.values():
        source, target = nodes.get(flow.source), nodes.get(flow.target)
        if source is None or target is None:
            yield examined.find("dangling-flow", flow, end=flow.source if source is None else flow.target)
        elif not source.container == target.container == flow.container:
            yield examined.find("crossing-flow", flow)


def many_starts(examined: Examined) -> Iterator[Finding]:
    """Each level has exactly one start, a plain one (defects 25 and 38: others are skipped or start at once)."""
    for container in examined.diagram.containers.values():
        host = examined.diagram.nodes.get(container.id)
        if host is not None and host.event_subprocess:
            continue
        starts = [node for node in examined.diagram.inside(container.id) if node.kind == "startEvent"]
        if not starts:
            yield examined.find("no-start", container.id)
        for node in starts[1:]:
            yield examined.find("many-starts", node)
        for node in starts:
            if node.event() != "none":
                yield examined.find("start-kind", node, kind=node.event())


def no_end(examined: Examined) -> Iterator[Finding]:
    """Every path reaches an end event (the interpreter would take any last node for an end, defect 24)."""
    diagram = examined.diagram
    for node in diagram.nodes.values():
        if node.kind == "endEvent" or diagram.leaving(node.id) or node.event_subprocess:
            continue
        if node.kind == "intermediateThrowEvent" and node.event() == "link":
            continue
        yield examined.find("no-end", node)


def forbidden_flows(examined: Examined) -> Iterator[Finding]:
    """Nothing enters a start or boundary event, nothing leaves an end event (BPMN 2.0, 10.5)."""
    diagram = examined.diagram
    for node in diagram.nodes.values():
        if node.kind in ("startEvent", "boundaryEvent") and diagram.entering(node.id):
            yield examined.find("entering-forbidden", node)
        if node.kind == "endEvent" and diagram.leaving(node.id):
            yield examined.find("leaving-forbidden", node)
        if node.event_subprocess and (diagram.entering(node.id) or diagram.leaving(node.id)):
            yield examined.find("entering-forbidden", node)


def boundary_host(examined: Examined) -> Iterator[Finding]:
    """A boundary event sits on an activity of its level (defect 40: otherwise it is dropped)."""
    for node in examined.diagram.nodes.values():
        if node.kind != "boundaryEvent":
            continue
        host = examined.diagram.nodes.get(node.attached_to or "")
        if host is None or host.container != node.container or not _is_activity(host):
            yield examined.find("boundary-host", node)


def _is_activity(node: Node) -> bool:
    return node.kind.endswith("ask") or node.kind in SUBPROCESSES or node.kind == "callActivity"


def unreachable(examined: Examined) -> Iterator[Finding]:
    """Every node can be reached from the start of its level (defect 24: accepted silently)."""
    diagram = examined.diagram
    for container in diagram.containers.values():
        nodes = diagram.inside(container.id)
        starts = [node.id for node in nodes if node.kind == "startEvent" or node.event_subprocess]
        if not starts:
            continue
        reached = reachable(diagram, starts)
        for node in nodes:
            if node.id not in reached:
                yield examined.find("unreachable", node)


def automatic_cycle(examined: Examined) -> Iterator[Finding]:
    """Every cycle waits somewhere for a person, a timer or a message (defect 42: it would never stop)."""
    for container in examined.diagram.containers:
        for cycle in automatic_cycles(examined.diagram, container, lambda node: _waits(examined, node)):
            yield examined.find("automatic-cycle", cycle[0], count=len(cycle))


def _waits(examined: Examined, node: Node, above: frozenset[str] = frozenset()) -> bool:
    if node.manual or node.kind in ("intermediateCatchEvent", "receiveTask", "eventBasedGateway"):
        return True
    inside = node.attributes.get("calledElement", "") if node.kind == "callActivity" else node.id if node.kind in SUBPROCESSES else ""
    if inside in above:
        return False
    # A group of steps waits only if every way through it does; that some way does is taken as the designer's intent.
    return inside in examined.diagram.containers and any(
        _waits(examined, inner, above | {inside}) for inner in examined.diagram.inside(inside)
    )


def self_call(examined: Examined) -> Iterator[Finding]:
    """No process calls itself, directly or through others (defect 42)."""
    calls: dict[str, set[str]] = {}
    for node in examined.diagram.nodes.values():
        if node.kind == "callActivity":
            process = examined.diagram.level(node.container)[-1]
            calls.setdefault(process, set()).add(node.attributes.get("calledElement", ""))
    for node in examined.diagram.nodes.values():
        if node.kind != "callActivity":
            continue
        process = examined.diagram.level(node.container)[-1]
        seen, todo = set(), [node.attributes.get("calledElement", "")]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo.extend(calls.get(name, ()))
        if process in seen:
            yield examined.find("self-call", node)
