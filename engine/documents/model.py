"""The records of documents: files, documents with their revisions, registers with their numbers, keys and signature requests."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.kernel.tables import Json, Record, belongs_to


class StoredFile(Record):
    """A file somebody brought: content by its SHA-256, name as data, what the intake found."""

    __tablename__ = "stored_file"

    dossier_id: Mapped[UUID | None]
    component: Mapped[str | None]
    sha256: Mapped[str]
    size: Mapped[int]
    media_type: Mapped[str]
    name: Mapped[str]
    pages: Mapped[int] = mapped_column(default=0)
    signed: Mapped[bool] = mapped_column(default=False)
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[str]
    upload_key: Mapped[str] = mapped_column(default="")
    findings: Mapped[Json] = mapped_column(default=dict)

    __table_args__ = (
        belongs_to("dossier_id", "dossier", ondelete="CASCADE"),
        Index("ix_stored_file_dossier", "province", "dossier_id"),
        Index("ix_stored_file_upload", "province", "upload_key", postgresql_where=text("dossier_id IS NULL")),
    )


class Document(Record):
    """A paper the office makes: receipt, supplement request, refusal, result … from a template and its data.

    ``state``: draft → signed (by the leader) → numbered → issued; or cancelled. ``sha256`` is the newest revision.
    """

    __tablename__ = "document"

    dossier_id: Mapped[UUID | None]
    kind: Mapped[str]
    key: Mapped[str]
    name: Mapped[Json]
    template: Mapped[str]
    content: Mapped[Json]
    fields: Mapped[list[Any]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(default="draft")
    sha256: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)
    number: Mapped[int | None]
    symbol: Mapped[str | None]
    issued_on: Mapped[date | None]
    unit_id: Mapped[UUID]
    register: Mapped[str | None]
    order: Mapped[str] = mapped_column(default="leader_first")
    capacity: Mapped[str | None]
    drafted_by_id: Mapped[UUID | None]
    signer_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    public_id: Mapped[str]

    revisions: Mapped[list[DocumentRevision]] = relationship(order_by="DocumentRevision.position", lazy="select")

    __table_args__ = (
        belongs_to("dossier_id", "dossier", ondelete="CASCADE"),
        UniqueConstraint("province", "public_id"),
        Index("ix_document_dossier", "province", "dossier_id", "created_at"),
        Index("ix_document_sha256", "province", "sha256"),
    )


class DocumentRevision(Record):
    """One state of a document's bytes: rendered, signed by the leader, numbered, sealed."""

    __tablename__ = "document_revision"

    document_id: Mapped[UUID]
    position: Mapped[int]
    kind: Mapped[str]
    sha256: Mapped[str]
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]

    __table_args__ = (belongs_to("document_id", "document", ondelete="CASCADE"), UniqueConstraint("province", "document_id", "position"))


class Register(Record):
    """A yearly register of one agency; its numbers run from 1 without a gap."""

    __tablename__ = "register"

    unit_id: Mapped[UUID]
    kind: Mapped[str]
    year: Mapped[int]
    last_number: Mapped[int] = mapped_column(default=0)

    __table_args__ = (UniqueConstraint("province", "unit_id", "kind", "year"),)


class RegisterEntry(Record):
    """One line of a register: the number belongs to this paper for ever, even when it is cancelled."""

    __tablename__ = "register_entry"

    register_id: Mapped[UUID]
    number: Mapped[int]
    on: Mapped[date]
    dossier_id: Mapped[UUID | None]
    document_id: Mapped[UUID | None]
    subject: Mapped[str]
    state: Mapped[str] = mapped_column(default="reserved")
    reason: Mapped[str] = mapped_column(default="")
    by_id: Mapped[UUID | None]

    __table_args__ = (
        belongs_to("register_id", "register", ondelete="CASCADE"),
        UniqueConstraint("province", "register_id", "number"),
        Index("ix_register_entry_document", "province", "document_id"),
    )


class SigningKey(Record):
    """A key in custody and the certificate the world knows it by; belongs to a person or to an agency."""

    __tablename__ = "signing_key"

    reference: Mapped[str]
    kind: Mapped[str]
    person_id: Mapped[UUID | None]
    unit_id: Mapped[UUID | None]
    certificate: Mapped[bytes]
    chain: Mapped[list[Any]]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    approval: Mapped[str] = mapped_column(default="pin", comment="pin | telephone | device: how its holder authorises a signature")

    __table_args__ = (UniqueConstraint("province", "reference"),)


class SignaturePlace(Record):
    """How far from its template's place a person wants their signature on one document of a procedure; tenths of a millimetre."""

    __tablename__ = "signature_place"

    person_id: Mapped[UUID]
    procedure: Mapped[str]
    document: Mapped[str]
    right: Mapped[int]
    down: Mapped[int]
    chosen_at: Mapped[datetime]

    __table_args__ = (
        belongs_to("person_id", "person", ondelete="CASCADE"),
        UniqueConstraint("province", "person_id", "procedure", "document"),
    )


# One live preparation a document: what is shown, approved or signed already is never prepared a second time.
LIVE_STATES = ("prepared", "shown", "approved", "signed")


class SignatureRequest(Record):
    """One signature on its way: prepared → shown → approved → signed → embedded, or refused, expired.

    ``prepared`` is the SHA-256 of the bytes shown to the signer; ``ceremony`` is the JSON state of the two-phase signing; ``raw`` is what
    the key answered, kept before anything is made of it; ``try_at`` says when the worker carries on by itself. No secret is ever here.
    """

    __tablename__ = "signature_request"

    document_id: Mapped[UUID]
    task_id: Mapped[UUID | None]
    signer_id: Mapped[UUID]
    key_id: Mapped[UUID]
    kind: Mapped[str]
    capacity: Mapped[str | None]
    basis: Mapped[Json] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="prepared")
    prepared: Mapped[str]
    shown: Mapped[str]
    ceremony: Mapped[Json]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    raw: Mapped[bytes | None]
    try_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]
    failure: Mapped[str | None]

    @property
    def at_agent(self) -> bool:
        """Whether it is approved and waits for the agent on its signer's own computer."""
        return self.state == "approved" and bool(self.basis.get("device"))

    __table_args__ = (
        belongs_to("document_id", "document", ondelete="CASCADE"),
        Index("ix_signature_request_live", "province", "document_id", postgresql_where=text(f"state in {LIVE_STATES}"), unique=True),
        Index("ix_signature_request_under_way", "province", "try_at", postgresql_where=text(f"state in {LIVE_STATES}")),
    )
