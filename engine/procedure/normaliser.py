"""Rewrites a copy of the diagram into the forms the interpreter runs correctly; the designer's own file is never touched.

Every rewriting keeps the meaning that the standard gives to the drawing and leaves a note. What has no equivalent is left as it is:
the rules refuse it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from engine.procedure.diagram import ACTIVITIES, BPMN, FLOW_NODES, SPIFF, SUBPROCESSES, Diagram, bpmn, local, tag, text_of
from engine.procedure.diagram_reader import read_root
from engine.procedure.foreign import read_foreign
from engine.procedure.framing import frame
from engine.procedure.operators import DECISION
from engine.procedure.report import Finding, at

XSI = "http://www.w3.org/2001/XMLSchema-instance"
DATA = frozenset(
    (
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "dataInputAssociation",
        "dataOutputAssociation",
        "ioSpecification",
        "property",
    )
)
DURATION = re.compile(r"P(?=.*\d)(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)")
CYCLE = re.compile(r"R\d{0,4}/(?P<duration>P[0-9YMWDTHS.]+)")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})")
_SPLITTING = ACTIVITIES | {"startEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"}


@dataclass(frozen=True)
class Normalised:
    """The executable copy with the notes on what was changed.

    *diagram* is what the rules judge: the copy before its event sub-processes were framed, level by level as it was drawn.
    """

    xml: bytes
    diagram: Diagram
    notes: tuple[Finding, ...]


def normalise(diagram: Diagram) -> Normalised:
    """Return the executable form of *diagram*."""
    work = _Work(diagram)
    work.choose_process()
    work.read_others()
    work.write_out_events()
    work.drop_data()
    work.tell_others()
    work.call_decisions()
    work.frame_subprocesses()
    work.join_links()
    work.send_before_end()
    work.mark_defaults()
    work.split_by_condition()
    work.split_plainly()
    work.write_timers()
    work.relink()
    etree.cleanup_namespaces(work.root, keep_ns_prefixes=["bpmn", "bpmndi", "dc", "di", "spiffworkflow", "xsi"])
    judged = read_root(copy.deepcopy(work.root), diagram.file)
    for framed in frame(work.root):
        work.note("event-subprocess-framed", framed)
    xml = etree.tostring(work.root, xml_declaration=True, encoding="UTF-8")
    return Normalised(xml, judged, tuple(work.notes))


class _Work:
    def __init__(self, diagram: Diagram) -> None:
        self.original = diagram
        self.root = copy.deepcopy(diagram.root)
        self.notes: list[Finding] = []

    def note(self, rule: str, element: str, **facts: Any) -> None:
        self.notes.append(at(self.original, rule, element, "note", **facts))

    def levels(self) -> Iterator[etree._Element]:
        yield from list(self.root.iter(bpmn("process"), *(bpmn(kind) for kind in SUBPROCESSES)))

    def nodes(self, level: etree._Element) -> list[etree._Element]:
        return [child for child in level if isinstance(child.tag, str) and tag(child) in FLOW_NODES]

    def flows(self, level: etree._Element) -> list[etree._Element]:
        return level.findall(bpmn("sequenceFlow"))

    def leaving(self, level: etree._Element, node: str) -> list[etree._Element]:
        return [flow for flow in self.flows(level) if local(flow.get("sourceRef")) == node]

    def entering(self, level: etree._Element, node: str) -> list[etree._Element]:
        return [flow for flow in self.flows(level) if local(flow.get("targetRef")) == node]

    def insert(self, level: etree._Element, kind: str, prefix: str, of: str, **attributes: str) -> str:
        """Add a node named after its origin, in its origin's lane."""
        identifier = f"{prefix}__of__{of}"
        while self.root.xpath("boolean(//*[@id=$id])", id=identifier):
            prefix += "_"
            identifier = f"{prefix}__of__{of}"
        self._place(level, kind, id=identifier, **attributes)
        for reference in list(level.iter(bpmn("flowNodeRef"))):
            if text_of(reference) == of:
                beside = etree.Element(bpmn("flowNodeRef"))
                beside.text = identifier
                reference.addnext(beside)
        return identifier

    def connect(self, level: etree._Element, source: str, target: str, of: str) -> None:
        """Add a flow named after the element that asked for it."""
        number = 1
        while self.root.xpath("boolean(//*[@id=$id])", id=f"flow{number}__of__{of}"):
            number += 1
        self._place(level, "sequenceFlow", id=f"flow{number}__of__{of}", sourceRef=source, targetRef=target)

    def _place(self, level: etree._Element, kind: str, **attributes: str) -> None:
        """Put an element behind the flow elements of its level: the schema wants artifacts and the rest after them."""
        element = etree.Element(bpmn(kind))
        for name, value in attributes.items():
            element.set(name, value)
        known = [child for child in level if tag(child) in FLOW_NODES or tag(child) in ("sequenceFlow", "laneSet")]
        if known:
            known[-1].addnext(element)
        else:
            level.append(element)

    # Each step below is one row of the normaliser's table.

    def choose_process(self) -> None:
        """Mark the process that runs; many editors leave the mark out of a file with one process."""
        main = self.original.main
        for process in self.root.iter(bpmn("process")):
            if main is not None and process.get("id") == main.id:
                process.set("isExecutable", "true")

    def read_others(self) -> None:
        """Read what other modelers wrote where it means something here; what would act in their engines is told."""
        for read in read_foreign(self.root):
            if read.taken:
                self.note("foreign-read", read.element, vendor=read.vendor, taken="; ".join(read.taken))
            if read.idle:
                self.notes.append(
                    at(self.original, "foreign-idle", read.element, "warning", vendor=read.vendor, names=", ".join(read.idle))
                )

    def write_out_events(self) -> None:
        """Write an event definition that is declared once and referred to into each event that refers to it (BPMN 2.0.2, 10.5.5)."""
        for reference in list(self.root.iter(bpmn("eventDefinitionRef"))):
            event = reference.getparent()
            declared = next((one for one in self.root if one.get("id") == local(text_of(reference))), None)
            if event is None or declared is None or not tag(declared).endswith("EventDefinition"):
                continue
            written = copy.deepcopy(declared)
            written.attrib.pop("id", None)
            event.replace(reference, written)
            self.note("event-written-out", event.get("id", ""))
        for declared in [one for one in self.root if tag(one).endswith("EventDefinition")]:
            self.root.remove(declared)

    def drop_data(self) -> None:
        """Leave data objects, data stores and their associations out: they document, answers travel by variables."""
        called = {local(node.get("calledElement")) for node in self.root.iter(bpmn("callActivity"))}
        for element in list(self.root.iter(*(bpmn(name) for name in DATA))):
            parent = element.getparent()
            if parent is None or (tag(element) == "property" and etree.QName(parent).namespace != BPMN):
                continue
            if tag(element) == "ioSpecification" and parent.get("id") in called:
                continue  # what a called process takes and gives: the interpreter keeps to it
            if tag(element) not in ("property", "ioSpecification"):
                self.note("data-store", element.get("id", "") or parent.get("id", ""))
            parent.remove(element)

    def tell_others(self) -> None:
        """Tell which pools and message flows only document: who is around the process, and what passes between them and it."""
        processes = {process.get("id") for process in self.root.iter(bpmn("process"))}
        for element in self.root.iter(bpmn("participant"), bpmn("messageFlow")):
            if element.get("id") and local(element.get("processRef")) not in processes:
                identifier = element.get("id", "")
                self.note("documentation-only", identifier, part=element.get("name") or identifier)

    def call_decisions(self) -> None:
        """Write a business rule task that names its decision as a call of our own decision operator."""
        for node in list(self.root.iter(bpmn("businessRuleTask"))):
            extensions = node.find(bpmn("extensionElements"))
            called = extensions.find(f"{{{SPIFF}}}calledDecisionId") if extensions is not None else None
            if extensions is None or called is None or not text_of(called).strip():
                continue
            name = text_of(called).strip()
            extensions.remove(called)
            found = extensions.find(f"{{{SPIFF}}}properties/{{{SPIFF}}}property[@name='variable']")
            variable = found.get("value", "") if found is not None else node.get("id", "")
            operator = etree.SubElement(extensions, f"{{{SPIFF}}}serviceTaskOperator", id=DECISION, resultVariable=variable)
            given = etree.SubElement(operator, f"{{{SPIFF}}}parameters")
            escaped = name.replace("\\", "\\\\").replace('"', '\\"')
            etree.SubElement(given, f"{{{SPIFF}}}parameter", id="decision", type="string", value=f'"{escaped}"')
            node.tag = bpmn("serviceTask")
            self.note("decision-call", node.get("id", ""), decision=name)

    def frame_subprocesses(self) -> None:
        """Give a sub-process without start or end its implied ones."""
        for level in self.levels():
            if tag(level) != "subProcess":
                continue
            identifier = level.get("id", "")
            nodes = [node for node in self.nodes(level) if node.get("triggeredByEvent") != "true"]
            if not nodes:
                continue
            added = False
            if not any(tag(node) == "startEvent" for node in nodes):
                first = [node for node in nodes if tag(node) != "boundaryEvent" and not self.entering(level, node.get("id", ""))]
                if not first:
                    continue
                start = self.insert(level, "startEvent", "start", identifier)
                for node in first:
                    self.connect(level, start, node.get("id", ""), node.get("id", ""))
                added = True
            last = [node for node in nodes if tag(node) != "endEvent" and not self.leaving(level, node.get("id", ""))]
            last = [node for node in last if not (tag(node) == "intermediateThrowEvent" and _definition(node, "link") is not None)]
            if last and not any(tag(node) == "endEvent" for node in nodes):
                end = self.insert(level, "endEvent", "end", identifier)
                for node in last:
                    self.connect(level, node.get("id", ""), end, node.get("id", ""))
                added = True
            if added:
                self.note("missing-start-end", identifier)

    def join_links(self) -> None:
        """Replace paired link events of one level by a direct flow."""
        for level in self.levels():
            catches = {
                _definition_name(node): node for node in self.nodes(level) if tag(node) == "intermediateCatchEvent" and _is_link(node)
            }
            throws = [node for node in self.nodes(level) if tag(node) == "intermediateThrowEvent" and _is_link(node)]
            used = set()
            for throw in throws:
                catch = catches.get(_definition_name(throw))
                targets = self.leaving(level, catch.get("id", "")) if catch is not None else []
                if catch is None or len(targets) != 1 or self.leaving(level, throw.get("id", "")):
                    continue
                for flow in self.entering(level, throw.get("id", "")):
                    flow.set("targetRef", targets[0].get("targetRef", ""))
                self.note("link-event", throw.get("id", ""))
                level.remove(throw)
                used.add(_definition_name(throw))
            for name in used:
                catch = catches[name]
                for flow in self.leaving(level, catch.get("id", "")):
                    level.remove(flow)
                level.remove(catch)
        self._tidy_lanes()

    def send_before_end(self) -> None:
        """Turn a signal end into a throw followed by a plain end."""
        for level in self.levels():
            for node in self.nodes(level):
                definition = _definition(node, "signal")
                if tag(node) != "endEvent" or definition is None:
                    continue
                identifier = node.get("id", "")
                throw = self.insert(level, "intermediateThrowEvent", "send", identifier)
                element = next(child for child in level if child.get("id") == throw)
                for flow in self.entering(level, identifier):
                    flow.set("targetRef", throw)
                node.remove(definition)
                element.append(definition)
                self.connect(level, throw, identifier, identifier)
                self.note("signal-end", identifier)

    def mark_defaults(self) -> None:
        """Mark the only flow without a condition that leaves a splitting gateway as its default."""
        for level in self.levels():
            for node in self.nodes(level):
                if tag(node) not in ("exclusiveGateway", "inclusiveGateway") or node.get("default"):
                    continue
                flows = self.leaving(level, node.get("id", ""))
                plain = [flow for flow in flows if flow.find(bpmn("conditionExpression")) is None]
                if len(flows) > 1 and len(plain) == 1:
                    node.set("default", plain[0].get("id", ""))
                    self.note("default-marked", node.get("id", ""), flow=plain[0].get("name") or plain[0].get("id", ""))

    def split_by_condition(self) -> None:
        """Put an inclusive gateway behind an activity whose leaving flows carry conditions and which has a default."""
        for level in self.levels():
            for node in self.nodes(level):
                if tag(node) not in _SPLITTING:
                    continue
                identifier = node.get("id", "")
                flows = self.leaving(level, identifier)
                default = node.get("default")
                conditional = [flow for flow in flows if flow.find(bpmn("conditionExpression")) is not None]
                plain = [flow for flow in flows if flow not in conditional and flow.get("id") != default]
                if not conditional or any(flow.get("id") == default for flow in conditional):
                    continue
                if bool(plain) == bool(default):
                    # Neither: nothing says what happens when no condition holds. Both: a plain flow is always taken, so whether
                    # the default still waits for the conditions is read in two ways. The rules refuse either.
                    continue
                attributes = {"default": str(default)} if default else {}
                gateway = self.insert(level, "inclusiveGateway", "choose", identifier, **attributes)
                node.attrib.pop("default", None)
                for flow in plain:
                    etree.SubElement(flow, bpmn("conditionExpression")).text = "true"
                for flow in flows:
                    flow.set("sourceRef", gateway)
                self.connect(level, identifier, gateway, identifier)
                self.note("conditional-flow-split", identifier)

    def split_plainly(self) -> None:
        """Put a parallel gateway behind a step or event that several plain flows leave."""
        for level in self.levels():
            for node in self.nodes(level):
                identifier = node.get("id", "")
                flows = self.leaving(level, identifier)
                if tag(node) not in _SPLITTING or len(flows) < 2:
                    continue
                if any(flow.find(bpmn("conditionExpression")) is not None for flow in flows):
                    continue
                gateway = self.insert(level, "parallelGateway", "all", identifier)
                node.attrib.pop("default", None)
                for flow in flows:
                    flow.set("sourceRef", gateway)
                self.connect(level, identifier, gateway, identifier)
                self.note("implicit-split", identifier)

    def write_timers(self) -> None:
        """Write literal timers as FEEL: ``P7D`` becomes ``duration("P7D")``."""
        for name in ("timeDuration", "timeDate", "timeCycle"):
            for element in self.root.iter(bpmn(name)):
                written = timer_expression(name, text_of(element))
                if written is None or written == text_of(element):
                    continue
                event = next((parent for parent in element.iterancestors() if tag(parent).endswith("Event")), None)
                if event is not None:
                    self.note("timer-literal", event.get("id", ""), written=written)
                element.text = written

    def relink(self) -> None:
        """Write the incoming and outgoing children again from the flows."""
        for level in self.levels():
            for node in self.nodes(level):
                for child in [*node.findall(bpmn("incoming")), *node.findall(bpmn("outgoing"))]:
                    node.remove(child)
                links = [("incoming", flow) for flow in self.entering(level, node.get("id", ""))]
                links += [("outgoing", flow) for flow in self.leaving(level, node.get("id", ""))]
                after = sum(1 for child in node if tag(child) in ("documentation", "extensionElements", "auditing", "monitoring"))
                for offset, (kind, flow) in enumerate(links):
                    element = etree.Element(bpmn(kind))
                    element.text = flow.get("id")
                    node.insert(after + offset, element)
        self._tidy_lanes()

    def _tidy_lanes(self) -> None:
        known = {node.get("id") for level in self.levels() for node in self.nodes(level)}
        for reference in list(self.root.iter(bpmn("flowNodeRef"))):
            if text_of(reference) not in known and (lane := reference.getparent()) is not None:
                lane.remove(reference)


def timer_expression(kind: str, text: str) -> str | None:
    """Return the FEEL text of a timer: a literal is written out, an expression stays; ``None`` if it is neither."""
    bare = text.strip().strip("\"'") if text.strip()[:1] in "\"'" else text.strip()
    if kind == "timeDuration" and DURATION.fullmatch(bare):
        return f'duration("{bare}")'
    if kind == "timeDate" and INSTANT.fullmatch(bare):
        return f'date and time("{bare}")'
    if kind == "timeCycle" and CYCLE.fullmatch(bare):
        return f'"{bare}"'
    return text.strip() or None


def _definition(node: etree._Element, kind: str) -> etree._Element | None:
    return node.find(bpmn(f"{kind}EventDefinition"))


def _is_link(node: etree._Element) -> bool:
    return _definition(node, "link") is not None


def _definition_name(node: etree._Element) -> str:
    definition = _definition(node, "link")
    return definition.get("name", "") if definition is not None else ""
