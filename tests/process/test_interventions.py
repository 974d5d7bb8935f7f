"""Acts from outside the diagram: deadlines move on by the time a dossier stood still, a token is put on another step."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import Conflict, Refused
from engine.process.interventions import movable, move_token, postpone
from tests.process.kit import GJ, Case, bnd, catch, cyc, dur, ev, step, sub, xml, xor

LINE = xml(step("a") + step("b") + step("c"), "s>a; a>b; b>c; c>e")


def moved(case: Case, source: str, target: str) -> Case:
    case.last = move_token(case.program, case.last.state, source, target, case.context)
    return case


def test_a_deadline_moves_by_the_time_it_stood_still_and_no_further():
    case = Case(xml(*bnd(dur("P5D"))))
    [before] = case.last.timers
    case.now += timedelta(days=30)
    case.last = postpone(case.program, case.last.state, lambda at: at + timedelta(days=30), case.context)
    [after] = case.last.timers
    assert (after.key, after.due_at) == (before.key, before.due_at + timedelta(days=30))
    assert case.ready == ["a"]
    case.later(days=4)
    assert case.ready == ["a"]
    case.later(days=2)
    assert case.ready == ["late"]


def test_a_repeated_reminder_does_not_make_up_for_the_time_it_stood_still():
    case = Case(xml(*bnd(cyc("R/P1D"), cancelActivity="false")))
    case.later(days=1)
    assert sorted(case.ready) == ["a", "late"]
    case.now += timedelta(days=10)
    case.last = postpone(case.program, case.last.state, lambda at: at + timedelta(days=10), case.context)
    assert sorted(case.ready) == ["a", "late"]
    case.later(days=1)
    assert sorted(case.ready) == ["a", "late", "late"]


@pytest.mark.parametrize("target", ["a", "c"])
def test_a_token_is_put_back_or_forward_and_nothing_between_happens(target: str):
    case = Case(LINE)
    case.done("a", {"n": 1})
    moved(case, "b", target)
    assert case.ready == [target]
    assert case.last.variables["a"] == {"n": 1}
    assert "b" not in case.view.done
    for name in ("a", "b", "c")["abc".index(target) :]:
        case.done(name, {})
    assert case.last.outcome == "completed"


def test_a_token_that_waits_for_a_message_nobody_sends_can_go_on():
    case = Case(xml(*catch("message")))
    assert case.last.waiting == ("me",)
    moved(case, "c", "a")
    assert (case.ready, case.last.waiting) == (["a"], ())
    case.done("a", {}, None)
    assert case.last.outcome == "completed"


def test_a_step_takes_its_deadline_with_it_and_the_new_one_starts_its_own():
    body, flows = bnd(dur("P5D"))
    case = Case(xml(body, flows))
    moved(case, "a", "ontime")
    assert case.last.timers == ()
    moved(case, "ontime", "a")
    assert len(case.last.timers) == 1
    case.later(days=6)
    assert case.ready == ["late"]


def test_what_is_open_inside_a_sub_process_is_closed_with_it():
    inner = step("q") + ev("boundaryEvent", "t", "timer", dur("P1D"), attachedToRef="q")
    case = Case(xml(sub("sp", inner, "ss>q; q>se; t>se") + step("c"), "s>sp; sp>c; c>e"))
    assert [one.node for one in movable(case.program, case.last.state)] == ["sp", "q"]
    moved(case, "sp", "c")
    assert (case.ready, case.last.timers) == (["c"], ())
    case.done("c", {})
    assert case.last.outcome == "completed"


def test_while_several_tokens_are_under_way_none_is_moved():
    case = Case(xml(GJ[0] + step("a") + step("b") + GJ[1] + step("c"), "s>g; g>a; g>b; a>j; b>j; j>c; c>e"))
    assert movable(case.program, case.last.state) == ()
    with pytest.raises(Refused, match="cannot_place"):
        moved(case, "a", "c")
    case.done("a", {}).done("b", {})
    [only] = movable(case.program, case.last.state)
    assert (only.node, only.steps) == ("c", ("a", "b"))


def test_only_steps_are_targets_and_only_where_a_token_stands_one_is_taken():
    case = Case(xml(step("a") + xor("x", "x__b") + step("b"), "s>a; a>x; x>b; x>e?a.n = 1; b>e"))
    for target in ("x", "e", "nowhere"):
        with pytest.raises(Refused, match="cannot_place"):
            moved(case, "a", target)
    with pytest.raises(Conflict, match="task_not_ready"):
        moved(case, "b", "a")
