"""What proves a signer's and an authority's certificates later: the path, the status answers and the lists, gathered and checked now.

A leader signs a hundred documents at once, and one authority stamps them all: what was gathered for one of them serves the others, for ten
minutes, and only for those that were signed before it was gathered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from asn1crypto import cms, crl, ocsp
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko_certvalidator import CertificateValidator, ValidationContext

from signing.errors import SigningError
from signing.examine import Inquiry
from signing.increment import Increment
from signing.keys import parsed, parsed_all
from signing.pades import settle
from signing.revocation import Sources

SHARED_FOR = timedelta(minutes=10)


@dataclass(frozen=True, eq=False)
class Evidence:
    """Of one certificate: every certificate of its path, status answers and revocation lists; two of the same gathering are the same."""

    path: tuple[asn1_x509.Certificate, ...]
    answers: tuple[ocsp.OCSPResponse, ...]
    lists: tuple[crl.CertificateList, ...]


_Question: TypeAlias = tuple[object, ...]


class Gathered:
    """What was gathered lately, by whom it is about and whom it was checked against."""

    def __init__(self) -> None:
        self._known: dict[_Question, tuple[datetime, Evidence]] = {}

    def __call__(self, signed: cms.SignedData, since: datetime | None, inquiry: Inquiry) -> Evidence:
        """The evidence for whoever signed *signed* (a signature's container, or a time-stamp's), gathered at *since* or later.

        A revocation between gathering and signing must not stay unseen, therefore *since* is the time the signature is proven for.

        Raises:
            SigningError: ``signing.evidence_down`` without sources.
            ValidationError, PathError: (of the library) when the certificate does not stand, or nobody answers for it.
        """
        if inquiry.sources is None:
            raise SigningError("signing.evidence_down")
        sent = extract_certificate_info(signed)
        others = [parsed(one.dump()) for one in sent.other_certs]
        signer = parsed(sent.signer_cert.dump())
        question = (inquiry.anchors, inquiry.intermediates, signer.dump(), *(one.dump() for one in others))
        at, known = self._known.get(question, (None, None))
        if at is not None and known is not None and abs(inquiry.now - at) <= SHARED_FOR and (since is None or since <= at):
            return known
        found = _gather(signer, others, inquiry, inquiry.sources)
        self._forget(inquiry.now)
        self._known[question] = inquiry.now, found
        return found

    def _forget(self, now: datetime) -> None:
        for question, (at, _) in list(self._known.items()):
            if abs(now - at) > SHARED_FOR:
                self._known.pop(question, None)


def _gather(signer: asn1_x509.Certificate, others: Sequence[asn1_x509.Certificate], inquiry: Inquiry, sources: Sources) -> Evidence:
    """Evidence is required: the library's default mode would find a path without any and call it long-term."""
    context = ValidationContext(
        trust_roots=parsed_all(inquiry.anchors),
        other_certs=parsed_all(inquiry.intermediates),
        allow_fetching=True,
        revocation_mode="require",
        fetchers=sources.get_fetchers(),
        moment=inquiry.now,
        best_signature_time=inquiry.now,
    )
    validator = CertificateValidator(signer, intermediate_certs=others, validation_context=context)
    path = settle(validator.async_validate_usage(key_usage=set()))
    return Evidence(tuple(path), tuple(context.ocsps), tuple(context.crls))


def store(writer: Increment, needed: Iterable[tuple[bytes, Iterable[Evidence]]]) -> None:
    """Put evidence into the document security store, under each signature's own entry; *needed* are containers and their evidence."""
    try:
        found, new = DocumentSecurityStore.read_dss(writer), False
    except NoDSSFoundError:
        found, new = DocumentSecurityStore(writer=writer), True
    for container, evidence in needed:
        every = list(evidence)
        found.register_vri(
            found.sig_content_identifier(container.hex().encode("ascii")),
            certs=[certificate for one in every for certificate in one.path],
            ocsps=[answer for one in every for answer in one.answers],
            crls=[found_list for one in every for found_list in one.lists],
        )
    written = found.as_pdf_object()
    if new:
        writer.root[pdf_name("/DSS")] = writer.add_object(written)
        writer.update_root()  # type: ignore[no-untyped-call]  # the library has no types here
