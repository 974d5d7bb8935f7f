"""The table of defects in docs/ says what the tests show, and every link in it leads to a test."""

import re

import pytest

from engine.process import spiff
from tests.process import defects

ROWS = defects.rows()


def numbers(name):
    return {int(number) for number in re.findall(r"def test_(\d\d)_", (defects.ROOT / "tests/process" / name).read_text())}


def test_every_defect_has_its_line_and_its_test():
    assert list(ROWS) == list(range(1, 59))
    assert numbers("test_spiff_defects.py") == {*range(1, 48), 51, 52, 53, 54, 55}


def test_the_links_are_written_from_the_tests():
    assert defects.TABLE.read_text(encoding="utf-8") == defects.written()


@pytest.mark.parametrize("number", ROWS)
def test_every_defect_is_shown_in_the_library_and_answered_by_a_test_that_is_there(number):
    shown, answered = defects.shown(number), defects.answered(number, ROWS[number][1])
    assert shown
    assert answered
    for test in (*shown, *answered):
        file, _, name = test.partition("::")
        assert name.partition("[")[0] in defects.functions(file), test


def test_every_link_of_the_document_leads_somewhere():
    for link in re.findall(r"\]\(([^)]+)\)", defects.TABLE.read_text(encoding="utf-8")):
        assert (defects.TABLE.parent / link).is_file(), link


@pytest.mark.parametrize("number", [number for number, (_, answer) in ROWS.items() if "Gate" in answer])
def test_what_the_gate_answers_is_shown_at_the_gate(number):
    assert any(file in test for test in defects.answered(number, ROWS[number][1]) for file in (defects.GATE, defects.RULES))


@pytest.mark.parametrize("number", [number for number, (_, answer) in ROWS.items() if "Door" in answer])
def test_what_the_door_answers_is_shown_behind_the_door(number):
    behind = [test for test in defects.answered(number, ROWS[number][1]) if "tests/process/" in test or "test_elements" in test]
    assert behind


def test_every_change_to_the_library_is_listed():
    assert {defect for patch in spiff.PATCHES for defect in patch.defects} <= set(ROWS)
