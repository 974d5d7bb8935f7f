"""The interpreter as it is shipped: every test asserts a DEFECT of SpiffWorkflow 3.2.0, with our changes taken away.

One that fails after an upgrade means: look again at the workaround of that number. What we make of each defect stands in
``test_defects_answered.py``.
"""

import copy
import datetime as dt
import json
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine, TaskDataEnvironment
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.bpmn.util.diff import diff_workflow, migrate_workflow
from SpiffWorkflow.spiff.parser import SpiffBpmnParser
from SpiffWorkflow.spiff.serializer.config import SPIFF_CONFIG
from SpiffWorkflow.spiff.specs.event_definitions import SignalEventDefinition

from engine.process import spiff
from tests.process.kit import GJ, bnd, catch, cyc, dur, el, esp, ev, evgw, ext, mi, script, sub, tim, ut, xml


@pytest.fixture(autouse=True)
def as_shipped():
    limit = sys.getrecursionlimit()
    with spiff.bare():
        yield
    sys.setrecursionlimit(limit)


def parse(diagram, dmn=None):
    parser = SpiffBpmnParser()
    parser.add_bpmn_str(diagram)
    if dmn:
        parser.add_dmn_str(dmn)
    return parser.get_spec("p"), parser.get_subprocess_specs("p")


def begin(specs, engine=None):
    wf = BpmnWorkflow(*specs, script_engine=engine)
    wf.do_engine_steps()
    return wf


def start(body, flows, engine=None):
    return begin(parse(xml(body, flows)), engine)


def ready(wf):
    return [t.task_spec.name for t in wf.get_tasks(state=TaskState.READY, manual=True)]


def get(wf, name, state=TaskState.ANY_MASK):
    return wf.get_next_task(state=state, spec_name=name)


def done(wf, name, /, **data):
    task = get(wf, name, TaskState.READY)
    task.data.update(data)
    task.run()
    wf.do_engine_steps()
    return task


def form(wf, name, data):
    task = get(wf, name, TaskState.READY)
    task.task_spec.add_data_from_form(task, data)
    task.run()
    wf.do_engine_steps()


def due(wf, seconds=0.3):
    time.sleep(seconds)
    wf.refresh_timers()
    wf.do_engine_steps()
    return ready(wf)


def fire(wf):
    wf.send_event(BpmnEvent(SignalEventDefinition("si")))
    wf.do_engine_steps()


SERIALIZER = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(SPIFF_CONFIG))


def trip(wf):
    return SERIALIZER.deserialize_json(SERIALIZER.serialize_json(wf))


def fails(text, call, *a, **k):
    with pytest.raises(Exception) as caught:
        call(*a, **k)
    assert text in f"{type(caught.value).__name__}: {caught.value}"


TWO = ut("a") + ut("b")
AB = TWO, "s>a; a>b; b>e"
AND = GJ[0] + TWO + GJ[1] + ut("c"), "s>g; g>a; g>b; a>j; b>j; j>c; c>e"


def again(node, cond="again"):
    return el("exclusiveGateway", "x", default="x__e"), f"x>{node}?{cond}; x>e"


def test_01_a_tree_deeper_than_a_thousand_is_reported_complete():
    sys.setrecursionlimit(20000)
    wf = start(ut("a") + again("a")[0], "s>a; a>x; " + again("a")[1])
    for _ in range(500):
        done(wf, "a", again=True)
    assert wf.is_completed()


def test_02_an_event_sub_process_started_by_an_error_runs_when_the_case_starts():
    assert ready(start(*esp("error"))) == ready(start(*esp("escalation"))) == ["a", "h"]


def test_03_an_interrupting_event_sub_process_does_not_interrupt():
    wf = start(*esp("signal", intr="true"))
    fire(wf)
    assert ready(wf) == ["a", "h"]


def test_04_signal_ends_are_ignored_and_a_cancel_end_ends_the_case():
    wf = start(GJ[0] + ut("a") + ev("endEvent", "x", "signal") + ev("intermediateCatchEvent", "c", "signal"), "s>g; g>a; a>x; g>c; c>e")
    done(wf, "a")
    assert get(wf, "c").state == TaskState.WAITING
    assert not wf.get_events()
    wf = start(GJ[0] + TWO + ev("endEvent", "x", "cancel"), "s>g; g>a; g>b; a>x; b>e")
    done(wf, "a")
    assert wf.is_completed()
    assert not ready(wf)


