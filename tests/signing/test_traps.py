"""Traps of the libraries, each with the guard that answers it; an upgrade may move any of them."""

from __future__ import annotations

import io
import re
import tomllib
from pathlib import Path

import pytest
from asn1crypto import cms
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, ModificationLevel

from signing import pades, verify
from signing.agent.words import WORDS
from signing.examine import Inquiry, examine
from signing.model import LEADER
from signing.report import Verdict
from signing.verify import Trust
from tests.signing import attacks
from tests.support.signing_office import NOW, InProcessSources, Office, examined

ROOT = Path(__file__).parents[2]


def test_pss_signatures_name_the_salt_length_they_use(office: Office) -> None:
    """Left to the library the container says 222 while the key used 32: invalid everywhere."""
    signature = PdfFileReader(io.BytesIO(office.leader_signed("binh"))).embedded_regular_signatures[0]
    algorithm = signature.signer_info["signature_algorithm"]
    assert algorithm["algorithm"].native == "rsassa_pss"
    assert algorithm["parameters"]["salt_length"].native == 32


def test_the_signer_s_certificate_is_bound_into_the_signature(office: Office) -> None:
    signature = PdfFileReader(io.BytesIO(office.leader_signed())).embedded_regular_signatures[0]
    kinds = [one["type"].native for one in signature.signer_info["signed_attrs"]]
    assert "signing_certificate_v2" in kinds
    assert "signing_time" not in kinds, "PAdES carries the claimed time in the PDF dictionary"


def test_the_stock_policy_would_admit_a_changed_field_ours_does_not(office: Office) -> None:
    """A leader's signature before the seal: stock form filling lets anybody write anything into the open field."""
    made = attacks.dishonest_filling(office.leader_signed())
    filled = next(document for title, document in made if title == "opaque over it, 1 g 0 0 70 18, at once")
    signature = PdfFileReader(io.BytesIO(filled)).embedded_regular_signatures[0]
    signature.compute_integrity_info(DEFAULT_DIFF_POLICY)
    assert signature.diff_result.modification_level is ModificationLevel.FORM_FILLING
    assert examined(office, filled).verdict is Verdict.INVALID


def test_an_appended_body_no_reference_reaches_is_seen(office: Office) -> None:
    """Objects smuggled into a proper later revision: the reference table does not list them, so stock analysis never sees them."""
    issued = office.issued()
    at = issued.rindex(b"xref", 0, issued.rindex(b"startxref"))
    assert at > 0
    for _, forged in attacks.incremental_saving(issued):
        assert examined(office, forged).verdict is Verdict.INVALID


def test_hostile_structures_end_as_invalid_not_as_errors(office: Office) -> None:
    trust = Trust.of_test_pki(office.folder)
    issued = office.issued()
    hostile = [
        issued.replace(b"startxref", b"startxxxx"),
        issued[: len(issued) // 2],
        re.sub(rb"/Contents <[0-9a-fA-F]{40}", lambda one: one[0][:-8] + b"ffffffff", issued),
        b"%PDF-1.7\n" + b"[" * 100_000,
        b"%PDF-1.7\n1 0 obj<</Kids[1 0 R]/Type/Pages>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF",
    ]
    for one in hostile:
        assert verify.verify(one, trust, now=NOW, online=False).verdict is not Verdict.VALID


def test_an_outage_that_raises_built_in_errors_is_told_as_an_outage(office: Office) -> None:
    for error in (ConnectionError, TimeoutError, OSError, ValueError):

        class Broken(InProcessSources):
            def _ask(self, url: str, body: bytes, kind: str) -> bytes:
                raise error  # noqa: B023 - used within the turn of the loop

        inquiry = Inquiry((office.pki.root,), (office.pki.issuing,), office.now, Broken(office))
        report = examine(office.issued(), inquiry)
        assert report.verdict is Verdict.INSUFFICIENT
        assert {one.sub_indication for one in report.signatures} == {"TRY_LATER"}


def test_only_allowed_addresses_are_asked(office: Office) -> None:
    from signing.revocation import Sources

    sources = Sources({"http://pki.motcua.test": "http://127.0.0.1:9"}, ["ocsp.example.gov.vn"])
    for url in (
        "http://169.254.169.254/latest/meta-data",
        "http://localhost/ocsp",
        "file:///etc/passwd",
        "http://pki.motcua.test.evil.example/ocsp",
        "gopher://ocsp.example.gov.vn/",
    ):
        with pytest.raises(ValueError, match="not answered"):
            sources.ask(url)
    assert len(sources.outages) == 5


def test_certificates_are_made_once_and_stay_the_same(office: Office) -> None:
    from signing.testpki import TestPki

    assert TestPki(office.folder).root == office.pki.root
    assert TestPki(office.folder).certificate("lan") == office.pki.certificate("lan")


def test_the_container_is_one_signed_data_with_one_signer(office: Office) -> None:
    signature = PdfFileReader(io.BytesIO(office.leader_signed())).embedded_regular_signatures[0]
    signed = cms.ContentInfo.load(signature.pkcs7_content)["content"]
    assert len(signed["signer_infos"]) == 1
    prepared = pades.prepare(office.with_fields(), LEADER, office.pki.certificate("lan"), office.now)
    assert len(prepared.pdf) - len(office.with_fields()) < 60_000


def test_every_code_of_the_package_has_its_sentences_and_no_sentence_is_left_over() -> None:
    code = re.compile(r'"((?:appearance|signing|custody|testpki|file|trust|verify|lint|placement)\.[a-z_]+)"')
    modules = {f"signing.{path.stem}" for path in (ROOT / "signing").glob("*.py")} | {"custody.json"}
    raised = {found for path in (ROOT / "signing").glob("*.py") for found in code.findall(path.read_text())} - modules
    catalogue = tomllib.loads((ROOT / "engine" / "catalogue" / "signing.toml").read_text())
    assert raised == set(catalogue)
    for entry in catalogue.values():
        assert set(entry) == {"vi", "en"}
        assert all(entry[language][part] for language in ("vi", "en") for part in ("what", "why", "do"))


def test_every_code_of_the_agent_has_its_sentences_and_its_own_page_the_words_it_needs() -> None:
    code = re.compile(r'"((?:agent|key)\.[a-z_]+)"')
    sources = [*(ROOT / "signing").glob("*.py"), *(ROOT / "signing" / "agent").glob("*.py")]
    raised = {found for path in sources for found in code.findall(path.read_text())} - {"agent.css"}
    catalogue = tomllib.loads((ROOT / "engine" / "catalogue" / "agent.toml").read_text())
    assert raised <= set(catalogue)
    for entry in catalogue.values():
        assert all(entry[language][part] for language in ("vi", "en") for part in ("what", "why", "do"))
    assert all(vi and en and vi != en for vi, en in WORDS.values())
