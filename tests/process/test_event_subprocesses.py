"""Event sub-processes of every kind, interrupting and not, on every level, and what the rewriting leaves to see."""

import pytest

from engine.procedure.diagram_reader import read_diagram
from engine.procedure.normaliser import normalise
from tests.process.kit import GJ, Case, cyc, dur, el, ev, fl, step, xml


def run(body, flows, **facts):
    """Start the executable copy of a diagram."""
    return Case(normalise(read_diagram(xml(body, flows, more=facts.pop("more", "")))).xml, **facts)


def condition(text):
    return f"<bpmn:condition>{text}</bpmn:condition>"


def handler(kind, inner="", interrupting="true", name="E"):
    """An event sub-process `E` that starts with `Es`, is one step `hE` and ends with `Ee`."""
    start = ev("startEvent", f"{name}s", kind, inner, isInterrupting=interrupting)
    body = start + step(f"h{name}") + el("endEvent", f"{name}e") + fl(f"{name}s>h{name}; h{name}>{name}e")
    return el("subProcess", name, body, triggeredByEvent="true")


def happen(case, kind):
    if kind == "timer":
        return case.later(days=1)
    return case.message("me") if kind == "message" else case.done("w", {"kind": kind})


KINDS = {
    "message": ("", step("w")),
    "timer": (dur("P1D"), step("w")),
    "conditional": (condition("w.kind = &quot;conditional&quot;"), step("w") + step("w2")),
    "signal": ("", step("w") + ev("intermediateThrowEvent", "w2", "signal")),
    "escalation": ("", step("w") + ev("intermediateThrowEvent", "w2", "escalation")),
    "error": ("", step("w") + ev("endEvent", "w2", "error")),
}


def region(kind, interrupting):
    """Beside the step `a`, a step `w` after which the event of this kind happens."""
    inner, thrower = KINDS[kind]
    after = "; w>w2" if "w2" in thrower else "; w>e"
    after += "; w2>e" if kind in ("conditional", "signal", "escalation") else ""
    body = el("parallelGateway", "g") + step("a") + step("b") + thrower + handler(kind, inner, interrupting)
    return body, "s>g; g>a; a>b; b>e; g>w" + after


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_interrupts_ends_everything_in_its_level(kind):
    case = run(*region(kind, "true"))
    case.done("a", {"n": 1})
    happen(case, kind)
    assert case.ready == ["hE"]
    assert case.last.timers == ()
    assert case.last.waiting == ()
    assert case.last.variables["a"] == {"n": 1}, "it knows what was answered before it happened"
    case.done("hE", {"n": 2})
    assert (case.last.outcome, case.last.ended) == ("completed", "Ee")
    assert case.last.variables["hE"] == {"n": 2}
    assert case.view.done["Es"] == case.view.done["E"] == 1
    assert "e" not in case.view.done


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "error"])
def test_one_that_does_not_interrupt_runs_beside_and_the_level_waits_for_it(kind):
    case = run(*region(kind, "false"))
    happen(case, kind)
    assert "hE" in case.ready
    assert "a" in case.ready
    for name in ("a", "b", "w", "w2"):
        if name in case.ready:
            case.done(name, {"n": name})
    assert case.ready == ["hE"]
    assert case.last.outcome == "running"
    case.done("hE", {"n": 3})
    assert case.last.outcome == "completed"
    assert case.last.variables["b"] == {"n": "b"}
    assert case.last.variables["hE"] == {"n": 3}


@pytest.mark.parametrize("kind", ["message", "timer", "signal", "error", "escalation"])
def test_the_citizen_withdraws_at_any_moment_of_a_sub_process_and_the_rest_goes_on(kind):
    inner, _ = KINDS[kind]
    throw = ev("endEvent", "x", kind) if kind in ("signal", "error", "escalation") else el("endEvent", "x")
    body = step("a") + step("w") + el("parallelGateway", "k") + throw + handler(kind, inner) + el("endEvent", "se")
    sp = el("subProcess", "sp", el("startEvent", "ss") + body + fl("ss>k; k>a; k>w; a>se; w>x"))
    case = run(sp + step("after"), "s>sp; sp>after; after>e")
    case.later(days=1) if kind == "timer" else case.message("me") if kind == "message" else case.done("w", {"n": 1})
    assert case.ready == ["hE"]
    case.done("hE", {"n": 2})
    assert case.ready == ["after"]
    assert case.last.variables["hE"] == {"n": 2}
    assert case.done("after", {}).last.outcome == "completed"


def test_one_may_start_as_often_as_its_event_happens_and_no_more_when_the_work_is_over():
    case = run(step("a") + handler("message", interrupting="false"), "s>a; a>e")
    case.message("me").message("me").message("me")
    assert case.ready == ["a", "hE", "hE", "hE"]
    case.done("a", {})
    assert case.last.waiting == ()
    case.done("hE", {"n": 1}).done("hE", {"n": 2})
    assert case.last.outcome == "running"
    assert case.done("hE", {"n": 3}).last.outcome == "completed"


