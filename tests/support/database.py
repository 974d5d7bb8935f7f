"""One PostgreSQL server a run, one template a run, one clone per test.

The run's first process makes a folder; whoever needs the database first starts the server in it, and the run's first process stops it.
With MOTCUA_DATABASE_URL set that server is used instead, unchanged: its user must be allowed to make databases and roles.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from engine.kernel.database import address, application_url
from engine.kernel.install import install
from engine.kernel.postgres import Server, server_of
from engine.settings import environment

ROLE = "motcua_test_app"
SECRET = "tests only"
FOLDER = Path(tempfile.gettempdir())


def make_folder() -> Path:
    """Return a new folder for this run; servers of runs that were killed are stopped first."""
    for left in FOLDER.glob("motcua-test-*"):
        with suppress(OSError, ValueError):
            owner = int((left / "owner").read_text())
            if not psutil.pid_exists(owner):
                remove_folder(left)
    folder = Path(tempfile.mkdtemp(prefix="motcua-test-", dir=FOLDER))
    folder.chmod(0o755)
    (folder / "owner").write_text(str(os.getpid()))
    return folder


def remove_folder(folder: Path) -> None:
    """Stop the run's server, if it was started, and remove its folder."""
    if (folder / "postgres").exists():
        server_of(folder).stop()
    given = folder / "given"
    if given.exists():
        with maintenance(given.read_text()) as connection:
            names = connection.scalars(text("select datname from pg_database where datname like :mine"), {"mine": f"{_prefix(folder)}%"})
            for name in names.all():
                connection.exec_driver_sql(f'drop database if exists "{name}" with (force)')
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def maintenance(url: str) -> Iterator[Connection]:
    """Open a connection for statements that stand alone."""
    engine = create_engine(address(make_url(url).set(database="postgres")), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _prefix(folder: Path) -> str:
    return folder.name.replace("-", "_")


def difference(connection: Connection) -> list[Any]:
    """Return in what the database's schema differs from the records."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from engine.kernel.tables import Base
    from engine.migrations import records

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return not (kind == "table" and (name or "").startswith(("procrastinate_", "alembic_version")))

    assert records.MODULES
    options = {"compare_type": True, "compare_server_default": True, "include_name": ours}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))


class Databases:
    """The run's server: makes and drops clones of the template."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = f"{_prefix(folder)}_template"
        with (folder / "databases.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.url = self._server_url()
            with maintenance(self.url) as connection:
                known = connection.scalar(text("select true from pg_database where datname = :name"), {"name": self.template})
            if not known:
                self._make_template()

    def _server_url(self) -> str:
        given = environment().get("MOTCUA_DATABASE_URL")
        if given:
            (self.folder / "given").write_text(given)
            return given
        server: Server = server_of(self.folder)
        if server.start() is not None:
            with maintenance(server.url("postgres")) as connection:
                # Nothing of a test run has to survive a power cut.
                connection.exec_driver_sql("alter system set fsync = off")
                connection.exec_driver_sql("alter system set full_page_writes = off")
                connection.exec_driver_sql("select pg_reload_conf()")
        return server.url("postgres")

    def _make_template(self) -> None:
        from engine.migrations import make_schema

        draft = f"{self.template}_draft"
        with maintenance(self.url) as connection:
            connection.exec_driver_sql(f'drop database if exists "{draft}"')
            connection.exec_driver_sql(f'create database "{draft}" template template0')
        assert install(self.owner_url(draft), SECRET, make_schema, ROLE), "the tests need an owner who may make roles"
        self._refuse_stale_revisions(draft)
        with maintenance(self.url) as connection:
            connection.exec_driver_sql(f'alter database "{draft}" rename to "{self.template}"')

    def _refuse_stale_revisions(self, name: str) -> None:
        engine = create_engine(address(self.owner_url(name)))
        try:
            with engine.connect() as connection:
                found = difference(connection)
        finally:
            engine.dispose()
        assert not found, f'a record has changed ({found}): write a revision with  motcua dev migration "what it does"'

    def owner_url(self, name: str) -> str:
        """Return the owner's URL of a database."""
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def application_url(self, name: str) -> str:
        """Return the application role's URL of a database."""
        return application_url(self.owner_url(name), SECRET, ROLE).render_as_string(hide_password=False)

    @contextmanager
    def clone(self, *, empty: bool = False, of: str | None = None) -> Iterator[str]:
        """Make a database from the template (or an *empty* one, or a copy *of* another) and drop it at the end; yields its name."""
        name = f"{_prefix(self.folder)}_{uuid4().hex[:12]}"
        source = "template0" if empty else f'"{of or self.template}"'
        with maintenance(self.url) as connection:
            connection.exec_driver_sql(f'create database "{name}" template {source}')
        try:
            yield name
        finally:
            with maintenance(self.url) as connection:
                connection.exec_driver_sql(f'drop database if exists "{name}" with (force)')
