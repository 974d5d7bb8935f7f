"""XML signatures: XAdES-B by signxml; XAdES-T, XAdES-LT and the judgement of time, chain and status ours on top of it.

One rule keeps wrapping attacks out: there is one signature, a child of the root, over the whole document; only the node that was
verified is ever read.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from pyhanko.sign.validation import generic_cms
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import InvalidCertificateError, PathError, RevokedError, ValidationError
from signxml.algorithms import SignatureMethod
from signxml.xades.xades import XAdESDataObjectFormat, XAdESSignatureConfiguration, XAdESSigner, XAdESVerifier

from signing.container import container_fault
from signing.errors import SigningError
from signing.examine import Inquiry
from signing.keys import certificate_facts, parsed, parsed_all
from signing.long_term import EXPOSURE, SIGNER_USAGE, SKEW
from signing.model import CertificateFacts, SignerCertificate
from signing.pades import VIETNAM, settle
from signing.report import Reason, Verdict
from signing.tsa import TimeStampClient, gen_time

# Exclusive canonicalisation makes signxml's own signatures unverifiable; comments never survive either form.
CANONICAL = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
XA = "{http://uri.etsi.org/01903/v1.3.2#}"
_METHODS = frozenset(
    {SignatureMethod.ECDSA_SHA256, SignatureMethod.ECDSA_SHA384, SignatureMethod.RSA_SHA256, SignatureMethod.SHA256_RSA_MGF1}
)
_TRANSFORMS = (
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    CANONICAL,
    "http://www.w3.org/2006/12/xml-c14n11",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
)
_DIGESTS = (
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
)
_PROPERTIES = {f"{XA}SignedProperties", f"{XA}UnsignedProperties"}
_MOST_EVIDENCE = 64
_MOST_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class XmlReport:
    """The report on one signed XML document; *content* is the verified document without its signature, nothing else may be read."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    content: bytes = b""
    certificate: CertificateFacts | None = None
    level: str = ""
    best_time: str = ""
    best_time_source: str = "machine"


def sign_xml(xml: bytes, certificate: SignerCertificate, raw_sign: Callable[[bytes], bytes], now: datetime) -> bytes:
    """Sign the whole of an XML document at level XAdES-B; *raw_sign* is the key's answer, e.g. through the custody.

    Raises:
        SigningError: ``signing.not_xml``, ``signing.xml_signed``.
    """
    root = _parsed(xml)
    if root.findall(f".//{DS}Signature"):
        raise SigningError("signing.xml_signed")
    key = x509.load_der_x509_certificate(certificate.der).public_key()
    method = SignatureMethod.ECDSA_SHA256 if isinstance(key, ec.EllipticCurvePublicKey) else SignatureMethod.SHA256_RSA_MGF1
    signer = _Signer(
        now, signature_algorithm=method, c14n_algorithm=CANONICAL, data_object_format=XAdESDataObjectFormat("edXML", "text/xml")
    )
    chain = [x509.load_der_x509_certificate(one) for one in (certificate.der, *certificate.chain)]
    # signxml asks its key for nothing but a signature and a size.
    answer: Any = _Answer(raw_sign, getattr(key, "key_size", 0))
    signed = signer.sign(root, key=answer, cert=chain, always_add_key_value=False)
    return bytes(etree.tostring(signed, xml_declaration=True, encoding="UTF-8"))


