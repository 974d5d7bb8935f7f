"""How a certificate stands before it signs: chain, validity and revocation asked of its authority, at this moment."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    ExpiredError,
    InsufficientRevinfoError,
    InvalidCertificateError,
    NotYetValidError,
    PathError,
    RevokedError,
    StaleRevinfoError,
    ValidationError,
)

from signing.errors import SigningError
from signing.examine import Inquiry
from signing.keys import parsed, parsed_all
from signing.long_term import SIGNER_USAGE
from signing.model import SignerCertificate
from signing.pades import settle
from signing.revocation import Sources

GOOD, UNKNOWN = "good", "unknown"
_VIETNAM = timezone(timedelta(hours=7))


def standing(certificate: SignerCertificate, inquiry: Inquiry) -> str:
    """``good``, or ``unknown`` when nobody answers for its revocation: the signature may be made and is labelled, never silently trusted.

    Raises:
        SigningError: ``signing.certificate_revoked``, ``signing.certificate_expired``, ``signing.certificate_not_yet``,
            ``signing.certificate_untrusted``.
    """
    leaf = parsed(certificate.der)
    context = ValidationContext(
        trust_roots=parsed_all(inquiry.anchors),
        other_certs=parsed_all((*inquiry.intermediates, *certificate.chain)),
        allow_fetching=inquiry.sources is not None,
        revocation_mode="require",
        fetchers=Sources.get_fetchers(inquiry.sources) if inquiry.sources is not None else None,
        moment=inquiry.now,
        best_signature_time=inquiry.now,
    )
    try:
        settle(CertificateValidator(leaf, validation_context=context).async_validate_usage({"digital_signature"}))
    except RevokedError as problem:
        raise SigningError("signing.certificate_revoked", since=_day(problem.revocation_dt)) from None
    except ExpiredError:
        raise SigningError("signing.certificate_expired", until=_day(leaf.not_valid_after)) from None
    except NotYetValidError:
        raise SigningError("signing.certificate_not_yet", since=_day(leaf.not_valid_before)) from None
    except (InsufficientRevinfoError, StaleRevinfoError):
        return UNKNOWN
    except (PathError, ValidationError):
        raise SigningError("signing.certificate_untrusted") from None
    return GOOD


def require_usage(der: bytes) -> None:
    """Refuse a certificate our own verification would not take for a signer's: an authority's, a server's, a time-stamping one.

    Raises:
        SigningError: ``key.certificate_usage``.
    """
    try:
        SIGNER_USAGE.validate(parsed(der))
    except InvalidCertificateError as problem:
        raise SigningError("key.certificate_usage") from problem


def _day(at: datetime) -> str:
    return at.astimezone(_VIETNAM).date().isoformat()
