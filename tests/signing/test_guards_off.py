"""Each guard of the verifier stops an attack: without any guard it is called valid, with this guard alone it is not.

`examples` names the attack for every guard of `switches.GUARDS`; `docs/signing-traps.md` is written from the same lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from signing import intake
from signing.report import Verdict
from tests.signing import switches, traps
from tests.signing.attacks import classes, containers
from tests.signing.attacks.classes import Bench, Case
from tests.support.signing_office import Office, examined, letter

BY_TITLE = {
    "strict parser": ("incremental saving", "ECDSA: catalogue with extensions, stream, taken back in a further revision"),
    "later changes": ("incremental saving", "ECDSA: page emptied, table"),
    "drawn number": ("dishonest filling", "opaque over it, 1 g 0 0 70 18, at once"),
    "filled once": ("after the seal", "ECDSA: number revalued '99': value"),
    "bytes accounted for": ("incremental saving", "ECDSA: bare object"),
    "second parser": ("incremental saving", "ECDSA: catalogue with layers, table"),
    "second renderer": ("incremental saving", "ECDSA: page emptied, table"),
    "container": ("universal forgery", "ECDSA: value 1: something in the unused room"),
    "ranges": ("universal forgery", "ECDSA: value 1: spaces inside"),
    "strangers": ("certificates", "nobody's certificate beside it"),
    "purposes": ("certificates", "only for programs"),
    "algorithms": ("certificates", "SHA-1 everywhere"),
    "order of times": ("certificates", "token from tomorrow"),
    "unknown to its authority": ("certificates", "never issued, status unknown"),
    "answers from the future": ("status answers", "status: from 11 days on, good for ever"),
}
"""Guard → class and title of an attack that it stops."""
ALONE = [one for one in switches.GUARDS if one.name in BY_TITLE and one.name != "drawn number"]
IRREPLACEABLE = ("bytes accounted for", "container", "drawn number", "strangers", "purposes", "algorithms", "order of times",
                 "unknown to its authority", "answers from the future")  # fmt: skip
"""Guards without which the attack passes although all the others are on."""


@pytest.fixture(scope="module")
def bench(hierarchy: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("guards")
    return Bench(Office.copy_of(hierarchy, folder / "office"), folder)


def attack(bench: Bench, guard: switches.Guard) -> Case:
    kind, title = BY_TITLE[guard.name]
    cases: Iterator[Case] = next(one for one in classes.CLASSES if one.name == kind).cases(bench)
    return next(one for one in cases if one.title == title)


def test_an_untouched_document_is_valid_with_all_guards_and_with_none(bench: Bench) -> None:
    assert bench.judge(bench.issued) == "valid"
    with switches.nothing():
        assert bench.judge(bench.issued) == "valid"


def test_every_guard_has_its_attack() -> None:
    assert {one.name for one in switches.GUARDS} == {*BY_TITLE, "coverage", "marks of a signature"}


@pytest.mark.parametrize("guard", ALONE, ids=lambda one: one.name)
def test_the_attack_passes_without_guards_and_this_one_alone_stops_it(bench: Bench, guard: switches.Guard) -> None:
    case = attack(bench, guard)

    with switches.nothing():
        assert case.judge() == "valid"
    with switches.all_but(guard):
        assert case.judge() != "valid"


@pytest.mark.parametrize("guard", [one for one in switches.GUARDS if one.name in IRREPLACEABLE], ids=lambda one: one.name)
def test_no_other_guard_stops_the_attack_when_this_one_is_off(bench: Bench, guard: switches.Guard) -> None:
    case = attack(bench, guard)
    assert case.judge() != "valid"

    with switches.switched_off(guard):
        assert case.judge() == "valid"


def test_a_signature_over_less_than_its_revision_is_stopped_by_each_of_two_guards(bench: Bench) -> None:
    """Signed so by the leader's own key: the last bytes of the revision are not covered."""
    short = short_signature(bench.office)
    by_name = {one.name: one for one in switches.GUARDS}

    with switches.nothing():
        assert bench.judge(short) == "valid"
    for guard in ("coverage", "ranges"):
        with switches.all_but(by_name[guard]):
            assert bench.judge(short) == "invalid"


def short_signature(office: Office) -> bytes:
    """A document whose signed range ends before its revision does; valid by its cryptography."""
    honest, left = containers.embedded(office, containers.honest(office), containers.document()), 3
    found = re.search(rb"/ByteRange (\[[^\]]*\] *)", honest)
    assert found is not None
    start, first, second, rest = (int(one) for one in re.findall(rb"\d+", found[1]))
    told = b"/ByteRange [%d %d %d %d]" % (start, first, second, rest - left)
    told = told.ljust(found.end() - found.start())
    changed = honest[: found.start()] + told + honest[found.end() :]
    der = containers.container(containers.honest(office), changed[:-left], [first, second], office.now)
    return changed[: first + 1] + der.hex().encode().ljust(second - first - 2, b"0") + changed[second - 1 :]


def test_a_file_whose_signatures_were_hidden_is_not_called_unsigned(bench: Bench) -> None:
    guard = next(one for one in switches.GUARDS if one.name == "marks of a signature")
    torn = bench.issued.replace(b"/AcroForm", b"/AcroFarm")

    assert bench.judge(torn) == "invalid"
    with switches.switched_off(guard):
        assert bench.judge(torn) == "insufficient"


@pytest.mark.parametrize("code", sorted(traps.LINT))
def test_each_finding_of_the_lint_is_the_only_one_that_stops_its_document(code: str) -> None:
    """So without it the document would be signed."""
    assert intake.lint(letter()) == ()
    assert set(traps.LINT) == traps.stated()

    assert {one.code for one in intake.lint(traps.LINT[code](letter()))} == {code}


def test_the_page_is_written_from_the_lists_and_every_test_it_names_exists() -> None:
    assert traps.PAGE.read_text("utf-8") == traps.page(), "python -m tests.signing.traps --write"
    assert [one["number"] for one in traps.TRAPS if "number" in one] == list(range(1, 19)), "none of the libraries' traps is left out"
    assert traps.missing() == []


def test_a_stranger_in_the_certificates_is_seen_even_when_it_vouches_for_itself(bench: Bench) -> None:
    good = containers.honest(bench.office)
    document = containers.document()
    assert bench.office.pki.root in good.chain, "our own root vouches for itself, because it is known"
    assert examined(bench.office, containers.embedded(bench.office, good, document)).verdict is Verdict.VALID

    case = next(one for one in attacks_of(bench, "certificates") if one.title == "nobody's certificate beside it")
    assert case.judge() == "insufficient"


def attacks_of(bench: Bench, kind: str) -> Iterator[Case]:
    return next(one for one in classes.CLASSES if one.name == kind).cases(bench)
