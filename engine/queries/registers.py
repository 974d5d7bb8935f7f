"""The yearly registers: every line with its number, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import and_, func, select

from engine.documents.model import Document, Register, RegisterEntry
from engine.dossier.model import Dossier
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.papers import person_name
from engine.office.standing import ZONE, acting, units_of
from engine.procedure.registry import ProcedureCache, all_in_force


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """A register of a year with its last number."""

    id: UUID
    unit: str
    kind: str
    name: Json
    year: int
    last_number: int


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One line of a register."""

    number: int
    on: date
    subject: str
    dossier_code: str
    document_id: UUID | None
    state: str
    who: str


def names(w: UnitOfWork) -> dict[str, Json]:
    """Return what the procedures in force call the registers of their documents."""
    found: dict[str, Json] = {}
    for version in all_in_force(w.session, w.province, w.now.astimezone(ZONE).date()):
        for document in w.part(ProcedureCache).package(w, version.id).documents:
            if document.register and document.register_name:
                found[document.register] = {"vi": document.register_name.vi, "en": document.register_name.en}
    return found


def mine(w: UnitOfWork) -> list[RegisterRow]:
    """Return the registers of the actor's units, newest year first."""
    reach = {u for s in acting(w).seats for u in (*s.reach, s.agency_id)}
    units, called = units_of(w.session, w.province), names(w)
    return [
        RegisterRow(r.id, units[r.unit_id].name if r.unit_id in units else "", r.kind, called.get(r.kind, {}), r.year, r.last_number)
        for r in w.session.scalars(
            select(Register)
            .where(Register.province == w.province, Register.unit_id.in_(reach))
            .order_by(Register.year.desc(), Register.kind)
        )
    ]


def entries(w: UnitOfWork, register_id: UUID, *, number: int = 1, size: int = 50) -> tuple[list[EntryRow], int]:
    """Return the lines of a register, newest first, and their count."""
    reach = {u for s in acting(w).seats for u in (*s.reach, s.agency_id)}
    query = (
        select(RegisterEntry, Dossier.code)
        .join(Register, and_(Register.province == RegisterEntry.province, Register.id == RegisterEntry.register_id))
        .outerjoin(Dossier, and_(Dossier.province == RegisterEntry.province, Dossier.id == RegisterEntry.dossier_id))
        .where(RegisterEntry.province == w.province, RegisterEntry.register_id == register_id, Register.unit_id.in_(reach))
    )
    total = (
        w.session.scalar(select(func.count()).select_from(query.with_only_columns(RegisterEntry.id, maintain_column_froms=True).subquery()))
        or 0
    )
    found = w.session.execute(query.order_by(RegisterEntry.number.desc()).limit(size).offset((max(number, 1) - 1) * size))
    return [EntryRow(e.number, e.on, e.subject, code or "", e.document_id, e.state, person_name(w, e.by_id)) for e, code in found], total


def document_by_public_id(w: UnitOfWork, public_id: str) -> Document | None:
    """Return an issued document by the code printed on it, for the verification page."""
    return w.session.scalars(
        select(Document).where(Document.province == w.province, Document.public_id == public_id.upper(), Document.state == "issued")
    ).one_or_none()


def document_by_hash(w: UnitOfWork, sha256: str) -> Document | None:
    """Return the document whose bytes have this hash, for the verification page: is it one of ours, and the newest state of it."""
    from engine.documents.model import DocumentRevision

    return w.session.scalars(
        select(Document)
        .join(DocumentRevision, and_(DocumentRevision.province == Document.province, DocumentRevision.document_id == Document.id))
        .where(Document.province == w.province, DocumentRevision.sha256 == sha256)
        .limit(1)
    ).first()
