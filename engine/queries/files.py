"""Files people brought, as pictures of their pages and as bytes, for those who may see them."""

from __future__ import annotations

from uuid import UUID

from engine.documents.blobs import BlobStore
from engine.documents.digitise import picture
from engine.documents.model import StoredFile
from engine.errors import NotFound
from engine.kernel.unit_of_work import UnitOfWork
from engine.queries.desk import file_of


def page_picture(w: UnitOfWork, file_id: UUID, number: int, *, dpi: int = 110) -> bytes:
    """Return one page (from 1) of a file as JPEG.

    Raises:
        NotFound: there is no such file or page, for this person.
    """
    stored = seen(w, file_id)
    if not 1 <= number <= max(stored.pages, 1):
        raise NotFound("web.no_picture")
    return picture(w.part(BlobStore).get(stored.sha256), stored.media_type, number - 1, dpi)


def content(w: UnitOfWork, file_id: UUID) -> tuple[StoredFile, bytes]:
    """Return a file and its bytes."""
    stored = seen(w, file_id)
    return stored, w.part(BlobStore).get(stored.sha256)


def seen(w: UnitOfWork, file_id: UUID) -> StoredFile:
    """Return a file this person may see; one not yet bound to a dossier is seen by who brought it in this session only."""
    stored, _dossier = file_of(w, file_id)
    return stored
