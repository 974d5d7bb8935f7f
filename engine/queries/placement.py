"""Where the visible signatures of a document stand, in millimetres from the upper left corner of their page."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from engine.documents.blobs import BlobStore
from engine.documents.model import Document
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import papers, placing
from engine.queries.ceremony import request_of
from signing.model import MM, Box
from signing.placement import Room, corner, page_size, room


@dataclass(frozen=True, slots=True)
class Spot:
    """A rectangle on a page, in millimetres."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where signature and seal stand, where the template has the signature, and where it may be put.

    ``page`` counts from 1. ``why`` with its ``facts`` says why the signer's own place was not taken in this document.
    """

    page: int
    width: float
    height: float
    signature: Spot
    seal: Spot | None
    template: Spot
    room: Room
    right: float
    down: float
    why: str
    facts: Json

    @property
    def moved(self) -> bool:
        """Does the signature stand elsewhere than its template has it?"""
        return bool(self.right or self.down)


def of_request(w: UnitOfWork, request_id: UUID) -> Place | None:
    """Return where the signature of one of the actor's own preparations stands; None when it is invisible."""
    request = request_of(w, request_id)
    document = papers.document_of(w, request.document_id)
    return read(w, document, request.basis, request.prepared)


def of_document(w: UnitOfWork, document: Document) -> Place | None:
    """Return where signature and seal stand in a document that has been signed."""
    return read(w, document, {}, document.sha256 or "")


def read(w: UnitOfWork, document: Document, basis: Json, sha256: str) -> Place | None:
    """Return the place told by a document's fields and what its preparation kept."""
    now, own = placing.standing(document.fields), placing.standing(placing.at_template(document, basis))
    if now is None or own is None:
        return None
    width, height = page_size(w.part(BlobStore).get(sha256), now.image.page)
    way, told = placing.given(basis), basis.get("place", {})
    return Place(
        now.image.page + 1,
        round(width / MM, 1),
        round(height / MM, 1),
        spot(now.image, height),
        spot(now.seal, height) if now.seal is not None else None,
        spot(own.image, height),
        room(now, width, height),
        way.right / 10,
        way.down / 10,
        str(told.get("why", "")),
        dict(told.get("facts") or {}),
    )


def spot(box: Box, page_height: float) -> Spot:
    """Return a box in millimetres from the upper left corner of its page."""
    x, y = corner(box, page_height)
    return Spot(x, y, round(box.width / MM, 1), round(box.height / MM, 1))
