"""The designer's workspace: drafts with their owners, one draft with its files and its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from engine.errors import NotFound
from engine.kernel.search import fold
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.drafting import designer, files_of
from engine.organisation.model import Person
from engine.procedure.drafts import ProcedureDraft, ProcedureDraftSave
from engine.procedure.registry import ProcedureVersion

SHOWN = 200


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A draft in the workspace."""

    draft: ProcedureDraft
    owner: str
    updated_by: str
    base: ProcedureVersion | None


@dataclass(frozen=True, slots=True)
class Save:
    """One save in a draft's history."""

    number: int
    saved_at: datetime
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class DraftPage:
    """One draft: its line, its files, its saves (the latest first)."""

    line: DraftLine
    files: dict[str, bytes]
    saves: Sequence[Save]


def workspace(w: UnitOfWork, *, text: str = "", mine: bool = False, state: str = "draft") -> list[DraftLine]:
    """Return the drafts of one state, the latest first; *text* is looked for in names and keys, *mine* leaves others' out.

    Raises:
        Forbidden: the actor designs no procedures.
    """
    designer(w)
    query = select(ProcedureDraft).where(ProcedureDraft.province == w.province, ProcedureDraft.state == state)
    if mine:
        query = query.where(ProcedureDraft.owner_id == w.actor.person)
    for word in fold(text).split():
        query = query.where(ProcedureDraft.words.contains(word, autoescape=True))
    return _lines(w, list(w.session.scalars(query.order_by(ProcedureDraft.updated_at.desc()).limit(SHOWN))))


def page(w: UnitOfWork, draft_id: UUID) -> DraftPage:
    """Return one draft.

    Raises:
        NotFound: there is none.
        Forbidden: the actor designs no procedures.
    """
    designer(w)
    draft = w.session.get(ProcedureDraft, (w.province, draft_id))
    if draft is None:
        raise NotFound("draft.not_found")
    saves = list(
        w.session.scalars(
            select(ProcedureDraftSave)
            .where(ProcedureDraftSave.province == w.province, ProcedureDraftSave.draft_id == draft.id)
            .order_by(ProcedureDraftSave.number.desc())
        )
    )
    names = _names(w, {save.saved_by_id for save in saves})
    told = [Save(save.number, save.saved_at, names.get(save.saved_by_id, ""), save.note) for save in saves]
    return DraftPage(_lines(w, [draft])[0], files_of(w, draft), told)


def _lines(w: UnitOfWork, drafts: Sequence[ProcedureDraft]) -> list[DraftLine]:
    names = _names(w, {person for draft in drafts for person in (draft.owner_id, draft.updated_by_id)})
    wanted = {draft.base_id for draft in drafts if draft.base_id}
    found = w.session.scalars(select(ProcedureVersion).where(ProcedureVersion.province == w.province, ProcedureVersion.id.in_(wanted)))
    bases: dict[UUID | None, ProcedureVersion] = {version.id: version for version in found}
    return [DraftLine(one, names.get(one.owner_id, ""), names.get(one.updated_by_id, ""), bases.get(one.base_id)) for one in drafts]


def _names(w: UnitOfWork, people: set[UUID | None]) -> Mapping[UUID | None, str]:
    rows = w.session.execute(select(Person.id, Person.full_name).where(Person.province == w.province, Person.id.in_(people - {None})))
    return {row.id: row.full_name for row in rows}