def stamp_xml(xml: bytes, tsa: TimeStampClient, now: datetime) -> bytes:
    """Raise a signed document to XAdES-T: a time-stamp over its signature value."""
    root = _parsed(xml)
    token = tsa.token(hashlib.sha256(_canonical(_only(root, f".//{DS}SignatureValue"))).digest(), now)
    node = _only(root, f".//{XA}QualifyingProperties")
    for tag in ("UnsignedProperties", "UnsignedSignatureProperties", "SignatureTimeStamp"):
        node = etree.SubElement(node, XA + tag)
    etree.SubElement(node, f"{DS}CanonicalizationMethod", Algorithm=CANONICAL)
    etree.SubElement(node, f"{XA}EncapsulatedTimeStamp").text = base64.b64encode(token).decode("ascii")
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def keep_evidence(xml: bytes, inquiry: Inquiry) -> bytes:
    """Raise a time-stamped document to XAdES-LT: certificates, status answers and lists of signer and time stamp go into the file.

    Raises:
        SigningError: ``signing.evidence_down`` when not everything could be had; the document as it was stays good.
    """
    root = _parsed(xml)
    signature = _root_signature(root)
    place = _only(signature, f".//{XA}UnsignedSignatureProperties")
    token = cms.ContentInfo.load(base64.b64decode(_only(place, f".//{XA}EncapsulatedTimeStamp").text or ""))
    stamping = generic_cms.extract_certs_for_validation(token["content"]).signer_cert
    try:
        found = [settle(_collected(one, inquiry)) for one in (parsed(_signer_certificate(signature)), stamping)]
    except (PathError, ValidationError, ValueError) as problem:
        raise SigningError("signing.evidence_down") from problem
    certificates, answers, lists = ({der for one in found for der in one[kind]} for kind in range(3))
    values = etree.SubElement(place, f"{XA}CertificateValues")
    for der in sorted(certificates):
        etree.SubElement(values, f"{XA}EncapsulatedX509Certificate").text = base64.b64encode(der).decode()
    values = etree.SubElement(place, f"{XA}RevocationValues")
    for group, tag, ders in (("CRLValues", "EncapsulatedCRLValue", lists), ("OCSPValues", "EncapsulatedOCSPValue", answers)):
        holder = etree.SubElement(values, XA + group) if ders else values
        for der in sorted(ders):
            etree.SubElement(holder, XA + tag).text = base64.b64encode(der).decode()
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


async def _collected(certificate: asn1_x509.Certificate, inquiry: Inquiry) -> tuple[set[bytes], set[bytes], set[bytes]]:
    context = _context(inquiry, inquiry.now)
    validator = CertificateValidator(certificate, intermediate_certs=parsed_all(inquiry.intermediates), validation_context=context)
    path = await validator.async_validate_path()
    certificates = {one.dump() for one in path.iter_certs(include_root=True)}
    return certificates, {one.dump() for one in context.ocsps}, {one.dump() for one in context.crls}


def examine_xml(xml: bytes, inquiry: Inquiry) -> XmlReport:
    """Examine one signed XML document (inside the verifying child process when it comes from outside)."""
    try:
        root = _parsed(xml)
        signature = _root_signature(root)
        certificate = _signer_certificate(signature)
        stamps = signature.findall(f".//{XA}EncapsulatedTimeStamp")
        content = _verified(xml, inquiry)
        kept = _kept(signature)
        facts = certificate_facts(certificate)
    except Exception:
        # The libraries raise all kinds of exceptions on hostile files; none of them may read as anything but a failure.
        return XmlReport(Verdict.INVALID, (Reason("verify.xml_broken"),))
    proven, source, level, reasons = inquiry.now, "machine", "XAdES-B", []
    if stamps:
        stamped = settle(_token_time(stamps[0].text or "", signature, inquiry, kept)) if len(stamps) == 1 else None
        if stamped is None:
            return XmlReport(Verdict.INSUFFICIENT, (Reason("verify.timestamp_broken"),), content, facts, level)
        proven, source, level = stamped, "signature_timestamp", "XAdES-T"
    else:
        reasons.append(Reason("verify.time_unproven"))
    refusal: Reason | None = Reason("verify.evidence_missing", {"indication": "chain"})
    if stamps and kept.lasting:
        refusal = settle(_chain_refusal(certificate, proven, replace(inquiry, sources=None), kept))
        level = "XAdES-LT" if refusal is None else level
    if refusal is not None or (inquiry.sources is not None and inquiry.now <= parsed(certificate).not_valid_after):
        now = settle(_chain_refusal(certificate, proven, inquiry, kept))
        if now is None and inquiry.now > parsed(certificate).not_valid_after:
            now = Reason("verify.expired")  # an authority need not speak of certificates that have ended; only evidence kept proves them
        # What is kept proves the past; only a revocation from before that time, learnt later, overrides it.
        refusal = now if refusal is not None or (now is not None and now.code == "verify.revoked") else refusal
    verdict = Verdict.VALID if refusal is None else Verdict.INSUFFICIENT
    local = proven.astimezone(VIETNAM).isoformat(timespec="seconds")
    return XmlReport(verdict, (*reasons, *([refusal] if refusal else [])), content, facts, level, local, source)


