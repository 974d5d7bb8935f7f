"""How a command of the command line comes to an open installation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pwd import getpwuid

from engine.kernel.logs import configure
from engine.kernel.postgres import owner_url
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
def opened(settings: Settings | None = None) -> Iterator[Runtime]:
    """Open the installation the environment describes."""
    chosen = settings or Settings.from_environment()
    configure("debug" if chosen.log_level == "debug" else "warning")  # a person reads along
    with owner_url(chosen):
        runtime = open_runtime(chosen)
        try:
            yield runtime
        finally:
            runtime.close()
