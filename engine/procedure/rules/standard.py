"""Constraints of BPMN 2.0.2 that neither its schema nor the interpreter enforces: references, default flows, links, gateways, messages.

Every rule judges the file as it was drawn. An attribute that is missing altogether is the schema's to tell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from lxml import etree

from engine.procedure.diagram import ACTIVITIES, BPMN, Node, bpmn, local, tag, text_of
from engine.procedure.report import Finding
from engine.procedure.rules.examined import Examined

NAME = re.compile(r"[^\W\d][\w.\-·]*")
ITEM_AWARE = frozenset(("dataObject", "dataObjectReference", "dataStoreReference", "dataInput", "dataOutput", "property"))
_REFERENCES: Mapping[tuple[str, str], str] = {
    ("participant", "processRef"): "process",
    ("messageFlow", "messageRef"): "message",
    ("dataObjectReference", "dataObjectRef"): "dataObject",
    ("dataStoreReference", "dataStoreRef"): "dataStore",
    ("group", "categoryValueRef"): "categoryValue",
    ("message", "itemRef"): "itemDefinition",
    ("signal", "structureRef"): "itemDefinition",
    ("error", "structureRef"): "itemDefinition",
    ("escalation", "structureRef"): "itemDefinition",
    **{(kind, "itemSubjectRef"): "itemDefinition" for kind in ("dataObject", "dataStore", "dataInput", "dataOutput", "property")},
}
"""References to elements of the file itself; those of events, boundary events, calls, flows and lanes have rules of their own."""


def id_no_name(examined: Examined) -> Iterator[Finding]:
    """An identifier is a name of XML: a letter or underscore first, no blanks, no colon (8.3.1; type ID of the schema)."""
    for element in examined.original.root.iter(f"{{{BPMN}}}*"):
        identifier = element.get("id")
        if identifier is not None and not NAME.fullmatch(identifier):
            yield examined.find("id-no-name", identifier, line=element.sourceline or 0)


def reference_broken(examined: Examined) -> Iterator[Finding]:
    """What refers to a part of the file refers to one that is there and of the right kind (8.3.1)."""
    for (kind, attribute), wanted in _REFERENCES.items():
        for element in examined.original.root.iter(bpmn(kind)):
            reference = element.get(attribute)
            target = examined.elements.get(local(reference) or "")
            if reference and not _elsewhere(examined, reference) and (target is None or tag(target) != wanted):
                yield examined.find("reference-broken", element.get("id", ""), attribute=attribute, reference=reference, part=tag(element))


def _elsewhere(examined: Examined, reference: str) -> bool:
    """Whether a reference points into another document: its prefix stands for a namespace that is not the file's own."""
    prefix, colon, _ = reference.rpartition(":")
    root = examined.original.root
    if not colon:
        return False
    return root.nsmap.get(prefix) not in (None, root.get("targetNamespace"), BPMN)


def association_end(examined: Examined) -> Iterator[Finding]:
    """An association connects two elements of the file (8.4.1)."""
    for element in examined.original.root.iter(bpmn("association")):
        for attribute in ("sourceRef", "targetRef"):
            reference = element.get(attribute)
            if reference and local(reference) not in examined.elements:
                yield examined.find("association-end", element.get("id", ""), reference=reference)


def lane_member(examined: Examined) -> Iterator[Finding]:
    """A lane holds flow nodes of its own process (10.8)."""
    diagram = examined.original
    for lane in diagram.lanes:
        for member in lane.members:
            node = diagram.nodes.get(member)
            if node is None or diagram.level(node.container)[-1] != diagram.level(lane.container)[-1]:
                yield examined.find("lane-member", lane.id, lane=lane.name, member=member, line=lane.line)


def default_flow(examined: Examined) -> Iterator[Finding]:
    """A default flow leaves the node that names it, and an activity has one only beside conditions (8.4.13; 10.3; 10.6.2)."""
    diagram = examined.original
    for node in diagram.nodes.values():
        if not node.default:
            continue
        leaving = diagram.leaving(node.id)
        if node.default not in {flow.id for flow in leaving}:
            yield examined.find("default-flow", node, flow=node.default)
        elif node.kind in ACTIVITIES and len(leaving) > 1 and all(flow.condition is None for flow in leaving):
            yield examined.find("default-idle", node, flow=node.default)


def attached_definition(examined: Examined) -> Iterator[Finding]:
    """An event that borrows a definition names one that the file declares (10.5.5)."""
    declared = {one.get("id") for one in examined.original.root if tag(one).endswith("EventDefinition")}
    for node in examined.original.nodes.values():
        for event in node.events:
            if event.kind == "attached" and event.reference not in declared:
                yield examined.find("attached-definition", node, reference=event.reference or "")


def link_flows(examined: Examined) -> Iterator[Finding]:
    """Nothing leaves a link's source, nothing enters its target, and each name has one target on its level (10.5.4)."""
    diagram = examined.original
    targets: Counter[tuple[str, str]] = Counter()
    for node in diagram.nodes.values():
        for event in node.events:
            if event.kind != "link":
                continue
            if node.kind == "intermediateCatchEvent":
                key = (node.container, event.reference or "")
                targets[key] += 1
                if targets[key] == 2:
                    yield examined.find("link-twice", node, link=event.reference or "")
                if diagram.entering(node.id):
                    yield examined.find("link-flows", node)
            elif node.kind == "intermediateThrowEvent" and diagram.leaving(node.id):
                yield examined.find("link-flows", node)


