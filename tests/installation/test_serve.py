"""The installation as its operator sees it: started, hurt, killed, started again, stopped; nothing lost, nothing left running."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from engine.kernel.postgres import SHARED
from engine.settings import ROOT, environment
from engine.supervisor import MARK

MEMORY = 700 * 2**20  # bytes, proportional, of all processes together


class Installation:
    """One home and its supervisor in a process of its own, without MOTCUA_DATABASE_URL."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.said = home.parent / "said"
        self.supervisor: subprocess.Popen[bytes] | None = None

    def motcua(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "engine.cli", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment(), input=given, capture_output=True, text=True, check=False, timeout=120
        )

    def environment(self) -> dict[str, str]:
        return environment(MOTCUA_HOME=str(self.home), MOTCUA_DATABASE_URL=None, MOTCUA_DEMO=None)

    def serve(self) -> None:
        with self.said.open("wb") as said:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "engine.cli", "serve", "--no-demo", "--port", str(self.port)],
                cwd=ROOT, env=self.environment(), stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip

    def until_ready(self, seconds: float = 120) -> None:
        supervisor = self.supervisor
        assert supervisor is not None
        until(lambda: b"Ready:" in self.said.read_bytes() or supervisor.poll() is not None, seconds)
        assert supervisor.poll() is None, self.said.read_text()

    def answers(self, path: str) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    def processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == str(self.home) or self.is_postgres(process):
                    found.append(process)
        return found

    def is_postgres(self, process: psutil.Process) -> bool:
        place = self.home / "postgres.place"
        data = (Path(place.read_text().strip()) if place.exists() else self.home / "postgres") / "data"
        with suppress(psutil.Error, OSError):  # a process that ends while it is looked at is not ours any more
            return process.name().startswith("postgres") and data.exists() and os.path.samefile(process.cwd(), data)
        return False

    def named(self, words: str) -> psutil.Process:
        return next(process for process in self.processes() if words in " ".join(process.cmdline()))

    def webs(self) -> list[psutil.Process]:
        return [process for process in self.processes() if "granian" in " ".join(process.cmdline())]

    def clear(self) -> None:
        if self.supervisor is not None and self.supervisor.poll() is None:
            self.supervisor.kill()
            self.supervisor.wait()
        for process in self.processes():
            with suppress(psutil.Error):
                process.kill()
        place = self.home / "postgres.place"
        if place.exists() and Path(place.read_text().strip()).parent == SHARED:
            shutil.rmtree(place.read_text().strip(), ignore_errors=True)


def until(met: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """An empty home of its own."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    made = Installation(home)
    yield made
    made.clear()


def test_it_starts_is_hurt_goes_on_and_stops_without_a_trace(installation: Installation) -> None:
    installation.serve()
    installation.until_ready()
    until(lambda: installation.answers("/readyz"))
    created = installation.motcua("admin", "create", "quantri@tinhmau.vn", "--password-stdin", given="một câu dài dễ nhớ\n")
    assert created.returncode == 0, created.stderr

    memory = sum(process.memory_full_info().pss for process in installation.processes())
    assert memory < MEMORY, f"{memory // 2**20} MB"

    hurt = [installation.named("engine.cli worker"), *installation.webs()]
    hurt[0].kill()
    hurt[1].kill()
    until(lambda: not any(process.is_running() for process in hurt))
    until(lambda: installation.answers("/readyz"))

    for process in installation.processes():
        with suppress(psutil.Error):
            if installation.is_postgres(process):
                process.kill()
    until(lambda: installation.answers("/readyz"))

    verified = installation.motcua("audit", "verify", "--json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["sound"]

    assert installation.supervisor is not None
    installation.supervisor.send_signal(signal.SIGINT)
    assert installation.supervisor.wait(60) == 0
    assert installation.processes() == []


def test_killed_it_leaves_a_home_that_starts_again_by_itself(installation: Installation) -> None:
    installation.serve()
    installation.until_ready()
    assert installation.supervisor is not None
    installation.supervisor.kill()
    installation.supervisor.wait()

    installation.serve()
    installation.until_ready()

    assert installation.answers("/healthz")
    assert len(installation.webs()) == 2, "the web server and its one worker process, none of the killed ones"


def test_a_second_supervisor_of_the_same_home_and_a_taken_port_are_refused_with_a_sentence(installation: Installation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", installation.port))
        taken.listen()
        refused = installation.motcua("serve", "--no-demo", "--port", str(installation.port))
    assert refused.returncode == 1
    assert "is taken by another program" in refused.stdout

    (installation.home / "log").mkdir(exist_ok=True)
    with (installation.home / "supervisor.lock").open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused = installation.motcua("serve", "--no-demo", "--port", str(installation.port))
    assert refused.returncode == 1
    assert "already runs" in refused.stdout
