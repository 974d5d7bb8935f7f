"""Tokens and what they carry: which were consumed, where a branch began, and what all live branches have written so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn.specs.event_definitions.timer import CycleTimerEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import SubWorkflowTask
from SpiffWorkflow.bpmn.specs.mixins.unstructured_join import UnstructuredJoin

from engine.process.merging import merge3

LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED | TaskState.ERROR
NOTHING = object()


def above(task: Any) -> Iterator[Any]:
    """Yield the parents of a task, the nearest first; a loop, because the tree may be deep (1)."""
    while task.parent is not None:
        task = task.parent
        yield task


def token_passed(task: Any) -> bool:
    """Whether a token went from the task's parent to it; a cycle sends tokens on while it waits for its next turn."""
    before = task.parent
    if before is None:
        return False
    return before.state == TaskState.COMPLETED or (is_cycle(before.task_spec) and not task.has_state(TaskState.PREDICTED_MASK))


def is_cycle(task_spec: Any) -> bool:
    """Whether this node is a deadline that repeats itself."""
    return isinstance(task_spec, CatchingEvent) and isinstance(task_spec.event_definition, CycleTimerEventDefinition)


def is_join(task_spec: Any) -> bool:
    """Whether tokens wait for each other at this node."""
    return isinstance(task_spec, UnstructuredJoin)


def consumed_by(tasks: Iterable[Any]) -> set[tuple[str, int]]:
    """Return the tokens joins have consumed: the name of the join and the id of the task each token came from."""
    return {
        (task.task_spec.name, origin)
        for task in tasks
        if task.state == TaskState.COMPLETED and is_join(task.task_spec)
        for origin in (task.parent.id, *task.internal_data.get("joined", ()))
    }


def began_with(tip: Any, parted: Any) -> Mapping[str, Any]:
    """Return the data with which the branch of *tip* began below *parted*: an event's branch began with what its host knew (53)."""
    began = parted
    for one in chain((tip,), above(tip)):
        if one is parted:
            break
        if one.state == TaskState.COMPLETED and isinstance(one.task_spec, BoundaryEvent) and inside_host(one) is not NOTHING:
            began = one
    return began.data  # type: ignore[no-any-return]


def inside_host(event: Any) -> Any:
    """Return the sub-process a boundary event sits on as it runs, None when it does not, NOTHING where nothing of it is shared."""
    host = next((one for one in event.parent.children if not isinstance(one.task_spec, BoundaryEvent)), None)
    if host is None or not isinstance(host.task_spec, SubWorkflowTask):
        return NOTHING
    inside = event.workflow.top_workflow.subprocesses.get(host.id)
    return NOTHING if inside is not None and inside.spec.io_specification is not None else inside


def latest(flow: Any) -> dict[str, Any]:
    """Return the variables of *flow* as its live tokens have written them, each branch's changes since it began (53)."""
    found: dict[int, Any] = {}
    inner, consumed = flow.top_workflow.subprocesses, consumed_by(flow.tasks.values())
    for task in reversed(list(flow.tasks.values())):  # children come after their parents
        ways = sorted((one for one in task.children if one.id in found), key=lambda one: one.last_state_change)
        if task.has_state(LIVE | TaskState.CANCELLED) and is_join(task.task_spec):
            # A token that waits at a join is called cancelled when a later one waits there too; the join has inherited nothing yet.
            if token_passed(task) and (task.task_spec.name, task.parent.id) not in consumed:
                found[task.id] = task.parent.data
        elif task.has_state(LIVE):
            within = inner.get(task.id)
            # A called process that says what it takes and gives keeps the rest to itself.
            shared = within is not None and not within.completed and within.spec.io_specification is None
            found[task.id] = latest(within) if shared else task.data
        elif len(ways) == 1:
            found[task.id] = found[ways[0].id]
        elif ways:
            merged: dict[str, Any] = dict(task.data)
            for one in ways:
                merged = merge3(began_with(one, task), merged, found[one.id], strict=False)
            found[task.id] = merged
    return dict(found.get(flow.task_tree.id, flow.last_task.data if flow.last_task is not None else {}))
