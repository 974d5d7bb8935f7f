"""The answers of the TEST authorities: time-stamp tokens (RFC 3161), OCSP (RFC 6960), revocation lists (RFC 5280).

Pure functions of a request, the stored hierarchy and an instant: whoever asks decides what time it is, so the demonstration's shifted
clock and a test's moved clock need nothing else.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from signing.der import general_time, integer, oid, sequence, time_of
from signing.keys import mechanism_for, sign_with
from signing.model import SignerCertificate
from signing.signed_data import TST_INFO, attribute, container, signed_attributes
from signing.testpki import TestPki

_SIGNING_TIME = oid("1.2.840.113549.1.9.5")
POLICY = "1.3.6.1.4.1.99999.1.1"
_REASONS = {"key_compromise": x509.ReasonFlags.key_compromise, "affiliation_changed": x509.ReasonFlags.affiliation_changed}


class Authorities:
    """The TEST authorities with their keys loaded once."""

    def __init__(self, pki: TestPki) -> None:
        self._pki = pki
        self._tsa_der = (pki.folder / "tsa.der").read_bytes()
        self._tsa_key = pki.authority_key("tsa")
        self._ocsp_key = pki.authority_key("ocsp")
        self._ocsp = x509.load_der_x509_certificate((pki.folder / "ocsp.der").read_bytes())
        self._issuing_der = pki.issuing
        self._issuing = x509.load_der_x509_certificate(self._issuing_der)

    def timestamp(self, request: bytes, now: datetime) -> bytes:
        """Answer a time-stamp query (DER) with a response (DER) that says *now*."""
        query = tsp.TimeStampReq.load(request)
        imprint = query["message_imprint"]
        known = {"sha256": 32, "sha384": 48, "sha512": 64}.get(imprint["hash_algorithm"]["algorithm"].native)
        if known is None or len(imprint["hashed_message"].native) != known:
            return _rejection()
        content = sequence(
            integer(1),
            oid(POLICY),
            imprint.dump(),
            integer(secrets.randbits(63)),
            general_time(now),
            query["nonce"].dump(),
        )
        return sequence(sequence(integer(0)), self._signed(content, now))

    def _signed(self, content: bytes, now: datetime) -> bytes:
        name = mechanism_for(self._tsa_der)
        at = attribute(_SIGNING_TIME, time_of(now))
        attributes = signed_attributes(self._tsa_der, hashlib.sha256(content).digest(), TST_INFO, [at])
        signature = sign_with(self._tsa_key, name, attributes)
        return container(SignerCertificate(self._tsa_der, (self._issuing_der,)), name, attributes, signature, content=content)

    def ocsp(self, request: bytes, now: datetime) -> bytes:
        """Answer an OCSP request (DER); unknown serial numbers are *unknown*, never *good*."""
        query = ocsp.load_der_ocsp_request(request)
        now = now.astimezone(UTC).replace(microsecond=0)
        if query.issuer_key_hash != _key_hash(self._issuing, query.hash_algorithm):
            return ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED).public_bytes(
                serialization.Encoding.DER
            )
        entry = self._pki.revoked().get(f"{query.serial_number:x}")
        revoked_at = datetime.fromisoformat(entry["at"]) if entry else None
        status, when, reason = ocsp.OCSPCertStatus.GOOD, None, None
        if entry and revoked_at and revoked_at <= now:
            status, when = ocsp.OCSPCertStatus.REVOKED, revoked_at
            reason = _REASONS.get(entry["reason"], x509.ReasonFlags.unspecified)
        elif not self._pki.knows_serial(query.serial_number):
            status = ocsp.OCSPCertStatus.UNKNOWN
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            query.issuer_name_hash,
            query.issuer_key_hash,
            query.serial_number,
            query.hash_algorithm,
            status,
            this_update=now,
            next_update=now + timedelta(days=1),
            revocation_time=when,
            revocation_reason=reason,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self._ocsp).certificates([self._ocsp])
        for extension in query.extensions:
            if isinstance(extension.value, x509.OCSPNonce):
                builder = builder.add_extension(extension.value, critical=False)
        return builder.sign(self._ocsp_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def crl(self, role: str, now: datetime) -> bytes:
        """The revocation list of the ``issuing`` or the ``root`` authority at instant *now*, good for a week."""
        now = now.astimezone(UTC).replace(microsecond=0)
        issuer = x509.load_der_x509_certificate((self._pki.folder / f"{role}.der").read_bytes())
        key = self._pki.authority_key(role)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.subject)
            .last_update(now)
            .next_update(now + timedelta(days=7))
            .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        )
        for serial, entry in self._pki.revoked().items() if role == "issuing" else ():
            at = datetime.fromisoformat(entry["at"])
            if at <= now:
                reason = x509.CRLReason(_REASONS.get(entry["reason"], x509.ReasonFlags.unspecified))
                line = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(at)
                builder = builder.add_revoked_certificate(line.add_extension(reason, critical=False).build())
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _rejection() -> bytes:
    """A response without token; asn1crypto insists on one, so the outer sequence is written by hand."""
    status = bytes(tsp.PKIStatusInfo({"status": "rejection", "fail_info": {"bad_alg"}}).dump())
    return b"\x30" + bytes([len(status)]) + status


def _key_hash(issuer: x509.Certificate, algorithm: hashes.HashAlgorithm) -> bytes:
    identifier = asn1_x509.Certificate.load(issuer.public_bytes(serialization.Encoding.DER))
    bits = identifier["tbs_certificate"]["subject_public_key_info"]["public_key"].contents[1:]
    return hashlib.new(algorithm.name, bits, usedforsecurity=False).digest()
