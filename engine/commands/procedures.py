"""Publishing procedures: one report from gate and proof run; nothing is stored unless it is clean."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.deadline.calendar_file import Calendars
from engine.deadline.functions import working_time
from engine.documents.templates import Printer, outside
from engine.errors import Refused
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.drafting import DESIGNERS
from engine.office.standing import ZONE, acting
from engine.procedure import gate, reviews
from engine.procedure.difference import difference
from engine.procedure.gate import Report
from engine.procedure.loader import load_zip
from engine.procedure.package import DIAGRAM, Package
from engine.procedure.readiness import expired, strict
from engine.procedure.registry import ProcedureCache, ProcedureVersion, latest, store
from engine.procedure.report import from_refusal
from engine.procedure.reviews import ProcedureReview
from engine.procedure.scenarios import read_scenarios
from engine.process import schema
from engine.process.proof import prove
from engine.process.rehearsal import Trial, try_all

_KEPT_REPORTS = 64
_reports: OrderedDict[tuple[str, str], Report] = OrderedDict()
_lock = threading.Lock()


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
    """Return the one report on a package: schema, rules, soundness, and, when they pass, the proof run on the real engine.

    The schema judges the file as its author wrote it, before anything is rewritten; one upload shows the findings of both.
    """
    report = gate.check(package).with_findings(from_refusal(fault) for fault in outside(package))
    if report.content_hash:  # without it the diagram could not be read at all
        report = report.with_findings(schema.broken(package.diagram))
    return report if report.refused else report.with_findings(prove(package))


def whole_report(package: Package, printer: Printer) -> Report:
    """Return everything publishing would say: gate and proof run, both languages, the drawing, and templates that cannot be printed."""
    report = examine(package)
    if not report.content_hash:  # nothing is drawn that could be judged
        return report
    report = strict(report.with_findings(gate.drawing(package)))
    return report if report.refused else report.with_findings(from_refusal(fault) for fault in printer.faults(package))


def report_on(w: UnitOfWork, package: Package) -> Report:
    """Return the whole report, law that is no longer in force today included; a package examined a moment ago is not examined again."""
    identity = (package.content_hash, package.drawing_hash)
    with _lock:
        known = _reports.get(identity)
    if known is None:
        known = whole_report(package, w.part(Printer))
        with _lock:
            _reports[identity] = known
            while len(_reports) > _KEPT_REPORTS:
                _reports.popitem(last=False)
    return known.with_findings(expired(package, w.now.astimezone(ZONE).date()))


def known_report(package: Package) -> Report | None:
    """Return the whole report if the package was examined a moment ago, else nothing: a page need not wait for it."""
    with _lock:
        return _reports.get((package.content_hash, package.drawing_hash))


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


def trial(w: UnitOfWork, package: Package) -> Trial:
    """Play the scenarios of a package under the office's calendar.

    Raises:
        Refused: the package cannot be run at all.
    """
    calendar = w.part(Calendars).of()
    return try_all(package, lambda now: working_time(calendar, now))


def second_person(w: UnitOfWork, package: Package) -> ProcedureReview | None:
    """Let only somebody else than the one who put a package forward go on; the command line acts for the installation itself.

    Raises:
        Forbidden: the actor designs no procedures.
        Refused: nobody has put it forward, or it is the actor's own.
    """
    if w.actor.kind != "person":
        return reviews.find(w.session, w.province, package, lock=True)
    acting(w).require(*DESIGNERS)
    review = reviews.find(w.session, w.province, package, lock=True)
    if review is None or review.state != reviews.WAITING:
        raise Refused("procedure.not_put_forward")
    if review.submitted_by_id == w.actor.person:
        raise Refused("procedure.own_proposal")
    return review


def reject(w: UnitOfWork, package: Package, reason: str) -> None:
    """Send a proposal back to whoever put it forward.

    Raises:
        Refused: at the field: no reason; or it is the actor's own.
    """
    if not reason.strip():
        raise Refused("task.reason_missing", field="reason")
    review = second_person(w, package)
    if review is not None:
        review.state, review.decided_by_id, review.decided_at = reviews.REJECTED, w.actor.person, w.now
        review.reason = reason.strip()[:2000]
        w.record("procedure.rejected", None, key=package.key, content_hash=package.content_hash)


def readiness(w: UnitOfWork, package: Package, on: date | None = None) -> Report:
    """Return the one list of everything that keeps a package from being put in force, on the day *on* or today.

    The gate and the proof run, both languages, the drawing, the templates, law out of force, scenarios that fail, flows nobody walks.
    """
    report = report_on(w, package)
    if on is not None:
        report = report.with_findings(expired(package, on))
    try:
        return report.with_findings(trial(w, package).faults)
    except Refused:
        return report  # what cannot be run has been said by the gate


def publish(w: UnitOfWork, package: Package, *, effective_from: date | None = None, legal_basis: str = "") -> Published:
    """Publish a package: the next dossier takes it, those already received keep theirs.

    Whoever publishes is not who put it forward. Every scenario goes as written, and every flow is walked by one or waived with a reason.

    Raises:
        NotPublishable: something stands against it; ``report`` is the whole list.
        Forbidden: the actor designs no procedures.
        Refused: it is the actor's own proposal.
    """
    review = second_person(w, package)
    report = readiness(w, package, effective_from)
    if report.refused:
        raise NotPublishable(report)
    if review is not None:
        review.state, review.decided_by_id, review.decided_at = reviews.PUBLISHED, w.actor.person, w.now
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
            put_forward_by=str(review.submitted_by_id) if review is not None else "",
            waived=len(read_scenarios(package).waivers),
        )
    return Published(version, kind, report, words)


def read_upload(content: bytes, name: str, w: UnitOfWork, key: str) -> Package:
    """Return the package an upload stands for: a whole package as zip, or a diagram for an existing procedure."""
    if content[:2] == b"PK":
        return load_zip(content, name.removesuffix(".zip"))
    return with_diagram(w, key, content)
