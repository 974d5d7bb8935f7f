"""What can still make a difference: the proof run walks on from one of several states that agree in it, and must miss nothing by that."""

from __future__ import annotations

import pytest

from engine.procedure.diagram_reader import read_diagram
from engine.process.liveness import Liveness
from engine.process.proof import prove
from tests.process.kit import cyc, el, ev, ext, step, xml, xor
from tests.process.test_proof import CHOICE, form, package

READS = {"x": {"a.decision"}, "y": {"a.note", "b.decision"}}


def live(document: bytes, *elements: str) -> set[str]:
    return set(Liveness(read_diagram(document, "process.bpmn"), READS).at(elements))


CHAIN = xml(
    step("a") + xor("x", "x__b") + step("b") + xor("y", "y__e"),
    's>a; a>x; x>b; b>y; y>e; x>e?a.decision = "refuse"; y>a?b.decision = "refuse"',
)


def test_what_a_step_answers_anew_is_not_read_before_it():
    assert live(CHAIN, "a") == set(), "a answers a, b is answered before y reads it"
    assert live(CHAIN, "b") == {"a.note"}
    assert live(CHAIN, "y") == {"a.note", "b.decision"}


def test_two_places_read_what_either_reads_and_a_strange_one_everything():
    assert live(CHAIN, "b", "y") == {"a.note", "b.decision"}
    assert live(CHAIN, "somewhere") == {"a.decision", "a.note", "b.decision"}


def test_an_event_on_the_edge_may_happen_before_the_answer():
    edge = el("boundaryEvent", "late", "<bpmn:timerEventDefinition/>", attachedToRef="b")
    document = xml(step("a") + step("b") + edge + xor("y", "y__e"), "s>a; a>b; b>e; late>y; y>e; y>a?true")
    assert live(document, "b") == {"a.note", "b.decision", "a.decision"}, "x is no node here: what it reads may be read at any time"


def test_what_is_repeated_may_be_done_no_time_and_answers_nothing_for_sure():
    looped = el("userTask", "b", '<bpmn:standardLoopCharacteristics testBefore="true"/>')
    document = xml(step("a") + looped + xor("y", "y__e"), "s>a; a>b; b>y; y>e; y>a?true")
    assert "b.decision" in live(document, "a")


@pytest.mark.parametrize("copies", [2, 3])
def test_parallel_repetitions_are_walked_to_their_end(copies: int):
    many = el(
        "userTask",
        "m",
        f"<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>{copies}</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>",
    )
    document = xml(many + step("b"), "s>m; m>b; b>e")
    assert prove(package(document, m=form(), b=form())) == [], "b is reached only when all are done"


def test_a_reminder_that_comes_again_and_again_does_not_use_the_moves_up():
    reminder = ev("boundaryEvent", "r", "timer", cyc("R/PT1H"), attachedToRef="a", cancelActivity="false")
    document = xml(step("a") + reminder + step("remind") + el("endEvent", "re") + step("b"), "s>a; a>b; b>e; r>remind; remind>re")
    assert prove(package(document, a=form(CHOICE), remind=form(CHOICE), b=form())) == []


def test_a_message_carries_both_answers_to_what_is_asked_of_it():
    carried = ext(messageVariable="opinion")
    awaited = el("intermediateCatchEvent", "c", f'<bpmn:messageEventDefinition messageRef="me">{carried}</bpmn:messageEventDefinition>')
    document = xml(awaited + xor("x", "x__e") + step("again"), "s>c; c>x; x>e; x>again?opinion.agreed = false; again>e")
    assert prove(package(document, again=form())) == []
