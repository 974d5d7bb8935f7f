"""An instance as bytes: everything that changes, nothing of the specification, no type names inside anybody's answers (11, 33, 41).

A task is a row: number, specification, state, parent, order of its last change, its own marks, its data. Data is written as what the
task changed against its parent, by whole variables, and every value stands in the table ``values`` once, however many tasks share it.
The format is ours; the library's own serialiser is not used.
"""

from __future__ import annotations

import threading
from operator import is_
from typing import Any

import orjson
import zstandard

from engine.errors import Refused
from engine.process.interpreter import Engine, Instance
from engine.process.merging import same
from engine.process.program import Program
from engine.process.spiff import BpmnEvent, BpmnSubWorkflow, CatchingEvent, Task, TaskState
from engine.process.ticks import TICKS, Ticks

FORMAT = 1
MAX_BYTES = 8 * 1024 * 1024
_TRIGGERED = 1 << 10
_EMPTY, _SAME = 0, 1
_LASTING = ("joined", "cut")  # of a finished task: the tokens it consumed, and that its parent is not the one it had
_MISSING = object()


class _Tools(threading.local):
    """What compresses and expands on this thread: making it takes longer than a state does."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=3).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_tools = _Tools()


class _Values:
    """The table of values: each object once."""

    def __init__(self) -> None:
        self.table: list[Any] = []
        self._known: dict[int, int] = {}

    def place(self, value: Any) -> int:
        """Return where *value* stands in the table."""
        found = self._known.get(id(value))
        if found is None:
            found = self._known[id(value)] = len(self.table)
            self.table.append(value)
        return found


def dump(instance: Instance) -> bytes:
    """Return the state of *instance*.

    Raises: Refused ``process.state_too_large`` above 8 MiB, before compression.
    """
    names: dict[str, int] = {}
    values = _Values()
    flows = [instance, *instance.subprocesses.values()]
    place = {task_id: (number, row) for number, flow in enumerate(flows) for row, task_id in enumerate(flow.tasks)}
    body = {
        "format": FORMAT,
        "seed": f"{instance.seed:032x}",
        "ticks": TICKS.get().last,
        "history": instance.history,
        "flows": [_flow(flow, names, place, values) for flow in flows],
        "names": list(names),
        "values": values.table,
    }
    text = orjson.dumps(body)
    if len(text) > MAX_BYTES:
        raise Refused("process.state_too_large", size=len(text) // 1024, limit=MAX_BYTES // 1024)
    return _tools.compress(text)


def load(state: bytes, program: Program, engine: Engine) -> Instance:
    """Rebuild the instance of *state* under *program*; *engine* answers for every expression from the first moment (33).

    Raises: Refused ``process.state_unreadable``.
    """
    body = _read(state)
    TICKS.set(Ticks(body["ticks"]))
    spec, subs = program.specifications()
    instance = Instance(spec, subs, script_engine=engine, deserializing=True)
    instance.seed, instance.history = int(body["seed"], 16), body["history"]
    flows: list[Any] = [instance]
    rows: list[list[Any]] = []
    for number, stored in enumerate(body["flows"]):
        if number:
            owner, row = stored["owner"]
            task = rows[owner][row]
            flow = BpmnSubWorkflow(subs[task.task_spec.spec], task.id, instance, deserializing=True)
            instance.subprocesses[task.id] = flow
            flow.completed_event.connect(task.task_spec._on_subworkflow_completed, task)
            flows.append(flow)
        rows.append(_fill(flows[number], stored, body["names"], body["values"]))
    _reconnect(instance)
    return instance


def size(state: bytes) -> int:
    """Return the length of *state* before compression, in bytes."""
    return int(zstandard.get_frame_parameters(state).content_size)


def _read(state: bytes) -> Any:
    try:
        if size(state) > MAX_BYTES:
            raise Refused("process.state_unreadable")
        body = orjson.loads(_tools.decompress(state))
    except (zstandard.ZstdError, orjson.JSONDecodeError):
        raise Refused("process.state_unreadable") from None
    if body.get("format") != FORMAT:
        raise Refused("process.state_unreadable")
    return body


def _flow(flow: Any, names: dict[str, int], place: dict[int, tuple[int, int]], values: _Values) -> dict[str, Any]:
    rows = []
    tasks = flow.tasks
    for task in tasks.values():
        parent = tasks.get(task._parent)
        rows.append(
            [
                task.id,
                names.setdefault(task.task_spec.name, len(names)),
                task._state | _TRIGGERED if task.triggered else task._state,
                -1 if parent is None else place[parent.id][1],
                task.last_state_change,
                _marks(task) if task.internal_data else 0,
                _changes(None if parent is None else parent.data, task.data, values),
            ]
        )
    stored: dict[str, Any] = {
        "tasks": rows,
        "data": {name: values.place(flow.data[name]) for name in sorted(flow.data)},
        "last": place[flow.last_task.id][1] if flow.last_task is not None and flow.last_task.id in flow.tasks else None,
        "success": flow.success,
        "completed": flow.completed,
    }
    if flow.correlations:
        stored["correlations"] = flow.correlations
    if flow.parent_task_id is not None:
        stored["owner"] = place[flow.parent_task_id]
    return stored


def _marks(task: Any) -> Any:
    if task._state & TaskState.FINISHED_MASK:
        return {mark: task.internal_data[mark] for mark in _LASTING if mark in task.internal_data} or 0
    marks = dict(task.internal_data)
    seen = marks.pop("seen_events", None)
    if seen:
        waited_for = task.task_spec.event_definition.event_definitions
        marks["seen_events"] = [[waited_for.index(one.event_definition), one.payload] for one in seen]
    return marks or 0


def _changes(inherited: dict[str, Any] | None, data: dict[str, Any], values: _Values) -> Any:
    if not data:
        return _EMPTY
    known = inherited or {}
    # What was inherited is the very same object, mostly in the very same order: this answers for most tasks, and then for most variables.
    if len(data) == len(known) and all(map(is_, data, known)) and all(map(is_, data.values(), known.values())):
        return _SAME
    if data.keys() == known.keys() and all(map(is_, data.values(), map(known.get, data))):
        return _SAME
    other = [name for name, value in data.items() if (old := known.get(name, _MISSING)) is not value and not same(old, value)]
    dropped = [] if known.keys() <= data.keys() else sorted(known.keys() - data.keys())
    # By name: the order in which variables were written is not kept, so it must not decide where their values stand.
    changed = {name: values.place(data[name]) for name in sorted(other)}
    return [changed, dropped] if changed or dropped else _SAME


def _fill(flow: Any, stored: dict[str, Any], names: list[str], values: list[Any]) -> list[Any]:
    specs = [flow.spec.task_specs.get(name) for name in names]
    tasks: list[Any] = []
    for number, name, state, parent, changed_at, marks, changes in stored["tasks"]:
        above = None if parent < 0 else tasks[parent]
        if changes == _EMPTY:
            data: dict[str, Any] = {}
        else:
            data = {} if above is None else above.data.copy()
            if changes != _SAME:
                for gone in changes[1]:
                    del data[gone]
                for variable, place in changes[0].items():
                    data[variable] = values[place]
        task = Task.__new__(Task)  # its constructor would count as an event in the life of the instance
        task.__dict__ = {
            "id": number, "workflow": flow, "task_spec": specs[name], "_state": state & ~_TRIGGERED, "triggered": bool(state & _TRIGGERED),
            "_children": [], "thread_id": 0, "last_state_change": changed_at, "internal_data": marks or {},
            "_parent": None if above is None else above.id, "data": data,
        }  # fmt: skip
        if above is not None:
            above._children.append(number)
        flow.tasks[number] = task
        tasks.append(task)
        if "seen_events" in task.internal_data:
            waited_for = task.task_spec.event_definition.event_definitions
            task.internal_data["seen_events"] = [BpmnEvent(waited_for[at], payload) for at, payload in marks["seen_events"]]
    flow.task_tree = tasks[0]
    flow.last_task = None if stored["last"] is None else tasks[stored["last"]]
    flow.success, flow.completed = stored["success"], stored["completed"]
    flow.data = {name: values[place] for name, place in stored["data"].items()}
    flow.correlations = stored.get("correlations", {})
    return tasks


def _reconnect(instance: Instance) -> None:
    """Wire what the library keeps outside the tree: waiting events, and event sub-processes already under way (10)."""
    waiting: list[Any] = []
    for flow in (instance, *instance.subprocesses.values()):
        waiting += [task for task in flow.tasks.values() if task._state == TaskState.WAITING and isinstance(task.task_spec, CatchingEvent)]
        for child in flow.task_tree.children:
            start = flow.spec.start
            if child.triggered and start not in child.task_spec.inputs:
                start.connect(child.task_spec)
                child.task_spec.connect(flow.spec.end)
    for task in sorted(waiting, key=lambda one: one.last_state_change):
        instance.event_manager.add_task(task)
