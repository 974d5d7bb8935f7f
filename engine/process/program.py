"""A published diagram made ready to run: parsed once per process, every text on it compiled, nothing on it able to run Python."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeAlias, TypeVar

from lxml import etree

from engine.errors import EngineError, Refused
from engine.feel import ANY, FeelType
from engine.procedure.decisions import DecisionFiles, decision_files
from engine.procedure.diagram import FLOW_NODES, SUBPROCESSES
from engine.procedure.normaliser import normalise
from engine.procedure.package import DIAGRAM as DIAGRAM_FILE
from engine.procedure.package import Package
from engine.procedure.safe_xml import parse_xml
from engine.procedure.scope import variable_types
from engine.process import spiff
from engine.process.interpreter import PARAMETER
from engine.process.surfaces import ListLimit, Surface, Types

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DI = "http://www.omg.org/spec/BPMN/20100524/DI"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
_KEPT = 128
NO_DECISIONS = DecisionFiles({}, ())

T = TypeVar("T")
Mark: TypeAlias = Callable[[str, str, str], Surface]


@dataclass(frozen=True, slots=True)
class Node:
    """An element of the diagram a person would point at."""

    id: str
    kind: str
    name: str


@dataclass(slots=True)
class Program:
    """One executable version; shared by all its instances, never changed by them."""

    version_id: Hashable
    process_id: str
    nodes: Mapping[str, Node]
    flows: Mapping[tuple[str, str], tuple[str, ...]]
    surfaces: tuple[Surface, ...]
    spec: Any
    subs: Mapping[str, Any]
    types: Types | None = field(default=None)
    _frozen: bytes | None = field(default=None)
    decisions: DecisionFiles = field(default=NO_DECISIONS)

    def specifications(self) -> tuple[Any, Mapping[str, Any]]:
        """Return what the library runs: shared, or a private copy where an event sub-process would change it (10)."""
        if self._frozen is None:
            return self.spec, self.subs
        # Our own object, pickled in this very process a moment ago; it never leaves memory.
        return pickle.loads(self._frozen)  # type: ignore[no-any-return]  # noqa: S301


_programs: OrderedDict[Hashable, Program] = OrderedDict()
_lock = Lock()


def program(version_id: Hashable, package: Package) -> Program:
    """Return the program of a published version, built on first use and kept for the life of the process.

    Raises: Refused ``process.*`` when the diagram cannot be run; the publication gate says so earlier and better.
    """
    with _lock:
        known = _programs.get(version_id)
        if known is not None:
            _programs.move_to_end(version_id)
            return known
    built = prepare(version_id, package)
    with _lock:
        _programs[version_id] = built
        while len(_programs) > _KEPT:
            _programs.popitem(last=False)
    return built


def prepare(version_id: Hashable, package: Package) -> Program:
    """Build the program of a package in its normal form, with the types its forms declare, without keeping it.

    Raises: Refused ``process.*``, ``xml.*``, ``form.*``.
    """
    normalised = normalise(package.whole)
    built = build(version_id, normalised.xml, variable_types(package, normalised.diagram))
    built.decisions = decision_files(package)
    return built


def build(version_id: Hashable, xml: bytes, declared: Mapping[str, FeelType] | None = None) -> Program:
    """Build a program from *xml*; *declared* are the variables its expressions may read, any if it is None.

    Raises: Refused ``process.*`` and ``xml.*``.
    """
    root = _prepared(parse_xml(xml, DIAGRAM_FILE))
    process_id = _main_process(root)
    nodes, flows = _nodes(root), _flows(root)
    types = None if declared is None else Types({**_repeated(root), **declared})
    spec, subs = _in_fresh_stack(lambda: _parsed(root, process_id))
    surfaces: list[Surface] = []

    def mark(text: str, kind: str, element: str) -> Surface:
        # A key is read from what a message carries, which no form declares.
        surfaces.append(Surface.at(text, kind, element, 0 if types is None or kind == "key" else types.number))
        return surfaces[-1]

    for one in (spec, *subs.values()):
        for task_spec in list(one.task_specs.values()):
            _compile(task_spec, mark)
    private = any(getattr(one.start, "trigger_specs", ()) for one in (spec, *subs.values()))
    return Program(
        version_id, process_id, nodes, flows, tuple(surfaces), spec, subs, types, pickle.dumps((spec, subs)) if private else None
    )


def _repeated(root: etree._Element) -> dict[str, FeelType]:
    """Return the names under which repeated steps see their item and leave their results: of any type."""
    found = {str(one.get("id")): ANY for kind in ("inputDataItem", "outputDataItem") for one in root.iter(_tag(kind))}
    return found | {(one.text or "").strip(): ANY for one in root.iter(_tag("loopDataOutputRef"))}


def _tag(name: str) -> str:
    return f"{{{BPMN}}}{name}"


def _prepared(root: etree._Element) -> etree._Element:
    """Drop the drawing (it must not decide an order) and complete what the library insists on."""
    for drawing in root.findall(f"{{{DI}}}BPMNDiagram"):
        root.remove(drawing)
    for process in root.iter(_tag("process")):
        _lane_of_each(process)
    for parameter in root.iter(f"{{{SPIFF}}}parameter"):
        if parameter.get("type") is None:
            parameter.set("type", "any")
        # The library looks for the target of a flow among all identifiers: a parameter must not be taken for a step of its name.
        parameter.set("id", PARAMETER + (parameter.get("id") or ""))
    for kind in ("error", "escalation"):
        for declared in root.iter(_tag(kind)):
            if not declared.get(f"{kind}Code"):  # the library takes a catcher of one without a code for a catcher of all (54)
                declared.set(f"{kind}Code", declared.get("id") or "")
    return root


def _lane_of_each(process: etree._Element) -> None:
    """Name the lane of every step itself: the library puts all of a sub-process into the lane of the sub-process, its own lanes or not."""
    references = list(process.iter(_tag("flowNodeRef")))
    placed = {(one.text or "").strip(): one.getparent() for one in references}
    groups: set[str] = set()

    def walk(level: etree._Element, above: etree._Element | None) -> None:
        inherited = above if level.find(_tag("laneSet")) is None else None
        for child in [one for one in level if isinstance(one.tag, str)]:
            identifier, kind = child.get("id") or "", etree.QName(child).localname
            lane = placed.get(identifier, inherited)
            if kind in SUBPROCESSES:
                groups.add(identifier)
                walk(child, lane)
            elif kind in FLOW_NODES and identifier not in placed and lane is not None:
                etree.SubElement(lane, _tag("flowNodeRef")).text = identifier

    walk(process, None)
    for one in references:
        if (one.text or "").strip() in groups and (lane := one.getparent()) is not None:
            lane.remove(one)


def _main_process(root: etree._Element) -> str:
    """Return the process that runs; those it calls are marked executable too, which the library insists on."""
    called = {one.get("calledElement") for one in root.iter(_tag("callActivity"))}
    found = [
        one.get("id") or ""
        for one in root.iter(_tag("process"))
        if one.get("isExecutable", "true") == "true" and one.get("id") not in called and one.find(_tag("startEvent")) is not None
    ]
    if len(found) != 1:
        raise Refused("process.no_main_process", count=len(found))
    for one in root.iter(_tag("process")):
        if one.get("id") in called:
            one.set("isExecutable", "true")
    return found[0]


def _in_fresh_stack(work: Callable[[], T]) -> T:
    """Run *work* on an empty stack: the library parses by recursion, one flow deeper each time (21)."""
    with ThreadPoolExecutor(1) as one:
        return one.submit(work).result()


def _parsed(root: etree._Element, process_id: str) -> tuple[Any, dict[str, Any]]:
    parser = spiff.SpiffBpmnParser()
    try:
        parser.add_bpmn_xml(root)
        return parser.get_spec(process_id), parser.get_subprocess_specs(process_id)
    except EngineError:
        raise
    except Exception as error:
        if _ran_out_of_stack(error):
            raise Refused("process.too_many_nodes") from None
        raise Refused("process.not_runnable", element=str(getattr(error, "id", "") or "")) from error


def _ran_out_of_stack(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, RecursionError):
        error = error.__cause__ or error.__context__
    return error is not None


def _compile(task_spec: Any, mark: Mark) -> None:
    """Mark every text of one node as an expression of its kind; refuse what would be a script."""
    element = str(task_spec.bpmn_id or task_spec.name)
    if getattr(task_spec, "prescript", None) or getattr(task_spec, "postscript", None) or isinstance(task_spec, spiff.ScriptTask):
        raise Refused("process.script", step=element)
    if isinstance(task_spec, spiff.BusinessRuleTaskMixin):
        raise Refused("process.unsupported", step=element)
    if isinstance(task_spec, spiff.MultiChoice):
        for condition, _ in task_spec.cond_task_specs:
            if condition is not None:
                condition.args = [mark(condition.args[0], "condition", element)]
    if isinstance(task_spec, spiff.ServiceTask):
        for parameter in task_spec.operation_params.values():
            parameter["value"] = mark(parameter["value"], "value", element)
    if isinstance(task_spec, spiff.LoopTask):
        _compile_loop(task_spec, element, mark)
    if isinstance(task_spec, spiff.CatchingEvent | spiff.ThrowingEvent):
        for owner, definition in definitions(task_spec):
            _compile_event(definition, owner, mark)


def _compile_loop(task_spec: Any, element: str, mark: Mark) -> None:
    body = task_spec._wf_spec.task_specs[task_spec.task_spec]
    if not body.completed_event.is_connected(task_spec.merge_child):
        # The library connects it when the first repetition starts; an instance restored elsewhere would never hear of its end.
        body.completed_event.connect(task_spec.merge_child)
    if task_spec.condition is not None:
        task_spec.condition = mark(task_spec.condition, "condition", element)
    if isinstance(task_spec, spiff.MultiInstanceTask):
        if task_spec.cardinality is not None:
            task_spec.cardinality = mark(task_spec.cardinality, "count", element)
        if task_spec.data_input is not None:
            task_spec.checked_input = ListLimit.at(task_spec.data_input.bpmn_id, "list", element)


def definitions(task_spec: Any) -> Iterator[tuple[str, Any]]:
    """Yield the event definitions of an event node, each with the id of the node it was drawn on."""
    definition = task_spec.event_definition
    if not isinstance(definition, spiff.MultipleEventDefinition):
        yield str(task_spec.name), definition
        return
    drawn_on = list(task_spec.outputs) if len(task_spec.outputs) == len(definition.event_definitions) > 1 else []
    for place, one in enumerate(definition.event_definitions):
        yield (str(drawn_on[place].name) if drawn_on else f"{task_spec.name}.{place}"), one


def _compile_event(definition: Any, element: str, mark: Mark) -> None:
    if isinstance(definition, spiff.TimerEventDefinition):
        kind = "cycle" if isinstance(definition, spiff.CycleTimerEventDefinition) else "due"
        definition.name = element  # its instant is stored under this name: two timers behind one gateway keep apart (29)
        definition.expression = mark(definition.expression or "", kind, element)
        return
    kind = "watch" if isinstance(definition, spiff.ConditionalEventDefinition) else "value"
    if kind == "watch":
        definition.name = element  # two conditions behind one gateway keep apart
    if getattr(definition, "expression", None) is not None:
        definition.expression = mark(definition.expression, kind, element)
    for one in getattr(definition, "correlation_properties", ()):
        one.retrieval_expression = mark(one.retrieval_expression, "key", element)
    for one in getattr(definition, "process_correlations", ()):
        one.retrieval_expression = mark(one.retrieval_expression, "value", element)


def _nodes(root: etree._Element) -> dict[str, Node]:
    kinds = ("Task", "Event", "Gateway", "task", "subProcess", "callActivity", "transaction")
    return {
        str(one.get("id")): Node(str(one.get("id")), etree.QName(one).localname, one.get("name") or "")
        for one in root.iter(f"{{{BPMN}}}*")
        if one.get("id") and etree.QName(one).localname.endswith(kinds)
    }


def _flows(root: etree._Element) -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for flow in root.iter(_tag("sequenceFlow")):
        ends = (flow.get("sourceRef") or "", flow.get("targetRef") or "")
        found[ends] = (*found.get(ends, ()), flow.get("id") or "")
    return found
