"""Reviews: who put which content forward for publication, and what a second person decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.kernel.identifiers import new_id
from engine.kernel.tables import Record
from engine.kernel.unit_of_work import UnitOfWork
from engine.procedure.package import Package

WAITING, PUBLISHED, REJECTED = "waiting", "published", "rejected"


class ProcedureReview(Record):
    """A content put forward for publication; the same content is put forward once."""

    __tablename__ = "procedure_review"
    __table_args__ = (
        UniqueConstraint("province", "content_hash", "drawing_hash"),
        Index("ix_procedure_review_waiting", "province", "submitted_at", postgresql_where="state = 'waiting'"),
    )

    key: Mapped[str] = mapped_column(String(60))
    reference: Mapped[str] = mapped_column(String(64))
    """The blob with the whole package."""
    content_hash: Mapped[str] = mapped_column(String(64))
    drawing_hash: Mapped[str] = mapped_column(String(64))
    title: Mapped[str]
    submitted_by_id: Mapped[UUID | None]
    submitted_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12), default=WAITING)
    decided_by_id: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")


def find(session: Session, province: int, package: Package, *, lock: bool = False) -> ProcedureReview | None:
    """Return the review of exactly this content."""
    query = select(ProcedureReview).where(
        ProcedureReview.province == province,
        ProcedureReview.content_hash == package.content_hash,
        ProcedureReview.drawing_hash == package.drawing_hash,
    )
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def put_forward(w: UnitOfWork, package: Package, reference: str) -> ProcedureReview:
    """Put a content forward; whoever did it first stays the one who did, unless it was rejected or published since."""
    known = find(w.session, w.province, package, lock=True)
    if known is not None and known.state == WAITING:
        return known
    if known is None:
        known = ProcedureReview(
            province=w.province, id=new_id(), key=package.key, content_hash=package.content_hash, drawing_hash=package.drawing_hash
        )
        w.session.add(known)
    known.reference, known.title, known.state = reference, package.name.vi, WAITING
    known.submitted_by_id, known.submitted_at = w.actor.person, w.now
    known.decided_by_id, known.decided_at, known.reason = None, None, ""
    w.session.flush()
    w.record("procedure.put_forward", None, key=package.key, content_hash=package.content_hash)
    return known


def waiting(session: Session, province: int) -> Sequence[ProcedureReview]:
    """Return what waits for a second person, the oldest first."""
    query = select(ProcedureReview).where(ProcedureReview.province == province, ProcedureReview.state == WAITING)
    return session.scalars(query.order_by(ProcedureReview.submitted_at)).all()
