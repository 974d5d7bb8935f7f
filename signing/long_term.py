"""Judging a signature at the times that matter: each time-stamp at the time the next newer one proves, the signer at the proven time.

One freshness rule cannot answer both "is it fine now?" (evidence close to now) and "was the certificate fine when it signed?" (evidence
close to the proven time). The stock processes pass some forged cases or fail good old files; this orchestration is the verdict, they are
only its parts (EN 319 102-1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import cms, crl, ocsp
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate, AdESPassed, AdESSubIndic
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.validation import ades, generic_cms
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import (
    CMSAlgorithmUsagePolicy,
    LocalKnowledge,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy, FreshnessReqType
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from signing.algorithms import Sunset
from signing.guards import OFFICE
from signing.kept_status import Kept, Status, chosen
from signing.keys import parsed
from signing.revocation import Sources
from signing.tsa import MAX_SKEW_SECONDS

# How far evidence may lie before the time it has to prove: a revocation inside this window would stay unseen.
EXPOSURE = timedelta(days=8)
_LONGEST_CHAIN = 6


# A token may run ahead of the clock it is judged by for as long as two clocks may differ.
SKEW = timedelta(seconds=MAX_SKEW_SECONDS)
# Stock processes check no usage at all. A certificate that names purposes must name one that signing people's documents have.
SIGNER_USAGE = KeyUsageConstraints(
    key_usage={"digital_signature", "non_repudiation"},
    match_all_key_usages=False,
    key_usage_forbidden={"key_cert_sign", "crl_sign"},
    extd_key_usage={
        "email_protection",
        "client_auth",
        "1.3.6.1.5.5.7.3.36",  # RFC 9336: document signing
        "microsoft_document_signing",
        "adobe_authentic_documents_trust",
    },
    explicit_extd_key_usage_required=False,
)


@dataclass
class Judgement:
    """The outcome for one signature: indication, proven time and where it comes from, and the steps walked."""

    indication: AdESSubIndic
    proven_at: datetime | None = None
    source: str = "machine"
    steps: list[dict[str, str]] = field(default_factory=list)
    kept_since: datetime | None = None
    """When the oldest kept answer was made that this outcome rests on; None when it rests on none."""

    def step(self, what: str, at: datetime, result: AdESSubIndic) -> None:
        """Write down one step."""
        self.steps.append({"step": what, "judged_at": at.isoformat(), "result": result.standard_name})


def policy_of(anchors: Sequence[asn1_x509.Certificate], ends: Mapping[str, str] | None = None) -> CertValidationPolicySpec:
    """Revocation evidence is required, and required to be near the time it is used for; *ends* of algorithms see ``Sunset``."""
    return CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=list(anchors)),
        revinfo_policy=CertRevTrustPolicy(
            REQUIRE_REVINFO, freshness=EXPOSURE, freshness_req_type=FreshnessReqType.MAX_DIFF_REVOCATION_VALIDATION
        ),
        algorithm_usage_policy=Sunset(ends),
    )


class Knowledge:
    """What the security stores of a document's revisions hold, beside certificates known anyway; each item is read once a document."""

    def __init__(self, reader: PdfFileReader, extra: Sequence[asn1_x509.Certificate]) -> None:
        self._reader, self._extra = reader, list(extra)
        self._revisions: dict[int, LocalKnowledge] = {}
        self._items: dict[tuple[DecodePurpose, bytes], Any] = {}

    def of(self, revision: int) -> LocalKnowledge:
        """What was known as of *revision*."""
        if revision not in self._revisions:
            self._revisions[revision] = self._read(self._reader.get_historical_resolver(revision).root)
        return self._revisions[revision]

    def issuer_of(self, certificate: asn1_x509.Certificate, others: Iterable[asn1_x509.Certificate]) -> asn1_x509.Certificate | None:
        """Who issued *certificate* by its name, among what is known as of the last revision and *others*."""
        known = (*self._extra, *self.of(self._reader.xrefs.total_revisions - 1).known_certs, *others)
        return next((one for one in known if one.subject.dump() == certificate.issuer.dump()), None)

    def _read(self, root: generic.DictionaryObject) -> LocalKnowledge:
        if "/DSS" not in root:
            return LocalKnowledge(known_certs=self._extra)
        found = root["/DSS"]
        answers = self._all(found, "/OCSPs", DecodePurpose.OCSP_RESPONSE, _answers)
        return LocalKnowledge(
            known_certs=[*self._all(found, "/Certs", DecodePurpose.CERTIFICATE, parsed), *self._extra],
            known_crls=self._all(found, "/CRLs", DecodePurpose.CRL, _list),
            known_ocsps=[one for several in answers for one in several],
        )

    def _all(self, store: generic.DictionaryObject, key: str, purpose: DecodePurpose, read: Callable[[bytes], Any]) -> list[Any]:
        items = []
        for reference in store.get(key, ()):
            raw = reference.get_object().read_data(purpose)
            if (purpose, raw) not in self._items:
                self._items[purpose, raw] = read(raw)
            items.append(self._items[purpose, raw])
        return items


