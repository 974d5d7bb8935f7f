"""Tricks with certificates, hashes and algorithms: a signature container built by hand, honest but for one thing.

The untouched recipe is called valid, so every refusal is about the one thing that was altered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID

from signing import fields, pades
from signing.model import LEADER, Prepared
from signing.testpki import TestPki
from tests.support.signing_office import FONT, Office, letter, plan

DER = serialization.Encoding.DER
Key = Any
SignWith = Callable[[Key, bytes], bytes]


def ecdsa(key: Key, content: bytes, digest: hashes.HashAlgorithm | None = None) -> bytes:
    return bytes(key.sign(content, ec.ECDSA(digest or hashes.SHA256())))


@dataclass(frozen=True)
class Recipe:
    """What goes into a container; every entry can be altered alone."""

    leaf: bytes
    chain: tuple[bytes, ...]
    key: Key
    digest: str = "sha256"
    declared_digest: str = ""
    algorithm: dict[str, Any] = field(default_factory=lambda: {"algorithm": "sha256_ecdsa"})
    sign: SignWith = ecdsa
    content_type: str | None = "data"
    message_digest: bool = True
    named: bytes | None = b""
    """Certificate the signed attributes name; empty = the leaf, None = none."""
    signing_time: bool = False
    no_attributes: bool = False
    certificates: tuple[bytes, ...] | None = None
    sid: bytes | None = None
    encapsulated: bytes | None = None
    signers: int = 1
    token: Callable[[bytes], bytes | None] | None = None
    version: str = "v1"


def attributes(recipe: Recipe, digest: bytes, now: datetime) -> cms.CMSAttributes:
    made: list[dict[str, Any]] = []
    if recipe.content_type:
        made.append({"type": "content_type", "values": [recipe.content_type]})
    if recipe.signing_time:
        made.append({"type": "signing_time", "values": [cms.Time("utc_time", now)]})
    if recipe.message_digest:
        made.append({"type": "message_digest", "values": [digest]})
    if recipe.named is not None:
        named = recipe.named or recipe.leaf
        certificate = asn1_x509.Certificate.load(named)
        identifier = tsp.ESSCertIDv2(
            {
                "hash_algorithm": {"algorithm": "sha256"},
                "cert_hash": hashlib.sha256(named).digest(),
                "issuer_serial": {
                    "issuer": [asn1_x509.GeneralName("directory_name", certificate.issuer)],
                    "serial_number": certificate.serial_number,
                },
            }
        )
        made.append({"type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2({"certs": [identifier]})]})
    return cms.CMSAttributes([cms.CMSAttribute(one) for one in made])


def container(recipe: Recipe, pdf: bytes, reserved: list[int], now: datetime) -> bytes:
    """The container (DER) over everything but its own room."""
    covered = pdf[: reserved[0]] + pdf[reserved[1] :]
    digest = hashlib.new(recipe.digest, covered).digest()
    signed = attributes(recipe, digest, now)
    value = recipe.sign(recipe.key, covered if recipe.no_attributes else signed.dump())
    identified = asn1_x509.Certificate.load(recipe.sid or recipe.leaf)
    declared = {"algorithm": recipe.declared_digest or recipe.digest}
    info: dict[str, Any] = {
        "version": recipe.version,
        "sid": cms.SignerIdentifier(
            "issuer_and_serial_number",
            cms.IssuerAndSerialNumber({"issuer": identified.issuer, "serial_number": identified.serial_number}),
        ),
        "digest_algorithm": algos.DigestAlgorithm(declared),
        "signature_algorithm": algos.SignedDigestAlgorithm(recipe.algorithm),
        "signature": value,
    }
    if not recipe.no_attributes:
        info["signed_attrs"] = signed
    token = recipe.token(value) if recipe.token else None
    if token is not None:
        stamp = cms.CMSAttribute({"type": "signature_time_stamp_token", "values": [cms.ContentInfo.load(token)]})
        info["unsigned_attrs"] = cms.CMSAttributes([stamp])
    content: dict[str, Any] = {"content_type": "data"}
    if recipe.encapsulated is not None:
        content["content"] = core.OctetString(recipe.encapsulated)
    sent = recipe.certificates if recipe.certificates is not None else (recipe.leaf, *recipe.chain)
    made = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [algos.DigestAlgorithm(declared)],
            "encap_content_info": content,
            "certificates": [asn1_x509.Certificate.load(one) for one in sent],
            "signer_infos": [cms.SignerInfo(info)] * recipe.signers,
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": made}).dump())


def embedded(office: Office, recipe: Recipe, document: bytes) -> bytes:
    """A document signed by the container of *recipe*."""
    prepared = _prepared(office.folder, office.now, document)
    start, end = prepared.state["reserved"]
    raw = container(recipe, prepared.pdf, [start, end], office.now).hex().encode()
    return prepared.pdf[: start + 1] + raw.ljust(end - start - 2, b"0") + prepared.pdf[end - 1 :]


@cache
def _prepared(folder: Path, now: datetime, document: bytes) -> Prepared:
    return pades.prepare(document, LEADER, TestPki(folder).certificate("lan"), now)


def opened(office: Office, key_id: str) -> Key:
    return pkcs12.load_pkcs12((office.folder / "keys" / f"{key_id}.p12").read_bytes(), office.pins[key_id].encode()).key


def honest(office: Office) -> Recipe:
    """The recipe our own signatures follow."""
    certificate = office.pki.certificate("lan")
    return Recipe(
        certificate.der, certificate.chain, opened(office, "lan"), token=lambda value: office.tsa.token(pades.imprint(value), office.now)
    )


def issued_by(
    issuer: x509.Certificate,
    issuer_key: Key,
    key: Key,
    like: x509.Certificate,
    *,
    usage: x509.KeyUsage | None = None,
    extended: list[x509.ObjectIdentifier] | None = None,
    digest: hashes.HashAlgorithm | None = None,
    window: tuple[datetime, datetime] | None = None,
    serial: int | None = None,
    authority: bool = False,
    unknown_critical: bool = False,
    subject: x509.Name | None = None,
) -> bytes:
    """A certificate *like* another, issued by whoever has a key."""
    since, until = window or (like.not_valid_before_utc, like.not_valid_after_utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject or like.subject)
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    for one in like.extensions:
        if isinstance(one.value, x509.AuthorityInformationAccess | x509.CRLDistributionPoints):
            builder = builder.add_extension(one.value, critical=False)
        elif isinstance(one.value, x509.KeyUsage):
            builder = builder.add_extension(usage or one.value, critical=True)
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=True)
    if unknown_critical:
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), critical=True)
    return builder.sign(issuer_key, digest or hashes.SHA256()).public_bytes(DER)


def usage_of(**set_: bool) -> x509.KeyUsage:
    """Key usages by name."""
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign encipher_only"
    return x509.KeyUsage(**{one: set_.get(one, False) for one in [*names.split(), "decipher_only"]})


def recipes(office: Office) -> Iterator[tuple[str, Recipe]]:
    """Every trick; the hierarchy's own keys are used where an attacker with a mistaken authority is supposed."""
    good = honest(office)
    load = x509.load_der_x509_certificate
    leaf, issuing, root = load(good.leaf), load(office.pki.issuing), load(office.pki.root)
    issuing_key = office.pki.authority_key("issuing")
    binh = office.pki.certificate("binh")
    fresh, rsa_key = ec.generate_private_key(ec.SECP256R1()), opened(office, "binh")

    yield (
        "SHA-1 everywhere",
        replace(good, digest="sha1", algorithm={"algorithm": "sha1_ecdsa"}, sign=lambda k, c: ecdsa(k, c, hashes.SHA1())),
    )
    yield "SHA-1 of the document", replace(good, digest="sha1")
    yield "MD5 of the document", replace(good, digest="md5")
    yield "SHA-1 of the attributes", replace(good, algorithm={"algorithm": "sha1_ecdsa"}, sign=lambda k, c: ecdsa(k, c, hashes.SHA1()))
    yield "another digest declared", replace(good, declared_digest="sha512")
    yield "another digest used", replace(good, sign=lambda k, c: ecdsa(k, c, hashes.SHA384()))
    yield "RSA declared for ECDSA", replace(good, algorithm={"algorithm": "sha256_rsa"})
    yield "algorithm without a digest", replace(good, algorithm={"algorithm": "rsassa_pkcs1v15"})
    yield "no signed attributes", replace(good, no_attributes=True)
    yield "no message digest", replace(good, message_digest=False)
    yield "no content type", replace(good, content_type=None)
    yield "another content type", replace(good, content_type="signed_data")
    yield "no certificate named", replace(good, named=None)
    yield "another certificate named", replace(good, named=binh.der)
    yield "the issuer named", replace(good, named=office.pki.issuing)
    yield "content inside", replace(good, encapsulated=b"other")
    yield "two signers", replace(good, signers=2)
    yield "no signer", replace(good, signers=0)
    yield "another version", replace(good, version="v3")
    yield "signature of zeros", replace(good, sign=lambda _k, _c: bytes.fromhex("3006020100020100"))
    yield "signature of ones", replace(good, sign=lambda _k, _c: bytes.fromhex("3006020101020101"))
    yield "empty signature", replace(good, sign=lambda _k, _c: b"")
    yield "another person's certificate", replace(good, leaf=binh.der, chain=binh.chain)
    yield "another signer pointed to", replace(good, sid=binh.der, certificates=(good.leaf, binh.der, *good.chain))
    yield "no certificate sent", replace(good, certificates=())
    yield "leaf twice", replace(good, certificates=(good.leaf, good.leaf, *good.chain))

    own = issued_by(leaf, fresh, fresh, leaf)
    yield "issued by itself in the same name", replace(good, leaf=own, key=fresh)
    by_leaf = issued_by(leaf, good.key, fresh, leaf)
    yield "issued by a person", replace(good, leaf=by_leaf, key=fresh, chain=(good.leaf, *good.chain))
    pretender = load(
        issued_by(root, fresh, fresh, issuing, authority=True, usage=usage_of(key_cert_sign=True, crl_sign=True), subject=issuing.subject)
    )
    yield (
        "issued by an authority of the same name",
        replace(good, leaf=issued_by(pretender, fresh, fresh, leaf), key=fresh, chain=(pretender.public_bytes(DER),)),
    )
    yield "same number, other key", replace(good, leaf=issued_by(pretender, fresh, fresh, leaf, serial=leaf.serial_number), key=fresh)
    made: Callable[..., bytes] = lambda **more: issued_by(issuing, issuing_key, fresh, leaf, **more)  # noqa: E731
    yield "never issued, status unknown", replace(good, leaf=made(), key=fresh)
    yield "for encryption only", replace(good, leaf=made(usage=usage_of(key_encipherment=True), serial=leaf.serial_number), key=fresh)
    yield (
        "for issuing only",
        replace(good, leaf=made(usage=usage_of(key_cert_sign=True, crl_sign=True), serial=leaf.serial_number), key=fresh),
    )
    yield "for status answers", replace(good, leaf=made(extended=[ExtendedKeyUsageOID.OCSP_SIGNING], serial=leaf.serial_number), key=fresh)
    yield "for time stamps", replace(good, leaf=made(extended=[ExtendedKeyUsageOID.TIME_STAMPING], serial=leaf.serial_number), key=fresh)
    yield "for programs", replace(good, leaf=made(extended=[ExtendedKeyUsageOID.CODE_SIGNING], serial=leaf.serial_number), key=fresh)
    yield "an unknown demand", replace(good, leaf=made(unknown_critical=True, serial=leaf.serial_number), key=fresh)
    now = office.now
    yield (
        "expired",
        replace(good, leaf=made(window=(now - timedelta(days=900), now - timedelta(days=1)), serial=leaf.serial_number), key=fresh),
    )
    yield (
        "not yet",
        replace(good, leaf=made(window=(now + timedelta(days=1), now + timedelta(days=900)), serial=leaf.serial_number), key=fresh),
    )
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    pkcs1: SignWith = lambda k, c: bytes(k.sign(c, padding.PKCS1v15(), hashes.SHA256()))  # noqa: E731
    yield "RSA of 1024 bits", replace(
        good, leaf=issued_by(issuing, issuing_key, small, leaf, serial=leaf.serial_number), key=small, sign=pkcs1,
        algorithm={"algorithm": "sha256_rsa"},
    )  # fmt: skip
    for role in ("tsa", "ocsp"):
        service = (office.folder / f"{role}.der").read_bytes()
        yield f"signed by the {role} service", replace(good, leaf=service, key=office.pki.authority_key(role))
    yield (
        "signed by the authority",
        replace(
            good,
            leaf=office.pki.issuing,
            chain=(office.pki.root,),
            key=issuing_key,
            algorithm=_alike(issuing_key),
            sign=_signer(issuing_key),
        ),
    )

    of_rsa = replace(good, leaf=binh.der, chain=binh.chain, key=rsa_key)
    yield (
        "RSA with SHA-1",
        replace(of_rsa, algorithm={"algorithm": "sha1_rsa"}, sign=lambda k, c: k.sign(c, padding.PKCS1v15(), hashes.SHA1())),
    )
    yield "PSS with SHA-1 inside", replace(of_rsa, algorithm=pss("sha256", "sha1"), sign=pss_sign(hashes.SHA256(), hashes.SHA1()))
    yield "PSS with SHA-1", replace(of_rsa, algorithm=pss("sha1", "sha1"), sign=pss_sign(hashes.SHA1(), hashes.SHA1()))
    yield (
        "PSS with another salt declared",
        replace(of_rsa, algorithm=pss("sha256", "sha256", 64), sign=pss_sign(hashes.SHA256(), hashes.SHA256())),
    )
    yield (
        "PKCS#1 declared for PSS",
        replace(of_rsa, algorithm={"algorithm": "sha256_rsa"}, sign=pss_sign(hashes.SHA256(), hashes.SHA256())),
    )

    yield from tokens(office, good)


