"""No manipulated document is called valid; what changed after the seal is called invalid."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signing import fields, intake
from signing.examine import Inquiry, examine
from signing.model import AGENCY, LEADER
from signing.report import Report, Verdict
from tests.signing import attack_run, attacks
from tests.signing.attacks import classes, containers, prepared
from tests.support.signing_office import InProcessSources, Office, examined, letter, make_hierarchy


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


@pytest.fixture(scope="module")
def bench(shared: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[classes.Bench]:
    made = classes.Bench(shared, tmp_path_factory.mktemp("bench"))
    yield made
    made.close()


@pytest.mark.parametrize("kind", classes.CLASSES, ids=lambda one: one.name)
def test_no_attack_of_the_class_is_accepted(bench: classes.Bench, kind: classes.AttackClass) -> None:
    """A slice, spread over the first document; `attack_run` and `./test --full` take every case of every document."""
    first = list(islice(kind.cases(bench), 150))
    outcomes = list(classes.judged(iter(first[:: -(-len(first) // 8)])))

    assert len(outcomes) >= 6
    assert [one for one in outcomes if not kind.refused(one)] == []


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_the_whole_run_accepts_nothing_and_never_ends_badly(shared: Office, tmp_path: Path) -> None:
    """Two hundred cases a class and more, ten thousand mutations, each in the limited child."""
    bench = classes.Bench(shared, tmp_path, in_child=True)
    try:
        rows = list(attack_run.run(bench, 0, 10_000))
    finally:
        bench.close()

    assert [fault for row in rows for fault in row.faults] == []
    assert all(row.accepted == row.ended == 0 for row in rows)
    assert [row.name for row in rows if row.cases < 200] == []


@pytest.mark.parametrize("kind", ["hide", "replace", "hide and replace"])
def test_a_shadow_prepared_but_not_revealed_is_valid(shared: Office, kind: str) -> None:
    """So nothing but the lint before signing can stop it."""
    shadows = {"hide": prepared.hiding, "replace": prepared.replacing, "hide and replace": prepared.hiding_and_replacing}[kind]()
    _, prepare, _ = next(shadows)
    signed = shared.sign(classes.with_seal(prepared.prepared(letter(), prepare)), LEADER, "lan", visible=False)
    assert examined(shared, signed).signatures[0].verdict is Verdict.VALID


def test_the_lint_stops_shadows_before_anything_is_signed() -> None:
    """Opaque content of the page itself is no shadow: nothing allowed later can take it away."""
    kinds = {id(prepare): (title, prepare) for title, prepare, _ in prepared.shadows()}
    assert len(kinds) > 100
    missed = [
        title
        for title, prepare in list(kinds.values())[::4]
        if not intake.lint(prepared.prepared(letter(), prepare)) and not title.startswith(("hidden under a image", "hidden under a form"))
    ]
    assert missed == []


def test_the_containers_and_answers_are_honest_but_for_one_thing(hierarchy: Path, tmp_path: Path) -> None:
    """Untouched they are valid, so every refusal is about the one thing that was altered."""
    office, document = Office.copy_of(hierarchy, tmp_path / "office"), containers.document()
    inquiry = Inquiry((office.pki.root,), (office.pki.issuing,), office.now, InProcessSources(office))
    assert examine(containers.embedded(office, containers.honest(office), document), inquiry, second_view=False).verdict is Verdict.VALID

    signed = office.sign(document, LEADER, "lan")
    assert examined(office, signed).verdict is Verdict.VALID
    office.pki.revoke("lan", office.now - timedelta(days=10))
    assert "verify.revoked" in reasons(examined(office, signed))


def test_a_number_changed_after_the_seal_is_invalid_although_poppler_calls_the_signatures_valid(
    shared: Office, issued: bytes, tmp_path: Path
) -> None:
    forged = dict(islice(attacks.after_the_seal(issued), 1))["number revalued '99': value"]
    file = tmp_path / "forged.pdf"
    file.write_bytes(forged)
    poppler = subprocess.run(["pdfsig", "-nocert", str(file)], capture_output=True, text=True, check=False).stdout
    assert poppler.count("Signature is Valid") == 2
    report = examined(shared, forged)
    assert report.verdict is Verdict.INVALID
    assert {"verify.number_changed", "verify.changed_after"} <= reasons(report)


def test_what_a_dishonest_clerk_fills_in_is_refused_even_under_a_seal(shared: Office) -> None:
    """The one honest variant, made the same way, shows that the refusals are about what was altered."""
    filled = list(islice(attacks.dishonest_filling(shared.leader_signed()), 60))
    accepted = [
        title
        for title, document in filled[::10]
        if examined(shared, shared.sign(document, AGENCY, "agency", visible=False)).verdict is not Verdict.INVALID
    ]
    assert accepted == ["honest"]


def test_an_appearance_of_another_kind_is_refused_under_the_seal(shared: Office) -> None:
    """A picture, or nothing at all, where the number is drawn; every byte of the drawing is the honest one."""
    kinds = ("another kind Image, at once", "no kind, at once", "another type, at once")
    filled = {title: document for title, document in attacks.dishonest_filling(shared.leader_signed()) if title in kinds}
    assert len(filled) == 3

    for title, document in filled.items():
        assert examined(shared, shared.sign(document, AGENCY, "agency", visible=False)).verdict is Verdict.INVALID, title


def test_a_report_holds_plain_values_only(shared: Office, issued: bytes) -> None:
    """The library's strings hold the whole reader: a copy of the report copied the file, and broke where the metadata was broken."""
    report = examined(shared, issued)
    report.to_json()

    def kinds(one: object) -> set[type]:
        if isinstance(one, dict):
            return set().union(*(kinds(value) for value in one.values()), *(kinds(key) for key in one))
        return set().union(*(kinds(value) for value in one)) if isinstance(one, list | tuple) else {type(one)}

    rows = [vars(one) for one in (report, *report.signatures, *(change for one in report.signatures for change in one.changes))]
    assert rows[1]["field"] == LEADER
    for row in rows:
        plain = {key: value for key, value in row.items() if key not in ("signatures", "changes", "certificate", "reasons")}
        assert kinds(plain) <= {str, int, bool, Verdict, type(None)}


