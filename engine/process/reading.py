"""What an instance says of itself: open steps, deadlines, awaited messages, the picture on the diagram. Reads, never moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from engine.procedure.framing import ADDED
from engine.process import past
from engine.process.interpreter import Instance
from engine.process.program import Program, definitions
from engine.process.sleeping import at_node, standing_in
from engine.process.spiff import (
    BpmnEvent,
    EndEvent,
    ErrorEventDefinition,
    EscalationEventDefinition,
    MessageEventDefinition,
    SignalEventDefinition,
    TaskState,
    latest,
)
from engine.process.values import Json, OpenTask, Thrown, Timer, View

_KINDS = {
    MessageEventDefinition: "message",
    SignalEventDefinition: "signal",
    ErrorEventDefinition: "error",
    EscalationEventDefinition: "escalation",
}
_LISTENED = {name: kind for kind, name in _KINDS.items()}


def flows(instance: Instance) -> list[Any]:
    """Return the instance and all its sub-processes, outermost first."""
    return [instance, *instance.subprocesses.values()]


def properties(task: Any) -> Mapping[str, str]:
    """Return the designer's properties of a step."""
    found: Mapping[str, str] = (getattr(task.task_spec, "extensions", None) or {}).get("properties") or {}
    return found


def answers_variable(task: Any) -> str | None:
    """Return the name under which the step's answers are stored: its property ``variable``, else its form."""
    given = properties(task)
    return given.get("variable") or given.get("form") or None


def lane_of(instance: Instance, task: Any) -> str | None:
    """Return the lane of a step; what is called from a lane and names none belongs to that lane."""
    while True:
        lane: str | None = task.task_spec.lane
        if lane is not None or task.workflow is instance:
            return lane
        task = instance.get_task_from_id(task.workflow.parent_task_id)


def ready_tasks(instance: Instance) -> list[Any]:
    """Return the steps that wait for a person, in the order in which they opened."""
    found = [
        task
        for flow in flows(instance)
        if not flow.completed
        for task in standing_in(flow)
        if task._state == TaskState.READY and task.task_spec.manual
    ]
    if len(found) > 1:
        found.sort(key=lambda task: task.last_state_change)
    return found


def open_task(instance: Instance, task: Any) -> OpenTask:
    """Return what the office needs to know of a step that waits for a person."""
    spec, variable = task.task_spec, answers_variable(task)
    return OpenTask(
        uuid=instance.uuid_of(task),
        step=spec.bpmn_id or spec.name,
        name=spec.bpmn_name or spec.bpmn_id or spec.name,
        lane=lane_of(instance, task),
        properties=dict(properties(task)),
        answers=task.data.get(variable) if variable else None,
        item=_item(task),
        variables=task.data,
    )


def _item(task: Any) -> Json:
    if not task.task_spec.name.endswith(" [child]") or task.parent is None:
        return None
    named = getattr(task.parent.task_spec, "input_item", None)
    if named is not None:
        return task.data.get(named.bpmn_id)
    return task.internal_data.get("key_or_index", task.internal_data.get("item"))


def due_events(instance: Instance) -> Iterator[tuple[datetime, Any, str]]:
    """Yield every running deadline: its instant, the waiting task and the element it is drawn on."""
    for task in instance.event_manager.tasks.values():
        if task.state != TaskState.WAITING:
            continue
        for element, due in task.internal_data.get("due", {}).items():
            yield datetime.fromisoformat(due), task, element
        cycle = task.internal_data.get("cycle")
        if cycle is not None and cycle["left"] != 0:
            yield datetime.fromisoformat(cycle["next"]), task, task.task_spec.name


def timers(instance: Instance) -> tuple[Timer, ...]:
    """Return all running deadlines, the earliest first."""
    if not instance.event_manager.tasks:
        return ()
    found = [Timer(f"{instance.uuid_of(task)}/{element}", element, due_at) for due_at, task, element in due_events(instance)]
    return tuple(sorted(found, key=lambda timer: (timer.due_at, timer.key)))


