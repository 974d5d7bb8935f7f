"""Signed XML: one signature at the root over the whole, or nothing."""

from __future__ import annotations

import base64
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from signing import testpki, xades
from signing.examine import Inquiry
from signing.report import Verdict
from signing.xades import DS, XA, XmlReport
from tests.signing.attacks import packets
from tests.support.signing_office import PINS, VALID_FROM, InProcessSources, Office, refused

Generator = Callable[[bytes], Iterator[packets.Variant]]
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


@pytest.mark.parametrize("generator", [packets.wrapped, packets.altered], ids=lambda one: one.__name__)
def test_no_construction_is_accepted_and_nothing_is_fetched(
    office: Office, generator: Callable[[bytes], Iterator[packets.Variant]]
) -> None:
    """Stripping the time stamp is no forgery: what is left says that its time is only claimed."""
    packet = signed(office)
    with listening() as (port, asked):
        accepted = []
        for title, forged in generator(packet):
            report = examined(office, forged.replace(b"{port}", str(port).encode()))
            if report.verdict is Verdict.VALID:
                accepted.append((title, report.level, {one.code for one in report.reasons}))
        assert accepted == ([] if generator is packets.wrapped else [("UnsignedProperties gone", "XAdES-B", {"verify.time_unproven"})])
        assert asked == []


