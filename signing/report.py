"""The answer of a verification: a report, never a boolean. Codes and facts only; the sentences are the catalogue's."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import NoReturn

from signing.model import CertificateFacts, Json


class Verdict(StrEnum):
    """HỢP LỆ, CHƯA ĐỦ CĂN CỨ, KHÔNG HỢP LỆ; the worst of all signatures decides for the document."""

    VALID = "valid"
    INSUFFICIENT = "insufficient"
    INVALID = "invalid"


_ORDER = [Verdict.VALID, Verdict.INSUFFICIENT, Verdict.INVALID]


def worst(verdicts: list[Verdict]) -> Verdict:
    """The worst of several verdicts; of none: insufficient."""
    return max(verdicts, key=_ORDER.index, default=Verdict.INSUFFICIENT)


@dataclass(frozen=True)
class Reason:
    """Why: a catalogued code (``verify.…``) with its facts."""

    code: str
    facts: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One later revision: *kind* is ``number_date``, ``signature``, ``evidence``, ``timestamp`` or ``forbidden``."""

    kind: str
    revision: int
    facts: Json = field(default_factory=dict)


@dataclass(frozen=True)
class SignatureReport:
    """What is known of one signature.

    *role* is ``leader``, ``agency`` or ``other`` (by field), *best_time* the proven time (ISO 8601 with +07:00) and *best_time_source*
    ``signature_timestamp``, ``archive_timestamp`` or ``machine`` (then it is only claimed); *level* is read back from the file;
    *revision_end* is the length of what was signed (``signed_revision``), *signed_sha256* its digest.
    """

    field: str
    role: str
    certificate: CertificateFacts
    authority: str
    claimed_at: str
    best_time: str
    best_time_source: str
    timestamp_authority: str
    level: str
    scope: str
    revision: int
    revision_end: int
    indication: str
    sub_indication: str
    verdict: Verdict
    reasons: tuple[Reason, ...]
    changes: tuple[Change, ...]
    steps: tuple[Json, ...]
    certificate_sha256: str
    signed_sha256: str

    def __bool__(self) -> NoReturn:
        raise TypeError("a verification report is no boolean; look at its verdict")


@dataclass(frozen=True)
class Report:
    """The report on one document; *verdict* stands first on every screen."""

    verdict: Verdict
    sha256: str
    judged_at: str
    online: bool
    signatures: tuple[SignatureReport, ...] = ()
    reasons: tuple[Reason, ...] = ()
    number: str = ""
    date: str = ""
    is_test: bool = False

    def __bool__(self) -> NoReturn:
        raise TypeError("a verification report is no boolean; look at its verdict")

    def to_json(self) -> Json:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Json) -> Report:
        """The report back from JSON."""
        signatures = tuple(_signature(one) for one in raw["signatures"])
        return cls(**{**raw, "verdict": Verdict(raw["verdict"]), "signatures": signatures, "reasons": _reasons(raw["reasons"])})


def _reasons(raw: list[Json]) -> tuple[Reason, ...]:
    return tuple(Reason(one["code"], one["facts"]) for one in raw)


def _signature(raw: Json) -> SignatureReport:
    return SignatureReport(
        **{
            **raw,
            "certificate": CertificateFacts(**raw["certificate"]),
            "verdict": Verdict(raw["verdict"]),
            "reasons": _reasons(raw["reasons"]),
            "changes": tuple(Change(one["kind"], one["revision"], one["facts"]) for one in raw["changes"]),
            "steps": tuple(raw["steps"]),
        }
    )
