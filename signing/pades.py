"""PAdES signatures in two phases: ``prepare`` reserves the room, ``finish`` embeds what key and time-stamping authority answered.

Between them nothing lives in memory: bytes and a JSON state. ``prepare`` and ``finish`` touch no network and belong into transactions;
the key's answer and ``signing.tsa`` belong between them.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError as LibraryError
from pyhanko.sign.signers.pdf_signer import PdfSigner
from pyhanko.stamp.base import BaseStampStyle

from signing.errors import SigningError
from signing.hastened import hasten
from signing.increment import Increment, embed
from signing.keys import check_raw, fingerprint, mechanism_for, parsed
from signing.model import Json, Prepared, SignerCertificate
from signing.signer import KeySigner
from signing.tsa import check_imprint

hasten()
T = TypeVar("T")
VIETNAM = timezone(timedelta(hours=7))
# Hexadecimal digits reserved for the signature: chain of three, time-stamp token with its chain, generous for RSA.
RESERVED = 32_768


def prepare(
    pdf: bytes,
    field: str,
    certificate: SignerCertificate,
    now: datetime,
    *,
    appearance: BaseStampStyle | None = None,
    reason: str | None = None,
    location: str | None = None,
) -> Prepared:
    """Put an empty signature into *field* and compute what the key has to sign.

    *now* is the office's clock and becomes the claimed signing time (+07:00). *appearance* comes from ``signing.appearance``.

    Raises:
        SigningError: ``signing.not_pdf``, ``signing.field_missing``, ``signing.field_signed``, ``signing.certificate_not_yet``,
            ``signing.certificate_expired``.
    """
    signer = KeySigner(certificate, mechanism_for(certificate.der))
    _check_validity(parsed(certificate.der), now)
    try:
        writer = Increment(pdf)
        metadata = signers.PdfSignatureMetadata(
            field_name=field,
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            reason=reason,
            location=location,
            docmdp_permissions=_permissions(writer, field),
        )
        session = PdfSigner(metadata, signer.layout(), stamp_style=appearance).init_signing_session(writer, existing_fields_only=True)
        session.system_time = now.astimezone(VIETNAM).replace(microsecond=0)
        session.prepare_tbs_document(validation_info=None, bytes_reserved=RESERVED)
        written = writer.reserved()
    except (PdfReadError, LibraryError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise SigningError("signing.not_signable", kind=type(problem).__name__) from problem
    attributes = signer.attributes(written.signed_sha256)
    state: Json = {
        "v": 1,
        "field": field,
        "mechanism": signer.mechanism,
        "certificate": _text(certificate.der),
        "chain": [_text(der) for der in certificate.chain],
        "certificate_sha256": fingerprint(certificate.der),
        "pdf_sha256": written.pdf_sha256,
        "document_digest": written.signed_sha256.hex(),
        "reserved": [written.start, written.end],
        "attributes": _text(attributes),
        "to_sign_sha256": hashlib.sha256(attributes).hexdigest(),
        "claimed_at": now.astimezone(VIETNAM).isoformat(timespec="seconds"),
    }
    return Prepared(written.pdf, state)


def finish(pdf: bytes, state: Json, signature: bytes, token: bytes | None = None) -> bytes:
    """Embed the raw *signature* and, for level B-T, the time-stamp *token* over it (``TimeStampClient.token(imprint(signature))``).

    The signature is checked before anything is embedded: an answer for another document, key or hash never gets into a file.

    Raises:
        SigningError: ``signing.prepared_differs``, ``signing.answer_wrong``, ``signing.token_foreign``, ``signing.too_large``.
    """
    if hashlib.sha256(pdf).hexdigest() != state["pdf_sha256"]:
        raise SigningError("signing.prepared_differs")
    certificate = SignerCertificate(_bytes(state["certificate"]), tuple(_bytes(one) for one in state["chain"]))
    attributes = _bytes(state["attributes"])
    if hashlib.sha256(attributes).hexdigest() != state["to_sign_sha256"] or fingerprint(certificate.der) != state["certificate_sha256"]:
        raise SigningError("signing.prepared_differs")
    check_raw(certificate.der, state["mechanism"], signature, attributes)
    if token is not None:
        check_imprint(token, imprint(signature))
    container = KeySigner(certificate, state["mechanism"]).container(attributes, signature, token)
    start, end = state["reserved"]
    return embed(pdf, start, end, container)


def imprint(signature: bytes) -> bytes:
    """The digest a signature time-stamp covers: SHA-256 of the raw signature value."""
    return hashlib.sha256(signature).digest()


def settle(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine of pyHanko's, from synchronous code, also where the caller's thread already runs an event loop.

    A bare loop, not `asyncio.run`: that one asks who handles interrupts, and so prints the whole coroutine with every certificate in it.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(coroutine)
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(_run, coroutine).result()


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


def _check_validity(certificate: asn1_x509.Certificate, now: datetime) -> None:
    if now < certificate.not_valid_before:
        raise SigningError("signing.certificate_not_yet", since=certificate.not_valid_before.astimezone(VIETNAM).date().isoformat())
    if now > certificate.not_valid_after:
        raise SigningError("signing.certificate_expired", until=certificate.not_valid_after.astimezone(VIETNAM).date().isoformat())


def _permissions(writer: IncrementalPdfFileWriter, field: str) -> MDPPerm:
    """What the lock of the empty signature field allows after signing."""
    fields = writer.root["/AcroForm"]["/Fields"] if "/AcroForm" in writer.root else []
    for one in fields:
        found = one.get_object()
        if found["/T"] == field and found.get("/FT") == "/Sig":
            if "/V" in found:
                raise SigningError("signing.field_signed", field=field)
            return MDPPerm(int(found["/Lock"]["/P"])) if "/Lock" in found else MDPPerm.FILL_FORMS
    raise SigningError("signing.field_missing", field=field)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
