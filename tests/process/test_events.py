"""Events that are thrown and caught: at once, again and again, on conditions, behind gateways."""

import pytest

from tests.process.kit import GJ, Case, dur, el, ev, evgw, fl, operator, step, sub, tim, xml

THROWN = pytest.mark.parametrize("kind", ["signal", "escalation"])


def condition(text):
    return f"<bpmn:condition>{text}</bpmn:condition>"


def watch(tag, node, text, **facts):
    return ev(tag, node, "conditional", condition(text), **facts)


@THROWN
def test_08_a_throw_that_interrupts_its_sub_process_ends_it_before_the_next_step(kind):
    did = []
    inner = el("subProcess", "q", el("startEvent", "qs") + ev("intermediateThrowEvent", "t", kind) + operator("x", "do"))
    inner = inner.replace("</bpmn:subProcess>", el("endEvent", "qe") + fl("qs>t; t>x; x>qe") + "</bpmn:subProcess>")
    body = sub("sp", GJ[0] + step("w") + inner, "ss>g; g>w; g>q; q>se; w>se")
    body += ev("boundaryEvent", "b", kind, attachedToRef="sp") + step("h")
    case = Case(xml(body, "s>sp; sp>e; b>h; h>e"), operators={"do": did.append})
    assert case.ready == ["h"]
    assert did == []
    assert case.done("h").last.outcome == "completed"


@pytest.mark.parametrize("kind", ["message", "signal", "escalation"])
def test_52_an_event_that_does_not_interrupt_happens_as_often_as_it_is_thrown(kind):
    thrower = "".join(step(f"w{n}") + ev("intermediateThrowEvent", f"t{n}", kind) for n in "12")
    body = sub("sp", thrower, "ss>w1; w1>t1; t1>w2; w2>t2; t2>se")
    body += ev("boundaryEvent", "b", kind, attachedToRef="sp", cancelActivity="false") + step("h")
    case = Case(xml(body, "s>sp; sp>e; b>h; h>e")).done("w1")
    assert case.ready == ["w2", "h"]
    case.done("w2")
    assert case.ready == ["h", "h"]
    assert case.done("h").done("h").last.outcome == "completed"


def test_an_event_that_does_not_interrupt_waits_no_more_when_its_step_is_over():
    body = step("a") + ev("boundaryEvent", "b", "message", attachedToRef="a", cancelActivity="false") + step("h")
    case = Case(xml(body, "s>a; a>e; b>h; h>e")).message("me").message("me")
    assert case.ready == ["a", "h", "h"]
    case.done("a")
    assert case.last.waiting == ()
    assert case.done("h").done("h").last.outcome == "completed"


def test_53_what_happens_to_a_sub_process_goes_on_with_what_was_answered_inside():
    body = sub("sp", step("a") + step("b"), "ss>a; a>b; b>se") + ev("boundaryEvent", "x", "timer", dur("P1D"), attachedToRef="sp")
    case = Case(xml(body + step("h"), "s>sp; sp>e; x>h; h>e")).done("a", {"n": 1}).later(days=1)
    assert case.ready == ["h"]
    assert case.last.variables == {"a": {"n": 1}}


def test_32_a_condition_watches_the_answers_of_the_whole_dossier():
    body = GJ[0] + step("a") + watch("intermediateCatchEvent", "c", "a.ok") + step("late")
    case = Case(xml(body, "s>g; g>a; g>c; a>e; c>late; late>e"))
    assert case.ready == ["a"]
    assert case.done("a", {"ok": True}).ready == ["late"]


def test_a_condition_that_already_holds_lets_pass_at_once():
    case = Case(xml(step("a") + watch("intermediateCatchEvent", "c", "a.ok") + step("b"), "s>a; a>c; c>b; b>e"))
    assert case.done("a", {"ok": True}).ready == ["b"]


def test_a_condition_on_a_border_happens_again_only_after_it_was_false():
    body = GJ[0] + step("w") + el("exclusiveGateway", "m") + step("a") + el("exclusiveGateway", "x", default="x__e")
    body += watch("boundaryEvent", "b", "a.n &gt; 1", attachedToRef="w", cancelActivity="false") + step("h")
    case = Case(xml(body, "s>g; g>w; w>e; g>m; m>a; a>x; x>m?a.again; x>e; b>h; h>e"))
    seen = []
    for number in (1, 2, 3, 1, 2):
        case.done("a", {"n": number, "again": True})
        seen.append(case.ready.count("h"))
    assert seen == [0, 1, 1, 1, 2]


def test_a_condition_that_gives_no_truth_value_changes_nothing():
    case = Case(xml(GJ[0] + step("a") + watch("intermediateCatchEvent", "c", "a.n"), "s>g; g>a; g>c; a>e; c>e"))
    with pytest.raises(Exception, match="not_boolean"):
        case.done("a", {"n": 1})
    assert case.ready == ["a"]


def test_of_two_conditions_and_two_deadlines_behind_one_gateway_the_first_decides():
    both = [watch("intermediateCatchEvent", name, f"a.n = {n}") for n, name in enumerate("xy")]
    body, flows = evgw(*both)
    case = Case(xml(GJ[0].replace('"g"', '"k"') + step("a") + body, "s>k; k>a; a>e; k>g;" + flows.removeprefix("s>g;")))
    assert case.done("a", {"n": 1}).ready == ["ty"]
    assert Case(xml(*evgw(tim("x", "PT2H"), tim("y", "PT1H")))).later(hours=3).ready == ["ty"]


@pytest.mark.parametrize("kind", ["error", "escalation"])
def test_54_one_catches_the_error_it_names_and_no_other(kind):
    def caught_by(reference, name):
        return ev("boundaryEvent", name, kind, attachedToRef="sp").replace(f'"{kind[:2]}"', reference)

    more = f'<bpmn:{kind} id="one" name="one"/><bpmn:{kind} id="two" name="two"/>'
    thrower = ev("endEvent", "t", kind).replace(f'"{kind[:2]}"', '"two"')
    body = sub("sp", step("a") + thrower, "ss>a; a>t") + caught_by('"one"', "x") + caught_by('"two"', "y") + step("h") + step("k")
    case = Case(xml(body, "s>sp; sp>e; x>h; h>e; y>k; k>e", more=more))
    assert case.done("a").ready == ["k"]