def test_one_that_interrupts_also_ends_those_that_run_beside():
    case = run(step("a") + handler("message", interrupting="false") + handler("timer", dur("P1D"), name="F"), "s>a; a>e")
    case.message("me").later(days=1)
    assert case.ready == ["hF"]
    assert case.done("hF").last.outcome == "completed"


def test_an_error_inside_one_that_runs_beside_reaches_the_one_that_catches_errors():
    start = ev("startEvent", "Es", "message", isInterrupting="false")
    failing = el("subProcess", "E", start + step("hE") + ev("endEvent", "Ee", "error") + fl("Es>hE; hE>Ee"), triggeredByEvent="true")
    case = run(step("a") + failing + handler("error", name="F"), "s>a; a>e")
    case.message("me").done("hE", {"n": 1})
    assert case.ready == ["hF"]
    assert case.done("hF").last.outcome == "completed"


def test_a_terminate_end_of_the_level_ends_those_that_run_beside():
    body = step("a") + GJ[0] + step("b") + step("d") + ev("endEvent", "x", "terminate") + handler("message", interrupting="false")
    case = run(body, "s>a; a>g; g>b; g>d; b>x; d>e").done("a").message("me")
    assert case.ready == ["b", "d", "hE"]
    case.done("b", {})
    assert (case.ready, case.last.outcome, case.last.ended) == ([], "completed", "x")


def test_a_terminate_end_inside_one_ends_only_itself():
    start = ev("startEvent", "Es", "message", isInterrupting="false")
    inner = el("parallelGateway", "k") + step("h1") + step("h2") + ev("endEvent", "Ee", "terminate") + el("endEvent", "Ef")
    body = el("subProcess", "E", start + inner + fl("Es>k; k>h1; k>h2; h1>Ee; h2>Ef"), triggeredByEvent="true")
    case = run(step("a") + body, "s>a; a>e").message("me").done("h1", {})
    assert case.ready == ["a"]
    assert case.done("a").last.outcome == "completed"


def test_a_repeated_deadline_starts_one_each_time():
    case = run(step("a") + handler("timer", cyc("R3/PT1H"), "false"), "s>a; a>e")
    assert case.later(hours=5).ready == ["a", "hE", "hE", "hE"]


def test_one_inside_another_is_ended_with_it():
    inner = handler("message", interrupting="false", name="F")
    start = ev("startEvent", "Es", "timer", dur("PT1H"), isInterrupting="false")
    outer = el("subProcess", "E", start + step("hE") + inner + el("endEvent", "Ee") + fl("Es>hE; hE>Ee"), triggeredByEvent="true")
    case = run(step("a") + outer + handler("conditional", condition("a.stop"), name="G"), "s>a; a>e").later(hours=1)
    case.message("me")
    assert case.ready == ["a", "hE", "hF"]
    case.done("hE", {})
    assert case.ready == ["a", "hF"]
    case.done("hF", {}).done("a", {"stop": False})
    assert case.last.outcome == "completed"


def test_a_dossier_that_may_be_withdrawn_can_still_be_sent_back():
    case = run(step("a") + step("b") + handler("message"), "s>a; a>b; b>e").done("a", {"n": 1})
    assert case.targets == ["a"]
    case.back("a")
    assert case.ready == ["a"]
    assert case.message("me").ready == ["hE"]


def test_what_runs_beside_does_not_bring_old_answers_back():
    case = run(step("a") + step("b") + step("c") + handler("message", interrupting="false"), "s>a; a>b; b>c; c>e")
    case.done("a", 1, variable="v").message("me").done("b", 2, variable="v")
    case.done("hE", {"seen": True})
    assert case.last.variables["v"] == 2
    assert case.done("c", {}).last.variables == {"v": 2, "hE": {"seen": True}, "c": {}}


def test_the_picture_shows_only_what_was_drawn():
    case = run(step("a") + handler("message", interrupting="false"), "s>a; a>e").message("me")
    view = case.view
    assert set(view.active) == {"a", "E", "hE"}
    assert set(view.events) == {"Es"}
    assert {"s__a", "Es__hE"} <= set(view.walked)


def test_framing_leaves_a_note_and_the_drawing_the_rules_judge_as_it_was():
    normalised = normalise(read_diagram(xml(step("a") + handler("message"), "s>a; a>e")))
    assert [(note.rule, note.element) for note in normalised.notes] == [("event-subprocess-framed", "E")]
    assert set(normalised.diagram.nodes) == {"s", "a", "e", "E", "Es", "hE", "Ee"}
