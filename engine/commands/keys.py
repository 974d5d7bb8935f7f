"""Signing keys in custody: issued to a person or an agency under a PIN only its holder knows, unlocked by an administrator."""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.commands.organisation import register_key
from engine.documents.model import SigningKey
from engine.documents.signature import SigningOffice, translated
from engine.errors import NotFound, Refused
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.standing import agency_of, require_administrator, seats_at, units_of
from engine.organisation.model import Person
from signing.errors import SigningError
from signing.keys import certificate_facts, complete_chain, read_certificate
from signing.standing import require_usage

LIFE = timedelta(days=3 * 365)


def reference_of(kind: str, holder: UUID) -> str:
    """Return the name under which custody keeps the key of a person or an agency."""
    return f"{kind}-{holder.hex}"


def invitation(w: UnitOfWork, kind: str, holder: UUID) -> Json:
    """Return what the browser seals a new PIN to."""
    require_administrator(w)
    told: Json = _asked(lambda: _challenge(w, reference_of(kind, holder)))
    return told


def issue(w: UnitOfWork, kind: str, holder: UUID, sealed_pin: str) -> SigningKey:
    """Issue a TEST key to a person or an agency and let it be used for signatures.

    Raises:
        Refused: custody refuses; NotFound: there is no such holder.
    """
    require_administrator(w)
    custody, reference = w.part(SigningOffice).custody, reference_of(kind, holder)
    units = units_of(w.session, w.province)
    if kind == "person":
        standing = seats_at(w, holder, w.now)
        seat = standing.require()
        made = _asked(
            lambda: custody.issue_person(  # type: ignore[attr-defined]
                reference,
                sealed_pin,
                name=standing.name,
                title=seat.title,
                agency=units[seat.agency_id].name,
                uid=reference,
                valid_from=w.now,
            )
        )
    else:
        if holder not in units:
            raise NotFound("organisation.unit_unknown")
        unit = units[agency_of(units, holder)]
        made = _asked(
            lambda: custody.issue_agency(reference, sealed_pin, name=unit.name, code=unit.agency_code, valid_from=w.now)  # type: ignore[attr-defined]
        )
    chain = [base64.b64encode(der).decode() for der in made.chain]
    owner: dict[str, Any] = {"person_id": holder} if kind == "person" else {"unit_id": holder}
    return register_key(w, reference, "leader" if kind == "person" else "agency", made.der, chain, w.now, w.now + LIFE, **owner)


def connect(w: UnitOfWork, kind: str, holder: UUID, place: Json, pem: bytes) -> SigningKey:
    """Let a key at a signing service be used: custody keeps the place, we keep its certificate.

    Raises:
        Refused: ``custody.place_invalid`` with the field, ``custody.key_exists``, ``custody.file_incomplete``, or the certificate is
            revoked, expired or leads to no root this office trusts.
    """
    require_administrator(w)
    office, reference = w.part(SigningOffice), f"{reference_of(kind, holder)}-remote"
    made = _asked(lambda: office.custody.connect(reference, place, pem))  # type: ignore[attr-defined]
    _asked(lambda: office.standing(made, w.now))
    known = certificate_facts(made.der)
    chain = [base64.b64encode(der).decode() for der in made.chain]
    owner: dict[str, Any] = {"person_id": holder} if kind == "person" else {"unit_id": holder}
    return register_key(
        w, reference, "leader" if kind == "person" else "agency", made.der, chain,
        datetime.fromisoformat(known.valid_from), datetime.fromisoformat(known.valid_until),
        approval="telephone" if place.get("kind") == "polled" else "pin", **owner,
    )  # fmt: skip


def register(w: UnitOfWork, kind: str, holder: UUID, certificate: bytes, chain: Sequence[bytes] = ()) -> SigningKey:
    """Let a key on a USB token be used: only its certificate is known here, DER or PEM with the *chain* above it.

    It takes the place of the keys its holder has used so far.

    Raises:
        Refused: the certificate is unreadable, registered already, issued to another name, not for signatures, revoked, expired, or leads
            to no root this office trusts.
        NotFound: there is no such holder.
    """
    require_administrator(w)
    office = w.part(SigningOffice)
    made = _asked(lambda: complete_chain(read_certificate(certificate, chain), office.intermediates()))
    _asked(lambda: require_usage(made.der))
    _asked(lambda: office.standing(made, w.now))
    facts, fingerprint = certificate_facts(made.der), hashlib.sha256(made.der).hexdigest()
    known = w.session.scalars(select(SigningKey).where(SigningKey.province == w.province)).all()
    if any(key.certificate == made.der for key in known):
        raise Refused("key.certificate_taken", field="certificate")
    names = holder_names(w, kind, holder)
    if not any(same_name(name, facts.common_name) for name in names):
        raise Refused("key.certificate_other_holder", field="certificate", subject=facts.common_name)
    owner: dict[str, Any] = {"person_id": holder} if kind == "person" else {"unit_id": holder}
    for key in known:
        if (key.person_id if kind == "person" else key.unit_id) == holder and (key.revoked_at is None or key.revoked_at > w.now):
            key.revoked_at = w.now
            w.record("key.replaced", None, key=str(key.id))
    return register_key(
        w, f"{reference_of(kind, holder)}-token-{fingerprint[:12]}", "leader" if kind == "person" else "agency", made.der,
        [base64.b64encode(der).decode() for der in made.chain],
        datetime.fromisoformat(facts.valid_from), datetime.fromisoformat(facts.valid_until), approval="device", **owner,
    )  # fmt: skip


def holder_names(w: UnitOfWork, kind: str, holder: UUID) -> list[str]:
    """Return the names a certificate of this person, or of this agency, may carry.

    Raises:
        NotFound: there is no such holder.
    """
    if kind == "person":
        person = w.session.get(Person, (w.province, holder))
        if person is None:
            raise NotFound("organisation.person_not_found")
        return [person.full_name]
    units = units_of(w.session, w.province)
    if holder not in units:
        raise NotFound("organisation.unit_unknown")
    return [units[holder].name, units[agency_of(units, holder)].name]


def same_name(name: str, written: str) -> bool:
    """Say whether a certificate's name is this one: letters count, not their case, spacing or a mark of a TEST authority."""

    def plain(text: str) -> str:
        return " ".join(unicodedata.normalize("NFC", text).casefold().replace("(test)", "").split())

    return plain(name) == plain(written)


def unlock(w: UnitOfWork, reference: str) -> None:
    """Give a key locked by wrong PINs its tries back; the PIN itself stays its holder's."""
    require_administrator(w)
    _asked(lambda: w.part(SigningOffice).custody.unlock(reference))  # type: ignore[attr-defined]
    w.record("key.unlocked", None, key=reference)


def _challenge(w: UnitOfWork, reference: str) -> Json:
    challenge = w.part(SigningOffice).custody.challenge(reference)
    return {"public_key": challenge.public_key, "nonce": challenge.nonce, "seconds": challenge.seconds}


def _asked(ask: Any) -> Any:
    try:
        return ask()
    except SigningError as refused:
        raise translated(refused) from None