@dataclass(frozen=True)
class _Kept:
    """Evidence in the file; nothing signs it, everything in it is signed by its own authority."""

    certificates: tuple[bytes, ...] = ()
    answers: tuple[bytes, ...] = ()
    lists: tuple[bytes, ...] = ()

    @property
    def lasting(self) -> bool:
        """Whether there is any."""
        return bool(self.answers or self.lists)


def _kept(signature: etree._Element) -> _Kept:
    def read(tag: str) -> tuple[bytes, ...]:
        found = signature.findall(f".//{XA}UnsignedSignatureProperties//{XA}{tag}")
        return tuple(base64.b64decode("".join((one.text or "").split()), validate=True) for one in found[:_MOST_EVIDENCE])

    return _Kept(read("EncapsulatedX509Certificate"), read("EncapsulatedOCSPValue"), read("EncapsulatedCRLValue"))


def _verified(xml: bytes, inquiry: Inquiry) -> bytes:
    """The canonical document the signature covers; raises when it is anything but the whole."""
    root = _parsed(xml)
    signature = _root_signature(root)
    certificate = x509.load_der_x509_certificate(_signer_certificate(signature))
    configuration = XAdESSignatureConfiguration(
        signature_methods=_METHODS, expect_references=3, verification_time=certificate.not_valid_before_utc
    )
    # The chain is judged below, at the proven time and with evidence; here the signature is bound to exactly this certificate.
    results = XAdESVerifier().verify(xml, x509_cert=certificate, expect_config=configuration)
    root.remove(signature)
    whole = _canonical(root)
    signed = [one.signed_xml for one in results if one.signed_xml is not None and _canonical(one.signed_xml) == whole]
    if len(signed) != 1:
        raise SigningError("signing.not_xml")
    return whole


async def _token_time(text: str, signature: etree._Element, inquiry: Inquiry, kept: _Kept) -> datetime | None:
    covered = _canonical(_only(signature, f".//{DS}SignatureValue"))
    try:
        raw = base64.b64decode(text)
        if container_fault(raw.hex().encode(), stamped=True):
            return None  # the parts of a token that nothing signs are at least exactly what they must be
        token = cms.ContentInfo.load(raw)
        status = await generic_cms.validate_tst_signed_data(
            token["content"],
            _context(inquiry, _judged_at(gen_time(token), inquiry), kept),
            lambda algorithm: hashlib.new(algorithm, covered).digest(),
        )
        at = gen_time(token)
        good = status["intact"] and status["valid"] and status["trust_problem_indic"] is None and at <= inquiry.now + SKEW
        return at if good else None
    except Exception:
        # A token changed by somebody makes the libraries raise all kinds of exceptions; none of them may read as anything but a failure.
        return None


def _judged_at(stamped: datetime, inquiry: Inquiry) -> datetime:
    """When a time stamp's authority is judged: now; offline, as long as the evidence kept is near enough, at the time it states."""
    near = inquiry.sources is None and stamped <= inquiry.now <= stamped + EXPOSURE
    return stamped if near else inquiry.now


async def _chain_refusal(certificate: bytes, at: datetime, inquiry: Inquiry, kept: _Kept) -> Reason | None:
    leaf = parsed(certificate)
    if not leaf.not_valid_before <= at <= leaf.not_valid_after:
        return Reason("verify.expired")
    if inquiry.sources is not None:
        inquiry.sources.latest = inquiry.now + SKEW
    outages = len(inquiry.sources.outages) if inquiry.sources else 0
    try:
        validator = CertificateValidator(
            leaf, intermediate_certs=parsed_all(inquiry.intermediates), validation_context=_context(inquiry, at, kept)
        )
        await validator.async_validate_path()
        SIGNER_USAGE.validate(leaf)
    except InvalidCertificateError:
        return Reason("verify.wrong_usage", {"indication": "usage"})
    except RevokedError:
        return Reason("verify.revoked")
    except (PathError, ValidationError, ValueError):
        if inquiry.sources is not None and len(inquiry.sources.outages) > outages:
            return Reason("verify.try_later")
        return Reason("verify.evidence_missing", {"indication": "chain"})
    if inquiry.sources is not None and leaf.serial_number in inquiry.sources.unknown:
        return Reason("verify.evidence_missing", {"indication": "unknown"})
    return None


