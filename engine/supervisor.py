"""Owns everything an installation runs: PostgreSQL, key custody, trust services, worker and web are its direct children.

Ctrl-C stops them in reverse order. Should this process be killed, its children are told by the kernel to stop; whatever is still there at
the next start is found by the mark in its environment and stopped, except PostgreSQL, which is attached to.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from engine.kernel.database import open_engine
from engine.kernel.postgres import NotRunning, Server, StartFailed, server_of
from engine.migrations import current, head
from engine.settings import Settings, environment

MARK = "MOTCUA_SUPERVISED"
FIRST_PAUSE, LONGEST_PAUSE, SETTLED = 0.5, 30.0, 60.0  # seconds
LOG_LIMIT = 20 * 2**20  # bytes; the log before is kept once
PR_SET_PDEATHSIG = 1
CONNECTIONS = (
    "1000"  # open ones a web process takes; a browser keeps up to six for half a minute, and with 16 the fourth desk waited for that
)


class Refusal(Exception):
    """The installation cannot be started; the message says why and what to do."""


@dataclass
class Child:
    """One process the supervisor keeps running."""

    name: str
    command: Sequence[str]
    wanted: Callable[[], bool] = lambda: True
    patience: float = 15.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    started: float = 0.0
    failures: int = 0
    not_before: float = 0.0


class Supervisor:
    """Starts, watches and stops the processes of one home."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.server: Server | None = None
        self.postgres: subprocess.Popen[bytes] | None = None
        self.children = children_of(settings)
        self._lock: IO[str] | None = None
        self._stopping = False

    # -- life ---------------------------------------------------------------------------------------------------------------------------

    def claim(self) -> None:
        """Make this the only supervisor of the home and stop what a killed one left behind.

        Raises:
            Refusal: when another supervisor runs, or the port is taken.
        """
        home = self.settings.home
        home.mkdir(parents=True, exist_ok=True)
        (home / "log").mkdir(exist_ok=True)
        self._lock = (home / "supervisor.lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(f"Motcua already runs with the data in {home}") from None
        stop_orphans(home)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.settings.host, self.settings.port))
            except OSError:
                raise Refusal(f"port {self.settings.port} is taken by another program: choose another with --port") from None

    def start_database(self) -> str:
        """Start or attach to PostgreSQL and return the owner's URL.

        Raises:
            StartFailed: when it does not start.
        """
        if self.settings.database_url:
            return self.settings.database_url
        self.server = server_of(self.settings.home)
        self.postgres = self.server.start(before_exec=_die_with_parent(signal.SIGINT))
        self.server.ensure_database()
        return self.server.url()

    def run_once(self, *command: str) -> int:
        """Run a child to its end, its output on ours, and return its exit code."""
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=self._environment(), start_new_session=True, preexec_fn=_die_with_parent(signal.SIGTERM)
        )
        while (code := process.poll()) is None:
            if self._stopping:
                end(process, 15)
                _end_session(process.pid)
            time.sleep(0.05)
        return code

    def start(self, *names: str) -> None:
        """Start the children of these names, or all that do not run yet."""
        for child in self.children:
            if child.process is None and child.wanted() and (not names or child.name in names):
                self._start(child)

    def ready(self, wait: float = 60) -> bool:
        """Wait until the web answers."""
        deadline = time.monotonic() + wait
        address = f"http://{self.settings.host}:{self.settings.port}/healthz"
        while time.monotonic() < deadline and not self._stopping:
            with suppress(OSError), urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return True
            self.watch()
            time.sleep(0.1)
        return False

    def watch(self) -> None:
        """Look at every child once and start again what has ended, later each time it ends soon."""
        now = time.monotonic()
        if self.server is not None and not self._database_lives():
            say("PostgreSQL has ended; starting it again")
            with suppress(StartFailed):
                self.postgres = self.server.start(before_exec=_die_with_parent(signal.SIGINT))
        for child in self.children:
            if child.process is None:
                if child.wanted() and now >= child.not_before:
                    self._start(child)
            elif (code := child.process.poll()) is not None:
                # What the child had started itself shares its session and must not outlive it: a web worker would go on answering.
                _end_session(child.process.pid)
                child.failures = 0 if now - child.started > SETTLED else child.failures + 1
                pause = min(FIRST_PAUSE * 2 ** max(child.failures - 1, 0), LONGEST_PAUSE)
                say(f"{child.name} has ended ({code}); starting it again in {pause:g} s, see {self._log(child.name)}")
                child.process, child.not_before = None, now + pause

    def run(self) -> None:
        """Watch until a signal says stop."""
        while not self._stopping:
            self.watch()
            time.sleep(0.25)

    def stop(self) -> None:
        """Stop the children in reverse order, PostgreSQL last."""
        self._stopping = True
        for child in reversed(self.children):
            if child.process is not None:
                end(child.process, child.patience)
                child.process = None
        if self.server is not None:
            with suppress(NotRunning):
                self.server.stop(self.postgres)

    def ask_to_stop(self, *_: object) -> None:
        """Answer to SIGINT, SIGTERM and SIGHUP."""
        self._stopping = True

    def told_to_stop(self) -> bool:
        """Say whether somebody asked to stop."""
        return self._stopping

    # -- within -------------------------------------------------------------------------------------------------------------------------

    def _database_lives(self) -> bool:
        if self.postgres is not None:
            return self.postgres.poll() is None
        return self.server is not None and self.server.postmaster() is not None

    def _environment(self) -> dict[str, str]:
        told: dict[str, str | None] = {
            MARK: str(self.settings.home),
            "MOTCUA_HOME": str(self.settings.home),
            "MOTCUA_PORT": str(self.settings.port),
            "MOTCUA_DEMO": "yes" if self.settings.demo else "no",
            "PYTHONUNBUFFERED": "1",
            # glibc keeps an arena per thread; two are plenty and spare tens of megabytes per process
            "MALLOC_ARENA_MAX": "2",
        }
        return environment(**told)

    def _log(self, name: str) -> Path:
        return self.settings.home / "log" / f"{name}.log"

    def _start(self, child: Child) -> None:
        log = self._log(child.name)
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as out:
            child.process = subprocess.Popen(
                [sys.executable, *child.command],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=_die_with_parent(signal.SIGTERM),
            )
        child.started = time.monotonic()


