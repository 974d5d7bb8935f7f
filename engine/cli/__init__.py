"""The command line: ``motcua <command>``. Exit code 0 only when it did what it says.

An area adds its commands with a module of this package that has ``add(commands)``; each parser sets ``run``, a function of the parsed
arguments that returns the exit code.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from engine.errors import EngineError, Invalid
from engine.sentences import sentence
from engine.settings import SettingsError

ELSEWHERE = {"worker": "serve", "prepare": "installation", "migrate": "installation"}
"""Commands of an area with another name. Only the area asked for is loaded: the whole engine takes seconds on a small machine."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="motcua", description="Routes dossiers and documents through a public administration.")
    commands = parser.add_subparsers(title="commands", metavar="<command>", required=True)
    asked = ELSEWHERE.get(given[0], given[0]) if given else ""
    for name in [asked] if asked in areas() else areas():
        import_module(f"engine.cli.{name}").add(commands)
    chosen = parser.parse_args(given)
    try:
        return int(chosen.run(chosen) or 0)
    except SettingsError as wrong:
        print(wrong, file=sys.stderr)
    except Invalid as wrong:
        for field, reason in wrong.errors.items():
            print(f"{field}: {explained(reason)}", file=sys.stderr)
    except EngineError as reason:
        print(explained(reason), file=sys.stderr)
    except BrokenPipeError:
        # The reader has gone; nothing more can be said, not even at interpreter exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 1


def areas() -> list[str]:
    """Return the modules of this package that add commands."""
    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


def explained(reason: EngineError) -> str:
    """Return what happened, why and what to do, in English, with the code to look up."""
    return f"{sentence(reason.code, 'en', reason.facts)} [{reason.code}]"


def leaf(commands: Any, name: str, run: Any, help: str) -> argparse.ArgumentParser:  # noqa: A002  argparse's word
    """Add the command *name* that calls *run*, and return its parser."""
    made: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    made.set_defaults(run=run)
    return made


def group(commands: Any, name: str, help: str) -> Any:  # noqa: A002
    """Add the group *name* and return what its commands are added to."""
    made = commands.add_parser(name, help=help, description=help)
    return made.add_subparsers(title="commands", metavar="<command>", required=True)
