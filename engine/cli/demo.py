"""``motcua demo create``: the demonstration province."""

from __future__ import annotations

import argparse
import time
from typing import Any

from engine.cli import group, leaf
from engine.settings import Settings


def add(commands: Any) -> None:
    """Add the commands."""
    demo = group(commands, "demo", "the demonstration province (only with MOTCUA_DEMO=yes)")
    leaf(demo, "create", create, "make the demonstration province, or what is missing of it")


def create(chosen: argparse.Namespace) -> int:
    """Make the province and say how long it took; when it stands already, find that out without loading the whole engine."""
    settings = Settings.from_environment()
    if settings.demo and stands(settings):
        return 0
    from engine.cli._opening import opened
    from engine.simulation.demo import build

    began = time.monotonic()
    with opened(settings) as runtime:
        accounts = build(runtime)
    print(f"Demo province ready: {len(accounts.members)} accounts, {time.monotonic() - began:.0f} s")
    return 0


def stands(settings: Settings) -> bool:
    """Say whether this database holds a finished demonstration and this home its accounts."""
    import psycopg

    from engine.kernel.postgres import NotRunning, running_url
    from engine.simulation import ACCOUNTS, MADE

    if not (settings.home / ACCOUNTS).exists():
        return False
    try:
        with psycopg.connect(settings.database_url or running_url(settings.home)) as connection:
            found = connection.execute("select 1 from journal_line where province = %s and kind = %s limit 1", (settings.province, MADE))
            return found.fetchone() is not None
    except (NotRunning, psycopg.Error):
        return False
