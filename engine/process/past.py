"""What was done and walked, as the tasks of a flow still tell it; what pruning dropped stands in the instance's ``history``."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from engine.process.spiff import TaskState, token_passed


def edges(flow: Any) -> Iterator[tuple[str, str]]:
    """Yield the pairs of nodes between which a token went, gateways made by the library left out."""
    for task in flow.tasks.values():
        before = task.parent
        if before is None or not token_passed(task) or task.task_spec.bpmn_id is None or "cut" in task.internal_data:
            continue  # the flow into a task that was cut off is in the history already
        while before is not None and before.task_spec.bpmn_id is None:
            before = before.parent
        if before is not None:
            yield before.task_spec.bpmn_id, task.task_spec.bpmn_id


def nodes(flow: Any, among: Collection[int] | None = None) -> Iterator[str]:
    """Yield the id of every node done (of the tasks *among*), once per time; the instances of a repeated node count as one."""
    for task in flow.tasks.values():
        spec = task.task_spec
        if among is not None and task.id not in among:
            continue
        if task.state == TaskState.COMPLETED and spec.bpmn_id is not None and not spec.name.endswith(" [child]"):
            yield spec.bpmn_id
