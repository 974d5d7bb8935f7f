"""Turns the XML of a BPMN file into a ``Diagram``; refuses only what cannot be read at all, judging is the rules' work."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.errors import Refused
from engine.procedure.diagram import (
    ARTIFACTS,
    BPMN,
    BPMNDI,
    DC,
    DI,
    FLOW_NODES,
    SPIFF,
    SUBPROCESSES,
    Box,
    Container,
    Diagram,
    Edge,
    EventDefinition,
    Flow,
    Lane,
    Loop,
    Node,
    Operator,
    Shape,
    Stranger,
    bpmn,
    local,
    tag,
    text_of,
)
from engine.procedure.safe_xml import parse_xml

_REFERENCES = {"message": "message", "signal": "signal", "error": "error", "escalation": "escalation", "dataStore": "dataStore"}
_LEVEL_PARTS = {
    "documentation", "extensionElements", "incoming", "outgoing", "laneSet", "ioSpecification", "property", "dataInputAssociation",
    "dataOutputAssociation", "standardLoopCharacteristics", "multiInstanceLoopCharacteristics", "auditing", "monitoring",
    "correlationSubscription", "completionCondition", "supports", "resourceRole", "performer", "potentialOwner",
}  # fmt: skip
_DATA = {"dataObject", "dataObjectReference", "dataStoreReference"}
_DEFINITIONS_PARTS = {
    "process", "collaboration", "message", "signal", "error", "escalation", "dataStore", "itemDefinition", "import", "extension",
    "relationship", "documentation", "extensionElements", "correlationProperty", "category", "resource", "interface", "endPoint",
}  # fmt: skip


def read_diagram(content: bytes, file: str = "process.bpmn") -> Diagram:
    """Return the diagram in *content*.

    Raises: Refused ``xml.*`` for unsafe or broken XML, ``diagram.not_bpmn`` for another kind of file, ``diagram.no_process``.
    """
    return read_root(parse_xml(content, file), file)


def read_root(root: etree._Element, file: str = "process.bpmn") -> Diagram:
    """Return the diagram of an XML tree that is already known to be safe."""
    if root.tag != bpmn("definitions"):
        raise Refused("diagram.not_bpmn", file=file)
    reader = _Reader(root)
    if not reader.containers:
        raise Refused("diagram.no_process", file=file)
    shapes, edges = _drawing(root)
    return Diagram(
        root=root,
        file=file,
        containers=reader.containers,
        nodes=reader.nodes,
        flows=reader.flows,
        lanes=tuple(reader.lanes),
        references=reader.references,
        strangers=tuple(reader.strangers),
        duplicates=tuple(_duplicates(root)),
        shapes=shapes,
        edges=edges,
        pools=tuple((pool.get("id", ""), pool.get("name", ""), local(pool.get("processRef"))) for pool in root.iter(bpmn("participant"))),
        message_flows=tuple(flow.get("id", "") for flow in root.iter(bpmn("messageFlow"))),
    )


class _Reader:
    def __init__(self, root: etree._Element) -> None:
        self.containers: dict[str, Container] = {}
        self.nodes: dict[str, Node] = {}
        self.flows: dict[str, Flow] = {}
        self.lanes: list[Lane] = []
        self.references: dict[str, tuple[str, str]] = {}
        self.strangers: list[Stranger] = []
        for child in root:
            name = tag(child)
            if _namespace(child) != BPMN:
                continue
            if name in _REFERENCES:
                self.references[child.get("id", "")] = (name, child.get("name", ""))
            elif name == "process":
                self._level(child, None, {})
            elif name not in _DEFINITIONS_PARTS and not name.endswith("EventDefinition"):
                self.strangers.append(Stranger(child.get("id", ""), name, "", child.sourceline or 0))

    def _level(self, element: etree._Element, parent: str | None, inherited: dict[str, tuple[str, ...]]) -> None:
        identifier = element.get("id", "")
        kind = tag(element)
        executable = element.get("isExecutable") == "true"
        self.containers[identifier] = Container(identifier, kind, element.get("name", ""), parent, executable, element.sourceline or 0)
        membership = self._lanes(element, identifier)
        if not membership and parent is not None:
            above = inherited.get(identifier, ())
            membership = {child.get("id", ""): above for child in element if above}
        for child in element:
            name = tag(child)
            if _namespace(child) != BPMN or name in ARTIFACTS or name in _LEVEL_PARTS:
                continue
            if name == "sequenceFlow":
                self._flow(child, identifier)
            elif name in _DATA:
                self.references[child.get("id", "")] = (name, child.get("name", ""))
            elif name in FLOW_NODES:
                self.nodes[child.get("id", "")] = _node(child, identifier, membership.get(child.get("id", ""), ()))
                if name in SUBPROCESSES:
                    self._level(child, identifier, membership)
            else:
                self.strangers.append(Stranger(child.get("id", ""), name, identifier, child.sourceline or 0))

    def _flow(self, element: etree._Element, container: str) -> None:
        condition = element.find(bpmn("conditionExpression"))
        identifier = element.get("id", "")
        self.flows[identifier] = Flow(
            id=identifier,
            name=element.get("name", ""),
            source=local(element.get("sourceRef")) or "",
            target=local(element.get("targetRef")) or "",
            condition=text_of(condition) if condition is not None else None,
            container=container,
            line=element.sourceline or 0,
        )

    def _lanes(self, element: etree._Element, container: str) -> dict[str, tuple[str, ...]]:
        """Return the lanes (leaf lanes only) in which each node stands; a node in two leaf lanes is the rules' business."""
        membership: dict[str, tuple[str, ...]] = {}
        for lane_set in element.findall(bpmn("laneSet")):
            for lane in lane_set.iter(bpmn("lane")):
                own = {text_of(reference) for reference in lane.findall(bpmn("flowNodeRef"))}
                below = {
                    text_of(ref)
                    for child in lane.findall(f"{bpmn('childLaneSet')}//{bpmn('lane')}")
                    for ref in child.iter(bpmn("flowNodeRef"))
                }
                members = tuple(sorted(own - below))
                self.lanes.append(Lane(lane.get("id", ""), lane.get("name", ""), container, members, lane.sourceline or 0))
                for member in members:
                    membership[member] = (*membership.get(member, ()), lane.get("name", ""))
        return membership


