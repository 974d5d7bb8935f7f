"""How a command of the command line comes to an open installation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pwd import getpwuid

from engine.kernel.logs import configure
from engine.kernel.postgres import server_of
from engine.kernel.unit_of_work import Actor
from engine.runtime import Runtime, open_runtime
from engine.settings import Settings


def operator() -> Actor:
    """Return who is at the command line: the account name of the operating system."""
    try:
        return Actor("cli", label=getpwuid(os.geteuid()).pw_name)
    except KeyError:
        return Actor("cli", label=str(os.geteuid()))


@contextmanager
def owner_url(settings: Settings) -> Iterator[str]:
    """Yield the owner's URL; the embedded server is started for the time being when it does not run."""
    if settings.database_url:
        yield settings.database_url
        return
    server = server_of(settings.home)
    child = server.start()
    try:
        server.ensure_database()
        yield server.url()
    finally:
        if child is not None:
            server.stop(child)


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Runtime]:
    """Open the installation the environment describes."""
    chosen = settings or Settings.from_environment()
    configure(chosen.log_level)
    with owner_url(chosen):
        runtime = open_runtime(chosen)
        try:
            yield runtime
        finally:
            runtime.close()
