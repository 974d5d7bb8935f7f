"""The container of a signature held to the letter: what no signature protects inside it must at least be exactly what it has to be.

A CMS structure has parts outside its own signature: version, algorithm lists, the certificates sent along, the unsigned attributes. Stock
verification ignores most of them, so a changed byte there would go unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from asn1crypto import cms, core
from cryptography import x509
from cryptography.exceptions import InvalidSignature


def container_fault(gap: bytes, *, pades: bool = True, stamped: bool = False) -> str | None:
    """What is wrong with the signature value in *gap* (hexadecimal, between the angle brackets); None = nothing.

    A *pades* signature must name its certificate among the signed attributes; older kinds of other makers need not. *stamped*: the value
    is a time-stamp token.
    """
    if not re.fullmatch(rb"[0-9a-f]*|[0-9A-F]*", gap):
        return "mixed spelling"
    raw = bytes.fromhex(gap.decode("ascii"))
    try:
        der = raw[: _span(raw, 0)[1]]
        if raw[len(der) :].strip(b"\0"):
            return "something in the unused room"
        _check_encoding(der)
        container = cms.ContentInfo.load(der, strict=True)
        bound = pades or stamped  # RFC 3161 demands of a token what PAdES demands of a signature
        return _fault(container, stamped=stamped) or _unbound(container["content"]["signer_infos"][0], bound)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return "malformed"


def token_of(container: cms.ContentInfo) -> cms.ContentInfo | None:
    """The time-stamp token over the signature, if there is one."""
    for attribute in _unsigned(container["content"]["signer_infos"][0]):
        return attribute["values"][0]
    return None


def stray_certificate(container: cms.ContentInfo, known: Iterable[bytes]) -> bool:
    """Whether a certificate sent along, in the signature or its time-stamp, is one nobody vouches for.

    *known* are certificates (DER) that may vouch. A changed byte in a certificate shows here, because no other part covers it.
    """
    token = token_of(container)
    parts = [container, token] if token is not None else [container]
    strangers = {one.chosen.dump() for part in parts for one in part["content"]["certificates"]} - set(known)
    vouching = set(known)
    # From what is known outwards: strangers that vouch for themselves or for each other stay strangers.
    while found := {der for der in strangers if any(_issued(der, other) for other in vouching)}:
        strangers -= found
        vouching |= found
    return bool(strangers)


def _fault(container: cms.ContentInfo, *, stamped: bool) -> str | None:
    signed = container["content"]
    if container["content_type"].native != "signed_data":
        return "content"
    content = signed["encap_content_info"]
    if signed["version"].native != ("v3" if stamped else "v1"):
        return "version"
    if content["content_type"].native != ("tst_info" if stamped else "data") or (not stamped and content["content"].native is not None):
        return "content"
    if len(signed["signer_infos"]) != 1 or _present(signed["crls"]):
        return "more than one signer or foreign lists"
    signer = signed["signer_infos"][0]
    algorithms = [one.dump() for one in signed["digest_algorithms"]]
    if algorithms != [signer["digest_algorithm"].dump()] or signer["version"].native != "v1":
        return "algorithms"
    if not isinstance(signer["digest_algorithm"]["parameters"], core.Void | core.Null) or not _consistent(signer["signature_algorithm"]):
        return "algorithms"
    if any(one.name != "certificate" for one in signed["certificates"]):
        return "certificate of another kind"
    sent = [one.chosen for one in signed["certificates"]]
    if len({one.dump() for one in sent}) != len(sent):
        return "certificate twice"
    if any(one["signature_algorithm"].dump() != one["tbs_certificate"]["signature"].dump() for one in sent):
        return "certificate algorithms"
    attributes = _unsigned(signer)
    if stamped:
        return "unsigned attributes" if attributes else None
    if len(attributes) > 1 or any(one["type"].native != "signature_time_stamp_token" or len(one["values"]) != 1 for one in attributes):
        return "unsigned attributes"
    for one in attributes:
        return _fault(one["values"][0], stamped=True)
    return None


def _consistent(algorithm: cms.SignedDigestAlgorithm) -> bool:
    """RSASSA-PSS masks with the digest it signs; another one would let a weak digest in by the back door."""
    if algorithm["algorithm"].native != "rsassa_pss":
        return True
    digest, mask = algorithm["parameters"]["hash_algorithm"], algorithm["parameters"]["mask_gen_algorithm"]
    return bool(mask["algorithm"].native == "mgf1" and mask["parameters"]["algorithm"].native == digest["algorithm"].native)


def _unbound(signer: cms.SignerInfo, pades: bool) -> str | None:
    """What the signed attributes lack: without them the signed bytes could be taken for attributes, and the certificate exchanged."""
    if not _present(signer["signed_attrs"]):
        return "no signed attributes"
    kinds = [one["type"].native for one in signer["signed_attrs"]]
    if len(set(kinds)) != len(kinds) or not {"content_type", "message_digest"} <= set(kinds):
        return "signed attributes"
    if pades and not {"signing_certificate_v2", "signing_certificate"} & set(kinds):
        return "no certificate named"
    return None


@lru_cache(maxsize=4096)
def _issued(der: bytes, issuer: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(der).verify_directly_issued_by(x509.load_der_x509_certificate(issuer))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _unsigned(signer: cms.SignerInfo) -> list[cms.CMSAttribute]:
    return list(signer["unsigned_attrs"]) if _present(signer["unsigned_attrs"]) else []


def _present(value: core.Asn1Value) -> bool:
    return not isinstance(value, core.Void)


def _span(raw: bytes, start: int) -> tuple[int, int]:
    """Where the content of the element at *start* begins and ends; only the one encoding DER allows is taken."""
    if raw[start] & 0x1F == 0x1F:
        raise ValueError("long tag")
    length, begin = raw[start + 1], start + 2
    if length >= 0x80:
        count = length & 0x7F
        begin += count
        length = int.from_bytes(raw[start + 2 : begin], "big")
        if not 0 < count <= 4 or length < 0x80 or raw[start + 2] == 0:
            raise ValueError("length not minimal")
    if begin + length > len(raw):
        raise ValueError("length beyond the end")
    return begin, begin + length


def _check_encoding(der: bytes) -> None:
    todo = [(0, len(der))]
    while todo:
        start, end = todo.pop()
        while start < end:
            begin, after = _span(der, start)
            if after > end:
                raise ValueError("element beyond its container")
            if der[start] & 0x20:
                todo.append((begin, after))
            start = after
