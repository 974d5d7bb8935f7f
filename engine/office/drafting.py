"""What commands and screens of the designer share: who may design, and the files of a draft."""

from __future__ import annotations

from sqlalchemy import select

from engine.documents.blobs import BlobStore
from engine.errors import Forbidden, NotFound
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.standing import acting
from engine.procedure.drafts import ProcedureDraft, ProcedureDraftSave, unpacked

DESIGNERS = ("procedure_designer", "procedure_approver", "procedure_controller")


def designer(w: UnitOfWork) -> None:
    """Let only designers go on.

    Raises:
        Forbidden: the actor designs no procedures.
    """
    if w.actor.kind == "person":
        acting(w).require(*DESIGNERS)
    elif w.actor.kind not in ("cli", "system"):
        raise Forbidden("organisation.no_such_role", roles=", ".join(DESIGNERS))


def files_of(w: UnitOfWork, draft: ProcedureDraft) -> dict[str, bytes]:
    """Return the files of the last save."""
    return unpacked(w.part(BlobStore).get(draft.content))


def files_at(w: UnitOfWork, draft: ProcedureDraft, number: int) -> dict[str, bytes]:
    """Return the files of an earlier save.

    Raises:
        NotFound: it is no longer kept.
    """
    content = w.session.scalar(
        select(ProcedureDraftSave.content).where(
            ProcedureDraftSave.province == w.province, ProcedureDraftSave.draft_id == draft.id, ProcedureDraftSave.number == number
        )
    )
    if content is None:
        raise NotFound("draft.save_gone", number=number)
    return unpacked(w.part(BlobStore).get(content))
