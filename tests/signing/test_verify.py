"""The verdict: what is signed and untouched is valid, what lacks evidence is not, what changed is invalid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from signing import fields, verify
from signing.model import AGENCY, LEADER
from signing.report import Report, Verdict
from signing.trust_services import TrustServices
from signing.verify import Trust
from tests.support.signing_office import NOW, Office, letter


@pytest.fixture
def services(office: Office) -> Iterator[TrustServices]:
    running = TrustServices(office.folder, lambda: office.now)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def trust(office: Office, services: TrustServices) -> Trust:
    return Trust.of_test_pki(office.folder, services.routes)


def codes(report: Report) -> set[str]:
    return {one.code for one in report.reasons} | {one.code for signature in report.signatures for one in signature.reasons}


def test_an_issued_document_is_valid_and_says_who_when_and_for_whom(office: Office, trust: Trust) -> None:
    report = verify.verify(office.issued(), trust, now=NOW)
    assert report.verdict is Verdict.VALID
    leader, agency = report.signatures
    assert (leader.role, agency.role) == ("leader", "agency")
    assert leader.certificate.common_name == "Nguyễn Thị Lan (TEST)"
    assert leader.certificate.title == "Giám đốc"
    assert leader.certificate.organisation == "Sở Tư pháp (TEST)"
    assert agency.certificate.common_name == "Sở Tư pháp (TEST)"
    assert leader.best_time == "2026-11-22T09:05:11+07:00"
    assert leader.best_time_source == "signature_timestamp"
    assert leader.timestamp_authority == "Dịch vụ cấp dấu thời gian (TEST)"
    assert (leader.level, agency.level) == ("B-T", "B-T")
    assert [one.kind for one in leader.changes] == ["number_date", "signature"]
    assert agency.scope == "entire_file"
    assert (report.number, report.date) == ("15", "ngày 22 tháng 11 năm 2026")
    assert report.is_test


def test_an_rsa_key_signs_with_pss_and_verifies(office: Office, trust: Trust) -> None:
    report = verify.verify(office.issued("binh"), trust, now=NOW)
    assert report.verdict is Verdict.VALID
    assert report.signatures[0].certificate.algorithm == "RSA 2048"


def test_the_report_goes_through_json_unchanged_and_is_no_boolean(office: Office, trust: Trust) -> None:
    report = verify.verify(office.issued(), trust, now=NOW)
    assert Report.from_json(report.to_json()) == report
    with pytest.raises(TypeError):
        bool(report)
    with pytest.raises(TypeError):
        bool(report.signatures[0])


def test_one_changed_byte_in_the_signed_part_shows(office: Office, trust: Trust) -> None:
    issued = office.issued()
    where = issued.index(b"stream") + 40
    report = verify.verify(issued[:where] + bytes([issued[where] ^ 1]) + issued[where + 1 :], trust, now=NOW)
    assert report.verdict is Verdict.INVALID
    assert codes(report) & {"verify.content_changed", "verify.unreadable", "verify.changed_after"}


def test_without_network_a_document_without_evidence_is_not_called_valid(office: Office, trust: Trust) -> None:
    report = verify.verify(office.issued(), trust, now=NOW, online=False)
    assert report.verdict is Verdict.INSUFFICIENT
    assert "verify.evidence_missing" in codes(report)


def test_a_status_service_that_is_down_means_try_later(office: Office, services: TrustServices, trust: Trust) -> None:
    issued = office.issued()
    services.stop()
    report = verify.verify(issued, trust, now=NOW)
    assert report.verdict is Verdict.INSUFFICIENT
    assert {one.sub_indication for one in report.signatures} == {"TRY_LATER"}
    services.start = lambda: None  # type: ignore[method-assign]


def test_certificates_of_another_hierarchy_are_not_trusted(
    office: Office, services: TrustServices, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tests.support.signing_office import make_hierarchy

    other = tmp_path_factory.mktemp("other") / "pki"
    make_hierarchy(other)
    report = verify.verify(office.issued(), Trust.of_test_pki(other, services.routes), now=NOW)
    assert report.verdict is Verdict.INSUFFICIENT
    assert "verify.untrusted" in codes(report) or "verify.evidence_missing" in codes(report)


def test_a_certificate_revoked_before_signing_is_not_valid(office: Office, trust: Trust) -> None:
    issued = office.issued()
    office.pki.revoke("lan", NOW - timedelta(days=1))
    report = verify.verify(issued, trust, now=NOW + timedelta(minutes=5))
    assert report.verdict is not Verdict.VALID
    assert "verify.revoked" in codes(report)


def test_a_certificate_revoked_after_the_proven_time_stays_valid(office: Office, trust: Trust) -> None:
    issued = office.issued()
    office.pki.revoke("lan", NOW + timedelta(days=1))
    office.now = NOW + timedelta(days=2)
    assert verify.verify(issued, trust, now=office.now).verdict is Verdict.VALID


def test_an_unsigned_file_and_one_waiting_for_its_seal_are_told_apart(office: Office, trust: Trust) -> None:
    assert codes(verify.verify(letter(), trust, now=NOW)) == {"verify.unsigned"}
    assert codes(verify.verify(office.with_fields(), trust, now=NOW)) == {"verify.unsigned"}
    waiting = verify.verify(office.leader_signed(), trust, now=NOW)
    assert waiting.verdict is Verdict.INSUFFICIENT
    assert codes(waiting) == {"verify.seal_missing"}
    assert waiting.signatures[0].verdict is Verdict.VALID
    assert verify.verify(b"no pdf at all", trust, now=NOW).verdict is Verdict.INVALID


def test_a_signature_without_time_stamp_says_that_the_time_is_only_claimed(office: Office, trust: Trust) -> None:
    signed = office.sign(office.with_fields(), LEADER, "lan", stamped=False)
    sealed = office.sign(fields.fill_number(signed, "15", "ngày 22 tháng 11 năm 2026"), AGENCY, "agency", stamped=False)
    report = verify.verify(sealed, trust, now=NOW)
    assert report.verdict is Verdict.VALID
    assert {one.level for one in report.signatures} == {"B-B"}
    assert {one.best_time_source for one in report.signatures} == {"machine"}
    assert "verify.time_unproven" in codes(report)


def test_what_was_signed_is_handed_out_as_it_was(office: Office, trust: Trust) -> None:
    issued = office.issued()
    leader = verify.verify(issued, trust, now=NOW).signatures[0]
    then = verify.signed_revision(issued, leader)
    assert issued.startswith(then)
    assert len(then) < len(issued)
    assert verify.verify(then, trust, now=NOW).signatures[0].scope == "entire_file"
    picture_then, picture_now = verify.page_picture(then, 0), verify.page_picture(issued, 0)
    assert picture_then.startswith(b"\x89PNG")
    assert picture_then != picture_now
    assert verify.page_count(issued) == 1
