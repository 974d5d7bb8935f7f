"""Accounts: who may sign in, with which roles and tokens. Keyed by a plain number, for Flask-Security's mixins complete these tables.

An account says who somebody is; what they may do comes from appointments and delegations (`engine.organisation`).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.kernel.tables import Base, Instant, Json

account_role = Table(
    "account_role",
    Base.metadata,
    Column("account", ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("role", ForeignKey("account_role_name.id", ondelete="CASCADE"), primary_key=True),
)


class RoleName(Base):
    """A role of the installation itself (administrator, designer …), not an office."""

    __tablename__ = "account_role_name"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    description: Mapped[str | None] = mapped_column(Text)
    permissions: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


class Account(Base):
    """One way to sign in, of one person or one citizen."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(Text, unique=True, comment="folded to lower case")
    username: Mapped[str | None] = mapped_column(Text, unique=True)
    password: Mapped[str | None] = mapped_column(Text, comment="Argon2; None: no sign-in by password")
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    fs_uniquifier: Mapped[str] = mapped_column(Text, unique=True, default=lambda: secrets.token_hex(32), comment="changes end all sessions")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    kind: Mapped[str] = mapped_column(Text, default="staff", comment="staff | citizen")
    display_name: Mapped[str] = mapped_column(Text, default="")
    locale: Mapped[str] = mapped_column(Text, default="vi")
    demo: Mapped[bool] = mapped_column(Boolean, default=False, comment="may be signed in to by one click in demo mode")
    must_change_password: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime | None] = mapped_column(Instant)
    tf_primary_method: Mapped[str | None] = mapped_column(Text)
    tf_totp_secret: Mapped[str | None] = mapped_column(Text)
    tf_phone_number: Mapped[str | None] = mapped_column(Text)
    mf_recovery_codes: Mapped[list[Any] | None] = mapped_column(JSONB)
    fs_webauthn_user_handle: Mapped[str | None] = mapped_column(Text, unique=True)
    create_datetime: Mapped[datetime | None] = mapped_column(Instant)
    update_datetime: Mapped[datetime | None] = mapped_column(Instant)
    last_login_at: Mapped[datetime | None] = mapped_column(Instant)
    current_login_at: Mapped[datetime | None] = mapped_column(Instant)
    login_count: Mapped[int | None]
    roles: Mapped[list[RoleName]] = relationship(secondary=account_role, lazy="selectin")


class SignInFailure(Base):
    """Failed sign-ins of one account or one address, counted in the database so that every web process sees them."""

    __tablename__ = "sign_in_failure"

    subject: Mapped[str] = mapped_column(Text, primary_key=True, comment="keyed hash of account name or address; never the plain text")
    count: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime] = mapped_column(Instant)
    blocked_until: Mapped[datetime | None] = mapped_column(Instant)


class AccessToken(Base):
    """A personal access token for the programming interface; only its hash is kept."""

    __tablename__ = "access_token"
    __table_args__ = (Index(None, "account"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text, comment="what the owner calls it")
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class Preference(Base):
    """What a person set for their own screens."""

    __tablename__ = "account_preference"

    account: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    person: Mapped[UUID | None]
    choices: Mapped[Json] = mapped_column(JSONB, default=dict)


TOKEN_MARK = "mct_"  # noqa: S105  what scanners for leaked tokens look for


def new_token() -> tuple[str, bytes]:
    """Return a new token's text, shown once, and the hash to keep."""
    token = TOKEN_MARK + secrets.token_urlsafe(32)
    return token, token_hash(token)


def token_hash(token: str) -> bytes:
    """Return the hash under which a token is kept; 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()
