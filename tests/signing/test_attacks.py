"""No manipulated document is called valid; what changed after the seal is called invalid."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, Pdf, String

from signing import archive, fields, intake
from signing.examine import Inquiry, examine
from signing.model import AGENCY, LEADER
from signing.report import Report, Verdict
from signing.verify import Trust, verify
from tests.signing import attacks
from tests.signing.attacks import answers, containers, prepared
from tests.support.signing_office import InProcessSources, Office, examined, letter, make_hierarchy

Generator = Callable[[bytes], Iterator[attacks.Variant]]


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


CLASSES: tuple[Generator, ...] = (
    attacks.universal_forgery, attacks.incremental_saving, attacks.wrapping, attacks.shadow, attacks.differentials, attacks.additions,
)  # fmt: skip


def portion(variants: list[attacks.Variant], most: int) -> list[attacks.Variant]:
    """At most so many of the variants, spread evenly; `./test --full` takes them all."""
    return variants[:: max(1, -(-len(variants) // most))]


@pytest.mark.parametrize("generator", CLASSES, ids=lambda one: one.__name__)
def test_no_construction_of_the_class_is_accepted(shared: Office, issued: bytes, generator: Generator) -> None:
    variants = list(generator(issued))
    assert len(variants) >= 2
    accepted = [
        title for title, forged in portion(variants, 14) if forged != issued and examined(shared, forged).verdict is not Verdict.INVALID
    ]
    assert accepted == []


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("generator", CLASSES, ids=lambda one: one.__name__)
def test_no_construction_over_any_base_is_accepted(shared: Office, issued: bytes, tmp_path: Path, generator: Generator) -> None:
    """Over files of other keys, of other levels, half finished, and signed by a hostile hierarchy; each in the limited child."""
    make_hierarchy(tmp_path / "hostile")
    bases = {
        "issued": issued,
        "RSA": shared.issued("binh"),
        "leader only": shared.leader_signed(),
        "long": lasting(shared, issued),
        "hostile": Office(tmp_path / "hostile").issued(),
    }
    judged, faults = 0, []
    for base, document in bases.items():
        for title, forged in generator(document):
            judged += 1
            if forged != document:
                faults += [f"{base}, {title}: {fault}" for fault in child_faults(shared, forged)]
    assert faults == []
    assert judged >= 5 * 2


def lasting(office: Office, pdf: bytes) -> bytes:
    """The document at level B-LTA: it proves itself without a network."""
    raised = archive.raise_level(pdf, Inquiry((office.pki.root,), (office.pki.issuing,), office.now, InProcessSources(office)), office.tsa)
    assert raised.level == "B-LTA"
    return raised.pdf


def child_faults(office: Office, forged: bytes) -> list[str]:
    """What is wrong with how the limited child judged a forgery: accepted, crashed, out of time or memory."""
    report = verify(forged, Trust((office.pki.root,), (office.pki.issuing,)), now=office.now, online=False)
    ended = [str(one.facts["ended"]) for one in report.reasons if "ended" in one.facts]
    return ended + (["accepted"] if report.verdict is Verdict.VALID else [])


@pytest.mark.parametrize("kind", ["hide", "replace", "hide and replace"])
def test_shadows_prepared_before_signing_are_stopped_when_they_are_revealed(shared: Office, kind: str) -> None:
    shadows = {"hide": prepared.hiding, "replace": prepared.replacing, "hide and replace": prepared.hiding_and_replacing}[kind]()
    for title, prepare, reveal in list(shadows)[:: 4 if kind == "hide" else 2]:
        document = prepared.prepared(letter(), prepare)
        signed = shared.sign(with_seal(document), LEADER, "lan", visible=False)
        before, after = examined(shared, signed), examined(shared, reveal(signed))
        assert before.signatures[0].verdict is Verdict.VALID, title
        assert after.verdict is Verdict.INVALID, title


def with_seal(pdf: bytes) -> bytes:
    """A field for the leader beside whatever form the document has already: what a maker without our lint would do."""
    with Pdf.open(io.BytesIO(pdf)) as document:
        page = document.pages[0].obj
        field = Dictionary(FT=Name.Sig, T=String(LEADER), Type=Name.Annot, Subtype=Name.Widget, Rect=[300, 250, 500, 340], P=page, F=132)
        placed = document.make_indirect(field)
        form = document.Root.get("/AcroForm", Dictionary(Fields=Array()))
        form.Fields.append(placed)
        form.SigFlags = 3
        document.Root.AcroForm = form
        page.Annots = Array([*page.get("/Annots", []), placed])
        document.save(out := io.BytesIO())
    return out.getvalue()


def test_the_lint_stops_shadows_before_anything_is_signed() -> None:
    """Opaque content of the page itself is no shadow: nothing allowed later can take it away."""
    missed = [
        title
        for title, prepare, _ in prepared.shadows()
        if not intake.lint(prepared.prepared(letter(), prepare)) and not title.startswith(("hidden under a image", "hidden under a form"))
    ]
    assert missed == []


def test_no_trick_with_certificates_hashes_or_algorithms_is_accepted(shared: Office) -> None:
    """Each container is built like the honest one, which is valid, but for one thing."""
    document = containers.document()
    inquiry = Inquiry((shared.pki.root,), (shared.pki.issuing,), shared.now, InProcessSources(shared))

    def judged(recipe: containers.Recipe) -> Verdict:
        return examine(containers.embedded(shared, recipe, document), inquiry, second_view=False).verdict

    assert judged(containers.honest(shared)) is Verdict.VALID
    assert [title for title, recipe in containers.recipes(shared) if judged(recipe) is Verdict.VALID] == []


def test_no_forged_status_answer_or_list_makes_a_revoked_certificate_good(hierarchy: Path, tmp_path: Path) -> None:
    office = Office.copy_of(hierarchy, tmp_path / "office")
    document = office.sign(containers.document(), LEADER, "lan")

    def judged(sources: InProcessSources) -> Verdict:
        return examine(document, Inquiry((office.pki.root,), (office.pki.issuing,), office.now, sources)).verdict

    assert judged(InProcessSources(office)) is Verdict.VALID
    office.pki.revoke("lan", office.now - timedelta(days=10))
    assert [title for title, sources in answers.forged(office) if judged(sources) is Verdict.VALID] == []


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
@pytest.mark.timeout(7200)
def test_ten_thousand_mutations_are_never_valid(shared: Office, issued: bytes) -> None:
    """In the limited child: none accepted, none crashes, none runs out of its five seconds or its memory."""
    import random

    bases, dice = [lasting(shared, issued), lasting(shared, shared.issued("binh"))], random.Random(20261122)
    assert child_faults(shared, bases[0]) == ["accepted"]
    faults = []
    for number in range(10_000):
        base = bases[number % len(bases)]
        position, kind = dice.randrange(len(base)), dice.randrange(4)
        piece = base[position : position + dice.randrange(1, 60)]
        forged = {
            0: base[:position] + bytes([base[position] ^ (1 << dice.randrange(8))]) + base[position + 1 :],
            1: base[:position] + base[position + len(piece) :],
            2: base[:position] + piece + base[position:],
            3: base[:position] + dice.randbytes(len(piece)) + base[position + len(piece) :],
        }[kind]
        if forged != base:
            faults += [(number, fault) for fault in child_faults(shared, forged)]
    assert faults == []
