"""The interpreter as we run it: an engine that evaluates only what was compiled, and an instance that comes to rest by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from engine.errors import Refused
from engine.process.sleeping import Once, asleep_ahead, awake, standing_in
from engine.process.spiff import (
    BasePythonScriptEngineEnvironment,
    BoundaryEvent,
    BpmnSubWorkflow,
    BpmnWorkflow,
    Event,
    EventManager,
    NoneEventDefinition,
    PythonScriptEngine,
    TaskState,
    ThrowingEvent,
)

PARAMETER = "@"
"""Begins the names of an operator's parameters inside the library."""


class _NoPython(BasePythonScriptEngineEnvironment):  # type: ignore[misc]
    """Correlation reaches the environment without the engine; nothing here evaluates a text (33)."""

    def evaluate(self, expression: Any, context: Mapping[str, Any], external_context: Mapping[str, Any] | None = None) -> Any:
        evaluate = getattr(expression, "evaluate", None)
        if evaluate is None:
            raise Refused("process.script", step="")
        return evaluate({**(external_context or {}), **context})

    def execute(self, *_: Any, **__: Any) -> Any:
        raise Refused("process.script", step="")

    call_service = execute


class Engine(PythonScriptEngine):  # type: ignore[misc]
    """What the library asks for a value: only texts compiled when the program was built are evaluated, never Python (33, 18).

    *horizon* is the instant up to which deadlines count as passed; *now* the instant from which new ones are counted.
    """

    def __init__(
        self,
        now: datetime,
        due: Callable[[Any, Any], datetime],
        repeat: Callable[[Any, Any], Any],
        call: Callable[[Any, str, Mapping[str, Any]], Any],
        look: Callable[[Any, Any, Mapping[str, Any] | None], Any],
    ) -> None:
        super().__init__(_NoPython())
        self.now = self.horizon = now
        self.due, self.repeat, self._call, self._look = due, repeat, call, look

    def evaluate(self, task: Any, expression: Any, external_context: Mapping[str, Any] | None = None) -> Any:
        """Evaluate a compiled surface over the task's variables; a text that was not compiled is refused."""
        return self._look(task, expression, external_context)

    def watch(self, task: Any, expression: Any, variables: Mapping[str, Any]) -> Any:
        """Evaluate a condition an event waits for over *variables*, what the whole instance knows."""
        return self.environment.evaluate(expression, variables)

    def execute(self, task: Any, script: Any, external_context: Any = None) -> Any:
        """Refuse: there are no scripts."""
        raise Refused("process.script", step=str(task.task_spec.bpmn_id))

    def call_service(self, task: Any, **facts: Any) -> Any:
        """Run an operator without the library's handler, which loses the real error (18)."""
        parameters = {key.removeprefix(PARAMETER): one["value"] for key, one in facts["operation_params"].items()}
        return self._call(task, facts["operation_name"], parameters)


def _throws(task_spec: Any) -> bool:
    return isinstance(task_spec, ThrowingEvent) and not isinstance(task_spec.event_definition, NoneEventDefinition)


class _Stored:
    """A flow read from its stored form, of which a part is made only when somebody asks for it.

    *standing* are its tasks at which something stands, by number: whoever sets a task's state keeps them.
    """

    standing: dict[int, Any]
    tasks: Any
    stored: Mapping[str, Any]
    top_workflow: Any

    @Once
    def task_tree(self) -> Any:
        """The first of the tasks."""
        return self.tasks[next(iter(self.tasks))]

    @Once
    def last_task(self) -> Any:
        """The task that was completed last."""
        return self.tasks.get(self.last_number())

    @Once
    def data(self) -> Any:
        """What the flow itself holds."""
        return {name: self.top_workflow.values[place] for name, place in self.stored["data"].items()}

    def last_number(self) -> int | None:
        """Return the number of the task that was completed last when the flow was stored."""
        last = self.stored["last"]
        return None if last is None else self.stored["tasks"][last][0]

    def _task_removed_notify(self, task: Any) -> None:
        self.standing.pop(task.id, None)


