"""How a token goes on, as we run it: nothing is made, looked up or told that nobody needs (1, 48, 57, 58).

What ``engine.process.spiff`` puts in the place of the library's own; the numbers are those of ``docs/engine-defects.md``.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.task import Task

from engine.process.sleeping import STANDING, standing_in
from engine.process.ticks import tick


def set_state(self: Any, value: int) -> None:
    """Set a task's state, count it as an event, log no data of people (48), and keep what something stands at."""
    if value != self._state:
        self.last_state_change = tick()
        self._state = value
    if value & STANDING:
        self.workflow.standing[self.id] = self
    else:
        self.workflow.standing.pop(self.id, None)


def add_child(self: Any, task_spec: Any, state: int = TaskState.MAYBE) -> Any:
    """Return a new task below another, whose constructor would look that one up to tell it of the child (58).

    Raises: WorkflowException for a task that is certain below one that is not.
    """
    if self._state & TaskState.PREDICTED_MASK and not state & TaskState.PREDICTED_MASK:
        raise WorkflowException("Attempt to add non-predicted child to predicted task", task_spec=self.task_spec)
    task = Task.__new__(Task)
    task.last_state_change = tick(2)
    task.id, task.workflow, task.task_spec, task._state = task.last_state_change - 1, self.workflow, task_spec, state
    task._parent, task._children, task.data, task.internal_data = self.id, [], {}, {}
    task.triggered, task.thread_id = False, self.thread_id
    self.workflow.tasks[task.id] = task
    self._children.append(task.id)
    if state & STANDING:
        self.workflow.standing[task.id] = task
        if state == TaskState.READY:
            task._ready()
    return task


_sync_children_there = Task._sync_children


def sync_children(self: Any, task_specs: list[Any], state: int = TaskState.MAYBE) -> None:
    """Make the tasks below one that has none yet, as mostly, without asking which of them are there."""
    if self._children:
        _sync_children_there(self, task_specs, state)
        return
    for task_spec in task_specs:
        self._add_child(task_spec, state)


def ready(self: Any) -> None:
    """Make a task ready; whether its node is connected is asked once, not for every token (58); no diagram assigns before it."""
    if self._state & (TaskState.COMPLETED | TaskState.CANCELLED):
        return
    self._set_state(TaskState.READY)
    spec = self.task_spec
    if "connected" not in spec.__dict__:
        spec.test()
        spec.connected = True
    spec._on_ready_hook(self)


def updated(self: Any, task: Any) -> bool:
    """Let a node's task inherit; nobody listens to it (58)."""
    task._inherit_data()
    return True


def readied(self: Any, task: Any) -> None:
    """Do nothing more when a node's task is ready; nobody listens to it (58)."""


def has_run(self: Any, task: Any) -> bool:
    """Say that a node's task is done, having nothing of its own to do; nobody listens to it (58)."""
    return True


def update_waiting(self: Any) -> None:
    """Look at the waiting tasks of a flow again, without a walk over all of them (1)."""
    for task in [task for task in standing_in(self) if task._state == TaskState.WAITING]:
        if task._state == TaskState.WAITING and task.id in self.tasks:
            task.task_spec._update(task)


def foresee(self: Any, task: Any, seen: Any = None, looked_ahead: int = 0, mask: int = TaskState.PREDICTED_MASK) -> None:
    """Foresee only what comes next (57): what comes after that is foreseen when a token gets there."""
    if task._state & mask:
        self._predict_hook(task)


def reach(self: Any, task: Any) -> None:
    """Foresee what comes next of a task a token may have got to (57), and make it ready when it is."""
    state = task._state
    if state & TaskState.PREDICTED_MASK or (state & (TaskState.FUTURE | TaskState.WAITING) and not task._children):
        self._predict_hook(task)
    if self._update_hook(task):
        task._ready()


def foresee_no_choice(self: Any, task: Any) -> None:
    """Of the ways out of a choice, the one chosen is made when it is chosen (57)."""
