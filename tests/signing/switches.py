"""The guards of the verifier, each with a way to switch it off: what a test needs to show that it is the guard that stops an attack.

`GUARDS` names every guard that stands between a manipulated document and "valid" beside the library's own cryptography. Tests switch all
of them off (the attack passes), or all but one (it is stopped by that one alone), or one (`irreplaceable`: nothing else stops it).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

from cryptography import x509
from lxml import etree
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DiffPolicy, DiffResult, ModificationLevel
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature, SignatureCoverageLevel
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator.policy_decl import AcceptAllAlgorithms
from signxml.algorithms import SignatureMethod
from signxml.xades.xades import XAdESSignatureConfiguration

from signing import examine, guards, isolation, long_term, numbering, revocation, verify, warm, xades

Off = Callable[[], Any]


class Everything(DiffPolicy):
    """A policy that admits every later change."""

    def apply(self, *_: object, **__: object) -> DiffResult:
        """Nothing suspicious."""
        return DiffResult(ModificationLevel.NONE, set())

    def review_file(self, *_: object, **__: object) -> DiffResult:
        """Nothing suspicious."""
        return DiffResult(ModificationLevel.NONE, set())


class Lax(PdfFileReader):
    """The parser that repairs what it can instead of refusing."""

    def __init__(self, stream: Any, strict: bool = True, **more: Any) -> None:
        super().__init__(stream, strict=False, **more)


@dataclass(frozen=True)
class Guard:
    """One guard: where it stands, what it asks, how it is switched off."""

    name: str
    where: str
    asks: str
    off: Callable[[], Iterable[Any]]


def _covered(summary: Callable[[EmbeddedPdfSignature], dict[str, Any]], signature: EmbeddedPdfSignature) -> dict[str, Any]:
    told = summary(signature)
    if told["coverage"] not in (SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION):
        # The library calls such a signature changed as well, for the same reason.
        told = {**told, "coverage": SignatureCoverageLevel.ENTIRE_REVISION, "diff_result": None, "docmdp_ok": True}
    return told


def _unchecked(field: Any, _signed: object) -> Any:
    return field["/AP"].raw_get("/N").reference


def _any_ranges() -> Iterable[Any]:
    """The ranges are not looked at; the container is, as far as it can be found."""

    def only_container(pdf: bytes, signature: EmbeddedPdfSignature) -> str | None:
        ranges = signature.sig_object["/ByteRange"]
        gap = pdf[int(ranges[1]) + 1 : int(ranges[2]) - 1]
        fault = guards.container_fault(gap, pades=True)
        return f"container: {fault}" if fault else None

    return [patch.object(examine, "byte_range_fault", only_container)]


def _no_policy() -> Iterable[Any]:
    return [patch.object(examine, "OFFICE", Everything()), patch.object(long_term, "OFFICE", Everything())]


def _no_coverage() -> Iterable[Any]:
    stock = EmbeddedPdfSignature.summarise_integrity_info
    return [patch.object(EmbeddedPdfSignature, "summarise_integrity_info", lambda self: _covered(stock, self))]


def _lax() -> Iterable[Any]:
    return [patch.object(module, "PdfFileReader", Lax) for module in (examine, guards)]


PDF_GUARDS = (
    Guard("strict parser", "`examine.examine`", "is the file written as the standard says, with nothing to repair?", _lax),
    Guard(
        "ranges", "`guards.byte_range_fault`", "four integers from 0 to a revision's end, the gap just the signature value?", _any_ranges,
    ),
    Guard("coverage", "`examine._integrity`", "does the signature cover its whole revision?", _no_coverage),
    Guard(
        "container", "`container.container_fault`", "is every unsigned part of the CMS structure exactly what it must be?",
        lambda: [patch.object(guards, "container_fault", lambda *_, **__: None)],
    ),
    Guard("later changes", "`guards.OFFICE`", "nothing but signatures, evidence and the two named fields after a signature?", _no_policy),
    Guard(
        "drawn number", "`numbering.check_appearance`", "does a filled field show its value, byte by byte, in the signed font?",
        lambda: [patch.object(numbering, "check_appearance", _unchecked)],
    ),
    Guard(
        "filled once", "`numbering.refilled`", "was a number or date, once filled, never changed?",
        lambda: [patch.object(examine, "refilled", lambda _: False)],
    ),
    Guard(
        "bytes accounted for", "`guards.appended_fault`", "does every appended byte belong to a proper revision?",
        lambda: [patch.object(examine, "appended_fault", lambda *_: None)],
    ),
    Guard(
        "second parser", "`second_view.objects_differ`", "does qpdf read the same objects?",
        lambda: [patch.object(examine, "objects_differ", lambda *_: None)],
    ),
    Guard(
        "second renderer", "`second_view.pages_differ`", "do the pages of the signed revision look as those of the file?",
        lambda: [patch.object(examine, "pages_differ", lambda *_: None)],
    ),
    Guard(
        "marks of a signature", "`guards.hides_signature`", "does a file without signatures still carry the marks of one?",
        lambda: [patch.object(examine, "hides_signature", lambda _: False)],
    ),
    Guard(
        "strangers", "`container.stray_certificate`", "does somebody vouch for every certificate sent along?",
        lambda: [patch.object(examine, "stray_certificate", lambda *_: False)],
    ),
)  # fmt: skip

TRUST_GUARDS = (
    Guard(
        "purposes", "`long_term.SIGNER_USAGE`", "may this certificate sign people's documents?",
        lambda: [patch.object(module, "SIGNER_USAGE", KeyUsageConstraints()) for module in (long_term, xades)],
    ),
    Guard(
        "algorithms", "`algorithms.Sunset`", "is the algorithm strong, and was it when it was used?",
        lambda: [patch.object(long_term, "Sunset", lambda *_: AcceptAllAlgorithms())],
    ),
    Guard(
        "order of times", "`long_term._Walk._in_order`", "does no token come from after the time it is judged at?",
        lambda: [patch.object(long_term._Walk, "_in_order", lambda _self, result, *_: result)],
    ),
    Guard(
        "answers from the future", "`revocation.Sources.too_early`", "was an answer or list made before now?",
        lambda: [patch.object(revocation.Sources, "too_early", lambda *_: False)],
    ),
    Guard(
        "unknown to its authority", "`revocation.Sources.unknown`", "does the authority itself know the certificate?",
        lambda: [patch.object(revocation, "_unknown", lambda _: ())],
    ),
)  # fmt: skip

GUARDS = (*PDF_GUARDS, *TRUST_GUARDS)


class Anything(tuple[str, ...]):
    """A list of what is admitted that admits everything."""

    def __contains__(self, _: object) -> bool:
        return True


def _any_place(root: etree._Element) -> etree._Element:
    """The first signature wherever it stands and whatever it refers to."""
    return next(root.iter(f"{xades.DS}Signature"))


def _any_part(xml: bytes, _: object) -> bytes:
    """Signed is what the library calls signed, be it the whole or not."""
    root = etree.fromstring(xml)
    certificate = x509.load_der_x509_certificate(xades._signer_certificate(_any_place(root)))
    lax = XAdESSignatureConfiguration(expect_references=True, verification_time=certificate.not_valid_before_utc)
    xades.XAdESVerifier().verify(xml, x509_cert=certificate, expect_config=lax)
    return xades._canonical(root)


XML_GUARDS = (
    Guard(
        "place and references", "`xades._root_signature`", "one signature, a child of the root, with one reference to the whole document?",
        lambda: [patch.object(xades, "_root_signature", _any_place)],
    ),
    Guard(
        "whole document", "`xades._verified`", "is what was verified all there is to read?",
        lambda: [patch.object(xades, "_verified", _any_part)],
    ),
    Guard(
        "XML transforms", "`xades._TRANSFORMS`", "nothing but the enveloped signature and canonical forms?",
        lambda: [patch.object(xades, "_TRANSFORMS", Anything())],
    ),
    Guard("XML digests", "`xades._DIGESTS`", "one of three digests?", lambda: [patch.object(xades, "_DIGESTS", Anything())]),
    Guard(
        "XML methods", "`xades._METHODS`", "one of four methods, none of them a MAC?",
        lambda: [patch.object(xades, "_METHODS", frozenset(SignatureMethod))],
    ),
    Guard(
        "token in XML", "`xades._token_time`", "is every unsigned part of the time-stamp token exactly what it must be?",
        lambda: [patch.object(xades, "container_fault", lambda *_, **__: None)],
    ),
    Guard("size of XML", "`xades._MOST_BYTES`", "no more than 20 MiB?", lambda: [patch.object(xades, "_MOST_BYTES", sys.maxsize)]),
)  # fmt: skip

LIMITS = (
    Guard("size of a file", "`verify.MOST_BYTES`", "no more than 100 MiB?", lambda: [patch.object(verify, "MOST_BYTES", sys.maxsize)]),
    Guard("memory", "`isolation.limit`", "no more than one gibibyte?", lambda: [patch.object(warm, "limit", _unlimited("AS"))]),
    Guard(
        "processor time", "`isolation.limit`", "no more than five seconds of work, and as much more as a large file's bytes need?",
        lambda: [patch.object(warm, "limit", _unlimited("CPU"))],
    ),
)  # fmt: skip


def _unlimited(kind: str) -> Callable[..., None]:
    """The limits of a process but one."""
    import resource

    kept = resource.setrlimit
    left_out = getattr(resource, f"RLIMIT_{kind}")
    stock = isolation.limit

    def limit(cpu_seconds: int, memory: int = isolation.MEMORY) -> None:
        with patch.object(resource, "setrlimit", lambda which, most: None if which == left_out else kept(which, most)):
            stock(cpu_seconds, memory)

    return limit


@contextmanager
def switched_off(*chosen: Guard) -> Iterator[None]:
    """Without these guards."""
    with ExitStack() as stack:
        for guard in chosen:
            for one in guard.off():
                stack.enter_context(one)
        yield


def all_but(guard: Guard) -> Any:
    """With this guard alone."""
    return switched_off(*(one for one in GUARDS if one is not guard))


nothing = partial(switched_off, *GUARDS)