def _alike(key: Key) -> dict[str, Any]:
    return {"algorithm": "sha256_rsa"} if isinstance(key, rsa.RSAPrivateKey) else {"algorithm": "sha256_ecdsa"}


def _signer(key: Key) -> SignWith:
    return (lambda k, c: bytes(k.sign(c, padding.PKCS1v15(), hashes.SHA256()))) if isinstance(key, rsa.RSAPrivateKey) else ecdsa


def pss(digest: str, mask: str, salt: int = 32) -> dict[str, Any]:
    """RSASSA-PSS with its parameters."""
    parameters = {
        "hash_algorithm": {"algorithm": digest},
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": mask}},
        "salt_length": salt,
    }
    return {"algorithm": "rsassa_pss", "parameters": algos.RSASSAPSSParams(parameters)}


def pss_sign(digest: hashes.HashAlgorithm, mask: hashes.HashAlgorithm) -> SignWith:
    """A key that signs so."""
    return lambda k, c: bytes(k.sign(c, padding.PSS(padding.MGF1(mask), 32), digest))


def tokens(office: Office, good: Recipe) -> Iterator[tuple[str, Recipe]]:
    """Time stamps that prove nothing."""
    now = office.now
    yield "token over other bytes", replace(good, token=lambda _: office.tsa.token(bytes(32), now))
    yield "token from before the certificate", replace(good, token=lambda v: _stamped(office, v, datetime(2020, 1, 1, tzinfo=now.tzinfo)))
    yield "token from tomorrow", replace(good, token=lambda v: _stamped(office, v, now + timedelta(days=1)))
    yield "token changed", replace(good, token=lambda v: _flipped(office.tsa.token(pades.imprint(v), now)))
    yield "token is no token", replace(good, token=lambda _: cms.ContentInfo({"content_type": "data", "content": b"x"}).dump())


def _stamped(office: Office, value: bytes, at: datetime) -> bytes:
    from signing.tsa import in_process

    return in_process(office.authorities.timestamp, lambda: at).token(pades.imprint(value), at, max_skew=None)


def _flipped(token: bytes) -> bytes:
    return token[:-1] + bytes([token[-1] ^ 1])


def document() -> bytes:
    """A letter with its fields, not signed yet."""
    only_leader = replace(plan(), agency=None, number=None, date=None)
    return fields.add_fields(letter(), only_leader, FONT.read_bytes())


__all__ = ["Recipe", "container", "document", "embedded", "honest", "issued_by", "opened", "pss", "pss_sign", "recipes", "usage_of"]
