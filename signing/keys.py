"""Raw signatures and what to know of a certificate; imports no PDF machinery, so the small processes stay small."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from asn1crypto import algos
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from signing.errors import SigningError
from signing.model import CertificateFacts, SignerCertificate

ECDSA = "ecdsa-sha256"
PSS = "rsa-pss-sha256"
PKCS1 = "rsa-pkcs1-sha256"


def mechanism(name: str) -> algos.SignedDigestAlgorithm:
    """The CMS identifier of a signature mechanism.

    PSS always names its salt length: left to the library it becomes the maximum, and a raw signature with the usual 32 bytes is then
    invalid for every verifier.
    """
    if name == ECDSA:
        return algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})
    if name == PKCS1:
        return algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"})
    parameters = algos.RSASSAPSSParams(
        {
            "hash_algorithm": {"algorithm": "sha256"},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": "sha256"}},
            "salt_length": 32,
        }
    )
    return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})


def mechanism_for(certificate: bytes) -> str:
    """The mechanism new signatures use with the key of *certificate* (DER): ECDSA, or RSASSA-PSS for RSA keys."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return ECDSA
    if isinstance(key, rsa.RSAPublicKey):
        return PSS
    raise SigningError("signing.key_unsupported", algorithm=type(key).__name__)


def sign_with(key: PrivateKeyTypes, name: str, content: bytes) -> bytes:
    """Sign *content* with a loaded key by mechanism *name*."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(content, ec.ECDSA(hashes.SHA256()))
    if isinstance(key, rsa.RSAPrivateKey):
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if name == PSS else padding.PKCS1v15()
        return key.sign(content, scheme, hashes.SHA256())
    raise SigningError("signing.key_unsupported", algorithm=type(key).__name__)


def check_raw(certificate: bytes, name: str, signature: bytes, content: bytes) -> None:
    """Check a raw signature against the public key of *certificate*.

    Raises:
        SigningError: ``signing.answer_wrong`` when the signature does not belong to these bytes and this key.
    """
    key = x509.load_der_x509_certificate(certificate).public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if name == PSS else padding.PKCS1v15()
            key.verify(signature, content, scheme, hashes.SHA256())
        else:
            raise SigningError("signing.key_unsupported", algorithm=type(key).__name__)
    except InvalidSignature as problem:
        raise SigningError("signing.answer_wrong") from problem


@lru_cache(maxsize=512)
def parsed(der: bytes) -> asn1_x509.Certificate:
    """The asn1crypto view of a certificate; parsing is a good part of signing time, so each is parsed once."""
    return asn1_x509.Certificate.load(der)


def certificate_facts(der: bytes) -> CertificateFacts:
    """What to show of a certificate (DER): owner, title, organisation, issuer, validity."""
    certificate = x509.load_der_x509_certificate(der)

    def first(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
        found = name.get_attributes_for_oid(oid)
        return str(found[0].value) if found else ""

    oid = x509.NameOID
    subject, issuer = certificate.subject, first(certificate.issuer, oid.COMMON_NAME)
    key = certificate.public_key()
    algorithm = f"ECDSA {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else f"RSA {getattr(key, 'key_size', 0)}"
    return CertificateFacts(
        common_name=first(subject, oid.COMMON_NAME),
        title=first(subject, oid.TITLE),
        organisation=first(subject, oid.ORGANIZATION_NAME),
        issuer=issuer,
        serial=f"{certificate.serial_number:x}",
        valid_from=certificate.not_valid_before_utc.isoformat(),
        valid_until=certificate.not_valid_after_utc.isoformat(),
        algorithm=algorithm,
        is_test="TEST" in issuer or "TEST" in first(subject, oid.COMMON_NAME),
    )


def read_certificate(given: bytes, chain: Iterable[bytes] = ()) -> SignerCertificate:
    """A certificate as people hand it over: DER, or PEM with those above it.

    Raises:
        SigningError: ``key.certificate_unreadable``.
    """
    try:
        if b"-----BEGIN" in given:
            leaf, *above = (one.public_bytes(serialization.Encoding.DER) for one in x509.load_pem_x509_certificates(given))
        else:
            leaf, above = x509.load_der_x509_certificate(given).public_bytes(serialization.Encoding.DER), []
        return SignerCertificate(
            leaf, (*above, *(x509.load_der_x509_certificate(one).public_bytes(serialization.Encoding.DER) for one in chain))
        )
    except (ValueError, TypeError) as problem:
        raise SigningError("key.certificate_unreadable") from problem


def complete_chain(certificate: SignerCertificate, known: Iterable[bytes]) -> SignerCertificate:
    """The certificate with those above it in order, as far as they came along or are *known*; without roots and what does not belong.

    A token mostly holds the signer's certificate alone, and a file without the ones between cannot be judged by others.
    """
    by_name = {one.subject.dump(): one for one in parsed_all((*known, *certificate.chain))}
    found: list[bytes] = []
    at = parsed(certificate.der)
    while (above := by_name.get(at.issuer.dump())) is not None and above.dump() not in found and not above.self_issued:
        found.append(above.dump())
        at = above
    return SignerCertificate(certificate.der, tuple(found))


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate in hex."""
    return hashlib.sha256(der).hexdigest()


def parsed_all(ders: Iterable[bytes]) -> list[asn1_x509.Certificate]:
    """Several certificates at once, see ``parsed``."""
    return [parsed(der) for der in ders]
