"""What the agent lets a key sign: the signed attributes of a CMS signature made with that key's own certificate, and nothing else.

A page that is not what it claims could otherwise have the token sign the challenge of another service, a certificate request, or a
signature in somebody else's name.
"""

from __future__ import annotations

import hashlib

from asn1crypto import cms, tsp

from signing.errors import SigningError

NEEDED = {"content_type", "message_digest", "signing_certificate_v2"}
ALLOWED = NEEDED | {"signing_time", "cms_algorithm_protection"}


def require_attributes(content: bytes, certificate: bytes) -> None:
    """Refuse what is not the signed attributes (DER) of a signature over data by the owner of *certificate*.

    Raises:
        SigningError: ``agent.content_strange``.
    """
    try:
        attributes = cms.CMSAttributes.load(content, strict=True)
        names = [one["type"].native for one in attributes]
        if not NEEDED <= set(names) <= ALLOWED or len(set(names)) != len(names):
            raise SigningError("agent.content_strange")
        values = {one["type"].native: one["values"] for one in attributes}
        # The module of time-stamps is what makes this attribute readable.
        naming: tsp.SigningCertificateV2 = values["signing_certificate_v2"][0]
        named = naming["certs"][0]
        if (
            not isinstance(naming, tsp.SigningCertificateV2)
            or any(len(one) != 1 for one in values.values())
            or values["content_type"][0].native != "data"
            or len(values["message_digest"][0].native) != hashlib.sha256().digest_size
            or named["hash_algorithm"]["algorithm"].native != "sha256"
            or named["cert_hash"].native != hashlib.sha256(certificate).digest()
            or cms.CMSAttributes(list(attributes)).dump() != content
        ):
            raise SigningError("agent.content_strange")
    except (ValueError, TypeError, KeyError, IndexError) as problem:
        raise SigningError("agent.content_strange") from problem


def check_code(content: bytes) -> str:
    """The first eight hex digits of what is signed, grouped: the signing room shows the same."""
    digest = hashlib.sha256(content).hexdigest()
    return f"{digest[:4]} {digest[4:8]}".upper()
