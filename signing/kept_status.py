"""Status answers and revocation lists kept from earlier verifications, so that an outage of their authority does not undo a verdict.

A kept answer counts only when it proves the status at the time the signature needs it for (EN 319 102-1, revocation freshness): made at
or after the best-signature-time, and, where something is judged as of now, not outlived by its own ``nextUpdate``. "Good" from before that
time proves nothing. Bad news does not age, until the same authority says something newer.

Nothing is trusted because it lies here: an entry is let in only with its authority's signature, read again with that check, and then
judged by the validation itself like an answer that came with the document. Names of files are digests of issuer and serial number.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from signing.tsa import MAX_SKEW_SECONDS

Kind = Literal["ocsp", "crl"]
KEPT_FOR = timedelta(days=90)
MOST_ENTRIES = 4000
MOST_BYTES = 64 * 1024 * 1024
LARGEST = {"ocsp": 64 * 1024, "crl": 2 * 1024 * 1024}
_SKEW = timedelta(seconds=MAX_SKEW_SECONDS)
_NAME = re.compile(r"[0-9a-f]{64}\.\d{8}\.[gr]\.(ocsp|crl)")


@dataclass(frozen=True)
class Status:
    """What one answer says of one certificate; *revoked_at* None means good. *raw* is the answer (DER)."""

    kind: Kind
    made: datetime
    next: datetime | None
    revoked_at: datetime | None
    raw: bytes = b""


def proves(status: Status, since: datetime, now: datetime, *, ends: datetime, present: bool) -> bool:
    """Whether *status* counts for a signature whose best-signature-time is *since*.

    *ends* is the end of the certificate (afterwards authorities need not speak of it, so silence proves nothing); *present* says that the
    certificate is judged as of *now* and not of *since*.
    """
    if status.made > now + _SKEW:
        return False
    if status.revoked_at is not None and status.revoked_at <= since:
        return True
    if status.made < since or status.made > ends:
        return False
    return not present or (status.next is not None and status.next >= now)


def chosen(known: Iterable[Status], since: datetime, now: datetime, *, ends: datetime, present: bool) -> list[Status]:
    """Those of *known* about one certificate that count, the newest first.

    A revocation that newer word of the same kind takes back (certificates on hold) is forgotten; without newer word it stands, and what an
    authority says after the end of a certificate takes nothing back.
    """
    found = sorted((one for one in known if one.made <= now + _SKEW), key=lambda one: one.made, reverse=True)
    taken_back = {one.kind: one.made for one in reversed(found) if one.revoked_at is None and one.made <= ends}
    standing = [one for one in found if one.revoked_at is None or one.kind not in taken_back or one.made >= taken_back[one.kind]]
    return [one for one in standing if proves(one, since, now, ends=ends, present=present)]


def named(issuer: bytes, serial: int | None) -> str:
    """The name under which answers are kept: of an issuer's list without *serial*; *issuer* is its name (DER)."""
    return hashlib.sha256(issuer + b"|" + (b"" if serial is None else str(serial).encode())).hexdigest()


class Kept:
    """The answers of one folder, and *fresh* ones of this verification (DER), read with the *authorities* (DER) that may sign them."""

    def __init__(self, folder: Path | None, authorities: Iterable[bytes], fresh: Iterable[tuple[Kind, bytes]] = ()) -> None:
        self._folder, self._authorities, self._fresh = folder, tuple(authorities), tuple(fresh)

    def with_fresh(self, fresh: Iterable[tuple[Kind, bytes]]) -> Kept:
        """The same folder, beside what was just answered."""
        return Kept(self._folder, self._authorities, fresh)

    def about(self, certificate: asn1_x509.Certificate) -> list[Status]:
        """Everything known of *certificate*; what is damaged, not signed by its authority or of another certificate is passed over."""
        issuer, serial = certificate.issuer.dump(), certificate.serial_number
        items = [*self._read(issuer, serial), *self._fresh]
        above = _issuers(issuer, self._authorities)
        read = (_ocsp(raw, above, serial) if kind == "ocsp" else _crl(raw, above, serial) for kind, raw in items)
        return [one for one in read if one is not None]

    def _read(self, issuer: bytes, serial: int) -> Iterable[tuple[Kind, bytes]]:
        kinds: tuple[tuple[Kind, str], ...] = (("ocsp", named(issuer, serial)), ("crl", named(issuer, None)))
        for kind, name in kinds:
            for path in sorted(self._folder.glob(f"{name}.*.{kind}")) if self._folder else ():
                with suppress(OSError):
                    if path.stat().st_size <= LARGEST[kind]:
                        yield kind, path.read_bytes()


def keep(folder: Path, answers: Sequence[tuple[Kind, bytes]], authorities: Iterable[bytes], now: datetime) -> int:
    """Let *answers* in, each with its authority's signature; returns how many were new.

    Only the process that asked for a verdict calls this. The child that read a stranger's document handed them over: what it says of them
    is not believed.
    """
    known = tuple(authorities)
    new = 0
    for kind, raw in answers[:40]:
        found = _identified(kind, raw, known) if len(raw) <= LARGEST[kind] else None
        if found is None or not now - KEPT_FOR < found[1].made <= now + _SKEW:
            continue
        name, status = found
        with suppress(OSError):
            new += _write(folder, f"{name}.{status.made:%Y%m%d}.{'g' if status.revoked_at is None else 'r'}.{kind}", raw, status.made)
    if new:
        with suppress(OSError):
            prune(folder, now)
    return new


