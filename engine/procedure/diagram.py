"""A BPMN diagram as values: processes, nodes, flows, lanes, event definitions and the drawing (lxml only, no engine)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from lxml import etree

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"

TASKS = frozenset(("task", "userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "scriptTask", "businessRuleTask"))
SUBPROCESSES = frozenset(("subProcess", "transaction", "adHocSubProcess"))
ACTIVITIES = TASKS | SUBPROCESSES | {"callActivity"}
GATEWAYS = frozenset(("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"))
CATCHING = frozenset(("startEvent", "intermediateCatchEvent", "boundaryEvent"))
EVENTS = frozenset(("startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"))
FLOW_NODES = ACTIVITIES | GATEWAYS | EVENTS | {"choreographyTask", "subChoreography", "callChoreography", "implicitThrowEvent"}
MANUAL = frozenset(("task", "userTask", "manualTask"))
ARTIFACTS = frozenset(("textAnnotation", "association", "group"))

_LOOPS = ("standardLoopCharacteristics", "multiInstanceLoopCharacteristics")


def tag(element: etree._Element) -> str:
    """Return the local name of *element* (empty for comments)."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def bpmn(name: str) -> str:
    """Return *name* in the BPMN namespace, as lxml writes it."""
    return f"{{{BPMN}}}{name}"


def local(reference: str | None) -> str | None:
    """Return a QName reference without its prefix."""
    return reference.rpartition(":")[2].strip() or None if reference else None


def text_of(element: etree._Element | None) -> str:
    """Return the trimmed text of *element*, or nothing."""
    return "".join(str(part) for part in element.itertext()).strip() if element is not None else ""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the drawing, in its own units."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Shape:
    """A drawn node, pool or lane; *label* is the box of its outside label when the drawing gives one."""

    element: str
    box: Box
    label: Box | None
    horizontal: bool
    expanded: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """A drawn flow or association with its way points."""

    element: str
    points: tuple[tuple[float, float], ...]
    label: Box | None


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """What an event waits for or throws; *expression* is the tag that carries *text* (``timeDuration``, ``condition`` …)."""

    kind: str
    reference: str | None
    expression: str
    text: str
    variable: str = ""
    """The variable that receives a message's payload."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Repetition of an activity."""

    kind: str
    sequential: bool
    cardinality: str
    input: str
    output: str
    completion: str
    behavior: str
    maximum: str


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator a service task calls: its identifier, the result's variable, parameters as FEEL texts."""

    id: str
    result: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Node:
    """One flow node."""

    id: str
    kind: str
    name: str
    container: str
    line: int
    lane: str | None
    lanes: tuple[str, ...]
    properties: Mapping[str, str]
    attributes: Mapping[str, str]
    extensions: frozenset[str]
    events: tuple[EventDefinition, ...]
    loop: Loop | None
    operator: Operator | None
    documentation: str
    children: frozenset[str]

    @property
    def default(self) -> str | None:
        """The default flow's identifier."""
        return self.attributes.get("default")

    @property
    def attached_to(self) -> str | None:
        """The activity a boundary event sits on."""
        return local(self.attributes.get("attachedToRef"))

    @property
    def interrupting(self) -> bool:
        """Whether a boundary event cancels its activity, or a start event its parent."""
        return self.attributes.get("cancelActivity", self.attributes.get("isInterrupting", "true")) == "true"

    @property
    def event_subprocess(self) -> bool:
        """Whether this sub-process starts by an event."""
        return self.attributes.get("triggeredByEvent") == "true"

    @property
    def manual(self) -> bool:
        """Whether a person works here."""
        return self.kind in MANUAL

    def event(self) -> str:
        """Return the one kind of this event: ``none``, ``timer`` …, or ``multiple``."""
        return self.events[0].kind if len(self.events) == 1 else "multiple" if self.events else "none"


