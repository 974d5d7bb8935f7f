"""Hash, algorithm and certificate confusion: every wrong combination, each container honest but for that.

What would be honest is left out, so every recipe must be refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tests.signing.attacks import containers
from tests.signing.attacks.containers import Recipe, SignWith, ecdsa, honest, issued_by, opened, pss, pss_sign, usage_of
from tests.support.signing_office import Office

_DIGESTS: dict[str, Any] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_WEAK = {"md5", "sha1"}
_DECLARED = (
    "sha1_ecdsa",
    "sha256_ecdsa",
    "sha384_ecdsa",
    "sha512_ecdsa",
    "sha1_rsa",
    "sha256_rsa",
    "sha384_rsa",
    "md5_rsa",
    "rsassa_pkcs1v15",
)


def hashes_and_algorithms(office: Office) -> Iterator[tuple[str, Recipe]]:
    """Every digest of the document × every declared mechanism × every way the key really signs, but the honest ones."""
    good = honest(office)
    binh = office.pki.certificate("binh")
    of_rsa = replace(good, leaf=binh.der, chain=binh.chain, key=opened(office, "binh"))

    for digest in _DIGESTS:
        for mechanism in _DECLARED:
            for really in ("sha1", "sha256", "sha384"):
                by_ecdsa: SignWith = lambda k, c, h=really: ecdsa(k, c, _DIGESTS[h]())  # noqa: E731
                if mechanism != f"{really}_ecdsa" or {digest, really} & _WEAK:
                    yield f"ECDSA: {digest}, declared {mechanism}, signed with {really}", replace(
                        good, digest=digest, algorithm={"algorithm": mechanism}, sign=by_ecdsa
                    )  # fmt: skip
        for declared in _DIGESTS:
            if declared != digest:
                yield f"ECDSA: {digest} used, {declared} declared", replace(good, digest=digest, declared_digest=declared)
    for digest in ("sha1", "sha256"):
        for mechanism in _DECLARED:
            for really in ("sha1", "sha256", "sha384"):
                by_pkcs1: SignWith = lambda k, c, h=really: bytes(k.sign(c, padding.PKCS1v15(), _DIGESTS[h]()))  # noqa: E731
                honestly = mechanism == f"{really}_rsa" or (mechanism == "rsassa_pkcs1v15" and digest == really)
                if not honestly or {digest, really} & _WEAK:
                    yield f"RSA: {digest}, declared {mechanism}, signed with {really}", replace(
                        of_rsa, digest=digest, algorithm={"algorithm": mechanism}, sign=by_pkcs1
                    )  # fmt: skip
    for digest in ("sha1", "sha256", "sha384"):
        for mask in ("sha1", "sha256", "sha384"):
            for salt in (0, 20, 32, 64):
                if (digest, mask, salt) != ("sha256", "sha256", 32):
                    yield f"PSS declared {digest}, mask {mask}, salt {salt}; signed with sha256, salt 32", replace(
                        of_rsa, algorithm=pss(digest, mask, salt), sign=pss_sign(hashes.SHA256(), hashes.SHA256())
                    )  # fmt: skip
            if digest != mask or digest in _WEAK:
                yield f"PSS truly with {digest} and mask {mask}", replace(
                    of_rsa, algorithm=pss(digest, mask), sign=pss_sign(_DIGESTS[digest](), _DIGESTS[mask]())
                )  # fmt: skip


def certificates(office: Office) -> Iterator[tuple[str, Recipe]]:
    """Certificates that must not sign: wrong purpose, wrong time, wrong issuer; most really issued by the authority, by mistake."""
    good, load, now = honest(office), x509.load_der_x509_certificate, office.now
    leaf, issuing = load(good.leaf), load(office.pki.issuing)
    issuing_key = office.pki.authority_key("issuing")
    fresh = ec.generate_private_key(ec.SECP256R1())
    number = leaf.serial_number  # the status service speaks well of this number

    def mistaken(**more: Any) -> Recipe:
        return replace(good, leaf=issued_by(issuing, issuing_key, fresh, leaf, **{"serial": number, **more}), key=fresh)

    others = ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
    for count in range(len(others) + 1):
        for chosen in combinations(others, count):
            yield f"for {', '.join(chosen) or 'nothing'}", mistaken(usage=usage_of(**dict.fromkeys(chosen, True)))
    for chosen in combinations(("key_cert_sign", "crl_sign", "key_encipherment"), 2):
        yield f"for signatures and {chosen}", mistaken(usage=usage_of(digital_signature=True, **dict.fromkeys(chosen, True)))
    purposes = {
        "status answers": "1.3.6.1.5.5.7.3.9", "time stamps": "1.3.6.1.5.5.7.3.8", "programs": "1.3.6.1.5.5.7.3.3",
        "servers": "1.3.6.1.5.5.7.3.1", "network ends": "1.3.6.1.5.5.7.3.5", "sign-on": "1.3.6.1.4.1.311.20.2.2",
        "disks": "1.3.6.1.4.1.311.10.3.4", "unknown": "1.2.3.4.5",
    }  # fmt: skip
    for count in (1, 2, 3):
        for names in combinations(purposes, count):
            yield f"only for {', '.join(names)}", mistaken(extended=[x509.ObjectIdentifier(purposes[one]) for one in names])
    for days in (1, 2, 7, 30, 365, 3000):
        yield f"expired {days} days ago", mistaken(window=(now - timedelta(days=days + 900), now - timedelta(days=days)))
        yield f"beginning in {days} days", mistaken(window=(now + timedelta(days=days), now + timedelta(days=days + 900)))
    yield "expired a minute ago", mistaken(window=(now - timedelta(days=9), now - timedelta(minutes=1)))
    yield "an unknown demand", mistaken(unknown_critical=True)
    yield "never issued, status unknown", mistaken(serial=x509.random_serial_number())
    for size in (1024, 1536, 2040):
        weak = rsa.generate_private_key(public_exponent=65537, key_size=size)
        pkcs1: SignWith = lambda k, c: bytes(k.sign(c, padding.PKCS1v15(), hashes.SHA256()))  # noqa: E731
        der = issued_by(issuing, issuing_key, weak, leaf, serial=number)
        yield f"RSA of {size} bits", replace(good, leaf=der, key=weak, sign=pkcs1, algorithm={"algorithm": "sha256_rsa"})
    yield from _issuers(office, good, fresh)
    yield from _sent(office, good)
    yield from containers.recipes(office)


def _issuers(office: Office, good: Recipe, fresh: Any) -> Iterator[tuple[str, Recipe]]:
    """Chains that lead to no anchor, or through somebody who may not issue."""
    leaf, issuing, root = (x509.load_der_x509_certificate(one) for one in (good.leaf, office.pki.issuing, office.pki.root))
    stranger = ec.generate_private_key(ec.SECP256R1())
    rights = {"issue": usage_of(key_cert_sign=True, crl_sign=True), "sign": usage_of(digital_signature=True), "nothing": usage_of()}
    names = {"the issuer": issuing.subject, "the root": root.subject, "the leader": leaf.subject}
    for person in ("lan", "agency"):
        holder, key = x509.load_der_x509_certificate(office.pki.certificate(person).der), opened(office, person)
        made = issued_by(holder, key, fresh, leaf)
        yield f"issued by {person}", replace(good, leaf=made, key=fresh, chain=(holder.public_bytes(containers.DER), *good.chain))
        yield f"issued by {person}, the chain not sent", replace(good, leaf=made, key=fresh, chain=())
    for named, subject in names.items():
        for right, usage in rights.items():
            for authority in (True, False):
                for above, above_key in (("itself", stranger), ("the leader's key", opened(office, "lan"))):
                    like = issued_by(root, above_key, stranger, issuing, authority=authority, usage=usage, subject=subject)
                    pretender = x509.load_der_x509_certificate(like)
                    for number in (leaf.serial_number, None):
                        der = issued_by(pretender, stranger, fresh, leaf, serial=number)
                        title = f"by a pretender called {named}, made by {above}, may {right}, CA {authority}, number {number is not None}"
                        yield title, replace(good, leaf=der, key=fresh, chain=(like,))


def _sent(office: Office, good: Recipe) -> Iterator[tuple[str, Recipe]]:
    """The right certificate, the wrong company."""
    other = office.pki.certificate("binh").der
    yield "nobody's certificate beside it", replace(good, certificates=(good.leaf, *good.chain, _nobody(good)))
    yield "only the issuer sent", replace(good, certificates=good.chain)
    yield "another person's sent", replace(good, certificates=(other, *good.chain))
    yield "signed by another key", replace(good, key=ec.generate_private_key(ec.SECP256R1()))
    yield "signed by another curve", replace(good, key=ec.generate_private_key(ec.SECP384R1()))


def _nobody(good: Recipe) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    like = x509.load_der_x509_certificate(good.leaf)
    return issued_by(like, key, key, like)


Generator = Callable[[Office], Iterator[tuple[str, Recipe]]]
