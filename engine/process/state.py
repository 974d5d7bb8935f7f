"""An instance as bytes: everything that changes, nothing of the specification, no type names inside anybody's answers (11, 33, 41).

A task is a row: id, specification, state, parent, children, order of its last change, its own marks, its data. Data is written as
what the task changed against its parent, by whole variables. The format is ours; the library's own serialiser is not used.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from uuid import UUID

import orjson
import zstandard

from engine.errors import Refused
from engine.process.program import Program
from engine.process.spiff import TICKS, BpmnEvent, BpmnSubWorkflow, CatchingEvent, Engine, Instance, Task, TaskState, Ticks, same

FORMAT = 1
MAX_BYTES = 8 * 1024 * 1024
_TRIGGERED = 1 << 10
_EMPTY, _SAME = 0, 1
_LASTING = ("joined", "cut")  # of a finished task: the tokens it consumed, and that its parent is not the one it had
_MISSING = object()


def dump(instance: Instance) -> bytes:
    """Return the state of *instance*.

    Raises: Refused ``process.state_too_large`` above 8 MiB, before compression.
    """
    names: dict[str, int] = {}
    flows = [instance, *instance.subprocesses.values()]
    place: dict[UUID, tuple[int, int]] = {}
    for number, flow in enumerate(flows):
        for row, task_id in enumerate(flow.tasks):
            place[task_id] = (number, row)
    body = {
        "format": FORMAT,
        "ticks": TICKS.get().last,
        "history": instance.history,
        "flows": [_flow(flow, names, place) for flow in flows],
        "names": list(names),
    }
    text = orjson.dumps(body)
    if len(text) > MAX_BYTES:
        raise Refused("process.state_too_large", size=len(text) // 1024, limit=MAX_BYTES // 1024)
    return zstandard.ZstdCompressor(level=3).compress(text)


def load(state: bytes, program: Program, engine: Engine) -> Instance:
    """Rebuild the instance of *state* under *program*; *engine* answers for every expression from the first moment (33).

    Raises: Refused ``process.state_unreadable``.
    """
    body = _read(state)
    TICKS.set(Ticks(body["ticks"]))
    spec, subs = program.specifications()
    instance = Instance(spec, subs, script_engine=engine, deserializing=True)
    instance.history = body["history"]
    flows = [instance]
    for number, stored in enumerate(body["flows"]):
        if number:
            owner, row = stored["owner"]
            task = list(flows[owner].tasks.values())[row]
            flow = BpmnSubWorkflow(subs[task.task_spec.spec], task.id, instance, deserializing=True)
            instance.subprocesses[task.id] = flow
            flow.completed_event.connect(task.task_spec._on_subworkflow_completed, task)
            flows.append(flow)
        _fill(flows[number], stored, body["names"])
    _reconnect(instance)
    TICKS.set(Ticks(body["ticks"]))  # building the tasks counted too
    return instance


def size(state: bytes) -> int:
    """Return the length of *state* before compression, in bytes."""
    return int(zstandard.get_frame_parameters(state).content_size)


def _read(state: bytes) -> Any:
    try:
        if size(state) > MAX_BYTES:
            raise Refused("process.state_unreadable")
        body = orjson.loads(zstandard.ZstdDecompressor().decompress(state))
    except (zstandard.ZstdError, orjson.JSONDecodeError):
        raise Refused("process.state_unreadable") from None
    if body.get("format") != FORMAT:
        raise Refused("process.state_unreadable")
    return body


def _flow(flow: Any, names: dict[str, int], place: dict[UUID, tuple[int, int]]) -> dict[str, Any]:
    stored: dict[str, Any] = {
        "tasks": [_task(task, names, place) for task in flow.tasks.values()],
        "data": flow.data,
        "last": place[flow.last_task.id][1] if flow.last_task is not None and flow.last_task.id in flow.tasks else None,
        "success": flow.success,
        "completed": flow.completed,
    }
    if flow.correlations:
        stored["correlations"] = flow.correlations
    if flow.parent_task_id is not None:
        stored["owner"] = place[flow.parent_task_id]
    return stored


def _task(task: Any, names: dict[str, int], place: dict[UUID, tuple[int, int]]) -> list[Any]:
    name = names.setdefault(task.task_spec.name, len(names))
    parent = task.parent
    return [
        urlsafe_b64encode(task.id.bytes)[:22].decode(),
        name,
        task.state | (_TRIGGERED if task.triggered else 0),
        -1 if parent is None else place[parent.id][1],
        [place[child][1] for child in task._children],
        task.last_state_change,
        _marks(task),
        _changes({} if parent is None else parent.data, task.data),
    ]


def _marks(task: Any) -> Any:
    if task.has_state(TaskState.FINISHED_MASK):
        return {mark: task.internal_data[mark] for mark in _LASTING if mark in task.internal_data} or 0
    marks = dict(task.internal_data)
    seen = marks.pop("seen_events", None)
    if seen:
        waited_for = task.task_spec.event_definition.event_definitions
        marks["seen_events"] = [[waited_for.index(one.event_definition), one.payload] for one in seen]
    return marks or 0


def _changes(inherited: dict[str, Any], data: dict[str, Any]) -> Any:
    if not data:
        return _EMPTY
    changed = {key: value for key, value in data.items() if not same(inherited.get(key, _MISSING), value)}
    dropped = sorted(inherited.keys() - data.keys())
    return [changed, dropped] if changed or dropped else _SAME


def _fill(flow: Any, stored: dict[str, Any], names: list[str]) -> None:
    tasks: list[Any] = []
    for code, name, state, parent, _, changed_at, marks, changes in stored["tasks"]:
        task = Task(flow, flow.spec.task_specs[names[name]], state=state & ~_TRIGGERED, id=UUID(bytes=urlsafe_b64decode(code + "==")))
        task.triggered = bool(state & _TRIGGERED)
        task.last_state_change = changed_at
        task.internal_data = marks or {}
        inherited: dict[str, Any] = {}
        if parent >= 0:
            task._parent, inherited = tasks[parent].id, tasks[parent].data
        if changes == _SAME:
            task.data = dict(inherited)
        elif changes != _EMPTY:
            gone = set(changes[1])
            task.data = {key: value for key, value in inherited.items() if key not in gone} | changes[0]
        tasks.append(task)
    for task, row in zip(tasks, stored["tasks"], strict=True):
        task._children = [tasks[child].id for child in row[4]]
        _restore_seen(task)
    flow.task_tree = tasks[0]
    flow.last_task = None if stored["last"] is None else tasks[stored["last"]]
    flow.success, flow.completed = stored["success"], stored["completed"]
    flow.data = stored["data"]
    flow.correlations = stored.get("correlations", {})


def _restore_seen(task: Any) -> None:
    seen = task.internal_data.get("seen_events")
    if seen:
        waited_for = task.task_spec.event_definition.event_definitions
        task.internal_data["seen_events"] = [BpmnEvent(waited_for[place], payload) for place, payload in seen]


def _reconnect(instance: Instance) -> None:
    """Wire what the library keeps outside the tree: waiting events, and event sub-processes already under way (10)."""
    waiting: list[Any] = []
    for flow in (instance, *instance.subprocesses.values()):
        waiting += [task for task in flow.tasks.values() if task.state == TaskState.WAITING and isinstance(task.task_spec, CatchingEvent)]
        for child in flow.task_tree.children:
            start = flow.spec.start
            if child.triggered and start not in child.task_spec.inputs:
                start.connect(child.task_spec)
                child.task_spec.connect(flow.spec.end)
    for task in sorted(waiting, key=lambda one: one.last_state_change):
        instance.event_manager.add_task(task)