def test_05_links_lead_nowhere():
    link = '<bpmn:linkEventDefinition name="L"/>'
    body = el("intermediateThrowEvent", "t", link) + el("intermediateCatchEvent", "c", link) + ut("a")
    assert start(body, "s>t; c>a; a>e").is_completed()


def test_06_compensation_does_nothing():
    assert start(ev("intermediateThrowEvent", "t", "compensate"), "s>t; t>e").is_completed()
    fails("NotImplementedError", start, ut("a") + ev("boundaryEvent", "b", "compensate", attachedToRef="a"), "s>a; a>e")


def test_07_a_condition_on_a_flow_that_leaves_a_step_is_ignored():
    wf = start(ut("a"), "s>a; a>e?False")
    done(wf, "a")
    assert wf.is_completed()


def test_08_an_interrupted_sub_process_runs_on_to_its_end():
    wf = start(
        sub("sp", ev("intermediateThrowEvent", "t", "signal") + script("leak = 1"), "ss>t; t>x; x>se")
        + ev("boundaryEvent", "b", "signal", attachedToRef="sp")
        + ut("h"),
        "s>sp; sp>e; b>h; h>e",
    )
    assert ready(wf) == ["h"]
    assert get(wf, "x").state == get(wf, "sp").state == TaskState.COMPLETED


def test_09_a_later_step_changes_what_an_earlier_one_recorded():
    wf = start(*AB)
    done(wf, "a", d={"n": {"k": 1}})
    get(wf, "b").data["d"]["n"]["k"] = 9
    assert get(wf, "a").data["d"]["n"]["k"] == 9


def test_10_an_event_sub_process_changes_the_specification_all_instances_share():
    specs = parse(xml(*esp("signal")))
    fire(begin(specs))
    second = begin(specs)
    done(second, "a")
    assert not second.is_completed()


def test_11_a_form_field_called_typename_bricks_the_case():
    wf, second = start(*AB), start(*AB)
    done(wf, "a", f={"typename": "permit"})
    fails("TypeError", trip, wf)
    done(second, "a", f={"typename": "timedelta", "days": 1, "seconds": 0})
    assert get(trip(second), "b").data["f"] == dt.timedelta(1)


def test_12_a_month_after_the_31st_is_in_the_month_after_next():
    def add(day, text):
        begun = dt.datetime.fromisoformat(day + "T00:00:00+00:00")
        parsed = TimerEventDefinition.parse_iso_duration(text)
        return str((begun + TimerEventDefinition.get_timedelta_from_start(parsed, begun)).date())

    assert add("2026-01-31", "P1M") == "2026-03-03"
    assert add("2024-02-29", "P1Y") == "2025-03-01"


def test_13_an_instant_without_zone_is_read_in_the_zone_the_server_was_started_in():
    code = (
        "from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition as T; "
        "print([T.get_datetime(f'2026-0{m}-01T12:00').hour for m in (1, 7)])"
    )
    out = subprocess.run([sys.executable, "-c", code], env={"TZ": "Europe/Paris"}, capture_output=True, text=True)
    assert out.stdout.strip() in ("[11, 11]", "[10, 10]")  # right: [11, 10]


def test_14_whoever_acts_after_the_deadline_but_before_the_sweep_wins():
    wf = start(*bnd(dur('"PT0.2S"')))
    time.sleep(0.3)
    done(wf, "a")
    assert ready(wf) == ["ontime"]


def test_15_a_completed_step_and_a_future_one_can_be_run():
    wf = start(ut("a", ext(postScript="n = n + 1")) + ut("b"), "s>a; a>b; b>e")
    task = done(wf, "a", n=0)
    task.run()
    assert task.data["n"] == 2
    wf = start(*AB)
    get(wf, "b").run()
    assert get(wf, "b").state == TaskState.COMPLETED
    assert ready(wf) == ["a"]


def test_16_of_two_parallel_answers_to_one_variable_the_last_wins_silently():
    wf = start(*AND)
    done(wf, "a", v=[1, 2, 3], x=1)
    done(wf, "b", v=[9], y=2)
    assert get(wf, "c").data == {"v": [9], "x": 1, "y": 2}


def test_17_a_state_of_the_previous_version_cannot_be_migrated():
    stored = json.loads(SERIALIZER.serialize_json(start(sub("sp", ut("a"), "ss>a; a>se"), "s>sp; sp>e")))
    stored["serializer_version"] = "1.4"
    fails("NameError", SERIALIZER.deserialize_json, json.dumps(stored))


