"""The matrix: key × level × custody × number of signatures, each file judged by poppler and OpenSSL; the whole in ``./test --full``."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest
from asn1crypto import cms

from signing import archive, fields, pades
from signing.container import token_of
from signing.examine import Inquiry
from signing.model import AGENCY, LEADER
from tests.interop.test_pdfsig_and_openssl import content_of, pem, run, signatures
from tests.support.signing_office import InProcessSources, Office, make_hierarchy

KEYS = {"ECDSA": "lan", "RSA-PSS": "binh"}
LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")
HELD = ("opened here", "two phases")
"""The key answers at once, or later and elsewhere, from bytes and JSON alone: devices and services differ only by their protocol."""
WHOLE = list(product(KEYS, LEVELS, HELD, (1, 2)))
SLICE = [
    ("ECDSA", "B-LTA", "two phases", 2),
    ("RSA-PSS", "B-LTA", "opened here", 1),
    ("RSA-PSS", "B-B", "two phases", 2),
    ("ECDSA", "B-LT", "opened here", 1),
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Office:
    folder = tmp_path_factory.mktemp("matrix") / "pki"
    make_hierarchy(folder)
    return Office(folder)


def signed(office: Office, pdf: bytes, field: str, key: str, level: str, held: str) -> bytes:
    if held == "opened here":
        return office.sign(pdf, field, key, stamped=level != "B-B")
    prepared = pades.prepare(pdf, field, office.pki.certificate(key), office.now)
    kept = json.dumps(prepared.state), prepared.pdf
    raw = office.raw_sign(key, prepared.to_sign)
    token = office.tsa.token(pades.imprint(raw), office.now) if level != "B-B" else None
    return pades.finish(kept[1], json.loads(kept[0]), raw, token)


def made(office: Office, key: str, level: str, held: str, count: int) -> bytes:
    pdf = signed(office, office.with_fields(), LEADER, KEYS[key], level, held)
    if count == 2:
        numbered = fields.fill_number(pdf, "15", "ngày 22 tháng 11 năm 2026")
        pdf = signed(office, numbered, AGENCY, "agency", level, held)
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
def test_others_agree_about_a_slice(shared: Office, tmp_path: Path, key: str, level: str, held: str, count: int) -> None:
    check(shared, made(shared, key, level, held, count), level, count, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize(("key", "level", "held", "count"), [one for one in WHOLE if one not in SLICE])
def test_others_agree_about_the_whole(shared: Office, tmp_path: Path, key: str, level: str, held: str, count: int) -> None:
    check(shared, made(shared, key, level, held, count), level, count, tmp_path)
