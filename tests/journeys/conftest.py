"""A whole installation with the demonstration province, started as its operator starts it, and a real Chromium before it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

from engine.settings import ROOT, environment
from tests.journeys.steps import CHROMIUM, Person, person
from tests.support.office import scan


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A journey may take its time; which process it runs in is said in `tests.support.sharing`."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(900))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A journey that failed says what everybody saw last; who reads its report cannot look at the screen any more."""
    report = yield
    if report.failed and report.when == "call":
        for number, one in enumerate(item.stash.get(OPENED, [])):
            with suppress(Error):
                report.sections.append((f"window {number}: {one.page.url}", one.page.locator("body").inner_text()[:4000]))
                one.picture(f"failed-{item.name}-{number}".replace("/", "-"))
    return report


OPENED = pytest.StashKey[list[Person]]()


@dataclass(frozen=True)
class Installation:
    """A running installation: its address, its home, its supervisor."""

    address: str
    home: Path
    supervisor: subprocess.Popen[bytes]

    def motcua(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line beside the running installation."""
        given = environment(MOTCUA_HOME=str(self.home), MOTCUA_DEMO="yes", MOTCUA_DATABASE_URL=None)
        return subprocess.run(
            [sys.executable, "-m", "engine.cli", *arguments], cwd=ROOT, env=given, capture_output=True, text=True, check=False, timeout=120
        )


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The installation, ready; stopped at the end by Ctrl-C."""
    folder = tmp_path_factory.mktemp("journey")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    said = folder / "said"
    with said.open("wb") as out:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "engine.cli", "serve", "--demo", "--port", str(port)],
            cwd=ROOT, env=environment(MOTCUA_HOME=str(folder / "home"), MOTCUA_DATABASE_URL=None, MOTCUA_DEMO=None),
            stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + 400
        while b"Ready:" not in said.read_bytes():
            assert supervisor.poll() is None, said.read_text()
            assert time.monotonic() < until, said.read_text()
            time.sleep(0.5)
        yield Installation(f"http://localhost:{port}", folder / "home", supervisor)
    finally:
        os.killpg(supervisor.pid, signal.SIGINT)
        supervisor.wait(60)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium; a missing one is a failure, never a skip.

    Ends with its module: the driver keeps an event loop running in the thread, under which other tests could not run theirs.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path is not None, "no Chromium on this machine: ./test installs one, or put one on PATH"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield started
        started.close()


@pytest.fixture
def somebody(chromium: Browser, installation: Installation, request: pytest.FixtureRequest) -> Iterator[Callable[..., Person]]:
    """Open browser windows; at the end nothing may have gone wrong in any of them."""
    opened: list[Person] = []
    request.node.stash[OPENED] = opened

    def open_window(name: str | None = None, **how: object) -> Person:
        one = person(chromium, installation.address, **how)  # type: ignore[arg-type]
        opened.append(one)
        if name is not None:
            one.sign_in(name)
        return one

    yield open_window
    wrong = [complaint for one in opened for complaint in one.wrong]
    for one in opened:
        one.context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scanned paper a citizen brings."""
    place = tmp_path_factory.mktemp("paper") / "ban-chinh.pdf"
    place.write_bytes(scan(2))
    return place
