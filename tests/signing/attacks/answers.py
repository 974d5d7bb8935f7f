"""Status answers and revocation lists that must not be believed: a revoked certificate called good by whoever is not asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.signing.attacks.containers import issued_by, opened
from tests.support.signing_office import InProcessSources, Office

DER = serialization.Encoding.DER
Answer = Callable[[bytes], bytes]


class ForgedSources(InProcessSources):
    """Whoever sits between the verifier and the services: about the leader one kind of answer is forged, the other is silent."""

    def __init__(self, office: Office, status: Answer | None, revoked: Answer | None) -> None:
        super().__init__(office)
        self._status, self._revoked = status, revoked
        self._about = x509.load_der_x509_certificate(office.pki.certificate("lan").der).serial_number

    def _ask(self, url: str, body: bytes, kind: str) -> bytes:
        if url.endswith("/ocsp") and ocsp.load_der_ocsp_request(body).serial_number != self._about:
            return super()._ask(url, body, kind)  # the others are spoken of truly
        made = self._status if url.endswith("/ocsp") else self._revoked if url.endswith("issuing.crl") else None
        if made is None and not url.endswith("root.crl"):
            raise ConnectionError
        return made(body) if made else super()._ask(url, body, kind)


def status(
    office: Office,
    signer: x509.Certificate,
    key: Any,
    *,
    at: datetime,
    lasting: timedelta | None = timedelta(days=1),
    serial: int | None = None,
    issuer: x509.Certificate | None = None,
    state: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    sent: bool = True,
) -> Answer:
    """An answer about whatever is asked, by *signer*."""

    def answered(body: bytes) -> bytes:
        query = ocsp.load_der_ocsp_request(body)
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            query.issuer_name_hash, query.issuer_key_hash, serial or query.serial_number, query.hash_algorithm, state,
            this_update=at, next_update=at + lasting if lasting else None, revocation_time=None, revocation_reason=None,
        )  # fmt: skip
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer)
        if sent:
            builder = builder.certificates([signer])
        return builder.sign(key, hashes.SHA256()).public_bytes(DER)

    return answered


def revocations(office: Office, issuer: x509.Certificate, key: Any, *, at: datetime, lasting: timedelta = timedelta(days=7)) -> Answer:
    """An empty list by *issuer*."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject).last_update(at).next_update(at + lasting)
    builder = builder.add_extension(x509.CRLNumber(1), critical=False).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
    )
    return lambda _: builder.sign(key, hashes.SHA256()).public_bytes(DER)


def forged(office: Office) -> Iterator[tuple[str, ForgedSources]]:
    """Every forgery; the leader's certificate is revoked in truth."""
    load, now = x509.load_der_x509_certificate, office.now.replace(microsecond=0)
    issuing, root = load(office.pki.issuing), load(office.pki.root)
    responder, responder_key = load((office.folder / "ocsp.der").read_bytes()), office.pki.authority_key("ocsp")
    leaf, leaf_key = load(office.pki.certificate("lan").der), opened(office, "lan")
    agency, agency_key = load(office.pki.certificate("agency").der), opened(office, "agency")
    tsa = load((office.folder / "tsa.der").read_bytes())
    stranger = ec.generate_private_key(ec.SECP256R1())
    hostile = load(issued_by(issuing, stranger, stranger, responder, extended=[ExtendedKeyUsageOID.OCSP_SIGNING]))
    by_leaf = load(issued_by(leaf, leaf_key, stranger, responder, extended=[ExtendedKeyUsageOID.OCSP_SIGNING]))
    no_purpose = load(issued_by(issuing, office.pki.authority_key("issuing"), stranger, agency))
    made: list[tuple[str, Answer]] = [
        ("about another certificate", status(office, responder, responder_key, at=now, serial=agency.serial_number)),
        ("about the number after it", status(office, responder, responder_key, at=now, serial=leaf.serial_number + 1)),
        ("about number one", status(office, responder, responder_key, at=now, serial=1)),
        ("unknown", status(office, responder, responder_key, at=now, state=ocsp.OCSPCertStatus.UNKNOWN)),
        ("try again", lambda _: ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(DER)),
        ("not allowed", lambda _: ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED).public_bytes(DER)),
        ("nothing", lambda _: b""),
        ("no DER", lambda _: b"\x30\x80\x00\x00"),
        ("a page", lambda _: b"<html>welcome</html>"),
        ("cut", lambda body: status(office, responder, responder_key, at=now)(body)[:-40]),
        ("the question", lambda body: body),
    ]
    signers = {
        "the revoked one": (leaf, leaf_key),
        "another person": (agency, agency_key),
        "the time-stamping authority": (tsa, office.pki.authority_key("tsa")),
        "a responder of the same name": (hostile, stranger),
        "a responder made by the revoked one": (by_leaf, stranger),
        "a certificate without the purpose": (no_purpose, stranger),
        "the responder's name, another key": (responder, stranger),
        "the issuer's name, another key": (issuing, stranger),
    }
    for who, (signer, key) in signers.items():
        for when, at in (("now", now), ("an hour ago", now - timedelta(hours=1)), ("two days ago", now - timedelta(days=2))):
            for how_long, lasting in (("a day", timedelta(days=1)), ("a year", timedelta(days=365)), ("ever", None)):
                for sent in (True, False):
                    told = f"by {who}, {when}, good for {how_long}{'' if sent else ', no certificate sent'}"
                    made.append((told, status(office, signer, key, at=at, lasting=lasting, sent=sent)))
    for days in (9, 11, 30, 365, 3000):
        for how_long, lasting in (("a day", timedelta(days=1)), ("ever", None)):
            # The leader was revoked ten days ago: what is older was true then, what is newer was never said.
            if days > 10:
                made.append((f"from {days} days ago, good for {how_long}", status(
                    office, responder, responder_key, at=now - timedelta(days=days), lasting=lasting)))  # fmt: skip
            made.append((f"from {days} days on, good for {how_long}", status(
                office, responder, responder_key, at=now + timedelta(days=days), lasting=lasting)))  # fmt: skip
    for title, answer in made:
        yield f"status: {title}", ForgedSources(office, answer, None)
    lists: list[tuple[str, Answer]] = [("nothing", lambda _: b""), ("a page", lambda _: b"<html></html>")]
    root_key, issuing_key = office.pki.authority_key("root"), office.pki.authority_key("issuing")
    for who, by, key in (
        ("a stranger of the same name", issuing, stranger),
        ("the root", root, root_key),
        ("the revoked one", leaf, leaf_key),
        ("another person", agency, agency_key),
        ("the responder in the issuer's name", issuing, responder_key),
        ("the time-stamping authority in the issuer's name", issuing, office.pki.authority_key("tsa")),
    ):
        for when, at in (("now", now), ("an hour ago", now - timedelta(hours=1)), ("two days ago", now - timedelta(days=2))):
            for how_long, days in (("a day", 1), ("a week", 7), ("a year", 365)):
                lists.append((f"by {who}, {when}, good for {how_long}", revocations(office, by, key, at=at, lasting=timedelta(days=days))))
    for days in (11, 30, 365):
        lists.append((f"from {days} days ago", revocations(office, issuing, issuing_key, at=now - timedelta(days=days))))
        lists.append((f"from {days} days on", revocations(office, issuing, issuing_key, at=now + timedelta(days=days))))
        held = revocations(office, issuing, issuing_key, at=now - timedelta(days=days), lasting=timedelta(days=3000))
        lists.append((f"from {days} days ago, good for years", held))
    for title, answer in lists:
        yield f"list: {title}", ForgedSources(office, None, answer)
    yield "silence", ForgedSources(office, None, None)
