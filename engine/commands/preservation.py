"""Issued documents are made to last: an hour after the seal, and again before the newest time stamp's authority ends.

The hour is there so that the evidence is newer than the signature it speaks of. The network is asked between two transactions; whoever
changed the document meanwhile wins, and the attempt is made anew.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from engine.documents.blobs import BlobStore
from engine.documents.model import Document
from engine.documents.preservation import Preserved
from engine.kernel import due
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow, papers

GRACE, AGAIN = timedelta(hours=1), timedelta(hours=6)
KIND = due.PRESERVE


def plan(w: UnitOfWork, document: Document) -> None:
    """Let an issued document be made to last."""
    assert document.dossier_id is not None
    due.put(w.session, w.province, document.dossier_id, KIND, str(document.id), w.now + GRACE)


def waiting(w: UnitOfWork, due_id: UUID) -> tuple[str, bytes] | None:
    """Return hash and bytes of the document a row is about, None when nothing is to be done any more."""
    row = due.find(w.session, w.province, due_id)
    document = w.session.get(Document, (w.province, UUID(row.ref))) if row is not None else None
    if row is None or document is None or document.state != "issued" or document.sha256 is None:
        return None
    return document.sha256, w.part(BlobStore).get(document.sha256)


def keep(w: UnitOfWork, due_id: UUID, sha256: str, made: Preserved) -> bool:
    """Put the lasting document in its place and say when it is to be renewed; False when somebody was faster."""
    row = due.find(w.session, w.province, due_id)
    if row is None:
        return False
    run = flow.lock(w, dossier_id=row.dossier)
    taken = due.take(w.session, w.province, due_id, w.now)
    if taken is None:
        return False
    document = papers.document_of(w, UUID(taken.ref), lock=True)
    if document.sha256 != sha256:
        due.again(w.session, w.province, due_id)
        return False
    if not made.missing:
        papers.store(w, document, made.pdf, "preserved", None)
    renew_at = made.renew_at if made.renew_at and not made.missing and made.renew_at > w.now else w.now + AGAIN
    due.put(w.session, w.province, run.dossier.id, KIND, str(document.id), renew_at)
    facts = {"level": made.level, "until": flow.iso(made.until) if made.until else "", "missing": made.missing, "sha256": document.sha256}
    w.record("document.preserved", run.dossier.id, document=str(document.id), **facts)
    return True
