"""``python -m signing.agent --origin https://… --library …``: run the agent until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import webbrowser
from pathlib import Path

from signing.agent.approvals import Approvals
from signing.agent.device import Device
from signing.agent.door import PORT, Agent
from signing.custody_server import close_memory
from signing.errors import SigningError
from signing.vault import Vault

HOME = Path("~/.motcua-agent")


def arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add what the agent takes; ``motcua agent`` takes the same."""
    parser.add_argument("--origin", required=True, help="address of the office's site; no other site is answered")
    parser.add_argument("--library", required=True, help="the token vendor's PKCS#11 driver (.so, .dll, .dylib)")
    parser.add_argument("--port", type=int, default=PORT, help=f"default {PORT}; the site must be told another one")
    parser.add_argument("--home", type=Path, default=HOME, help="where given signatures are kept (never a PIN); default ~/.motcua-agent")
    parser.add_argument("--no-browser", action="store_true", help="do not open the page for the PIN by itself")
    parser.add_argument("--unlock", action="store_true", help="try PINs again after three wrong ones")
    return parser


def run(chosen: argparse.Namespace) -> int:
    """Run until SIGTERM or Ctrl-C.

    Raises:
        SigningError: ``agent.origin_invalid``, ``agent.library_missing``, ``agent.port_taken``.
    """
    library = Path(chosen.library).expanduser()
    if not library.is_file():
        raise SigningError("agent.library_missing", name=library.name)
    approvals = Approvals(Device(str(library)), Vault(chosen.home.expanduser()))
    if chosen.unlock:
        approvals.unlock()
    try:
        agent = Agent(chosen.origin, approvals, chosen.port, _nothing if chosen.no_browser else webbrowser.open)
    except OSError:
        raise SigningError("agent.port_taken", port=chosen.port) from None
    close_memory()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=agent.stop).start())
    sys.stdout.write(f"Motcua agent: {agent.address}/ for {agent.origin}\n")
    sys.stdout.flush()
    agent.serve()
    return 0


def _nothing(_address: str) -> None:
    """The signer opens the page with the link in the signing room."""


def main(given: list[str] | None = None) -> int:
    """Run from a command line without the engine."""
    try:
        return run(arguments(argparse.ArgumentParser(prog="signing.agent")).parse_args(given))
    except SigningError as problem:
        sys.stderr.write(f"{problem.code} {dict(problem.facts)}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
