"""Time-stamp tokens that stand alone, over a digest somebody kept: whose they are, over what, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from asn1crypto import cms
from pyhanko.sign.validation import generic_cms
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError

from signing.keys import parsed_all
from signing.tsa import gen_time


def token_fault(token: bytes, digest: bytes, anchors: Sequence[bytes], intermediates: Sequence[bytes] = ()) -> str | None:
    """What keeps *token* (DER) from proving the SHA-256 *digest*: ``unreadable``, ``foreign``, ``broken`` or ``untrusted``; None = nothing.

    The authority's path is judged at the token's own time, without network: such tokens are kept for decades and their authority's
    revocation would be known by other means.
    """
    try:
        content = cms.ContentInfo.load(token)
        info = content["content"]["encap_content_info"]["content"].parsed
        imprint, at = info["message_imprint"], gen_time(content)
        if imprint["hash_algorithm"]["algorithm"].native != "sha256" or imprint["hashed_message"].native != digest:
            return "foreign"
        context = ValidationContext(
            trust_roots=parsed_all(tuple(anchors)),
            other_certs=parsed_all(tuple(intermediates)),
            moment=at,
            best_signature_time=at,
            allow_fetching=False,
            revocation_mode="soft-fail",
        )
        status = asyncio.run(generic_cms.validate_tst_signed_data(content["content"], context, lambda _: digest))
    except (SignatureValidationError, ValidationError, PathError):
        return "untrusted"
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return "unreadable"
    if not status["intact"] or not status["valid"]:
        return "broken"
    return None if status["trust_problem_indic"] is None else "untrusted"
