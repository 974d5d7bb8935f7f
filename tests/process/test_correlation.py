"""Messages between instances: a business key says which conversation one belongs to; signals are heard by everybody who listens."""

from __future__ import annotations

import pytest

from engine.errors import Conflict
from engine.process import instance
from tests.process.kit import Case, el, step, xml

KEYS = (
    '<bpmn:collaboration id="co"><bpmn:participant id="pa" processRef="p"/>'
    '<bpmn:correlationKey id="ck" name="parcel"><bpmn:correlationPropertyRef>cp</bpmn:correlationPropertyRef></bpmn:correlationKey>'
    "</bpmn:collaboration>"
    '<bpmn:correlationProperty id="cp" name="plot"><bpmn:correlationPropertyRetrievalExpression id="re" messageRef="me">'
    "<bpmn:messagePath>plot</bpmn:messagePath></bpmn:correlationPropertyRetrievalExpression></bpmn:correlationProperty>"
)
ASKS = "<bpmn:extensionElements><spiffworkflow:messagePayload>{plot: a.plot}</spiffworkflow:messagePayload></bpmn:extensionElements>"
HEARS = "<bpmn:extensionElements><spiffworkflow:messageVariable>answer</spiffworkflow:messageVariable></bpmn:extensionElements>"
TALK = xml(
    step("a")
    + el("intermediateThrowEvent", "t", f'<bpmn:messageEventDefinition messageRef="me">{ASKS}</bpmn:messageEventDefinition>')
    + el("intermediateCatchEvent", "c", f'<bpmn:messageEventDefinition messageRef="me">{HEARS}</bpmn:messageEventDefinition>')
    + step("b"),
    "s>a; a>t; t>c; c>b; b>e",
    more=KEYS,
)


def talking(number: str) -> Case:
    """An instance in a conversation about this number, waiting for an answer."""
    case = Case(TALK)
    case.done("a", {"plot": number})
    return case


def told(case: Case, number: str) -> bool:
    """Hand the message about a number to an instance; whether it was for it."""
    try:
        case.last = instance.receive(case.program, case.last.state, "me", {"plot": number}, case.context, {"parcel": {"cp": number}})
    except Conflict as refused:
        return refused.code != "process.message_not_awaited"
    return True


def test_what_is_thrown_carries_its_business_key():
    [thrown] = talking("thửa 12").last.thrown
    assert (thrown.kind, thrown.name, thrown.payload, thrown.keys) == (
        "message",
        "me",
        {"plot": "thửa 12"},
        {"parcel": {"cp": "thửa 12"}},
    )


def test_a_message_with_the_wrong_key_changes_nothing_and_the_right_one_arrives():
    case = talking("thửa 12")
    before = case.last.state
    assert not told(case, "thửa 13")
    assert (case.last.state, case.last.waiting) == (before, ("me",))
    assert told(case, "thửa 12")
    assert (case.ready, case.last.variables["answer"]) == (["b"], {"plot": "thửa 12"})
    assert not told(case, "thửa 12")  # once


def test_of_two_instances_only_the_one_of_the_conversation_hears_it_even_after_a_reload():
    one, other = talking("thửa 12"), talking("thửa 13")
    assert (told(one, "thửa 13"), told(other, "thửa 13")) == (False, True)
    assert (one.ready, other.ready) == ([], ["b"])


def test_a_signal_is_heard_where_it_is_listened_to_and_nowhere_else():
    waits = el("intermediateCatchEvent", "c", '<bpmn:signalEventDefinition signalRef="si"/>')
    case = Case(xml(step("a") + waits + step("b"), "s>a; a>c; c>b; b>e"))
    assert case.last.signals == ()
    with pytest.raises(Conflict, match="not_awaited"):
        instance.hear(case.program, case.last.state, "si", None, case.context)
    case.done("a", {})
    assert (case.last.signals, case.last.waiting) == (("si",), ())
    case.last = instance.hear(case.program, case.last.state, "si", None, case.context)
    assert case.ready == ["b"]
