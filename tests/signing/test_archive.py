"""Raising to B-LTA goes in one revision, asks once for many documents, and loses nothing when a part is missing; counted, not timed."""

from __future__ import annotations

import io
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pikepdf import ObjectStreamMode, Pdf
from pyhanko.pdf_utils.reader import PdfFileReader

from signing import archive
from signing.archive import raise_level
from signing.authorities import Authorities
from signing.errors import SigningError
from signing.evidence import Gathered
from signing.examine import Inquiry
from signing.model import AGENCY, LEADER
from signing.report import Verdict
from signing.tsa import TokenSource
from tests.support.effort import effort
from tests.support.signing_office import InProcessSources, Office, examined


class Counting(InProcessSources):
    """How often each address was asked."""

    def __init__(self, office: Office) -> None:
        super().__init__(office)
        self.asked: Counter[str] = Counter()

    def _ask(self, url: str, body: bytes, kind: str) -> bytes:
        self.asked[url.rsplit("/", 1)[-1]] += 1
        return super()._ask(url, body, kind)


class Stamps:
    """A time-stamping authority that counts, and may pad its answers to be larger than anybody expects."""

    def __init__(self, source: TokenSource, problem: str = "") -> None:
        self.times, self._source, self._problem = 0, source, problem

    def token(self, digest: bytes, now: datetime) -> bytes:
        self.times += 1
        if self._problem:
            raise SigningError(self._problem)
        return self._source.token(digest, now)


def inquiry(office: Office, sources: InProcessSources | None = None) -> Inquiry:
    return Inquiry((office.pki.root,), (office.pki.issuing,), office.now, sources or InProcessSources(office))


def revisions(pdf: bytes) -> int:
    return int(PdfFileReader(io.BytesIO(pdf)).xrefs.total_revisions)


def test_evidence_and_stamp_are_one_revision_and_one_token(office: Office) -> None:
    signed, stamps = office.leader_signed(), Stamps(office.tsa)
    done = raise_level(signed, inquiry(office), stamps)
    assert (done.level, done.missing) == ("B-LTA", "")
    assert done.pdf.startswith(signed)
    assert revisions(done.pdf) == revisions(signed) + 1
    assert stamps.times == 1
    report = examined(office, done.pdf, online=False)
    assert report.signatures[0].verdict is Verdict.VALID
    assert [one.kind for one in report.signatures[0].changes] == ["timestamp"]


def test_a_hundred_documents_of_one_leader_ask_as_often_as_one(office: Office) -> None:
    gathered, first = Gathered(), Counting(office)
    assert raise_level(office.leader_signed(), inquiry(office, first), office.tsa, gathered=gathered).level == "B-LTA"
    assert first.asked["ocsp"] > 0
    for _ in range(2):
        later = Counting(office)
        done = raise_level(office.leader_signed(), inquiry(office, later), office.tsa, gathered=gathered)
        assert (done.level, later.asked) == ("B-LTA", Counter())


def test_one_more_document_costs_few_calls(office: Office) -> None:
    """1.4 million with the library's own steps, a third of them digits of rooms read one by one."""
    gathered, signed = Gathered(), office.leader_signed()
    raise_level(signed, inquiry(office), office.tsa, gathered=gathered)
    with effort() as counted:
        raise_level(signed, inquiry(office), office.tsa, gathered=gathered)
    assert counted.calls < 200_000


@pytest.mark.parametrize("minutes", [5, 60])
def test_what_was_gathered_before_a_signature_does_not_prove_it(office: Office, minutes: int) -> None:
    """Revoked between the gathering and the signature: the evidence from before says good, and is not asked."""
    gathered = Gathered()
    raise_level(office.leader_signed(), inquiry(office), office.tsa, gathered=gathered)
    office.now += timedelta(minutes=minutes)
    office.pki.revoke("lan", office.now - timedelta(minutes=2))
    sources = Counting(office)
    done = raise_level(office.leader_signed(), inquiry(office, sources), office.tsa, gathered=gathered)
    assert sources.asked["ocsp"] > 0
    assert (done.level, done.missing) == ("B-T", "signing.evidence_down")


def test_what_was_gathered_after_a_signature_is_used_for_ten_minutes(office: Office) -> None:
    gathered = Gathered()
    signed = [office.leader_signed(), office.leader_signed()]
    office.now += timedelta(minutes=1)
    raise_level(signed[0], inquiry(office), office.tsa, gathered=gathered)
    office.now += timedelta(minutes=9)
    sources = Counting(office)
    raise_level(signed[1], inquiry(office, sources), office.tsa, gathered=gathered)
    assert sources.asked == Counter()
    office.now += timedelta(minutes=2)
    raise_level(signed[1], inquiry(office, sources), office.tsa, gathered=gathered)
    assert sources.asked["ocsp"] > 0


