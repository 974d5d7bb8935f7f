"""The stored form of an instance: any answers come back unchanged, storing changes nothing, and old states stay readable."""

import gc
import json
import weakref
from datetime import timedelta
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import Refused
from engine.process import instance, sleeping, state
from engine.process.program import build
from engine.process.running import running
from tests.process.drawings import EVENTS, blocks, drawn
from tests.process.kit import GJ, MONDAY, Case, cyc, dur, el, ev, evgw, process, step, sub, xml, xor
from tests.process.test_reference import play

GOLDEN = Path(__file__).parents[1] / "golden" / "process"

names = st.one_of(st.text(max_size=20), st.sampled_from(["typename", "_x", "self", "kwargs", "working days", "dossier", "a", "~typename"]))
answers = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**15), 10**15),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=40),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(names, inner, max_size=5)),
    max_leaves=30,
)


def exactly(one, other):
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(first=answers, second=answers)
def test_any_answers_come_back_unchanged_after_being_stored(first, second):
    case = Case(xml(step("a") + step("b") + step("c"), "s>a; a>b; b>c; c>e"))
    case.done("a", first)
    assert exactly(case.last.variables["a"], first)
    case.done("b", second, variable="a")
    assert exactly(case.last.variables["a"], second)


def test_a_state_without_lines_is_read_as_one_with_them():
    case = Case(xml(step("a") + step("b"), "s>a; a>b; b>e")).done("a", {"lines": "one\ntwo", "values": [1, {"values": []}]})
    text = zstandard.ZstdDecompressor().decompress(case.last.state)
    assert text.count(b"\n") == 2
    before = instance.answers_so_far(case.program, case.last.state)
    plain = zstandard.ZstdCompressor().compress(text.replace(b"\n", b""))
    assert instance.answers_so_far(case.program, plain) == before
    assert instance.fire(case.program, plain, case.context).state == case.last.state


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def test_sixty_four_levels_are_kept_and_one_more_is_refused():
    case = Case(xml(step("a") + step("b"), "s>a; a>b; b>e"))
    with pytest.raises(Refused):
        case.done("a", nested(65))
    assert case.done("a", nested(64)).last.variables["a"] == nested(64)


DIAGRAMS = {
    "region": xml(GJ[0] + step("a") + sub("sp", step("q"), "ss>q; q>se") + GJ[1] + step("c"), "s>g; g>a; g>sp; a>j; sp>j; j>c; c>e"),
    "deadlines": xml(
        step("a")
        + ev("boundaryEvent", "b1", "timer", dur("PT5H"), attachedToRef="a")
        + ev("boundaryEvent", "b2", "timer", cyc("R3/PT1H"), attachedToRef="a", cancelActivity="false")
        + step("late")
        + step("r"),
        "s>a; a>e; b1>late; late>e; b2>r; r>e",
    ),
    "message": xml(
        *evgw(
            el("intermediateCatchEvent", "x", '<bpmn:messageEventDefinition messageRef="me"/>'),
            ev("intermediateCatchEvent", "y", "timer", dur("P1D")),
        )
    ),
    "called": xml(
        step("a") + el("callActivity", "ca", calledElement="pq") + step("c"),
        "s>a; a>ca; ca>c; c>e",
        more=process("pq", step("q1") + step("q2"), "qs>q1; q1>q2; q2>qe"),
    ),
}


def walked(document):
    """Yield an instance at every wait state of one way through a diagram."""
    case = Case(document)
    yield case
    for _ in range(12):
        if case.last.outcome != "running":
            return
        if case.ready:
            case.done(case.ready[0], {"n": 1})
        elif case.last.waiting:
            case.message(case.last.waiting[0], {"n": 2})
        else:
            case.later(days=2)
        yield case


