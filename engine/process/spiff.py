"""The only door to SpiffWorkflow: the names we use, and every change we make to the library, each with the defect it answers.

The numbers are those of ``docs/engine-defects.md``. Every change is one ``Patch``; a test takes each away and shows what breaks.
Values inside an instance are never changed in place: a step's answers, a rule's output and a join all *assign* new values, so
tasks may share what they inherit and no later step can alter what an earlier one recorded (9, 43).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

import SpiffWorkflow.task as library_task
from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.script_engine.python_environment import BasePythonScriptEngineEnvironment
from SpiffWorkflow.bpmn.specs.bpmn_task_spec import _BpmnCondition
from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin, BoundaryEventSplit, _EndJoin
from SpiffWorkflow.bpmn.specs.event_definitions.conditional import ConditionalEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.multiple import MultipleEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.timer import (
    CycleTimerEventDefinition,
    DurationTimerEventDefinition,
    TimeDateEventDefinition,
    TimerEventDefinition,
)
from SpiffWorkflow.bpmn.specs.mixins.events.end_event import EndEvent
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent, ThrowingEvent
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent
from SpiffWorkflow.bpmn.specs.mixins.inclusive_gateway import InclusiveGateway
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask, MultiInstanceTask, StandardLoopTask
from SpiffWorkflow.bpmn.specs.mixins.parallel_gateway import ParallelGateway
from SpiffWorkflow.bpmn.specs.mixins.script_task import ScriptTask
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import CallActivity, EventSubprocess, SubWorkflowTask
from SpiffWorkflow.bpmn.specs.mixins.unstructured_join import UnstructuredJoin
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.util.task import BpmnTaskIterator
from SpiffWorkflow.dmn.specs import BusinessRuleTaskMixin
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.specs.MultiChoice import MultiChoice
from SpiffWorkflow.spiff.parser import SpiffBpmnParser
from SpiffWorkflow.spiff.specs.event_definitions import (
    ErrorEventDefinition,
    EscalationEventDefinition,
    MessageEventDefinition,
    SignalEventDefinition,
)
from SpiffWorkflow.spiff.specs.mixins.service_task import ServiceTask
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskIterator

from engine.errors import Refused

__all__ = [
    "LIVE",
    "PATCHES",
    "TICKS",
    "BoundaryEvent",
    "BoundaryEventJoin",
    "BoundaryEventSplit",
    "BpmnEvent",
    "BpmnSubWorkflow",
    "BpmnWorkflow",
    "BusinessRuleTaskMixin",
    "CallActivity",
    "CatchingEvent",
    "ConditionalEventDefinition",
    "CycleTimerEventDefinition",
    "EndEvent",
    "Engine",
    "ErrorEventDefinition",
    "EscalationEventDefinition",
    "EventSubprocess",
    "Instance",
    "LoopTask",
    "MergeConflict",
    "MessageEventDefinition",
    "MultiChoice",
    "MultiInstanceTask",
    "MultipleEventDefinition",
    "ScriptTask",
    "ServiceTask",
    "SignalEventDefinition",
    "SpiffBpmnParser",
    "StandardLoopTask",
    "SubWorkflowTask",
    "Task",
    "TaskState",
    "ThrowingEvent",
    "Ticks",
    "TimerEventDefinition",
    "UnstructuredJoin",
    "WorkflowException",
    "bare",
    "consumed_by",
    "is_join",
    "merge3",
    "same",
]

PINNED = "3.2.0"
if version("SpiffWorkflow") != PINNED:
    raise RuntimeError(f"SpiffWorkflow must be {PINNED}: every change below was made for that version")

LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED | TaskState.ERROR
_NO = object()


class Ticks:
    """The order of events inside one instance: a counter kept in its state, in place of the server's wall clock."""

    def __init__(self, last: int = 0) -> None:
        self.last = last

    def time(self) -> int:
        """Return the next number."""
        self.last += 1
        return self.last


TICKS: ContextVar[Ticks] = ContextVar("ticks")


_UNCOUNTED = Ticks()


class _LogicalTime:
    """Stands in for the module ``time`` inside the library's ``task`` module."""

    @staticmethod
    def time() -> int:
        return TICKS.get(_UNCOUNTED).time()


class _NoPython(BasePythonScriptEngineEnvironment):  # type: ignore[misc]
    """Correlation reaches the environment without the engine; nothing here evaluates a text (33)."""

    def evaluate(self, expression: Any, context: Mapping[str, Any], external_context: Mapping[str, Any] | None = None) -> Any:
        evaluate = getattr(expression, "evaluate", None)
        if evaluate is None:
            raise Refused("process.script", step="")
        return evaluate({**(external_context or {}), **context})

    def execute(self, *_: Any, **__: Any) -> Any:
        raise Refused("process.script", step="")

    call_service = execute


