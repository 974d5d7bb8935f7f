"""The past and the future of a stored instance stay the rows they were read as until somebody asks for a task: most steps touch few.

Whoever changes a task asks for it first, so a row nobody asked for is the task as it stands, and is written as it was read. Tasks from the
start are those at which something stands or that an event made, and those whose data is told by what they changed against an unfinished
parent: its data may change, and theirs not. The data of a finished task never changes as long as anything hangs below it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnEvent
from SpiffWorkflow.task import Task

TRIGGERED = 1 << 10
"""Marks, in the state a row keeps, a task that was made by an event and not by the flow before it."""
EMPTY, SAME = 0, 1
"""What a row says of its task's data instead of changes: there is none, or it is what the parent has."""
_RESTLESS = TaskState.READY | TaskState.WAITING | TaskState.STARTED | TRIGGERED


class Tasks(dict[int, Any]):
    """The tasks of a stored flow by number, in the order they came to be; of a task that is asleep, the place of its row.

    All tasks before *first* are asleep: who is taken out was asked for before.
    """

    __slots__ = ("_below", "_known", "first", "flow", "names", "rows", "values_of")

    def __init__(self, flow: Any, rows: Sequence[Any], names: Sequence[str], values: Sequence[Any]) -> None:
        super().__init__(zip(map(itemgetter(0), rows), range(len(rows)), strict=True))
        self.flow, self.rows, self.names, self.values_of = flow, rows, names, values
        self._known: dict[int, dict[str, Any]] = {}
        self._below: dict[int, list[int]] | None = None
        self.first = len(rows)

    # What the library and we ask a dictionary for. Nothing but these hands out a task, so nothing hands out the place of a row.

    def get(self, number: Any, default: Any = None) -> Any:
        """Return a task, awake, or *default*."""
        found = _get(self, number, default)
        return self._wake(found) if found.__class__ is int else found

    def __getitem__(self, number: int) -> Any:
        found = _at(self, number)
        return self._wake(found) if found.__class__ is int else found

    def values(self) -> Any:
        """Return all tasks, awake."""
        self.wake()
        return _values(self)

    def items(self) -> Any:
        """Return all tasks, awake, with their numbers."""
        self.wake()
        return _items(self)

    def pop(self, number: int, *default: Any) -> Any:
        """Take a task out and return it, awake."""
        self.get(number)
        return super().pop(number, *default)

    # Waking

    def wake(self) -> None:
        """Make a task of every row."""
        for entry in list(_values(self)):
            if entry.__class__ is int:
                self._wake(entry)

    def wake_restless(self) -> list[Any]:
        """Make tasks of the rows that must not sleep, and return them."""
        rows, woken = self.rows, []
        for place, row in enumerate(rows):
            depends = row[6] != EMPTY and row[3] >= 0 and not rows[row[3]][2] & TaskState.FINISHED_MASK
            if depends or row[2] & _RESTLESS:
                woken.append(self._wake(place))
                if depends:
                    _ = woken[-1].data
        return woken

    def known(self, place: int) -> Mapping[str, Any]:
        """Return the data of the task of a row as it was read, to be read only."""
        rows, at, first = self.rows, place, place
        changes: list[Any] = []
        while (known := self._known.get(at)) is None:
            _, _, _, above, _, _, change = rows[at]
            if change.__class__ is list:
                if not changes:
                    first = at
                changes.append(change)
            if above < 0 or change == EMPTY:
                known = {}
                break
            at = above
        if changes:
            known = dict(known)
            for changed, dropped in reversed(changes):
                for gone in dropped:
                    del known[gone]
                for variable, value in changed.items():
                    known[variable] = self.values_of[value]
            self._known[first] = known
        self._known[place] = known
        return known

    def _wake(self, place: int) -> Any:
        number, name, state, parent, changed_at, _, _ = self.rows[place]
        task = Woken.__new__(Woken)  # its constructor would count as an event in the life of the instance
        task.id, task.workflow, task.place, task._state, task.last_state_change = number, self.flow, place, state & ~TRIGGERED, changed_at
        task.task_spec = self.flow.spec.task_specs.get(self.names[name])
        task._parent = self.rows[parent][0] if parent >= 0 else None
        if state & TRIGGERED:
            task.triggered = True
        if place < self.first:
            self.first = place
        _put(self, number, task)
        return task

    def below(self, place: int) -> list[int]:
        """Return the numbers of the tasks below that of a row, as they were read."""
        if self._below is None:
            self._below = defaultdict(list)
            for row in self.rows:
                self._below[row[3]].append(row[0])
        return self._below[place]


