"""Moving a signature on its page: what is moved is prepared anew and shown again before it can be approved."""

from __future__ import annotations

from uuid import UUID

from engine.commands import signatures
from engine.documents.blobs import BlobStore
from engine.documents.model import SignatureRequest
from engine.documents.signature import translated
from engine.errors import Refused
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import papers, placing
from engine.office.flow import lock
from engine.office.standing import acting
from engine.process.model import Task
from signing.errors import SigningError
from signing.placement import Shift, corner, judge, page_size


def place(w: UnitOfWork, task_id: UUID, x_mm: float, y_mm: float) -> signatures.PreparedRow:
    """Put the actor's signature so that its upper left corner is *x_mm* from the left and *y_mm* from the upper edge of its page.

    The place is remembered, as the way from the template's own, for every document of this template that the actor signs.

    Raises:
        Refused: the place is off the page, covers what is printed there, or is for number and date; nothing is changed.
        Conflict: the document has been approved and is being signed.
    """
    row, request = prepared(w, task_id)
    document = papers.document_of(w, request.document_id, lock=True)
    fields = placing.at_template(document, request.basis)
    own = placing.standing(fields)
    if own is None:
        raise Refused("document.no_signature_place")
    pdf = w.part(BlobStore).get(request.shown)
    x, y = corner(own.image, page_size(pdf, own.image.page)[1])
    shift = Shift(round((x_mm - x) * 10), round((y_mm - y) * 10))
    if shift:
        try:
            judge(pdf, own.moved(shift), placing.kept_free(fields))
        except SigningError as refused:
            raise translated(refused, field="place") from None
    return keep(w, task_id, row, shift)


def reset(w: UnitOfWork, task_id: UUID) -> signatures.PreparedRow:
    """Put the actor's signature back where the template has it, and forget what was chosen."""
    row, _ = prepared(w, task_id)
    return keep(w, task_id, row, Shift())


def prepared(w: UnitOfWork, task_id: UUID) -> tuple[signatures.PreparedRow, SignatureRequest]:
    """Return the actor's living preparation of a step; who may not sign it may not move anything on it either."""
    row = signatures.prepare_one(w, task_id)
    request = w.session.get(SignatureRequest, (w.province, row.request_id))
    assert request is not None
    return row, request


def keep(w: UnitOfWork, task_id: UUID, row: signatures.PreparedRow, shift: Shift) -> signatures.PreparedRow:
    """Remember a place and prepare the document with it; the preparation made for another place is over."""
    person, task = acting(w).person_id, w.session.get(Task, (w.province, task_id))
    assert task is not None
    run = lock(w, dossier_id=task.dossier_id)
    document = papers.document_of(w, row.document_id or UUID(int=0))
    if placing.remembered(w, person, run.package.key, document.key) == shift:
        return row
    placing.remember(w, person, run.package.key, document.key, shift)
    w.record("signature.placed", run.dossier.id, document=str(document.id), right=shift.right, down=shift.down)
    return signatures.prepare_one(w, task_id)
