"""Proposals for a procedure: an uploaded diagram or package with what the gate says and what it changes; nothing is in force yet.

A proposal is kept by its content, so that its address can be given to the second person who approves it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from engine.commands.procedures import changes, known_report, read_upload, readiness, report_on
from engine.documents.blobs import BlobStore
from engine.errors import NotFound, Refused
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.drafting import DESIGNERS
from engine.office.standing import acting
from engine.procedure.declaration import PackageInvalid
from engine.procedure.loader import load_files, load_folder, load_zip, to_zip
from engine.procedure.package import DIAGRAM, Package
from engine.procedure.registry import ProcedureVersion, latest
from engine.procedure.report import Finding, Report, from_refusal, ordered
from engine.procedure.reviews import ProcedureReview, find, put_forward
from engine.settings import Settings

LARGEST = 20 * 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Proposal:
    """An upload that is not in force: its package (None when it cannot be read), the report, and the difference in words.

    ``kind`` is ``first``, ``changed``, ``redrawn`` or ``same``, as publishing would call it, or ``unjudged`` while nobody has asked for the
    report yet; ``reference`` is empty without a package.
    """

    reference: str
    package: Package | None
    report: Report
    changes: tuple[Any, ...]
    base: ProcedureVersion | None
    kind: str
    review: ProcedureReview | None = None

    @property
    def diagram(self) -> bytes:
        """The diagram as it was uploaded."""
        return self.package.files[DIAGRAM] if self.package is not None else b""

    def findings_by_file(self) -> dict[str, list[Finding]]:
        """Return the findings that refuse or warn, by the file they are in."""
        found: dict[str, list[Finding]] = {}
        for finding in self.report.findings:
            if finding.severity != "note":
                found.setdefault(finding.place.file, []).append(finding)
        return found


def propose(w: UnitOfWork, key: str, content: bytes, name: str) -> Proposal:
    """Examine an upload: a diagram for the procedure *key*, or a whole package as zip.

    Raises:
        Forbidden: the actor designs no procedures.
        Refused: there is no file, it is too large, or *key* is unknown.
    """
    acting(w).require(*DESIGNERS)
    if not content:
        raise Refused("procedure.file_missing", field="file")
    if len(content) > LARGEST:
        raise Refused("procedure.file_too_large", field="file", limit=LARGEST // 1024 // 1024)
    try:
        package = read_upload(content, name, w, key)
        assert package.diagram is not None  # read here, so that XML that cannot be read is a finding like any other
    except PackageInvalid as invalid:
        return Proposal("", None, Report(key, "", ordered(from_refusal(problem) for problem in invalid.problems)), (), None, "")
    except Refused as refused:
        if refused.code == "procedure.unknown":
            raise
        return Proposal("", None, Report(key, "", (from_refusal(refused),)), (), None, "")
    found = judged(w, package, w.part(BlobStore).put(to_zip(package, with_parts=True)))
    if found.report.passed and found.kind != "same":
        put_forward(w, package, found.reference)
    return found


def supplied(w: UnitOfWork) -> list[Package]:
    """Return the packages delivered with the system that nobody has published yet, by name."""
    acting(w).require(*DESIGNERS)
    known = {found.key for found in w.session.scalars(select(ProcedureVersion).where(ProcedureVersion.province == w.province))}
    folders = [place.parent for place in w.part(Settings).procedures.glob("[!_]*/procedure.toml")]
    return sorted((load_folder(place) for place in folders if place.name not in known), key=lambda package: package.name.vi)


def propose_supplied(w: UnitOfWork, key: str) -> Proposal:
    """Examine a package delivered with the system and put it forward, exactly as if it had been uploaded.

    Raises:
        Forbidden: the actor designs no procedures.
        NotFound: there is no such package, or it is published already.
    """
    package = next((one for one in supplied(w) if one.key == key), None)
    if package is None:
        raise NotFound("procedure.unknown", key=key)
    return propose(w, "", to_zip(package), f"{key}.zip")


def proposal(w: UnitOfWork, reference: str) -> Proposal:
    """Return a proposal by its reference.

    Raises:
        NotFound: there is none.
    """
    acting(w).require(*DESIGNERS)
    if not _DIGEST.fullmatch(reference):
        raise NotFound("procedure.no_proposal")
    try:
        package = load_zip(w.part(BlobStore).get(reference))
    except (NotFound, Refused):
        raise NotFound("procedure.no_proposal") from None
    return judged(w, package, reference)


def examined(w: UnitOfWork, files: Mapping[str, bytes], key: str, *, wait: bool = True) -> Proposal:
    """Return what these files would be as a proposal; nothing is kept, and files that make no package are findings.

    With *wait* off the gate is not asked: a report that is not known yet is left for later.

    Raises:
        Forbidden: the actor designs no procedures.
    """
    acting(w).require(*DESIGNERS)
    try:
        package = load_files(files, key)
        assert package.diagram is not None
    except PackageInvalid as invalid:
        return Proposal("", None, Report(key, "", ordered(from_refusal(problem) for problem in invalid.problems)), (), None, "")
    except Refused as refused:
        return Proposal("", None, Report(key, "", (from_refusal(refused),)), (), None, "")
    if not wait and known_report(package) is None:
        return Proposal("", package, Report(key, "", ()), (), None, "unjudged")
    return judged(w, package, "")


def wanting(w: UnitOfWork, files: Mapping[str, bytes], key: str) -> Report:
    """Return the one list of everything that keeps these files from being put in force today, scenarios and flows included.

    Raises:
        Forbidden: the actor designs no procedures.
    """
    return put_in_force(w, examined(w, files, key))


def put_in_force(w: UnitOfWork, found: Proposal, on: date | None = None) -> Report:
    """Return the report of a proposal as publishing reads it, on the day *on* or today: scenarios and flows included."""
    return found.report if found.package is None else readiness(w, found.package, on)


def packaged(files: Mapping[str, bytes], key: str) -> Package:
    """Return the package these files make.

    Raises:
        PackageInvalid: with every fault found.
    """
    return load_files(files, key)


def judged(w: UnitOfWork, package: Package, reference: str) -> Proposal:
    """Return the proposal a package makes: report, difference, what it would be."""
    base = latest(w.session, w.province, package.key)
    report = report_on(w, package)
    if base is None:
        kind = "first"
    elif base.content_hash != package.content_hash:
        kind = "changed"
    else:
        kind = "redrawn" if base.drawing_hash != package.drawing_hash else "same"
    return Proposal(reference, package, report, changes(w, package), base, kind, find(w.session, w.province, package))
