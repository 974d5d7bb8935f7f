"""``motcua bench complete-task``: how fast steps are completed, beside a raw transaction that writes the same rows in the same run.

Everything happens in a database of its own that is dropped afterwards; commits are as durable as the server's own setting.
"""

from __future__ import annotations

import argparse
import json
import runpy
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import create_engine, select
from sqlalchemy.engine import make_url

from engine.cli import _bench_http, _bench_parts, group, leaf
from engine.commands import dossiers, organisation, procedures, tasks
from engine.dossier.model import Dossier
from engine.kernel.clock import SystemClock
from engine.kernel.database import address, conninfo
from engine.kernel.install import install
from engine.kernel.postgres import owner_url
from engine.kernel.unit_of_work import Actor
from engine.migrations import make_schema
from engine.procedure.loader import load_folder
from engine.process import instance, state
from engine.process.model import Instance, Task
from engine.process.program import prepare
from engine.runtime import Runtime, all_loaded, open_runtime
from engine.settings import ROOT, Settings

CASE = ROOT / "benchmarks" / "case"
STEPS = 12
SINCE = date(2025, 7, 1)
ROLES = ("specialist", "division_head", "office_chief", "head")
ANSWERS = {
    "decision": "approve",
    "pages": 12,
    "on": "2026-01-05",
    "text": "Đã kiểm tra đầy đủ thành phần hồ sơ theo quy định; nội dung phù hợp, đề nghị trình cấp có thẩm quyền xem xét. " * 4,
    "file_number": "123/TTr-VP",
}


def add(commands: Any) -> None:
    """Add the commands."""
    bench = group(commands, "bench", "measure this machine")
    measured = leaf(bench, "complete-task", complete_task, "completed steps a second, beside a raw transaction of the same rows")
    measured.add_argument(
        "--cases", type=int, default=160, help="dossiers of 12 steps to measure in one process, and twice as many in several (default 160)"
    )
    measured.add_argument("--quick", action="store_true", help="leave out the web, the naive cycle and the 100,000 waiting timers")
    measured.add_argument("--json", action="store_true", help="print the figures for a machine")
    judged = leaf(bench, "gate", gate, "the publication gate over diagrams of 300 nodes, shape by shape")
    judged.add_argument("--json", action="store_true", help="print the figures for a machine")
    language = leaf(bench, "feel", feel, "the expression language and its decision tables, beside pySFeel")
    language.add_argument("--json", action="store_true", help="print the figures for a machine")
    signed = leaf(bench, "sign", sign, "signing and verifying, beside stock pyHanko")
    signed.add_argument("--rounds", type=int, default=20)
    signed.add_argument("--json", action="store_true", help="print the figures for a machine (they always are)")
    first = leaf(bench, "start", start, "a stranger's first start in an empty clone, the next one, memory")
    first.add_argument("--json", action="store_true", help="print the figures for a machine")
    drawn = leaf(bench, "editor", editor, "a procedure of 300 tasks opened and edited in the designer, in a real Chromium")
    drawn.add_argument("--json", action="store_true", help="print the figures for a machine")


def editor(chosen: argparse.Namespace) -> int:
    """Measure the designer's editor; what is measured stands in ``benchmarks/editor.py``."""
    return int(runpy.run_path(str(ROOT / "benchmarks" / "editor.py"))["main"](chosen.json))


def start(chosen: argparse.Namespace) -> int:
    """Measure starting; what is measured stands in ``benchmarks/start.py``."""
    return int(runpy.run_path(str(ROOT / "benchmarks" / "start.py"))["main"](chosen.json))


def feel(chosen: argparse.Namespace) -> int:
    """Measure the expression language; what is measured stands in ``benchmarks/feel.py``."""
    return int(runpy.run_path(str(ROOT / "benchmarks" / "feel.py"))["main"](chosen.json))


def gate(chosen: argparse.Namespace) -> int:
    """Measure the publication gate; what is measured stands in ``benchmarks/gate.py``."""
    return int(runpy.run_path(str(ROOT / "benchmarks" / "gate.py"))["main"](chosen.json))


def sign(chosen: argparse.Namespace) -> int:
    """Measure signing and verifying; what is measured stands in ``benchmarks/sign.py``."""
    return int(runpy.run_path(str(ROOT / "benchmarks" / "sign.py"))["main"](["--rounds", str(chosen.rounds)]))


def complete_task(chosen: argparse.Namespace) -> int:
    """Measure and print."""
    figures = measure(max(4, chosen.cases), quick=chosen.quick)
    if chosen.json:
        print(json.dumps(figures, indent=2))
        return 0
    for name, value in figures.items():
        print(f"{name:32} {value}")
    return 0


