"""Raising signatures to the levels that last: evidence into the file (B-LT), a time-stamp over everything (B-LTA), again before it ages.

The level is never assumed: the finished bytes are read back with the network off. What cannot be had now leaves the work as it is, with
the reason, to be tried again.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from asn1crypto import cms
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec
from pyhanko.sign.general import SigningError as LibraryError
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko_certvalidator.errors import PathError, ValidationError

from signing.errors import SigningError
from signing.evidence import Evidence, Gathered, store
from signing.examine import Inquiry, levels
from signing.increment import Increment, embed
from signing.keys import certificate_facts
from signing.long_term import gen_time
from signing.tsa import TokenSource

T = TypeVar("T")
LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")
# Hexadecimal digits reserved for a time-stamp token; one that needs more is asked for again with more.
ROOM = 16_384
_PROBLEMS = (SigningError, LibraryError, PathError, ValidationError, SignatureValidationError, PdfError, OSError, ValueError)


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


@dataclass(frozen=True)
class _Needed:
    """Evidence for each container; *renews* when an archive time-stamp vouches for the older ones already."""

    entries: list[tuple[bytes, list[Evidence]]]
    renews: bool


def raise_level(pdf: bytes, inquiry: Inquiry, tsa: TokenSource | None, *, archive: bool = True, gathered: Gathered | None = None) -> Raised:
    """Collect evidence for every signature and, with *archive*, time-stamp the whole; calling it again renews the archive time-stamp.

    *inquiry* carries anchors, clock and sources. Never loses work: on an outage the best bytes so far come back with the reason.
    *gathered* lets documents of the same people share their evidence.
    """
    gathered = gathered or Gathered()
    needed, missing = _tried(partial(_needed, pdf, inquiry, gathered))
    raised: bytes | None = None
    if needed is not None and archive and tsa is not None:
        raised, missing = _tried(partial(_stamped, pdf, needed, inquiry, gathered, tsa))
    if needed is not None and raised is None and not needed.renews:
        raised = _stored(pdf, needed.entries)
    return Raised(raised or pdf, level_of(raised or pdf, inquiry), missing)


def level_of(pdf: bytes, inquiry: Inquiry) -> str:
    """The lowest level among the signatures, read from the file with the network off."""
    return min(levels(pdf, inquiry), key=LEVELS.index, default=LEVELS[0])


def renewal(pdf: bytes, ahead: timedelta = timedelta(days=180)) -> Renewal | None:
    """When the newest archive time-stamp has to be renewed; None without one."""
    stamps = PdfFileReader(io.BytesIO(pdf)).embedded_timestamp_signatures
    if not stamps:
        return None
    newest = max(stamps, key=lambda one: one.signed_revision)
    until = datetime.fromisoformat(certificate_facts(newest.signer_cert.dump()).valid_until)
    return Renewal(until, until - ahead)


def _tried(act: Callable[[], T]) -> tuple[T | None, str]:
    """What *act* gives, or why not."""
    try:
        return act(), ""
    except SigningError as problem:
        return None, problem.code
    except _PROBLEMS:
        return None, "signing.evidence_down"


def _needed(pdf: bytes, inquiry: Inquiry, gathered: Gathered) -> _Needed:
    reader = PdfFileReader(io.BytesIO(pdf), strict=True)
    signatures, stamps = reader.embedded_regular_signatures, reader.embedded_timestamp_signatures
    if stamps:
        newest = max(stamps, key=lambda one: one.signed_revision)
        imprint = newest.signed_data["encap_content_info"]["content"].parsed["message_imprint"]
        if newest.compute_digest() != imprint["hashed_message"].native:
            raise ValueError("the archive time-stamp is not over this document")
        signatures = [newest, *(one for one in signatures if one.signed_revision > newest.signed_revision)]
    entries = []
    for one in signatures:
        tokens = [token for signed in (False, True) for token in extract_tst_data_iter(one.signer_info, signed=signed)]
        since = max(map(gen_time, tokens), default=None)
        entries.append((one.pkcs7_content, [gathered(signed, since, inquiry) for signed in (one.signed_data, *tokens)]))
    return _Needed(entries, renews=bool(stamps))


def _stored(pdf: bytes, entries: list[tuple[bytes, list[Evidence]]]) -> bytes:
    writer = Increment(pdf)
    store(writer, entries)
    return writer.appended()


def _stamped(pdf: bytes, needed: _Needed, inquiry: Inquiry, gathered: Gathered, tsa: TokenSource, room: int = 0) -> bytes:
    """Evidence and time-stamp in one revision, so that the stamp covers what the others will be judged by.

    Whose certificate the authority stamps with shows in its answer only; evidence for one not met yet follows in a revision after it.
    """
    room = room or ROOM
    writer = Increment(pdf)
    store(writer, needed.entries)
    writer.ensure_output_version((1, 7))  # type: ignore[no-untyped-call]  # the library has no types here
    if writer.output_version < (2, 0):
        writer.register_extension(ESIC_EXTENSION_1)
    name = f"Timestamp-{uuid.uuid4()}"
    steps = PdfCMSEmbedder(new_field_spec=SigFieldSpec(name, readable_field_name="Timestamp")).write_cms(name, writer)
    next(steps)
    steps.send(SigObjSetup(sig_placeholder=DocumentTimestamp(bytes_reserved=room)))
    written = writer.reserved()
    token = tsa.token(written.signed_sha256, inquiry.now)
    if 2 * len(token) > room:
        return _stamped(pdf, needed, inquiry, gathered, tsa, room=3 * len(token) // 2 * 2)
    own = gathered(cms.ContentInfo.load(token)["content"], None, inquiry)
    stamped = embed(written.pdf, written.start, written.end, token)
    return stamped if any(own in known for _, known in needed.entries) else _stored(stamped, [(token, [own])])
