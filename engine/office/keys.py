"""Which key signs: a leader's own, or the agency's, valid now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from engine.documents.model import SigningKey
from engine.errors import Refused
from engine.kernel.unit_of_work import UnitOfWork


def key_of_person(w: UnitOfWork, person_id: UUID) -> SigningKey:
    """Return the leader's own valid key.

    Raises:
        Refused: none is registered, or it is expired or revoked.
    """
    return valid_key(w, select(SigningKey).where(SigningKey.person_id == person_id, SigningKey.kind == "leader"))


def key_of_agency(w: UnitOfWork, unit_id: UUID) -> SigningKey:
    """Return the agency's seal key, kept by its document clerk."""
    return valid_key(w, select(SigningKey).where(SigningKey.unit_id == unit_id, SigningKey.kind == "agency"))


def valid_key(w: UnitOfWork, query: Any) -> SigningKey:
    """Return the key of a query that is valid now.

    Raises:
        Refused: ``signing.no_key``.
    """
    key = w.session.scalars(
        query.where(
            SigningKey.province == w.province,
            SigningKey.valid_from <= w.now,
            SigningKey.valid_to > w.now,
            or_(SigningKey.revoked_at.is_(None), SigningKey.revoked_at > w.now),
        )
        .order_by(SigningKey.valid_to.desc())
        .limit(1)
    ).one_or_none()
    if key is None:
        raise Refused("signing.no_key")
    found: SigningKey = key
    return found