def test_a_seal_of_a_hostile_key_is_not_trusted(shared: Office, tmp_path: Path) -> None:
    make_hierarchy(tmp_path / "hostile")
    hostile = Office(tmp_path / "hostile")
    numbered = fields.fill_number(shared.leader_signed(), "15", "ngày 22 tháng 11 năm 2026")
    assert examined(shared, hostile.sign(numbered, AGENCY, "agency")).verdict is not Verdict.VALID
    assert examined(shared, hostile.issued()).verdict is not Verdict.VALID


def test_the_bytes_of_a_document_time_stamp_are_held_to_the_letter(shared: Office) -> None:
    """Nothing signs the newest one: the case of a letter, the unused room, a certificate beside it."""
    document = classes.lasting(shared, shared.sign(containers.document(), LEADER, "lan"))
    assert examined(shared, document, online=False).verdict is Verdict.VALID
    last = max(int(title[6:].split(":")[0]) for title, _ in attacks.universal_forgery(document) if title.startswith("value"))
    tried = [(title, forged) for title, forged in attacks.universal_forgery(document) if title.startswith(f"value {last}")]

    assert len(tried) > 15
    assert [title for title, forged in tried if examined(shared, forged, online=False).verdict is not Verdict.INVALID] == []


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


def test_the_page_has_figures_of_every_class_and_of_the_mutations() -> None:
    page = attack_run.PAGE.read_text("utf-8").split(attack_run.BEGIN)[1].split(attack_run.END)[0]
    figures = {cells[1]: cells for line in page.splitlines() if len(cells := [one.strip() for one in line.split("|")]) > 9}
    kinds = [one.name for one in classes.CLASSES]

    assert list(figures)[:1] == ["class"]
    assert [*figures][2:] == [*kinds, *attack_run.MUTATED]
    assert [kind for kind in kinds if int(figures[kind][3].replace(",", "")) < 190] == []
    assert [kind for kind in attack_run.MUTATED if int(figures[kind][3].replace(",", "")) < 9900] == []
    assert [kind for kind in [*figures][2:] if (figures[kind][6], figures[kind][7]) != ("**0**", "0")] == []
