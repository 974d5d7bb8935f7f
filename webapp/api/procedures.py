"""Procedures: what is in force, what a reception needs, the diagram, and new versions from upload to publication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, request

from engine.commands import procedures as commands
from engine.commands import proposals
from engine.queries import comparing, designing
from engine.queries import procedures as queries
from engine.runtime import UnitOfWork
from webapp.api.routes import download, route
from webapp.transaction import work

TAG = "procedures"


@dataclass(frozen=True)
class Procedure:
    """A procedure in force."""

    key: str
    code: str
    scope: str
    name: dict[str, str]
    version: int
    version_id: UUID
    effective_from: date
    running: int


@dataclass(frozen=True)
class Choice:
    """One answer to choose from."""

    value: str
    label: dict[str, str]


@dataclass(frozen=True)
class FormField:
    """One field of a form; `kind` is text, textarea, number, select, radio, checklist, checkbox, date or file."""

    key: str
    kind: str
    label: dict[str, str]
    required: bool
    options: Sequence[Choice]
    default: Any


@dataclass(frozen=True)
class ComponentWanted:
    """A paper the owner hands in; `required` is a truth value or a FEEL condition."""

    key: str
    name: dict[str, str]
    form: str
    required: Any
    upload: bool
    legal_basis: str


@dataclass(frozen=True)
class OutlineLine:
    """One step of a procedure in words."""

    number: str
    depth: int
    id: str
    kind: str
    sentence: dict[str, str]


@dataclass(frozen=True)
class VersionFacts:
    """One published version; `standing` is in_force, upcoming or past."""

    id: UUID
    number: int
    drawing_number: int
    effective_from: date
    standing: str
    published_by: str
    content_hash: str
    dossiers: int
    running: int
    late: int


@dataclass(frozen=True)
class ProcedureDetail:
    """A procedure with papers, start form, term and its diagram in words."""

    key: str
    code: str
    scope: str
    name: dict[str, str]
    version: int
    effective_from: date
    term: dict[str, Any]
    components: Sequence[ComponentWanted]
    form: Sequence[FormField]
    outline: Sequence[OutlineLine]


@dataclass(frozen=True)
class Scope:
    """Which procedures: `public`, `internal`, or all."""

    scope: str = ""


def words(text: Any) -> dict[str, str]:
    """Return a text in both languages."""
    return {"vi": getattr(text, "vi", "") or "", "en": getattr(text, "en", "") or ""}


def fields_of(form: Any) -> list[FormField]:
    """Return the fields of a form; none when there is no form."""
    return [
        FormField(f.key, f.kind, words(f.label), f.required, [Choice(o.value, words(o.label)) for o in f.options], f.default)
        for f in (form.fields if form is not None else ())
    ]


@route("GET", "/procedures", "Procedures in force today", tag=TAG, answer=Sequence[Procedure], query=Scope)
def procedures(w: UnitOfWork, query: Scope) -> list[Procedure]:
    """Return the procedures in force today."""
    return [
        Procedure(v.key, v.code, v.scope, {"vi": v.name_vi, "en": v.name_en}, v.number, v.id, v.effective_from, row.running or 0)
        for row in queries.in_force(w, query.scope or None, counted=True)
        for v in (row.version,)
    ]


@route("GET", "/procedures/<key>", "One procedure: papers, start form, term, the diagram in words", tag=TAG, answer=ProcedureDetail)
def procedure(w: UnitOfWork, key: str) -> ProcedureDetail:
    """Return one procedure in force."""
    version, package = queries.current(w, key)
    rule = package.term
    return ProcedureDetail(
        version.key,
        version.code,
        version.scope,
        words(package.name),
        version.number,
        version.effective_from,
        {"amount": rule.amount, "unit": rule.unit, "counting": rule.counting, "legal_basis": rule.legal_basis},
        [ComponentWanted(c.key, words(c.name), c.form, c.required, c.upload, c.legal_basis) for c in package.components],
        fields_of(package.form(package.start_form) if package.start_form else None),
        outline_of(package),
    )


def outline_of(package: Any) -> list[OutlineLine]:
    """Return a package's diagram in words."""
    return [OutlineLine(e.number, e.depth, e.id, e.kind, dict(e.sentence)) for e in designing.words(package)]


@route("GET", "/procedures/<key>/versions", "Every version and how its dossiers fare", tag=TAG, answer=Sequence[VersionFacts])
def versions(w: UnitOfWork, key: str) -> list[VersionFacts]:
    """Return every version of a procedure, newest first."""
    return [
        VersionFacts(
            v.id, v.number, v.drawing_number, v.effective_from, line.standing, line.published_by, v.content_hash,
            line.fate.dossiers, line.fate.running, line.fate.late,
        )
        for line in designing.version_lines(w, key)
        for v in (line.version,)
    ]  # fmt: skip


@route("GET", "/procedures/<key>/diagram", "The diagram in force, as drawn (BPMN 2.0)", tag=TAG, media="application/xml")
def procedure_diagram(w: UnitOfWork, key: str) -> Response:
    """Send the diagram in force."""
    _version, package = queries.current(w, key)
    return download(designing.diagram(package), f"{key}.bpmn", "application/xml")


