"""Instances of a procedure: start, complete, receive, fire, send back, cancel; bytes in, bytes out, from wait state to wait state.

Nothing here knows a database, a network or a clock: the caller locks the row, hands in the bytes and the context, and stores what
comes back in the same transaction. Deadlines that have passed are fired before anything else is done, in the order in which they
fell due, so whoever acts after a deadline finds its effect and never overtakes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from engine.errors import Conflict
from engine.process import reading, returning
from engine.process.program import Program, program
from engine.process.running import require_ready, running
from engine.process.spiff import BpmnEvent
from engine.process.values import Advance, Context, Json, OpenTask, Operation, Thrown, Timer, View, plain, variable_name

__all__ = [
    "Advance",
    "Context",
    "OpenTask",
    "Operation",
    "Program",
    "Thrown",
    "Timer",
    "View",
    "answers_so_far",
    "cancel",
    "complete",
    "fire",
    "hear",
    "program",
    "receive",
    "send_back",
    "send_back_targets",
    "start",
    "view",
]


def start(program: Program, variables: Mapping[str, Json], context: Context) -> Advance:
    """Start an instance with *variables* and run it to its first wait state.

    Raises: Refused ``process.*``.
    """
    with running(program, context, None) as run:
        given = {variable_name(name, context.functions): plain(value) for name, value in variables.items()}
        run.instance.task_tree.data.update(given)
        run.steps()
        run.fire_due()
        return run.result()


def complete(program: Program, state: bytes, task_uuid: UUID, variable: str | None, answers: Json, context: Context) -> Advance:
    """Complete one open step: its *answers* replace what *variable* held, then everything up to the next wait state happens.

    Raises: Conflict ``process.task_not_ready`` for a step that is not open, ``process.overtaken`` when a deadline passed before
    this act and closed it (call ``fire`` to keep its effects); Refused ``process.*``.
    """
    with running(program, context, state) as run:
        was_ready = run.instance.number_of(task_uuid) in run.before
        run.fire_due()
        task = require_ready(run.instance.task_of(task_uuid), was_ready)
        run.store(task, variable, answers)
        task.run()
        run.steps()
        run.fire_due()
        return run.result()


def receive(program: Program, state: bytes, message: str, payload: Json, context: Context, keys: Json = None) -> Advance:
    """Hand the message named *message* to this one instance; with *keys*, only if they are those of its conversation.

    Raises: Conflict ``process.message_not_awaited``; Refused ``process.*``.
    """
    with running(program, context, state) as run:
        run.fire_due()
        definition = next((one for name, one in reading.listening(run.instance, "message") if name == message), None)
        if definition is None:
            raise Conflict("process.message_not_awaited", message=message)
        # Without keys the caller chose the instance; its own correlation keys travel along so that they match.
        event = BpmnEvent(definition, payload=plain(payload), correlations=dict(run.instance.correlations if keys is None else keys))
        if run.instance.event_manager.catch(event, internal=False) == 0 and keys is not None:
            raise Conflict("process.message_not_awaited", message=message)
        run.steps()
        run.fire_due()
        return run.result()


def hear(program: Program, state: bytes, signal: str, payload: Json, context: Context) -> Advance:
    """Let this instance hear a signal, wherever it listens to it.

    Raises: Conflict ``process.message_not_awaited`` when it does not listen; Refused ``process.*``.
    """
    with running(program, context, state) as run:
        run.fire_due()
        definition = next((one for name, one in reading.listening(run.instance, "signal") if name == signal), None)
        if definition is None:
            raise Conflict("process.message_not_awaited", message=signal)
        run.instance.event_manager.catch(BpmnEvent(definition, payload=plain(payload)), internal=False)
        run.steps()
        run.fire_due()
        return run.result()


def fire(program: Program, state: bytes, context: Context) -> Advance:
    """Fire every deadline that has passed by ``context.now``; with none, return the instance as it stands.

    Raises: Refused ``process.*``.
    """
    with running(program, context, state) as run:
        run.fire_due()
        return run.result()


def send_back(program: Program, state: bytes, step: str, context: Context) -> Advance:
    """Open the completed *step* again with its former answers and close everything after it.

    The step keeps its uuid and is reported as opened: the caller counts rounds.
    Raises: Refused ``process.cannot_send_back`` unless every open step lies behind it.
    """
    with running(program, context, state) as run:
        run.fire_due()
        task = returning.reopen(run.instance, step)
        run.steps()
        return run.result(closed={task.id})


def send_back_targets(program: Program, state: bytes) -> tuple[OpenTask, ...]:
    """Return the steps ``send_back`` would accept now, the latest first, each step once."""
    with running(program, _nowhere(), state) as run:
        found: dict[str, OpenTask] = {}
        for task in returning.targets(run.instance):
            found.setdefault(task.task_spec.bpmn_id, reading.open_task(run.instance, task))
        return tuple(found.values())


def cancel(program: Program, state: bytes, context: Context) -> Advance:
    """End the instance where it stands: every open step and deadline is closed, nothing further happens."""
    with running(program, context, state) as run:
        run.instance.cancel()
        return run.result()


def view(program: Program, state: bytes) -> View:
    """Return the instance on its diagram."""
    with running(program, _nowhere(), state) as run:
        return reading.view_of(run.instance, program)


def answers_so_far(program: Program, state: bytes) -> dict[str, Json]:
    """Return the variables as the open steps see them: the answers given so far."""
    with running(program, _nowhere(), state) as run:
        return reading.variables(run.instance)


def _nowhere() -> Context:
    """Return the context of a mere look: nothing is evaluated."""
    return Context(now=datetime.min.replace(tzinfo=UTC))
