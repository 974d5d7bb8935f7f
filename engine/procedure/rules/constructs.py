"""Which constructs run: an allow-list. What the interpreter runs wrongly and silently is refused by name, everything else as unknown."""

from __future__ import annotations

from collections.abc import Iterator

from engine.procedure.calls import arguments, calls, lanes_given
from engine.procedure.diagram import ACTIVITIES, CATCHING, EVENTS, GATEWAYS, MANUAL, SPIFF, SUBPROCESSES, Diagram, Node, bpmn, tag
from engine.procedure.paths import reachable
from engine.procedure.report import Finding
from engine.procedure.rules.examined import Examined

RUNS = (
    MANUAL
    | EVENTS
    | {"serviceTask", "receiveTask", "sendTask", "subProcess", "callActivity"}
    | {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"}
)
REFUSED = {
    "complexGateway": "complex-gateway",
    "transaction": "transaction",
    "adHocSubProcess": "ad-hoc",
    "businessRuleTask": "decision",
    "choreographyTask": "choreography",
    "subChoreography": "choreography",
    "callChoreography": "choreography",
}
EVENT_KINDS = {
    "startEvent": {"none"},
    "endEvent": {"none", "terminate", "error", "escalation", "message", "signal"},
    "intermediateCatchEvent": {"timer", "message", "signal", "conditional", "link"},
    "intermediateThrowEvent": {"none", "message", "signal", "escalation", "link"},
    "boundaryEvent": {"timer", "message", "signal", "conditional", "error", "escalation"},
}
"""The kinds the interpreter treats as what they are; every other kind passes as if it were none (defects 4, 6, 25)."""
EVENT_SUBPROCESS_STARTS = frozenset(("timer", "message", "signal", "conditional", "error", "escalation"))
REFERENCED = ("message", "signal", "error", "escalation")
KNOWN_CHILDREN = frozenset(
    (
        "documentation", "extensionElements", "incoming", "outgoing", "multiInstanceLoopCharacteristics", "standardLoopCharacteristics",
        "conditionExpression", "script", "rendering", "ioSpecification", "property", "dataInput", "dataOutput", "inputSet", "outputSet",
        "dataInputAssociation", "dataOutputAssociation", "potentialOwner", "humanPerformer", "performer", "resourceRole", "auditing",
        "monitoring", "categoryValueRef", "completionCondition", "laneSet", "sequenceFlow", "textAnnotation", "association", "group",
        "dataObject", "dataObjectReference", "dataStoreReference", "supportedInterfaceRef", "activationCondition",
    )
)  # fmt: skip
OUR_EXTENSIONS = frozenset(
    ("properties", "serviceTaskOperator", "instructionsForEndUser", "messageVariable", "messagePayload", "taskMetadataValues", "unitTests")
)


def unknown_construct(examined: Examined) -> Iterator[Finding]:
    """An element that is neither known to run nor known to be refused."""
    for stranger in examined.original.strangers:
        rule = "global-task" if stranger.kind.startswith("global") else "unknown-construct"
        yield examined.find(rule, stranger.id or stranger.kind, kind=stranger.kind, line=stranger.line)
    for node in examined.diagram.nodes.values():
        if node.kind not in RUNS and node.kind not in REFUSED and node.kind != "scriptTask":
            yield examined.find("unknown-construct", node, kind=node.kind, line=node.line)
        for child in sorted(node.children - KNOWN_CHILDREN):
            if not child.endswith("EventDefinition") and child not in ACTIVITIES | EVENTS | GATEWAYS:
                yield examined.find("unknown-construct", node, kind=child, line=node.line)
        for extension in sorted(node.extensions - OUR_EXTENSIONS - {"preScript", "postScript"}):
            yield examined.find("unknown-construct", node, kind=extension, line=node.line)


def extension_broken(examined: Examined) -> Iterator[Finding]:
    """Settings stand once in a node and are complete: the interpreter stops at a nameless one and merges doubled ones as it likes."""
    for element in examined.original.root.iter(bpmn("extensionElements")):
        owner = element.getparent()
        identifier = owner.get("id", "") if owner is not None else ""
        parts = [tag(child) for child in element if str(child.tag).startswith(f"{{{SPIFF}}}")]
        twice = len(parts) != len(set(parts)) or (owner is not None and len(owner.findall(bpmn("extensionElements"))) > 1)
        nameless = any(not child.get("name") or child.get("value") is None for child in element.iter(f"{{{SPIFF}}}property"))
        unnamed = any(not child.get("id") or child.get("value") is None for child in element.iter(f"{{{SPIFF}}}parameter"))
        if twice or nameless or unnamed:
            yield examined.find("extension-broken", identifier, line=element.sourceline or 0)


def unsupported(examined: Examined) -> Iterator[Finding]:
    """Constructs the product does not run: complex gateways, transactions, ad-hoc, decisions, choreographies, instantiating receivers."""
    for node in examined.diagram.nodes.values():
        if node.kind in REFUSED:
            yield examined.find(REFUSED[node.kind], node)
        if node.attributes.get("instantiate") == "true":
            yield examined.find("instantiate", node)
        if node.attributes.get("isForCompensation") == "true":
            yield examined.find("compensation", node)


def script(examined: Examined) -> Iterator[Finding]:
    """Designers write no code: no script task, no script before or after a step (the interpreter would run Python)."""
    for node in examined.diagram.nodes.values():
        if node.kind == "scriptTask" or node.extensions & {"preScript", "postScript"}:
            yield examined.find("script", node)


def event_kind(examined: Examined) -> Iterator[Finding]:
    """An event has one kind, and one the interpreter does not skip."""
    for node in examined.diagram.nodes.values():
        allowed = EVENT_KINDS.get(node.kind)
        kind = node.event()
        if allowed is None or kind in allowed or (node.kind == "startEvent" and _starts_event_subprocess(examined, node)):
            continue
        if node.kind == "startEvent":
            continue  # judged by many-starts
        rule = {"compensate": "compensation", "cancel": "transaction"}.get(kind, "event-kind")
        yield examined.find(rule, node, kind=kind)


def _starts_event_subprocess(examined: Examined, node: Node) -> bool:
    host = examined.diagram.nodes.get(node.container)
    return host is not None and host.event_subprocess


def no_message(examined: Examined) -> Iterator[Finding]:
    """A task that sends or receives says which message (defect 26: otherwise the token just passes)."""
    for node in examined.diagram.nodes.values():
        if node.kind in ("sendTask", "receiveTask") and not node.attributes.get("messageRef"):
            yield examined.find("no-message", node)


def dangling_reference(examined: Examined) -> Iterator[Finding]:
    """Every message, signal, error and escalation named by an event is declared (defect 19)."""
    declared = examined.diagram.references
    for node in examined.diagram.nodes.values():
        wanted = [(event.kind, event.reference) for event in node.events if event.kind in REFERENCED]
        if node.kind in ("sendTask", "receiveTask") and node.attributes.get("messageRef"):
            wanted.append(("message", node.attributes["messageRef"].rpartition(":")[2]))
        for kind, reference in wanted:
            if not reference and kind in ("error", "escalation") and node.kind == "boundaryEvent":
                continue  # catches any
            if not reference or declared.get(reference, ("", ""))[0] != kind:
                yield examined.find("no-message" if kind == "message" else "dangling-reference", node, kind=kind, reference=reference or "")


def nobody_catches(examined: Examined) -> Iterator[Finding]:
    """A message or signal thrown inside is caught inside, or can be caught by a dossier of another procedure.

    A signal reaches whoever listens and a message with a business key whoever waits with that key, so a missing catcher is only worth a
    warning. A message without a key could find nobody outside: what leaves the house is sent by an operator through the outbox.
    """
    diagram = examined.diagram
    caught = {(event.kind, event.reference) for node in diagram.nodes.values() if node.kind in CATCHING for event in node.events}
    caught |= {("message", node.attributes.get("messageRef")) for node in diagram.nodes.values() if node.kind == "receiveTask"}
    for node in diagram.nodes.values():
        thrown = [(event.kind, event.reference) for event in node.events] if node.kind in ("intermediateThrowEvent", "endEvent") else []
        if node.kind == "sendTask":
            thrown.append(("message", node.attributes.get("messageRef")))
        for kind, reference in thrown:
            if kind == "signal" and (kind, reference) not in caught:
                yield examined.find("caught-elsewhere", node, "warning", kind=kind)
            if kind == "message" and (kind, reference) not in caught:
                if reference in examined.keyed:
                    yield examined.find("caught-elsewhere", node, "warning", kind=kind)
                else:
                    yield examined.find("nobody-catches", node, kind=kind)


def uncaught_error(examined: Examined) -> Iterator[Finding]:
    """Every error or escalation is handled by a boundary event or an event sub-process further out (defect 37)."""
    diagram = examined.diagram
    for node in diagram.nodes.values():
        for event in node.events:
            if event.kind not in ("error", "escalation") or node.kind not in ("endEvent", "intermediateThrowEvent"):
                continue
            handled = any(
                found.kind == event.kind and found.reference in (event.reference, None)
                for catcher in _catchers(diagram, node)
                for found in catcher.events
            )
            if not handled:
                yield examined.find("uncaught-error", node)


def _catchers(diagram: Diagram, node: Node) -> Iterator[Node]:
    """Yield the events an error of *node* may reach: on the borders of its levels, and at the start of their event sub-processes."""
    inside = ""
    for level in diagram.level(node.container):
        # An event sub-process does not catch what it throws itself: it is no part of the work it watches over.
        for other in diagram.inside(level):
            if other.event_subprocess and other.id != inside:
                yield from (start for start in diagram.inside(other.id) if start.kind == "startEvent")
        host = diagram.nodes.get(level)
        if host is not None:
            yield from diagram.boundary(level)
        inside = level


def event_subprocess(examined: Examined) -> Iterator[Finding]:
    """An event sub-process has one start, by an event that can happen to its level (BPMN 2.0.2, 10.3.5); an error always interrupts."""
    diagram = examined.diagram
    for node in diagram.nodes.values():
        if not node.event_subprocess:
            continue
        starts = [inner for inner in diagram.inside(node.id) if inner.kind == "startEvent"]
        begun = len(starts) == 1 and starts[0].event() in EVENT_SUBPROCESS_STARTS
        ignores_error = begun and starts[0].event() == "error" and not starts[0].interrupting
        if not begun or ignores_error or node.loop is not None or diagram.boundary(node.id):
            yield examined.find("event-subprocess", node)


def loop_count(examined: Examined) -> Iterator[Finding]:
    """A repetition says how often or over which list, at most 200 times (defect 27)."""
    for node in examined.diagram.nodes.values():
        loop = node.loop
        if loop is None:
            continue
        if loop.kind == "standard":
            bounded = loop.maximum.isdigit() and 1 <= int(loop.maximum) <= 200
            wrong = not bounded
        elif loop.input:
            wrong = bool(loop.cardinality)
        else:
            count = loop.cardinality.strip()
            wrong = not count or (count.lstrip("-").isdigit() and not 1 <= int(count) <= 200)
        if wrong:
            yield examined.find("loop-count", node)


def mi_output(examined: Examined) -> Iterator[Finding]:
    """Each repetition's result has a name, and the step is not repeated again by a way back (defect 45)."""
    diagram = examined.diagram
    for node in diagram.nodes.values():
        if node.loop is None or node.loop.kind != "multiple":
            continue
        again = node.id in reachable(diagram, [flow.target for flow in diagram.leaving(node.id)])
        if not node.loop.output or again:
            yield examined.find("mi-output", node)


def quantity(examined: Examined) -> Iterator[Finding]:
    """Token quantities and behaviours of repetitions have no effect in the interpreter (defect 28)."""
    for node in examined.diagram.nodes.values():
        counts = (node.attributes.get("startQuantity", "1"), node.attributes.get("completionQuantity", "1"))
        behaviour = node.loop.behavior if node.loop is not None else ""
        if counts != ("1", "1") or behaviour not in ("", "All"):
            yield examined.find("quantity", node)


def call_target(examined: Examined) -> Iterator[Finding]:
    """A called process is in the same file, or a shared part (those are written out by now)."""
    processes = {process.id for process in examined.diagram.processes}
    for node in examined.diagram.nodes.values():
        if node.kind == "callActivity" and node.attributes.get("calledElement", "").rpartition(":")[2] not in processes:
            yield examined.find("call-target", node, called=node.attributes.get("calledElement", ""))


def call_arguments(examined: Examined) -> Iterator[Finding]:
    """A call gives a shared part what it needs and nothing it does not know; the lanes it names in place of the part's are drawn there."""
    for node, part in calls(examined.original, examined.package.parts):
        given, known = arguments(node), {one.key: one for one in part.parameters}
        for key in sorted(one.key for one in part.parameters if one.default is None and one.key not in given):
            yield examined.find("argument-missing", node, parameter=key, part=part.name.vi)
        for key in sorted(set(given) - set(known)):
            yield examined.find("argument-unknown", node, parameter=key, part=part.name.vi, known=", ".join(sorted(known)))
        lanes = {lane.id for lane in part.diagram.lanes}
        for key in sorted(set(lanes_given(node)) - lanes):
            yield examined.find("argument-unknown", node, parameter=f"lane.{key}", part=part.name.vi, known=", ".join(sorted(lanes)))


def link_event(examined: Examined) -> Iterator[Finding]:
    """A link event has its partner on the same level (paired ones were replaced by a flow, defect 5)."""
    for node in examined.diagram.nodes.values():
        if node.event() == "link" and node.kind not in SUBPROCESSES:
            yield examined.find("link-event-alone", node)