class Engine(PythonScriptEngine):  # type: ignore[misc]
    """What the library asks for a value: only texts compiled when the program was built are evaluated, never Python (33, 18).

    *horizon* is the instant up to which deadlines count as passed; *now* the instant from which new ones are counted.
    """

    def __init__(
        self,
        now: datetime,
        due: Callable[[Any, Any], datetime],
        repeat: Callable[[Any, Any], Any],
        call: Callable[[Any, str, Mapping[str, Any]], Any],
        look: Callable[[Any, Any, Mapping[str, Any] | None], Any],
    ) -> None:
        super().__init__(_NoPython())
        self.now = self.horizon = now
        self.due, self.repeat, self._call, self._look = due, repeat, call, look

    def evaluate(self, task: Any, expression: Any, external_context: Mapping[str, Any] | None = None) -> Any:
        """Evaluate a compiled surface over the task's variables; a text that was not compiled is refused."""
        return self._look(task, expression, external_context)

    def execute(self, task: Any, script: Any, external_context: Any = None) -> Any:
        """Refuse: there are no scripts."""
        raise Refused("process.script", step=str(task.task_spec.bpmn_id))

    def call_service(self, task: Any, **facts: Any) -> Any:
        """Run an operator without the library's handler, which loses the real error (18)."""
        parameters = {key: one["value"] for key, one in facts["operation_params"].items()}
        return self._call(task, facts["operation_name"], parameters)


class Instance(BpmnWorkflow):  # type: ignore[misc]
    """A running instance; *history* remembers what pruning dropped from the tree."""

    def __init__(self, *facts: Any, **options: Any) -> None:
        self.history: dict[str, dict[str, int]] = {"nodes": {}, "flows": {}}
        super().__init__(*facts, **options)

    def refresh_timers(self) -> None:
        """Do nothing: deadlines are fired one by one, the earliest first, by ``engine.process.instance``."""


# -- the changes ------------------------------------------------------------------------------------------------------------------


class MergeConflict(ValueError):
    """Two parallel branches gave one variable different values."""


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same in type and content: unlike ``==``, ``1`` is not ``true`` and not ``1.0``."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def merge3(
    base: Mapping[str, Any], mine: Mapping[str, Any], other: Mapping[str, Any], path: tuple[str, ...] = (), strict: bool = True
) -> dict[str, Any]:
    """Take from *other* only what it changed since *base*; a value changed on both sides is a conflict (16, 44).

    Raises: MergeConflict, unless not *strict*: then *other* wins (several end events: the later one).
    """
    out = dict(mine)
    for key in base.keys() | other.keys():
        before, theirs, ours = base.get(key, _NO), other.get(key, _NO), mine.get(key, _NO)
        if same(theirs, before):
            continue
        if same(ours, before) or same(ours, theirs):
            value = theirs
        elif isinstance(ours, dict) and isinstance(theirs, dict):
            value = merge3(before if isinstance(before, dict) else {}, ours, theirs, (*path, key), strict)
        elif strict:
            raise MergeConflict(".".join((*path, key)))
        else:
            value = theirs
        if value is _NO:
            out.pop(key, None)
        else:
            out[key] = value
    return out


def _above(task: Any) -> Iterator[Any]:
    while task.parent is not None:
        task = task.parent
        yield task


def _is_descendant_of(self: Any, task: Any) -> bool:
    return any(one is task for one in _above(self))


def _find_ancestor(self: Any, spec_name: str) -> Any:
    return next((one for one in _above(self) if one.task_spec.name == spec_name), None)


def _inherit_data(self: Any) -> None:
    self.data = {**self.data, **self.parent.data}


def is_join(task_spec: Any) -> bool:
    """Whether tokens wait for each other at this node."""
    return isinstance(task_spec, UnstructuredJoin)


def consumed_by(tasks: Iterable[Any]) -> set[tuple[str, str]]:
    """Return the tokens joins have consumed: the name of the join and the id of the task each token came from."""
    return {
        (task.task_spec.name, origin)
        for task in tasks
        if task.state == TaskState.COMPLETED and is_join(task.task_spec)
        for origin in (str(task.parent.id), *task.internal_data.get("joined", ()))
    }


def _arrived(gateway: Any, task: Any) -> list[Any]:
    """Return the other tokens that wait at *gateway* now, oldest first; what an earlier round consumed is over (44, 46, 47)."""
    here = [one for one in task.workflow.tasks.values() if one.task_spec is gateway]
    consumed = consumed_by(here)
    reached = TaskState.WAITING | TaskState.FINISHED_MASK
    found = [
        one
        for one in here
        if one is not task
        and one.has_state(reached)
        and one.parent.state == TaskState.COMPLETED
        and (gateway.name, str(one.parent.id)) not in consumed
    ]
    return sorted(found, key=lambda one: one.last_state_change)


