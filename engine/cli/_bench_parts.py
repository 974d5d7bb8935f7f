"""Parts of ``motcua bench complete-task`` that run in processes of their own or look at statements as the driver sends them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from unittest import mock
from uuid import UUID

import psycopg
from sqlalchemy import select, text

from engine.commands import deadlines, dossiers, tasks
from engine.dossier.model import Dossier
from engine.kernel import due as due_table
from engine.kernel import journey, wire
from engine.kernel.clock import SystemClock
from engine.kernel.database import conninfo
from engine.kernel.unit_of_work import Actor, UnitOfWork
from engine.process import instance, state
from engine.process.model import Task
from engine.process.program import Program, build
from engine.runtime import Runtime, all_loaded, open_runtime
from engine.settings import Settings
from engine.worker.timers import sweep

Statement = tuple[type[psycopg.Cursor[Any]], str, Any]
WRITES = ("insert", "update", "delete", "with")


@dataclass
class Sent:
    """What a completion sends to the database, BEGIN and COMMIT apart, and the single writes its last statement consists of."""

    statements: list[Statement] = field(default_factory=list)
    parts: list[Statement] = field(default_factory=list)

    def writes(self) -> list[Statement]:
        """Return the statements that write, as they were sent."""
        return [one for one in self.statements if one[1].lstrip().lower().startswith(WRITES)]

    def by_hand(self) -> list[Statement]:
        """Return the same writes the way one would write them down by hand: each a statement of its own."""
        return self.parts + [one for one in self.writes() if not one[1].startswith("with part0")]


@contextmanager
def listening() -> Iterator[Sent]:
    """Collect what this process sends to its databases."""
    sent = Sent()
    execute, executemany, together, go = psycopg.Cursor.execute, psycopg.Cursor.executemany, wire.together, journey.Line.go

    def one(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        sent.statements.append((type(self), str(query), params))
        return execute(self, query, params, **options)

    def gone(self: Any, statements: Any, end: bytes | None = None) -> Any:
        sent.statements += [(psycopg.RawCursor, text, values) for text, values in statements]
        return go(self, statements, end)

    def many(self: Any, query: Any, params_seq: Any, **options: Any) -> Any:
        sent.statements.append((type(self), str(query), list(params_seq)))
        return executemany(self, query, params_seq, **options)

    def joined(parts: Sequence[wire.Part]) -> Any:
        sent.parts += [(psycopg.Cursor, part.text, part.values) for part in parts]
        return together(parts)

    with (
        mock.patch.object(psycopg.Cursor, "execute", one),
        mock.patch.object(psycopg.Cursor, "executemany", many),
        mock.patch.object(wire, "together", joined),
        mock.patch.object(journey.Line, "go", gone),
    ):
        yield sent


Ready = Callable[[], None]
WARM = 8
"""How many dossiers warm a process: the server plans a statement for good at its sixth execution on a connection, not before."""


def warming(dossiers: int) -> int:
    """Return how many of a process's *dossiers* are completed before the clock starts."""
    return max(1, min(WARM, dossiers // 4))


def together(work: Callable[..., int], given: tuple[Any, ...], ready: Any, done: Any) -> None:
    """Run *work* in a process of several that begin at the same time; tell how much it did, or what refused it."""
    try:
        done.put(work(*given, lambda: ready.wait(300)))
    except Exception as error:
        ready.abort()
        done.put(f"{type(error).__name__}: {error}")


def replay(url: str, dossiers: Sequence[Sequence[Sequence[Statement]]], ready: Ready) -> int:
    """Send the same writes once more with nothing but a connection; return how many transactions. The first dossiers only warm it."""
    warm = warming(len(dossiers))
    with psycopg.connect(conninfo(url)) as connection:

        def sent(mine: Sequence[Sequence[Sequence[Statement]]]) -> int:
            for writes in chain.from_iterable(mine):
                with connection.transaction():
                    for kind, text, values in writes:
                        cursor = kind(connection)
                        if isinstance(values, list) and values and isinstance(values[0], dict):
                            cursor.executemany(text, values)
                        else:
                            cursor.execute(text, values)
            return sum(map(len, mine))

        sent(dossiers[:warm])
        ready()
        return sent(dossiers[warm:])


def complete(settings: Settings, worker: UUID, dossiers: Sequence[UUID], answers: dict[str, Any], ready: Ready) -> int:
    """Complete every step of *dossiers* with the real command, step by step of all of them; return how many.

    Which steps are open is asked once for all dossiers: that is not the command's work. The first dossiers only warm the process.
    """
    runtime = open_runtime(settings, clock=SystemClock())
    actor = Actor("person", person=worker, label="bench")
    all_loaded()  # as the web and the worker do

    def completed(mine: Sequence[UUID]) -> int:
        count = 0
        while steps := all_open(runtime, actor, mine):
            for task in steps:
                with runtime.begin(actor) as w:
                    tasks.complete(w, task, answers)
            count += len(steps)
        return count

    try:
        warm = warming(len(dossiers))
        completed(dossiers[:warm])
        ready()
        return completed(dossiers[warm:])
    finally:
        runtime.close()


def all_open(runtime: Runtime, actor: Actor, dossiers: Sequence[UUID]) -> list[UUID]:
    """Return the open steps of *dossiers*."""
    with runtime.begin(actor) as w:
        return list(w.session.scalars(select(Task.id).where(Task.dossier_id.in_(dossiers), Task.state == "open").order_by(Task.opened_at)))


def next_open(runtime: Runtime, actor: Actor, dossier: UUID) -> UUID | None:
    """Return the longest open step of a dossier."""
    with runtime.begin(actor) as w:
        query = select(Task.id).where(Task.dossier_id == dossier, Task.state == "open").order_by(Task.opened_at, Task.id)
        return w.session.scalars(query).first()


def with_timers(runtime: Runtime, worker: UUID, number: int, answers: dict[str, Any]) -> None:
    """Start dossiers and bring each to the step that has a deadline."""
    actor = Actor("person", person=worker, label="bench")
    for _ in range(number):
        with runtime.begin(actor) as w:
            dossiers.start_internal(w, "benchmark_case", {})
        dossier = newest(runtime)
        while not has_timer(runtime, dossier):
            task = next_open(runtime, actor, dossier)
            assert task is not None, "the case has no step with a deadline"
            with runtime.begin(actor) as w:
                tasks.complete(w, task, answers)


def newest(runtime: Runtime) -> UUID:
    """Return the dossier started last."""
    with runtime.begin(Actor("system", label="bench")) as w:
        return w.session.scalars(select(Dossier.id).order_by(Dossier.id.desc()).limit(1)).one()


def has_timer(runtime: Runtime, dossier: UUID) -> bool:
    """Say whether a process timer of the dossier waits."""
    with runtime.begin(Actor("system", label="bench")) as w:
        found = w.session.scalar(
            text("select count(*) from due where dossier = :dossier and kind = 'timer' and fired_at is null"), {"dossier": dossier}
        )
        return bool(found)


def timers(settings: Settings, worker: UUID, answers: dict[str, Any], waiting: int, due: int = 300) -> dict[str, Any]:
    """Let *due* process timers fall due within ten seconds among *waiting* ones; return how late each is fired, and what a sweep costs.

    The sweep runs as the worker runs it, once a second. The waiting rows are made in bulk; the due ones are timers of real dossiers.
    """
    runtime = open_runtime(settings, clock=SystemClock())
    try:
        with_timers(runtime, worker, due, answers)
        empty = sweep_cost(runtime)
        with runtime.begin(Actor("system", label="bench")) as w:
            w.session.execute(
                text(
                    "insert into due (province, id, dossier, kind, ref, due_at) select :province, gen_random_uuid(), gen_random_uuid(), "
                    "'timer', 'bench', now() + interval '1 day' + n * interval '1 second' from generate_series(1, :waiting) n"
                ),
                {"province": w.province, "waiting": waiting},
            )
        with runtime.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("analyze due"))
        full = sweep_cost(runtime)
        with runtime.begin(Actor("system", label="bench")) as w:
            moved = w.session.execute(
                text(
                    "update due set due_at = now() + random() * interval '10 seconds' where id in (select id from due where ref <> 'bench' "
                    "and kind = 'timer' and fired_at is null limit :due) returning id"
                ),
                {"due": due},
            ).all()
        assert len(moved) == due, f"{len(moved)} timers instead of {due}"
        lateness = fired(runtime, len(moved))
    finally:
        runtime.close()
    return {
        "timers.waiting": waiting,
        "timers.fired": len(lateness),
        "timers.p99_s": round(statistics.quantiles(lateness, n=100)[-1], 3) if len(lateness) > 1 else None,
        "timers.sweep_ms": round(1000 * full, 2),
        "timers.sweep_ms_empty": round(1000 * empty, 2),
    }


def sweep_cost(runtime: Runtime, times: int = 50) -> float:
    """Return the median time of a sweep that finds nothing, in seconds."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        sweep(runtime)
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


def fired(runtime: Runtime, expected: int, seconds: float = 120) -> list[float]:
    """Sweep once a second until *expected* timers have been fired; return by how many seconds each was late, its command included."""
    late: list[float] = []
    real = deadlines.fire

    def timed(w: UnitOfWork, row: UUID) -> Any:
        found = due_table.find(w.session, w.province, row)
        done = real(w, row)
        if found is not None:
            late.append((datetime.now(UTC) - found.due_at).total_seconds())
        return done

    until = time.monotonic() + seconds
    with mock.patch.object(deadlines, "fire", timed):
        while len(late) < expected and time.monotonic() < until:
            begun = time.monotonic()
            sweep(runtime)
            time.sleep(max(0.0, 1 - (time.monotonic() - begun)))
    return late


LOOP = b"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:motcua:procedure">
  <bpmn:process id="p" isExecutable="true">
    <bpmn:startEvent id="s"/><bpmn:exclusiveGateway id="m"/><bpmn:userTask id="again"/>
    <bpmn:exclusiveGateway id="x" default="x__m"/><bpmn:endEvent id="e"/>
    <bpmn:sequenceFlow id="s__m" sourceRef="s" targetRef="m"/><bpmn:sequenceFlow id="m__again" sourceRef="m" targetRef="again"/>
    <bpmn:sequenceFlow id="again__x" sourceRef="again" targetRef="x"/><bpmn:sequenceFlow id="x__m" sourceRef="x" targetRef="m"/>
    <bpmn:sequenceFlow id="x__e" sourceRef="x" targetRef="e">
      <bpmn:conditionExpression>again.decision = "stop"</bpmn:conditionExpression>
    </bpmn:sequenceFlow>
  </bpmn:process>
</bpmn:definitions>"""
ROUNDS = 1000


def growth(answers: dict[str, Any]) -> dict[str, Any]:
    """Return what tasks 901 to 1,000 of one instance cost beside tasks 1 to 100, in processor time of the interpreter and in bytes.

    An instance nobody counts goes first, so that the first hundred is not the one in which things are used for the first time. What is
    loaded is set aside, as in every process that serves people: one look of the collector through the libraries costs as much as two
    hundred tasks, and fell into one hundred or another by chance (the same code gave 0.4 and 3.3).
    """
    program = build("bench loop", LOOP)
    completed(program, answers, 200)
    all_loaded()
    times, sizes = completed(program, answers, ROUNDS)
    return {
        "growth.last_of_first_hundred": round(sum(times[-100:]) / sum(times[:100]), 2),
        "growth.most_bytes": max(sizes),
    }


def completed(program: Program, answers: dict[str, Any], rounds: int) -> tuple[list[float], list[int]]:
    """Go *rounds* times through the loop; return the processor time of each completion in seconds and the bytes stored after it."""
    context = instance.Context(now=datetime.now(UTC))
    advance, times, sizes = instance.start(program, {}, context), [], []
    for _ in range(rounds):
        begun = time.process_time()
        advance = instance.complete(program, advance.state, advance.ready[0].uuid, "again", answers, context)
        times.append(time.process_time() - begun)
        sizes.append(state.size(advance.state))
    return times, sizes
