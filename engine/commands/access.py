"""Proving that one is the owner or submitter: identity number and the access code of the receipt."""

from __future__ import annotations

import hmac
from uuid import UUID

from sqlalchemy import select

from engine.dossier import identity
from engine.dossier.model import Dossier
from engine.errors import Refused
from engine.kernel.sealing import Sealing
from engine.kernel.unit_of_work import UnitOfWork


def access_hash(w: UnitOfWork, dossier_id: UUID, access: str) -> str:
    """Return what is kept of an access code: a keyed hash, useless without the installation's keys."""
    return w.part(Sealing).blind("access", f"{dossier_id}:{access.upper()}").hex()


def check_access(w: UnitOfWork, code: str, number: str, access: str) -> Dossier:
    """Return the dossier to somebody who knows the owner's or submitter's identity number and the access code of the receipt.

    Raises:
        Refused: one of them is wrong; never says which, nor whether there is such a dossier.
    """
    dossier = w.session.scalars(select(Dossier).where(Dossier.province == w.province, Dossier.code == code)).one_or_none()
    if dossier is None:
        raise Refused("tracking.access_refused", field="access")
    index = w.part(Sealing).blind("identity", identity.digits(number))
    known = any(p.identity_index is not None and hmac.compare_digest(p.identity_index, index) for p in dossier.parties)
    right = hmac.compare_digest(dossier.access_hash, access_hash(w, dossier.id, access.strip()))
    if not (known and right):
        raise Refused("tracking.access_refused", field="access")
    w.record("tracking.access_granted", dossier.id)
    return dossier