@contextmanager
def listening() -> Iterator[tuple[int, list[str]]]:
    """A server on this machine and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], asked
    server.shutdown()
    server.server_close()


def test_transforms_and_outer_references_properly_signed_are_refused_unfetched(office: Office) -> None:
    """Signed anew by a key we trust, so that nothing but the rule stands between the reference and the fetch."""
    with listening() as (port, asked):
        for title, transform in packets.transforms():
            report = examined(office, signed_with(office, transform=transform.replace("{port}", str(port))))
            assert report.verdict is Verdict.INVALID, title
        for address in (f"http://127.0.0.1:{port}/x", "file:///etc/passwd", "#h"):
            assert examined(office, signed_with(office, address=address)).verdict is Verdict.INVALID, address
        assert examined(office, signed_with(office)).verdict is Verdict.VALID
        assert asked == []


def signed_with(office: Office, *, transform: str = "", address: str = "", packet: str = "") -> bytes:
    """A packet whose signed part was altered before its signature value was made."""
    packet = packet or signed(office, stamped=False).decode()
    packet = packet.replace("<ds:Transforms>", f"<ds:Transforms>{transform}", 1).replace('URI=""', f'URI="{address}"', 1)
    root = etree.fromstring(packet.encode())
    info, value = root.find(f".//{DS}SignedInfo"), root.find(f".//{DS}SignatureValue")
    assert info is not None
    assert value is not None
    raw = office.raw_sign("agency", etree.tostring(info, method="c14n"))
    key = x509.load_der_x509_certificate(office.pki.certificate("agency").der).public_key()
    size = (key.curve.key_size + 7) // 8
    r, s = decode_dss_signature(raw)
    value.text = base64.b64encode(r.to_bytes(size, "big") + s.to_bytes(size, "big")).decode()
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


@pytest.mark.parametrize("oid", ["06082a8648ce3d030107", "06072a8648ce3d0201"], ids=["curve", "kind of key"])
def test_a_certificate_with_a_key_nobody_knows_is_a_broken_packet(office: Office, oid: str) -> None:
    """One octet of the certificate changed: the libraries raise what is no error of format."""
    known, packet = bytes.fromhex(oid), signed(office).decode()
    sent = re.search(r"<ds:X509Certificate>([^<]*)", packet)
    assert sent is not None
    der = base64.b64decode(sent[1])
    assert known in der
    forged = packet.replace(sent[1], base64.b64encode(der.replace(known, known[:-1] + b"\x7f")).decode(), 1)
    assert [one.code for one in examined(office, forged.encode()).reasons] == ["verify.xml_broken"]


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_ten_thousand_mutations_of_packets_are_never_valid(office: Office) -> None:
    import random

    packet, dice, accepted = signed(office), random.Random(20261123), []
    content = examined(office, packet).content
    for number in range(10_000):
        position, kind = dice.randrange(len(packet)), dice.randrange(4)
        piece = packet[position : position + dice.randrange(1, 30)]
        forged = {
            0: packet[:position] + bytes([packet[position] ^ (1 << dice.randrange(8))]) + packet[position + 1 :],
            1: packet[:position] + packet[position + len(piece) :],
            2: packet[:position] + piece + packet[position:],
            3: packet[:position] + dice.randbytes(len(piece)) + packet[position + len(piece) :],
        }[kind]
        report = examined(office, forged)
        # White space outside the signed parts may change; what is read may not.
        if report.verdict is Verdict.VALID and report.content != content:
            accepted.append(number)
    assert accepted == []


def test_a_certificate_of_no_known_version_is_a_broken_packet(office: Office) -> None:
    """Found by the mutations: the library raises an exception of its own kind."""
    packet = signed(office)
    found = re.search(rb"X509Certificate>([^<]+)<", packet)
    assert found is not None
    der = base64.b64decode(found[1])
    version = bytes.fromhex("a003020102")
    assert version in der
    changed = base64.b64encode(der.replace(version, bytes.fromhex("a00302016a"), 1))
    assert examined(office, packet.replace(found[1], changed)).verdict is Verdict.INVALID


def test_a_token_that_names_a_digest_nobody_knows_is_a_broken_token(office: Office) -> None:
    """Found by the mutations: the library looks such a name up and raises what nobody expects."""
    packet, sha256 = signed(office), bytes.fromhex("608648016503040201")
    pattern = re.compile(rb"(<xades:EncapsulatedTimeStamp>)([^<]+)|(EncapsulatedTimeStamp[^>]*>)([^<]+)")
    found = pattern.search(packet)
    assert found is not None
    text = found[2] or found[4]
    token = base64.b64decode(text)
    assert sha256 in token
    for at in range(token.count(sha256)):
        parts = token.split(sha256)
        changed = sha256.join(parts[: at + 1]) + bytes.fromhex("608948016503040201") + sha256.join(parts[at + 1 :])
        report = examined(office, packet.replace(text, base64.b64encode(changed)))
        assert report.verdict is not Verdict.VALID


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


def lasting(office: Office) -> bytes:
    inquiry = Inquiry((office.pki.root,), (office.pki.issuing,), office.now, InProcessSources(office))
    return xades.keep_evidence(signed(office), inquiry)


def test_level_lt_is_read_back_with_the_network_off(office: Office) -> None:
    packet = lasting(office)
    offline = examined(office, packet, online=False)
    assert (offline.verdict, offline.level, offline.reasons) == (Verdict.VALID, "XAdES-LT", ())
    assert examined(office, packet).level == "XAdES-LT"
    root = etree.fromstring(packet)
    assert root.find(f".//{XA}RevocationValues//{XA}EncapsulatedOCSPValue") is not None
    assert len(root.findall(f".//{XA}CertificateValues/{XA}EncapsulatedX509Certificate")) >= 3


def test_level_lt_outlives_its_signer_but_not_a_revocation_from_before(tmp_path: Path) -> None:
    agency = testpki.AgencySpec("agency", "Sở Tư pháp", "H27.05", PINS["agency"])
    testpki.create(tmp_path / "pki", [], [agency], valid_from=VALID_FROM, years=12, lives={"people": 5, "ocsp": 7, "tsa": 9})
    office = Office(tmp_path / "pki")
    packet, plain = lasting(office), signed(office)
    office.pki.revoke("agency", office.now - timedelta(days=1), "key_compromise")
    assert examined(office, packet).reasons[-1].code == "verify.revoked"
    (office.folder / "revoked.json").write_text("{}")
    office.pki.revoke("agency", office.now + timedelta(days=30))
    office.now += timedelta(days=60)
    assert examined(office, packet).verdict is Verdict.VALID  # revoked after the proven time
    office.now = datetime(2029, 6, 1, tzinfo=UTC)
    assert (examined(office, packet).verdict, examined(office, plain).verdict) == (Verdict.VALID, Verdict.INSUFFICIENT)
    assert examined(office, packet, online=False).verdict is Verdict.INSUFFICIENT  # nobody vouches for the time stamp's authority today


def test_evidence_that_is_hollow_old_or_of_somebody_else_is_not_called_lt(office: Office) -> None:
    packet = lasting(office).decode()
    for pattern in (r"<xades:RevocationValues>.*</xades:RevocationValues>", r"<xades:OCSPValues>.*</xades:OCSPValues>"):
        hollow = re.sub(pattern, "", packet, flags=re.DOTALL).encode()
        assert hollow != packet.encode()
        assert examined(office, hollow, online=False).verdict is Verdict.INSUFFICIENT
        assert examined(office, hollow).level == "XAdES-T"
    broken = re.sub(r"(<xades:EncapsulatedOCSPValue>)....", r"\1AAAA", packet).encode()
    assert examined(office, broken, online=False).verdict is not Verdict.VALID

    class Down(InProcessSources):
        def _ask(self, url: str, body: bytes, kind: str) -> bytes:
            raise ConnectionError

    with refused("signing.evidence_down"):
        xades.keep_evidence(signed(office), Inquiry((office.pki.root,), (office.pki.issuing,), office.now, Down(office)))


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