def measure(cases: int, *, quick: bool = False) -> dict[str, Any]:
    """Return the figures of one run, each on dossiers of its own of one office."""
    with tempfile.TemporaryDirectory(prefix="motcua-bench-") as folder:
        given = Settings.from_environment()
        home = Path(folder)
        home.chmod(0o755)
        settings = replace(given, home=home, demo=False, application_url=None)
        with owner_url(settings) as url, scratch(url) as (name, copy):
            office = settings_on(settings, url, name)
            runtime = open_runtime(office, clock=SystemClock())
            try:
                worker = seed(runtime, 3 * cases + WARM)
                everyone = all_dossiers(runtime)
            finally:
                runtime.close()
            # As the server does by itself within a minute; until then it takes every table for empty and looks through all of it.
            statement(url, "analyze", name)
            first, second = everyone[: cases + WARM], everyone[cases + WARM :]
            hand = f"{copy}_hand"
            for one in (copy, hand):
                clone(url, name, one)
            runtime = open_runtime(office, clock=SystemClock())
            try:
                figures, sent = commanded(runtime, worker, first)
            finally:
                runtime.close()
            figures["raw.tasks_per_second"] = replayed(on(url, copy), [one.writes() for one in sent])
            figures["raw.by_hand_per_second"] = replayed(on(url, hand), [one.by_hand() for one in sent])
            figures["command.tasks_per_second"] = at_once(
                _bench_parts.complete, [(office, worker, share, ANSWERS) for share in shares(second)]
            )
            figures["command.processes"] = PROCESSES
            if not quick:
                figures["naive.tasks_per_second"] = naive(conninfo(on(url, copy)), cases)
                figures |= _bench_http.measured(office, worker, 2 * cases, ANSWERS)
                figures |= _bench_parts.timers(office, worker, ANSWERS, 100_000)
                figures |= _bench_parts.growth(ANSWERS)
    for name, raw in (("command.of_raw", "raw.tasks_per_second"), ("command.of_raw_by_hand", "raw.by_hand_per_second")):
        figures[name] = round(figures["command.tasks_per_second"] / figures[raw], 2)
    return {**interpreted(), **figures}


def on(url: str, database: str) -> str:
    """Return the address of another database of the same server."""
    return str(make_url(url).set(database=database).render_as_string(hide_password=False))


def replayed(url: str, completions: list[list[_bench_parts.Statement]]) -> float:
    """Return transactions a second of bare connections that send the writes of these completions again, each its own dossiers."""
    dossiers = [completions[first : first + STEPS] for first in range(WARM * STEPS, len(completions), STEPS)]
    return at_once(_bench_parts.replay, [(url, share) for share in shares(dossiers)])


PROCESSES = 4
"""How many work at once: each waits for its commit part of the time, so two would leave two cores idle now and then. Raw has as many."""


def shares(whole: list[Any]) -> list[list[Any]]:
    """Return a list in equal parts: one for each process."""
    return [whole[first::PROCESSES] for first in range(PROCESSES)]


def at_once(work: Callable[..., int], given: list[tuple[Any, ...]]) -> float:
    """Run *work* in a process for each of *given*; return what all of them did in a second of the clock on the wall.

    Each makes ready, waits for the others, and then works; the time runs until the last has done its share.
    """
    context = get_context("spawn")
    ready, done = context.Barrier(len(given) + 1), context.Queue()
    running = [context.Process(target=_bench_parts.together, args=(work, one, ready, done), daemon=True) for one in given]
    for process in running:
        process.start()
    ready.wait(300)
    begun = time.perf_counter()
    told: list[int | str] = [done.get(timeout=600) for _ in running]
    took = time.perf_counter() - begun
    for process in running:
        process.join()
    if refused := [one for one in told if isinstance(one, str)]:
        raise RuntimeError(refused[0])
    return round(sum(one for one in told if isinstance(one, int)) / took, 1)


def naive(url: str, cases: int) -> float:
    """Return what the cycle one would write first reaches in one process; it stands in ``benchmarks/naive.py``."""
    rate: float = runpy.run_path(str(ROOT / "benchmarks" / "naive.py"))["measured"](url, min(cases, 20), ANSWERS)
    return rate


