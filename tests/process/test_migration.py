"""A running instance under another version: running deadlines go on, open steps and answers are the same, the way ahead is the new one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import Refused
from engine.process import instance
from engine.process.migration import move_to, place_on
from engine.process.program import build
from tests.process.kit import GJ, Case, bnd, dur, el, ev, process, step, sub, xml

ONE_MORE = (xml(step("a") + step("b"), "s>a; a>b; b>e"), xml(step("a") + step("b") + step("c"), "s>a; a>b; b>c; c>e"))


def moved(case: Case, document: bytes) -> Case:
    new = build("new", document)
    case.last = move_to(case.program, new, case.last.state)
    case.program = new
    return case


def test_the_way_ahead_is_the_new_one_and_the_past_stays():
    case = Case(ONE_MORE[0])
    case.done("a", {"n": 1})
    moved(case, ONE_MORE[1])
    assert case.ready == ["b"]
    case.done("b", {"n": 2})
    assert case.ready == ["c"]
    assert case.last.variables == {"a": {"n": 1}, "b": {"n": 2}}
    case.done("c", {})
    assert case.last.outcome == "completed"


def test_the_very_task_stays_open_under_its_number():
    case = Case(ONE_MORE[0])
    before = [one.uuid for one in case.last.ready]
    moved(case, ONE_MORE[1])
    assert [one.uuid for one in case.last.ready] == before


def test_a_running_deadline_is_not_restarted_even_when_the_new_version_writes_another():
    old, new = (xml(*bnd(dur(time))) for time in ("P5D", "P1D"))
    case = Case(old)
    due = case.last.timers
    case.later(days=2)
    moved(case, new)
    assert case.last.timers == due
    case.later(days=4)
    assert case.ready == ["late"]


def test_a_step_that_is_open_and_gone_is_refused_by_name():
    case = Case(ONE_MORE[1])
    case.done("a", {})
    case.done("b", {})
    with pytest.raises(Refused) as refused:
        move_to(case.program, build("new", ONE_MORE[0]), case.last.state)
    assert (refused.value.code, refused.value.facts["step"]) == ("migration.step_unknown", "c")


def test_a_removed_step_that_nobody_has_reached_hinders_nothing():
    case = Case(ONE_MORE[1])
    moved(case, ONE_MORE[0])
    case.done("a", {})
    case.done("b", {})
    assert case.last.outcome == "completed"


REGIONS = {
    "region": (
        xml(GJ[0] + step("a") + step("b") + GJ[1] + step("c"), "s>g; g>a; g>b; a>j; b>j; j>c; c>e"),
        xml(GJ[0] + step("a") + step("b") + step("b2") + GJ[1] + step("c"), "s>g; g>a; g>b; b>b2; a>j; b2>j; j>c; c>e"),
        "a",
        {"b", "b2", "c"},
    ),
    "sub-process": (
        xml(sub("sp", step("q") + step("r"), "ss>q; q>r; r>se") + step("c"), "s>sp; sp>c; c>e"),
        xml(sub("sp", step("q") + step("r") + step("t"), "ss>q; q>r; r>t; t>se") + step("c") + step("d"), "s>sp; sp>c; c>d; d>e"),
        "q",
        {"r", "t", "c", "d"},
    ),
    "called": (
        xml(el("callActivity", "ca", calledElement="pq") + step("c"), "s>ca; ca>c; c>e",
            more=process("pq", step("q1") + step("q2"), "qs>q1; q1>q2; q2>qe")),
        xml(el("callActivity", "ca", calledElement="pq") + step("c"), "s>ca; ca>c; c>e",
            more=process("pq", step("q1") + step("q2") + step("q3"), "qs>q1; q1>q2; q2>q3; q3>qe")),
        "q1",
        {"q2", "q3", "c"},
    ),
    "reminder": (
        xml(step("a") + ev("boundaryEvent", "b1", "timer", dur("PT5H"), attachedToRef="a", cancelActivity="false") + step("r"),
            "s>a; a>e; b1>r; r>e"),
        xml(step("a") + ev("boundaryEvent", "b1", "timer", dur("PT5H"), attachedToRef="a", cancelActivity="false") + step("r") + step("z"),
            "s>a; a>z; z>e; b1>r; r>e"),
        "",
        {"a", "z"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REGIONS)
def test_it_goes_on_to_its_end_from_inside_regions_sub_processes_calls_and_beside_timers(kind: str):
    old, new, first, then = REGIONS[kind]
    case = Case(old)
    if first:
        case.done(first, {})
    moved(case, new)
    done: set[str] = set()
    while case.last.outcome == "running":
        done.add(case.ready[0])
        case.done(case.ready[0], {})
    assert done == then
    assert case.last.outcome == "completed"


def test_the_state_after_moving_reads_and_stores_to_the_same_bytes():
    case = moved(Case(REGIONS["region"][0]), REGIONS["region"][1])
    assert instance.fire(case.program, case.last.state, case.context).state == case.last.state


def test_a_token_is_put_on_another_step_and_goes_on_from_there():
    case = Case(ONE_MORE[1])
    case.done("a", {"n": 1})
    [task] = case.last.ready
    case.last = place_on(case.program, case.last.state, task.uuid, "c", case.context)
    assert case.ready == ["c"]
    case.done("c", {})
    assert case.last.outcome == "completed"


def test_a_step_with_a_deadline_gets_it_when_a_token_is_put_on_it():
    case = Case(xml(step("z") + bnd(dur("P5D"))[0], "s>z; z>a; " + bnd(dur("P5D"))[1].removeprefix("s>a; ")))
    case.last = place_on(case.program, case.last.state, case.last.ready[0].uuid, "a", case.context)
    assert [timer.due_at for timer in case.last.timers] == [case.context.now + timedelta(days=5)]


@pytest.mark.parametrize("target", ["e", "nowhere", "g"])
def test_a_token_may_only_be_put_on_a_step(target: str):
    case = Case(ONE_MORE[1])
    with pytest.raises(Refused, match="cannot_place"):
        place_on(case.program, case.last.state, case.last.ready[0].uuid, target, case.context)


def test_a_token_beside_others_stays_where_it_is():
    case = Case(REGIONS["region"][0])
    with pytest.raises(Refused, match="cannot_place"):
        place_on(case.program, case.last.state, case.last.ready[0].uuid, "c", case.context)
