"""The diagram in words: every node once, in the order of reading, with who, how long, what next and what if not."""

from __future__ import annotations

from engine.procedure.outline import milestones, outline
from tests.procedures.packages import BPMN, CLOSE, real, small, step
from tests.process.kit import el, ev, sub


def test_every_node_of_every_package_is_told_once():
    for folder in BPMN.iterdir():
        if folder.is_dir() and not folder.name.startswith("_"):
            package = real(folder.name)
            entries = outline(package)

            assert sorted(entry.id for entry in entries) == sorted(package.whole.nodes)
            assert len({entry.number for entry in entries}) == len(entries)
            assert all(entry.sentence["vi"] and entry.sentence["en"] for entry in entries)


def test_a_step_says_who_how_long_and_what_next():
    entry = next(entry for entry in outline(real()) if entry.id == "examine")

    assert entry.kind == "step"
    assert entry.who["vi"] in entry.sentence["vi"]
    assert "3 giờ làm việc" in entry.sentence["vi"]
    assert "3 working hours" in entry.sentence["en"]
    assert [way.kind for way in entry.ways] == ["next"]


def test_a_choice_says_what_if_not():
    entry = next(entry for entry in outline(real()) if entry.id == "conclusion")

    assert [way.kind for way in entry.ways] == ["next", "next", "otherwise"]
    assert "Nếu không" in entry.sentence["vi"]
    assert "Otherwise" in entry.sentence["en"]


def test_a_deadline_on_a_step_says_what_happens_then():
    timer = "<bpmn:timeDuration>P2DT4H</bpmn:timeDuration>"
    package = small(step("a") + ev("boundaryEvent", "b", "timer", timer, attachedToRef="a") + CLOSE, "s>a; a>close; b>close; close>e")
    entries = {entry.id: entry for entry in outline(package)}

    assert [way.kind for way in entries["a"].ways] == ["next", "if_late"]
    assert "2 ngày 4 giờ" in entries["b"].sentence["vi"]
    assert "2 days 4 hours" in entries["b"].sentence["en"]


def test_steps_inside_a_group_are_numbered_below_it():
    package = small(sub("sp", step("x"), "ss>x; x>se") + CLOSE, "s>sp; sp>close; close>e")
    numbers = {entry.id: entry.number for entry in outline(package)}

    assert numbers["x"].startswith(f"{numbers['sp']}.")


def test_the_milestones_are_the_steps_of_the_normal_way():
    assert [stone.id for stone in milestones(real())] == ["examine", "sign", "issue", "return_result"]


def test_the_milestones_leave_ways_back_out():
    back = el("exclusiveGateway", "again", default="again__close")
    package = small(step("a") + back + step("fix") + CLOSE, "s>a; a>again; again>fix?true; fix>a; again>close; close>e")

    assert [stone.id for stone in milestones(package)] == ["a"]