@pytest.mark.parametrize("name", DIAGRAMS)
@pytest.mark.parametrize("looked_at", [lambda instance: instance, sleeping.awaken], ids=["asleep", "awake"])
def test_storing_what_was_read_gives_the_same_bytes(name, looked_at):
    for case in walked(DIAGRAMS[name]):
        with running(case.program, case.context, case.last.state) as run:
            assert state.dump(looked_at(run.instance)) == case.last.state


def known_where_something_stands(made):
    for flow in (made, *made.subprocesses.values()):
        standing = [task for task in flow.tasks.values() if task.has_state(sleeping.STANDING)]
        assert sleeping.standing_in(flow) == standing, "in the order in which they came to be"
    return made


def assert_nothing_is_stored_in_vain(stored):
    body = json.loads(zstandard.ZstdDecompressor().decompress(stored))
    rows = [row for flow in body["flows"] for row in flow["tasks"]]
    named = {place for row in rows if isinstance(row[6], list) for place in row[6][0].values()}
    named.update(place for flow in body["flows"] for place in flow["data"].values())
    assert named == set(range(len(body["values"])))
    assert all(above < place for flow in body["flows"] for place, (_, _, _, above, *_) in enumerate(flow["tasks"]))


@pytest.fixture(scope="module")
def twice():
    """Make every advance twice: with tasks made as they are needed, and with all of them made, looked at and compared."""
    load, dump = state.load, state.dump

    def both(act):
        def acted(*given, **options):
            asleep = act(*given, **options)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(state, "load", lambda *facts: sleeping.awaken(load(*facts)))
                patch.setattr(state, "dump", lambda made: dump(known_where_something_stands(made)))
                awake = act(*given, **options)
            for fact in ("state", "opened", "closed", "ready", "ended", "outcome", "timers", "waiting", "thrown", "signals", "variables"):
                assert getattr(asleep, fact) == getattr(awake, fact), fact
            assert_nothing_is_stored_in_vain(asleep.state)
            if asleep.outcome == "running":
                assert instance.answers_so_far(given[0], asleep.state) == asleep.variables, "as it is known, so it is stored"
            return asleep

        return acted

    with pytest.MonkeyPatch.context() as patch:
        for act in ("complete", "receive", "fire", "send_back"):
            patch.setattr(instance, act, both(getattr(instance, act)))
        yield


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(block=blocks, inside=EVENTS, chance=st.randoms(use_true_random=False))
def test_it_makes_no_difference_which_tasks_were_asked_for(twice, block, inside, chance):
    play(drawn(block, inside), chance)


def test_it_makes_none_where_the_past_is_dropped_a_dossier_is_sent_back_and_repeated_steps_merge(twice):
    several = el("multiInstanceLoopCharacteristics", "m", "<bpmn:loopCardinality>3</bpmn:loopCardinality>")
    document = xml(
        step("a") + step("b", several) + sub("sp", step("q"), "ss>q; q>se") + step("d") + xor("m") + xor("x", "x__e"),
        "s>m; m>a; a>b; b>sp; sp>d; d>x; x>m?d.again; x>e",
    )
    case = Case(document)
    longest = 0
    for number in range(14):
        case.done("a", {"n": number}).done("b", {"n": number}).back("a").done("a", {"n": -number})
        for one in range(3):
            case.done("b", {"n": one})
        case.done("q", {"n": [number] * 3}).done("d", {"again": number < 13})
        longest = max(longest, state.size(case.last.state))
    assert case.last.outcome == "completed"
    assert instance.view(case.program, case.last.state).done["q"] == 14
    assert longest < 12_000
    with running(case.program, case.context, case.last.state) as run:
        assert run.instance.history["nodes"]["a"] > 2, "some of the past was dropped"


@pytest.mark.parametrize("name", DIAGRAMS)
def test_firing_with_nothing_due_changes_nothing(name):
    case = Case(DIAGRAMS[name])
    assert instance.fire(case.program, case.last.state, case.context).state == case.last.state


