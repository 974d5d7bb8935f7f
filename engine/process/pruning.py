"""Keeping a long-running instance small: what lies behind every live token is remembered as counts and dropped from the tree."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from engine.process.program import Program
from engine.process.spiff import LIVE, Instance, TaskState

ABOVE = 200


def prune(instance: Instance, program: Program, above: int = ABOVE) -> bool:
    """Drop the finished past of *instance* when it holds more than *above* tasks; return whether anything went.

    In each flow everything but the branch below the nearest common ancestor of its live tasks goes; joins look no further back than
    that. What was done and walked there stays in ``history``, so the picture on the diagram does not change.
    """
    if sum(len(flow.tasks) for flow in _flows(instance)) <= above:
        return False
    went = [_prune_flow(instance, flow, program) for flow in _flows(instance) if not flow.completed]
    return any(went)


def edges(flow: Any) -> Iterator[tuple[str, str]]:
    """Yield the pairs of nodes between which a token went, gateways made by the library left out."""
    for task in flow.tasks.values():
        before = task.parent
        if before is None or before.state != TaskState.COMPLETED or task.task_spec.bpmn_id is None:
            continue
        while before is not None and before.task_spec.bpmn_id is None:
            before = before.parent
        if before is not None:
            yield before.task_spec.bpmn_id, task.task_spec.bpmn_id


def nodes(flow: Any, among: Collection[Any] | None = None) -> Iterator[str]:
    """Yield the id of every node done (of the tasks *among*), once per time; the instances of a repeated node count as one."""
    for task in flow.tasks.values():
        spec = task.task_spec
        if among is not None and task.id not in among:
            continue
        if task.state == TaskState.COMPLETED and spec.bpmn_id is not None and not spec.name.endswith(" [child]"):
            yield spec.bpmn_id


def _flows(instance: Instance) -> list[Any]:
    return [instance, *instance.subprocesses.values()]


def _path(task: Any) -> list[Any]:
    path = [task]
    while path[-1].parent is not None:
        path.append(path[-1].parent)
    return path[::-1]


def _prune_flow(instance: Instance, flow: Any, program: Program) -> bool:
    live = [task for task in flow.tasks.values() if task.has_state(LIVE)]
    if not live:
        return False
    paths = [_path(task) for task in live]
    common = [row[0] for row in zip(*paths, strict=False) if all(task is row[0] for task in row)]
    # A join that waits, and a task whose boundary events run, hang below their split: the split itself must stay.
    top = common[-1]
    root = flow.task_tree
    if top is root or top.parent is root:
        return False
    keep = {root.id} | {task.id for task in top}
    gone = [task for task in flow.tasks.values() if task.id not in keep]
    _remember(instance, flow, program, {task.id for task in gone})
    data = top.parent.data
    for task in gone:
        _forget(instance, task, program)
    root._children, top._parent, root.data = [top.id], root.id, data
    if flow.last_task is not None and flow.last_task.id not in flow.tasks:
        flow.last_task = root
    return True


def _remember(instance: Instance, flow: Any, program: Program, gone: set[Any]) -> None:
    done, walked = instance.history["nodes"], instance.history["flows"]
    for node in nodes(flow, gone):
        done[node] = done.get(node, 0) + 1
    # Every flow walked so far: the one that leads into the branch that stays loses its source with the past.
    for ends in edges(flow):
        for name in program.flows.get(ends, ()):
            walked.setdefault(name, 1)


def _forget(instance: Instance, task: Any, program: Program) -> None:
    inner = instance.subprocesses.pop(task.id, None)
    if inner is not None:
        _remember(instance, inner, program, set(inner.tasks))
        for one in list(inner.tasks.values()):
            _forget(instance, one, program)
    task.workflow.tasks.pop(task.id, None)
