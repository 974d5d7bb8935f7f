"""The records of a dossier: itself, its parties, components, fees, suspensions, due changes and hand-overs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Computed, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.kernel.tables import Json, Record, belongs_to


class Dossier(Record):
    """One file of one owner under one procedure version, from reception to return.

    ``due_at`` and ``original_due_at`` are projections: the truth is ``term``, ``received_at`` and the suspensions.
    The four status axes are independent: business, financial, delivery, synchronisation.
    """

    __tablename__ = "dossier"

    code: Mapped[str]
    procedure_key: Mapped[str]
    procedure_version_id: Mapped[UUID]
    scope: Mapped[str]
    channel: Mapped[str]
    status: Mapped[str]
    financial_status: Mapped[str] = mapped_column(default="none")
    delivery_status: Mapped[str] = mapped_column(default="none")
    sync_status: Mapped[str] = mapped_column(default="none")
    support_unit_id: Mapped[UUID | None]
    reception_unit_id: Mapped[UUID]
    deciding_unit_id: Mapped[UUID]
    receiver_id: Mapped[UUID | None]
    initiator_id: Mapped[UUID | None]
    received_at: Mapped[datetime]
    term: Mapped[Json]
    due_at: Mapped[datetime | None]
    original_due_at: Mapped[datetime | None]
    due_provisional: Mapped[bool] = mapped_column(default=False)
    extension: Mapped[Json | None]
    """The one new date it was given: ``granted_at``, ``until``, ``reason``, ``legal_basis``, ``document``; nothing while there is none."""
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    delivery: Mapped[str] = mapped_column(default="counter")
    subject: Mapped[str] = mapped_column(default="")
    pages: Mapped[int] = mapped_column(default=0)
    answers: Mapped[Json] = mapped_column(default=dict)
    access_hash: Mapped[str] = mapped_column(default="")
    folded: Mapped[str] = mapped_column(default="")
    words: Mapped[str] = mapped_column(TSVECTOR, Computed("to_tsvector('simple'::regconfig, folded)", persisted=True))

    parties: Mapped[list[Party]] = relationship(order_by="Party.kind", lazy="select")
    components: Mapped[list[DossierComponent]] = relationship(order_by="DossierComponent.position", lazy="select")
    suspensions: Mapped[list[Suspension]] = relationship(order_by="Suspension.suspended_at", lazy="select")
    fees: Mapped[list[FeeDue]] = relationship(order_by="FeeDue.position", lazy="select")

    __table_args__ = (
        UniqueConstraint("province", "code"),
        Index("ix_dossier_words", "words", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index("ix_dossier_open_due", "province", "due_at", postgresql_where=text("closed_at IS NULL")),
        Index("ix_dossier_status", "province", "status", "received_at"),
    )

    def party(self, kind: str) -> Party | None:
        """Return the ``owner`` or the ``submitter``; the owner also stands for a submitter not recorded apart."""
        found = {p.kind: p for p in self.parties}
        return found.get(kind) or (found.get("owner") if kind == "submitter" else None)


class Party(Record):
    """Submitter or owner of a dossier; identity number, birth date, address, phone and e-mail are sealed."""

    __tablename__ = "party"

    dossier_id: Mapped[UUID]
    kind: Mapped[str]
    name: Mapped[str]
    sex: Mapped[str | None]
    identity_sealed: Mapped[bytes | None]
    identity_index: Mapped[bytes | None]
    birth_sealed: Mapped[bytes | None]
    address_sealed: Mapped[bytes | None]
    phone_sealed: Mapped[bytes | None]
    email_sealed: Mapped[bytes | None]

    __table_args__ = (
        belongs_to("dossier_id", "dossier", ondelete="CASCADE"),
        UniqueConstraint("province", "dossier_id", "kind"),
        Index("ix_party_identity", "province", "identity_index"),
    )


class DossierComponent(Record):
    """One paper of the checklist, with the file that satisfies it."""

    __tablename__ = "dossier_component"

    dossier_id: Mapped[UUID]
    position: Mapped[int]
    key: Mapped[str]
    name: Mapped[Json]
    form: Mapped[str]
    copies: Mapped[int] = mapped_column(default=1)
    required: Mapped[bool] = mapped_column(default=True)
    present: Mapped[bool] = mapped_column(default=False)
    asked: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (belongs_to("dossier_id", "dossier", ondelete="CASCADE"), UniqueConstraint("province", "dossier_id", "key"))


class FeeDue(Record):
    """A fee or charge of a dossier, in đồng, and its payment at the counter."""

    __tablename__ = "fee_due"

    dossier_id: Mapped[UUID]
    position: Mapped[int]
    key: Mapped[str]
    kind: Mapped[str]
    name: Mapped[Json]
    amount: Mapped[int] = mapped_column(BigInteger)
    legal_basis: Mapped[str] = mapped_column(default="")
    paid_at: Mapped[datetime | None]
    method: Mapped[str | None]
    receipt_number: Mapped[int | None]
    cashier_id: Mapped[UUID | None]

    __table_args__ = (belongs_to("dossier_id", "dossier", ondelete="CASCADE"),)


class Suspension(Record):
    """A stretch in which the statutory clock stands still: always with a ground, and a document that says so."""

    __tablename__ = "suspension"

    dossier_id: Mapped[UUID]
    ground: Mapped[str]
    legal_basis: Mapped[str] = mapped_column(default="")
    suspended_at: Mapped[datetime]
    resumed_at: Mapped[datetime | None]
    document_id: Mapped[UUID | None]
    task_id: Mapped[UUID | None]
    request: Mapped[Json] = mapped_column(default=dict)
    answer: Mapped[Json] = mapped_column(default=dict)

    __table_args__ = (belongs_to("dossier_id", "dossier", ondelete="CASCADE"), Index("ix_suspension_dossier", "province", "dossier_id"))


class DueChange(Record):
    """One move of a dossier's due date, kept for ever: from when, to when, why."""

    __tablename__ = "due_change"

    dossier_id: Mapped[UUID]
    at: Mapped[datetime]
    from_due_at: Mapped[datetime | None]
    to_due_at: Mapped[datetime | None]
    reason: Mapped[str]

    __table_args__ = (
        belongs_to("dossier_id", "dossier", ondelete="CASCADE"),
        Index("ix_due_change_dossier", "province", "dossier_id", "at"),
    )


class Handover(Record):
    """A dossier passing from one desk to the next (Mẫu 06: one row each, append-only)."""

    __tablename__ = "handover"

    dossier_id: Mapped[UUID]
    at: Mapped[datetime]
    kind: Mapped[str]
    step: Mapped[Json]
    from_person_id: Mapped[UUID | None]
    from_unit_id: Mapped[UUID | None]
    to_unit_id: Mapped[UUID | None]
    to_person_id: Mapped[UUID | None]
    due_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")

    __table_args__ = (belongs_to("dossier_id", "dossier", ondelete="CASCADE"), Index("ix_handover_dossier", "province", "dossier_id", "at"))
