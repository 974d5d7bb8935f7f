"""No manipulated document is called valid; what changed after the seal is called invalid."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signing import fields
from signing.model import AGENCY, LEADER
from signing.report import Report, Verdict
from tests.signing import attacks
from tests.support.signing_office import Office, examined


@pytest.fixture(scope="module")
def shared(hierarchy: Path, tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office.copy_of(hierarchy, tmp_path_factory.mktemp("attacked") / "office")


@pytest.fixture(scope="module")
def issued(shared: Office) -> bytes:
    return shared.issued()


def reasons(report: Report) -> set[str]:
    return {one.code for one in report.reasons} | {one.code for signature in report.signatures for one in signature.reasons}


def test_the_untouched_document_is_valid(shared: Office, issued: bytes) -> None:
    assert examined(shared, issued).verdict is Verdict.VALID


@pytest.mark.parametrize(
    "generator", [attacks.universal_forgery, attacks.incremental_saving, attacks.wrapping, attacks.shadow], ids=lambda one: one.__name__
)
def test_no_construction_of_the_class_is_accepted(
    shared: Office, issued: bytes, generator: Callable[[bytes], Iterator[attacks.Variant]]
) -> None:
    variants = list(generator(issued))
    assert len(variants) >= 2
    accepted = [title for title, forged in variants if forged != issued and examined(shared, forged).verdict is not Verdict.INVALID]
    assert accepted == []


def test_a_number_changed_after_the_seal_is_invalid_although_poppler_calls_the_signatures_valid(
    shared: Office, issued: bytes, tmp_path: Path
) -> None:
    forged = dict(attacks.shadow(issued))["number revalued 99"]
    file = tmp_path / "forged.pdf"
    file.write_bytes(forged)
    poppler = subprocess.run(["pdfsig", "-nocert", str(file)], capture_output=True, text=True, check=False).stdout
    assert poppler.count("Signature is Valid") == 2
    report = examined(shared, forged)
    assert report.verdict is Verdict.INVALID
    assert {"verify.number_changed", "verify.changed_after"} <= reasons(report)


def test_what_a_dishonest_clerk_fills_in_is_refused_even_under_a_seal(shared: Office) -> None:
    """The one honest variant, made the same way, shows that the refusals are about what was altered."""
    accepted = []
    for title, filled in attacks.dishonest_filling(shared.leader_signed()):
        sealed = shared.sign(filled, AGENCY, "agency", visible=False)
        if examined(shared, sealed).verdict is not Verdict.INVALID:
            accepted.append(title)
    assert accepted == ["honest"]


def test_a_seal_of_a_hostile_key_is_not_trusted(shared: Office, tmp_path: Path) -> None:
    from tests.support.signing_office import make_hierarchy

    make_hierarchy(tmp_path / "hostile")
    hostile = Office(tmp_path / "hostile")
    numbered = fields.fill_number(shared.leader_signed(), "15", "ngày 22 tháng 11 năm 2026")
    assert examined(shared, hostile.sign(numbered, AGENCY, "agency")).verdict is not Verdict.VALID
    assert examined(shared, hostile.issued()).verdict is not Verdict.VALID


def test_a_seal_torn_off_leaves_an_unfinished_document(shared: Office, issued: bytes) -> None:
    leader = examined(shared, issued).signatures[0]
    torn = examined(shared, issued[: leader.revision_end])
    assert torn.verdict is Verdict.INSUFFICIENT
    assert "verify.seal_missing" in reasons(torn)


def test_a_second_leader_in_the_same_field_is_impossible(shared: Office, issued: bytes) -> None:
    from tests.support.signing_office import refused

    with refused("signing.field_signed"):
        shared.sign(issued, LEADER, "binh")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_flipped_bit_anywhere_goes_unseen(shared: Office, issued: bytes, where: float, bit: int) -> None:
    position = int(where * len(issued))
    flipped = issued[:position] + bytes([issued[position] ^ (1 << bit)]) + issued[position + 1 :]
    assert examined(shared, flipped).verdict is not Verdict.VALID


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_flipped_bit_in_the_last_signature_goes_unseen(shared: Office, issued: bytes, where: float, bit: int) -> None:
    """The last signature's own container is what nothing else protects."""
    begin = issued.rindex(b"/Contents <") + len(b"/Contents <")
    end = issued.index(b">", begin)
    used = len(issued[begin:end].rstrip(b"0"))
    position = begin + int(where * used)
    flipped = issued[:position] + bytes([issued[position] ^ (1 << bit)]) + issued[position + 1 :]
    assert examined(shared, flipped).verdict is not Verdict.VALID


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(data=st.data())
def test_cut_doubled_and_stuffed_files_are_never_valid(shared: Office, issued: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(issued) - 1))
    length = data.draw(st.integers(1, 400))
    piece = issued[start : start + length]
    kind = data.draw(st.sampled_from(["cut", "double", "stuff"]))
    forged = {
        "cut": issued[:start] + issued[start + length :],
        "double": issued[:start] + piece + issued[start:],
        "stuff": issued[:start] + data.draw(st.binary(min_size=1, max_size=40)) + issued[start:],
    }[kind]
    assert examined(shared, forged).verdict is not Verdict.VALID


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_ten_thousand_mutations_are_never_valid(shared: Office, issued: bytes) -> None:
    import random

    dice = random.Random(20261122)
    for _ in range(10_000):
        position, kind = dice.randrange(len(issued)), dice.randrange(4)
        piece = issued[position : position + dice.randrange(1, 60)]
        forged = {
            0: issued[:position] + bytes([issued[position] ^ (1 << dice.randrange(8))]) + issued[position + 1 :],
            1: issued[:position] + issued[position + len(piece) :],
            2: issued[:position] + piece + issued[position:],
            3: issued[:position] + dice.randbytes(len(piece)) + issued[position + len(piece) :],
        }[kind]
        assert forged == issued or examined(shared, forged).verdict is not Verdict.VALID, (position, kind)
