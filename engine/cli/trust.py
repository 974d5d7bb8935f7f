"""``motcua trust``: certificates of authorities are let in by two people, withdrawn by one; every act stands in the journal."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.cli import group, leaf
from engine.cli._opening import opened, operator
from engine.commands import trust as commands
from engine.documents.trust import folder_of, kept_answers
from engine.errors import NotFound
from engine.kernel.unit_of_work import UnitOfWork
from engine.settings import Settings
from signing import kept_status, trust_store


def add(commands: Any) -> None:
    """Add the commands."""
    found = group(commands, "trust", "authorities this installation trusts")
    leaf(found, "list", listed, "every certificate with its provenance, as JSON; and the national roots still wanted")
    one = leaf(found, "propose", propose, "put a certificate forward; another account approves it")
    one.add_argument("certificate", type=Path, help="PEM or DER")
    one.add_argument("--source", required=True, help="where it came from and how its fingerprint was compared")
    one.add_argument("--regime", default="public", choices=("public", "specialised", "other"))
    one.add_argument("--role", default="anchor", choices=("anchor", "intermediate"))
    one.add_argument("--host", action="append", default=[], help="host its status services answer under")
    answers = leaf(found, "kept", kept, "how many status answers are kept from verifications, and their bytes")
    answers.add_argument("--clear", action="store_true", help="forget them")
    for name, act, text in (("approve", approve, "let it count: not by who proposed it"), ("withdraw", withdraw, "let it count no more")):
        leaf(found, name, act, text).add_argument("sha256")


def listed(chosen: argparse.Namespace) -> int:
    """Print the store; 1 when a file in it is not what it should be."""
    with opened() as runtime:
        store = trust_store.load(folder_of(runtime.settings.home))
    told = {
        "entries": [{**asdict(one), "state": one.state} for one in store.entries],
        "faults": store.faults,
        "wanted": commands.wanted(store),
    }
    print(json.dumps(told, ensure_ascii=False, indent=1))
    return int(bool(store.faults))


def kept(chosen: argparse.Namespace) -> int:
    """Print what is kept for the days when an authority does not answer, or forget it; needs no database."""
    folder = kept_answers(Settings.from_environment().home)
    if chosen.clear:
        print(json.dumps({"forgotten": kept_status.clear(folder)}))
        return 0
    number, size = kept_status.size(folder)
    print(json.dumps({"answers": number, "bytes": size, "folder": str(folder)}))
    return 0


def propose(chosen: argparse.Namespace) -> int:
    """Put forward."""
    if not chosen.certificate.is_file():
        raise NotFound("file.not_found", name=chosen.certificate.name)
    content = chosen.certificate.read_bytes()
    more = {"regime": chosen.regime, "role": chosen.role, "source": chosen.source, "hosts": tuple(chosen.host)}
    return _act(lambda w: commands.propose(w, content, **more))


def approve(chosen: argparse.Namespace) -> int:
    """Let it count."""
    return _act(lambda w: commands.approve(w, chosen.sha256))


def withdraw(chosen: argparse.Namespace) -> int:
    """Let it count no more."""
    return _act(lambda w: commands.withdraw(w, chosen.sha256))


def _act(act: Callable[[UnitOfWork], trust_store.Entry]) -> int:
    with opened() as runtime, runtime.begin(operator()) as w:
        entry = act(w)
    print(f"{entry.sha256} {entry.state}: {entry.name}")
    return 0
