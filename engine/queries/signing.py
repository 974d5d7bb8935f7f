"""The signing room and the clerk's desk: what waits for a signature, what differs from the template, the pages, the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from engine.documents.blobs import BlobStore
from engine.documents.digitise import page_count, picture
from engine.documents.model import Document, DocumentRevision
from engine.errors import NotFound, Refused
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import attachments, papers, results, steps
from engine.office.flow import lock
from engine.office.standing import acting
from engine.queries import desk, inbox, registers
from engine.queries.inbox import InboxPage


@dataclass(frozen=True, slots=True)
class Difference:
    """A free text of a document that is not as its template has it."""

    key: str
    template: str
    document: str


@dataclass(frozen=True, slots=True)
class AttachmentLine:
    """What the agency's line on an annex or a copy will say; *awaits* names the document that must be issued first."""

    texts: Sequence[str]
    awaits: str = ""


@dataclass(frozen=True, slots=True)
class SigningPage:
    """One document before its signature."""

    desk: desk.Desk
    document: Document
    pages: int
    differences: Sequence[Difference]
    revisions: Sequence[DocumentRevision]
    drafted_by: str
    key_until: Any
    history: Sequence[Any]
    register_name: Json
    line: AttachmentLine | None = None
    attached: Json | None = None


def waiting(w: UnitOfWork, *, search: str = "", number: int = 1, size: int = 25) -> InboxPage:
    """Return the documents waiting for the actor's signature, most urgent first."""
    return inbox.page(w, actions=("sign",), search=search, number=number, size=size)


def to_issue(w: UnitOfWork, *, search: str = "", number: int = 1, size: int = 25) -> InboxPage:
    """Return the documents waiting for number, date and seal."""
    return inbox.page(w, actions=("issue",), search=search, number=number, size=size)


def page(w: UnitOfWork, task_id: UUID) -> SigningPage:
    """Return one document with everything a signer looks at before signing."""
    from engine.office.keys import key_of_agency, key_of_person
    from engine.queries.dossiers import history

    seen = desk.page(w, task_id)
    run = lock(w, dossier_id=seen.task.dossier_id)
    states: tuple[str, ...] = ("draft",) if seen.task.action == "sign" else ("signed", "numbered", "issued")
    spec = next((d for d in run.package.documents if d.key == seen.task.properties.get("document")), None)
    line: AttachmentLine | None = None
    if spec is not None and spec.agency_only:
        states = ("draft", "issued")
    if seen.task.state != "open":
        states = ("draft", "signed", "numbered", "issued")
    document = results.document_for_task(run, seen.task.properties, *states)
    try:
        key = key_of_person(w, acting(w).person_id) if seen.task.action == "sign" else key_of_agency(w, document.unit_id)
        until = key.valid_to
    except Refused:
        until = None
    if spec is not None and spec.agency_only and document.state == "draft":
        line = _line(run, document)
    content = w.part(BlobStore).get(document.sha256 or "")
    return SigningPage(
        seen,
        document,
        page_count(content, "application/pdf"),
        differences(w, run, document),
        document.revisions,
        papers.person_name(w, document.drafted_by_id),
        until,
        history(w, run.dossier.id),
        registers.names(w).get(document.register or "", {}),
        line,
        attachments.attached(document),
    )


def _line(run: Any, document: Document) -> AttachmentLine:
    """Return what will stand top right on an annex or copy that waits for the agency's signature."""
    try:
        lines, _ = attachments.said_on(run, document)
    except Refused as refused:
        return AttachmentLine((), str(refused.facts.get("document", "")))
    return AttachmentLine(tuple(lines))


def differences(w: UnitOfWork, run: Any, document: Document) -> list[Difference]:
    """Return which free texts of a document differ from the template's own."""
    printed = results.print_result(run, document, None)
    return [Difference(t.key, t.default, t.value) for t in printed.differences]


def page_picture(w: UnitOfWork, document_id: UUID, number: int, *, sha256: str | None = None, dpi: int = 96) -> bytes:
    """Return one page (from 1) of a document's newest bytes, or of the revision shown before signing, as JPEG.

    Raises:
        NotFound: no such page, document or revision, for this person.
    """
    document, _ = desk.document_for(w, document_id)
    known = {r.sha256 for r in document.revisions}
    if sha256 is not None and sha256 not in known:
        raise NotFound("document.not_found")
    try:
        return picture(w.part(BlobStore).get(sha256 or document.sha256 or ""), "application/pdf", number - 1, dpi)
    except IndexError:
        raise NotFound("document.page_not_found") from None


def bytes_of(w: UnitOfWork, document_id: UUID) -> tuple[Document, bytes]:
    """Return a document's newest bytes to somebody of the office."""
    document, _ = desk.document_for(w, document_id)
    return document, w.part(BlobStore).get(document.sha256 or "")


def task_of(w: UnitOfWork, task_id: UUID) -> Json:
    """Return the few facts of a task a batch page needs."""
    task = steps.find(w, task_id)
    return {"id": str(task.id), "name": task.name, "state": task.state}