def _answers(raw: bytes) -> list[OCSPContainer]:
    return OCSPContainer.load_multi(ocsp.OCSPResponse.load(raw))


def _list(raw: bytes) -> CRLContainer:
    return CRLContainer(crl.CertificateList.load(raw))


def gen_time(token: cms.SignedData) -> datetime:
    """The instant a time-stamp token states."""
    instant: datetime = token["encap_content_info"]["content"].parsed["gen_time"].native
    return instant


async def judge(
    signature: EmbeddedPdfSignature,
    now: datetime,
    policy: CertValidationPolicySpec,
    known: Knowledge,
    sources: Sources | None,
    kept: Kept | None = None,
) -> Judgement:
    """Judge one signature of a document as of *now*; *known* is its document's, *sources* None means without network.

    What was *kept* of earlier answers is looked at only where nobody answers now: it may fill that gap, or tell of a revocation, and
    changes nothing else. The integrity of the document is not judged here (``guards``).
    """
    judgement = await _Walk(signature, now, policy, known, sources).run()
    asked = sources is not None and not sources.outages
    if kept is None or judgement.indication not in _OPEN or (asked and judgement.indication is AdESPassed.OK):
        return judgement
    if sources is not None:
        await sources.hear_of(signature.signer_cert, known.issuer_of(signature.signer_cert, signature.other_embedded_certs))
        if signature.signer_cert.serial_number in sources.unknown:
            return judgement
    again = _Walk(signature, now, policy, known, None, kept.with_fresh(sources.gathered if sources else ()))
    second = await again.run()
    filled = second.indication is AdESPassed.OK and judgement.indication is not AdESPassed.OK
    if again.rests_on and (filled or _revoked(second.indication)):
        second.kept_since = min(one.made for one in again.rests_on)
        return second
    return judgement


_OPEN = (AdESPassed.OK, AdESIndeterminate.TRY_LATER, AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE)
"""What evidence can still change."""


def _revoked(result: AdESSubIndic) -> bool:
    return "REVOKED" in result.name  # type: ignore[attr-defined]  # every member is an enum