def interpreted(seconds: float = 2.0) -> dict[str, Any]:
    """Return what the interpreter alone does: bytes in, bytes out, no database."""
    program = prepare("bench", load_folder(CASE))
    context = instance.Context(now=datetime.now(UTC), operators={"dossier/approve": lambda _: {}})
    done, sizes, until, begun = 0, [0], time.perf_counter() + seconds, time.perf_counter()
    while time.perf_counter() < until:
        advance, count = instance.start(program, {}, context), 0
        while advance.ready and count < STEPS:
            task = advance.ready[0]
            advance = instance.complete(program, advance.state, task.uuid, task.step, ANSWERS, context)
            count += 1
        done += count
        sizes.append(state.size(advance.state))
    return {
        "interpreter.tasks_per_second": round(done / (time.perf_counter() - begun), 1),
        "state_bytes": max(sizes),
    }


@contextmanager
def scratch(url: str) -> Iterator[tuple[str, str]]:
    """Make a database for the office and name one for copies; drop them afterwards."""
    name = f"motcua_bench_{secrets.token_hex(4)}"
    copy = f"{name}_raw"
    statement(url, f'create database "{name}" template template0')
    try:
        install(make_url(url).set(database=name).render_as_string(hide_password=False), "bench", make_schema, name)
        yield name, copy
    finally:
        for one in (name, copy, f"{copy}_hand"):
            statement(url, f'drop database if exists "{one}" with (force)')
        statement(url, f'drop role if exists "{name}"')


def statement(url: str, text: str, database: str = "postgres") -> None:
    """Run one statement that stands alone."""
    engine = create_engine(address(make_url(url).set(database=database)), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(text)
    finally:
        engine.dispose()


def clone(url: str, name: str, copy: str) -> None:
    """Copy the office as it stands before the measurement."""
    statement(url, f'create database "{copy}" template "{name}"')


def settings_on(settings: Settings, url: str, name: str) -> Settings:
    """Return settings of the office on its own database."""
    return replace(settings, database_url=make_url(url).set(database=name).render_as_string(hide_password=False))


def seed(runtime: Runtime, cases: int) -> UUID:
    """Make an office of one person in four roles, publish the case and start the dossiers; return the person."""
    with runtime.begin(Actor("cli", label="bench")) as w:
        province = organisation.add_unit(w, name="Tỉnh đo", level="province", agency_code="H98", place_name="đo", valid_from=SINCE)
        commune = organisation.add_unit(
            w, name="Phường đo", level="commune", agency_code="H98.1", parent_id=province.id, place_name="đo", valid_from=SINCE
        )
        person = organisation.add_person(w, "Người đo", email="bench@localhost.test")
        for role in ROLES:
            position = organisation.add_position(w, commune.id, role, role)
            organisation.appoint(w, person.id, position.id, SINCE, basis="bench")
        procedures.publish(w, load_folder(CASE))
        worker = person.id
    for _ in range(cases):
        with runtime.begin(Actor("person", person=worker, label="bench")) as w:
            dossiers.start_internal(w, "benchmark_case", {})
    return worker


WARM = 2  # dossiers completed before the clock starts


def all_dossiers(runtime: Runtime) -> list[UUID]:
    """Return every dossier of the office, the oldest first."""
    with runtime.begin(Actor("system", label="bench")) as w:
        return list(w.session.scalars(select(Dossier.id).order_by(Dossier.id)))


def commanded(runtime: Runtime, worker: UUID, dossiers: list[UUID]) -> tuple[dict[str, Any], list[_bench_parts.Sent]]:
    """Complete twelve steps of every dossier in one process; return the figures and what each completion sent."""
    actor = Actor("person", person=worker, label="bench")
    times, counts = [], []
    writes: list[_bench_parts.Sent] = []
    all_loaded()  # as the web and the worker do
    for number, dossier in enumerate(dossiers):
        for _ in range(STEPS):
            with runtime.begin(actor) as w:
                task = w.session.scalars(
                    select(Task.id).where(Task.dossier_id == dossier, Task.state == "open").order_by(Task.opened_at, Task.id)
                ).first()
            if task is None:
                break
            begun = time.perf_counter()
            with _bench_parts.listening() as sent, runtime.begin(actor) as w:
                tasks.complete(w, task, ANSWERS)
            took = time.perf_counter() - begun
            writes.append(sent)
            if number >= WARM:
                times.append(took)
                counts.append(len(sent.statements))
    with runtime.begin(actor) as w:
        sizes = [state.size(stored) for stored in w.session.scalars(select(Instance.state))]
    return {
        "command.one_process": round(len(times) / sum(times), 1),
        "command.p50_ms": round(1000 * statistics.median(times), 2),
        "command.p95_ms": round(1000 * statistics.quantiles(times, n=20)[-1], 2),
        "sql_statements": round(statistics.mean(counts), 1),
        "command.state_bytes": max(sizes),
        "tasks": len(times),
    }, writes
