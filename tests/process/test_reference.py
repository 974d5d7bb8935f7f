"""Random diagrams run as the standard says: our engine and a reference interpreter, side by side, to the last token."""

import random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.procedure.diagram_reader import read_diagram
from engine.procedure.normaliser import normalise
from engine.process import spiff
from tests.process.drawings import EVENTS, blocks, drawn
from tests.process.kit import MONDAY, Case
from tests.process.reference import Reference

CHECKS = list(HealthCheck)
MOVES = 40


def agree(case, reference, document):
    assert sorted(case.ready) == reference.ready, document
    assert list(case.last.waiting) == reference.messages, document
    due = [(round((timer.due_at - MONDAY).total_seconds() / 60), timer.step) for timer in case.last.timers]
    assert due == reference.timers, document
    assert (case.last.outcome == "completed") == reference.root.over, document


def the_way(view):
    """How often a run passed each node that was drawn."""
    return {node: times for node, times in view.done.items() if "__of__" not in node}


def play(document, chance):
    """Run the diagram in both, any open step, message or deadline next, and compare after every move."""
    case, reference = Case(normalise(read_diagram(document)).xml), Reference(document)
    agree(case, reference, document)
    for number in range(MOVES * 3):
        moves = [("step", name) for name in reference.ready]
        if number < MOVES:  # afterwards only the open steps are done, and nothing is repeated
            moves += [("message", name) for name in reference.messages] + [("timer", "")] * bool(reference.timers)
        elif not moves:
            moves = [("message", name) for name in reference.messages] or [("timer", "")] * bool(reference.timers)
        if not moves:
            break
        kind, name = chance.choice(moves)
        if kind == "step":
            picked = [place for place in range(3) if number < MOVES and chance.random() < 0.5]
            case.done(name, {"pick": picked})
            reference.complete(name, picked)
        elif kind == "message":
            case.message(name)
            reference.receive(name)
        else:
            (due, _), *others = reference.timers
            assume(all(due != other for other, _ in others))
            case.later(minutes=due - reference.now)
            reference.fire()
        agree(case, reference, document)
    assert reference.root.over
    assert the_way(case.view) == {name: times for name, times in reference.done.items() if times}, document
    assert {flow for flow in case.view.walked if "__of__" not in flow} == reference.walked, document


@settings(deadline=None, max_examples=200, suppress_health_check=CHECKS)
@given(block=blocks, inside=EVENTS, chance=st.randoms(use_true_random=False))
def test_random_diagrams_run_as_the_reference_interpreter_runs_them(block, inside, chance):
    play(drawn(block, inside), chance)


@pytest.mark.full
@settings(deadline=None, max_examples=3000, suppress_health_check=CHECKS)
@given(block=blocks, inside=EVENTS, chance=st.randoms(use_true_random=False))
def test_many_random_diagrams_run_as_the_reference_interpreter_runs_them(block, inside, chance):
    play(drawn(block, inside), chance)


NOTICED = {
    "ParallelGateway._check_threshold_unstructured": ("loop", [("parallel", ["step", "step"])]),
    "InclusiveGateway._check_threshold_unstructured": ("loop", [("inclusive", ["step", "step", "step"])]),
    "BoundaryEvent._run_hook": ("sub", ["step"], [("message", False)], []),
}


@pytest.mark.parametrize("change", NOTICED)
def test_the_reference_interpreter_notices_when_a_change_to_the_library_is_taken_away(change):
    def plays():
        for seed in range(12):
            play(drawn(NOTICED[change], []), random.Random(seed))

    patch = next(one for one in spiff.PATCHES if f"{getattr(one.owner, '__qualname__', '')}.{one.name}" == change)
    plays()
    with spiff.bare(patch), pytest.raises(AssertionError):
        plays()
