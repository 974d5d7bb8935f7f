"""Where paths part and meet: every choice has a default, conditions stand only where they count."""

from __future__ import annotations

from collections.abc import Iterator

from engine.procedure.diagram import ACTIVITIES
from engine.procedure.report import Finding
from engine.procedure.rules.examined import Examined

CHOOSING = ("exclusiveGateway", "inclusiveGateway")
AWAITED = ("timer", "message", "signal", "conditional")


def default_path(examined: Examined) -> Iterator[Finding]:
    """A choice has a default path, and the default carries no condition (defects 7, 23)."""
    diagram = examined.diagram
    for node in diagram.nodes.values():
        leaving = diagram.leaving(node.id)
        if node.kind not in CHOOSING:
            if node.default and node.kind not in ACTIVITIES:
                yield examined.find("default-path", node)
            continue
        default = node.default
        if len(leaving) < 2:
            if leaving and leaving[0].condition is not None:
                yield examined.find("idle-condition", leaving[0])
            continue
        own = {flow.id: flow for flow in leaving}
        always = node.kind == "inclusiveGateway" and any(flow.condition == "true" for flow in leaving)
        if default not in own:
            if not always:
                yield examined.find("default-path", node)
        elif own[default].condition is not None:
            yield examined.find("default-condition", own[default])
        for flow in leaving:
            if (flow.id != default and flow.condition is None) or (flow.condition is not None and not flow.condition.strip()):
                yield examined.find("condition-missing", flow)


def conditional_flow(examined: Examined) -> Iterator[Finding]:
    """A condition on a flow that leaves a step needs a default beside it (defect 7: the interpreter ignores the condition)."""
    diagram = examined.diagram
    for flow in diagram.flows.values():
        source = diagram.nodes.get(flow.source)
        if source is None or flow.condition is None or source.kind in CHOOSING:
            continue
        if source.kind not in ("parallelGateway", "eventBasedGateway"):
            yield examined.find("conditional-flow", flow)


def idle_condition(examined: Examined) -> Iterator[Finding]:
    """A condition behind a parallel or event gateway counts for nothing."""
    diagram = examined.diagram
    for flow in diagram.flows.values():
        source = diagram.nodes.get(flow.source)
        if source is not None and flow.condition is not None and source.kind in ("parallelGateway", "eventBasedGateway"):
            yield examined.find("idle-condition", flow)


def event_gateway(examined: Examined) -> Iterator[Finding]:
    """Behind an event gateway stand at least two events that wait, each entered from there only (BPMN 2.0, 10.6.6)."""
    diagram = examined.diagram
    for node in diagram.nodes.values():
        if node.kind != "eventBasedGateway":
            continue
        targets = [diagram.nodes[flow.target] for flow in diagram.leaving(node.id) if flow.target in diagram.nodes]
        fit = all(
            (target.kind == "receiveTask" or (target.kind == "intermediateCatchEvent" and target.event() in AWAITED))
            and len(diagram.entering(target.id)) == 1
            for target in targets
        )
        if len(targets) < 2 or not fit or node.attributes.get("eventGatewayType") == "Parallel":
            yield examined.find("event-gateway", node)


def mixed_gateway(examined: Examined) -> Iterator[Finding]:
    """A gateway either joins or splits; one that does both is hard to read, one that does neither is idle."""
    diagram = examined.diagram
    for node in diagram.nodes.values():
        if not node.kind.endswith("Gateway") or "__of__" in node.id:
            continue
        entering, leaving = len(diagram.entering(node.id)), len(diagram.leaving(node.id))
        if entering > 1 and leaving > 1:
            yield examined.find("mixed-gateway", node, "warning")
        if node.kind == "inclusiveGateway" and leaving > 6:
            yield examined.find("wide-gateway", node, count=leaving)