def test_18_the_error_of_a_service_is_lost():
    env = type("Env", (TaskDataEnvironment,), {"call_service": lambda *a, **k: 1 / 0})
    task = el("serviceTask", "a", ext(serviceTaskOperator="").replace("Operator>", 'Operator id="o">', 1))
    fails("NameError: name 'script'", start, task, "s>a; a>e", PythonScriptEngine(env()))
    for bug in ("raise KeyError(5)", 'raise SyntaxError("x")'):
        fails("TypeError", start, script(bug), "s>x; x>e")


def test_19_a_missing_reference_crashes_the_validator():
    body = ut("a") + ev("boundaryEvent", "b", "error", attachedToRef="a").replace('"er"', '"zz"')
    fails("unexpected keyword argument 'node'", start, body, "s>a; a>e; b>e")


def test_20_an_ad_hoc_sub_process_needs_a_data_object_to_run():
    condition = "<bpmn:completionCondition>d1 and d2</bpmn:completionCondition>"

    def go(inner):
        wf = start(ut("z") + el("adHocSubProcess", "h", inner + TWO), "s>z; z>h; h>e")
        done(wf, "z", d1=False, d2=False)
        done(wf, "a", d1=True)
        done(wf, "b", d2=True)
        return wf.is_completed()

    fails("KeyError", go, condition)
    fails("TypeError", go, "")
    assert go('<bpmn:dataObject id="o"/>' + condition)


def test_21_five_hundred_nodes_in_a_row_cannot_be_parsed():
    ids = ["s", *(f"u{i}" for i in range(500)), "e"]
    sys.setrecursionlimit(1000)
    flows = "; ".join(f"{a}>{b}" for a, b in pairwise(ids))
    fails("RecursionError", start, "".join(map(ut, ids[1:-1])), flows)


def test_22_a_plain_duration_fails_only_when_it_runs():
    parse(xml(*catch("timer", dur("P7D"))))
    fails("Error evaluating", start, *catch("timer", dur("P7D")))


def test_23_a_gateway_without_a_way_out_and_a_script_error_leave_the_case_broken():
    fails("No conditions satisfied", start, el("exclusiveGateway", "g") + TWO, "s>g; g>a?False; g>b?False; a>e; b>e")
    wf = start(ut("a") + script("y = 1/n"), "s>a; a>x; x>e")
    fails("Zero", done, wf, "a", n=0)
    assert get(wf, "x").state == TaskState.ERROR
    wf.reset_from_task_id(get(wf, "a").id)
    assert ready(wf) == ["a"]


def test_24_diagrams_that_cannot_work_are_accepted():
    parse(xml(ut("a") + ut("orphan"), "s>a; a>e; orphan>e"))
    parse(xml(ut("a"), "s>a"))
    parse(xml(el("exclusiveGateway", "g", default="g__e") + ut("a"), "s>g; g>a?x = = 3; g>e; a>e"))
    wf = start(el("exclusiveGateway", "g", default="g__a") + TWO + GJ[1], "s>g; g>a; g>b?False; a>j; b>j; j>e")
    done(wf, "a")
    assert not ready(wf)
    assert not wf.is_completed()


def test_25_events_of_unsupported_kinds_pass_at_once():
    for kind in ("error", "escalation", "terminate", "compensate", "cancel", "link"):
        assert ready(start(*catch(kind))) == ["a"]
    for kind in ("error", "terminate", "cancel"):
        assert start(ev("intermediateThrowEvent", "t", kind), "s>t; t>e").is_completed()


def test_26_a_receive_task_without_a_message_waits_for_nothing():
    for kind in ("receiveTask", "sendTask"):
        assert ready(start(el(kind, "r") + ut("a"), "s>r; r>a; a>e")) == ["a"]


def test_27_counts_below_one_are_accepted():
    assert start(ut("a", mi(-2)), "s>a; a>e").is_completed()
    wf = start(ut("a", el("standardLoopCharacteristics", "l", loopMaximum=-1)), "s>a; a>e")
    done(wf, "a [child]")
    assert wf.is_completed()


def test_28_token_quantities_are_ignored():
    wf = start(el("userTask", "a", completionQuantity=2) + ut("b"), "s>a; a>b; b>e")
    done(wf, "a")
    assert ready(wf) == ["b"]
    assert len(ready(start(ut("a", mi(3, behavior="None")), "s>a; a>e"))) == 3


