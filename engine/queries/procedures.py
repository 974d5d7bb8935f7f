"""Procedures: what is in force, the versions, the diagram, the outline, the start form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from engine.dossier.model import Dossier
from engine.errors import NotFound
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.standing import ZONE
from engine.procedure.outline import milestones, outline
from engine.procedure.package import Package
from engine.procedure.registry import ProcedureCache, ProcedureVersion, all_in_force, versions


@dataclass(frozen=True, slots=True)
class ProcedureRow:
    """A procedure in force with how many dossiers run under it (None when nobody asked)."""

    version: ProcedureVersion
    running: int | None


def in_force(w: UnitOfWork, scope: str | None = None, *, counted: bool = False) -> list[ProcedureRow]:
    """Return the procedures in force today, by name; *counted* with their open dossiers, which means looking at every one of them."""
    today = w.now.astimezone(ZONE).date()
    found = [version for version in all_in_force(w.session, w.province, today) if scope is None or version.scope == scope]
    if not counted:
        return [ProcedureRow(version, None) for version in found]
    running = dict(
        w.session.execute(
            select(Dossier.procedure_key, func.count())
            .where(Dossier.province == w.province, Dossier.closed_at.is_(None))
            .group_by(Dossier.procedure_key)
        ).all()
    )
    return [ProcedureRow(version, running.get(version.key, 0)) for version in found]


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One published version with its dossiers."""

    version: ProcedureVersion
    dossiers: int
    running: int


def all_versions(w: UnitOfWork, key: str) -> list[VersionRow]:
    """Return every version of a procedure, newest first.

    Raises:
        NotFound: it has none.
    """
    found = versions(w.session, w.province, key)
    if not found:
        raise NotFound("procedure.unknown", key=key)
    counts = {
        version_id: (total, running)
        for version_id, total, running in w.session.execute(
            select(Dossier.procedure_version_id, func.count(), func.count().filter(Dossier.closed_at.is_(None)))
            .where(Dossier.province == w.province, Dossier.procedure_key == key)
            .group_by(Dossier.procedure_version_id)
        )
    }
    return [VersionRow(v, *counts.get(v.id, (0, 0))) for v in found]


def package_of(w: UnitOfWork, version_id: UUID) -> Package:
    """Return the package of a version."""
    return w.part(ProcedureCache).package(w, version_id)


def diagram_of(w: UnitOfWork, version_id: UUID) -> str:
    """Return the diagram of a version as it was uploaded."""
    return package_of(w, version_id).files["process.bpmn"].decode("utf-8")


def in_words(w: UnitOfWork, version_id: UUID) -> Sequence[Any]:
    """Return the numbered outline of a version."""
    return outline(package_of(w, version_id))


def main_steps(package: Package) -> Sequence[Any]:
    """Return the steps people take on the normal way of a procedure: what its owner waits for."""
    return milestones(package)


def current(w: UnitOfWork, key: str) -> tuple[ProcedureVersion, Package]:
    """Return the version of a procedure in force today with its package.

    Raises:
        NotFound: there is no such procedure.
    """
    for row in in_force(w):
        if key in (row.version.key, row.version.code):
            return row.version, package_of(w, row.version.id)
    raise NotFound("procedure.unknown", key=key)
