"""``motcua agent``: the signing agent on the computer of somebody whose key is on a USB token."""

from __future__ import annotations

import argparse
from typing import Any

from engine.cli import leaf
from engine.errors import Refused


def add(commands: Any) -> None:
    """Add the command."""
    from signing.agent.__main__ import arguments

    arguments(leaf(commands, "agent", agent, "sign with a USB token (PKCS#11) on this computer, for the pages of one office"))


def agent(chosen: argparse.Namespace) -> int:
    """Run until Ctrl-C."""
    from signing.agent.__main__ import run
    from signing.errors import SigningError

    try:
        return run(chosen)
    except SigningError as problem:
        raise Refused(problem.code, **dict(problem.facts)) from None
