"""Time travel: what each level proves now, later, and after leaf, responder and time-stamping certificates have expired.

Leaves end in 2029, the responder in 2031, the time-stamping authority in 2033; signed in November 2026.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signing import archive
from signing.archive import raise_level
from signing.examine import Inquiry, examine
from signing.model import AGENCY, LEADER
from signing.report import Report, Verdict
from tests.signing import time_travel
from tests.signing.time_travel import TIMES, foreign_stamp, raised, renewed, signed, status_answer, travel, with_store
from tests.support.signing_office import NOW, VALID_FROM, InProcessSources, Office, examined


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("travel") / "pki"
    time_travel.make(folder)
    return folder


@pytest.fixture
def office(made: Path, tmp_path: Path) -> Office:
    return Office.copy_of(made, tmp_path / "office")


def row(office: Office, pdf: bytes) -> dict[str, str]:
    """The verdict at each time, online and offline: P passed, I anything else."""
    cells = {}
    for title, at in TIMES.items():
        travel(office, at)
        online, offline = (examined(office, pdf, online=one).verdict for one in (True, False))
        cells[title] = "/".join("P" if one is Verdict.VALID else "I" for one in (online, offline))
    return cells


def expected(*cells: str) -> dict[str, str]:
    return dict(zip(TIMES, cells, strict=True))


def test_the_page_tells_of_every_file_at_every_time() -> None:
    told = time_travel.on_the_page()

    assert set(told) == {one.name for one in time_travel.ROWS}
    assert {tuple(cells) for cells in told.values()} == {tuple(TIMES)}
    never = [name for name in told if "before signing" in name or "stamped" in name or "unknown" in name]
    assert len(never) == 6
    assert [(name, cell) for name in never for cell in told[name].values() if "valid" in cell] == []


@pytest.mark.parametrize("number", [2])
def test_what_the_page_tells_is_what_is_judged(office: Office, number: int) -> None:
    one = time_travel.ROWS[number]

    assert time_travel.cells(one, office) == time_travel.on_the_page()[one.name]


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("one", time_travel.ROWS, ids=lambda one: one.name)
def test_the_whole_page_is_what_is_judged(office: Office, one: time_travel.Row) -> None:
    assert time_travel.cells(one, office) == time_travel.on_the_page()[one.name]


@pytest.mark.parametrize("stamped", [False, True], ids=["B-B", "B-T"])
def test_without_evidence_only_the_present_certificate_counts(office: Office, stamped: bool) -> None:
    assert row(office, signed(office, stamped=stamped)) == expected("P/I", "P/I", "P/I", "I/I", "I/I", "I/I", "I/I")


def test_level_b_lt_outlives_its_signer_but_not_its_time_stamp(office: Office) -> None:
    done = raised(office, signed(office), to_archive=False)
    assert (done.level, done.missing) == ("B-LT", "")
    assert row(office, done.pdf) == expected("P/P", "P/P", "P/I", "P/I", "P/I", "I/I", "I/I")


def test_level_b_lta_renewed_before_its_authority_ends_goes_on(office: Office) -> None:
    done = raised(office, signed(office), to_archive=True)
    assert (done.level, done.missing) == ("B-LTA", "")
    renewal = archive.renewal(done.pdf)
    assert renewal is not None
    assert renewal.until.year == 2032
    assert row(office, done.pdf) == expected("P/P", "P/P", "P/I", "P/I", "P/I", "I/I", "I/I")


@pytest.mark.parametrize(
    ("level", "cells"), [("B-B", "I/I"), ("B-T", "I/I"), ("B-LT", "P/P"), ("B-LTA", "P/P")], ids=["B-B", "B-T", "B-LT", "B-LTA"]
)
def test_after_an_algorithm_has_ended_only_what_was_proven_before_stands(office: Office, level: str, cells: str) -> None:
    """RSA of 2048 bits ends the day after; judged three days later.

    A time stamp alone is not enough for us: only evidence kept from before the end proves the signer.
    """
    pdf = signed(office, "binh", stamped=level != "B-B")
    pdf = raised(office, pdf, to_archive=level == "B-LTA").pdf if level.startswith("B-L") else pdf
    ends = {"rsa-2048": "2026-11-23"}

    def judged(online: bool) -> Verdict:
        sources = InProcessSources(office) if online else None
        return examine(pdf, Inquiry((office.pki.root,), (office.pki.issuing,), office.now, sources, ends)).verdict

    assert judged(online=True) is Verdict.VALID
    office.now = NOW + timedelta(days=4)
    assert "/".join("P" if judged(online) is Verdict.VALID else "I" for online in (True, False)) == cells


def test_a_renewed_archive_passes_after_the_first_authority_has_expired(office: Office) -> None:
    again = renewed(office, raised(office, signed(office), to_archive=True).pdf, datetime(2031, 3, 1, tzinfo=UTC))
    assert again.missing == ""
    assert archive.renewal(again.pdf).until.year == 2039  # type: ignore[union-attr]
    office.now = datetime(2033, 6, 1, tzinfo=UTC)
    later = examined(office, again.pdf)
    assert later.verdict is Verdict.VALID
    assert later.signatures[0].best_time == "2026-11-22T09:05:11+07:00"


def test_responders_that_are_down_keep_the_work_and_say_so(office: Office) -> None:
    class Down(InProcessSources):
        def _ask(self, url: str, body: bytes, kind: str) -> bytes:
            raise ConnectionError

    pdf = signed(office)
    done = raise_level(pdf, Inquiry((office.pki.root,), (office.pki.issuing,), office.now, Down(office)), office.tsa)
    assert (done.level, done.missing) == ("B-T", "signing.evidence_down")
    assert done.pdf == pdf


def test_a_store_without_evidence_is_not_called_long_term(office: Office) -> None:
    """The soft-fail default writes certificates, no evidence, and no error."""
    hollow = with_store(office, signed(office), [])
    report = examined(office, hollow)
    assert report.signatures[0].level == "B-T"


def never_valid(office: Office, pdf: bytes) -> list[Report]:
    reports = []
    for at in TIMES.values():
        travel(office, at)
        reports += [examined(office, pdf, online=online) for online in (True, False)]
    assert [one.verdict for one in reports if one.verdict is Verdict.VALID] == []
    return reports


def test_revoked_then_signed_never_passes_whatever_evidence_it_carries(office: Office) -> None:
    pdf = signed(office)
    old_good = status_answer(office, NOW - timedelta(days=30))
    office.pki.revoke("lan", NOW - timedelta(days=10))
    never_valid(office, pdf)
    never_valid(office, with_store(office, pdf, [status_answer(office, NOW)]))
    never_valid(office, with_store(office, pdf, [old_good]))


def test_expired_then_signed_never_passes(office: Office) -> None:
    pdf = signed(office, stamped_at=datetime(2029, 3, 1, tzinfo=UTC))
    office.now = datetime(2029, 3, 1, tzinfo=UTC)
    assert examined(office, pdf).signatures[0].sub_indication == "OUT_OF_BOUNDS_NO_POE"
    never_valid(office, pdf)


def test_signed_before_its_certificate_began_never_passes(office: Office) -> None:
    never_valid(office, signed(office, stamped_at=VALID_FROM - timedelta(days=30)))


def test_signed_before_revocation_passes_while_that_can_be_proven(office: Office) -> None:
    done = raised(office, signed(office), to_archive=True)
    office.pki.revoke("lan", NOW + timedelta(days=200))
    cells = row(office, done.pdf)
    assert cells["+1 h"] == "P/P"
    assert cells["leaf expired"] == "P/I"


def test_the_archive_stamp_of_an_unknown_authority_does_not_count(office: Office, tmp_path: Path) -> None:
    evidence = raised(office, signed(office), to_archive=False).pdf
    assert examined(office, foreign_stamp(office, evidence, tmp_path / "other")).verdict is not Verdict.VALID


def test_both_signatures_of_an_issued_document_are_raised(hierarchy: Path, tmp_path: Path) -> None:
    office = Office.copy_of(hierarchy, tmp_path / "two")
    done = raised(office, office.issued(), to_archive=True)
    assert done.level == "B-LTA"
    report = examined(office, done.pdf, online=False)
    assert report.verdict is Verdict.VALID
    assert {one.field for one in report.signatures} == {LEADER, AGENCY}
