"""What other modelers write into a diagram, read into our own settings on the executable copy; the author's file keeps theirs untouched.

Camunda 7, Flowable and Activiti write attributes and elements of nearly one vocabulary, Camunda 8 its own, Signavio and bpmn.io only what
they show. What has a meaning here and is not set by our own panel is taken over; what would run code in its engine, and does nothing here,
is told.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lxml import etree

from engine.procedure.diagram import BPMN, FLOW_NODES, SPIFF, Diagram, bpmn, tag, text_of
from engine.procedure.diagram_reader import read_root
from engine.procedure.juel import is_juel, to_feel
from engine.procedure.operators import OPERATORS

ZEEBE = "http://camunda.org/schema/zeebe/1.0"
ENGINES = {
    "http://camunda.org/schema/1.0/bpmn": "Camunda 7",
    "http://activiti.com/modeler": "Activiti",
    "http://activiti.org/bpmn": "Activiti",
    "http://flowable.org/bpmn": "Flowable",
    "http://flowable.org/design": "Flowable",
    ZEEBE: "Camunda 8",
}
FORMAL = frozenset(
    (
        "conditionExpression",
        "loopCondition",
        "completionCondition",
        "loopCardinality",
        "condition",
        "timeDuration",
        "timeDate",
        "timeCycle",
    )
)
ACTS = frozenset(
    (
        "executionListener", "executionListeners", "taskListener", "taskListeners", "class", "delegateExpression", "expression", "script",
        "connector", "failedJobRetryTimeCycle", "asyncBefore", "asyncAfter", "async", "errorEventDefinition", "skipExpression",
        "dueDate", "followUpDate", "assignee", "taskSchedule", "resource",
    )
)  # fmt: skip
"""What would do something in the engine it was written for."""
NAME = re.compile(r"[^\W\d]\w*")


@dataclass
class Read:
    """What was found on one element: whose it was, what was taken over, what does nothing here."""

    element: str
    vendor: str = ""
    taken: list[str] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)


def as_meant(diagram: Diagram) -> Diagram:
    """Return the diagram as it was drawn, with what other modelers wrote read into our own settings."""
    root = copy.deepcopy(diagram.root)
    return read_root(root, diagram.file) if any(read.taken for read in list(read_foreign(root))) else diagram


def read_foreign(root: etree._Element) -> Iterator[Read]:
    """Rewrite *root*, an executable copy, and yield what was done to each element."""
    for process in list(root.iter(bpmn("process"))):
        yield from _lanes(process)
    for element in list(root.iter(f"{{{BPMN}}}*")):
        found = Read(_identity(element))
        if tag(element) in FLOW_NODES:
            for take in _TAKERS:
                take(element, found)
            _idle(element, found)
        if tag(element) in FORMAL:
            _formal(element, found)
        if found.taken or found.idle:
            yield found


def _identity(element: etree._Element) -> str:
    return next((str(one.get("id")) for one in (element, *element.iterancestors()) if one.get("id")), "")


def _vendor(name: str) -> str:
    namespace = name[1:].partition("}")[0] if name.startswith("{") else ""
    return ENGINES.get(namespace, "")


def _attribute(element: etree._Element, *names: str) -> tuple[str, str, str]:
    """Return vendor, name and value of the first of *names* that an engine of others set on *element*."""
    for key, value in element.attrib.items():
        vendor, name = _vendor(str(key)), etree.QName(str(key)).localname
        if vendor and name in names and str(value).strip():
            return vendor, name, str(value).strip()
    return "", "", ""


def _parts(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Yield the elements of other engines in the extensions of *element*."""
    extensions = element.find(bpmn("extensionElements"))
    for part in extensions.iter(f"{{*}}{names[0]}", *(f"{{*}}{name}" for name in names[1:])) if extensions is not None else ():
        if _vendor(str(part.tag)):
            yield part


def _extensions(element: etree._Element) -> etree._Element:
    found = element.find(bpmn("extensionElements"))
    if found is None:
        found = etree.Element(bpmn("extensionElements"))
        element.insert(1 if len(element) and tag(element[0]) == "documentation" else 0, found)
    return found


