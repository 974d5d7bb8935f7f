"""Two versions beside each other: every element under the mark of what happened to it, work that changes hands first."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.procedure.comparison import MARKS, comparison
from engine.procedure.difference import difference
from tests.procedures.packages import changed, form, real

REVIEWED = Path(__file__).parent / "with_division_head" / "process.bpmn"
TO_THE_LEADER = [
    ("<bpmn:flowNodeRef>issue</bpmn:flowNodeRef>", ""),
    ("<bpmn:flowNodeRef>sign</bpmn:flowNodeRef>", "<bpmn:flowNodeRef>sign</bpmn:flowNodeRef><bpmn:flowNodeRef>issue</bpmn:flowNodeRef>"),
]
EDITS = [
    ('name="stage_hours" value="3"', 'name="stage_hours" value="4"'),
    ('review.decision = "refuse"', 'review.decision = "no"'),
    ('name="Ký chứng thực"', 'name="Ký duyệt"'),
    ('value="review.reason"', 'value="review.paper_name"'),
    *TO_THE_LEADER,
]


def test_work_that_moves_to_another_lane_is_told_first_and_marked_before_anything_else_about_it():
    new = changed(real(), diagram=[*TO_THE_LEADER, ('name="Ký chứng thực"', 'name="Ký duyệt"'), EDITS[0]])

    found = comparison(real(), new)

    assert found.told[0].change.kind == "step.lane"
    assert (found.told[0].number, found.told[0].mark, found.told[0].after) == (1, "moved", ("issue",))
    assert found.before["moved"] == found.after["moved"] == ("issue",)
    assert {"sign", "examine"} <= set(found.after["changed"])


def test_an_added_step_is_green_in_the_new_diagram_and_absent_from_the_old_one():
    new = changed(real(), files={"process.bpmn": REVIEWED.read_bytes()})

    found = comparison(real(), new)
    back = comparison(new, real())

    added = next(one for one in found.told if one.change.kind == "step.added")
    assert added.before == ()
    assert set(added.after) <= set(found.after["added"])
    assert "added" not in found.before
    flows = set(found.after["added"]) & set(new.diagram.flows)
    assert flows, "the ways to and from the new step are new too"
    assert set(back.before["removed"]) == set(found.after["added"])
    assert set(back.after.get("added", ())) == set(found.before.get("removed", ()))


def test_a_form_and_a_document_are_shown_at_the_steps_that_use_them():
    new = changed(real(), files={"forms/review.json": form("decision"), "templates/certified_copy.typ": b"// another layout"})

    found = comparison(real(), new)

    by_kind = {one.change.kind: one for one in found.told}
    assert by_kind["field.removed"].after == ("examine",)
    assert "sign" in by_kind["file"].after


def test_what_nothing_drawn_shows_has_words_and_no_colour():
    found = comparison(real(), changed(real(), declaration=[('unit = "same_day"', 'unit = "working_day"')]))

    assert [(one.change.kind, one.before, one.after) for one in found.told] == [("term", (), ())]
    assert found.before == found.after == {}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(EDITS), unique=True))
def test_every_mark_stands_on_an_element_of_its_own_diagram_and_every_change_is_told(edits: list[tuple[str, str]]):
    old, new = real(), changed(real(), diagram=edits)

    found = comparison(old, new)

    assert list(found.changes) == difference(old, new)
    assert [one.number for one in found.told] == list(range(1, len(found.told) + 1))
    for package, marks in ((old, found.before), (new, found.after)):
        drawn = {*package.diagram.nodes, *package.diagram.flows, *(lane.id for lane in package.diagram.lanes)}
        marked = [name for mark in marks for name in marks[mark]]
        assert set(marks) <= set(MARKS)
        assert set(marked) <= drawn
        assert len(marked) == len(set(marked)), "one element, one mark"
