"""The examination of one document inside the verifying child process: integrity, guards, evidence, and the report made of them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from asn1crypto import cms
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate, AdESPassed, AdESStatus
from pyhanko.sign.diff_analysis import DiffResult
from pyhanko.sign.validation import generic_cms
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.container import stray_certificate
from signing.guards import OFFICE, appended_fault, byte_range_fault, hides_signature, signed_end
from signing.kept_status import Kept
from signing.keys import certificate_facts, parsed_all
from signing.long_term import Judgement, Knowledge, gen_time, judge, policy_of
from signing.model import AGENCY, LEADER
from signing.numbering import open_places, refilled, values
from signing.pades import VIETNAM, settle
from signing.report import Change, Reason, Report, SignatureReport, Verdict, worst
from signing.revocation import Sources
from signing.second_view import areas_filled_later, objects_differ, pages_differ


@dataclass(frozen=True)
class Inquiry:
    """What to judge against.

    *anchors* and *intermediates* (DER), the office's clock, *sources* of evidence (None = offline), the *ends* of algorithms (``Sunset``),
    answers *kept* from earlier.
    """

    anchors: tuple[bytes, ...]
    intermediates: tuple[bytes, ...]
    now: datetime
    sources: Sources | None
    ends: Mapping[str, str] = field(default_factory=dict)
    kept: Kept | None = None


def examine(pdf: bytes, inquiry: Inquiry, *, second_view: bool = True) -> Report:
    """Examine one document; any exception on the way is a format failure, never a pass and never a trace.

    *second_view* also asks another parser and a renderer (``signing.second_view``); only a level that was just made is read back without.
    """
    report = partial(Report, sha256=hashlib.sha256(pdf).hexdigest(), judged_at=_local(inquiry.now), online=inquiry.sources is not None)
    try:
        reader = PdfFileReader(io.BytesIO(pdf), strict=True)
        if reader.encrypted:
            return report(Verdict.INSUFFICIENT, reasons=(Reason("verify.encrypted"),))
        found = sorted(reader.embedded_regular_signatures, key=lambda one: one.signed_revision)
        if not found:
            if hides_signature(pdf):
                return report(Verdict.INVALID, reasons=(Reason("verify.signature_damaged"),))
            return report(Verdict.INSUFFICIENT, reasons=(Reason("verify.unsigned"),))
        stores = Knowledge(reader, parsed_all(inquiry.intermediates))
        signatures = tuple(_examine_signature(pdf, one, inquiry, stores) for one in found)
        reasons = [*_document_reasons(reader), *_stamp_reasons(pdf, reader, inquiry)]
        if second_view and worst([one.verdict for one in signatures]) is not Verdict.INVALID:
            reasons += _second_view(pdf, reader, found)
        shown = values(reader.get_historical_resolver(reader.xrefs.total_revisions - 1))
    except Exception:
        # The strict reader raises all kinds of exceptions on hostile files; none of them may read as anything but a failure.
        return report(Verdict.INVALID, reasons=(Reason("verify.unreadable"),))
    own = [Verdict.INVALID if one.code in _FATAL else Verdict.INSUFFICIENT for one in reasons]
    return report(
        worst([one.verdict for one in signatures] + own),
        signatures=signatures,
        reasons=tuple(reasons),
        number=shown.get("number", ""),
        date=shown.get("date", ""),
        is_test=any(one.certificate.is_test for one in signatures),
    )


def levels(pdf: bytes, inquiry: Inquiry) -> list[str]:
    """The level each signature proves by the file alone, network off; what can be read of no signature proves nothing."""
    try:
        reader = PdfFileReader(io.BytesIO(pdf), strict=True)
        stores = Knowledge(reader, parsed_all(inquiry.intermediates))
        return [settle(_level(one, inquiry, stores)) for one in reader.embedded_regular_signatures]
    except Exception:
        # As above: a file that cannot be read is no long-term file.
        return []


_FATAL = ("verify.number_changed", "verify.ranges_forged", "verify.readers_differ", "verify.pages_differ")


def _second_view(pdf: bytes, reader: PdfFileReader, found: list[EmbeddedPdfSignature]) -> list[Reason]:
    """What another parser or a renderer sees otherwise."""
    place = objects_differ(pdf, reader)
    if place:
        return [Reason("verify.readers_differ", {"place": place})]
    later = [areas_filled_later(reader.get_historical_resolver(one.signed_revision), reader) for one in found]
    page = pages_differ(pdf, [signed_end(one) for one in found], later)
    return [Reason("verify.pages_differ", {"page": page})] if page else []


def _stamp_reasons(pdf: bytes, reader: PdfFileReader, inquiry: Inquiry) -> list[Reason]:
    """What is wrong with the document time-stamps' own bytes: the newest one's are protected by nothing else."""
    stamps = reader.embedded_timestamp_signatures
    faults = [Reason("verify.ranges_forged", {"fault": fault}) for one in stamps if (fault := byte_range_fault(pdf, one))]
    known = {*inquiry.anchors, *inquiry.intermediates}
    if not faults and any(stray_certificate(cms.ContentInfo.load(one.pkcs7_content), known) for one in stamps):
        return [Reason("verify.stray_certificate")]
    return faults


def _document_reasons(reader: PdfFileReader) -> list[Reason]:
    reasons = []
    if refilled(reader):
        reasons.append(Reason("verify.number_changed"))
    waiting = open_places(reader)
    if AGENCY in waiting:
        reasons.append(Reason("verify.seal_missing"))
    elif waiting:
        reasons.append(Reason("verify.number_missing"))
    return reasons


def _examine_signature(pdf: bytes, signature: EmbeddedPdfSignature, inquiry: Inquiry, stores: Knowledge) -> SignatureReport:
    faults = _integrity(pdf, signature)
    judgement = settle(_judged(signature, inquiry, stores))
    status = judgement.indication.status
    verdict = {AdESStatus.PASSED: Verdict.VALID, AdESStatus.FAILED: Verdict.INVALID}.get(status, Verdict.INSUFFICIENT)
    # What is wrong first; of a signature that is broken anyway nobody asks how its time is proven.
    reasons = [*faults, _indication_reason(judgement), *(_time_reasons(judgement) if status is not AdESStatus.FAILED else ())]
    known = {*inquiry.anchors, *inquiry.intermediates}
    if not faults and verdict is Verdict.VALID and stray_certificate(cms.ContentInfo.load(signature.pkcs7_content), known):
        reasons.append(Reason("verify.stray_certificate"))
        verdict = worst([verdict, Verdict.INSUFFICIENT])
    certificate = certificate_facts(signature.signer_cert.dump())
    claimed = signature.self_reported_timestamp
    best = judgement.proven_at or claimed
    tokens = list(generic_cms.extract_tst_data_iter(signature.signer_info, signed=False))
    name = _field(signature)
    return SignatureReport(
        field=name,
        role=name if name in (LEADER, AGENCY) else "other",
        certificate=certificate,
        authority=certificate.issuer,
        claimed_at=_local(claimed) if claimed else "",
        best_time=_local(best) if best else "",
        best_time_source=judgement.source if judgement.proven_at else "machine",
        timestamp_authority=_authority_of(tokens[0]) if tokens else "",
        level=settle(_level(signature, inquiry, stores)),
        scope=_scope(signature),
        revision=signature.signed_revision,
        revision_end=_end(signature),
        indication="PASSED" if faults == [] and verdict is Verdict.VALID else "FAILED" if faults else status.name,
        sub_indication="FORMAT_FAILURE" if faults else judgement.indication.standard_name,
        verdict=Verdict.INVALID if faults else verdict,
        reasons=tuple(one for one in reasons if one),
        changes=_changes(signature, faults),
        steps=tuple(judgement.steps),
        certificate_sha256=signature.signer_cert.sha256.hex(),
        signed_sha256=hashlib.sha256(memoryview(pdf)[: _end(signature)]).hexdigest(),
    )


def _integrity(pdf: bytes, signature: EmbeddedPdfSignature) -> list[Reason]:
    """Everything that makes the document invalid whatever the certificates say."""
    fault = byte_range_fault(pdf, signature)
    if fault:
        return [Reason("verify.ranges_forged", {"fault": fault})]
    signature.compute_integrity_info(OFFICE)
    summary = signature.summarise_integrity_info()
    faults = []
    if summary["coverage"].name not in ("ENTIRE_FILE", "ENTIRE_REVISION"):
        faults.append(Reason("verify.coverage"))
    if not isinstance(summary["diff_result"], DiffResult | None) or summary["docmdp_ok"] is False:
        faults.append(Reason("verify.changed_after"))
    appended = appended_fault(pdf, signed_end(signature))
    if appended:
        faults.append(Reason("verify.appended", {"fault": appended}))
    return faults


async def _judged(signature: EmbeddedPdfSignature, inquiry: Inquiry, stores: Knowledge) -> Judgement:
    policy = policy_of(parsed_all(inquiry.anchors), inquiry.ends)
    try:
        return await judge(signature, inquiry.now, policy, stores, inquiry.sources, inquiry.kept)
    except OSError:
        return Judgement(AdESIndeterminate.TRY_LATER)


async def _level(signature: EmbeddedPdfSignature, inquiry: Inquiry, stores: Knowledge) -> str:
    """The level the file itself proves: B-LT and B-LTA only when it stands with the network off."""
    own = [gen_time(one) for one in generic_cms.extract_tst_data_iter(signature.signer_info, signed=False)]
    if not own:
        return "B-B"
    if "/DSS" not in signature.reader.root:
        return "B-T"
    archived = [gen_time(one.signed_data) for one in signature.reader.embedded_timestamp_signatures]
    offline = replace(inquiry, now=max(own + archived), sources=None, kept=None)
    judgement = await _judged(signature, offline, stores)
    if judgement.indication is not AdESPassed.OK:
        return "B-T"
    return "B-LTA" if any(one["step"] == "archive_timestamp" for one in judgement.steps) else "B-LT"


def _changes(signature: EmbeddedPdfSignature, faults: list[Reason]) -> tuple[Change, ...]:
    reader = signature.reader
    signed_here = {one.signed_revision: one for one in reader.embedded_signatures}
    changes = []
    for revision in range(signature.signed_revision + 1, reader.xrefs.total_revisions):
        before, after = (values(reader.get_historical_resolver(one)) for one in (revision - 1, revision))
        if faults and any(one.code in ("verify.changed_after", "verify.appended") for one in faults) and revision not in signed_here:
            kind = "number_date" if before != after else "forbidden"
        elif revision in signed_here:
            kind = "timestamp" if signed_here[revision].sig_object_type == "/DocTimeStamp" else "signature"
        else:
            kind = "number_date" if before != after else "evidence"
        facts = {"field": _field(signed_here[revision])} if revision in signed_here else {}
        changes.append(Change(kind, revision, {**facts, **({"before": before, "after": after} if before != after else {})}))
    return tuple(changes)


def _time_reasons(judgement: Judgement) -> list[Reason]:
    kept = (
        [Reason("verify.kept_evidence", {"at": f"{judgement.kept_since.astimezone(VIETNAM):%H:%M %d/%m/%Y}"})]
        if judgement.kept_since
        else []
    )
    return kept if judgement.proven_at else [Reason("verify.time_unproven"), *kept]


def _indication_reason(judgement: Judgement) -> Reason | None:
    name = judgement.indication.standard_name
    if judgement.indication is AdESPassed.OK:
        return None
    by_name = {
        "HASH_FAILURE": "verify.content_changed",
        "SIG_CRYPTO_FAILURE": "verify.signature_broken",
        "FORMAT_FAILURE": "verify.unreadable",
        "REVOKED": "verify.revoked",
        "REVOKED_NO_POE": "verify.revoked",
        "REVOKED_CA_NO_POE": "verify.revoked",
        "NO_CERTIFICATE_CHAIN_FOUND": "verify.untrusted",
        "OUT_OF_BOUNDS_NO_POE": "verify.expired",
        "EXPIRED": "verify.expired",
        "NOT_YET_VALID": "verify.expired",
        "CRYPTO_CONSTRAINTS_FAILURE": "verify.weak_algorithm",
        "CRYPTO_CONSTRAINTS_FAILURE_NO_POE": "verify.weak_algorithm",
        "TRY_LATER": "verify.try_later",
        "CHAIN_CONSTRAINTS_FAILURE": "verify.wrong_usage",
        "TIMESTAMP_ORDER_FAILURE": "verify.timestamp_broken",
    }
    return Reason(by_name.get(name, "verify.evidence_missing"), {"indication": name})


def _field(signature: EmbeddedPdfSignature) -> str:
    """The field's name as plain text: the library's own string holds the whole reader, which a copy of the report would copy too."""
    return str(signature.field_name)


def _scope(signature: EmbeddedPdfSignature) -> str:
    coverage: Any = signature.coverage
    return str(coverage.name).lower() if coverage is not None else "unclear"


def _end(signature: EmbeddedPdfSignature) -> int:
    try:
        return signed_end(signature)
    except (KeyError, TypeError, ValueError, IndexError):
        return 0


def _authority_of(token: cms.SignedData) -> str:
    serial = token["signer_infos"][0]["sid"].chosen["serial_number"].native
    for one in token["certificates"]:
        if one.chosen.serial_number == serial:
            return certificate_facts(one.chosen.dump()).common_name
    return ""


def _local(at: datetime) -> str:
    return at.astimezone(VIETNAM).isoformat(timespec="seconds")
