"""Comparing: the versions and drafts of a procedure that may stand beside each other, and what one changes against the other."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from engine.errors import NotFound
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.drafting import designer, files_of
from engine.procedure.comparison import Comparison, comparison
from engine.procedure.drafts import ProcedureDraft
from engine.procedure.loader import load_files
from engine.procedure.package import Package
from engine.procedure.registry import ProcedureCache, ProcedureVersion, versions


@dataclass(frozen=True, slots=True)
class Side:
    """What can be compared: a published version, or a draft as it stands."""

    id: UUID
    version: ProcedureVersion | None = None
    draft: ProcedureDraft | None = None


def sides(w: UnitOfWork, key: str) -> list[Side]:
    """Return the drafts worked on and the versions of a procedure, the newest first.

    Raises:
        Forbidden: the actor designs no procedures.
        NotFound: there is neither.
    """
    designer(w)
    open_drafts = w.session.scalars(
        select(ProcedureDraft)
        .where(ProcedureDraft.province == w.province, ProcedureDraft.key == key, ProcedureDraft.state != "discarded")
        .order_by(ProcedureDraft.updated_at.desc())
    )
    found = [
        *(Side(one.id, draft=one) for one in open_drafts),
        *(Side(one.id, version=one) for one in versions(w.session, w.province, key)),
    ]
    if not found:
        raise NotFound("procedure.unknown", key=key)
    return found


def compared(w: UnitOfWork, key: str, old: UUID, new: UUID) -> Comparison:
    """Return what one version or draft of a procedure changes against another.

    Raises:
        NotFound: one of them is neither version nor draft of this procedure.
        Refused: a draft makes no package that can be read.
    """
    known = {side.id: side for side in sides(w, key)}
    if old not in known or new not in known:
        raise NotFound("procedure.unknown", key=key)
    return comparison(_package(w, known[old]), _package(w, known[new]))


def _package(w: UnitOfWork, side: Side) -> Package:
    if side.draft is not None:
        return load_files(files_of(w, side.draft), side.draft.key)
    return w.part(ProcedureCache).package(w, side.id)
