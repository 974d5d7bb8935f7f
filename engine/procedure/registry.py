"""The published versions of every procedure, which one is in force on a day, and the cache of their packages."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint, func, select, update
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from engine.errors import NotFound, Refused
from engine.kernel.identifiers import new_id
from engine.kernel.tables import Record
from engine.kernel.unit_of_work import UnitOfWork
from engine.procedure.loader import load_zip, to_zip
from engine.procedure.package import Package

CACHED_PACKAGES = 128


class ProcedureVersion(Record):
    """A published version of a procedure; immutable, a running dossier stays with the one it was received under.

    ``number`` counts executable versions of ``key``. A new drawing of the same content is a row of its own with the same number and
    the next ``drawing_number``: published rows are never edited.
    """

    __tablename__ = "procedure_version"
    __table_args__ = (
        UniqueConstraint("province", "key", "number", "drawing_number"),
        Index("ix_procedure_version_in_force", "province", "key", "effective_from"),
    )

    key: Mapped[str] = mapped_column(String(60))
    code: Mapped[str] = mapped_column(String(40))
    scope: Mapped[str] = mapped_column(String(10))
    number: Mapped[int]
    drawing_number: Mapped[int] = mapped_column(default=1)
    name_vi: Mapped[str]
    name_en: Mapped[str]
    folder: Mapped[str] = mapped_column(default="")
    content_hash: Mapped[str] = mapped_column(String(64))
    drawing_hash: Mapped[str] = mapped_column(String(64))
    package: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    state: Mapped[str] = mapped_column(String(12), default="published")
    """``published``, ``superseded`` (a later one is in force) or ``withdrawn``."""
    effective_from: Mapped[date]
    published_at: Mapped[datetime]
    published_by: Mapped[UUID | None]


def store(w: UnitOfWork, package: Package, *, effective_from: date | None = None) -> tuple[ProcedureVersion, str]:
    """Add *package* as a version and return it with what it is: ``first``, ``changed``, ``redrawn``, or ``same`` (nothing added).

    The gate is not asked here: whoever publishes has the report already.
    """
    last = latest(w.session, w.province, package.key)
    if last is None:
        kind, number, drawing = "first", 1, 1
    elif last.content_hash != package.content_hash:
        kind, number, drawing = "changed", last.number + 1, 1
    elif last.drawing_hash != package.drawing_hash:
        kind, number, drawing = "redrawn", last.number, last.drawing_number + 1
    else:
        return last, "same"
    version = ProcedureVersion(
        province=w.province,
        id=new_id(),
        key=package.key,
        code=package.code,
        scope=package.scope,
        number=number,
        drawing_number=drawing,
        name_vi=package.name.vi,
        name_en=package.name.en,
        folder=package.folder,
        content_hash=package.content_hash,
        drawing_hash=package.drawing_hash,
        package=to_zip(package, with_parts=True),
        state="published",
        effective_from=effective_from or package.effective_from,
        published_at=w.now,
        published_by=w.actor.person,
    )
    w.session.add(version)
    w.session.flush()
    # What was to hold from the same day or later is replaced too: otherwise the older version would come back on its day.
    w.session.execute(
        update(ProcedureVersion)
        .where(
            ProcedureVersion.province == w.province,
            ProcedureVersion.key == package.key,
            ProcedureVersion.id != version.id,
            ProcedureVersion.state == "published",
            ProcedureVersion.effective_from >= version.effective_from,
        )
        .values(state="superseded")
    )
    return version, kind


def latest(session: Session, province: int, key: str) -> ProcedureVersion | None:
    """Return the newest version of *key*, whether in force or not."""
    return session.scalars(
        select(ProcedureVersion)
        .where(ProcedureVersion.province == province, ProcedureVersion.key == key)
        .order_by(ProcedureVersion.number.desc(), ProcedureVersion.drawing_number.desc())
        .limit(1)
    ).first()


def in_force(session: Session, province: int, key: str, on: date) -> ProcedureVersion:
    """Return the version of *key* that a dossier received on the day *on* falls under.

    Raises: NotFound ``procedure.unknown``; Refused ``procedure.not_in_force``.
    """
    found = session.scalars(
        select(ProcedureVersion)
        .where(
            ProcedureVersion.province == province,
            ProcedureVersion.key == key,
            ProcedureVersion.state == "published",
            ProcedureVersion.effective_from <= on,
        )
        .order_by(ProcedureVersion.effective_from.desc(), ProcedureVersion.number.desc(), ProcedureVersion.drawing_number.desc())
        .limit(1)
    ).first()
    if found is not None:
        return found
    if latest(session, province, key) is None:
        raise NotFound("procedure.unknown", key=key)
    raise Refused("procedure.not_in_force", key=key, on=on.strftime("%d/%m/%Y"))


def all_in_force(session: Session, province: int, on: date) -> Sequence[ProcedureVersion]:
    """Return the version in force on the day *on* of every procedure, by name."""
    rank = (
        func.row_number()
        .over(
            partition_by=ProcedureVersion.key,
            order_by=(ProcedureVersion.effective_from.desc(), ProcedureVersion.number.desc(), ProcedureVersion.drawing_number.desc()),
        )
        .label("rank")
    )
    ranked = (
        select(ProcedureVersion.id, rank)
        .where(ProcedureVersion.province == province, ProcedureVersion.state == "published", ProcedureVersion.effective_from <= on)
        .subquery()
    )
    return session.scalars(
        select(ProcedureVersion)
        .join(ranked, ProcedureVersion.id == ranked.c.id)
        .where(ProcedureVersion.province == province, ranked.c.rank == 1)
        .order_by(ProcedureVersion.name_vi)
    ).all()


def versions(session: Session, province: int, key: str) -> Sequence[ProcedureVersion]:
    """Return every version of *key*, newest first."""
    return session.scalars(
        select(ProcedureVersion)
        .where(ProcedureVersion.province == province, ProcedureVersion.key == key)
        .order_by(ProcedureVersion.number.desc(), ProcedureVersion.drawing_number.desc())
    ).all()


class ProcedureCache:
    """Packages of published versions, read once per process; versions never change, so nothing here can go stale."""

    def __init__(self, size: int = CACHED_PACKAGES) -> None:
        self._size = size
        self._packages: OrderedDict[tuple[int, UUID], Package] = OrderedDict()
        self._lock = threading.Lock()

    def package(self, w: UnitOfWork, version_id: UUID) -> Package:
        """Return the package of a version.

        Raises: NotFound ``procedure.unknown``.
        """
        place = (w.province, version_id)
        with self._lock:
            found = self._packages.get(place)
            if found is not None:
                self._packages.move_to_end(place)
                return found
        row = w.session.execute(
            select(ProcedureVersion.package, ProcedureVersion.folder).where(
                ProcedureVersion.province == w.province, ProcedureVersion.id == version_id
            )
        ).first()
        if row is None:
            raise NotFound("procedure.unknown", version=str(version_id))
        package = load_zip(row.package, row.folder)
        with self._lock:
            self._packages[place] = package
            while len(self._packages) > self._size:
                self._packages.popitem(last=False)
        return package
