"""Acts on an instance from outside its diagram: running deadlines move on by the time it stood still, a token is put on another step.

Who may do so, with which reason and whose consent is for the commands; this refuses only what would leave the instance unsound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.errors import Refused
from engine.process import reading, returning
from engine.process.interpreter import Instance
from engine.process.program import Program
from engine.process.running import Run, require_ready, running
from engine.process.spiff import LIVE, BoundaryEvent, BoundaryEventSplit, TaskState, is_join
from engine.process.values import Advance, Context


@dataclass(frozen=True, slots=True)
class Movable:
    """A node that alone holds the token of its level, and the steps of that level the token could be put on."""

    node: str
    steps: tuple[str, ...]


def postpone(program: Program, stored: bytes, later: Callable[[datetime], datetime], context: Context) -> Advance:
    """Move every running deadline to what *later* says of it; nothing fires that had not passed before the instance stood still."""
    with running(program, context, stored) as run:
        for task in run.instance.event_manager.tasks.values():
            if task.state != TaskState.WAITING:
                continue
            due = task.internal_data.get("due", {})
            due.update({name: later(datetime.fromisoformat(at)).isoformat() for name, at in due.items()})
            cycle = task.internal_data.get("cycle")
            if cycle is not None and cycle["left"] != 0:
                cycle["next"] = later(datetime.fromisoformat(cycle["next"])).isoformat()
        run.fire_due()
        return run.result()


def movable(program: Program, stored: bytes) -> tuple[Movable, ...]:
    """Return from where to where a token could be moved now: outermost level first; empty while several tokens are under way."""
    with running(program, Context(now=datetime.min.replace(tzinfo=UTC)), stored) as run:
        return tuple(
            Movable(token.task_spec.bpmn_id, tuple(name for name in _steps(token.workflow.spec) if name != token.task_spec.bpmn_id))
            for token in _tokens(run.instance)
        )


def move_token(program: Program, stored: bytes, source: str, target: str, context: Context) -> Advance:
    """Take the token from the node *source* (a step, an awaited event, an open sub-process) and put it on the step *target*.

    Nothing between the two happens; what was open inside a sub-process is closed with it.
    Raises: Conflict ``process.task_not_ready`` when no token is on *source*; Refused ``process.cannot_place`` unless *target* is a step
    of the same level and the token is the only one there.
    """
    with running(program, context, stored) as run:
        run.fire_due()
        token = next((one for one in _tokens(run.instance) if one.task_spec.bpmn_id == source), None)
        if token is None:
            several = any(one.task_spec.bpmn_id == source and one.has_state(LIVE) for flow in _open(run) for one in flow.tasks.values())
            if several:
                raise Refused("process.cannot_place", step=target)
            require_ready(None, was_ready=False)
        place(run, token, target)
        return run.result()


def place(run: Run, task: Any, node: str) -> None:
    """Take the token from a live *task* and let it enter the step *node* of the same level.

    Raises: Refused ``process.cannot_place`` unless *node* is a step of that level on which one token alone may stand.
    """
    target = _entry(task.workflow.spec, node)
    source = task.parent if isinstance(task.parent.task_spec, BoundaryEventSplit) else task
    others = [one for one in task.workflow.tasks.values() if one.has_state(LIVE) and not _below(one, source)]
    if target is None or others or source.parent is None:
        raise Refused("process.cannot_place", step=node)
    origin = source.parent
    if task.id in run.instance.subprocesses:
        returning.drop_inner(run.instance, task)
    source.cancel()
    child = origin._add_child(target, TaskState.FUTURE)
    child.data = dict(origin.data)
    target._predict(child, mask=TaskState.NOT_FINISHED_MASK)
    target._update(child)
    run.steps()
    run.fire_due()


def _tokens(instance: Instance) -> Iterator[Any]:
    """Yield, level by level, the task that alone is live there."""
    for flow in returning.scopes(instance):
        live = [task for task in flow.tasks.values() if task.has_state(LIVE) and not returning.beside(task)]
        if len(live) == 1 and live[0].task_spec.bpmn_id is not None and not isinstance(live[0].task_spec, BoundaryEvent):
            yield live[0]


def _steps(spec: Any) -> list[str]:
    return sorted(str(one.bpmn_id) for name, one in spec.task_specs.items() if one.bpmn_id == name and _entry(spec, name) is not None)


def _open(run: Run) -> list[Any]:
    return [flow for flow in reading.flows(run.instance) if not flow.completed]


def _below(task: Any, top: Any) -> bool:
    while task is not None and task is not top:
        task = task.parent
    return task is top


def _entry(spec: Any, node: str) -> Any:
    """Return the specification a token enters a step by: the split before its boundary events, if it has any."""
    target = spec.task_specs.get(node)
    if target is None or not target.manual or is_join(target):
        return None
    split = next((one for one in target.inputs if isinstance(one, BoundaryEventSplit)), None)
    return split or target
