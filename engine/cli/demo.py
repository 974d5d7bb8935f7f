"""``motcua demo create``: the demonstration province."""

from __future__ import annotations

import argparse
import time
from typing import Any

from engine.cli import group, leaf
from engine.cli._opening import opened


def add(commands: Any) -> None:
    """Add the commands."""
    demo = group(commands, "demo", "the demonstration province (only with MOTCUA_DEMO=yes)")
    leaf(demo, "create", create, "make the demonstration province, or what is missing of it")


def create(chosen: argparse.Namespace) -> int:
    """Make the province and say how long it took."""
    from engine.simulation.demo import build

    began = time.monotonic()
    with opened() as runtime:
        accounts = build(runtime)
    print(f"Demo province ready: {len(accounts.members)} accounts, {time.monotonic() - began:.0f} s")
    return 0
