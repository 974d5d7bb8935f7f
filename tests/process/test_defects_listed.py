"""The table of defects in docs/ says what the tests show."""

import re
from pathlib import Path

from engine.process import spiff

ROOT = Path(__file__).parents[2]
TABLE = dict(re.findall(r"^\| (\d+) \| .* \| (.*) \|$", (ROOT / "docs/engine-defects.md").read_text(), re.MULTILINE))


def numbers(name):
    return {int(number) for number in re.findall(r"def test_(\d\d)_", (ROOT / "tests/process" / name).read_text())}


def test_every_defect_has_its_line_and_its_test():
    assert [int(number) for number in TABLE] == list(range(1, 56))
    assert numbers("test_spiff_defects.py") == {*range(1, 48), 51, 52, 53, 54, 55}


def test_every_answer_at_the_door_is_a_test_and_every_change_is_listed():
    at_the_door = {int(number) for number, answer in TABLE.items() if "Door" in answer and int(number) not in (48, 49, 50)}
    files = ("test_defects_answered.py", "test_events.py", "test_event_subprocesses.py", "../procedures/test_elements.py")
    answered = "".join((ROOT / "tests/process" / name).read_text() for name in files)
    for number in at_the_door:
        assert re.search(rf"def test_(\d\d_)*{number:02}_", answered), number
    assert {defect for patch in spiff.PATCHES for defect in patch.defects} <= {int(number) for number in TABLE}
