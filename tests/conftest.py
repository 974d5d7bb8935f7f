"""Fixtures of every area: the database, a runtime on a fresh clone of it, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from engine.kernel.clock import MovableClock
from engine.runtime import Runtime, open_runtime
from engine.settings import ROOT, Settings
from tests.support.database import Databases, make_folder, remove_folder
from tests.support.office import Office, Pattern, copy_of, pattern

HANOI = timezone(timedelta(hours=7))
MONDAY_MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=HANOI)
FOLDER = pytest.StashKey[Path]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["folder"] = str(node.config.stash[FOLDER])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from tests.support.sharing import OneInstallation

    return OneInstallation(config, log)


def pytest_configure(config: pytest.Config) -> None:
    given = getattr(config, "workerinput", None)
    config.stash[FOLDER] = Path(given["folder"]) if given else make_folder()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and FOLDER in config.stash:
        remove_folder(config.stash[FOLDER])


@pytest.fixture(scope="session")
def databases(pytestconfig: pytest.Config) -> Databases:
    """The run's PostgreSQL server."""
    return Databases(pytestconfig.stash[FOLDER])


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """The name of this test's own database, empty but for the schema."""
    with databases.clone() as name:
        yield name


@pytest.fixture
def settings(databases: Databases, database: str, tmp_path: Path) -> Settings:
    """Settings of this test's own installation."""
    return Settings(
        home=tmp_path / "home",
        database_url=databases.owner_url(database),
        application_url=databases.application_url(database),
        procedures=ROOT / "bpmn",
    )


@pytest.fixture
def clock() -> MovableClock:
    """The office's clock: Monday 2 March 2026, 08:00 in Hanoi, until the test moves it."""
    return MovableClock(MONDAY_MORNING)


@pytest.fixture
def runtime(settings: Settings, clock: MovableClock) -> Iterator[Runtime]:
    """An open installation on this test's own database and home."""
    opened = open_runtime(settings, clock=clock)
    yield opened
    opened.close()


@dataclass(frozen=True)
class Statements:
    """The SQL statements a block has sent."""

    sent: list[str]

    def __len__(self) -> int:
        return len(self.sent)


@pytest.fixture
def statements(runtime: Runtime) -> Iterator[Statements]:
    """Counts the SQL statements of the runtime's engine from here on."""
    from sqlalchemy import event

    counted = Statements([])

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        counted.sent.append(statement)

    event.listen(runtime.engine, "before_cursor_execute", note)
    yield counted
    event.remove(runtime.engine, "before_cursor_execute", note)


@pytest.fixture(scope="session")
def office_pattern(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pattern]:
    """The small office all tests copy."""
    with pattern(databases, tmp_path_factory.mktemp("office")) as made:
        yield made


@pytest.fixture
def office(databases: Databases, office_pattern: Pattern, tmp_path: Path) -> Iterator[Office]:
    """A small office of its own for this test: Monday 23 November 2026, 09:00, the day before a holiday."""
    with copy_of(databases, office_pattern, tmp_path, datetime(2026, 11, 23, 9, 0, tzinfo=HANOI)) as copied:
        yield copied