def test_a_case_never_reloaded_goes_the_same_way_as_one_reloaded_after_every_step():
    document = xml(
        xor("m") + GJ[0] + step("a") + step("b") + GJ[1] + step("c") + xor("x", "x__e"),
        "s>m; m>g; g>a; g>b; a>j; b>j; j>c; c>x; x>m?c.again; x>e",
    )
    reloaded = Case(document)
    with running(reloaded.program, reloaded.context, None) as run:
        run.steps()
        for number in range(3):
            for name, answers in (("b", {"n": number}), ("a", {"n": number}), ("c", {"again": number < 2})):
                task = next(one for one in run.instance.tasks.values() if one.task_spec.name == name and one.state == 16)
                run.store(task, name, answers)
                task.run()
                run.steps()
                reloaded.done(name, answers)
        live = run.result()
    assert (live.outcome, live.variables) == (reloaded.last.outcome, reloaded.last.variables)
    assert instance.view(reloaded.program, live.state).done == reloaded.view.done


def test_a_state_that_grows_beyond_eight_megabytes_is_refused_and_the_one_before_stays():
    case = Case(xml(step("a") + step("b"), "s>a; a>b; b>e"))
    kept = case.last.state
    with pytest.raises(Refused) as caught:
        case.done("a", ["x" * 1000] * 9000)
    assert caught.value.code == "process.state_too_large"
    assert case.last.state == kept


def golden():
    """The instance kept as a golden state: a region, a called process, running deadlines and awaited messages at once."""
    body = GJ[0] + step("a") + el("callActivity", "ca", calledElement="pq") + step("w") + GJ[1] + step("c")
    body += ev("boundaryEvent", "b", "timer", cyc("R/P1D"), attachedToRef="w", cancelActivity="false") + step("r")
    body += el("intermediateCatchEvent", "x", '<bpmn:messageEventDefinition messageRef="me"/>')
    called = process("pq", step("q1") + step("q2"), "qs>q1; q1>q2; q2>qe")
    return xml(body, "s>g; g>a; a>x; x>j; g>ca; ca>j; g>w; w>j; b>r; r>e; j>c; c>e", more=called)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.state")), ids=lambda path: path.stem)
def test_a_golden_state_is_read_and_brought_to_its_end(path):
    program = build("golden", path.with_suffix(".bpmn").read_bytes())
    context = instance.Context(now=MONDAY + timedelta(days=1, hours=1))
    last = instance.fire(program, path.read_bytes(), context)
    assert [task.step for task in last.opened] == ["r"]
    assert last.variables["a"] == {"n": 1, "tên": "Nguyễn Thị Mai"}
    last = instance.receive(program, last.state, "me", {}, context)
    while last.ready:
        task = last.ready[0]
        last = instance.complete(program, last.state, task.uuid, task.step, {"n": 9}, context)
    assert (last.outcome, last.ended) == ("completed", "e")
    assert set(last.variables) == {"a", "q1", "q2", "w", "c", "r"}


def test_there_is_a_golden_state_of_the_format_written_today():
    case = Case(golden())
    case.done("a", {"n": 1, "tên": "Nguyễn Thị Mai"}).done("q1", {"n": 2})
    assert (GOLDEN / f"format-{state.FORMAT}.bpmn").read_bytes() == golden()
    stored = (GOLDEN / f"format-{state.FORMAT}.state").read_bytes()
    kept = instance.answers_so_far(case.program, stored)
    assert kept == case.last.variables


def test_an_instance_that_is_forgotten_leaves_nothing_to_be_looked_for():
    case = Case(xml(sub("inner", step("a") + step("b"), "ss>a; a>b; b>se"), "s>inner; inner>e"))
    open_step = case.last.ready[0]
    gc.collect()
    gc.disable()
    try:
        made = instance.complete(case.program, case.last.state, open_step.uuid, "a", {"x": 1}, case.context)
        held = weakref.ref(made.apart.__self__.instance)
        assert held() is not None
        made.forget()
        assert held() is None
    finally:
        gc.enable()
    assert made.ready[0].variables["a"] == {"x": 1}
