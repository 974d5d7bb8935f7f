"""Verification of signed PDF documents: hostile bytes in, a report out; the work is done in a child process with limits.

``python -m signing.verify FILE… --anchor ROOT.der [--route ADDRESS=TARGET] [--offline] [--kept FOLDER]`` prints the reports as JSON lines.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from signing.child import Child
from signing.errors import SigningError
from signing.isolation import ChildFailed
from signing.kept_status import keep
from signing.model import Json
from signing.report import Reason, Report, SignatureReport, Verdict
from signing.testpki import TestPki

_CHILD = Child("signing.verify_child")
MOST_BYTES = 100 * 1024 * 1024
_CPU_SECONDS = 5
_BYTES_A_SECOND = 5 * 1024 * 1024


@dataclass(frozen=True)
class Trust:
    """What is trusted and whom to ask.

    Anchors and intermediates as DER, *routes* of the demonstration's services, allowed public *hosts*, *ends* of algorithms.
    """

    anchors: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    routes: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    ends: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_test_pki(cls, folder: Path, routes: Mapping[str, str] | None = None) -> Trust:
        """Trust in the TEST hierarchy of *folder*, whose services answer where *routes* say."""
        pki = TestPki(folder)
        return cls((pki.root,), (pki.issuing,), dict(routes or {}))


def verify(pdf: bytes, trust: Trust, *, now: datetime, online: bool = True, kept: Path | None = None) -> Report:
    """Verify every signature of *pdf* as of *now* (the office's clock).

    Offline only evidence in the file counts, and what was *kept* of earlier answers in that folder (``signing.kept_status``); online
    answers are put there after the verdict, by this process: the one that reads the document only reads the folder.
    """
    if len(pdf) > MOST_BYTES:
        return _failed(pdf, now, online, "verify.too_large")
    request: Json = {
        "act": "verify",
        "anchors": [base64.b64encode(one).decode() for one in trust.anchors],
        "intermediates": [base64.b64encode(one).decode() for one in trust.intermediates],
        "routes": dict(trust.routes),
        "hosts": list(trust.hosts),
        "ends": dict(trust.ends),
        "now": now.astimezone(UTC).isoformat(),
        "online": online,
        "kept": str(kept.absolute()) if kept else "",
    }
    try:
        # A hostile file gets five seconds; an honest one that is large, as much more as its bytes need.
        answer, _ = _CHILD.ask(request, pdf, cpu_seconds=_CPU_SECONDS + len(pdf) // _BYTES_A_SECOND, seconds=40)
    except ChildFailed as problem:
        return _failed(pdf, now, online, "verify.unreadable", ended=problem.kind)
    if kept and answer["gathered"]:
        gathered = [(kind, base64.b64decode(raw)) for kind, raw in answer["gathered"]]
        keep(kept, gathered, (*trust.anchors, *trust.intermediates), now)
    return Report.from_json(answer["report"])


def signed_revision(pdf: bytes, signature: SignatureReport) -> bytes:
    """Exactly the bytes a signature covers, as a document of its own: "this is what was signed"."""
    return pdf[: signature.revision_end]


def page_picture(pdf: bytes, page: int, dpi: int = 80) -> bytes:
    """One page as PNG, drawn in the child process.

    Raises:
        SigningError: ``file.unreadable``, ``file.page_missing``.
    """
    try:
        _, picture = _CHILD.ask({"act": "picture", "page": page, "dpi": min(dpi, 300)}, pdf)
    except ChildFailed as problem:
        raise SigningError("file.unreadable") from problem
    if not picture:
        raise SigningError("file.page_missing", page=page + 1)
    return picture


def page_count(pdf: bytes) -> int:
    """How many pages a document has, counted in the child process."""
    try:
        answer, _ = _CHILD.ask({"act": "picture", "page": -1, "dpi": 1}, pdf)
    except ChildFailed as problem:
        raise SigningError("file.unreadable") from problem
    return int(answer["pages"])


def _failed(pdf: bytes, now: datetime, online: bool, code: str, **facts: str) -> Report:
    judged_at = now.astimezone(UTC).isoformat()
    return Report(Verdict.INVALID, hashlib.sha256(pdf).hexdigest(), judged_at, online, reasons=(Reason(code, facts),))


def main(arguments: list[str] | None = None) -> int:
    """Verify files from the command line; 0 only when every one is valid."""
    parser = argparse.ArgumentParser(prog="signing.verify")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--anchor", type=Path, action="append", required=True)
    parser.add_argument("--intermediate", type=Path, action="append", default=[])
    parser.add_argument("--route", action="append", default=[], help="address in certificates=where it is answered")
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--kept", type=Path, help="folder of status answers kept from earlier verifications")
    chosen = parser.parse_args(arguments)
    trust = Trust(
        tuple(path.read_bytes() for path in chosen.anchor),
        tuple(path.read_bytes() for path in chosen.intermediate),
        dict(route.split("=", 1) for route in chosen.route),
    )
    good = True
    for path in chosen.files:
        report = verify(path.read_bytes(), trust, now=datetime.now(UTC), online=not chosen.offline, kept=chosen.kept)
        good = good and report.verdict is Verdict.VALID
        sys.stdout.write(json.dumps({"file": str(path), **report.to_json()}, ensure_ascii=False) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