@dataclass(frozen=True, slots=True)
class Flow:
    """One sequence flow; *condition* is its text, ``None`` without one."""

    id: str
    name: str
    source: str
    target: str
    condition: str | None
    container: str
    line: int


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane (the leaf ones carry members)."""

    id: str
    name: str
    container: str
    members: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Container:
    """A process or an embedded sub-process: the level on which its nodes and flows live."""

    id: str
    kind: str
    name: str
    parent: str | None
    executable: bool
    line: int


@dataclass(frozen=True, slots=True)
class Stranger:
    """An element of the model that is not part of any construct we know."""

    id: str
    kind: str
    container: str
    line: int


@dataclass(frozen=True)
class Diagram:
    """A whole BPMN file."""

    root: etree._Element
    file: str
    containers: Mapping[str, Container]
    nodes: Mapping[str, Node]
    flows: Mapping[str, Flow]
    lanes: tuple[Lane, ...]
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Identifier → (kind, name) of messages, signals, errors, escalations and data objects."""
    strangers: tuple[Stranger, ...] = ()
    duplicates: tuple[tuple[str, int], ...] = ()
    shapes: tuple[Shape, ...] = ()
    edges: tuple[Edge, ...] = ()
    pools: tuple[tuple[str, str, str | None], ...] = ()
    message_flows: tuple[str, ...] = ()

    @cached_property
    def _leaving(self) -> Mapping[str, tuple[Flow, ...]]:
        return _group(self.flows.values(), "source")

    @cached_property
    def _entering(self) -> Mapping[str, tuple[Flow, ...]]:
        return _group(self.flows.values(), "target")

    def leaving(self, node: str) -> tuple[Flow, ...]:
        """Return the flows that leave *node*, in document order."""
        return self._leaving.get(node, ())

    def entering(self, node: str) -> tuple[Flow, ...]:
        """Return the flows that enter *node*, in document order."""
        return self._entering.get(node, ())

    @cached_property
    def _inside(self) -> Mapping[str, tuple[Node, ...]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes.values():
            found.setdefault(node.container, []).append(node)
        return {container: tuple(nodes) for container, nodes in found.items()}

    def inside(self, container: str) -> tuple[Node, ...]:
        """Return the nodes of one level, in document order."""
        return self._inside.get(container, ())

    @cached_property
    def _boundary(self) -> Mapping[str, tuple[Node, ...]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes.values():
            if node.kind == "boundaryEvent" and node.attached_to:
                found.setdefault(node.attached_to, []).append(node)
        return {host: tuple(events) for host, events in found.items()}

    def boundary(self, node: str) -> tuple[Node, ...]:
        """Return the boundary events of *node*."""
        return self._boundary.get(node, ())

    @property
    def processes(self) -> tuple[Container, ...]:
        """The processes of the file, in document order."""
        return tuple(container for container in self.containers.values() if container.kind == "process")

    @property
    def main(self) -> Container | None:
        """The process that runs: the executable one, or the only one."""
        chosen = [process for process in self.processes if process.executable] or list(self.processes)
        return chosen[0] if len(chosen) == 1 else None

    def level(self, container: str) -> tuple[str, ...]:
        """Return *container* and its parents, innermost first."""
        chain: list[str] = []
        current: str | None = container
        while current is not None and current in self.containers and current not in chain:
            chain.append(current)
            current = self.containers[current].parent
        return tuple(chain)

    def name_of(self, reference: str | None) -> str:
        """Return the name of a message, signal, error or escalation."""
        return self.references.get(reference or "", ("", ""))[1]

    @cached_property
    def boxes(self) -> Mapping[str, Box]:
        """The drawn box of each element."""
        return {shape.element: shape.box for shape in self.shapes}


def _group(flows: Iterable[Flow], end: str) -> Mapping[str, tuple[Flow, ...]]:
    grouped: dict[str, list[Flow]] = {}
    for flow in flows:
        grouped.setdefault(getattr(flow, end), []).append(flow)
    return {node: tuple(found) for node, found in grouped.items()}


EMPTY: Mapping[str, str] = MappingProxyType({})
