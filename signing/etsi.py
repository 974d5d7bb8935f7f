"""The verification report as ETSI TS 119 102-2 (V1.2.1) writes it, for programs of other makers.

Names and order are the schema's; what we do not know is left out where the schema lets it, never filled in.
"""

from __future__ import annotations

import base64

from lxml import etree

from signing.report import Report, SignatureReport

VR = "http://uri.etsi.org/19102/v1.2.1#"
DS = "http://www.w3.org/2000/09/xmldsig#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_MAIN = {"PASSED": "total-passed", "FAILED": "total-failed", "INDETERMINATE": "indeterminate"}
_MAIN_URN, _SUB_URN = "urn:etsi:019102:mainindication:", "urn:etsi:019102:subindication:"
_PROOF = "urn:etsi:019102:poetype:"
_CERTIFICATE = "urn:etsi:019102:validationObject:certificate"
_SIGNED = "urn:etsi:019102:validationObject:signedData"


def to_xml(report: Report) -> bytes:
    """The report in XML (UTF-8); of a file without a readable signature one report says why."""
    root = etree.Element(f"{{{VR}}}ValidationReport", nsmap={None: VR, "ds": DS})
    for index, one in enumerate(report.signatures):
        _signature(root, report, one, index)
    if not report.signatures:
        made = _add(root, "SignatureValidationReport")
        failed = report.verdict == "invalid"
        _status(made, "FAILED" if failed else "INDETERMINATE", "FORMAT_FAILURE" if failed else "GENERIC")
    if report.signatures:
        objects = _add(root, "SignatureValidationObjects")
        for index, one in enumerate(report.signatures):
            _object(objects, f"certificate-{index}", _CERTIFICATE, one.certificate_sha256)
            _object(objects, f"document-{index}", _SIGNED, one.signed_sha256)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _signature(root: etree._Element, report: Report, one: SignatureReport, index: int) -> None:
    made = _add(root, "SignatureValidationReport")
    identifier = _add(made, "SignatureIdentifier")
    identifier.set("id", f"signature-{index}")
    _digest(identifier, one.signed_sha256)
    _add(identifier, "HashOnly", "false")
    _add(identifier, "DocHashOnly", "false")
    _add(identifier, "DAIdentifier", one.field)
    times = _add(made, "ValidationTimeInfo")
    _add(times, "ValidationTime", report.judged_at)
    best = _add(times, "BestSignatureTime")
    proven = one.best_time_source != "machine"
    _add(best, "POETime", one.best_time if proven else report.judged_at)
    _add(best, "TypeOfProof", _PROOF + ("validation" if proven else "provided"))
    document = _add(made, "SignersDocument")
    _digest(document, one.signed_sha256)
    _add(document, "SignersDocumentRepresentation").set("VOReference", f"document-{index}")
    signer = _add(made, "SignerInformation")
    _add(signer, "SignerCertificate").set("VOReference", f"certificate-{index}")
    _add(signer, "Signer", one.certificate.common_name)
    _status(made, one.indication, one.sub_indication)


def _status(made: etree._Element, indication: str, sub: str) -> None:
    status = _add(made, "SignatureValidationStatus")
    _add(status, "MainIndication", _MAIN_URN + _MAIN[indication])
    if indication != "PASSED":
        _add(status, "SubIndication", _SUB_URN + sub)


def _object(objects: etree._Element, name: str, kind: str, sha256: str) -> None:
    made = _add(objects, "ValidationObject")
    made.set("id", name)
    _add(made, "ObjectType", kind)
    _digest(_add(made, "ValidationObjectRepresentation"), sha256)


def _digest(parent: etree._Element, sha256: str) -> None:
    made = _add(parent, "DigestAlgAndValue")
    etree.SubElement(made, f"{{{DS}}}DigestMethod", Algorithm=SHA256)
    etree.SubElement(made, f"{{{DS}}}DigestValue").text = base64.b64encode(bytes.fromhex(sha256)).decode()


def _add(parent: etree._Element, tag: str, text: str | None = None) -> etree._Element:
    made = etree.SubElement(parent, f"{{{VR}}}{tag}")
    made.text = text
    return made
