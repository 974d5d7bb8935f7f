"""``motcua audit …``: reads the whole journal with suspicion, writes it and the proof of one paper out for a stranger's check."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from engine.cli import group, leaf
from engine.cli._opening import opened, operator
from engine.documents import anchor
from engine.kernel import journal_proof
from engine.kernel.journal import OFFICE
from engine.queries import preservation

SENTENCES = {
    "altered": "line {number} was changed after it was written",
    "missing": "line {number} is missing",
    "unlinked": "line {number} does not follow the line before it: lines were taken out or moved",
    "cut": "line {number} and perhaps later ones were cut off, or added past the journal",
    "no_head": "the head of the chain was taken away (last line {number})",
    "seal_altered": "daily seal {number} was changed",
    "seal_missing": "daily seal {number} is missing",
    "sealed_line_missing": "line {number} is not what the daily seal saw",
    "token_wrong": "the time stamp over daily seal {number} is not over this seal, or not of an authority we trust",
    "restored": "daily seal {number} is kept outside but is not in the journal: an older state was put in its place",
}


def add(commands: Any) -> None:
    """Add the commands."""
    audit = group(commands, "audit", "the journal")
    checked = leaf(audit, "verify", check, "compute every hash anew and report every fault with its place")
    checked.add_argument("--kept", type=Path, action="append", default=[], help="file of copied seals (default: the installation's)")
    checked.add_argument("--json", action="store_true", help="for machines")
    written = leaf(audit, "export", export, "write the journal and its seals for a check without this program (docs/check_journal.py)")
    written.add_argument("folder", type=Path)
    listed = leaf(audit, "evidence", evidence, "report until when the signatures of issued documents can be proven")
    listed.add_argument("--json", action="store_true", help="for machines")
    proven = leaf(audit, "proof", prove, "print the proof that a paper stands in the journal, by the code in its QR picture")
    proven.add_argument("paper")


def check(chosen: argparse.Namespace) -> int:
    """Verify and report; 0 only when the journal is sound."""
    with opened() as runtime, runtime.begin(operator()) as w:
        report = anchor.judged(w, chosen.kept)
    if chosen.json:
        faults = [{"chain": str(f.chain), "line": f.number, "reason": f.reason} for f in report.faults]
        told = {
            "sound": report.sound, "chains": report.chains, "lines": report.lines, "seals": report.seals, "stamped": report.stamped,
            "faults": faults,
        }  # fmt: skip
        print(json.dumps(told))
    else:
        for fault in report.faults:
            print(f"{named(fault.chain)}: {SENTENCES[fault.reason].format(number=fault.number)}")
        verdict = "sound" if report.sound else f"NOT sound: {len(report.faults)} fault(s)"
        print(f"{report.lines} lines in {report.chains} chains, {report.seals} daily seals, {report.stamped} time-stamped: {verdict}")
    return 0 if report.sound else 1


def export(chosen: argparse.Namespace) -> int:
    """Write journal and seals into a folder."""
    with opened() as runtime, runtime.begin(operator()) as w:
        lines, seals = journal_proof.export(w.session, w.province, chosen.folder)
    print(f"{lines} lines and {seals} daily seals in {chosen.folder}")
    return 0


def prove(chosen: argparse.Namespace) -> int:
    """Print the proof as JSON; 1 while no seal covers the paper's line."""
    with opened() as runtime, runtime.begin(operator()) as w:
        found = anchor.paper(w, chosen.paper)
    if found.proof is None:
        print("not under a daily seal yet; ask again tomorrow")
        return 1
    print(json.dumps(found.proof, ensure_ascii=False, indent=1))
    return 0


def evidence(chosen: argparse.Namespace) -> int:
    """Print the renewal report; 1 when something is late."""
    with opened() as runtime, runtime.begin(operator()) as w:
        rows = preservation.report(w, limit=100_000)
    if chosen.json:
        print(json.dumps([{**asdict(row), "document_id": str(row.document_id)} for row in rows], default=str, ensure_ascii=False))
    else:
        for row in rows:
            until = f"until {row.until:%Y-%m-%d}" if row.until else "no evidence yet"
            print(f"{row.dossier} {row.number or ''} {row.level} {until}, next {row.next_at:%Y-%m-%d %H:%M} {row.missing}".rstrip())
        print(f"{len(rows)} documents, {sum(row.late for row in rows)} late")
    return int(any(row.late for row in rows))


def named(chain: UUID) -> str:
    """Return how a chain is called on screen."""
    return "acts without a dossier" if chain == OFFICE else f"dossier {chain}"