def size(folder: Path) -> tuple[int, int]:
    """How many answers are kept, and their bytes."""
    sizes = [entry.stat().st_size for entry in _entries(folder)]
    return len(sizes), sum(sizes)


def clear(folder: Path) -> int:
    """Forget everything; returns how many answers there were."""
    return sum(_forget(Path(entry.path)) for entry in _entries(folder))


def prune(folder: Path, now: datetime) -> None:
    """Forget what is too old, and the oldest beyond the bounds."""
    oldest_day = f"{(now - KEPT_FOR).astimezone(UTC):%Y%m%d}"
    entries = sorted(_entries(folder), key=lambda entry: entry.name.split(".")[1], reverse=True)
    total = 0
    for position, entry in enumerate(entries):
        total += entry.stat().st_size
        if position >= MOST_ENTRIES or total > MOST_BYTES or entry.name.split(".")[1] < oldest_day:
            _forget(Path(entry.path))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as found:
        return [entry for entry in found if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)]


def _forget(path: Path) -> bool:
    with suppress(OSError):
        path.unlink()
        return True
    return False


def _write(folder: Path, name: str, raw: bytes, made: datetime) -> bool:
    """Of one day and one status the newest is kept, whole or not at all; its file's time is when the answer was made."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path, instant = folder / name, made.timestamp()
    if path.exists() and path.stat().st_mtime >= instant:
        return False
    handle, draft = tempfile.mkstemp(dir=folder, prefix="draft-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
        os.utime(draft, (instant, instant))
        os.replace(draft, path)
    except OSError:
        _forget(Path(draft))
        raise
    return True


def _identified(kind: Kind, raw: bytes, authorities: Sequence[bytes]) -> tuple[str, Status] | None:
    """The name to keep an answer under and what it says; None when it is not of one of *authorities*."""
    for authority in authorities:
        above = x509.load_der_x509_certificate(authority)
        subject = above.subject.public_bytes()
        try:
            serial = ocsp.load_der_ocsp_response(raw).serial_number if kind == "ocsp" else None
        except Exception:
            return None  # as below
        status = _ocsp(raw, [above], serial or 0) if kind == "ocsp" else _crl(raw, [above], None)
        if status is not None:
            return named(subject, serial), status
    return None


def _issuers(name: bytes, authorities: Iterable[bytes]) -> list[x509.Certificate]:
    return [one for one in map(x509.load_der_x509_certificate, authorities) if one.subject.public_bytes() == name]


def _ocsp(raw: bytes, issuers: Sequence[x509.Certificate], serial: int) -> Status | None:
    """What an answer says of *serial*, when one of *issuers* or a responder it has authorised has signed it (RFC 6960, 4.2.2.2)."""
    try:
        answer = ocsp.load_der_ocsp_response(raw)
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL or answer.serial_number != serial:
            return None
        if answer.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
            return None
        for issuer in issuers:
            if _about(answer, issuer) and any(_signed(answer, one) for one in _responders(answer, issuer)):
                return Status("ocsp", answer.this_update_utc, answer.next_update_utc, answer.revocation_time_utc, raw)
    except Exception:
        # On what is no answer the libraries raise all kinds of exceptions; whatever it is, it proves nothing.
        return None
    return None


def _about(answer: ocsp.OCSPResponse, issuer: x509.Certificate) -> bool:
    known = asn1_x509.Certificate.load(issuer.public_bytes(serialization.Encoding.DER))
    name, key = (
        (known.subject.sha1, known.public_key.sha1)
        if answer.hash_algorithm.name == "sha1"
        else (known.subject.sha256, known.public_key.sha256)
    )
    return (name, key) == (answer.issuer_name_hash, answer.issuer_key_hash)


def _responders(answer: ocsp.OCSPResponse, issuer: x509.Certificate) -> Iterable[x509.Certificate]:
    yield issuer
    for one in answer.certificates:
        try:
            one.verify_directly_issued_by(issuer)
            purposes = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
            continue
        living = one.not_valid_before_utc <= answer.this_update_utc <= one.not_valid_after_utc
        if living and ExtendedKeyUsageOID.OCSP_SIGNING in purposes:
            yield one


def _signed(answer: ocsp.OCSPResponse, by: x509.Certificate) -> bool:
    algorithm = answer.signature_hash_algorithm
    if algorithm is None or algorithm.digest_size < 32:
        return False
    key: PublicKeyTypes = by.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _crl(raw: bytes, issuers: Sequence[x509.Certificate], serial: int | None) -> Status | None:
    """What a complete list of one of *issuers* says of *serial*; lists of parts or differences are not taken."""
    try:
        found = x509.load_der_x509_crl(raw)
        partial = {ExtensionOID.DELTA_CRL_INDICATOR, ExtensionOID.ISSUING_DISTRIBUTION_POINT}
        if any(one.oid in partial for one in found.extensions):
            return None
        algorithm = found.signature_hash_algorithm
        if algorithm is None or algorithm.digest_size < 32:
            return None
        for issuer in issuers:
            key = issuer.public_key()
            if (
                found.issuer == issuer.subject
                and isinstance(key, (ec.EllipticCurvePublicKey, rsa.RSAPublicKey))
                and found.is_signature_valid(key)
            ):
                line = found.get_revoked_certificate_by_serial_number(serial) if serial else None
                return Status("crl", found.last_update_utc, found.next_update_utc, line.revocation_date_utc if line else None, raw)
    except Exception:
        # On what is no answer the libraries raise all kinds of exceptions; whatever it is, it proves nothing.
        return None
    return None
