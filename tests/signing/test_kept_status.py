"""Kept status answers: they fill an outage, for the signatures they prove and no others; bad news is never hidden by them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as some

from signing import kept_status, verify
from signing.archive import raise_level
from signing.authorities import Authorities
from signing.examine import Inquiry, examine
from signing.kept_status import Kept, Status, chosen, proves
from signing.keys import parsed
from signing.model import LEADER
from signing.report import Report, Verdict
from signing.trust_services import TrustServices
from signing.verify import Trust
from tests.support.signing_office import NOW, InProcessSources, Office, make_hierarchy

HOURS = some.integers(-200, 200).map(lambda hours: NOW + timedelta(hours=hours))
STATUSES = some.builds(Status, some.sampled_from(("ocsp", "crl")), HOURS, some.none() | HOURS, some.none() | HOURS)


class Down(InProcessSources):
    """Nobody answers."""

    def _ask(self, url: str, body: bytes, kind: str) -> bytes:
        raise ConnectionRefusedError


def judged(office: Office, pdf: bytes, folder: Path, *, down: bool = False, online: bool = True) -> Report:
    """The verdict as the child makes it, and what the asking process keeps afterwards."""
    authorities = (office.pki.root, office.pki.issuing)
    sources = (Down if down else InProcessSources)(office) if online else None
    inquiry = Inquiry(authorities[:1], authorities[1:], office.now, sources, kept=Kept(folder, authorities))
    report = examine(pdf, inquiry, second_view=False)
    if sources is not None and not down:
        kept_status.keep(folder, sources.gathered, authorities, office.now)
    return report


def codes(report: Report) -> set[str]:
    return {one.code for signature in report.signatures for one in signature.reasons}


def about(office: Office, folder: Path, key_id: str = "lan") -> list[Status]:
    return Kept(folder, (office.pki.root, office.pki.issuing)).about(parsed(office.pki.certificate(key_id).der))


# The rules


@given(STATUSES, HOURS, HOURS, HOURS, some.booleans())
def test_only_what_was_made_at_or_after_the_proven_time_proves_that_a_certificate_stood(
    status: Status, since: datetime, now: datetime, ends: datetime, present: bool
) -> None:
    if proves(status, since, now, ends=ends, present=present):
        bad = status.revoked_at is not None and status.revoked_at <= since
        assert status.made <= now + timedelta(minutes=1)
        assert bad or since <= status.made <= ends
        assert bad or not present or (status.next is not None and now <= status.next)


@given(some.lists(STATUSES, max_size=6), HOURS, HOURS, some.booleans())
def test_a_revocation_before_the_proven_time_is_handed_on_unless_the_same_kind_has_newer_word(
    known: list[Status], since: datetime, now: datetime, present: bool
) -> None:
    ends = NOW + timedelta(hours=100)
    found = chosen(known, since, now, ends=ends, present=present)
    assert [one.made for one in found] == sorted((one.made for one in found), reverse=True)
    for bad in known:
        if bad.revoked_at is None or bad.revoked_at > since or bad.made > now:
            continue
        newer = [
            one
            for one in known
            if one.kind == bad.kind and one.revoked_at is None and bad.made < one.made <= min(ends, now + timedelta(minutes=1))
        ]
        assert newer or bad in found


@given(some.lists(STATUSES, max_size=6), HOURS, HOURS, HOURS)
def test_a_later_proven_time_never_makes_an_older_good_answer_count(
    known: list[Status], since: datetime, later: datetime, now: datetime
) -> None:
    since, later = sorted((since, later))
    ends = NOW + timedelta(hours=300)
    good = {one.made for one in chosen(known, later, now, ends=ends, present=False) if one.revoked_at is None}
    assert good <= {one.made for one in chosen(known, since, now, ends=ends, present=False) if one.revoked_at is None}


@pytest.mark.parametrize("present", [True, False])
def test_a_good_answer_from_a_minute_before_proves_nothing_and_one_of_the_same_instant_does(present: bool) -> None:
    made = [Status("ocsp", NOW + timedelta(minutes=minute), NOW + timedelta(days=1), None) for minute in (-1, 0)]
    assert chosen(made, NOW, NOW + timedelta(hours=1), ends=NOW + timedelta(days=9), present=present) == made[1:]


def test_silence_after_the_end_of_a_certificate_takes_no_revocation_back() -> None:
    bad = Status("crl", NOW, None, NOW - timedelta(hours=1))
    ends = NOW + timedelta(hours=1)
    for hours, found in ((2, [bad]), (1, [])):
        later = Status("crl", NOW + timedelta(hours=hours), None, None)
        told = chosen([bad, later], NOW, NOW + timedelta(days=1), ends=ends, present=False)
        assert [one for one in told if one.revoked_at] == found


# With certificates


def test_an_outage_after_a_first_verification_leaves_the_verdict_and_says_where_it_comes_from(office: Office, tmp_path: Path) -> None:
    pdf, folder = office.issued(), tmp_path / "kept"
    assert judged(office, pdf, folder, down=True).verdict is Verdict.INSUFFICIENT
    office.now = NOW + timedelta(minutes=3)
    first = judged(office, pdf, folder)
    assert first.verdict is Verdict.VALID
    assert "verify.kept_evidence" not in codes(first)
    office.now = NOW + timedelta(hours=5)
    for online in (True, False):
        again = judged(office, pdf, folder, down=True, online=online)
        assert again.verdict is Verdict.VALID
        said = [one.facts for signature in again.signatures for one in signature.reasons if one.code == "verify.kept_evidence"]
        assert said == [{"at": "09:08 22/11/2026"}] * 2
    # Whether the time-stamping authority still stands is asked as of now: the answer kept is outlived by its own end.
    office.now = NOW + timedelta(days=3)
    assert judged(office, pdf, folder, down=True).verdict is Verdict.INSUFFICIENT


def test_an_answer_kept_does_not_cover_a_later_signature_nor_one_whose_time_is_not_proven(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    assert judged(office, office.leader_signed(), folder).signatures[0].verdict is Verdict.VALID
    office.now = NOW + timedelta(hours=1)
    for stamped in (True, False):
        later = office.sign(office.with_fields(), LEADER, "lan", stamped=stamped)
        report = judged(office, later, folder, down=True)
        assert report.signatures[0].sub_indication == "TRY_LATER"
        assert report.signatures[0].verdict is Verdict.INSUFFICIENT


def test_a_revocation_learnt_is_told_in_the_outage_though_a_good_answer_is_kept_too(office: Office, tmp_path: Path) -> None:
    pdf, folder = office.leader_signed(), tmp_path / "kept"
    office.now = NOW + timedelta(minutes=3)
    assert judged(office, pdf, folder).signatures[0].verdict is Verdict.VALID
    # Published late, for an instant before the signature.
    office.pki.revoke("lan", NOW - timedelta(hours=1))
    office.now = NOW + timedelta(hours=2)
    assert "verify.revoked" in codes(judged(office, pdf, folder))
    assert {one.revoked_at is None for one in about(office, folder)} == {True, False}
    office.now = NOW + timedelta(hours=3)
    for online in (True, False):
        report = judged(office, pdf, folder, down=True, online=online)
        assert report.signatures[0].verdict is not Verdict.VALID
        assert "verify.revoked" in codes(report)


def test_a_revocation_learnt_overrides_the_good_answer_inside_a_file_too(office: Office, tmp_path: Path) -> None:
    pdf, folder = office.leader_signed(), tmp_path / "kept"
    office.now = NOW + timedelta(minutes=1)
    inquiry = Inquiry((office.pki.root,), (office.pki.issuing,), office.now, InProcessSources(office))
    lasting = raise_level(pdf, inquiry, office.tsa, archive=False)
    assert lasting.level == "B-LT"
    office.pki.revoke("lan", NOW - timedelta(hours=1))
    office.now = NOW + timedelta(hours=2)
    assert "verify.revoked" in codes(judged(office, pdf, folder))
    assert judged(office, lasting.pdf, tmp_path / "empty", online=False).signatures[0].verdict is Verdict.VALID
    for down, online in ((True, True), (False, False)):
        assert "verify.revoked" in codes(judged(office, lasting.pdf, folder, down=down, online=online))


def test_a_certificate_revoked_after_the_proven_time_does_not_undo_the_signature_in_an_outage(office: Office, tmp_path: Path) -> None:
    pdf, folder = office.leader_signed(), tmp_path / "kept"
    office.now = NOW + timedelta(hours=2)
    office.pki.revoke("lan", NOW + timedelta(hours=1))
    assert judged(office, pdf, folder).signatures[0].verdict is Verdict.VALID
    assert {one.revoked_at for one in about(office, folder)} == {NOW + timedelta(hours=1)}
    office.now = NOW + timedelta(hours=3)
    assert judged(office, pdf, folder, down=True).signatures[0].verdict is Verdict.VALID


def test_a_good_answer_never_hides_a_revocation_its_authority_tells_now(office: Office, tmp_path: Path) -> None:
    pdf, folder = office.leader_signed(), tmp_path / "kept"
    office.now = NOW + timedelta(minutes=3)
    judged(office, pdf, folder)
    office.pki.revoke("lan", NOW - timedelta(hours=1))

    class OnlyStatus(InProcessSources):
        def _ask(self, url: str, body: bytes, kind: str) -> bytes:
            if not body:
                raise ConnectionRefusedError
            return super()._ask(url, body, kind)

    office.now = NOW + timedelta(hours=2)
    authorities = (office.pki.root, office.pki.issuing)
    inquiry = Inquiry(authorities[:1], authorities[1:], office.now, OnlyStatus(office), kept=Kept(folder, authorities))
    assert "verify.revoked" in codes(examine(pdf, inquiry, second_view=False))


def test_poisoned_entries_are_not_let_in_and_are_passed_over_where_they_lie(
    office: Office, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pdf, folder = office.leader_signed(), tmp_path / "kept"
    office.pki.revoke("lan", NOW - timedelta(hours=1))
    office.now = NOW + timedelta(minutes=3)
    authorities = (office.pki.root, office.pki.issuing)
    sources = InProcessSources(office)
    judged(office, pdf, folder)
    real = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {name.split(".", 1)[1] for name in real} >= {"20261122.r.ocsp"}

    # The same names and numbers from a stranger's hierarchy, an answer of ours with one bit changed, and what is no answer at all.
    strange = tmp_path_factory.mktemp("stranger") / "pki"
    make_hierarchy(strange)
    stranger = Authorities(Office(strange).pki)
    examine(pdf, Inquiry(authorities[:1], authorities[1:], office.now, sources), second_view=False)
    ours = [raw for kind, raw in sources.gathered if kind == "ocsp"]
    bent = [raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:] for raw in ours]
    lists = [stranger.crl(role, office.now) for role in ("issuing", "root")]
    items: list[tuple[kept_status.Kind, bytes]] = [("ocsp", raw) for raw in (*bent, b"", b"0", ours[0][:40])]
    items += [("crl", raw) for raw in (*lists, b"", b"0\x03\x02\x01\x01")]
    assert kept_status.keep(tmp_path / "new", items, authorities, office.now) == 0
    assert kept_status.size(tmp_path / "new") == (0, 0)

    office.now = NOW + timedelta(hours=1)
    for name in real:
        for number, (_, raw) in enumerate(items):
            (folder / name.replace("20261122", f"202611{23 + number % 6}")).write_bytes(raw)
    report = judged(office, pdf, folder, down=True)
    assert "verify.revoked" in codes(report)
    for name in real:
        (folder / name).unlink()
    assert judged(office, pdf, folder, down=True).signatures[0].sub_indication == "TRY_LATER"


def test_an_answer_about_the_same_number_of_another_authority_is_not_let_in(office: Office, tmp_path: Path) -> None:
    """Serial numbers repeat across issuers: our own responder's word on the root's number says nothing of the issuing authority's."""
    authorities, serial = (office.pki.root, office.pki.issuing), parsed(office.pki.certificate("lan").der).serial_number
    answers = []
    for issuer in map(parsed, authorities):
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            issuer.subject.sha256, issuer.public_key.sha256, serial, hashes.SHA256(), ocsp.OCSPCertStatus.GOOD,
            this_update=NOW, next_update=NOW + timedelta(days=1), revocation_time=None, revocation_reason=None,
        )  # fmt: skip
        responder, key = office.authorities._ocsp, office.authorities._ocsp_key
        made = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, responder).certificates([responder]).sign(key, hashes.SHA256())
        answers.append(made.public_bytes(Encoding.DER))
    assert [kept_status.keep(tmp_path / "kept", [("ocsp", raw)], authorities, NOW) for raw in answers] == [0, 1]
    assert [one.raw for one in about(office, tmp_path / "kept")] == answers[1:]