def test_29_two_deadlines_behind_one_gateway_share_the_first_ones_instant():
    assert due(start(*evgw(tim("x", '"PT1H"'), tim("y", '"PT0.2S"')))) == []
    assert due(start(*evgw(tim("x", '"PT0.2S"'), tim("y", '"PT1H"')))) == ["tx"]


def test_30_a_deadline_behind_an_event_gateway_is_invisible():
    wf = start(*evgw(ev("intermediateCatchEvent", "x", "signal"), tim("y", '"P1D"')))
    assert [event.value for event in wf.waiting_events()] == [None]


def test_31_an_empty_duration_fires_at_once():
    assert due(start(*catch("timer", dur('"P"'))), 0) == ["a"]
    fails("Invalid duration", start, *catch("timer", dur('"-P1D"')))


def test_32_a_condition_on_another_branchs_data_never_fires():
    body = ut("z") + GJ[0] + ut("a") + ev("intermediateCatchEvent", "c", "conditional", "<bpmn:condition>ok</bpmn:condition>")
    wf = start(body, "s>z; z>g; g>a; g>c; a>e; c>e")
    done(wf, "z", ok=False)
    done(wf, "a", ok=True)
    due(wf, 0)
    assert get(wf, "c").state == TaskState.WAITING


def test_33_a_restored_case_evaluates_plain_python():
    mine = type("Mine", (TaskDataEnvironment,), {})
    assert type(trip(start(*AB, PythonScriptEngine(mine()))).script_engine.environment) is TaskDataEnvironment


def test_34_a_reset_into_one_branch_leaves_the_step_after_the_join_open():
    wf = start(*AND)
    task = done(wf, "a")
    done(wf, "b")
    old = task.id
    wf.reset_from_task_id(task.id)
    assert ready(wf) == ["a", "c"]
    assert get(wf, "a").id == old


def test_35_migration_restarts_deadlines_loses_drafts_and_keeps_removed_steps():
    def migrate(first, second, *path):
        wf = begin(first)
        for name in path:
            done(wf, name)
        get(wf, ready(wf)[0]).data["draft"] = 1
        old = [event.value for event in wf.waiting_events()]
        time.sleep(0.05)
        change, _ = diff_workflow(SERIALIZER.registry, wf, *second)
        migrate_workflow(change, wf, second[0])
        wf.subprocess_specs = second[1]
        wf.do_engine_steps()
        return wf, old

    body, flows = bnd(dur('"P30D"'))
    wf, old = migrate(parse(xml(body, flows)), parse(xml(body + ut("new"), flows.replace("a>ontime", "a>new; new>ontime"))))
    assert [event.value for event in wf.waiting_events()] > old
    assert "draft" not in get(wf, "a").data
    wf, _ = migrate(parse(xml(TWO + ut("c"), "s>a; a>b; b>c; c>e")), parse(xml(ut("a") + ut("c"), "s>a; a>c; c>e")), "a")
    assert ready(wf) == ["b"]
    fails("TypeError", trip, wf)


def dmn(policy, *rules):
    rows = "".join(
        f'<rule id="r{i}"><inputEntry id="i{i}"><text>{a.replace("<", "&lt;")}</text></inputEntry>'
        f'<outputEntry id="o{i}"><text>{b}</text></outputEntry></rule>'
        for i, (a, b) in enumerate(rules)
    )
    table = (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="D" name="D" namespace="u"><decision id="k" name="k">'
        f'<decisionTable id="t" hitPolicy="{policy}"><input id="i"><inputExpression id="x"><text>n</text></inputExpression></input>'
        f'<output id="o" name="out"/>{rows}</decisionTable></decision></definitions>'
    )
    body = ut("a") + el("businessRuleTask", "r", ext(calledDecisionId="k")) + ut("z") + again("a")[0]
    wf = begin(parse(xml(body, "s>a; a>r; r>z; z>x; " + again("a")[1]), table.encode()))
    done(wf, "a", n=1)
    return wf


def out(wf):
    return get(wf, "z", TaskState.READY).data.get("out")


