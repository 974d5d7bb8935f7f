"""The HTTP part of ``motcua bench complete-task``: two web processes as the supervisor starts them, and clients that complete steps.

Every client is a person signed in with an access token, from a loopback address of its own (the rate limit counts by address), on one
kept connection; it completes the steps of its own dossiers one after the other and measures each from sending to the last byte.
"""

from __future__ import annotations

import http.client
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import psycopg

from engine.kernel.database import conninfo
from engine.settings import ROOT, Settings, environment

CLIENTS = 8
WEB_PROCESSES = 2


def measured(settings: Settings, token: str, dossiers: Sequence[UUID], answers: dict[str, Any]) -> dict[str, Any]:
    """Return rate and times of completions over HTTP; the load is made on the same cores."""
    port = free_port()
    variables = environment(MOTCUA_HOME=str(settings.home), MOTCUA_DATABASE_URL=settings.database_url, MOTCUA_DEMO="no")
    command = [
        "-m", "granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1", "--port", str(port), "--no-ws",
        "--workers", str(WEB_PROCESSES), "--blocking-threads", "4", "--backpressure", "16", "webapp.wsgi:application",
    ]  # fmt: skip
    web = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        url = conninfo(settings.database_url or "")
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            warm, rest = dossiers[: 2 * CLIENTS], dossiers[2 * CLIENTS :]
            pool.submit(load, port, token, url, warm, answers).result()
            times, took, failures = pool.submit(load, port, token, url, rest, answers).result()
    finally:
        web.terminate()
        try:
            web.wait(30)
        except subprocess.TimeoutExpired:
            web.kill()
            web.wait()
    return {
        "http.tasks_per_second": round(len(times) / took, 1),
        "http.p50_ms": round(1000 * statistics.median(times), 2),
        "http.p95_ms": round(1000 * statistics.quantiles(times, n=20)[-1], 2),
        "http.tasks": len(times),
        "http.failures": failures,
        "http.clients": CLIENTS,
    }


def load(port: int, token: str, url: str, dossiers: Sequence[UUID], answers: dict[str, Any]) -> tuple[list[float], float, int]:
    """Complete all *dossiers* with all clients at once; return each time in seconds, how long it took in all, and how many were refused."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        done = [clients.submit(client, number, port, token, url, list(dossiers[number::CLIENTS]), answers) for number in range(CLIENTS)]
        parts = [one.result() for one in done]
    took = time.perf_counter() - begun
    return [one for times, _ in parts for one in times], took, sum(failures for _, failures in parts)


OPEN = "select distinct on (dossier_id) id from task where dossier_id = any(%s) and state = 'open' order by dossier_id, opened_at, id"


def client(number: int, port: int, token: str, url: str, dossiers: list[UUID], answers: dict[str, Any]) -> tuple[list[float], int]:
    """Complete one open step of every dossier, then look what is open now, until nothing is; the looking is part of the load."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"answers": answers}).encode()
    times, failures = [], 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(f"127.0.0.{number + 2}", 0))
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with psycopg.connect(url, autocommit=True) as looking:
        while waiting := looking.execute(OPEN, [dossiers]).fetchall():
            for (task,) in waiting:
                begun = time.perf_counter()
                connection.request("POST", f"/api/v1/tasks/{task}/completion", body, headers)
                response = connection.getresponse()
                response.read()
                times.append(time.perf_counter() - begun)
                failures += response.status != 200
            if failures:
                break
    connection.close()
    return times, failures


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def wait_for(port: int, seconds: float = 180) -> None:
    """Wait until the web answers."""
    until = time.monotonic() + seconds
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