def _context(inquiry: Inquiry, at: datetime, kept: _Kept | None = None) -> ValidationContext:
    kept = kept or _Kept()
    return ValidationContext(
        trust_roots=parsed_all(inquiry.anchors),
        other_certs=parsed_all((*inquiry.intermediates, *kept.certificates)),
        moment=at,
        best_signature_time=at,
        allow_fetching=inquiry.sources is not None,
        crls=list(kept.lists),
        ocsps=list(kept.answers),
        revocation_mode="require",
        retroactive_revinfo=True,
        fetchers=inquiry.sources.get_fetchers() if inquiry.sources else None,
    )


def _root_signature(root: etree._Element) -> etree._Element:
    found = root.findall(f".//{DS}Signature")
    if root.getroottree().docinfo.doctype or len(found) != 1 or found[0].getparent() is not root:
        raise SigningError("signing.not_xml")
    if [one.tag for one in found[0]] != [DS + name for name in ("SignedInfo", "SignatureValue", "KeyInfo", "Object")]:
        raise SigningError("signing.not_xml")
    properties = list(found[0][3])
    if [one.tag for one in properties] != [f"{XA}QualifyingProperties"] or not set(_tags(properties[0])) <= _PROPERTIES:
        raise SigningError("signing.not_xml")
    references = found[0].findall(f"./{DS}SignedInfo/{DS}Reference")
    if len(references) != 3 or sum(1 for one in references if one.get("URI") == "") != 1:
        raise SigningError("signing.not_xml")
    # signxml passes over transforms it does not know; another program would apply them and read something else.
    if any(one.get("Algorithm") not in _TRANSFORMS for one in found[0].iterfind(f"./{DS}SignedInfo//{DS}Transform")):
        raise SigningError("signing.not_xml")
    if any(one.get("Algorithm") not in _DIGESTS for one in found[0].iterfind(f"./{DS}SignedInfo//{DS}DigestMethod")):
        raise SigningError("signing.not_xml")
    return found[0]


def _signer_certificate(signature: etree._Element) -> bytes:
    """The certificate whose digest the signed properties name; the first one sent along by our rule."""
    sent = signature.findall(f"./{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate")
    der = base64.b64decode("".join((sent[0].text or "").split()))
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.DER)


def _parsed(xml: bytes) -> etree._Element:
    if len(xml) > _MOST_BYTES:
        raise SigningError("signing.not_xml")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise SigningError("signing.not_xml") from problem
    if root.getroottree().docinfo.doctype:
        raise SigningError("signing.not_xml")
    return root


def _tags(node: etree._Element) -> list[str]:
    return [str(one.tag) for one in node]


def _only(root: etree._Element, path: str) -> etree._Element:
    found = root.findall(path)
    if len(found) != 1:
        raise SigningError("signing.not_xml")
    return found[0]


def _canonical(node: etree._Element) -> bytes:
    return bytes(etree.tostring(node, method="c14n", exclusive=False, with_comments=False))


class _Answer:
    """Stands where signxml expects a private key: only its signing operation, answered elsewhere."""

    def __init__(self, raw_sign: Callable[[bytes], bytes], key_size: int) -> None:
        self._raw_sign, self.key_size = raw_sign, key_size

    def sign(self, content: bytes, *_: object, **__: object) -> bytes:
        """The raw signature over *content*."""
        return self._raw_sign(content)


class _Signer(XAdESSigner):
    """signxml's signer under the office's clock."""

    def __init__(self, now: datetime, **options: Any) -> None:
        XAdESSigner.__init__(self, **options)
        self._now = now

    def add_signing_time(self, signed_signature_properties: etree._Element, sig_root: object, signing_settings: object) -> None:
        """Write the claimed time."""
        node = etree.SubElement(signed_signature_properties, f"{XA}SigningTime", nsmap=self.namespaces)
        node.text = self._now.astimezone(VIETNAM).isoformat(timespec="seconds")
