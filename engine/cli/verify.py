"""``motcua verify FILE…``: the verdict on signed files; 0 only when every one is valid. Needs no database."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.cli import leaf
from engine.sentences import sentence
from engine.settings import Settings

WORDS = {"valid": "HỢP LỆ / VALID", "insufficient": "CHƯA ĐỦ CĂN CỨ / NOT ENOUGH EVIDENCE", "invalid": "KHÔNG HỢP LỆ / INVALID"}


def add(commands: Any) -> None:
    """Add the command."""
    made = leaf(commands, "verify", check, "judge signed PDF files by the trust anchors of this installation")
    made.add_argument("files", nargs="+", type=Path, metavar="FILE")
    made.add_argument("--json", action="store_true", help="for machines")
    made.add_argument("--etsi", type=Path, metavar="FOLDER", help="also write each report as ETSI TS 119 102-2 XML into this folder")
    made.add_argument("--trust", type=Path, help="folder with root.der and issuing.der (default: the installation's)")
    made.add_argument("--offline", action="store_true", help="nothing is fetched; evidence inside the files counts, and what was kept")
    made.add_argument("--kept", type=Path, metavar="FOLDER", help="status answers of earlier verifications (default: the installation's)")


def check(chosen: argparse.Namespace) -> int:
    """Judge every file; a file that cannot be read is invalid."""
    from engine.documents.trust import anchors, kept_answers
    from signing.etsi import to_xml
    from signing.report import Report
    from signing.verify import Trust, verify

    home = Settings.from_environment().home
    routes: dict[str, str] = {}
    address = home / "trust_services.json"
    if address.exists() and not chosen.offline:
        routes = json.loads(address.read_text())["routes"]
    trust = Trust.of_test_pki(chosen.trust, routes) if chosen.trust else anchors(home, routes)
    kept = chosen.kept or kept_answers(home)

    def judged(file: Path) -> Report:
        return verify(file.read_bytes(), trust, now=office_time(home), online=not chosen.offline, kept=kept)

    reports = {str(file): judged(file) for file in chosen.files if file.is_file()}
    missing = [str(f) for f in chosen.files if not f.is_file()]
    if chosen.etsi:
        chosen.etsi.mkdir(parents=True, exist_ok=True)
        for name, report in reports.items():
            (chosen.etsi / f"{Path(name).name}.xml").write_bytes(to_xml(report))
    if chosen.json:
        print(json.dumps({name: r.to_json() for name, r in reports.items()} | dict.fromkeys(missing), ensure_ascii=False))
    else:
        for name, report in reports.items():
            print(f"{name}: {WORDS[report.verdict]}")
            for reason in report.reasons:
                print(f"  {sentence(reason.code, 'en', reason.facts)}")
            for signed in report.signatures:
                print(f"  {signed.field}: {WORDS[signed.verdict]}; {signed.certificate.common_name}, {signed.best_time}, {signed.level}")
                for reason in signed.reasons:
                    print(f"    {sentence(reason.code, 'en', reason.facts)}")
        for name in missing:
            print(f"{name}: no such file")
    return 0 if reports and not missing and all(r.verdict == "valid" for r in reports.values()) else 1


def office_time(home: Path) -> datetime:
    """Return the office's time: the system's, moved as the demonstration's clock is moved."""
    from signing.trust_services import clock_of

    file = home / "clock.offset"
    return clock_of(file if file.exists() else None)().astimezone(UTC)