def _parallel_threshold(self: Any, task: Any) -> bool:
    arrived = {one.parent.task_spec.name for one in (*_arrived(self, task), task)}
    return arrived.issuperset(spec.name for spec in self.inputs)


def _inclusive_threshold(self: Any, task: Any) -> bool:
    """Wait while a token elsewhere can still reach an empty incoming flow, unless it can reach one that has its token."""
    arrived = {one.parent.task_spec.name for one in (*_arrived(self, task), task)}
    empty = {spec.name for spec in self.inputs} - arrived
    tokens = {
        one.task_spec.name: one.task_spec
        for one in task.workflow.tasks.values()
        if one.has_state(LIVE | TaskState.FUTURE)
        and one.task_spec is not self
        and (
            one.parent is None
            or not one.parent.has_state(TaskState.PREDICTED_MASK | TaskState.FUTURE | TaskState.WAITING | TaskState.READY)
        )
    }
    for spec in tokens.values() if empty else ():
        within, ahead = {spec.name}, [spec]
        while ahead:
            for following in ahead.pop().outputs:
                if following is not self and following.name not in within:
                    within.add(following.name)
                    ahead.append(following)
        if within & empty and not within & arrived:
            return False
    return True


def _join(self: Any, task: Any) -> bool:
    final = isinstance(self, _EndJoin)
    tips = [one.parent for one in _arrived(self, task)] + [task.parent]
    base = next(a for a in (task.parent, *_above(task.parent)) if all(tip is a or _is_descendant_of(tip, a) for tip in tips)).data
    try:
        merged: dict[str, Any] = dict(base)
        for tip in tips:
            merged = merge3(base, merged, tip.data, strict=not final)
        task.data = merged
    except MergeConflict as conflict:
        raise Refused("process.join_conflict", step=str(self.bpmn_id or self.name), variable=str(conflict)) from conflict
    if len(tips) > 1:
        task.internal_data["joined"] = [str(tip.id) for tip in tips[:-1]]
    return True


def _merge_loop(self: Any, workflow: Any, child: Any) -> None:
    task = child.parent
    task.data = dict(child.data)
    task.internal_data["merged"] = [*task.internal_data.get("merged", []), str(child.id)]
    if self.loop_complete(task):
        task._set_state(TaskState.READY)
    else:
        self.create_child(task)


def _enter_instances(self: Any, task: Any) -> Any:
    result = super(MultiInstanceTask, self)._update_hook(task)
    given = self.data_input.bpmn_id if self.data_input is not None else None
    if self.data_output is not None and self.data_output.bpmn_id != given:
        task.data.pop(self.data_output.bpmn_id, None)
    if self.data_input is not None:
        task.workflow.script_engine.evaluate(task, self.checked_input)
    return result


def _merge_instance(self: Any, workflow: Any, child: Any) -> None:
    task = child.parent
    if self.data_output is not None and self.output_item is not None:
        if not self.output_item.exists(child):
            raise Refused("process.no_result", step=str(self.bpmn_id), variable=self.output_item.bpmn_id)
        item, so_far = self.output_item.get(child), self.data_output.get(task)
        key = child.internal_data.get("key_or_index")
        in_place = self.data_input is not None and self.data_input.bpmn_id == self.data_output.bpmn_id
        if key is not None and isinstance(so_far, Mapping):
            self.data_output.set(task, {**so_far, key: item})
        elif key is not None and in_place:
            self.data_output.set(task, [item if place == key else old for place, old in enumerate(so_far)])
        else:
            self.data_output.set(task, [*(so_far or []), item])
    else:
        own = {one.bpmn_id for one in (self.input_item, self.output_item) if one is not None}
        changed = {key: value for key, value in child.data.items() if key not in own}
        task.data = merge3(task.parent.data, task.data, changed, strict=False)
    task.internal_data["merged"] = [*task.internal_data.get("merged", []), str(child.id)]


def _first_output_of_list(self: Any, task: Any, given: Any) -> None:
    if self.data_output.bpmn_id != self.data_input.bpmn_id:
        self.data_output.set(task, {} if isinstance(given, Mapping) else [])


def _first_output_of_count(self: Any, task: Any) -> None:
    self.data_output.set(task, [])


def _timer_fired(self: Any, task: Any) -> bool:
    due = task.internal_data.setdefault("due", {})
    if self.name not in due:
        due[self.name] = task.workflow.script_engine.due(task, self.expression).isoformat()
    return bool(datetime.fromisoformat(due[self.name]) <= task.workflow.script_engine.horizon)


