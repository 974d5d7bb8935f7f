"""Where the time of one completed step over HTTP goes: ``python -m benchmarks.web [--cases N] [--clients N] [--profile FILE]``.

Processor time of every process per completion: the web, the load, the database's backends. With ``--profile`` the same requests go
through the application in this process instead, under cProfile; the file opens with ``python -m pstats``.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import pstats
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg

from engine.cli import _bench_http, _bench_load, bench
from engine.kernel.clock import SystemClock
from engine.kernel.database import conninfo
from engine.kernel.postgres import owner_url
from engine.runtime import open_runtime
from engine.settings import Settings

KINDS = ("web", "database", "load and others")


def spent() -> dict[str, float]:
    """Return the processor seconds of our processes so far, by kind."""
    found = dict.fromkeys(KINDS, 0.0)
    for process in psutil.Process().children(recursive=True):
        try:
            times, line = process.cpu_times(), " ".join(process.cmdline())
        except psutil.Error:
            continue
        kind = "web" if "granian" in line else "database" if "postgres" in line else "load and others"
        found[kind] += times.user + times.system
    return found


@contextmanager
def counted(into: dict[str, Any]) -> Iterator[None]:
    """Keep what each kind of process spends while the block runs."""
    before = spent()
    yield
    into.update({kind: after - before[kind] for kind, after in spent().items()})


def measured(settings: Settings, worker: UUID, cases: int) -> dict[str, Any]:
    """Return rates, times and processor milliseconds of a completion by cookie and by token."""
    warm = _bench_http.warming(cases)
    dossiers, tokens = _bench_http.prepared(settings, worker, 2 * (cases + warm))
    half, url = len(dossiers) // 2, conninfo(settings.database_url or "")
    figures: dict[str, Any] = {}
    with _bench_http.web(settings) as port:
        browsers = [
            _bench_load.by_browser(port, _bench_http.name_of(number), _bench_http.PASSWORD, bench.ANSWERS)
            for number in range(_bench_http.OFFICERS)
        ]
        programs = [_bench_load.by_token(token, bench.ANSWERS) for token in tokens]
        for name, mine, keys in (("cookie", dossiers[:half], browsers), ("token", dossiers[half:], programs)):
            _bench_load.load(port, url, mine[:warm], keys, _bench_http.CLIENTS)
            seconds: dict[str, float] = {}
            own = time.process_time()
            with counted(seconds):
                found = _bench_load.load(port, url, mine[warm:], keys, _bench_http.CLIENTS)
            seconds["load"] = time.process_time() - own
            figures |= _bench_http.told(name, found)
            figures |= {f"{name}.cpu.{kind}_ms": round(1000 * took / len(found.times), 2) for kind, took in seconds.items() if took}
    return figures


def profiled(settings: Settings, worker: UUID, cases: int, file: Path) -> dict[str, Any]:
    """Send the same requests through the application in this process, first without and then under the profiler."""
    from webapp import create_app

    dossiers, tokens = _bench_http.prepared(settings, worker, cases)
    runtime = open_runtime(settings, clock=SystemClock())
    app = create_app(runtime)
    answers, figures = bench.ANSWERS, {}
    programs = [_bench_load.by_token(token, answers) for token in tokens]
    browsers = [through(app, number, answers) for number in range(8)]
    profile = cProfile.Profile(time.process_time)
    try:
        with psycopg.connect(conninfo(settings.database_url or ""), autocommit=True) as looking:
            for name, keys, mine in (("cookie", browsers, dossiers[::2]), ("token", programs, dossiers[1::2])):
                half = len(mine) // 2
                figures[f"{name}.processor_ms"] = driven(app, looking, mine[:half], keys)
                profile.enable()
                figures[f"{name}.profiled_ms"] = driven(app, looking, mine[half:], keys)
                profile.disable()
                profile.dump_stats(f"{file}.{name}")
                profile = cProfile.Profile(time.process_time)
    finally:
        runtime.close()
    for name in ("cookie", "token"):
        told = io.StringIO()
        pstats.Stats(f"{file}.{name}", stream=told).sort_stats("cumulative").print_stats(70)
        Path(f"{file}.{name}.txt").write_text(told.getvalue())
    return figures


def driven(app: Any, looking: Any, dossiers: Sequence[UUID], keys: Sequence[_bench_load.Key]) -> float:
    """Complete *dossiers*; return the processor milliseconds of this process per completion."""
    count, begun = 0, time.process_time()
    owners = {one: keys[place % len(keys)] for place, one in enumerate(dossiers)}
    for _, request in _bench_load.work_of(looking, owners):
        status = called(app, request)
        assert status[:3] in ("200", "303"), status
        count += 1
    return round(1000 * (time.process_time() - begun) / count, 3)


def called(app: Any, request: bytes) -> str:
    """Hand a request to the application as a server does; return the status of its answer."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.multithread": True, "wsgi.multiprocess": True,
        "wsgi.run_once": False, "wsgi.input_terminated": True,
    }  # fmt: skip
    for line in lines:
        name, _, value = line.partition(": ")
        plain = name.upper().replace("-", "_")
        environ[plain if plain in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{plain}"] = value
    told: list[str] = []
    answer = app(environ, lambda status, *_: told.append(status))
    b"".join(answer)
    return told[0]


def through(app: Any, number: int, answers: dict[str, Any]) -> _bench_load.Key:
    """Sign an officer in without a server; return the session's key."""
    client = app.test_client()
    fields = {"name": _bench_http.name_of(number), "password": _bench_http.PASSWORD}
    client.post("/login", data={"csrf_token": _bench_load.form_token(client.get("/login").text), **fields})
    mark = _bench_load.form_token(client.get("/account").text)
    return _bench_load.session_key(client.get_cookie("motcua").value, mark, answers)


def main() -> int:
    """Measure and print."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--cases", type=int, default=60)
    wanted.add_argument("--clients", type=int, default=_bench_http.CLIENTS)
    wanted.add_argument("--profile", type=Path)
    chosen = wanted.parse_args()
    _bench_http.CLIENTS = chosen.clients
    with tempfile.TemporaryDirectory(prefix="motcua-web-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        settings = replace(Settings.from_environment(), home=home, demo=False, application_url=None)
        with owner_url(settings) as url, bench.scratch(url) as (name, _copy):
            office = bench.settings_on(settings, url, name)
            runtime = open_runtime(office, clock=SystemClock())
            try:
                worker = bench.seed(runtime, 0)
            finally:
                runtime.close()
            figures = profiled(office, worker, chosen.cases, chosen.profile) if chosen.profile else measured(office, worker, chosen.cases)
    print(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
