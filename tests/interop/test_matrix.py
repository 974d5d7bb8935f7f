"""The matrix: key × level × custody × number of signatures, each file judged by others; the whole in ``./test --full``.

PDF: poppler (pdfsig) and OpenSSL (cms, ts). XML: xmlsec1; the distribution's knows no RSASSA-PSS, so those are judged by OpenSSL (dgst)
over the canonical SignedInfo. The agent signs nothing but CMS attributes, so XML has no column of it.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from lxml import etree

from signing import archive, fields, pades, xades
from signing.container import token_of
from signing.examine import Inquiry
from signing.model import AGENCY, LEADER
from tests.interop.test_pdfsig_and_openssl import content_of, pem, run, signatures
from tests.support.custodies import CUSTODIES, RawSign, custodies
from tests.support.signing_office import InProcessSources, Office, make_hierarchy

KEYS = {"ECDSA": "lan", "RSA-PSS": "binh"}
LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")
WHOLE = list(product(KEYS, LEVELS, CUSTODIES, (1, 2)))
SLICE = [
    ("ECDSA", "B-LTA", "two phases", 2),
    ("RSA-PSS", "B-LTA", "opened here", 1),
    ("RSA-PSS", "B-B", "two phases", 2),
    ("ECDSA", "B-LT", "opened here", 1),
    ("RSA-PSS", "B-LT", "PKCS#11", 2),
    ("ECDSA", "B-T", "CSC", 2),
    ("RSA-PSS", "B-LTA", "agent", 1),
    ("ECDSA", "B-T", "agent", 2),
]
XML_LEVELS = ("XAdES-B", "XAdES-T", "XAdES-LT")
XML_WHOLE = list(product(KEYS, XML_LEVELS, [one for one in CUSTODIES if one != "agent"]))
XML_SLICE = [("ECDSA", "XAdES-LT", "PKCS#11"), ("RSA-PSS", "XAdES-T", "CSC")]
PACKET = "<edXML><Number>15</Number><Subject>Quyết định số 15</Subject></edXML>".encode()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Office:
    folder = tmp_path_factory.mktemp("matrix") / "pki"
    make_hierarchy(folder)
    return Office(folder)


@pytest.fixture(scope="module")
def held_by(shared: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, RawSign]]:
    with custodies(shared, tmp_path_factory.mktemp("custodies"), "lan", "binh", "agency") as opened:
        yield opened


def signed(office: Office, raw_sign: RawSign, pdf: bytes, field: str, key: str, level: str, held: str) -> bytes:
    if held == "opened here":
        return office.sign(pdf, field, key, stamped=level != "B-B")
    prepared = pades.prepare(pdf, field, office.pki.certificate(key), office.now)
    kept = json.dumps(prepared.state), prepared.pdf
    raw = raw_sign(key, prepared.to_sign)
    token = office.tsa.token(pades.imprint(raw), office.now) if level != "B-B" else None
    return pades.finish(kept[1], json.loads(kept[0]), raw, token)


def made(office: Office, raw_sign: RawSign, key: str, level: str, held: str, count: int) -> bytes:
    pdf = signed(office, raw_sign, office.with_fields(), LEADER, KEYS[key], level, held)
    if count == 2:
        numbered = fields.fill_number(pdf, "15", "ngày 22 tháng 11 năm 2026")
        pdf = signed(office, raw_sign, numbered, AGENCY, "agency", level, held)
    if level in ("B-LT", "B-LTA"):
        inquiry = Inquiry((office.pki.root,), (office.pki.issuing,), office.now, InProcessSources(office))
        raised = archive.raise_level(pdf, inquiry, office.tsa, archive=level == "B-LTA")
        assert (raised.level, raised.missing) == (level, "")
        return raised.pdf
    return pdf


def check(office: Office, pdf: bytes, level: str, count: int, folder: Path) -> None:
    file = folder / "made.pdf"
    file.write_bytes(pdf)
    assert run("pdfsig", "-nocert", file).count("Signature is Valid") >= count
    roots, between, at = pem(folder, office.pki.root), pem(folder, office.pki.issuing), str(int(office.now.timestamp()))
    found = signatures(pdf)
    assert len(found) == count
    for number, signature in enumerate(found):
        container, content = folder / f"{number}.der", folder / f"{number}.bin"
        held = cms.ContentInfo.load(signature.pkcs7_content)
        container.write_bytes(held.dump())
        content.write_bytes(content_of(signature, pdf))
        said = run(
            *("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", container, "-content", content),
            *("-CAfile", roots, "-purpose", "any", "-attime", at, "-cades", "-out", "/dev/null"),
        )
        assert "successful" in said.lower()
        token = token_of(held)
        assert (token is None) == (level == "B-B")
        if token is not None:
            stamp, digest = folder / f"{number}.tst", pades.imprint(signature.signer_info["signature"].native).hex()
            stamp.write_bytes(token.dump())
            told = run(
                *("openssl", "ts", "-verify", "-token_in", "-in", stamp, "-digest", digest),
                *("-CAfile", roots, "-untrusted", between, "-attime", at),
            )
            assert "Verification: OK" in told


@pytest.mark.parametrize(("key", "level", "held", "count"), SLICE)
def test_others_agree_about_a_slice(
    shared: Office, held_by: dict[str, RawSign], tmp_path: Path, key: str, level: str, held: str, count: int
) -> None:
    check(shared, made(shared, held_by[held], key, level, held, count), level, count, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize(("key", "level", "held", "count"), [one for one in WHOLE if one not in SLICE])
def test_others_agree_about_the_whole(
    shared: Office, held_by: dict[str, RawSign], tmp_path: Path, key: str, level: str, held: str, count: int
) -> None:
    check(shared, made(shared, held_by[held], key, level, held, count), level, count, tmp_path)


# -- XML -----------------------------------------------------------------------------------------------------------------------------------


def made_xml(office: Office, raw_sign: RawSign, key: str, level: str) -> bytes:
    xml = xades.sign_xml(PACKET, office.pki.certificate(KEYS[key]), lambda content: raw_sign(KEYS[key], content), office.now)
    if level != "XAdES-B":
        xml = xades.stamp_xml(xml, office.tsa, office.now)
    inquiry = Inquiry((office.pki.root,), (office.pki.issuing,), office.now, InProcessSources(office))
    if level == "XAdES-LT":
        xml = xades.keep_evidence(xml, inquiry)
    assert xades.examine_xml(xml, inquiry).level == level
    return xml


def xmlsec(office: Office, xml: bytes, folder: Path) -> int:
    file = folder / "packet.xml"
    file.write_bytes(xml)
    at = office.now.strftime("%Y-%m-%d %H:%M:%S")
    done = subprocess.run(
        ["xmlsec1", "--verify", "--trusted-pem", pem(folder, office.pki.root), "--verification-time", at,
         "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", file],
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode


def openssl_pss(office: Office, key_id: str, xml: bytes, folder: Path) -> int:
    root = etree.fromstring(xml)
    [info], [value] = (list(root.iter(f"{xades.DS}{tag}")) for tag in ("SignedInfo", "SignatureValue"))
    public = x509.load_der_x509_certificate(office.pki.certificate(key_id).der).public_key()
    key, data, signature = folder / "key.pem", folder / "info.xml", folder / "value.bin"
    key.write_bytes(public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    data.write_bytes(etree.tostring(info, method="c14n", exclusive=False, with_comments=False))
    signature.write_bytes(base64.b64decode(value.text or ""))
    options = [part for one in ("padding_mode:pss", "pss_saltlen:digest", "mgf1_md:sha256") for part in ("-sigopt", f"rsa_{one}")]
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", key, *options, "-signature", signature, data],
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode


def check_xml(office: Office, key: str, xml: bytes, folder: Path) -> None:
    def judged(given: bytes) -> int:
        return xmlsec(office, given, folder) if key == "ECDSA" else openssl_pss(office, KEYS[key], given, folder)

    assert judged(xml) == 0
    changed = (
        xml.replace("số 15".encode(), "số 16".encode()) if key == "ECDSA" else xml.replace(b"<ds:DigestValue>", b"<ds:DigestValue>A", 1)
    )
    assert changed != xml
    assert judged(changed) != 0


@pytest.mark.parametrize(("key", "level", "held"), XML_SLICE)
def test_others_agree_about_a_slice_of_xml(
    shared: Office, held_by: dict[str, RawSign], tmp_path: Path, key: str, level: str, held: str
) -> None:
    check_xml(shared, key, made_xml(shared, held_by[held], key, level), tmp_path)


@pytest.mark.full
@pytest.mark.parametrize(("key", "level", "held"), [one for one in XML_WHOLE if one not in XML_SLICE])
def test_others_agree_about_the_whole_of_xml(
    shared: Office, held_by: dict[str, RawSign], tmp_path: Path, key: str, level: str, held: str
) -> None:
    check_xml(shared, key, made_xml(shared, held_by[held], key, level), tmp_path)
