"""One advance: the library set in motion under one context, cut off when it does not come to rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from typing import Any

from engine.errors import Conflict, EngineError, Refused
from engine.feel import FeelError, to_json
from engine.procedure.operators import DECISION
from engine.process import pruning, reading, state
from engine.process.interpreter import Engine, Instance
from engine.process.program import Program
from engine.process.spiff import TaskState, WorkflowException, watches
from engine.process.surfaces import CONTEXT, Surface
from engine.process.ticks import TICKS, Ticks
from engine.process.values import CANCELLED, COMPLETED, FAILED, RUNNING, Advance, Context, Operation, copied, plain, variable_name

STEP_CAP = 1000


class Run:
    """An instance in memory for the length of one call."""

    def __init__(self, program: Program, context: Context, stored: bytes | None) -> None:
        self.program, self.context = program, context
        self.engine = Engine(context.now, self._due, self._repeat, self._call, self._look)
        if stored is None:
            spec, subs = program.specifications()
            self.instance = Instance(spec, subs, script_engine=self.engine)
        else:
            self.instance = state.load(stored, program, self.engine)
        self.before: set[int] = {task.id for task in reading.ready_tasks(self.instance)} if stored is not None else set()
        self._steps = 0

    # -- what the library asks for

    def _look(self, task: Any, expression: Any, shared: Mapping[str, Any] | None) -> Any:
        if not isinstance(expression, Surface):
            raise Refused("process.script", step=str(task.task_spec.bpmn_id))
        return expression.evaluate({**(shared or {}), **task.data})

    def _due(self, task: Any, expression: Any) -> Any:
        return self._look(task, expression, task.workflow.data_objects)

    def _repeat(self, task: Any, expression: Any) -> Any:
        return self._look(task, expression, task.workflow.data_objects)

    def _call(self, task: Any, name: str, parameters: Mapping[str, Any]) -> Any:
        spec = task.task_spec
        operation = Operation(
            id=name,
            parameters=parameters,
            variables=copied(task.data),
            step=spec.bpmn_id,
            name=spec.bpmn_name or spec.bpmn_id,
            lane=reading.lane_of(self.instance, task),
            properties=dict(reading.properties(task)),
        )
        if name == DECISION:
            return plain(self._decide(operation))
        operator = self.context.operators.get(name)
        if operator is None:
            raise Refused("process.unknown_operator", step=spec.bpmn_id, operator=name)
        return plain(operator(operation))

    def _decide(self, operation: Operation) -> Any:
        """Apply a decision of the package to the variables of the case, the dossier and what is given as inputs."""
        given = {**operation.variables, "dossier": self.context.facts(), **(operation.parameters.get("inputs") or {})}
        try:
            outcome = self.program.decisions.evaluate(str(operation.parameters.get("decision")), given, self.context.functions)
            value = to_json(outcome.value)
        except FeelError as error:
            if isinstance(error.__cause__, EngineError):
                raise error.__cause__ from None
            raise Refused(
                "process.decision_failed",
                step=operation.step,
                reason=error.code,
                element=error.element,
                line=error.line,
                column=error.column,
            ) from error
        self.context.decided(operation, outcome)
        return value

    # -- moving

    def steps(self) -> None:
        """Let everything automatic happen, up to 1,000 steps in one advance (42).

        Raises: Refused ``process.too_many_steps``.
        """
        self.instance.do_engine_steps(will_complete_task=self._count)
        while self._conditions_met():
            self.instance.do_engine_steps(will_complete_task=self._count)

    def _conditions_met(self) -> bool:
        """Look at every condition an event waits for; return whether one was met (32)."""
        met = False
        for task in [one for one in self.instance.event_manager.tasks.values() if watches(one)]:
            if task.state == TaskState.WAITING:
                task.task_spec._update(task)
                met = met or task.state == TaskState.READY
        return met

    def _count(self, task: Any) -> None:
        self._steps += 1
        if self._steps > STEP_CAP:
            raise Refused("process.too_many_steps", step=str(task.task_spec.bpmn_id), limit=STEP_CAP)

    def fire_due(self) -> int:
        """Fire every deadline that has passed, one after the other as they fell due, and return how many (14, 30)."""
        fired = 0
        while True:
            due = [one for one in reading.due_events(self.instance) if one[0] <= self.context.now]
            if not due:
                self.engine.horizon = self.context.now
                return fired
            instant, task, _ = min(due, key=lambda one: (one[0], one[1].last_state_change))
            self.engine.horizon = instant
            fired += 1
            self._count(task)
            task.task_spec._update(task)
            if task.state == TaskState.WAITING and task.internal_data.get("event_fired"):
                task.task_spec._update(task)  # a cycle that has just run out
            self.steps()

    def store(self, task: Any, variable: str | None, answers: Any) -> None:
        """Assign the answers of a step to its variable, replacing what was there (43).

        Raises: Refused ``process.reserved_name``, ``process.not_plain``.
        """
        if variable is not None:
            task.data[variable_name(variable, self.context.functions)] = plain(answers)

    def result(self, closed: Set[int] = frozenset()) -> Advance:
        """Return the outcome of this advance.

        Raises: Refused ``process.stuck`` when nothing is open, awaited or due although the end was not reached (24).
        """
        instance = self.instance
        instance.is_completed()
        ready = reading.ready_tasks(instance)
        waiting = reading.messages(instance)
        deadlines = reading.timers(instance)
        thrown = reading.thrown(instance.get_events())
        if (
            not instance.completed
            and not ready
            and not any(task.state == TaskState.WAITING for task in instance.event_manager.tasks.values())
        ):
            raise Refused("process.stuck")
        outcome = RUNNING
        if instance.completed:
            failed = any(one.kind == "error" for one in thrown)
            outcome = CANCELLED if not instance.success else FAILED if failed else COMPLETED
        now = {task.id for task in ready}
        was = self.before - closed
        pruning.prune(instance, self.program)
        open_now = tuple([reading.open_task(instance, task) for task in ready])
        return Advance(
            state=state.dump(instance),
            opened=tuple([one for one, task in zip(open_now, ready, strict=True) if task.id not in was]),
            closed=tuple([instance.name_of(number) for number in sorted(self.before - (now - closed))]),
            ready=open_now,
            ended=reading.end_of(instance),
            outcome=outcome,
            timers=deadlines if outcome == RUNNING else (),
            waiting=waiting if outcome == RUNNING else (),
            thrown=thrown,
            told=lambda: reading.variables(self.instance),
            signals=reading.signals(instance) if outcome == RUNNING else (),
            apart=self._take_apart,
        )

    def _take_apart(self) -> None:
        for flow in (self.instance, *self.instance.subprocesses.values()):
            flow.__dict__.clear()
        self.__dict__.clear()


@contextmanager
def running(program: Program, context: Context, stored: bytes | None) -> Iterator[Run]:
    """Hold an instance for one advance; whatever goes wrong, the bytes handed in stay valid and nothing of this object is reused.

    Raises: Refused, Conflict; a refusal by the library itself becomes ``process.cannot_continue`` with the element.
    """
    world = CONTEXT.set(context)
    ticks = TICKS.set(Ticks())
    try:
        yield Run(program, context, stored)
    except WorkflowException as error:
        spec = getattr(error, "task_spec", None)
        raise Refused("process.cannot_continue", step=str(getattr(spec, "bpmn_id", None) or getattr(spec, "name", ""))) from error
    finally:
        TICKS.reset(ticks)
        CONTEXT.reset(world)


def require_ready(task: Any, was_ready: bool) -> Any:
    """Return the task if it may be completed now: only a step that is open can be (15).

    Raises: Conflict ``process.overtaken`` when a deadline closed it in this very moment, else ``process.task_not_ready``.
    """
    if task is not None and task.state == TaskState.READY and task.task_spec.manual:
        return task
    raise Conflict("process.overtaken" if was_ready else "process.task_not_ready")
