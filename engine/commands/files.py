"""Files people bring: looked at before the transaction, kept by content, bound to a component of a dossier."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from engine.documents.blobs import BlobStore
from engine.documents.model import StoredFile
from engine.errors import NotFound, Refused
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.intake import waiting as waiting
from signing import intake
from signing.errors import SigningError


@dataclass(frozen=True, slots=True)
class Examined:
    """An upload the intake has let through: its bytes (photos re-encoded), its kind and what was found."""

    content: bytes
    name: str
    media_type: str
    pages: int
    signed: bool
    findings: Json


MEDIA = {"pdf": "application/pdf", "jpeg": "image/jpeg", "png": "image/png"}


def examine(content: bytes, name: str, *, safe_copy: bool = False, field: str | None = None) -> Examined:
    """Look at an upload in a child process with limits; no transaction is open meanwhile.

    With *safe_copy* a PDF that carries active content is rewritten without it instead of being refused.

    Raises:
        Refused: the file is empty, too large, encrypted, not a PDF or photo, a bomb, active, damaged.
    """
    found = None
    try:
        found = intake.inspect(content, name)
        if safe_copy and not found.accepted and found.safe_copy_possible:
            found = intake.inspect(intake.safe_copy(content), name)
        found.require()
    except SigningError as refused:
        facts: Json = dict(refused.facts)
        if refused.code == "file.pdf_active" and found is not None and found.safe_copy_possible:
            facts["safe_copy"] = True
        raise Refused(refused.code, field=field, **facts) from None
    assert found.kind is not None
    return Examined(
        found.content, found.name, MEDIA[found.kind], max(found.pages, 1), found.signatures > 0, {"signatures": found.signatures}
    )


def keep(w: UnitOfWork, upload: Examined, *, component: str | None, upload_key: str = "", dossier_id: UUID | None = None) -> StoredFile:
    """Keep an examined upload; until reception it belongs to *upload_key*, the draft at the counter.

    Raises:
        Refused: ``storage.full``.
    """
    sha256 = w.part(BlobStore).put(upload.content)
    stored = StoredFile(
        province=w.province,
        dossier_id=dossier_id,
        component=component,
        sha256=sha256,
        size=len(upload.content),
        media_type=upload.media_type,
        name=upload.name,
        pages=upload.pages,
        signed=upload.signed,
        uploaded_at=w.now,
        uploaded_by=w.actor.kind,
        upload_key=upload_key,
        findings=upload.findings,
    )
    w.session.add(stored)
    w.session.flush()
    w.record("file.kept", dossier_id, file=str(stored.id), sha256=sha256, size=stored.size, pages=stored.pages)
    return stored


def discard(w: UnitOfWork, upload_key: str, file_id: UUID) -> None:
    """Take a file out of a draft.

    Raises:
        NotFound: it is not in this draft, or already bound.
    """
    for stored in waiting(w, upload_key):
        if stored.id == file_id:
            w.session.delete(stored)
            w.record("file.discarded", None, file=str(file_id))
            return
    raise NotFound("file.not_found")
