"""The only door to SpiffWorkflow: the names we use, and every change we make to the library, each with the defect it answers.

The numbers are those of ``docs/engine-defects.md``. Every change is one ``Patch``; a test takes each away and shows what breaks. How a
token goes from task to task stands in ``engine.process.moves``.
Values inside an instance are never changed in place: a step's answers, a rule's output and a join all *assign* new values, so
tasks may share what they inherit and no later step can alter what an earlier one recorded (9, 43).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

import SpiffWorkflow.task as library_task
from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.script_engine.python_environment import BasePythonScriptEngineEnvironment
from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin, BoundaryEventSplit, _EndJoin
from SpiffWorkflow.bpmn.specs.event_definitions.conditional import ConditionalEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.multiple import MultipleEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition
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
from SpiffWorkflow.bpmn.util.event import EventManager
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.util.task import BpmnTaskIterator
from SpiffWorkflow.dmn.specs import BusinessRuleTaskMixin
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.specs.base import TaskSpec
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
from SpiffWorkflow.util.event import Event
from SpiffWorkflow.util.task import TaskIterator
from SpiffWorkflow.workflow import Workflow

from engine.errors import Refused
from engine.process import moves
from engine.process.branches import LIVE, NOTHING, above, began_with, consumed_by, inside_host, is_cycle, is_join, latest, token_passed
from engine.process.merging import MergeConflict, merge3
from engine.process.sleeping import asleep_ahead, at_node, awake, numbers_above, standing_in
from engine.process.ticks import tick

__all__ = [
    "LIVE", "PATCHES", "BasePythonScriptEngineEnvironment", "BoundaryEvent", "BoundaryEventJoin", "BoundaryEventSplit", "BpmnEvent",
    "BpmnSubWorkflow", "BpmnWorkflow", "BusinessRuleTaskMixin", "CallActivity", "CatchingEvent", "ConditionalEventDefinition",
    "CycleTimerEventDefinition", "EndEvent", "ErrorEventDefinition", "EscalationEventDefinition",
    "Event", "EventManager", "EventSubprocess", "LoopTask",
    "MessageEventDefinition", "MultiChoice", "MultiInstanceTask", "MultipleEventDefinition", "NoneEventDefinition",
    "PythonScriptEngine", "ScriptTask", "ServiceTask", "SignalEventDefinition", "SpiffBpmnParser", "StandardLoopTask",
    "SubWorkflowTask", "Task", "TaskState", "ThrowingEvent", "TimerEventDefinition", "UnstructuredJoin", "WorkflowException", "bare",
    "consumed_by", "is_join", "latest", "token_passed", "watches",
]  # fmt: skip

PINNED = "3.2.0"
if version("SpiffWorkflow") != PINNED:
    raise RuntimeError(f"SpiffWorkflow must be {PINNED}: every change below was made for that version")

_NO = object()


def _is_descendant_of(self: Any, task: Any) -> bool:
    return task.id in numbers_above(self)


def _find_ancestor(self: Any, spec_name: str) -> Any:
    return next((one for one in above(self) if one.task_spec.name == spec_name), None)


def _no_log_extras(self: Any, dct: Any = None) -> dict[str, Any]:
    # Unless its loggers are given a level of their own, the library hands a task's data, people's data, to every log line.
    return dict(dct or {})


def _all_ended(self: Any, task: Any) -> bool:
    unfinished = [one.task_spec.name for one in awake(task.workflow) if one._state & TaskState.NOT_FINISHED_MASK and one is not task]
    return all(name == "End" for name in (*unfinished, *asleep_ahead(task.workflow)))


def _into_sub_process(self: Any, task: Any, flow: Any) -> None:
    flow.task_tree.data.update(task.data)


def _out_of_sub_process(self: Any, task: Any, flow: Any) -> None:
    task.data = dict(flow.last_task.data)


_out_of_a_call_with_outputs = CallActivity.update_data


def _out_of_call(self: Any, task: Any, flow: Any) -> None:
    declared = flow.spec.io_specification
    if declared is None or not declared.data_outputs:
        task.data = dict(flow.last_task.data)
    else:
        _out_of_a_call_with_outputs(self, task, flow)


def _inherit_data(self: Any) -> None:
    self.data = {**self.data, **self.parent.data}


_cancel_with_all_below = Task.cancel


def _cancel(self: Any) -> None:
    if not is_cycle(self.task_spec) or self.has_state(TaskState.FINISHED_MASK):
        _cancel_with_all_below(self)
        return
    # Its host is over and no further turn comes; what earlier turns began goes on (51).
    self._set_state(TaskState.CANCELLED)
    self.workflow.top_workflow.event_manager.remove_task(self)
    for child in self.children:
        if child.has_state(TaskState.PREDICTED_MASK):
            self.workflow._remove_task(child.id)


def _arrived(gateway: Any, task: Any) -> list[Any]:
    """Return the other tokens that wait at *gateway* now, oldest first; what an earlier round consumed is over (44, 46, 47)."""
    here = at_node(task.workflow, gateway)
    consumed = consumed_by(here)
    reached = TaskState.WAITING | TaskState.FINISHED_MASK
    found = [
        one
        for one in here
        if one is not task and one.has_state(reached) and token_passed(one) and (gateway.name, one.parent.id) not in consumed
    ]
    return sorted(found, key=lambda one: one.last_state_change)


def _parallel_threshold(self: Any, task: Any) -> bool:
    arrived = {one.parent.task_spec.name for one in (*_arrived(self, task), task)}
    return arrived.issuperset(spec.name for spec in self.inputs)


def _inclusive_threshold(self: Any, task: Any) -> bool:
    """Wait while a token elsewhere can still reach an empty incoming flow, unless it can reach one that has its token.

    What happens at once elsewhere on the level happens first: an end that ends everything is not outrun by a join beside it.
    """
    if any(one.has_state(TaskState.READY) and not one.task_spec.manual for one in standing_in(task.workflow) if one.task_spec is not self):
        return False
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


def _arrive(self: Any, task: Any) -> bool:
    """Go on with the latest token once enough are here, else wait with it; only what something stands at is looked at (56)."""
    enough = self._check_threshold_unstructured(task)
    for one in standing_in(task.workflow):
        if one.task_spec is self and one is not task and one._state == TaskState.WAITING:
            one.cancel()
    if enough:
        task._inherit_data()
    else:
        task._set_state(TaskState.WAITING)
    return bool(enough)


def _join(self: Any, task: Any) -> bool:
    final = isinstance(self, _EndJoin)
    tips = [one.parent for one in _arrived(self, task)] + [task.parent]
    if len(tips) == 1:
        task.data = dict(tips[0].data)
        return True
    ways = [[tip.id, *numbers_above(tip)] for tip in tips]
    parted = task.workflow.tasks.get(next(one for one in numbers_above(task) if all(one in way for way in ways)))
    try:
        merged: dict[str, Any] = dict(parted.data)
        for tip in tips:
            merged = merge3(began_with(tip, parted), merged, tip.data, strict=not final)
        task.data = merged
    except MergeConflict as conflict:
        raise Refused("process.join_conflict", step=str(self.bpmn_id or self.name), variable=str(conflict)) from conflict
    task.internal_data["joined"] = [tip.id for tip in tips[:-1]]
    return True


_event_ready = BoundaryEvent._on_ready_hook


def _boundary_ready(self: Any, task: Any) -> None:
    """What happens to a sub-process goes on with what was written inside it so far, not with what it was entered with (53)."""
    _event_ready(self, task)
    inside = inside_host(task)
    if inside is not NOTHING and inside is not None:
        task.data = latest(inside)


_event_run = BoundaryEvent._run_hook


def _boundary_run(self: Any, task: Any) -> Any:
    """An event that does not interrupt may happen again as long as its host is at work (52)."""
    result = _event_run(self, task)
    split = task.parent
    again = not self.cancel_activity and not isinstance(self.event_definition, TimerEventDefinition)
    if again and any(one.has_state(LIVE) for one in split.children if not isinstance(one.task_spec, BoundaryEvent)):
        event = split._add_child(self, TaskState.FUTURE)
        event._inherit_data()
        if isinstance(self.event_definition, ConditionalEventDefinition):
            event.internal_data["held"] = True
        self._predict(event, mask=TaskState.FUTURE | TaskState.PREDICTED_MASK)
        self._update(event)
    return result


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


def _enough(self: Any, task: Any) -> bool:
    """Whether a repetition is over early: its condition sees the results so far beside what the last instance knew (55)."""
    merged = task.internal_data.get("merged", [])
    if not merged or self.condition is None:
        return False
    last = next(one for one in task.children if str(one.id) == merged[-1])
    results = {self.data_output.bpmn_id: self.data_output.get(task)} if self.data_output is not None else {}
    return bool(task.workflow.script_engine.watch(task, self.condition, {**last.data, **results}))


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


def _condition_holds(self: Any, task: Any) -> bool:
    """Watch what the whole instance knows now; an event that has happened happens again only after its condition was false (32)."""
    known = {**task.workflow.data_objects, **latest(task.workflow.top_workflow)}
    holds = bool(task.workflow.script_engine.watch(task, self.expression, known))
    held = task.internal_data.get("held", False)
    task.internal_data["held"] = held and holds
    return holds and not held


def _same_condition(self: Any, other: Any) -> bool:
    return type(self) is type(other) and self.name == other.name


def _several_fired(self: Any, task: Any) -> bool:
    """Of the events behind a gateway, those nobody throws: deadlines and conditions; the first that happened decides (29, 32)."""
    seen = list(task.internal_data.get("seen_events", ()))
    for one in self.event_definitions:
        if seen and not self.parallel:
            break
        unseen = all(event.event_definition is not one for event in seen)
        if unseen and isinstance(one, TimerEventDefinition | ConditionalEventDefinition) and one.has_fired(task):
            seen.append(BpmnEvent(one))
    task.internal_data["seen_events"] = seen
    return len(seen) == len(self.event_definitions) if self.parallel else bool(seen)


def watches(task: Any) -> bool:
    """Whether a waiting task waits for a condition."""
    definition = task.task_spec.event_definition
    several = getattr(definition, "event_definitions", (definition,))
    return any(isinstance(one, ConditionalEventDefinition) for one in several)


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
    Patch(Task, "_add_child", moves.add_child, (58,)),
    Patch(Task, "_sync_children", moves.sync_children, (58,)),
    Patch(Task, "_ready", moves.ready, (58,)),
    Patch(TaskSpec, "_update_hook", moves.updated, (58,)),
    Patch(TaskSpec, "_on_ready_hook", moves.readied, (58,)),
    Patch(TaskSpec, "_run_hook", moves.has_run, (58,)),
    Patch(Task, "_inherit_data", _inherit_data, (9, 43, 49)),
    Patch(TaskSpec, "_predict", moves.foresee, (57,)),
    Patch(TaskSpec, "_update", moves.reach, (57,)),
    Patch(MultiChoice, "_predict_hook", moves.foresee_no_choice, (57,)),
    Patch(UnstructuredJoin, "_update_hook", _arrive, (56,)),
    Patch(UnstructuredJoin, "_run_hook", _join, (16, 44)),
    Patch(StandardLoopTask, "merge_child", _merge_loop, (43,)),
    Patch(MultiInstanceTask, "merge_child", _merge_instance, (43, 45)),
    Patch(MultiInstanceTask, "check_completion_condition", _enough, (55,)),
    Patch(MultiInstanceTask, "_update_hook", _enter_instances, (27, 45)),
    Patch(TimeDateEventDefinition, "has_fired", _timer_fired, (13, 22, 29, 30)),
    Patch(DurationTimerEventDefinition, "has_fired", _timer_fired, (12, 22, 29, 30, 31)),
    Patch(ConditionalEventDefinition, "has_fired", _condition_holds, (32,)),
    Patch(ConditionalEventDefinition, "__eq__", _same_condition, (32,)),
    Patch(MultipleEventDefinition, "has_fired", _several_fired, (29, 32)),
    Patch(CycleTimerEventDefinition, "cycle_complete", _cycle_fired, (12, 13, 30)),
    Patch(ServiceTask, "_execute", _operate, (18,)),
    Patch(_EndJoin, "_check_threshold_unstructured", _all_ended, (1,)),
    Patch(Workflow, "update_waiting_tasks", moves.update_waiting, (1,)),
    Patch(Task, "collect_log_extras", _no_log_extras, (48,)),
    Patch(Workflow, "collect_log_extras", _no_log_extras, (48,)),
    Patch(Task, "cancel", _cancel, (51,)),
    Patch(Task, "_set_state", moves.set_state, (48,)),
    Patch(SubWorkflowTask, "copy_data", _into_sub_process, (49,)),
    Patch(SubWorkflowTask, "update_data", _out_of_sub_process, (49,)),
    Patch(CallActivity, "update_data", _out_of_call, (49,)),
    Patch(BoundaryEvent, "_on_ready_hook", _boundary_ready, (53,)),
    Patch(BoundaryEvent, "_run_hook", _boundary_run, (52,)),
    Patch(library_task, "uuid4", tick, (50,)),
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
