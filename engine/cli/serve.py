"""``motcua serve`` and ``motcua worker``: the installation, or one more worker for it."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from engine.cli import leaf
from engine.settings import Settings


def add(commands: Any) -> None:
    """Add the commands."""
    served = leaf(commands, "serve", serve, "start PostgreSQL, web and worker and keep them running")
    served.add_argument("--port", type=int, help="port of the web (8000)")
    served.add_argument("--demo", action=argparse.BooleanOptionalAction, help="with the demonstration province")
    leaf(commands, "worker", work, "run one more worker")


def serve(chosen: argparse.Namespace) -> int:
    """Run the supervisor."""
    from engine import supervisor

    settings = Settings.from_environment()
    if chosen.port is not None:
        settings = replace(settings, port=chosen.port)
    if chosen.demo is not None:
        settings = replace(settings, demo=chosen.demo)
    return supervisor.serve(settings)


def work(chosen: argparse.Namespace) -> int:
    """Run a worker."""
    from engine.worker import app

    app.run(Settings.from_environment())
    return 0