def _node(element: etree._Element, container: str, lanes: tuple[str, ...]) -> Node:
    extension = element.find(bpmn("extensionElements"))
    extensions = frozenset(tag(child) for child in extension if _namespace(child) == SPIFF) if extension is not None else frozenset()
    return Node(
        id=element.get("id", ""),
        kind=tag(element),
        name=" ".join(element.get("name", "").split()),
        container=container,
        line=element.sourceline or 0,
        lane=lanes[0] if lanes else None,
        lanes=lanes,
        properties=_properties(extension),
        attributes={str(key): str(value) for key, value in element.attrib.items() if not str(key).startswith("{")},
        extensions=extensions,
        events=tuple(_events(element)),
        loop=_loop(element),
        operator=_operator(extension),
        documentation=text_of(element.find(bpmn("documentation"))),
        children=frozenset(tag(child) for child in element if _namespace(child) == BPMN),
    )


def _properties(extension: etree._Element | None) -> dict[str, str]:
    if extension is None:
        return {}
    found = extension.iterfind(f"{{{SPIFF}}}properties/{{{SPIFF}}}property")
    return {item.get("name", ""): item.get("value", "").strip() for item in found if item.get("name")}


def _operator(extension: etree._Element | None) -> Operator | None:
    element = extension.find(f"{{{SPIFF}}}serviceTaskOperator") if extension is not None else None
    if element is None:
        return None
    parameters = element.iterfind(f"{{{SPIFF}}}parameters/{{{SPIFF}}}parameter")
    return Operator(
        id=element.get("id", ""),
        result=element.get("resultVariable", ""),
        parameters={item.get("id", ""): item.get("value", "") for item in parameters},
    )


