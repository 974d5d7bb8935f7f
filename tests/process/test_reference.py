"""Random diagrams run as the standard says: our engine and a reference interpreter, side by side, to the last token."""

import random
import re

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from engine.procedure import soundness
from engine.procedure.diagram_reader import read_diagram
from engine.procedure.normaliser import normalise
from engine.procedure.rules import STRUCTURE, gateways
from engine.procedure.rules.examined import Examined
from engine.process import spiff
from tests.process.drawings import EVENTS, blocks, drawn
from tests.process.kit import GJ, MONDAY, Case, el, ev, step, xml, xor
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


def play(document, chance, *, ends=True):
    """Run the diagram in both, any open step, message or deadline next, and compare after every move.

    A diagram that was bent may have a way back that messages choose; without *ends* it need not come to its end.
    """
    case, reference = Case(normalise(read_diagram(document)).xml), Reference(document)
    agree(case, reference, document)
    for number in range(MOVES * 3):
        moves = [("step", name) for name in reference.ready]
        if number < MOVES:  # afterwards only the open steps are done, and nothing is repeated
            moves += [("message", name) for name in reference.messages] + [("timer", "")] * bool(reference.timers)
        elif not moves:
            # Time first: a message an event sub-process may take beside the work could be sent for ever and never move the work itself.
            moves = [("timer", "")] * bool(reference.timers) or [("message", name) for name in reference.messages]
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
    assert reference.root.over or not ends
    assert the_way(case.view) == {name: times for name, times in reference.done.items() if times}, document
    assert {flow for flow in case.view.walked if "__of__" not in flow} == reference.walked, document


# A race of two deadlines beside messages that may come for ever.
RACE = ("loop", [("throw", ("loop", ["step"]), "error", True, True), ("race", ["timer", "timer"], "step")])


@settings(deadline=None, max_examples=200, suppress_health_check=CHECKS)
@given(block=blocks, inside=EVENTS, chance=st.randoms(use_true_random=False))
@example(block=RACE, inside=[("message", False), ("message", False)], chance=random.Random(5))
@example(block=RACE, inside=[("message", False), ("message", False)], chance=random.Random(2))
@example(block=RACE, inside=[("message", False), ("message", False)], chance=random.Random(6))
def test_random_diagrams_run_as_the_reference_interpreter_runs_them(block, inside, chance):
    play(drawn(block, inside), chance)


@pytest.mark.full
@settings(deadline=None, max_examples=3000, suppress_health_check=CHECKS)
@given(block=blocks, inside=EVENTS, chance=st.randoms(use_true_random=False))
def test_many_random_diagrams_run_as_the_reference_interpreter_runs_them(block, inside, chance):
    play(drawn(block, inside), chance)


GATEWAY = re.compile(r"<bpmn:(exclusive|parallel|inclusive)Gateway")


def bent(document, chance):
    """Change a gateway into one of another kind, or lead a flow to another node: well formed in itself, sound only by luck."""
    text = document.decode()
    flows = re.findall(r'<bpmn:sequenceFlow id="[^"]+" sourceRef="[^"]+" targetRef="([^"]+)"', text)
    gates = list(GATEWAY.finditer(text))
    if gates and chance.random() < 0.7:
        gate = chance.choice(gates)
        before, kind = gate[1], chance.choice(["exclusive", "parallel", "inclusive"])
        end = f"</bpmn:{before}Gateway>"
        rest = text[gate.end() :].replace(end, f"</bpmn:{kind}Gateway>", 1)
        return f"{text[: gate.start()]}<bpmn:{kind}Gateway{rest}".encode()
    other, target = chance.choice(flows), chance.choice(flows)
    return text.replace(f'targetRef="{other}"', f'targetRef="{target}"', 1).encode()


def refused(document):
    """The rules of the gate that speak of the flow, on a diagram without a package around it."""
    examined = Drawn(document)
    rules = (*STRUCTURE, gateways.default_path, gateways.conditional_flow, gateways.idle_condition, gateways.event_gateway)
    if any(finding.severity == "refused" for rule in rules for finding in rule(examined)):
        return True
    verdicts = [soundness.judge(examined.diagram, container) for container in examined.diagram.containers]
    return any(verdict.faults or not verdict.proved for verdict in verdicts)


class Drawn(Examined):
    def __init__(self, document):
        self.original = read_diagram(document)
        self.normalised = normalise(self.original)
        self.diagram = self.normalised.diagram


@settings(deadline=None, max_examples=150, suppress_health_check=CHECKS)
@given(block=blocks, chance=st.randoms(use_true_random=False))
def test_a_bent_diagram_is_refused_or_runs_as_the_reference_interpreter_runs_it(block, chance):
    document = bent(drawn(block, []), chance)
    if not refused(document):
        play(document, chance, ends=False)


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


def test_an_end_that_ends_everything_is_not_outrun_by_a_join_beside_it():
    """The token on its way to that end leaves the join free to go on; the standard allows either order, ours is always the same."""
    body = GJ[0] + step("a") + step("b") + xor("x", "x__j") + el("inclusiveGateway", "j") + ev("endEvent", "t", "terminate")
    case = Case(xml(body, "s>g; g>a; g>b; a>j; b>x; x>t?b.stop; x>j; j>e"))
    case.done("a", {}).done("b", {"stop": True})
    assert case.last.outcome == "completed"
    assert "t" in case.view.done
    assert "j" not in case.view.done