class Instance(_Stored, BpmnWorkflow):  # type: ignore[misc]
    """A running instance; *history* remembers what pruning dropped from the tree, *seed* makes its task numbers unique in the world.

    *names* and *values* are the tables it was read with, *lines* the texts of those values, *levels* how many flows were read;
    *given* the names of tasks that were given or asked for.
    """

    names: Sequence[str] = ()
    values: Sequence[Any] = ()
    lines = b""
    levels = 0
    given: dict[int, UUID]

    def __init__(self, *facts: Any, **options: Any) -> None:
        self.history: dict[str, dict[str, int]] = {"nodes": {}, "flows": {}}
        self.seed = uuid4().int & ~_NUMBERS
        self.standing, self.given = {}, {}
        super().__init__(*facts, **options)

    @classmethod
    def read(cls, spec: Any, subs: Mapping[str, Any], engine: Engine, body: Mapping[str, Any]) -> Instance:
        """Return the instance of a stored *body* without its flows: what the library's constructor would give it, and no start."""
        self = cls.__new__(cls)
        self.spec, self.subprocess_specs, self.script_engine = spec, subs, engine
        self.subprocesses, self.bpmn_events, self.locks, self.event_manager = {}, [], {}, EventManager(self)
        self.completed_event, self.standing, self.given = Event(), {}, {}
        self.seed, self.history, self.names, self.values = int(body["seed"], 16), body["history"], body["names"], body["values"]
        return self

    def uuid_of(self, task: Any) -> UUID:
        """Return the name of a task outside of this instance."""
        return self.name_of(task.id)

    def name_of(self, number: int) -> UUID:
        """Return the name, outside of this instance, of the task with that number."""
        name = self.given.get(number)
        if name is None:
            name = self.given[number] = UUID(int=self.seed | number)
        return name

    def number_of(self, uuid: UUID) -> int:
        """Return the number of the task with that name; 0, which no task has, for a name of another instance."""
        if uuid.int & ~_NUMBERS != self.seed:
            return 0
        number = uuid.int & _NUMBERS
        self.given[number] = uuid
        return number

    def task_of(self, uuid: UUID) -> Any:
        """Return the task with that name, or None."""
        number = self.number_of(uuid)
        return next((flow.tasks[number] for flow in (self, *self.subprocesses.values()) if number in flow.tasks), None)

    def create_subprocess(self, my_task: Any, spec_name: str) -> Any:
        """Return a new flow inside the task of a sub-process."""
        flow = self.subprocesses[my_task.id] = Inner(self.subprocess_specs[spec_name], my_task.id, self)
        return flow

    def refresh_timers(self) -> None:
        """Do nothing: deadlines are fired one by one, the earliest first, by ``engine.process.running``."""

    def do_engine_steps(self, will_complete_task: Any = None, did_complete_task: Any = None) -> None:
        """Run everything automatic, in sub-processes first, until only people and events are left."""
        moved = True
        while moved:
            moved = False
            open_flows = self.get_active_subprocesses()
            open_flows.sort(key=lambda one: one.depth, reverse=True)
            for flow in (*open_flows, self):
                while ready := [task for task in standing_in(flow) if task._state == TaskState.READY and not task.task_spec.manual]:
                    for task in ready:
                        if task._state != TaskState.READY or task.id not in flow.tasks:
                            continue  # another of them closed it
                        will_complete_task(task)
                        task.run()
                        moved = True
                        if _throws(task.task_spec):
                            self._interrupt(will_complete_task)
                if flow is not self:
                    owner = self.get_task_from_id(flow.parent_task_id)
                    owner.task_spec._update(owner)
                    moved = moved or flow.completed
            # With nothing but this flow, what could move has: the loop above ended only when nothing was left.
            moved = (moved and bool(open_flows)) or len(self.get_active_subprocesses()) > len(open_flows)

    def _interrupt(self, will_complete_task: Any) -> None:
        """Let what was thrown end its sub-process at once, before anything more happens inside (8)."""
        for flow in (self, *self.subprocesses.values()):
            for event in standing_in(flow):
                interrupts = isinstance(event.task_spec, BoundaryEvent) and event.task_spec.cancel_activity
                if interrupts and event._state == TaskState.READY:
                    will_complete_task(event)
                    event.run()

    def is_completed(self) -> bool:
        """Return whether no task is left unfinished."""
        self.completed: bool = self.completed or not (
            self.standing or any(task._state & TaskState.NOT_FINISHED_MASK for task in awake(self)) or asleep_ahead(self)
        )
        return self.completed


class Inner(_Stored, BpmnSubWorkflow):  # type: ignore[misc]
    """A sub-process."""

    def __init__(self, *facts: Any) -> None:
        self.standing = {}
        super().__init__(*facts)

    @classmethod
    def read(cls, spec: Any, owner: int, outer: Any) -> Inner:
        """Return a stored sub-process: what the library's constructor would give it, without looking for its owner."""
        self = cls.__new__(cls)
        self.spec, self.parent_task_id, self.top_workflow, self.depth = spec, owner, outer.top_workflow, outer.depth + 1
        self.locks, self.completed_event, self.standing = {}, Event(), {}
        return self


_NUMBERS = 0xFFFFFFFF