class _Walk:
    def __init__(
        self,
        signature: EmbeddedPdfSignature,
        now: datetime,
        policy: CertValidationPolicySpec,
        known: Knowledge,
        sources: Sources | None,
        kept: Kept | None = None,
    ) -> None:
        self._signature, self._now, self._policy, self._known, self._sources = signature, now, policy, known, sources
        self._kept = kept
        self.rests_on: list[Status] = []
        self._reader = signature.reader
        self._algorithms = CMSAlgorithmUsagePolicy.lift_policy(policy.algorithm_usage_policy or Sunset())
        self._last = self._reader.xrefs.total_revisions - 1
        self._raw = signature.compute_digest()

    async def run(self) -> Judgement:
        judgement = Judgement(AdESIndeterminate.NO_POE)
        if self._sources is not None:
            self._sources.latest = self._now + SKEW
        at, revision, sources = self._now, self._last, self._sources
        for stamp in self._archive():
            result = await self._archive_stamp(stamp, at, revision, sources)
            judgement.step("archive_timestamp", at, result)
            if result is not AdESPassed.OK:
                judgement.indication = result
                return judgement
            at = judgement.proven_at = gen_time(stamp.signed_data)
            judgement.source = "archive_timestamp"
            revision, sources = stamp.signed_revision, None
        for token in generic_cms.extract_tst_data_iter(self._signature.signer_info, signed=False):
            result = await self._token(token, at, revision, sources)
            judgement.step("signature_timestamp", at, result)
            if result is not AdESPassed.OK:
                # A time-stamp that fails is no missing one: the file claims a time it cannot prove.
                judgement.indication = result
                return judgement
            stated = gen_time(token)
            if judgement.proven_at is None or stated <= judgement.proven_at:
                judgement.proven_at, judgement.source = stated, "signature_timestamp"
        await self._signer(judgement, revision)
        return judgement

    def _archive(self) -> list[EmbeddedPdfSignature]:
        later = [one for one in self._reader.embedded_timestamp_signatures if one.signed_revision > self._signature.signed_revision]
        return sorted(later, key=lambda one: -one.signed_revision)

    async def _archive_stamp(self, stamp: EmbeddedPdfSignature, at: datetime, revision: int, sources: Sources | None) -> AdESSubIndic:
        stamp.compute_integrity_info(OFFICE)
        coverage: Any = stamp.coverage
        if coverage is None or coverage.name not in ("ENTIRE_FILE", "ENTIRE_REVISION"):
            return AdESFailure.FORMAT_FAILURE
        digest, algorithm = stamp.compute_digest(), stamp.external_md_algorithm
        status = await ades.ades_timestamp_validation(
            stamp.signed_data,
            expected_tst_imprint=lambda asked: digest if asked == algorithm else b"",
            **self._spec(at, revision, sources, kept=self._kept_for(stamp.signed_data, at)),
        )
        return self._in_order(_known(status.ades_subindic, sources), stamp.signed_data, at)

    async def _token(self, token: cms.SignedData, at: datetime, revision: int, sources: Sources | None) -> AdESSubIndic:
        status = await ades.ades_timestamp_validation(
            token,
            expected_tst_imprint=generic_cms.message_imprint_checker(self._signature.signer_info),
            **self._spec(at, revision, sources, kept=self._kept_for(token, at)),
        )
        return self._in_order(_known(status.ades_subindic, sources), token, at)

    def _in_order(self, result: AdESSubIndic, token: cms.SignedData, at: datetime) -> AdESSubIndic:
        """A token from after the time it is judged at (now, or what the next newer token proves) proves nothing."""
        return AdESIndeterminate.TIMESTAMP_ORDER_FAILURE if result is AdESPassed.OK and gen_time(token) > at + SKEW else result

    async def _signer(self, judgement: Judgement, revision: int) -> None:
        certificate, proven = self._signature.signer_cert, judgement.proven_at
        judged_now = (self._sources is not None or self._kept is not None) and self._now <= certificate.not_valid_after
        kept = self._kept_of(certificate, self._signature.other_embedded_certs, proven or self._now, self._now if proven is None else None)
        if proven is not None:
            if judged_now and self._kept is None and "/DSS" not in self._reader.root:
                # Nothing in the file can prove the past; asking now answers, so the step that must fail is spared.
                judgement.indication = AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE
            else:
                status = await ades.ades_basic_validation(
                    self._signature.signed_data, raw_digest=self._raw, **self._spec(proven, revision, None, SIGNER_USAGE, kept)
                )
                judgement.indication = status.ades_subindic
                judgement.step("signer_at_proven_time", proven, status.ades_subindic)
            if not certificate.not_valid_before <= proven <= certificate.not_valid_after:
                # The stock process with time accepts this once the certificate has expired.
                if judgement.indication in (AdESPassed.OK, AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE):
                    judgement.indication = AdESIndeterminate.OUT_OF_BOUNDS_NO_POE
                return
            if not judged_now:
                return
        for token in generic_cms.extract_tst_data_iter(self._signature.signer_info, signed=False):
            kept += self._kept_for(token, self._now)  # the process with time judges the time-stamp once more
        spec = self._spec(self._now, self._last, self._sources, SIGNER_USAGE, kept)
        if proven is None:
            status = await ades.ades_basic_validation(self._signature.signed_data, raw_digest=self._raw, **spec)
        else:
            status = await ades.ades_with_time_validation(self._signature.signed_data, raw_digest=self._raw, **spec)
        result = _known(status.ades_subindic, self._sources)
        if self._sources is not None and result is AdESPassed.OK and certificate.serial_number in self._sources.unknown:
            result = AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE  # the authority itself says it does not know this certificate
        judgement.step("signer_now", self._now, result)
        if result is not AdESPassed.OK and certificate.serial_number in (self._sources.unknown if self._sources else ()):
            judgement.indication = result
        if judgement.indication is not AdESPassed.OK or _revoked(result):
            judgement.indication = result

    def _kept_for(self, token: cms.SignedData, at: datetime) -> list[Status]:
        """What was kept for the authority of *token*, judged at *at*: now (then made after the token and still current), or proven."""
        if self._kept is None:
            return []
        sent = extract_certificate_info(token)
        present = at == self._now
        return self._kept_of(sent.signer_cert, sent.other_certs, gen_time(token) if present else at, self._now if present else None)

    def _kept_of(
        self, certificate: asn1_x509.Certificate, others: Iterable[asn1_x509.Certificate], since: datetime, present: datetime | None
    ) -> list[Status]:
        if self._kept is None:
            return []
        found: list[Status] = []
        at: asn1_x509.Certificate | None = certificate
        for _ in range(_LONGEST_CHAIN):
            if at is None or at.self_issued:
                break
            answers = self._kept.about(at)
            found += chosen(answers, since, self._now, ends=at.not_valid_after, present=present is not None)
            at = self._known.issuer_of(at, others)
        self.rests_on += found
        return found

    def _spec(
        self, at: datetime, revision: int, sources: Sources | None, usage: KeyUsageConstraints | None = None, kept: Sequence[Status] = ()
    ) -> dict[str, Any]:
        rule = RevinfoOnlineFetchingRule.ALWAYS_FETCH if sources else RevinfoOnlineFetchingRule.LOCAL_ONLY
        return {
            "timing_info": ValidationTimingInfo(at, at, point_in_time_validation=True),
            "validation_spec": SignatureValidationSpec(
                self._policy,
                revinfo_gathering_policy=RevocationInfoGatheringSpec(rule, sources),
                local_knowledge=_with(self._known.of(revision), kept),
                signature_algorithm_policy=self._algorithms,
                key_usage_settings=usage or KeyUsageConstraints(),
            ),
        }


def _with(knowledge: LocalKnowledge, kept: Sequence[Status]) -> LocalKnowledge:
    """What the file holds and what was kept: the validation checks both the same way."""
    if not kept:
        return knowledge
    raws = {one.raw: one.kind for one in kept}
    return replace(
        knowledge,
        known_ocsps=[*knowledge.known_ocsps, *(answer for raw, kind in raws.items() if kind == "ocsp" for answer in _answers(raw))],
        known_crls=[*knowledge.known_crls, *(_list(raw) for raw, kind in raws.items() if kind == "crl")],
    )


def _known(result: AdESSubIndic, sources: Sources | None) -> AdESSubIndic:
    """Tell "the responder could not be asked" from "the chain is bad"."""
    if sources is not None and sources.outages and result is AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE:
        return AdESIndeterminate.TRY_LATER
    return result
