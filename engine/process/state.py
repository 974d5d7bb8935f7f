"""An instance as bytes: everything that changes, nothing of the specification, no type names inside anybody's answers (11, 33, 41).

A task is a row: number, specification, state, parent, order of its last change, its own marks, its data. Data is written as what the
task changed against its parent, by whole variables, and every value stands in the table ``values`` once, however many tasks share it.
What is read keeps its place in the tables, so that a task nobody asked for (``engine.process.sleeping``) is written as it was read. Each
value stands on a line of its own (no other line ends in a state), so that its text is written as it was read: values are never changed.
The format is ours; the library's own serialiser is not used.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from itertools import compress, islice, repeat
from operator import is_, is_not
from typing import Any

import orjson
import zstandard

from engine.errors import Refused
from engine.process.interpreter import Engine, Inner, Instance
from engine.process.merging import same
from engine.process.program import Program
from engine.process.sleeping import EMPTY, SAME, STANDING, TRIGGERED, Tasks, Woken, awake, untouched
from engine.process.spiff import CatchingEvent, TaskState
from engine.process.ticks import TICKS

FORMAT = 1
MAX_BYTES = 8 * 1024 * 1024
_LASTING = ("joined", "cut")  # of a finished task: the tokens it consumed, and that its parent is not the one it had
_MISSING = object()


class _Tools(threading.local):
    """What compresses and expands on this thread: making it takes longer than a state does.

    Level -1 takes a third of the time of level 1, which builds tables of codes for every state, and makes it a quarter larger.
    """

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=-1).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_tools = _Tools()


class _Values:
    """The table of values: each object once, those of *read* where they stood; *lost* says that a row no longer names one it named."""

    def __init__(self, read: Sequence[Any]) -> None:
        self.table, self.lost = [*read], False
        self._known = dict(zip(map(id, reversed(read)), range(len(read) - 1, -1, -1), strict=True))

    def place(self, value: Any) -> int:
        """Return where *value* stands in the table."""
        found = self._known.get(id(value))
        if found is None:
            found = self._known[id(value)] = len(self.table)
            self.table.append(value)
        return found

    def instead(self, before: Any, after: Any) -> Any:
        """Return *after*, changes that stand in the place of those read *before*."""
        if before.__class__ is list:
            named = after[0].values() if after.__class__ is list else ()
            self.lost = self.lost or not {*before[0].values()}.issubset(named)
        return after


def dump(instance: Instance) -> bytes:
    """Return the state of *instance*.

    Raises: Refused ``process.state_too_large`` above 8 MiB, before compression.
    """
    names, values = [*instance.names], _Values(instance.values)
    flows = [instance, *instance.subprocesses.values()]
    places = [_places(flow.tasks) for flow in flows]
    stored = [_flow(flow, names, place, values) for flow, place in zip(flows, places, strict=True)]
    for flow, one in zip(flows[1:], stored[1:], strict=True):
        owner = flow.parent_task_id
        one["owner"] = next((number, place[owner]) for number, place in enumerate(places) if owner in place)
    kept: Sequence[int] = range(len(values.table))
    # What was read names every value: as long as nothing of it went, each is still named.
    if values.lost or (instance.levels > 1 and sum("stored" in flow.__dict__ for flow in flows) < instance.levels):
        names, kept = _used(stored, names, len(kept))
    body = {
        "format": FORMAT,
        "seed": f"{instance.seed:032x}",
        "ticks": TICKS.get().last,
        "history": instance.history,
        "flows": stored,
        "names": names,
    }
    text = b'%b,"values":[%b]}' % (orjson.dumps(body)[:-1], _lines(instance.lines, len(instance.values), values.table, kept))
    if len(text) > MAX_BYTES:
        raise Refused("process.state_too_large", size=len(text) // 1024, limit=MAX_BYTES // 1024)
    return _tools.compress(text)


def load(state: bytes, program: Program, engine: Engine) -> Instance:
    """Rebuild the instance of *state* under *program*; *engine* answers for every expression from the first moment (33).

    Raises: Refused ``process.state_unreadable``.
    """
    body, lines = _read(state)
    TICKS.get().last = body["ticks"]
    spec, subs = program.specifications()
    instance = Instance.read(spec, subs, engine, body)
    instance.lines, instance.levels = lines, len(body["flows"])
    flows: list[Any] = [instance]
    waiting = _fill(instance, body["flows"][0])
    for stored in body["flows"][1:]:
        level, row = stored["owner"]
        outer = flows[level]
        owner, name = outer.tasks.rows[row][:2]
        caller = outer.spec.task_specs[instance.names[name]]
        flow = instance.subprocesses[owner] = Inner.read(subs[caller.spec], owner, outer)
        flows.append(flow)
        waiting += _fill(flow, stored)
        if not flow.completed:
            flow.completed_event.connect(caller._on_subworkflow_completed, outer.tasks[owner])
    # The library keeps waiting events outside the tree.
    for task in sorted(waiting, key=lambda one: one.last_state_change):
        instance.event_manager.add_task(task)
    return instance


def size(state: bytes) -> int:
    """Return the length of *state* before compression, in bytes."""
    return int(zstandard.get_frame_parameters(state).content_size)


def _read(state: bytes) -> tuple[Any, bytes]:
    """Return the body of a state, and the lines of its values where every value has its own."""
    try:
        if size(state) > MAX_BYTES:
            raise Refused("process.state_unreadable")
        text = _tools.decompress(state)
        body = orjson.loads(text)
    except (zstandard.ZstdError, orjson.JSONDecodeError):
        raise Refused("process.state_unreadable") from None
    if body.get("format") != FORMAT:
        raise Refused("process.state_unreadable")
    return body, text[text.index(b"\n") : -2] if text.endswith(b"\n]}") else b""


def _lines(read: bytes, count: int, table: Sequence[Any], kept: Sequence[int]) -> bytes:
    """Return a line for each value of *table* that is *kept*; *read* are the lines of the first *count* of them, or nothing."""
    if read and len(kept) == len(table):
        return read + b"".join([b",\n%b\n" % orjson.dumps(value) for value in table[count:]])
    known = read.split(b"\n")[1::2]
    lines = [known[place] if place < len(known) else orjson.dumps(table[place]) for place in kept]
    return b"\n%b\n" % b"\n,\n".join(lines) if lines else b""


def _places(tasks: dict[int, Any]) -> dict[int, int]:
    """Return the place each of *tasks* gets among the rows of its flow."""
    if not isinstance(tasks, Tasks) or tasks.gone:
        return dict(zip(tasks, range(len(tasks)), strict=True))
    # Whoever was read stands where it stood, and what came to be since stands behind, in its order.
    places: dict[int, int] = dict.copy(tasks)
    places.update([(task.id, task.place) for task in tasks.woken])
    places.update(zip(islice(tasks, len(tasks.rows), None), range(len(tasks.rows), len(tasks)), strict=True))
    return places


def _asleep(tasks: dict[int, Any], places: Mapping[int, int]) -> list[Any]:
    """Return the rows of *tasks* as they will stand, for whoever is awake what is put in its place: what was read, or None."""
    if not isinstance(tasks, Tasks):
        return [None] * len(tasks)
    rows = tasks.rows
    if not tasks.gone:
        return [*rows, *[None] * (len(tasks) - len(rows))]
    found: list[Any] = []
    for place, entry in enumerate(dict.values(tasks)):
        row = rows[entry] if entry.__class__ is int else None
        # Whoever stands where it stood has its parent where it was: parents come first.
        if row is not None and place != entry and row[3] >= 0:
            row = [*row[:3], places[rows[row[3]][0]], *row[4:]]
        found.append(row)
    return found


def _flow(flow: Any, names: list[str], places: Mapping[int, int], values: _Values) -> dict[str, Any]:
    tasks, known = flow.tasks, flow.__dict__
    rows = _asleep(tasks, places)
    for task in awake(flow):
        if task.__class__ is Woken:
            _, name, _, _, _, _, changes = tasks.rows[task.place]
            if not untouched(task):
                changes = values.instead(changes, _changes(task, values))
        else:
            name, changes = _name(task.task_spec.name, names), _changes(task, values)
        rows[places[task.id]] = [
            task.id,
            name,
            task._state | TRIGGERED if task.triggered else task._state,
            places.get(task._parent, -1),
            task.last_state_change,
            _marks(task) if task.internal_data else 0,
            changes,
        ]
    values.lost = values.lost or (isinstance(tasks, Tasks) and tasks.gone > 0)
    last = known["last_task"] and known["last_task"].id if "last_task" in known else flow.last_number()
    data = flow.stored["data"] if "stored" in known else {}
    if "data" in known:
        data, _ = values.instead([data, ()], [{name: values.place(flow.data[name]) for name in sorted(flow.data)}, ()])
    stored: dict[str, Any] = {
        "tasks": rows,
        "data": data,
        "last": places.get(last),
        "success": flow.success,
        "completed": flow.completed,
    }
    if flow.correlations:
        stored["correlations"] = flow.correlations
    return stored


def _name(name: str, names: list[str]) -> int:
    """Return where *name* stands among *names*."""
    if name not in names:
        names.append(name)
    return names.index(name)


def _inherited(task: Any) -> Mapping[str, Any]:
    tasks = task.workflow.tasks
    above = dict.get(tasks, task._parent)
    if above.__class__ is int:
        return tasks.known(above)  # type: ignore[no-any-return]
    return {} if above is None else above.data


def _marks(task: Any) -> Any:
    if task._state & TaskState.FINISHED_MASK:
        return {mark: task.internal_data[mark] for mark in _LASTING if mark in task.internal_data} or 0
    marks = dict(task.internal_data)
    seen = marks.pop("seen_events", None)
    if seen:
        waited_for = task.task_spec.event_definition.event_definitions
        marks["seen_events"] = [[waited_for.index(one.event_definition), one.payload] for one in seen]
    return marks or 0


def _changes(task: Any, values: _Values) -> Any:
    data = task.data
    if not data:
        return EMPTY
    known = _inherited(task)
    # What was inherited is the very same object, mostly in the very same order: this answers for most tasks, and then for most variables.
    if len(data) == len(known) and all(map(is_, data, known)) and all(map(is_, data.values(), known.values())):
        return SAME
    others = compress(data, map(is_not, data.values(), map(known.get, data, repeat(_MISSING))))
    other = [name for name in others if not same(known.get(name, _MISSING), data[name])]
    dropped = [] if known.keys() <= data.keys() else sorted(known.keys() - data.keys())
    # By name: the order in which variables were written is not kept, so it must not decide where their values stand.
    changed = {name: values.place(data[name]) for name in sorted(other)}
    return [changed, dropped] if changed or dropped else SAME


def _used(flows: Sequence[dict[str, Any]], names: list[str], values: int) -> tuple[list[str], Sequence[int]]:
    """Return the names and the places of the values; once a value is no longer used, of what is, and change the places in *flows*."""
    used = {place for flow in flows for row in flow["tasks"] if row[6].__class__ is list for place in row[6][0].values()}
    used.update(*[flow["data"].values() for flow in flows])
    if len(used) == values:
        return names, range(values)
    new = {old: place for place, old in enumerate(sorted(used))}
    called: dict[int, int] = {}
    for flow in flows:
        rows = flow["tasks"]
        for at, row in enumerate(rows):
            changes = [{name: new[old] for name, old in row[6][0].items()}, row[6][1]] if row[6].__class__ is list else row[6]
            rows[at] = [row[0], called.setdefault(row[1], len(called)), *row[2:6], changes]
        flow["data"] = {name: new[old] for name, old in flow["data"].items()}
    return [names[old] for old in called], [*new]


def _fill(flow: Any, stored: dict[str, Any]) -> list[Any]:
    """Give *flow* what is stored of it, and return those of its tasks that wait for an event."""
    top = flow.top_workflow
    flow.stored = stored
    tasks = flow.tasks = Tasks(flow, stored["tasks"], top.names, top.values)
    flow.success, flow.completed, flow.correlations = stored["success"], stored["completed"], stored.get("correlations", {})
    waiting = []
    for task in tasks.wake_restless():
        if task._state & STANDING:
            flow.standing[task.id] = task
        if task._state == TaskState.WAITING and isinstance(task.task_spec, CatchingEvent):
            waiting.append(task)
        if task.triggered and task.parent is flow.task_tree and flow.spec.start not in task.task_spec.inputs:
            flow.spec.start.connect(task.task_spec)  # an event sub-process that is under way already (10)
            task.task_spec.connect(flow.spec.end)
    return waiting