@route("GET", "/procedures/<key>/package", "The package in force, whole", tag=TAG, media="application/zip")
def procedure_package(w: UnitOfWork, key: str) -> Response:
    """Send the package in force."""
    _version, package = queries.current(w, key)
    return download(designing.archive(package), f"{key}.zip", "application/zip")


@dataclass(frozen=True)
class Compared:
    """Two versions or drafts of a procedure, by their identifiers."""

    old: UUID
    new: UUID


@dataclass(frozen=True)
class Change:
    """One difference in words."""

    kind: str
    element: str
    vi: str
    en: str


@dataclass(frozen=True)
class Difference(Change):
    """One difference in words, with its elements in both diagrams; `mark` is moved, added, removed, changed or empty."""

    mark: str
    before: Sequence[str]
    after: Sequence[str]


@route("GET", "/procedures/<key>/difference", "What one version or draft changes against another", tag=TAG, answer=Sequence[Difference],
       query=Compared)  # fmt: skip
def difference(w: UnitOfWork, key: str, query: Compared) -> list[Difference]:
    """Return in words what one version or draft changes against another, work that moved to another lane first."""
    told = comparing.compared(w, key, query.old, query.new).told
    return [Difference(t.change.kind, t.change.element, t.change.vi, t.change.en, t.mark, t.before, t.after) for t in told]


@dataclass(frozen=True)
class Upload:
    """For which procedure a diagram is meant; empty with a whole package."""

    key: str = ""


@dataclass(frozen=True)
class ProposalReport:
    """What the gate says about an upload; `reference` is what publication asks for."""

    reference: str
    key: str
    kind: str
    passed: bool
    report: dict[str, Any]
    changes: Sequence[Change]
    outline: Sequence[OutlineLine]


@dataclass(frozen=True)
class Supplied:
    """A package delivered with the system."""

    key: str
    code: str
    name: dict[str, str]


@route("POST", "/procedures/examination", "Examine a diagram or a package: findings, differences", tag=TAG, answer=ProposalReport,
       body=Upload, files=("file",), transaction=False, pure=True)  # fmt: skip
def examine_procedure(body: Upload) -> ProposalReport:
    """Examine an upload; a refused one is answered too, with ``passed`` false and every finding."""
    sent = request.files.get("file")
    with work() as w:
        found = proposals.propose(w, body.key, sent.read() if sent else b"", (sent.filename or "") if sent else "")
        return reported(w, found, body.key)


@route("GET", "/procedures/supplied", "Packages delivered with the system and not yet published", tag=TAG, answer=Sequence[Supplied])
def supplied_procedures(w: UnitOfWork) -> list[Supplied]:
    """Return what can be put forward without an upload."""
    return [Supplied(one.key, one.code, {"vi": one.name.vi, "en": one.name.en}) for one in proposals.supplied(w)]


@route("POST", "/procedures/supplied/<key>", "Put a delivered package forward for publication", tag=TAG, answer=ProposalReport)
def propose_supplied(w: UnitOfWork, key: str) -> ProposalReport:
    """Examine a delivered package as if it had been uploaded."""
    return reported(w, proposals.propose_supplied(w, key), key)


def reported(w: UnitOfWork, found: proposals.Proposal, key: str) -> ProposalReport:
    """Return a proposal for programs, with everything that stands against publishing it: scenarios and flows included."""
    package, report = found.package, proposals.put_in_force(w, found)
    return ProposalReport(
        found.reference,
        package.key if package is not None else key,
        found.kind,
        report.passed,
        report.as_json(),
        [Change(c.kind, c.element, c.vi, c.en) for c in found.changes],
        outline_of(package) if package is not None and found.report.passed else [],
    )


@dataclass(frozen=True)
class Publication:
    """What is published, from which day, decided by which act."""

    reference: str
    legal_basis: str
    effective_from: date | None = None


@dataclass(frozen=True)
class PublishedVersion:
    """The version in force from its day on; `kind` is first, changed, redrawn or same."""

    id: UUID
    key: str
    number: int
    kind: str
    effective_from: date
    changes: Sequence[Change]


@route("POST", "/procedures/publication", "Publish an examined package from a day on", tag=TAG, answer=PublishedVersion, body=Publication,
       status=201)  # fmt: skip
def publish_procedure(w: UnitOfWork, body: Publication) -> PublishedVersion:
    """Publish: the next dossier takes the version, those already received keep theirs."""
    found = proposals.proposal(w, body.reference)
    assert found.package is not None
    done = commands.publish(w, found.package, effective_from=body.effective_from, legal_basis=body.legal_basis)
    assert done.version is not None
    changes = [Change(c.kind, c.element, c.vi, c.en) for c in done.changes]
    return PublishedVersion(done.version.id, done.version.key, done.version.number, done.kind, done.version.effective_from, changes)


@dataclass(frozen=True)
class Rejection:
    """A proposal and why it goes back."""

    reference: str
    reason: str


@route("POST", "/procedures/rejection", "Send a proposal back with a reason", tag=TAG, body=Rejection)
def reject_procedure(w: UnitOfWork, body: Rejection) -> None:
    """Send a proposal back to whoever put it forward."""
    found = proposals.proposal(w, body.reference)
    assert found.package is not None
    commands.reject(w, found.package, body.reason)
