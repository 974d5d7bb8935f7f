"""Signed XML: one signature at the root over the whole, or nothing."""

from __future__ import annotations

import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from lxml import etree

from signing import xades
from signing.examine import Inquiry
from signing.report import Verdict
from signing.xades import DS, XA, XmlReport
from tests.support.signing_office import InProcessSources, Office, refused

PACKET = """<edXML xmlns="http://www.e-doc.vn/Schema/"><Header Id="h"><Subject>Quyết định số 15</Subject><To>H27.05</To></Header>
<Body>nội dung</Body></edXML>""".encode()


def signed(office: Office, key_id: str = "agency", *, stamped: bool = True, xml: bytes = PACKET) -> bytes:
    made = xades.sign_xml(xml, office.pki.certificate(key_id), lambda content: office.raw_sign(key_id, content), office.now)
    return xades.stamp_xml(made, office.tsa, office.now) if stamped else made


def examined(office: Office, xml: bytes, *, online: bool = True) -> XmlReport:
    sources = InProcessSources(office) if online else None
    return xades.examine_xml(xml, Inquiry((office.pki.root,), (office.pki.issuing,), office.now, sources))


@pytest.mark.parametrize("key_id", ["agency", "binh"], ids=["ecdsa", "rsa-pss"])
def test_a_packet_signed_through_the_custody_s_raw_answer_is_valid(office: Office, key_id: str) -> None:
    report = examined(office, signed(office, key_id))
    assert report.verdict is Verdict.VALID, report.reasons
    assert report.level == "XAdES-T"
    assert report.best_time == "2026-11-22T09:05:11+07:00"
    assert "Quyết định số 15".encode() in report.content
    assert b"Signature" not in report.content


def test_level_b_is_valid_with_its_time_only_claimed(office: Office) -> None:
    report = examined(office, signed(office, stamped=False))
    assert (report.verdict, report.level, report.best_time_source) == (Verdict.VALID, "XAdES-B", "machine")
    assert {one.code for one in report.reasons} == {"verify.time_unproven"}


def test_without_evidence_or_with_a_revoked_certificate_it_is_not_valid(office: Office) -> None:
    """signxml alone accepts revoked certificates."""
    packet = signed(office)
    assert examined(office, packet, online=False).verdict is Verdict.INSUFFICIENT
    office.pki.revoke("agency", office.now - timedelta(days=1))
    assert {one.code for one in examined(office, packet).reasons} == {"verify.revoked"}


def variants(packet: bytes, office: Office) -> dict[str, bytes]:
    root = etree.fromstring(packet)
    signature = root.find(f"{DS}Signature")
    assert signature is not None
    text = packet.decode()
    wrapped = etree.Element("{http://www.e-doc.vn/Schema/}edXML")
    wrapped.append(etree.fromstring(packet))
    evil = etree.SubElement(wrapped, "{http://www.e-doc.vn/Schema/}Header")
    evil.text = "số 99"
    sibling = etree.fromstring(packet)
    sibling_signature = sibling.find(f"{DS}Signature")
    assert sibling_signature is not None
    holder = etree.SubElement(sibling, "Wrapper")
    holder.append(sibling_signature)
    twice = etree.fromstring(packet)
    twice.append(etree.fromstring(etree.tostring(signature)))
    moved = etree.fromstring(packet)
    moved_signature = moved.find(f"{DS}Signature")
    assert moved_signature is not None
    inside = etree.SubElement(moved_signature, f"{DS}Object")
    inside.append(etree.Element("Header", Id="h"))
    return {
        "content changed": text.replace("số 15", "số 16").encode(),
        "attribute changed": text.replace('Id="h"', 'Id="i"').encode(),
        "element added": text.replace("<Body>", "<Body/><Body>").encode(),
        "wrapped": etree.tostring(wrapped),
        "signature moved under a wrapper": etree.tostring(sibling),
        "two signatures": etree.tostring(twice),
        "object inside the signature": etree.tostring(moved),
        "signature value cut": re.sub(r"(<ds:SignatureValue>)....", r"\1", text).encode(),
        "other method": text.replace("ecdsa-sha256", "ecdsa-sha1").encode(),
        "mac instead": text.replace(
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "http://www.w3.org/2000/09/xmldsig#hmac-sha1"
        ).encode(),
        "external reference": text.replace('URI=""', 'URI="http://127.0.0.1:9/x"').encode(),
        "file reference": text.replace('URI=""', 'URI="file:///etc/passwd"').encode(),
        "doctype": (text.replace("?>", "?><!DOCTYPE edXML [<!ENTITY a 'b'>]>", 1) if "?>" in text else "").encode(),
        "entity bomb": b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><x>&b;</x>",
        "signature only": etree.tostring(signature),
        "no signature": PACKET,
        "no xml": b"\x00\x01",
        "empty": b"",
    }


def test_no_construction_is_accepted(office: Office) -> None:
    packet = signed(office)
    accepted = [title for title, forged in variants(packet, office).items() if examined(office, forged).verdict is not Verdict.INVALID]
    assert accepted == []


def test_a_comment_put_into_the_text_is_not_part_of_what_is_read(office: Office) -> None:
    """Canonical form drops comments, so the signature holds; the text handed out must be whole all the same."""
    forged = signed(office).replace("số 15".encode(), "số <!--x-->15".encode())
    report = examined(office, forged)
    assert report.verdict is Verdict.INVALID or "số 15".encode() in report.content


def test_a_swapped_time_stamp_is_found(office: Office) -> None:
    """Unsigned properties are protected by nothing: the token itself must be over this signature value."""
    packet, other = signed(office), signed(office, xml=PACKET.replace(b"15", b"77"))
    pattern = re.compile(rb"(<[a-z0-9]*:?EncapsulatedTimeStamp[^>]*>)([^<]*)")
    foreign = pattern.search(other)
    assert foreign is not None
    swapped = pattern.sub(lambda own: own[1] + foreign[2], packet)
    report = examined(office, swapped)
    assert report.verdict is not Verdict.VALID
    assert {one.code for one in report.reasons} == {"verify.timestamp_broken"}
    assert examined(office, pattern.sub(rb"\1AAAA", packet)).verdict is not Verdict.VALID


def test_a_second_signing_and_broken_documents_are_refused(office: Office) -> None:
    with refused("signing.xml_signed"):
        signed(office, xml=signed(office))
    with refused("signing.not_xml"):
        signed(office, xml=b"<a>")


def test_xmlsec_agrees(office: Office, tmp_path: Path) -> None:
    """xmlsec1 of the distribution knows no RSA-PSS, so ECDSA is compared."""
    file, roots = tmp_path / "packet.xml", tmp_path / "root.pem"
    file.write_bytes(signed(office))
    roots.write_bytes(x509.load_der_x509_certificate(office.pki.root).public_bytes(serialization.Encoding.PEM))

    def said(path: Path) -> int:
        at = office.now.strftime("%Y-%m-%d %H:%M:%S")
        command = ["xmlsec1", "--verify", "--trusted-pem", str(roots), "--verification-time", at]
        ids = ["--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"]
        return subprocess.run([*command, *ids, str(path)], capture_output=True, check=False).returncode

    assert said(file) == 0
    file.write_bytes(file.read_bytes().replace("số 15".encode(), "số 16".encode()))
    assert said(file) != 0


def test_the_claimed_time_is_the_office_s(office: Office) -> None:
    root = etree.fromstring(signed(office))
    assert [one.text for one in root.iter(f"{XA}SigningTime")] == ["2026-11-22T09:05:11+07:00"]
