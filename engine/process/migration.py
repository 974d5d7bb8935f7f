"""A running instance under another version of its diagram: the same tokens, answers, drafts and running deadlines, another way ahead.

Nothing here decides whether that is right (``engine.procedure.compatibility`` does); this refuses only what cannot be carried over exactly,
and checks its own work: what comes out is read again and must show the same open steps, deadlines and answers as what went in.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from engine.errors import Refused
from engine.process import past, reading, state
from engine.process.interventions import place
from engine.process.program import Program
from engine.process.running import Run, require_ready, running
from engine.process.sleeping import awaken
from engine.process.spiff import LIVE, TaskState
from engine.process.values import Advance, Context

_AHEAD = TaskState.PREDICTED_MASK | TaskState.FUTURE


def move_to(old: Program, new: Program, stored: bytes) -> Advance:
    """Return the instance of *stored*, which runs under *old*, as it stands under *new*; no event is fired and nothing completed.

    Raises: Refused ``migration.step_unknown`` when a step the instance has done or holds open is unknown to *new*,
    ``migration.not_the_same`` when an open step, a running deadline or an answer would not come over unchanged.
    """
    with running(old, _nowhere(), stored) as run:
        _require_known(run, new)
        before = _facts(run)
    with running(new, _nowhere(), stored) as run:
        for flow in reading.flows(run.instance):
            _foresee(flow)
        moved = run.result()
    with running(new, _nowhere(), moved.state) as run:
        if _facts(run) != before:
            raise Refused("migration.not_the_same")
        if state.dump(awaken(run.instance)) != moved.state:
            raise Refused("migration.not_the_same")
    return moved


def place_on(program: Program, stored: bytes, task_uuid: Any, node: str, context: Context) -> Advance:
    """Take the token from an open step and put it on another step of the same level; nothing between them happens.

    Raises: Conflict ``process.task_not_ready``; Refused ``process.cannot_place`` unless *node* is a step of that level on which one
    token alone may stand.
    """
    with running(program, context, stored) as run:
        run.fire_due()
        place(run, require_ready(run.instance.task_of(task_uuid), was_ready=False), node)
        return run.result()


def _require_known(run: Run, new: Program) -> None:
    spec, subs = new.specifications()
    for flow in reading.flows(run.instance):
        target = spec if flow is run.instance else subs.get(flow.spec.name)
        for task in flow.tasks.values():
            if task.has_state(_AHEAD):
                continue
            known = None if target is None else target.task_specs.get(task.task_spec.name)
            if known is None or type(known) is not type(task.task_spec):
                raise Refused("migration.step_unknown", step=str(task.task_spec.bpmn_id or task.task_spec.name))


def _foresee(flow: Any) -> None:
    """Forget the way ahead that the old diagram foresaw, and foresee it on the new one."""
    for task in [one for one in flow.tasks.values() if one.has_state(LIVE)]:
        if task.id not in flow.tasks:
            continue
        for child in task.children:
            if child.has_state(_AHEAD):
                flow._remove_task(child.id)
        if not task.children:
            task.task_spec._predict(task, mask=TaskState.NOT_FINISHED_MASK)


def _facts(run: Run) -> Any:
    """Return what must not change: open steps, running deadlines, awaited messages, answers, what was done."""
    instance = run.instance
    done: dict[str, int] = dict(instance.history["nodes"])
    for flow in reading.flows(instance):
        for name in past.nodes(flow):
            done[name] = done.get(name, 0) + 1
    return (
        {instance.uuid_of(task): task.task_spec.bpmn_id for task in reading.ready_tasks(instance)},
        {timer.key: timer.due_at for timer in reading.timers(instance)},
        set(reading.messages(instance)),
        reading.variables(instance),
        done,
    )


def _nowhere() -> Context:
    """Return the context of a mere change of ground: no instant comes, nothing is evaluated."""
    return Context(now=datetime.min.replace(tzinfo=UTC))