def test_an_answer_changed_anywhere_says_nothing_else_and_is_never_an_error(office: Office) -> None:
    authorities, sources, dice = (office.pki.root, office.pki.issuing), InProcessSources(office), random.Random(20261126)
    examine(office.leader_signed(), Inquiry(authorities[:1], authorities[1:], office.now, sources), second_view=False)
    for kind, raw in sources.gathered:
        told = {one[1].made for one in [kept_status._identified(kind, raw, authorities)] if one}
        assert told == {office.now}
        for _ in range(150):
            at = dice.randrange(len(raw))
            forged = raw[:at] + bytes([raw[at] ^ (1 << dice.randrange(8))]) + raw[at + 1 :]
            found = kept_status._identified(kind, forged, authorities)
            # What nothing signs may differ, such as the outermost status; what is said may not.
            assert found is None or (found[1].made, found[1].revoked_at) == (office.now, None)


def test_what_is_kept_is_bounded_ages_and_can_be_forgotten(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "kept"
    authorities = (office.pki.root, office.pki.issuing)
    for day in (0, 1, 2, 40):
        office.now = NOW + timedelta(days=day)
        made: list[tuple[kept_status.Kind, bytes]] = [("crl", office.authorities.crl("issuing", office.now))]
        assert kept_status.keep(folder, made, authorities, office.now) == 1
        assert kept_status.keep(folder, made, authorities, office.now) == 0
    assert kept_status.size(folder)[0] == 4
    kept_status.prune(folder, NOW + kept_status.KEPT_FOR + timedelta(days=2))
    assert sorted(path.name.split(".")[1] for path in folder.iterdir()) == ["20261124", "20270101"]
    monkeypatch.setattr(kept_status, "MOST_ENTRIES", 1)
    kept_status.prune(folder, office.now)
    assert [path.name.split(".")[1] for path in folder.iterdir()] == ["20270101"]
    monkeypatch.setattr(kept_status, "MOST_BYTES", 10)
    kept_status.prune(folder, office.now)
    assert kept_status.size(folder) == (0, 0)
    monkeypatch.undo()
    kept_status.keep(folder, [("crl", office.authorities.crl("root", office.now))], authorities, office.now)
    assert kept_status.clear(folder) == 1
    # Answers from the future, of too long ago, or too large are not let in.
    early, late = (office.now + timedelta(days=days) for days in (1, -100))
    wrong: list[tuple[kept_status.Kind, bytes]] = [("crl", office.authorities.crl("root", at)) for at in (early, late)]
    assert kept_status.keep(folder, [*wrong, ("ocsp", bytes(70_000))], authorities, office.now) == 0


def test_names_of_what_is_kept_tell_nothing_of_persons(office: Office, tmp_path: Path) -> None:
    judged(office, office.leader_signed(), tmp_path / "kept")
    names = [path.name for path in (tmp_path / "kept").iterdir()]
    serial = parsed(office.pki.certificate("lan").der).serial_number
    assert names
    assert not [name for name in names if str(serial) in name or f"{serial:x}" in name or not kept_status._NAME.fullmatch(name)]


def test_the_asking_process_keeps_and_the_reading_child_only_reads(office: Office, tmp_path: Path) -> None:
    """Through the real child and the real services, which are then gone."""
    office.now = datetime.now(UTC).replace(microsecond=0)
    pdf, folder = office.leader_signed(), tmp_path / "kept"
    services = TrustServices(office.folder, lambda: office.now)
    services.start()
    trust = Trust.of_test_pki(office.folder, services.routes)
    try:
        assert verify.verify(pdf, trust, now=office.now, kept=folder).signatures[0].verdict is Verdict.VALID
    finally:
        services.stop()
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert len(before) >= 3
    assert verify.verify(pdf, trust, now=office.now).signatures[0].sub_indication == "TRY_LATER"
    report = verify.verify(pdf, trust, now=office.now + timedelta(hours=1), kept=folder)
    assert (report.signatures[0].verdict, "verify.kept_evidence" in codes(report)) == (Verdict.VALID, True)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