def test_36_every_hit_policy_behaves_as_first_match():
    for policy in ("UNIQUE", "ANY", "PRIORITY", "RULE ORDER"):
        assert out(dmn(policy, ("> 0", 1), ("< 2", 2))) == 1
    assert out(dmn('COLLECT" aggregation="SUM', ("> 0", 1), ("< 2", 2))) == [1, 2]
    assert out(dmn("UNIQUE", ("not(7)", 1))) is None


def test_37_an_uncaught_error_counts_as_success():
    wf = start(sub("sp", ev("endEvent", "x", "error"), "ss>x") + ut("n"), "s>sp; sp>n; n>e")
    assert ready(wf) == ["n"]
    assert [event.event_definition.name for event in wf.get_events()] == ["er"]


def test_38_of_two_start_events_only_the_first_runs():
    assert ready(start(el("startEvent", "s2") + TWO, "s>a; s2>b; a>e; b>e")) == ["a"]


def test_39_a_case_cannot_end_before_the_timer_of_its_event_sub_process():
    wf = start(*esp("timer", dur('"P1D"')))
    done(wf, "a")
    assert not wf.is_completed()
    assert not ready(wf)


def test_40_a_boundary_event_on_nothing_and_a_flow_across_a_border_are_dropped():
    wf = start(ut("a") + ev("boundaryEvent", "b", "signal", attachedToRef="zz"), "s>a; a>e; b>e")
    assert get(wf, "b") is None
    wf = start(sub("sp", ut("x"), "ss>x; x>se") + ut("a"), "s>sp; sp>e; x>a; a>e")
    done(wf, "x")
    assert wf.is_completed()


def test_41_values_outside_json_are_changed_or_refused_by_the_serializer():
    wf = start(*AB)
    done(wf, "a", d={1: "x"})
    assert get(trip(wf), "b").data == {"d": {"1": "x"}}
    get(wf, "b").data["d"] = dt.date(2026, 1, 1)
    fails("not JSON serializable", trip, wf)


def test_42_a_cycle_of_gateways_never_ends():
    body = el("exclusiveGateway", "g", default="g__h") + el("exclusiveGateway", "h", default="h__g")
    wf = BpmnWorkflow(*parse(xml(body, "s>g; g>h; h>g; g>e?False")))
    steps = iter(range(1000))
    fails("StopIteration", wf.do_engine_steps, will_complete_task=lambda task: next(steps))


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ([1, 2, 3], [9], [1]),
        (["A", "B", "C"], ["B", "C"], ["A", "B"]),
        ([{"f": "x", "sha": 1}, {"f": "y", "sha": 2}], [{"f": "y"}], [{"f": "y", "sha": 1}]),
    ],
)
def test_43_a_submitted_list_is_mixed_with_the_stored_one(old, new, kept):
    wf = start(TWO + ut("c"), "s>a; a>b; b>c; c>e")
    form(wf, "a", {"l": copy.deepcopy(old)})
    form(wf, "b", {"l": new})
    assert get(wf, "c").data["l"] == kept


def test_43_a_rules_second_result_is_mixed_with_its_first():
    wf = dmn("COLLECT", ("< 2", '"A"'), ("> 0", '"B"'))
    assert out(wf) == ["A", "B"]
    done(wf, "z", again=True)
    done(wf, "a", n=5)
    assert out(wf) == ["A"]  # right: ["B"]


def test_44_after_a_second_round_a_join_returns_an_answer_of_the_first():
    def v(name):
        return ut(name, ext(variableName=name))

    x, back = again("m", "c['again']")
    body = el("exclusiveGateway", "m") + GJ[0] + v("a") + v("b") + GJ[1] + v("c") + x
    wf = start(body, "s>m; m>g; g>a; g>b; a>j; b>j; j>c; c>x; " + back)
    data = {}
    for r in (1, 2):
        form(wf, "a", {"r": r})
        form(wf, "b", {"r": r})
        data = get(wf, "c", TaskState.READY).data
        if r == 1:
            form(wf, "c", {"again": True})
    assert data["a"] == {"r": 1}
    assert data["b"] == {"r": 2}


def test_45_the_instances_of_a_step_restore_old_values():
    wf = start(ut("z") + ut("q", mi(2)) + ut("c"), "s>z; z>q; q>c; c>e")
    done(wf, "z", v="old")
    done(wf, "q [child]", v="new")
    done(wf, "q [child]")
    assert get(wf, "c").data["v"] == "old"