def test_another_signer_or_other_trust_is_asked_anew(office: Office) -> None:
    gathered, sources = Gathered(), Counting(office)
    raise_level(office.leader_signed(), inquiry(office), office.tsa, gathered=gathered)
    raise_level(office.leader_signed("binh"), inquiry(office, sources), office.tsa, gathered=gathered)
    assert sources.asked["ocsp"] == 1
    nobody = raise_level(office.leader_signed(), Inquiry((), (), office.now, sources), office.tsa, gathered=gathered)
    assert (nobody.level, nobody.missing) == ("B-T", "signing.evidence_down")


def test_without_the_authority_the_evidence_is_kept_and_a_renewal_leaves_the_file_alone(office: Office) -> None:
    signed = office.leader_signed()
    down = Stamps(office.tsa, "signing.tsa_down")
    done = raise_level(signed, inquiry(office), down)
    assert (done.level, done.missing) == ("B-LT", "signing.tsa_down")
    lasting = raise_level(done.pdf, inquiry(office), office.tsa)
    assert (lasting.level, lasting.missing) == ("B-LTA", "")
    renewed = raise_level(lasting.pdf, inquiry(office), down)
    assert (renewed.pdf, renewed.level, renewed.missing) == (lasting.pdf, "B-LTA", "signing.tsa_down")


def test_a_stamp_nobody_trusts_is_not_put_in(office: Office, tmp_path: Path) -> None:
    from signing import testpki

    testpki.create(tmp_path / "other", [], [], valid_from=datetime(2024, 1, 1, tzinfo=office.now.tzinfo))
    stranger = Authorities(testpki.TestPki(tmp_path / "other"))
    honest, office.authorities = office.authorities, stranger
    foreign = office.tsa
    office.authorities = honest
    done = raise_level(office.leader_signed(), inquiry(office), foreign)
    assert (done.level, done.missing) == ("B-LT", "signing.evidence_down")
    assert b"/DocTimeStamp" not in done.pdf


def test_a_stamp_by_a_certificate_not_met_yet_brings_its_evidence_after_it(office: Office) -> None:
    signed = office.leader_signed()
    office.pki.renew_service("tsa", valid_from=office.now - timedelta(days=1), years=9)
    office.authorities = Authorities(office.pki)
    done = raise_level(signed, inquiry(office), office.tsa)
    assert (done.level, done.missing) == ("B-LTA", "")
    assert revisions(done.pdf) == revisions(signed) + 2
    assert examined(office, done.pdf, online=False).signatures[0].verdict is Verdict.VALID


def test_a_token_larger_than_its_room_is_asked_for_again_with_more(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "ROOM", 1_000)
    stamps = Stamps(office.tsa)
    done = raise_level(office.leader_signed(), inquiry(office), stamps)
    assert (done.level, stamps.times) == ("B-LTA", 2)
    assert examined(office, done.pdf, online=False).signatures[0].verdict is Verdict.VALID


def test_a_seal_put_on_after_the_archive_stamp_gets_evidence_too(office: Office) -> None:
    from signing import fields

    leader = raise_level(office.leader_signed(), inquiry(office), office.tsa).pdf
    numbered = fields.fill_number(leader, "15", "ngày 22 tháng 11 năm 2026")
    sealed = office.sign(numbered, AGENCY, "agency")
    done = raise_level(sealed, inquiry(office), office.tsa)
    assert (done.level, done.missing) == ("B-LTA", "")
    report = examined(office, done.pdf, online=False)
    assert report.verdict is Verdict.VALID
    assert {one.field: one.level for one in report.signatures} == {LEADER: "B-LTA", AGENCY: "B-LTA"}


def test_a_file_changed_under_its_archive_stamp_is_not_renewed(office: Office) -> None:
    lasting = raise_level(office.leader_signed(), inquiry(office), office.tsa).pdf
    spoilt = (
        lasting.replace(b"/Rotate 0", b"/Rotate 9", 1) if b"/Rotate 0" in lasting else lasting.replace(b"%PDF-1.7\n%", b"%PDF-1.7\n ", 1)
    )
    assert spoilt != lasting
    done = raise_level(spoilt, inquiry(office), office.tsa)
    assert done.pdf == spoilt
    assert done.missing == "signing.evidence_down"
    assert done.level != "B-LTA"


def test_a_file_with_cross_reference_streams_is_continued_in_kind(office: Office) -> None:
    with Pdf.open(io.BytesIO(office.with_fields())) as document:
        document.save(packed := io.BytesIO(), object_stream_mode=ObjectStreamMode.generate)
    assert PdfFileReader(packed).has_xref_stream
    signed = office.sign(packed.getvalue(), LEADER, "lan")
    done = raise_level(signed, inquiry(office), office.tsa)
    assert (done.level, done.missing) == ("B-LTA", "")
    assert PdfFileReader(io.BytesIO(done.pdf)).has_xref_stream
    assert examined(office, done.pdf, online=False).signatures[0].verdict is Verdict.VALID
