"""Looking into a running installation from outside, as only a test may: its records with the owner's rights, its processes."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
from sqlalchemy import create_engine, text

from engine.kernel.postgres import running_url
from engine.runtime import Runtime, open_runtime
from engine.settings import Settings
from engine.supervisor import MARK
from tests.journeys.conftest import Installation


def ask(installation: Installation, query: str, **values: Any) -> Any:
    """Return the first value a query finds, or None."""
    engine = create_engine(running_url(installation.home).replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.connect() as connection:
            return connection.scalar(text(query), values)
    finally:
        engine.dispose()


@contextmanager
def beside(installation: Installation) -> Iterator[Runtime]:
    """A runtime of one's own on the same home."""
    runtime = open_runtime(Settings(home=installation.home, database_url=running_url(installation.home), demo=True))
    try:
        yield runtime
    finally:
        runtime.close()


def processes(installation: Installation, words: str) -> list[psutil.Process]:
    """The processes the supervisor runs whose command line has *words* in it."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == str(installation.home) and words in " ".join(process.cmdline()):
                found.append(process)
    return found


def web(installation: Installation) -> list[psutil.Process]:
    """The web server and its worker process."""
    return processes(installation, "granian")


def worker(installation: Installation) -> list[psutil.Process]:
    """The worker that delivers and keeps the time."""
    return processes(installation, "engine.cli worker")


def ready(installation: Installation) -> bool:
    """Whether the office can work: web, database and worker."""
    with suppress(OSError), urllib.request.urlopen(f"{installation.address}/readyz", timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def until(met: Callable[[], bool], seconds: float = 120) -> None:
    """Wait for something to come about."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)
