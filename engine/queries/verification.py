"""The verdict on a document, open to anyone: the report of the signatures, and what the office itself knows of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import and_, select

from engine.documents.blobs import BlobStore
from engine.documents.model import Document, DocumentRevision, SignatureRequest
from engine.documents.signature import SigningOffice, translated
from engine.errors import NotFound
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.attachments import attached
from signing.errors import SigningError
from signing.etsi import to_xml
from signing.report import Report
from signing.verify import page_count, page_picture

T = TypeVar("T")
VALID, INSUFFICIENT, INVALID = "valid", "insufficient", "invalid"


class Installation(Protocol):
    """What a verdict needs of the installation outside any transaction."""

    def part(self, kind: type[T]) -> T:
        """Return a part by its type."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What the office knows of a file: is it the newest state of a document of ours, by whom and in which capacity."""

    ours: bool
    newest: bool
    revision: str
    name: Json
    number: int | None
    symbol: str
    issued_on: Any
    public_id: str
    capacities: Sequence[Json]
    attached: Json | None = None
    """Of an annex or a copy: the document it belongs to, or the form of copy and what was copied."""


UNKNOWN = Known(False, False, "", {}, None, "", None, "", ())


def judge(installation: Installation, pdf: bytes, now: datetime) -> Json:
    """Return the report on a file (JSON of the signing package); it runs in a child process, no transaction is open."""
    return installation.part(SigningOffice).verifier(pdf, now)


def etsi(report: Json) -> bytes:
    """Return a report as ETSI TS 119 102-2 XML."""
    return to_xml(Report.from_json(report))


def known(w: UnitOfWork, pdf: bytes) -> Known:
    """Return what the office knows of these very bytes; a file changed by one byte is not known."""
    sha256 = hashlib.sha256(pdf).hexdigest()
    row = w.session.execute(
        select(Document, DocumentRevision)
        .join(DocumentRevision, and_(DocumentRevision.province == Document.province, DocumentRevision.document_id == Document.id))
        .where(Document.province == w.province, DocumentRevision.sha256 == sha256)
        .order_by(DocumentRevision.at.desc())
        .limit(1)
    ).first()
    if row is None:
        return UNKNOWN
    document, revision = row
    return Known(
        True,
        document.state == "issued" and _newest(document, revision),
        revision.kind,
        document.name,
        document.number,
        document.symbol or "",
        document.issued_on,
        document.public_id if document.state == "issued" else "",
        capacities(w, document),
        attached(document),
    )


def _newest(document: Document, revision: DocumentRevision) -> bool:
    """Whether nothing but evidence was added after *revision*: who holds the sealed file holds the document."""
    return all(one.kind == "preserved" for one in document.revisions if one.position > revision.position)


def capacities(w: UnitOfWork, document: Document) -> list[Json]:
    """Return in which capacity each signature was made, and by which appointment or delegation."""
    return [
        {"kind": r.kind, "capacity": r.capacity or "", "title": r.basis.get("title", ""), "delegated": bool(r.basis.get("delegation"))}
        for r in w.session.scalars(
            select(SignatureRequest)
            .where(
                SignatureRequest.province == w.province, SignatureRequest.document_id == document.id, SignatureRequest.state == "embedded"
            )
            .order_by(SignatureRequest.finished_at)
        )
    ]


def issued(w: UnitOfWork, public_id: str) -> bytes:
    """Return the issued bytes behind the code printed on a document, to be judged; they are not shown.

    Raises:
        NotFound: there is no such document.
    """
    document = w.session.scalars(
        select(Document).where(Document.province == w.province, Document.public_id == public_id.strip().upper(), Document.state == "issued")
    ).one_or_none()
    if document is None or document.sha256 is None:
        raise NotFound("document.not_found")
    return w.part(BlobStore).get(document.sha256)


@dataclass(frozen=True, slots=True)
class Compared:
    """One page as it looked when a field was signed, beside how it looks in the whole file; *page* counts from 1."""

    field: str
    page: int
    then: bytes
    now: bytes


def compared(pdf: bytes, report: Json, limit: int = 12, most: int = 4) -> list[Compared]:
    """Return the pages that have looked different since each signature: what was signed, and what changed later; at most *most*."""
    found: list[Compared] = []
    whole = pictures(pdf, limit)
    for signature in report["signatures"]:
        if not 0 < signature["revision_end"] < len(pdf):
            continue
        signed = pictures(pdf[: signature["revision_end"]], limit)
        pairs = enumerate(zip(signed, whole, strict=False), start=1)
        found += [Compared(signature["field"], page, then, now) for page, (then, now) in pairs if then != now]
    return found[:most]


def pictures(pdf: bytes, limit: int = 6) -> list[bytes]:
    """Return the first pages as pictures (PNG) for the person who holds the file, drawn in the limited child: anybody may send anything.

    Raises:
        Refused: ``file.unreadable``.
    """
    try:
        return [page_picture(pdf, n, 60) for n in range(min(page_count(pdf), limit))]
    except SigningError as refused:
        raise translated(refused) from None
