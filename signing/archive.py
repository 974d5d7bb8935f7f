"""Raising signatures to the levels that last: evidence into the file (B-LT), a time-stamp over everything (B-LTA), again before it ages.

The level is never assumed: the finished bytes are read back with the network off. What cannot be had now leaves the work as it is, with
the reason, to be tried again.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import SigningError as LibraryError
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper
from pyhanko.sign.validation.dss import async_add_validation_info
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError

from signing.errors import SigningError
from signing.examine import Inquiry, examine
from signing.keys import certificate_facts, parsed_all
from signing.pades import settle
from signing.revocation import Sources
from signing.tsa import LiveStamper, TokenSource

LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")


@dataclass(frozen=True)
class Raised:
    """The document after an attempt: its bytes, the level read back for the weakest signature, why not more (a code, or empty)."""

    pdf: bytes
    level: str
    missing: str = ""


@dataclass(frozen=True)
class Renewal:
    """When the newest archive time-stamp must be renewed: its authority's certificate ends at *until*, act from *due*."""

    until: datetime
    due: datetime


def raise_level(pdf: bytes, inquiry: Inquiry, tsa: TokenSource | None, *, archive: bool = True) -> Raised:
    """Collect evidence for every signature and, with *archive*, time-stamp the whole; calling it again renews the archive time-stamp.

    *inquiry* carries anchors, clock and sources. Never loses work: on an outage the best bytes so far come back with the reason.
    """
    current, missing = pdf, ""
    try:
        if renewal(current) is None:
            current = _with_evidence(current, inquiry)
        if archive and tsa is not None:
            current = _stamped(current, inquiry, tsa)
    except SigningError as problem:
        missing = problem.code
    except (LibraryError, PathError, ValidationError, SignatureValidationError, OSError, ValueError):
        missing = "signing.evidence_down"
    return Raised(current, level_of(current, inquiry), missing)


def level_of(pdf: bytes, inquiry: Inquiry) -> str:
    """The lowest level among the signatures, read from the file with the network off."""
    report = examine(pdf, replace(inquiry, sources=None), second_view=False)
    return min((one.level for one in report.signatures), key=LEVELS.index, default=LEVELS[0])


def renewal(pdf: bytes, ahead: timedelta = timedelta(days=180)) -> Renewal | None:
    """When the newest archive time-stamp has to be renewed; None without one."""
    stamps = PdfFileReader(io.BytesIO(pdf)).embedded_timestamp_signatures
    if not stamps:
        return None
    newest = max(stamps, key=lambda one: one.signed_revision)
    until = datetime.fromisoformat(certificate_facts(newest.signer_cert.dump()).valid_until)
    return Renewal(until, until - ahead)


def _with_evidence(pdf: bytes, inquiry: Inquiry) -> bytes:
    count = len(PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures)
    for index in range(count):
        signature = PdfFileReader(io.BytesIO(pdf), strict=True).embedded_regular_signatures[index]
        out = io.BytesIO()
        settle(async_add_validation_info(signature, _context(inquiry), output=out))
        pdf = out.getvalue()
    return pdf


def _stamped(pdf: bytes, inquiry: Inquiry, tsa: TokenSource) -> bytes:
    stamper, out = PdfTimeStamper(LiveStamper(tsa, inquiry.now)), io.BytesIO()
    reader = PdfFileReader(io.BytesIO(pdf), strict=True)
    if reader.embedded_timestamp_signatures:
        settle(stamper.async_update_archival_timestamp_chain(reader, _context(inquiry), in_place=False, output=out))
    else:
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=True)
        settle(stamper.async_timestamp_pdf(writer, "sha256", validation_context=_context(inquiry), output=out))
    return out.getvalue()


def _context(inquiry: Inquiry) -> ValidationContext:
    """Evidence is required: the default mode would write a file without any and call it long-term."""
    if inquiry.sources is None:
        raise SigningError("signing.evidence_down")
    return ValidationContext(
        trust_roots=parsed_all(inquiry.anchors),
        other_certs=parsed_all(inquiry.intermediates),
        allow_fetching=True,
        revocation_mode="require",
        fetchers=Sources.get_fetchers(inquiry.sources),
        moment=inquiry.now,
        best_signature_time=inquiry.now,
    )