def listening(instance: Instance, kind: str) -> Iterator[tuple[str, Any]]:
    """Yield each ``message`` or ``signal`` this instance would take now with its definition: waiting events, and event sub-processes."""
    wanted: Any = _LISTENED[kind]
    for task in instance.event_manager.tasks.values():
        for _, definition in definitions(task.task_spec):
            if isinstance(definition, wanted):
                yield definition.name, definition
    if not instance.completed:
        for name in instance.spec.start.trigger_specs:
            for start in instance.subprocess_specs[name].bpmn_start_events:
                if isinstance(start.event_definition, wanted):
                    yield start.event_definition.name, start.event_definition


def signals(instance: Instance) -> tuple[str, ...]:
    """Return the names of the signals this instance listens to."""
    return _listened_to(instance, "signal")


def messages(instance: Instance) -> tuple[str, ...]:
    """Return the names of the messages this instance waits for."""
    return _listened_to(instance, "message")


def _listened_to(instance: Instance, kind: str) -> tuple[str, ...]:
    if not (instance.event_manager.tasks or instance.spec.start.trigger_specs):
        return ()  # as mostly
    return tuple(sorted({name for name, _ in listening(instance, kind)}))


def thrown(events: list[BpmnEvent]) -> tuple[Thrown, ...]:
    """Return the events nobody inside caught."""
    found = []
    for event in events:
        kind = next((name for one, name in _KINDS.items() if isinstance(event.event_definition, one)), None)
        if kind is not None:
            keys = dict(event.correlations) or None
            found.append(Thrown(kind, str(event.event_definition.name), event.payload, keys))
    return tuple(found)


def end_of(instance: Instance) -> str | None:
    """Return the end event the instance reached last, once it is over; where that one was not drawn, the last one drawn inside."""
    if not instance.completed:
        return None
    ends = [spec for spec in instance.spec.task_specs.values() if isinstance(spec, EndEvent)]
    found = _last_end(task for spec in ends for task in at_node(instance, spec))
    if found is not None and ADDED in found:
        inside = (task for flow in flows(instance) for task in flow.tasks.values() if ADDED not in str(task.task_spec.bpmn_id))
        return _last_end(inside)
    return found


def _last_end(tasks: Iterable[Any]) -> str | None:
    ends = [task for task in tasks if task.state == TaskState.COMPLETED and isinstance(task.task_spec, EndEvent)]
    return max(ends, key=lambda task: task.last_state_change).task_spec.bpmn_id if ends else None


def variables(instance: Instance) -> dict[str, Json]:
    """Return the variables as the live steps see them; of two parallel steps each counts with what it changed, the later one last."""
    if instance.completed:
        return dict(instance.last_task.data) if instance.last_task is not None else {}
    return latest(instance)


def standing(instance: Instance) -> list[str]:
    """Return every element something stands at now, those that were not drawn included, sorted, each as often as something stands there."""
    tasks = (task for flow in flows(instance) if not flow.completed for task in standing_in(flow))
    return sorted(str(task.task_spec.bpmn_id) for task in tasks if task.task_spec.bpmn_id is not None)


def view_of(instance: Instance, program: Program) -> View:
    """Return where the instance stands on its diagram."""
    done, walked = dict(instance.history["nodes"]), set(instance.history["flows"])
    active, events = set(), set()
    for flow in flows(instance):
        for node in past.nodes(flow):
            done[node] = done.get(node, 0) + 1
        for ends in past.edges(flow):
            walked.update(program.flows.get(ends, ()))
        for task in flow.tasks.values() if not flow.completed else ():
            drawn = task.task_spec.bpmn_id
            if drawn is None or ADDED in drawn:
                continue
            if task.has_state(TaskState.READY | TaskState.STARTED):
                active.add(drawn)
            elif task.state == TaskState.WAITING:
                events.add(drawn)
    return View(done, tuple(sorted(walked)), tuple(sorted(active)), tuple(sorted(events)), messages(instance), timers(instance))
