"""``motcua audit verify``: reads the whole journal with suspicion."""

from __future__ import annotations

import argparse
import json
from typing import Any
from uuid import UUID

from engine.cli import group, leaf
from engine.cli._opening import opened, operator
from engine.kernel.journal import OFFICE
from engine.kernel.journal_seal import verify

SENTENCES = {
    "altered": "line {number} was changed after it was written",
    "missing": "line {number} is missing",
    "unlinked": "line {number} does not follow the line before it: lines were taken out or moved",
    "cut": "line {number} and perhaps later ones were cut off, or added past the journal",
    "no_head": "the head of the chain was taken away (last line {number})",
    "seal_altered": "daily seal {number} was changed",
    "seal_missing": "daily seal {number} is missing",
    "sealed_line_missing": "line {number} is not what the daily seal saw",
}


def add(commands: Any) -> None:
    """Add the commands."""
    audit = group(commands, "audit", "the journal")
    checked = leaf(audit, "verify", check, "compute every hash anew and report every fault with its place")
    checked.add_argument("--json", action="store_true", help="for machines")


def check(chosen: argparse.Namespace) -> int:
    """Verify and report; 0 only when the journal is sound."""
    with opened() as runtime, runtime.begin(operator()) as w:
        report = verify(w.session, w.province)
    if chosen.json:
        faults = [{"chain": str(f.chain), "line": f.number, "reason": f.reason} for f in report.faults]
        told = {"sound": report.sound, "chains": report.chains, "lines": report.lines, "seals": report.seals, "faults": faults}
        print(json.dumps(told))
    else:
        for fault in report.faults:
            print(f"{named(fault.chain)}: {SENTENCES[fault.reason].format(number=fault.number)}")
        verdict = "sound" if report.sound else f"NOT sound: {len(report.faults)} fault(s)"
        print(f"{report.lines} lines in {report.chains} chains, {report.seals} daily seals: {verdict}")
    return 0 if report.sound else 1


def named(chain: UUID) -> str:
    """Return how a chain is called on screen."""
    return "acts without a dossier" if chain == OFFICE else f"dossier {chain}"
