"""Sending back: which completed steps may be opened again, and opening one so that nothing after it stays open."""

from __future__ import annotations

from typing import Any

from engine.errors import Refused
from engine.process.interpreter import Instance
from engine.process.reading import answers_variable
from engine.process.spiff import LIVE, BoundaryEvent, BoundaryEventJoin, BoundaryEventSplit, TaskState

_NOTHING = object()


def targets(instance: Instance) -> list[Any]:
    """Return the completed steps every live token has passed through, the latest first.

    A step inside one branch of a parallel region is a target only while that branch is all that is live: after the join, or
    while the other branch runs, returning into it would leave tokens on both sides of the join (34). Steps of a sub-process are
    targets while it is open; afterwards only the steps before it are.
    """
    found: list[Any] = []
    for flow in scopes(instance):
        live = [task for task in flow.tasks.values() if task.has_state(LIVE)]
        causes = _causes(flow)
        for task in flow.tasks.values():
            if task.state == TaskState.COMPLETED and task.task_spec.manual and _whole(task):
                found += [task] * all(_passed(task, one, causes) for one in live)
    return sorted(found, key=lambda task: task.last_state_change, reverse=True)


def reopen(instance: Instance, step: str) -> Any:
    """Open the latest allowed instance of *step* again, with its former answers, and return the task.

    Raises: Refused ``process.cannot_send_back``.
    """
    task = next((one for one in targets(instance) if one.task_spec.bpmn_id == step), None)
    if task is None:
        raise Refused("process.cannot_send_back", step=step)
    variable = answers_variable(task)
    former = task.data.get(variable, _NOTHING) if variable else _NOTHING
    split = task.parent if isinstance(task.parent.task_spec, BoundaryEventSplit) else None
    for one in list(split or task):
        instance.event_manager.remove_task(one)
        if one.id in instance.subprocesses:
            drop_inner(instance, one)
    # The boundary events of a step start anew with it: the deadline of a returned step runs from its return.
    for one in split.children if split is not None else [task]:
        one.reset_branch(None)
    if former is not _NOTHING:
        task.data[variable] = former
    task.workflow.last_task = task.parent
    return task


def _whole(task: Any) -> bool:
    """Whether the step stands for itself and what it inherited is still known."""
    split = task.parent if isinstance(task.parent.task_spec, BoundaryEventSplit) else task
    return not task.task_spec.name.endswith(" [child]") and "cut" not in split.internal_data


def scopes(instance: Instance) -> list[Any]:
    """Return the flows that hold every live token: the instance itself and, as long as nothing runs beside it, each open sub-process."""
    flows: list[Any] = [instance]
    while True:
        live = [task for task in flows[-1].tasks.values() if task.has_state(LIVE)]
        if not live:
            return flows[:-1]
        live = [task for task in live if not beside(task)]
        inner = instance.subprocesses.get(live[0].id) if len(live) == 1 else None
        if inner is None or inner.completed:
            return flows
        flows.append(inner)


def beside(task: Any) -> bool:
    """Whether a live task is no work: an event that may happen to a step, or what waits for the step to be over."""
    return isinstance(task.parent and task.parent.task_spec, BoundaryEventSplit) and isinstance(
        task.task_spec, BoundaryEvent | BoundaryEventJoin
    )


def _causes(flow: Any) -> dict[int, list[int]]:
    """Return, for every task, the tasks whose tokens it consumed: its parent, and at a join the tips of the other branches."""
    causes = {}
    for task in flow.tasks.values():
        before = [] if task._parent is None else [task._parent]
        causes[task.id] = before + [tip for tip in task.internal_data.get("joined", ()) if tip in flow.tasks]
    return causes


def _passed(step: Any, task: Any, causes: dict[int, list[int]]) -> bool:
    """Whether every way by which *task* was reached leads through *step*."""
    seen: set[int] = set()
    open_ends = [task.id]
    while open_ends:
        one = open_ends.pop()
        while one != step.id and one not in seen:
            if not causes[one]:
                return False
            seen.add(one)
            one, *others = causes[one]
            open_ends += others
    return True


def drop_inner(instance: Instance, task: Any) -> None:
    """Forget what runs inside a sub-process, with everything it waits for."""
    inner = instance.subprocesses.pop(task.id)
    for one in list(inner.tasks.values()):
        instance.event_manager.remove_task(one)
        if one.id in instance.subprocesses:
            drop_inner(instance, one)