def _cycle_fired(self: Any, task: Any) -> bool:
    engine = task.workflow.script_engine
    state = task.internal_data.get("cycle")
    if state is None:
        plan = engine.repeat(task, self.expression)
        state = {"left": plan.times, "next": plan.first.isoformat(), "every": plan.every.total_seconds()}
    due = datetime.fromisoformat(state["next"])
    fired = bool(state["left"] != 0 and due <= engine.horizon)
    if fired:
        state = {**state, "left": state["left"] - 1, "next": (due + timedelta(seconds=state["every"])).isoformat()}
    if state["left"] == 0:
        task.internal_data["event_fired"] = True
    task.internal_data["cycle"] = state
    return fired


def _condition(self: Any, task: Any) -> bool:
    return bool(task.workflow.script_engine.evaluate(task, self.args[0], external_context=task.workflow.data_objects))


def _watched(self: Any, task: Any) -> bool:
    # Only shared data is watched: another branch's variables would never arrive here (32).
    fired = bool(task.workflow.script_engine.evaluate(task, self.expression, external_context=task.workflow.data_objects))
    task.internal_data["has_fired"] = fired
    return fired


def _operate(self: Any, task: Any) -> bool:
    result = task.workflow.script_engine.call_service(task, operation_name=self.operation_name, operation_params=self.evaluate_params(task))
    if not self.result_variable.startswith("spiff__"):  # the library's own name for "none was given"
        task.data[self.result_variable] = result
    return True


@dataclass(frozen=True, slots=True)
class Patch:
    """One change: attribute *name* of *owner* becomes *value*, because of *defects*."""

    owner: Any
    name: str
    value: Any
    defects: tuple[int, ...]

    def apply(self) -> Callable[[], None]:
        """Make the change and return what undoes it."""
        before = self.owner.__dict__.get(self.name, _NO) if isinstance(self.owner, type) else getattr(self.owner, self.name)
        setattr(self.owner, self.name, self.value)

        def undo() -> None:
            if before is _NO:
                delattr(self.owner, self.name)
            else:
                setattr(self.owner, self.name, before)

        return undo


_DEEP = 10**6
PATCHES: tuple[Patch, ...] = (
    Patch(TaskIterator.__init__, "__defaults__", (None, _DEEP, *TaskIterator.__init__.__defaults__[2:]), (1,)),
    Patch(BpmnTaskIterator.__init__, "__defaults__", (None, _DEEP, *BpmnTaskIterator.__init__.__defaults__[2:]), (1,)),
    Patch(Task, "is_descendant_of", _is_descendant_of, (1,)),
    Patch(Task, "find_ancestor", _find_ancestor, (1,)),
    Patch(ParallelGateway, "_check_threshold_unstructured", _parallel_threshold, (1, 47)),
    Patch(InclusiveGateway, "_check_threshold_unstructured", _inclusive_threshold, (46,)),
    Patch(Task, "_inherit_data", _inherit_data, (9, 43)),
    Patch(UnstructuredJoin, "_run_hook", _join, (16, 44)),
    Patch(StandardLoopTask, "merge_child", _merge_loop, (43,)),
    Patch(MultiInstanceTask, "merge_child", _merge_instance, (43, 45)),
    Patch(MultiInstanceTask, "_update_hook", _enter_instances, (27, 45)),
    Patch(MultiInstanceTask, "init_data_output_with_input_data", _first_output_of_list, (45,)),
    Patch(MultiInstanceTask, "init_data_output_with_cardinality", _first_output_of_count, (45,)),
    Patch(TimeDateEventDefinition, "has_fired", _timer_fired, (13, 22, 29, 30)),
    Patch(DurationTimerEventDefinition, "has_fired", _timer_fired, (12, 22, 29, 30, 31)),
    Patch(CycleTimerEventDefinition, "cycle_complete", _cycle_fired, (12, 13, 30)),
    Patch(ConditionalEventDefinition, "has_fired", _watched, (32,)),
    Patch(_BpmnCondition, "_matches", _condition, (33,)),
    Patch(ServiceTask, "_execute", _operate, (18,)),
    Patch(library_task, "time", _LogicalTime, (13,)),
)

_undo = [patch.apply() for patch in PATCHES]


@contextmanager
def bare(*without: Patch) -> Iterator[None]:
    """Take the changes away for a while (all of them, or those named): the tests characterise the library as it is shipped."""
    chosen = [place for place, patch in enumerate(PATCHES) if not without or patch in without]
    for place in reversed(chosen):
        _undo[place]()
    try:
        yield
    finally:
        for place in chosen:
            PATCHES[place].apply()
