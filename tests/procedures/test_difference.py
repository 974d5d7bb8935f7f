"""What a new version changes, in words an official reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.procedure.difference import difference
from engine.procedure.loader import load_folder
from tests.procedures.packages import BPMN, changed, form, real

TEMPLATES = {"templates/certified_copy.typ": b"// another layout"}


def said(old, new):
    return [change.vi for change in difference(old, new)]


def test_the_same_package_differs_in_nothing():
    assert difference(real(), real()) == []


def test_packages_that_call_shared_parts_are_compared_with_the_forms_of_those_parts():
    """A form of a part lies in no file of the package; the same package published again must not fall over it."""
    package = load_folder(BPMN / "birth_registration")
    assert set(package.form_keys) - {name[6:-5] for name in package.files}

    assert difference(package, load_folder(BPMN / "birth_registration")) == []


def test_a_moved_shape_is_a_change_of_the_drawing_alone():
    changes = difference(real(), changed(real(), diagram=[('<dc:Bounds x="', '<dc:Bounds x="1')]))

    assert [change.kind for change in changes] == ["drawing"]


def test_the_step_of_the_division_head_is_told_in_words():
    path = Path(__file__).parent / "with_division_head" / "process.bpmn"
    new = changed(real(), files={"process.bpmn": path.read_bytes()})

    changes = difference(real(), new)

    added = next(change for change in changes if change.kind == "step.added")
    assert "Trưởng phòng" in added.vi
    assert any(change.kind == "route.changed" for change in changes)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"diagram": [('name="stage_hours" value="3"', 'name="stage_hours" value="4"')]}, "step.hours", "từ 3 thành 4 giờ"),
        ({"diagram": [('review.decision = "refuse"', 'review.decision = "no"')]}, "route.condition", 'thành «review.decision = "no"»'),
        ({"diagram": [('name="Ký chứng thực"', 'name="Ký duyệt"')]}, "step.renamed", "đổi tên thành «Ký duyệt»"),
        ({"diagram": [('name="capacity" value="for_collective"', 'name="capacity" value="for_head"')]}, "step.capacity", "thẩm quyền ký"),
        ({"diagram": [('value="review.reason"', 'value="review.paper_name"')]}, "step.parameters", "reason"),
        (
            {
                "diagram": [
                    ("<bpmn:flowNodeRef>issue</bpmn:flowNodeRef>", ""),
                    (
                        "<bpmn:flowNodeRef>sign</bpmn:flowNodeRef>",
                        "<bpmn:flowNodeRef>sign</bpmn:flowNodeRef><bpmn:flowNodeRef>issue</bpmn:flowNodeRef>",
                    ),
                ]
            },
            "step.lane",
            "chuyển từ làn «Văn thư»",
        ),
        ({"declaration": [('unit = "same_day"', 'unit = "working_day"')]}, "term", "từ trong ngày thành 1 ngày làm việc"),
        ({"declaration": [("200000", "250000")]}, "fee.changed", "Phí chứng thực"),
        ({"declaration": [('role = "specialist"', 'role = "division_deputy"')]}, "lane.changed", "thay đổi"),
        ({"declaration": [("cutoff = 15:00:00", "cutoff = 16:00:00")]}, "term.rule", "Cách tính"),
        ({"files": TEMPLATES}, "file", "Mẫu in"),
        ({"files": {"forms/more.json": form("x")}}, "form.added", "Thêm biểu mẫu «more»"),
        ({"files": {"forms/review.json": form("decision")}}, "field.removed", "bỏ trường"),
    ],
)
def test_each_kind_of_change_has_its_sentence(change, kind, words):
    changes = difference(real(), changed(real(), **change))

    found = next(entry for entry in changes if entry.kind == kind)
    assert words in found.vi
    assert found.en
    assert found.en != found.vi
