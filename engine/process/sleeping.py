"""The past and the future of a stored instance stay the rows they were read as until somebody asks for a task: most steps touch few.

Whoever changes a task asks for it first, so a row nobody asked for is the task as it stands, and is written as it was read. Tasks from the
start are those at which something stands or that an event made, and those whose data is told by what they changed against an unfinished
parent: its data may change, and theirs not. The data of a finished task never changes as long as anything hangs below it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import compress, count, islice, repeat
from operator import and_, attrgetter, eq, itemgetter
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnEvent
from SpiffWorkflow.task import Task

TRIGGERED = 1 << 10
"""Marks, in the state a row keeps, a task that was made by an event and not by the flow before it."""
EMPTY, SAME = 0, 1
"""What a row says of its task's data instead of changes: there is none, or it is what the parent has."""
STANDING = TaskState.READY | TaskState.WAITING | TaskState.STARTED
"""The states of a task at which something stands."""
_RESTLESS = STANDING | TRIGGERED
_UNFINISHED = TaskState.NOT_FINISHED_MASK | TRIGGERED


class Tasks(dict[int, Any]):
    """The tasks of a stored flow by number, in the order they came to be; of a task that is asleep, the place of its row.

    *woken* are the tasks made of rows, *gone* is how many of them were taken out since.
    """

    __slots__ = ("_known", "flow", "gone", "names", "rows", "values_of", "woken")

    def __init__(self, flow: Any, rows: Sequence[Any], names: Sequence[str], values: Sequence[Any]) -> None:
        super().__init__(zip(map(itemgetter(0), rows), range(len(rows)), strict=True))
        self.flow, self.rows, self.names, self.values_of = flow, rows, names, values
        self._known: dict[int, dict[str, Any]] = {-1: {}}
        self.woken: list[Any] = []
        self.gone = 0

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
        task = self.get(number)
        if task.__class__ is Woken:
            self.gone += 1
            self.woken.remove(task)
        return super().pop(number, *default)

    def made(self) -> list[Any]:
        """Return the tasks that came to be since the flow was read."""
        return [*islice(_values(self), len(self.rows) - self.gone, None)]

    # Waking

    def wake(self) -> None:
        """Make a task of every row."""
        for entry in list(_values(self)):
            if entry.__class__ is int:
                self._wake(entry)

    def wake_restless(self) -> list[Any]:
        """Make tasks of the rows that must not sleep, and return them."""
        rows, woken = self.rows, []
        # A parent comes before its children, so nothing before the first unfinished task hangs below one.
        first = next(compress(count(), map(and_, map(_STATE, rows), repeat(_UNFINISHED))), len(rows))
        for place, row in enumerate(islice(rows, first, None), first):
            depends = row[6] != EMPTY and row[3] >= 0 and not rows[row[3]][2] & TaskState.FINISHED_MASK
            if depends or row[2] & _RESTLESS:
                woken.append(self._wake(place))
                if depends:
                    _ = woken[-1].data
        return woken

    def known(self, place: int) -> Mapping[str, Any]:
        """Return the data of the task of a row as it was read, to be read only."""
        rows, at, first, found = self.rows, place, place, self._known
        changes: list[Any] = []
        while at not in found:
            row = rows[at]
            change = row[6]
            if change != SAME:
                if change == EMPTY:
                    found[at] = {}
                    break
                if not changes:
                    first = at
                changes.append(change)
            at = row[3]
        known = found[at]
        if changes:
            known, value = dict(known), self.values_of.__getitem__
            places: dict[str, int] = {}
            for changed, dropped in reversed(changes):
                if dropped:
                    known.update(zip(places, map(value, places.values()), strict=True))
                    places = {}
                    for gone in dropped:
                        del known[gone]
                places |= changed
            known.update(zip(places, map(value, places.values()), strict=True))
            found[first] = known
        found[place] = known
        return known

    def _wake(self, place: int) -> Any:
        number, name, state, parent, changed_at, marks, change = self.rows[place]
        task = Woken.__new__(Woken)  # its constructor would count as an event in the life of the instance
        task.id, task.workflow, task.place, task._state, task.last_state_change = number, self.flow, place, state & ~TRIGGERED, changed_at
        task.task_spec = self.flow.spec.task_specs.get(self.names[name])
        task._parent = self.rows[parent][0] if parent >= 0 else None
        if state & TRIGGERED:
            task.triggered = True
        if change == EMPTY:
            task.data = {}
        if not marks:
            task.internal_data = {}
        self.woken.append(task)
        _put(self, number, task)
        return task

    def below(self, place: int) -> list[int]:
        """Return the numbers of the tasks below that of a row, as they were read."""
        after = self.rows[place + 1 :]
        return [*compress(map(_NUMBER, after), map(eq, map(_PARENT, after), repeat(place)))]


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
        if "seen_events" not in marks:
            return dict(marks)
        waited_for = self.task_spec.event_definition.event_definitions
        return {**marks, "seen_events": [BpmnEvent(waited_for[at], payload) for at, payload in marks["seen_events"]]}

    @Once
    def _children(self) -> list[int]:
        """The numbers of the tasks below it."""
        return self.workflow.tasks.below(self.place)  # type: ignore[no-any-return]


_get, _at, _put, _values, _items = dict.get, dict.__getitem__, dict.__setitem__, dict.values, dict.items
_NUMBER, _NAME, _STATE, _PARENT = map(itemgetter, range(4))
_OWN_NUMBER = attrgetter("id")


def standing_in(flow: Any) -> list[Any]:
    """Return the tasks of *flow* at which something stands, in their order: they are numbered as they come to be."""
    found = [*flow.standing.values()]
    if len(found) > 1:
        found.sort(key=_OWN_NUMBER)
    return found


def awake(flow: Any) -> Collection[Any]:
    """Return the tasks of *flow* that are not asleep, in their order."""
    tasks = flow.tasks
    return [*sorted(tasks.woken, key=_OWN_NUMBER), *tasks.made()] if isinstance(tasks, Tasks) else [*tasks.values()]


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


def numbers_above(task: Any) -> Iterator[int]:
    """Yield the numbers of the parents of *task*, the nearest first; who is asleep stays so."""
    tasks, number = task.workflow.tasks, task._parent
    while number is not None:
        yield number
        entry: Any = _get(tasks, number)
        if entry.__class__ is int:
            above = tasks.rows[entry][3]
            number = tasks.rows[above][0] if above >= 0 else None
        else:
            number = entry._parent


def at_node(flow: Any, task_spec: Any) -> list[Any]:
    """Return the tasks of *flow* at one node, in their order."""
    tasks = flow.tasks
    if not isinstance(tasks, Tasks):
        return [task for task in tasks.values() if task.task_spec is task_spec]
    found = []
    if task_spec.name in tasks.names:
        here = map(eq, map(_NAME, tasks.rows), repeat(tasks.names.index(task_spec.name)))
        found = [task for number in compress(map(_NUMBER, tasks.rows), here) if (task := tasks.get(number)) is not None]
    return found + [task for task in tasks.made() if task.task_spec is task_spec]


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