def _events(element: etree._Element) -> Iterator[EventDefinition]:
    for child in element:
        name = tag(child)
        if name == "eventDefinitionRef":
            yield EventDefinition("attached", local(text_of(child)), "", "")
        elif name.endswith("EventDefinition"):
            kind = name.removesuffix("EventDefinition")
            inner = next((part for part in child if tag(part) in ("timeDate", "timeDuration", "timeCycle", "condition")), None)
            reference = local(child.get(f"{kind}Ref")) if kind != "link" else child.get("name", "")
            variable = text_of(child.find(f"{bpmn('extensionElements')}/{{{SPIFF}}}messageVariable"))
            yield EventDefinition(kind, reference, tag(inner) if inner is not None else "", text_of(inner), variable)


def _loop(element: etree._Element) -> Loop | None:
    child = next((part for part in element if tag(part).endswith("LoopCharacteristics")), None)
    if child is None:
        return None
    return Loop(
        kind="standard" if tag(child).startswith("standard") else "multiple",
        sequential=child.get("isSequential") == "true",
        cardinality=text_of(child.find(bpmn("loopCardinality"))),
        input=text_of(child.find(bpmn("loopDataInputRef"))),
        output=text_of(child.find(bpmn("loopDataOutputRef"))) or _first(child, "outputDataItem"),
        completion=text_of(child.find(bpmn("completionCondition"))) or text_of(child.find(bpmn("loopCondition"))),
        behavior=child.get("behavior", ""),
        maximum=child.get("loopMaximum", ""),
    )


def _first(element: etree._Element, name: str) -> str:
    child = element.find(bpmn(name))
    return (child.get("id") or child.get("name") or "") if child is not None else ""


def _namespace(element: etree._Element) -> str | None:
    return etree.QName(element).namespace if isinstance(element.tag, str) else None


def _duplicates(root: etree._Element) -> Iterator[tuple[str, int]]:
    seen: set[str] = set()
    for element in root.iter():
        identifier = element.get("id")
        if identifier is None or _namespace(element) != BPMN:
            continue
        if identifier in seen:
            yield identifier, element.sourceline or 0
        seen.add(identifier)


def _drawing(root: etree._Element) -> tuple[tuple[Shape, ...], tuple[Edge, ...]]:
    shapes = []
    for element in root.iter(f"{{{BPMNDI}}}BPMNShape"):
        box = _box(element.find(f"{{{DC}}}Bounds"))
        if box is None:
            continue
        shapes.append(
            Shape(
                element=local(element.get("bpmnElement")) or "",
                box=box,
                label=_label(element),
                horizontal=element.get("isHorizontal", "true") == "true",
                expanded=element.get("isExpanded", "false") == "true",
            )
        )
    edges = []
    for element in root.iter(f"{{{BPMNDI}}}BPMNEdge"):
        points = tuple((_number(point, "x"), _number(point, "y")) for point in element.iterfind(f"{{{DI}}}waypoint"))
        edges.append(Edge(local(element.get("bpmnElement")) or "", points, _label(element)))
    return tuple(shapes), tuple(edges)


def _label(element: etree._Element) -> Box | None:
    return _box(element.find(f"{{{BPMNDI}}}BPMNLabel/{{{DC}}}Bounds"))


def _box(element: etree._Element | None) -> Box | None:
    if element is None:
        return None
    return Box(*(_number(element, side) for side in ("x", "y", "width", "height")))


def _number(element: etree._Element, name: str) -> float:
    try:
        value = float(element.get(name, "0"))
    except ValueError:
        return 0.0
    return value if abs(value) < 1e7 else 0.0
