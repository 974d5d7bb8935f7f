"""The HTTP part of ``motcua bench complete-task``: web processes as the supervisor starts them, officers and programs that complete steps.

Fifty officers of one office, each with an account, a password and an access token of their own, complete the steps of their dossiers:
first as browsers (signed in with name and password, session cookie, form with its token), then as programs (bearer token). A few are under
way at the same moment: more would only make the queue longer. Load and database share the cores with the web.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import psutil
import psycopg

from engine.accounts.administration import create_account, hash_password
from engine.accounts.model import AccessToken, new_token
from engine.cli._bench_load import Key, Load, by_browser, by_token, load
from engine.commands import dossiers as commands
from engine.commands import organisation
from engine.kernel.clock import SystemClock
from engine.kernel.database import conninfo
from engine.kernel.unit_of_work import Actor
from engine.organisation.directory import directory
from engine.runtime import open_runtime
from engine.settings import ROOT, Settings, environment
from engine.supervisor import children_of

OFFICERS = 50
CLIENTS = 6
WEB_PROCESSES = 2
PASSWORD = "một cửa để đo"  # noqa: S105 — of accounts in a database that is dropped


def warming(cases: int) -> int:
    """Return how many dossiers warm both sides: each connection has to have asked everything six times."""
    return max(2 * CLIENTS, min(8 * CLIENTS, cases // 4))


def measured(settings: Settings, worker: UUID, cases: int, answers: dict[str, Any]) -> dict[str, Any]:
    """Return rate and times of completions over HTTP, by cookie and by token; the load is made on the same cores."""
    dossiers, tokens = prepared(settings, worker, 2 * (cases + warming(cases)))
    half = len(dossiers) // 2
    with web(settings) as port:
        browsers = [by_browser(port, name_of(number), PASSWORD, answers) for number in range(OFFICERS)]
        programs = [by_token(token, answers) for token in tokens]
        figures = told("http", loaded(settings, port, dossiers[:half], browsers, warming(cases)))
        figures |= told("http.api", loaded(settings, port, dossiers[half:], programs, warming(cases)))
    return {**figures, "http.clients": CLIENTS}


def prepared(settings: Settings, worker: UUID, number: int) -> tuple[list[UUID], list[str]]:
    """Make the officers, colleagues of *worker* in every one of the positions, and start dossiers; return these and the tokens."""
    runtime = open_runtime(settings, clock=SystemClock())
    try:
        with runtime.begin(Actor("cli", label="bench")) as w:
            tokens, fixed = [], hash_password(PASSWORD)
            held = directory(w.session, w.province).held[worker]
            for one in range(OFFICERS):
                person = organisation.add_person(w, f"Cán bộ {one}", email=name_of(one))
                for appointment, position in held:
                    organisation.appoint(w, person.id, position.id, appointment.valid_from, basis="bench")
                account = create_account(w, name_of(one), person.full_name, password_hash=fixed)
                person.account_id = account.id
                text, digest = new_token()
                w.session.add(AccessToken(account=account.id, name="bench", hash=digest, created_at=w.now))
                tokens.append(text)
        made = []
        for _ in range(number):
            with runtime.begin(Actor("person", person=worker, label="bench")) as w:
                made.append(commands.start_internal(w, "benchmark_case", {}).dossier_id)
    finally:
        runtime.close()
    with psycopg.connect(conninfo(settings.database_url or ""), autocommit=True) as connection:
        connection.execute("analyze")  # as the server does by itself within a minute
    return made, tokens


def name_of(number: int) -> str:
    """Return the name an officer signs in with."""
    return f"officer{number}@localhost.test"


@contextmanager
def web(settings: Settings) -> Iterator[int]:
    """Run the web as the supervisor runs it, in `WEB_PROCESSES` processes; return the port."""
    port = free_port()
    variables = environment(MOTCUA_HOME=str(settings.home), MOTCUA_DATABASE_URL=settings.database_url, MOTCUA_DEMO="no")
    server = next(one for one in children_of(replace(settings, port=port, web_workers=WEB_PROCESSES)) if one.name == "web")
    running = subprocess.Popen(
        [sys.executable, *server.command], cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(running.pid, port)
        yield port
    finally:
        running.terminate()
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def loaded(settings: Settings, port: int, dossiers: Sequence[UUID], keys: Sequence[Key], warm: int) -> Load:
    """Let a process of its own complete *dossiers*; the first few only warm both sides."""
    url = conninfo(settings.database_url or "")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        first = pool.submit(load, port, url, dossiers[:warm], keys, CLIENTS).result()
        return first if first.failures else pool.submit(load, port, url, dossiers[warm:], keys, CLIENTS).result()


def told(name: str, found: Load) -> dict[str, Any]:
    """Return the figures of one load; what was refused stands there in its own words."""
    figures = {
        f"{name}.tasks_per_second": round(len(found.times) / found.seconds, 1),
        f"{name}.p50_ms": round(1000 * statistics.median(found.times), 2),
        f"{name}.p95_ms": round(1000 * statistics.quantiles(found.times, n=20)[-1], 2),
        f"{name}.tasks": len(found.times),
        f"{name}.failures": len(found.failures),
    }
    return figures | ({f"{name}.failure": found.failures[0]} if found.failures else {})


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def wait_for(server: int, port: int, seconds: float = 180) -> None:
    """Wait until every process of the web takes connections; one that comes later finds that the others have them all."""
    until = time.monotonic() + seconds
    while listening(server, port) < WEB_PROCESSES:
        if time.monotonic() > until:
            raise TimeoutError("the web does not answer")
        time.sleep(0.2)


def listening(server: int, port: int) -> int:
    """Return how many processes of the server take connections."""
    found = 0
    for process in psutil.Process(server).children():
        with suppress(psutil.Error):
            found += any(one.status == psutil.CONN_LISTEN and one.laddr[1] == port for one in process.net_connections("tcp"))
    return found