def children_of(settings: Settings) -> list[Child]:
    """Return the processes of an installation in the order they start; each is named by import string."""
    home = settings.home
    pki = home / "pki"
    return [
        Child(
            "trust-services",
            ["-m", "signing.trust_services", "--home", str(pki), "--clock-file", str(settings.clock_file),
             "--address-file", str(home / "trust_services.json"), "--port", str(_kept_port(home))],
            wanted=(pki / "root.der").exists,
        ),
        Child("custody", ["-m", "signing.custody", "--home", str(pki)], wanted=(pki / "root.der").exists),
        Child("worker", ["-m", "engine.cli", "worker"]),
        Child(
            "web",
            ["-m", "granian", "--interface", "wsgi", "--factory", "--host", settings.host, "--port", str(settings.port),
             "--workers", str(settings.web_workers), "--blocking-threads", "4", "--backpressure", CONNECTIONS,
             "--respawn-failed-workers", "--no-ws", "--workers-kill-timeout", "5", "webapp.wsgi:application"],
        ),
    ]  # fmt: skip


def _kept_port(home: Path) -> int:
    """Return the port the trust services had last time, 0 for any: certificates and routes stay as they were."""
    with suppress(OSError, ValueError, KeyError, IndexError):
        return int(json.loads((home / "trust_services.json").read_text())["address"].rsplit(":", 1)[1])
    return 0


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Return what a child does before it starts: ask the kernel for *number* should its parent die (Linux)."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    library = ctypes.CDLL(None)

    def ask() -> None:
        library.prctl(PR_SET_PDEATHSIG, int(number))

    return ask


def stop_orphans(home: Path, wait: float = 10) -> int:
    """Stop processes that a killed supervisor of this home left behind, PostgreSQL excepted; returns how many there were."""
    left = []
    for process in psutil.process_iter(["name"]):
        with suppress(psutil.Error, OSError):
            if process.pid == os.getpid() or (process.info["name"] or "").startswith("postgres"):
                continue
            if process.environ().get(MARK) == str(home):
                left.append(process)
    for process in left:
        with suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=wait)
    for process in stubborn:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=wait)
    return len(left)


def end(process: subprocess.Popen[bytes], patience: float) -> None:
    """Ask a child to end; after *patience* seconds make it."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        # Its own children share its session; none of them may stay.
        _end_session(process.pid)
        process.wait()


def _end_session(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    print(sentence, flush=True)


def serve(settings: Settings) -> int:
    """Start the installation, say when it is ready, and keep it running until a signal says stop; returns the exit code."""
    began = time.monotonic()
    supervisor = Supervisor(settings)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, supervisor.ask_to_stop)
    try:
        supervisor.claim()
        say("PostgreSQL …")
        url = supervisor.start_database()
        if not is_prepared(settings, url):
            say("Database and first contents …")
            if supervisor.run_once("engine.cli", "prepare"):
                return 0 if supervisor.told_to_stop() else 1
        if supervisor.told_to_stop():
            return 0
        supervisor.start("trust-services", "custody")
        if settings.demo and not accounts_file(settings).exists() and supervisor.run_once("engine.cli", "demo", "create"):
            return 0 if supervisor.told_to_stop() else 1
        if supervisor.told_to_stop():
            return 0
        say("Web and worker …")
        supervisor.start()
        if not supervisor.ready():
            if supervisor.told_to_stop():
                return 0
            say(f"The web does not answer: see {settings.home / 'log' / 'web.log'}")
            return 1
        report(settings, time.monotonic() - began)
        supervisor.run()
    except (Refusal, StartFailed) as refusal:
        say(str(refusal))
        return 1
    finally:
        supervisor.stop()
    return 0


def is_prepared(settings: Settings, url: str) -> bool:
    """Say whether schema and TEST hierarchy are as this program needs them, so that a later start need not load the migrations."""
    if head() is None or not (settings.home / "pki" / "root.der").exists():
        return False
    engine = open_engine(url, pool_size=1, max_overflow=0)
    try:
        with engine.connect() as connection:
            return current(connection) == head()
    finally:
        engine.dispose()


def accounts_file(settings: Settings) -> Path:
    """Return the list of the demonstration's accounts, written last of all when the demonstration is made."""
    return settings.home / "demo_accounts.txt"


def report(settings: Settings, seconds: float) -> None:
    """Print the address, how long the start took, and the demonstration's accounts."""
    downloads = int(environment().get("MOTCUA_DOWNLOAD_SECONDS", "0"))
    set_up = int(environment().get("MOTCUA_SETUP_SECONDS", "0"))
    say(f"Own time {seconds + set_up:.0f} s, downloads {downloads} s")
    accounts = accounts_file(settings)
    if settings.demo and accounts.exists():
        say(accounts.read_text(encoding="utf-8").rstrip())
    say(f"Ready: {settings.address}")