def test_46_in_a_second_round_an_inclusive_join_does_not_wait():
    """Beyond the list of the reference: the search for tokens stops at the first round's join."""
    body = (
        el("exclusiveGateway", "m")
        + el("inclusiveGateway", "i", default="i__a")
        + TWO
        + el("inclusiveGateway", "k")
        + ut("c")
        + again("m")[0]
    )
    wf = start(body, "s>m; m>i; i>a; i>b?True; a>k; b>k; k>c; c>x; x>m?again; x>e")
    assert ready(wf) == ["b"]  # `default` is taken only without a match; with both conditions true both run:
    body = body.replace(' default="i__a"', "")
    wf = start(body, "s>m; m>i; i>a?True; i>b?True; a>k; b>k; k>c; c>x; x>m?again; x>e")
    done(wf, "a")
    assert ready(wf) == ["b"]
    done(wf, "b")
    assert ready(wf) == ["c"]
    done(wf, "c", again=True)
    done(wf, "a")
    assert "c" in ready(wf)


def test_47_in_a_second_round_a_parallel_join_takes_the_first_rounds_token():
    """Beyond the list of the reference: only the order of the branches has to change."""
    wf = start(
        el("exclusiveGateway", "m") + GJ[0] + TWO + GJ[1] + ut("c") + again("m")[0],
        "s>m; m>g; g>a; g>b; a>j; b>j; j>c; c>x; x>m?again; x>e",
    )
    done(wf, "a")
    done(wf, "b")
    done(wf, "c", again=True)
    done(wf, "b")
    assert ready(wf) == ["a", "c"]  # right: ["a"]


def test_51_when_a_step_ends_what_its_repeated_reminder_began_is_dropped():
    """Beyond the list of the reference: a cycle on a step, with something to do for a person at each turn."""
    reminder = ev("boundaryEvent", "b", "timer", cyc('"R5/PT0.2S"'), attachedToRef="a", cancelActivity="false")
    wf = start(ut("a") + reminder + ut("r"), "s>a; a>e; b>r; r>e")
    assert due(wf) == ["a", "r"]
    done(wf, "a")
    assert wf.is_completed()  # right: r is still open
    assert not ready(wf)


def test_52_an_event_that_does_not_interrupt_happens_only_once():
    """Beyond the list of the reference."""
    boundary = ev("boundaryEvent", "b", "signal", attachedToRef="a", cancelActivity="false")
    wf = start(ut("a") + boundary + ut("h"), "s>a; a>e; b>h; h>e")
    fire(wf)
    with pytest.raises(Exception, match="not waiting"):
        fire(wf)
    assert ready(wf) == ["a", "h"]  # right: ["a", "h", "h"]


def test_53_what_happens_to_a_sub_process_goes_on_with_the_data_it_was_entered_with():
    """Beyond the list of the reference."""
    boundary = ev("boundaryEvent", "x", "signal", attachedToRef="sp")
    wf = start(sub("sp", TWO, "ss>a; a>b; b>se") + boundary + ut("h"), "s>sp; sp>e; x>h; h>e")
    done(wf, "a", v=1)
    fire(wf)
    assert ready(wf) == ["h"]
    assert "v" not in get(wf, "h").data


def test_54_a_catcher_of_an_error_without_code_catches_every_error():
    """Beyond the list of the reference."""
    boundary = ev("boundaryEvent", "x", "error", attachedToRef="sp").replace('"er"', '"other"')
    inner = sub("sp", ut("a") + ev("endEvent", "b", "error"), "ss>a; a>b")
    more = '<bpmn:error id="other" name="other"/>'
    wf = begin(parse(xml(inner + boundary + ut("h"), "s>sp; sp>e; x>h; h>e", more=more)))
    done(wf, "a")
    assert ready(wf) == ["h"]  # right: nobody catches it


def test_55_the_condition_that_ends_a_repetition_does_not_see_its_results():
    """Beyond the list of the reference."""
    inner = "<bpmn:loopCardinality>5</bpmn:loopCardinality><bpmn:loopDataOutputRef>got</bpmn:loopDataOutputRef>"
    inner += '<bpmn:outputDataItem id="r"/><bpmn:completionCondition>0 &lt; len(got)</bpmn:completionCondition>'
    many = el("multiInstanceLoopCharacteristics", "m", inner, isSequential="true")
    wf = start(ut("a", many) + ut("b"), "s>a; a>b; b>e")
    done(wf, "a [child]", r=1)
    assert ready(wf) == ["a [child]"]  # right: ["b"]
