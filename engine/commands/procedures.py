"""Publishing procedures: one report from gate and proof run; nothing is stored unless it is clean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.documents.templates import Printer, outside
from engine.errors import Refused
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.drafting import DESIGNERS
from engine.office.standing import acting
from engine.procedure import gate
from engine.procedure.difference import difference
from engine.procedure.gate import Report
from engine.procedure.loader import load_zip
from engine.procedure.package import DIAGRAM, Package
from engine.procedure.registry import ProcedureCache, ProcedureVersion, latest, store
from engine.procedure.report import from_refusal
from engine.process.proof import prove


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did: the version, what it is (first, changed, redrawn, same), the report and the difference in words."""

    version: ProcedureVersion | None
    kind: str
    report: Report
    changes: tuple[Any, ...]


class NotPublishable(Refused):
    """The gate refuses the package; ``report`` names element, place and sentence of every finding."""

    def __init__(self, report: Report) -> None:
        super().__init__("procedure.refused", count=len(report.refused))
        self.report = report


def examine(package: Package) -> Report:
    """Return the one report on a package: rules, soundness, and, when they pass, the proof run on the real engine."""
    report = gate.check(package).with_findings(from_refusal(fault) for fault in outside(package))
    return report if report.refused else report.with_findings(prove(package))


def with_diagram(w: UnitOfWork, key: str, diagram: bytes) -> Package:
    """Return the newest package of a procedure with another diagram, as drawn in any BPMN editor.

    Raises:
        Refused: the procedure is unknown, or the XML cannot be read.
    """
    current = latest(w.session, w.province, key)
    if current is None:
        raise Refused("procedure.unknown", key=key)
    base = w.part(ProcedureCache).package(w, current.id)
    return replaced(base, {DIAGRAM: diagram})


def replaced(base: Package, files: Mapping[str, bytes]) -> Package:
    """Return a package with some files replaced."""
    from engine.procedure.loader import load_files

    return load_files({**base.files, **files}, base.folder)


def changes(w: UnitOfWork, package: Package) -> tuple[Any, ...]:
    """Return in words what a package changes against the newest published version."""
    last = latest(w.session, w.province, package.key)
    return tuple(difference(w.part(ProcedureCache).package(w, last.id), package)) if last is not None else ()


def publish(w: UnitOfWork, package: Package, *, effective_from: date | None = None, legal_basis: str = "") -> Published:
    """Publish a package: the next dossier takes it, those already received keep theirs.

    Raises:
        NotPublishable: the gate has findings that refuse.
        Forbidden: the actor designs no procedures.
    """
    if w.actor.kind == "person":
        acting(w).require(*DESIGNERS)
    report = examine(package)
    if not report.refused:
        report = report.with_findings(from_refusal(fault) for fault in w.part(Printer).faults(package))
    if report.refused:
        raise NotPublishable(report)
    words = changes(w, package)
    version, kind = store(w, package, effective_from=effective_from)
    if kind != "same":
        w.record(
            "procedure.published",
            None,
            key=package.key,
            version=str(version.id),
            number=version.number,
            content_hash=package.content_hash,
            drawing_hash=package.drawing_hash,
            effective_from=version.effective_from.isoformat(),
            legal_basis=legal_basis,
            kind=kind,
        )
    return Published(version, kind, report, words)


def read_upload(content: bytes, name: str, w: UnitOfWork, key: str) -> Package:
    """Return the package an upload stands for: a whole package as zip, or a diagram for an existing procedure."""
    if content[:2] == b"PK":
        return load_zip(content, name.removesuffix(".zip"))
    return with_diagram(w, key, content)