def _set(element: etree._Element, name: str, value: str) -> bool:
    """Write one of our own settings unless it is set."""
    extensions = _extensions(element)
    properties = extensions.find(f"{{{SPIFF}}}properties")
    if properties is None:
        properties = etree.SubElement(extensions, f"{{{SPIFF}}}properties")
    if any(one.get("name") == name for one in properties):
        return False
    etree.SubElement(properties, f"{{{SPIFF}}}property", name=name, value=value)
    return True


def _properties(element: etree._Element, found: Read) -> None:
    for part in _parts(element, "property"):
        name, value = part.get("name", ""), part.get("value", "")
        if name and value and _set(element, name, value):
            found.vendor = _vendor(str(part.tag))
            found.taken.append(f"{name} = {value}")


def _form(element: etree._Element, found: Read) -> None:
    vendor, name, key = _attribute(element, "formKey", "formRef")
    for part in _parts(element, "formDefinition"):
        vendor, name = _vendor(str(part.tag)), "formDefinition"
        key = part.get("formId") or part.get("formKey") or ""
    form = re.split(r"[:/\\]", key)[-1].partition(".")[0]
    if form and not key.startswith(("$", "#", "=")) and _set(element, "form", form):
        found.vendor = vendor
        found.taken.append(f"{name} → form = {form}")


def _decision(element: etree._Element, found: Read) -> None:
    vendor, _, decision = _attribute(element, "decisionRef")
    _, _, result = _attribute(element, "resultVariable")
    for part in _parts(element, "calledDecision"):
        vendor, decision, result = _vendor(str(part.tag)), part.get("decisionId", ""), part.get("resultVariable", "")
    extensions = element.find(bpmn("extensionElements"))
    known = extensions is not None and extensions.find(f"{{{SPIFF}}}calledDecisionId") is not None
    if tag(element) != "businessRuleTask" or not decision or decision[0] in "$#=" or known:
        return
    etree.SubElement(_extensions(element), f"{{{SPIFF}}}calledDecisionId").text = decision
    if result:
        _set(element, "variable", result)
    found.vendor = vendor
    found.taken.append(f"calledDecisionId = {decision}")


def _call(element: etree._Element, found: Read) -> None:
    for part in _parts(element, "calledElement"):
        process = part.get("processId", "")
        if tag(element) == "callActivity" and process and process[0] not in "$#=" and not element.get("calledElement"):
            element.set("calledElement", process)
            found.vendor = _vendor(str(part.tag))
            found.taken.append(f"calledElement = {process}")


def _loop(element: etree._Element, found: Read) -> None:
    loop = element.find(bpmn("multiInstanceLoopCharacteristics"))
    if loop is None:
        return
    vendor, _, collection = _attribute(loop, "collection")
    _, _, item = _attribute(loop, "elementVariable")
    output = ("", "")
    for part in _parts(loop, "loopCharacteristics"):
        vendor, collection, item = _vendor(str(part.tag)), part.get("inputCollection", ""), part.get("inputElement", "")
        output = (part.get("outputCollection", ""), _plain(part.get("outputElement", "")))
    collection = _plain(collection)
    if not NAME.fullmatch(collection) or loop.find(bpmn("loopDataInputRef")) is not None:
        return
    found.vendor = vendor
    at = sum(1 for child in loop if tag(child) in ("documentation", "extensionElements", "loopCardinality"))
    written = [("loopDataInputRef", collection), ("loopDataOutputRef", output[0])]
    named = [("inputDataItem", item), ("outputDataItem", output[1])]
    for name, value in (*written, *named):
        if not NAME.fullmatch(value) or loop.find(bpmn(name)) is not None:
            continue
        made = etree.Element(bpmn(name))
        if name.endswith("Ref"):
            made.text = value
        else:
            made.set("id", value)
        loop.insert(at, made)
        at += 1
        found.taken.append(f"{name} = {value}")


def _plain(text: str) -> str:
    """Return an expression without the marks its engine puts around it."""
    bare = text.strip()
    return bare[2:-1].strip() if is_juel(bare) else bare.removeprefix("=").strip()


