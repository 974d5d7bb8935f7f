"""Where the time of one completed step goes: ``python -m benchmarks.path [--cases N]``; its figures decide cache and journal (ADR 0017).

First the real command, its parts in milliseconds of processor time and the database's in milliseconds of waiting; then two processes that
write journal lines as fast as they can, once with a chain for each dossier, once with one chain for all.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from engine.cli import bench
from engine.kernel import journal, journey, outbox
from engine.kernel.clock import SystemClock
from engine.kernel.database import conninfo
from engine.kernel.postgres import owner_url
from engine.process import pruning, state
from engine.process.running import Run
from engine.runtime import open_runtime
from engine.settings import Settings

SECONDS = 4.0
PARTS = {
    "state read": (state, "load"), "interpreter": (Run, "steps"), "pruning": (pruning, "prune"), "state written": (state, "dump"),
    "journal": (journal, "seal"), "outbox": (outbox, "write"), "flush": (Session, "flush"),
}  # fmt: skip


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Count processor seconds of every part while the block runs; what one part does inside another counts for both."""
    spent: dict[str, float] = defaultdict(float)
    kept = {name: getattr(owner, attribute) for name, (owner, attribute) in PARTS.items()}

    def counted(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def measured(*given: Any, **more: Any) -> Any:
            begun = time.process_time()
            try:
                return work(*given, **more)
            finally:
                spent[name] += time.process_time() - begun

        return measured

    for name, (owner, attribute) in PARTS.items():
        setattr(owner, attribute, counted(name, kept[name]))
    try:
        yield spent
    finally:
        for name, (owner, attribute) in PARTS.items():
            setattr(owner, attribute, kept[name])


def completion(url: str, settings: Settings, cases: int) -> dict[str, Any]:
    """Return the parts of one completion, in milliseconds."""
    with bench.scratch(url) as (name, _copy):
        runtime = open_runtime(bench.settings_on(settings, url, name), clock=SystemClock())
        try:
            worker = bench.seed(runtime, cases + bench.WARM)
            dossiers = bench.all_dossiers(runtime)
            waited: dict[str, float] = defaultdict(float)
            event.listen(runtime.engine, "before_cursor_execute", lambda c, *_: c.info.update(begun=time.perf_counter()))
            event.listen(runtime.engine, "after_cursor_execute", lambda c, *_: _add(waited, "statements", c.info["begun"]))
            go = journey.Line.go

            def gone(line: Any, statements: Any, end: bytes | None = None) -> Any:
                begun = time.perf_counter()
                found = go(line, statements, end)
                _add(waited, "statements" if end is None else "last_statement_and_commit", begun)
                return found

            journey.Line.go = gone  # type: ignore[method-assign]
            commit = psycopg.Connection.commit

            def committed(connection: Any) -> None:
                begun = time.perf_counter()
                commit(connection)
                _add(waited, "commit", begun)

            psycopg.Connection.commit = committed  # type: ignore[method-assign]
            begun, processor = time.perf_counter(), time.process_time()
            with timed() as spent:
                figures, _writes = bench.commanded(runtime, worker, dossiers)
            wall, processor = time.perf_counter() - begun, time.process_time() - processor
            psycopg.Connection.commit, journey.Line.go = commit, go  # type: ignore[method-assign]
        finally:
            runtime.close()
    done = figures["tasks"] + bench.WARM * bench.STEPS
    each = {f"processor.{part}_ms": round(1000 * seconds / done, 2) for part, seconds in spent.items()}
    each |= {f"database.{part}_ms": round(1000 * seconds / done, 2) for part, seconds in waited.items()}
    return {"tasks": done, "wall_ms": round(1000 * wall / done, 2), "processor_ms": round(1000 * processor / done, 2), **each,
            "command.p50_ms": figures["command.p50_ms"], "state_bytes": figures["command.state_bytes"]}  # fmt: skip


def _add(into: dict[str, float], part: str, begun: float) -> None:
    into[part] += time.perf_counter() - begun


def chained(url: str, number: int, shared: bool, until: float, counted: Any) -> None:
    """Add journal lines of 300 bytes, each after the line before of its chain: the head is locked, read, and moved on."""
    with psycopg.connect(conninfo(url)) as connection:
        done = 0
        while time.time() < until:
            chain = 0 if shared else 1 + number * 50 + done % 50
            with connection.transaction():
                connection.execute("select number from spike_head where chain = %s for update", (chain,))
                connection.execute(
                    "insert into spike_line select %s, number + 1, %s from spike_head where chain = %s", (chain, "x" * 300, chain)
                )
                connection.execute("update spike_head set number = number + 1 where chain = %s", (chain,))
            done += 1
        counted[number] = done


def chains(url: str) -> dict[str, float]:
    """Return lines a second of two processes with a chain for each dossier and with one for all."""
    found = {}
    with bench.scratch(url) as (name, _copy):
        mine = make_url(url).set(database=name).render_as_string(hide_password=False)
        with psycopg.connect(conninfo(mine), autocommit=True) as connection:
            connection.execute("create table spike_head (chain int primary key, number bigint) with (fillfactor = 50)")
            connection.execute("create table spike_line (chain int, number bigint, facts text, primary key (chain, number))")
            connection.execute("insert into spike_head select n, 0 from generate_series(0, 100) n")
        for label, shared in (("per_dossier", False), ("one_for_all", True)):
            with multiprocessing.Manager() as manager:
                counted, until = manager.dict(), time.time() + SECONDS
                both = [multiprocessing.Process(target=chained, args=(mine, number, shared, until, counted)) for number in range(2)]
                for one in both:
                    one.start()
                for one in both:
                    one.join()
                found[f"journal.{label}_per_second"] = round(sum(counted.values()) / SECONDS, 1)
    return found


def main() -> int:
    """Measure and print."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--cases", type=int, default=20)
    chosen = wanted.parse_args()
    with tempfile.TemporaryDirectory(prefix="motcua-path-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        settings = replace(Settings.from_environment(), home=home, demo=False, application_url=None)
        with owner_url(settings) as url:
            figures = {**completion(url, settings, chosen.cases), **chains(url)}
    print(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
