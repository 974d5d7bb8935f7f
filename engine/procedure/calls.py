"""Writes a call of a shared part out: the call activity becomes a sub-process with the part's steps inside (BPMN 2.0.2, 10.3.6).

Written out, the steps of the part are judged, timed and run exactly where they are called: a document drafted before the call is known to
the signature inside it, and what a part needs of the procedure is named by the call, never guessed. The file of the designer stays as it
is; what the part brings carries identifiers of the kind ``step__of__call``.

A part reads what it was given as ``given.<parameter>`` in expressions and ``{parameter}`` in the properties of its steps; ``{call}`` is
in both the identifier of the call, so that two calls of one part keep their answers apart.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping

from lxml import etree

from engine.procedure.diagram import BPMN, FLOW_NODES, SPIFF, Diagram, Node, bpmn, local, tag, text_of
from engine.procedure.diagram_reader import read_root
from engine.procedure.framing import ADDED
from engine.procedure.parts import Part

GIVEN = "given."
LANE = "lane."
_NAMED = re.compile(r"(?<![\w.])given\.([a-z][a-z0-9_]*)")
_PLAIN = re.compile(r"[\w.]+")
_EXPRESSIONS = {
    "conditionExpression", "completionCondition", "loopCardinality", "loopCondition", "timeDuration", "timeDate", "timeCycle", "condition",
}  # fmt: skip
_REFERENCES = ("sourceRef", "targetRef", "attachedToRef", "default")
_TEXT_REFERENCES = {"incoming", "outgoing", "flowNodeRef"}
_SHARED = {"message": "messageRef", "signal": "signalRef", "error": "errorRef", "escalation": "escalationRef"}


def called(node: Node) -> str:
    """Return the process a call activity calls."""
    return local(node.attributes.get("calledElement")) or ""


def arguments(node: Node) -> dict[str, str]:
    """Return what a call gives its part, by parameter."""
    return {name.removeprefix(GIVEN): value for name, value in node.properties.items() if name.startswith(GIVEN) and value}


def lanes_given(node: Node) -> dict[str, str]:
    """Return the lanes a call puts in the place of the part's own, by the identifier of the part's lane."""
    return {name.removeprefix(LANE): value for name, value in node.properties.items() if name.startswith(LANE) and value}


def calls(diagram: Diagram, parts: Mapping[str, Part]) -> Iterator[tuple[Node, Part]]:
    """Yield the calls of shared parts; a process of the same file comes before a part of its name."""
    own = {process.id for process in diagram.processes}
    for node in diagram.nodes.values():
        if node.kind == "callActivity" and called(node) not in own and called(node) in parts:
            yield node, parts[called(node)]


def written_out(diagram: Diagram, parts: Mapping[str, Part]) -> Diagram:
    """Return *diagram* with every call of a shared part written out; itself when there is none."""
    found = list(calls(diagram, parts))
    if not found:
        return diagram
    root = copy.deepcopy(diagram.root)
    for node, part in found:
        element = next(one for one in root.iter(bpmn("callActivity")) if one.get("id") == node.id)
        _write_out(root, element, node, part)
    return read_root(root, diagram.file)


def _write_out(root: etree._Element, call: etree._Element, node: Node, part: Part) -> None:
    inside = copy.deepcopy(next(process for process in part.diagram.root if process.tag == bpmn("process")))
    _give(inside, part, node)
    _rename(inside, node.id, _declared(root, part, node.id))
    group = etree.Element(bpmn("subProcess"))
    for name, value in call.attrib.items():
        if name != "calledElement":
            group.set(name, value)
    group.extend([child for child in call if tag(child) not in ("ioSpecification", "dataInputAssociation", "dataOutputAssociation")])
    lanes = _lanes(inside, node)
    if lanes is not None:
        group.append(lanes)
    group.extend([child for child in inside if child.tag != bpmn("laneSet") and tag(child) not in ("documentation", "extensionElements")])
    parent = call.getparent()
    assert parent is not None
    parent.replace(call, group)


def _give(inside: etree._Element, part: Part, node: Node) -> None:
    """Put what the call gives into the expressions and properties of the part."""
    given = arguments(node)
    kinds = {one.key: one.kind for one in part.parameters}
    values = {one.key: given.get(one.key, one.default or "") for one in part.parameters}
    texts = {"call": node.id, **{key: value for key, value in values.items() if kinds[key] == "text"}}

    def expression(found: re.Match[str]) -> str:
        key = found[1]
        if key not in values:
            return found[0]  # the part asks for what it does not declare: the rules name it
        if kinds[key] == "text":
            return json.dumps(values[key], ensure_ascii=False)
        if not values[key]:
            return "null"
        return values[key] if _PLAIN.fullmatch(values[key]) else f"({values[key]})"

    def written_with(text: str) -> str:
        return _NAMED.sub(expression, text.replace("{call}", node.id))

    for element in inside.iter():
        name = tag(element)
        if name in _EXPRESSIONS and element.text:
            element.text = written_with(element.text)
        elif name == "parameter" and _namespace(element) == SPIFF:
            element.set("value", written_with(element.get("value", "")))
        elif name == "property" and _namespace(element) == SPIFF:
            written = element.get("value", "")
            for key, text in texts.items():
                written = written.replace("{" + key + "}", text)
            element.set("value", written)


def _rename(inside: etree._Element, call: str, declared: Mapping[str, str]) -> None:
    """Give everything of the part identifiers of its call, and let its events mean the messages and errors of the whole file."""
    for element in inside.iter():
        if _namespace(element) != BPMN:
            continue
        name = tag(element)
        if name.endswith("EventDefinition"):
            element.attrib.pop("id", None)
        elif element.get("id"):
            element.set("id", f"{element.get('id')}{ADDED}{call}")
        for attribute in _REFERENCES:
            if element.get(attribute):
                element.set(attribute, f"{local(element.get(attribute))}{ADDED}{call}")
        for attribute in _SHARED.values():
            if element.get(attribute):
                element.set(attribute, declared.get(local(element.get(attribute)) or "", element.get(attribute, "")))
        if name in _TEXT_REFERENCES and text_of(element):
            element.text = f"{text_of(element)}{ADDED}{call}"


def _declared(root: etree._Element, part: Part, call: str) -> dict[str, str]:
    """Declare in *root* the messages, signals, errors and escalations of the part; one of the same name and code is the same."""
    found: dict[str, str] = {}
    for one in part.diagram.root:
        kind = tag(one)
        if kind not in _SHARED or _namespace(one) != BPMN:
            continue
        same = [other for other in root if other.tag == one.tag and _meaning(other) == _meaning(one)]
        if same:
            found[one.get("id", "")] = same[0].get("id", "")
            continue
        added = copy.deepcopy(one)
        added.set("id", f"{one.get('id')}{ADDED}{call}")
        found[one.get("id", "")] = added.get("id", "")
        root.insert(0, added)
    return found


def _meaning(declared: etree._Element) -> tuple[str, str, str]:
    return declared.get("name", ""), declared.get("errorCode", ""), declared.get("escalationCode", "")


def _lanes(inside: etree._Element, node: Node) -> etree._Element | None:
    """Return the lanes of the sub-process: the part's own, or those the call names; what stands in none stays where the call stands."""
    instead = lanes_given(node)
    lane_set = etree.Element(bpmn("laneSet"), id=f"lanes{ADDED}{node.id}")
    placed: set[str] = set()
    for lane in inside.iter(bpmn("lane")):
        own = (lane.get("id") or "").removesuffix(f"{ADDED}{node.id}")
        kept = etree.SubElement(lane_set, bpmn("lane"), id=lane.get("id", ""), name=instead.get(own, lane.get("name", "")))
        for reference in lane.findall(bpmn("flowNodeRef")):
            placed.add(text_of(reference))
            etree.SubElement(kept, bpmn("flowNodeRef")).text = text_of(reference)
    rest = [child.get("id", "") for child in inside if tag(child) in FLOW_NODES and child.get("id") not in placed]
    if rest and node.lane:
        caller = etree.SubElement(lane_set, bpmn("lane"), id=f"caller{ADDED}{node.id}", name=node.lane)
        for identifier in rest:
            etree.SubElement(caller, bpmn("flowNodeRef")).text = identifier
    return lane_set if len(lane_set) else None


def _namespace(element: etree._Element) -> str | None:
    return etree.QName(element).namespace if isinstance(element.tag, str) else None