def _operator(element: etree._Element, found: Read) -> None:
    if tag(element) not in ("serviceTask", "sendTask", "businessRuleTask"):
        return
    vendor, _, kind = _attribute(element, "topic")
    for part in _parts(element, "taskDefinition"):
        vendor, kind = _vendor(str(part.tag)), part.get("type", "")
    extensions = element.find(bpmn("extensionElements"))
    known = extensions is not None and extensions.find(f"{{{SPIFF}}}serviceTaskOperator") is not None
    if kind not in OPERATORS or known:
        return
    _, _, result = _attribute(element, "resultVariable")
    operator = etree.SubElement(_extensions(element), f"{{{SPIFF}}}serviceTaskOperator", id=kind, resultVariable=result)
    parameters = etree.SubElement(operator, f"{{{SPIFF}}}parameters")
    for name, value in _inputs(element):
        etree.SubElement(parameters, f"{{{SPIFF}}}parameter", id=name, type="any", value=value)
    element.tag = bpmn("serviceTask")
    found.vendor = vendor
    found.taken.append(f"operator = {kind}")


def _inputs(element: etree._Element) -> Iterator[tuple[str, str]]:
    """Yield the inputs of a task as names and FEEL texts; what cannot be told stays as it is and is refused where it stands."""
    for part in _parts(element, "input", "inputParameter", "field"):
        name = part.get("target") or part.get("name") or ""
        text = part.get("source") or part.get("stringValue") or text_of(part)
        if part.get("source", "").startswith("="):
            yield name, text[1:].strip()
        elif is_juel(text):
            yield name, to_feel(text) or text
        elif name:
            yield name, '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _formal(element: etree._Element, found: Read) -> None:
    """A condition or deadline: the equals sign of Camunda 8 goes, JUEL is told in FEEL where it can be."""
    text = text_of(element)
    told = text[1:].strip() if text.startswith("=") else to_feel(text)
    if told is not None and told != text:
        element.text = told
        found.vendor = "Camunda 8" if text.startswith("=") else "JUEL"
        found.taken.append(f"{text} → {told}")


def _lanes(process: etree._Element) -> Iterator[Read]:
    """Give a process drawn without lanes one for each group that its steps name."""
    if process.find(bpmn("laneSet")) is not None:
        return
    groups: dict[str, list[str]] = {}
    vendors: dict[str, str] = {}
    for node in process.iter(f"{{{BPMN}}}*"):
        vendor, _, group = _attribute(node, "candidateGroups")
        for part in _parts(node, "assignmentDefinition"):
            vendor, group = _vendor(str(part.tag)), _quoted(part.get("candidateGroups", ""))
        if tag(node) in FLOW_NODES and group and group[0] not in "$#=" and "," not in group:
            groups.setdefault(group, []).append(node.get("id", ""))
            vendors[group] = vendor
    if not groups:
        return
    lanes = etree.Element(bpmn("laneSet"), id=f"lanes__of__{process.get('id', '')}")
    for number, (group, members) in enumerate(groups.items(), start=1):
        lane = etree.SubElement(lanes, bpmn("lane"), id=f"lane{number}__of__{process.get('id', '')}", name=group)
        for member in members:
            etree.SubElement(lane, bpmn("flowNodeRef")).text = member
        for member in members:
            yield Read(member, vendors[group], [f"candidateGroups → lane = {group}"])
    before = ("documentation", "extensionElements", "auditing", "monitoring", "property", "ioSpecification")
    process.insert(sum(1 for child in process if tag(child) in before), lanes)


def _quoted(text: str) -> str:
    """Return a group that Camunda 8 writes as an expression of one name: ``=["clerks"]`` or ``="clerks"``."""
    match = re.fullmatch(r'=\s*\[?\s*"([^"]*)"\s*\]?', text.strip())
    return match.group(1) if match else text.strip()


def _idle(element: etree._Element, found: Read) -> None:
    names = {etree.QName(str(key)).localname: _vendor(str(key)) for key in element.attrib if _vendor(str(key))}
    extensions = element.find(bpmn("extensionElements"))
    for part in extensions if extensions is not None else ():
        if isinstance(part.tag, str) and _vendor(part.tag):
            names[tag(part)] = _vendor(part.tag)
    found.idle = sorted(name for name in names if name in ACTS)
    if found.idle and not found.vendor:
        found.vendor = names[found.idle[0]]


_TAKERS: tuple[Callable[[etree._Element, Read], None], ...] = (_properties, _form, _decision, _call, _loop, _operator)