class Once:
    """What is made when somebody asks for it first; what is assigned before, or after, stands as with any attribute."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self.make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, one: Any, owner: type) -> Any:
        value = self.make(one)
        setattr(one, self.name, value)
        return value


class Woken(Task):  # type: ignore[misc]
    """A task made of the row at *place*: like any other, but what few ask for is made when they do."""

    place: int
    triggered = False
    thread_id = 0

    @Once
    def data(self) -> dict[str, Any]:
        """The variables of the task."""
        return dict(self.workflow.tasks.known(self.place))

    @Once
    def internal_data(self) -> dict[str, Any]:
        """The marks of the task."""
        marks = self.workflow.tasks.rows[self.place][5]
        if not marks:
            return {}
        if "seen_events" not in marks:
            return dict(marks)
        waited_for = self.task_spec.event_definition.event_definitions
        return {**marks, "seen_events": [BpmnEvent(waited_for[at], payload) for at, payload in marks["seen_events"]]}

    @Once
    def _children(self) -> list[int]:
        """The numbers of the tasks below it."""
        return self.workflow.tasks.below(self.place)  # type: ignore[no-any-return]


_get, _at, _put, _values, _items = dict.get, dict.__getitem__, dict.__setitem__, dict.values, dict.items


def awake(flow: Any) -> Collection[Any]:
    """Return the tasks of *flow* that are not asleep, in their order: everything at which something stands is among them."""
    tasks = flow.tasks
    first = tasks.first if tasks.__class__ is Tasks else 0
    return [task for task in islice(_values(tasks), first, None) if task.__class__ is not int]


def first_awake(tasks: dict[int, Any]) -> int:
    """Return how many tasks at least are asleep before the first that is not."""
    return tasks.first if isinstance(tasks, Tasks) else 0


def awaken(instance: Any) -> Any:
    """Wake everything of *instance*, as if all of it were needed: what is written then is compared task by task. Return it."""
    for flow in (instance, *instance.subprocesses.values()):
        for task in flow.tasks.values():
            _ = task.data
        _ = flow.last_task, flow.data
    return instance


def untouched(task: Any) -> bool:
    """Whether nobody asked a task read from a row for its data, nor hung it elsewhere: then its row still tells its data."""
    if task.__class__ is not Woken or "data" in task.__dict__:
        return False
    rows = task.workflow.tasks.rows
    above = rows[task.place][3]
    return above < 0 or bool(rows[above][0] == task._parent)


def asleep_ahead(flow: Any) -> list[str]:
    """Return the names of the nodes of the tasks that are asleep and were foreseen, not reached."""
    tasks = flow.tasks
    if not isinstance(tasks, Tasks):
        return []
    rows = [tasks.rows[place] for place in _values(tasks) if place.__class__ is int]
    return [tasks.names[row[1]] for row in rows if row[2] & TaskState.NOT_FINISHED_MASK]


def at_node(flow: Any, task_spec: Any) -> list[Any]:
    """Return the tasks of *flow* at one node, in their order."""
    tasks = flow.tasks
    if not isinstance(tasks, Tasks):
        return [task for task in tasks.values() if task.task_spec is task_spec]
    name = tasks.names.index(task_spec.name) if task_spec.name in tasks.names else None
    return [
        tasks[number]
        for number, entry in list(_items(tasks))
        if (tasks.rows[entry][1] == name if entry.__class__ is int else entry.task_spec is task_spec)
    ]


def done(flow: Any) -> list[str]:
    """Return the names of the nodes of the completed tasks of *flow*, in their order."""
    tasks = flow.tasks
    found = []
    for entry in _values(tasks):
        if entry.__class__ is int:
            row = tasks.rows[entry]
            if row[2] & TaskState.COMPLETED:
                found.append(tasks.names[row[1]])
        elif entry._state == TaskState.COMPLETED:
            found.append(entry.task_spec.name)
    return found
