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
        ("the revoked one vouches for itself", status(office, leaf, leaf_key, at=now)),
        ("another person's key", status(office, agency, agency_key, at=now)),
        ("the time-stamping authority", status(office, tsa, office.pki.authority_key("tsa"), at=now)),
        ("a responder of the same name", status(office, hostile, stranger, at=now)),
        ("a responder made by the revoked one", status(office, by_leaf, stranger, at=now)),
        ("a certificate without the purpose", status(office, no_purpose, stranger, at=now)),
        ("the responder's name, another key", status(office, responder, stranger, at=now)),
        ("no certificate sent", status(office, hostile, stranger, at=now, sent=False)),
        ("about another certificate", status(office, responder, responder_key, at=now, serial=agency.serial_number)),
        ("from a month ago", status(office, responder, responder_key, at=now - timedelta(days=30))),
        ("from before the revocation, without an end", status(office, responder, responder_key, at=now - timedelta(days=30), lasting=None)),
        ("from next month", status(office, responder, responder_key, at=now + timedelta(days=30))),
        ("unknown", status(office, responder, responder_key, at=now, state=ocsp.OCSPCertStatus.UNKNOWN)),
        ("try again", lambda _: ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(DER)),
        ("nothing", lambda _: b""),
        ("no DER", lambda _: b"\x30\x80\x00\x00"),
        ("a page", lambda _: b"<html>welcome</html>"),
        ("cut", lambda body: status(office, responder, responder_key, at=now)(body)[:-40]),
    ]
    for title, answer in made:
        yield f"status: {title}", ForgedSources(office, answer, None)
    lists: list[tuple[str, Answer]] = [
        ("by a stranger of the same name", revocations(office, issuing, stranger, at=now)),
        ("by the root", revocations(office, root, office.pki.authority_key("root"), at=now)),
        ("by the revoked one", revocations(office, leaf, leaf_key, at=now)),
        ("in the issuer's name by the responder", revocations(office, issuing, responder_key, at=now)),
        ("from a month ago", revocations(office, issuing, office.pki.authority_key("issuing"), at=now - timedelta(days=30))),
        ("from next month", revocations(office, issuing, office.pki.authority_key("issuing"), at=now + timedelta(days=30))),
        ("nothing", lambda _: b""),
        ("a page", lambda _: b"<html></html>"),
    ]
    for title, answer in lists:
        yield f"list: {title}", ForgedSources(office, None, answer)
    yield "silence", ForgedSources(office, None, None)
