"""The CMS container of one signature (RFC 5652), written as DER byte by byte as the general library writes it (the tests compare).

For signatures (CAdES attributes of PAdES, ETSI EN 319 122-1) and for the time-stamp tokens of the TEST authority.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from signing.der import NULL, SET, context, context_tag, element, integer, octets, oid, sequence, set_of
from signing.keys import mechanism, parsed
from signing.model import SignerCertificate

DATA = oid("1.2.840.113549.1.7.1")
TST_INFO = oid("1.2.840.113549.1.9.16.1.4")
_SIGNED_DATA = oid("1.2.840.113549.1.7.2")
_CONTENT_TYPE = oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = oid("1.2.840.113549.1.9.4")
_SIGNING_CERTIFICATE = oid("1.2.840.113549.1.9.16.2.47")
_TIMESTAMP = oid("1.2.840.113549.1.9.16.2.14")
SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"), element(NULL))


def attribute(kind: bytes, value: bytes) -> bytes:
    """One attribute with one value."""
    return sequence(kind, set_of([value]))


def signed_attributes(certificate: bytes, digest: bytes, content: bytes, more: Iterable[bytes] = ()) -> bytes:
    """The SET a key signs: kind and digest of the content, the certificate by its digest (signing-certificate-v2), *more*."""
    _, _, named = _identity(certificate)
    return set_of(
        [
            attribute(_CONTENT_TYPE, content),
            attribute(_MESSAGE_DIGEST, octets(digest)),
            attribute(_SIGNING_CERTIFICATE, named),
            *more,
        ]
    )


def container(
    certificate: SignerCertificate, name: str, attributes: bytes, signature: bytes, token: bytes | None = None, content: bytes | None = None
) -> bytes:
    """The whole container; *attributes* as signed, *token* over the signature, *content* a time-stamp's own (else it is detached)."""
    issuer, serial, _ = _identity(certificate.der)
    signer = sequence(
        integer(1),
        sequence(issuer, serial),
        SHA256,
        # The same set under its implicit tag: only the first byte differs.
        bytes((context_tag(0),)) + attributes[1:],
        _mechanism(name),
        octets(signature),
        element(context_tag(1), attribute(_TIMESTAMP, token)) if token else b"",
    )
    enclosed = sequence(DATA) if content is None else sequence(TST_INFO, context(0, octets(content)))
    data = sequence(
        integer(1 if content is None else 3),
        set_of([SHA256]),
        enclosed,
        set_of({certificate.der, *certificate.chain}, context_tag(0)),
        set_of([signer]),
    )
    assert attributes[0] == SET
    return sequence(_SIGNED_DATA, context(0, data))


@lru_cache(maxsize=512)
def _identity(certificate: bytes) -> tuple[bytes, bytes, bytes]:
    """Issuer and serial number as they stand in the certificate, and the ``SigningCertificateV2`` that names it."""
    read = parsed(certificate)["tbs_certificate"]
    issuer, serial = read["issuer"].chosen.dump(), read["serial_number"].dump()
    named = sequence(octets(hashlib.sha256(certificate).digest()), sequence(sequence(context(4, issuer)), serial))
    return issuer, serial, sequence(sequence(named))


@lru_cache(maxsize=8)
def _mechanism(name: str) -> bytes:
    return bytes(mechanism(name).dump())