def gateway_direction(examined: Examined) -> Iterator[Finding]:
    """A gateway that says it joins or splits has the flows for it (8.4.9, table 8.46)."""
    diagram = examined.original
    for node in diagram.nodes.values():
        direction = node.attributes.get("gatewayDirection", "Unspecified")
        many_in, many_out = len(diagram.entering(node.id)) > 1, len(diagram.leaving(node.id)) > 1
        fits = {"Converging": many_in and not many_out, "Diverging": many_out and not many_in, "Mixed": many_in and many_out}
        if node.kind.endswith("Gateway") and not fits.get(direction, True):
            yield examined.find("gateway-direction", node, direction=direction)


def idle_gateway(examined: Examined) -> Iterator[Finding]:
    """A gateway joins or splits (10.6.1); one that does neither is told, it harms nothing."""
    diagram = examined.original
    for node in diagram.nodes.values():
        if node.kind.endswith("Gateway") and len(diagram.entering(node.id)) < 2 and len(diagram.leaving(node.id)) == 1:
            yield examined.find("idle-gateway", node, "warning")


def event_gateway_targets(examined: Examined) -> Iterator[Finding]:
    """Behind an event gateway receiving tasks and message events are not mixed, and a receiving task has no boundary events (10.6.6)."""
    diagram = examined.original
    for node in diagram.nodes.values():
        if node.kind != "eventBasedGateway":
            continue
        targets = [diagram.nodes[flow.target] for flow in diagram.leaving(node.id) if flow.target in diagram.nodes]
        tasks = [target for target in targets if target.kind == "receiveTask"]
        if tasks and any(target.event() == "message" for target in targets):
            yield examined.find("event-gateway-mixed", node)
        for target in tasks:
            if diagram.boundary(target.id):
                yield examined.find("event-gateway-boundary", target)


def boundary_error(examined: Examined) -> Iterator[Finding]:
    """An error always ends the activity it happens in: its boundary event interrupts (10.5.4, table 10.92)."""
    for node in examined.original.nodes.values():
        if node.kind == "boundaryEvent" and node.event() == "error" and not node.interrupting:
            yield examined.find("boundary-error", node)


def event_subprocess_twice(examined: Examined) -> Iterator[Finding]:
    """One event that interrupts starts one event sub-process of its level (10.5.6)."""
    diagram = examined.diagram
    for container in diagram.containers:
        seen: set[tuple[str, str]] = set()
        for host in diagram.inside(container):
            for start in diagram.inside(host.id) if host.event_subprocess else ():
                event = start.events[0] if len(start.events) == 1 else None
                if start.kind != "startEvent" or not start.interrupting or event is None or event.reference is None:
                    continue
                if (event.kind, event.reference) in seen:
                    yield examined.find("event-subprocess-twice", host, kind=event.kind)
                seen.add((event.kind, event.reference))


def data_association(examined: Examined) -> Iterator[Finding]:
    """A data association runs between a step and data, not from step to step (10.4.1)."""
    known = examined.elements
    for element in examined.original.root.iter(bpmn("dataInputAssociation"), bpmn("dataOutputAssociation")):
        owner = element.getparent()
        for end in (*element.findall(bpmn("sourceRef")), *element.findall(bpmn("targetRef"))):
            other = known.get(local(text_of(end)) or "")
            if other is not None and owner is not None and tag(other) not in ITEM_AWARE:
                yield examined.find("data-association", owner.get("id", ""), reference=text_of(end))


def data_scope(examined: Examined) -> Iterator[Finding]:
    """A data object is known on its own level and inside it (10.4.1)."""
    for element in examined.original.root.iter(bpmn("dataObjectReference")):
        target = examined.elements.get(local(element.get("dataObjectRef")) or "")
        if target is None or tag(target) != "dataObject":
            continue
        if target.getparent() not in tuple(element.iterancestors()):
            yield examined.find("data-scope", element.get("id", ""), reference=element.get("dataObjectRef", ""))


_SENDS = ACTIVITIES | {"participant"}


def message_flow(examined: Examined) -> Iterator[Finding]:
    """A message flow runs between two pools, from what can send to what can receive (7.6.2, table 7.4; 9.4)."""
    known = examined.elements
    pools = {pool: process or pool for pool, _, process in examined.original.pools}
    for element in examined.original.root.iter(bpmn("messageFlow")):
        identifier = element.get("id", "")
        sides = [local(element.get(attribute)) for attribute in ("sourceRef", "targetRef")]
        if None in sides:
            continue
        ends = [known.get(side or "") for side in sides]
        if any(end is None for end in ends):
            missing = next(side for side, end in zip(sides, ends, strict=True) if end is None)
            yield examined.find("message-flow-end", identifier, end=missing)
            continue
        nodes = [examined.original.nodes.get(side or "") for side in sides]
        if not _sends(ends[0], nodes[0]) or not _receives(ends[1], nodes[1]):
            yield examined.find("message-flow-kind", identifier)
        homes = [pools.get(side or "") or _process(end) for side, end in zip(sides, ends, strict=True)]
        if homes[0] == homes[1]:
            yield examined.find("message-flow-pool", identifier)


def _sends(end: etree._Element | None, node: Node | None) -> bool:
    kind = tag(end) if end is not None else ""
    thrown = kind in ("endEvent", "intermediateThrowEvent")
    return kind in _SENDS or (thrown and node is not None and any(event.kind in ("message", "attached") for event in node.events))


def _receives(end: etree._Element | None, node: Node | None) -> bool:
    kind = tag(end) if end is not None else ""
    caught = kind in ("startEvent", "intermediateCatchEvent", "boundaryEvent")
    if kind == "startEvent" and node is not None and not node.events:
        return True  # what begins a dossier here is its reception: editors draw the citizen's message to a plain start
    return kind in _SENDS or (caught and node is not None and any(event.kind in ("message", "attached") for event in node.events))


def _process(element: etree._Element | None) -> str:
    if element is None:
        return ""
    return next((str(one.get("id", "")) for one in element.iterancestors() if tag(one) == "process"), "")
