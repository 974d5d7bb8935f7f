"""What an instance does for its callers: lanes, messages, operators, sub-processes, the picture, sending back, ending early."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from engine.errors import Conflict, Refused
from engine.process import instance, state
from engine.process.program import build
from tests.process.kit import GJ, MONDAY, Case, bnd, cyc, date, dur, el, ev, evgw, mi, operator, process, step, sub, ut, xml, xor

LANES = (
    '<bpmn:laneSet id="ls"><bpmn:lane id="l1" name="Chuyên viên"><bpmn:flowNodeRef>a</bpmn:flowNodeRef>'
    '<bpmn:flowNodeRef>ca</bpmn:flowNodeRef></bpmn:lane><bpmn:lane id="l2" name="Lãnh đạo"><bpmn:flowNodeRef>b</bpmn:flowNodeRef>'
    "</bpmn:lane></bpmn:laneSet>"
)
CALL = el("callActivity", "ca", calledElement="pq")


def code(kind, call, *args):
    with pytest.raises(kind) as caught:
        call(*args)
    return caught.value.code


def test_an_open_step_carries_its_name_lane_and_properties():
    case = Case(xml(step("a", capacity="KT", stage_hours="4") + step("b"), "s>a; a>b; b>e", inner=LANES))
    task = case.task("a")
    assert (task.name, task.lane) == ("Step a", "Chuyên viên")
    assert task.properties == {"form": "a", "capacity": "KT", "stage_hours": "4"}
    assert case.done("a", {}).task("b").lane == "Lãnh đạo"


def test_steps_of_a_called_process_stand_in_the_lane_it_is_called_from():
    called = process("pq", step("q1") + sub("qq", step("q2"), "ss>q2; q2>se"), "qs>q1; q1>qq; qq>qe")
    case = Case(xml(step("a") + CALL + step("b"), "s>a; a>ca; ca>b; b>e", more=called, inner=LANES))
    case.done("a", {"n": 1})
    assert case.task("q1").lane == "Chuyên viên"
    case.done("q1", {"n": 2})
    assert case.task("q2").lane == "Chuyên viên"
    case.done("q2", {"n": 3})
    assert case.task("b").lane == "Lãnh đạo"
    assert case.last.variables == {"a": {"n": 1}, "q1": {"n": 2}, "q2": {"n": 3}}


def test_what_opened_and_what_closed_is_told_by_every_advance():
    case = Case(xml(GJ[0] + step("a") + step("b") + GJ[1] + step("c"), "s>g; g>a; g>b; a>j; b>j; j>c; c>e"))
    assert [task.step for task in case.last.opened] == ["a", "b"]
    first = case.task("a").uuid
    case.done("a", {})
    assert (case.last.opened, case.last.closed) == ((), (first,))
    second = case.task("b").uuid
    case.done("b", {})
    assert [task.step for task in case.last.opened] == ["c"]
    assert case.last.closed == (second,)
    assert case.done("c", {}).last.ended == "e"


def test_an_operator_gets_its_parameters_evaluated_and_its_result_is_assigned():
    seen = []

    def draft(operation):
        seen.append(operation)
        return {"document": "x", "pages": 2}

    body = step("a") + operator("o", "document/draft", "drafted", document="&quot;permit&quot;", pages="a.n + 1", code="dossier.code")
    case = Case(
        xml(body + step("b"), "s>a; a>o; o>b; b>e", inner=LANES),
        operators={"document/draft": draft},
        dossier={"code": "H12.1"},
    )
    case.done("a", {"n": 1})
    assert seen[0].parameters == {"document": "permit", "pages": 2, "code": "H12.1"}
    assert (seen[0].step, seen[0].variables) == ("o", {"a": {"n": 1}})
    assert case.last.variables["drafted"] == {"document": "x", "pages": 2}


def test_an_operator_without_a_result_variable_leaves_no_trace():
    case = Case(
        xml(step("a") + operator("o", "notice/send") + step("b"), "s>a; a>o; o>b; b>e"), operators={"notice/send": lambda _: {"x": 1}}
    )
    assert case.done("a", {}).last.variables == {"a": {}}


def supplement():
    asked = operator("o", "dossier/request_supplement", reason="a.reason")
    waits = el("intermediateCatchEvent", "w", '<bpmn:messageEventDefinition messageRef="me"/>')
    return xml(xor("m") + step("a") + xor("x", "x__b") + asked + waits + step("b"), "s>m; m>a; a>x; x>o?a.missing; o>w; w>m; x>b; b>e")


def test_a_supplement_pauses_at_the_message_and_comes_back_to_the_very_step():
    case = Case(supplement(), operators={"dossier/request_supplement": lambda _: {}})
    case.done("a", {"missing": True, "reason": "thiếu trang 2"})
    assert (case.ready, case.last.waiting) == ([], ("me",))
    assert case.view.events == ("w",)
    case.message("me", {"files": 2})
    assert case.ready == ["a"]
    assert case.task("a").answers == {"missing": True, "reason": "thiếu trang 2"}
    assert code(Conflict, case.message, "me") == "process.message_not_awaited"
    assert case.done("a", {"missing": False}).ready == ["b"]
    assert case.view.done["a"] == 2


def test_a_message_reaches_the_variable_that_was_named_for_it():
    extension = "<bpmn:extensionElements><spiffworkflow:messageVariable>reply</spiffworkflow:messageVariable></bpmn:extensionElements>"
    waits = el("intermediateCatchEvent", "w", f'<bpmn:messageEventDefinition messageRef="me">{extension}</bpmn:messageEventDefinition>')
    case = Case(xml(waits + xor("x", "x__e") + step("a"), "s>w; w>x; x>a?reply.ok; x>e; a>e"))
    assert case.message("me", {"ok": True, "typename": "UUID"}).ready == ["a"]
    assert case.last.variables == {"reply": {"ok": True, "typename": "UUID"}}


def test_a_message_behind_an_event_gateway_takes_its_way_and_drops_the_deadline():
    waits = el("intermediateCatchEvent", "x", '<bpmn:messageEventDefinition messageRef="me"/>')
    gateway = evgw(waits, el("intermediateCatchEvent", "y", f"<bpmn:timerEventDefinition>{dur('P2D')}</bpmn:timerEventDefinition>"))
    case = Case(xml(*gateway))
    assert (case.last.waiting, [timer.step for timer in case.last.timers]) == (("me",), ["y"])
    case.message("me", {})
    assert (case.ready, case.last.timers) == (["tx"], ())
    case = Case(xml(*gateway)).later(days=2)
    assert (case.ready, case.last.waiting) == (["ty"], ())


def test_a_message_nobody_catches_inside_leaves_with_the_advance():
    throws = el("intermediateThrowEvent", "t", '<bpmn:messageEventDefinition messageRef="me"/>')
    case = Case(xml(step("a") + throws + step("b"), "s>a; a>t; t>b; b>e"))
    assert [(one.kind, one.name) for one in case.done("a", {}).last.thrown] == [("message", "me")]
    assert case.done("b", {}).last.thrown == ()


def test_deadlines_of_a_function_of_the_calendar_are_what_the_function_says():
    due = datetime(2025, 11, 26, 17, 0, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
    body, flows = bnd(date("working days(2)"))
    case = Case(xml(body, flows), functions={"working days": lambda days: due.isoformat()})
    assert case.last.timers[0].due_at == due
    case.now = due - timedelta(minutes=1)
    assert instance.fire(case.program, case.last.state, case.context).opened == ()
    case.now = due
    assert [task.step for task in instance.fire(case.program, case.last.state, case.context).opened] == ["late"]


def test_deadlines_fire_in_the_order_in_which_they_fell_due():
    body = step("a") + ev("boundaryEvent", "b1", "timer", dur("PT3H"), attachedToRef="a") + step("l1")
    body += ev("boundaryEvent", "b2", "timer", dur("PT2H"), attachedToRef="a") + step("l2")
    assert Case(xml(body, "s>a; a>e; b1>l1; l1>e; b2>l2; l2>e")).later(days=1).ready == ["l2"]


def test_a_reminder_does_not_interrupt_and_ends_with_its_step():
    body = step("a") + ev("boundaryEvent", "b", "timer", cyc("R/PT1H"), attachedToRef="a", cancelActivity="false") + operator("o", "remind")
    times = []
    case = Case(xml(body + el("endEvent", "re"), "s>a; a>e; b>o; o>re"), operators={"remind": lambda op: times.append(op.step)})
    assert case.later(hours=2, minutes=30).ready == ["a"]
    assert times == ["o", "o"]
    case.done("a", {})
    assert (case.last.outcome, case.last.timers) == ("completed", ())


def test_the_view_shows_done_nodes_walked_flows_and_what_is_active():
    case = Case(xml(step("a") + xor("x", "x__e") + step("b") + xor("m"), "s>m; m>a; a>x; x>b?a.more; b>m; x>e"))
    case.done("a", {"more": True}).done("b", {})
    view = case.view
    assert view.done == {"s": 1, "m": 2, "a": 1, "x": 1, "b": 1}
    assert view.walked == ("a__x", "b__m", "m__a", "s__m", "x__b")
    assert view.active == ("a",)
    case.done("a", {"more": False})
    assert "x__e" in case.view.walked
    assert case.view.active == ()


def test_an_interrupted_step_shows_the_way_its_boundary_event_took():
    case = Case(xml(*bnd(dur("PT1H")))).later(hours=1)
    assert case.view.walked == ("b__late", "s__a")
    assert case.view.done == {"s": 1, "b": 1}


def test_repeated_steps_are_open_one_for_each_item():
    inner = '<bpmn:loopDataInputRef>reviewers</bpmn:loopDataInputRef><bpmn:inputDataItem id="reviewer"/>'
    case = Case(xml(step("a", el("multiInstanceLoopCharacteristics", "m", inner)), "s>a; a>e"), reviewers=["An", "Bình"])
    assert [(task.step, task.item) for task in case.last.ready] == [("a", "An"), ("a", "Bình")]
    assert Case(xml(step("a", mi("2", isSequential="true")), "s>a; a>e")).ready == ["a"]


def test_sending_back_restarts_the_deadline_of_the_returned_step():
    body = step("z") + step("a") + ev("boundaryEvent", "b", "timer", dur("PT4H"), attachedToRef="a") + step("late") + step("c")
    case = Case(xml(body, "s>z; z>a; a>c; c>e; b>late; late>e"))
    case.done("z", {}).done("a", {"n": 1})
    assert case.last.timers == ()
    case.now += timedelta(hours=3)
    case.back("a")
    assert [timer.due_at for timer in case.last.timers] == [MONDAY + timedelta(hours=7)]
    assert case.task("a").answers == {"n": 1}
    assert case.later(hours=4).ready == ["late"]


def test_sending_back_within_and_out_of_an_open_sub_process():
    case = Case(xml(step("z") + sub("sp", step("q1") + step("q2"), "ss>q1; q1>q2; q2>se") + step("c"), "s>z; z>sp; sp>c; c>e"))
    case.done("z", {"n": 1}).done("q1", {"n": 2})
    assert case.targets == ["q1", "z"]
    case.back("q1")
    assert (case.ready, case.task("q1").answers) == (["q1"], {"n": 2})
    case.done("q1", {"n": 3}).back("z")
    assert case.ready == ["z"]
    case.done("z", {"n": 4}).done("q1", {}).done("q2", {})
    assert case.ready == ["c"]
    assert case.targets == ["z"]
    assert case.done("c", {}).last.outcome == "completed"


def test_a_step_sent_back_while_waiting_for_a_message_no_longer_waits():
    case = Case(supplement(), operators={"dossier/request_supplement": lambda _: {}})
    case.done("a", {"missing": True, "reason": "x"}).back("a")
    assert (case.ready, case.last.waiting) == (["a"], ())


def test_a_cancelled_instance_is_over_for_good():
    case = Case(xml(*bnd(dur("P1D"))))
    task = case.task("a")
    case.last = instance.cancel(case.program, case.last.state, case.context)
    assert (case.last.outcome, case.last.ended, case.last.closed, case.last.timers) == ("cancelled", None, (task.uuid,), ())
    assert case.later(days=2).last.opened == ()
    assert code(Conflict, instance.complete, case.program, case.last.state, task.uuid, None, {}, case.context) == "process.task_not_ready"


def test_a_name_of_another_instance_opens_nothing():
    document = xml(step("a"), "s>a; a>e")
    first, second = Case(document), Case(document)
    other = second.task("a").uuid
    assert first.task("a").uuid != other
    for uuid in (other, uuid4()):
        assert code(Conflict, instance.complete, first.program, first.last.state, uuid, "a", {}, first.context) == "process.task_not_ready"


@pytest.mark.parametrize("name", ["dossier", "typename", "_x", "working days", ""])
def test_reserved_names_hold_no_answers(name):
    case = Case(xml(step("a"), "s>a; a>e"), functions={"working days": lambda days: days})
    assert code(Refused, lambda: case.done("a", {}, variable=name)) == "process.reserved_name"


def test_the_dossier_in_an_expression_is_the_callers_and_not_a_variable():
    case = Case(xml(step("a") + xor("x", "x__e") + step("b"), "s>a; a>x; x>b?dossier.pages > 2; x>e; b>e"), dossier={"pages": 3})
    assert case.done("a", {"dossier": {"pages": 1}}).ready == ["b"]


def test_a_missing_field_stops_the_case_and_takes_no_branch():
    case = Case(xml(step("a") + xor("x", "x__e") + step("b"), "s>a; a>x; x>b?a.amount > 2; x>e; b>e"))
    kept = case.last.state
    with pytest.raises(Refused) as caught:
        case.done("a", {"other": 1})
    assert caught.value.code == "process.expression_failed"
    assert (caught.value.facts["step"], caught.value.facts["line"]) == ("x", 1)
    assert case.last.state == kept


@pytest.mark.parametrize("condition", ["a.n", "null", '"true"', "a"])
def test_a_condition_that_is_not_a_boolean_stops_the_case(condition):
    case = Case(xml(step("a") + xor("x", "x__e") + step("b"), f"s>a; a>x; x>b?{condition}; x>e; b>e"))
    assert code(Refused, case.done, "a", {"n": 1}) == "process.not_boolean"


def test_an_advance_cannot_be_changed():
    case = Case(xml(step("a"), "s>a; a>e"))
    with pytest.raises(FrozenInstanceError):
        case.last.ended = "x"


def test_two_main_processes_or_none_are_refused():
    both = xml(ut("a"), "s>a; a>e", more=process("pq", ut("b"), "qs>b; b>qe"))
    assert code(Refused, build, "v", both) == "process.no_main_process"
    assert code(Refused, build, "v", both.replace(b'isExecutable="true"', b'isExecutable="false"')) == "process.no_main_process"


def test_the_state_of_twelve_steps_with_forms_stays_below_twelve_kilobytes():
    names = [f"t{number:02}" for number in range(12)]
    flows = "; ".join(f"{a}>{b}" for a, b in zip(["s", *names], [*names, "e"], strict=True))
    case = Case(xml("".join(step(name) for name in names), flows))
    form = {"opinion": "Đã kiểm tra đầy đủ thành phần hồ sơ, đề nghị trình lãnh đạo. " * 6, "who": "Nguyễn Văn A", "items": [1, 2, 3]}
    for name in names[:-1]:
        case.done(name, {**form, "step": name})
    assert state.size(case.last.state) < 12 * 1024
    assert len(case.last.state) < 2 * 1024


def test_threads_share_a_program_without_sharing_anything_else():
    repeated = el(
        "multiInstanceLoopCharacteristics",
        "m",
        "<bpmn:loopDataInputRef>people</bpmn:loopDataInputRef><bpmn:loopDataOutputRef>opinions</bpmn:loopDataOutputRef>"
        '<bpmn:inputDataItem id="person"/><bpmn:outputDataItem id="said"/>',
        isSequential="true",
    )
    program = build("v", xml(step("a", repeated) + xor("x", "x__e") + step("b"), "s>a; a>x; x>b?count(opinions) > 2; x>e; b>e"))

    def run(number):
        context = instance.Context(now=MONDAY)
        case = instance.start(program, {"people": [f"{number}-{one}" for one in range(3)]}, context)
        while case.ready[0].step == "a":
            task = case.ready[0]
            case = instance.complete(program, case.state, task.uuid, "said", {"by": task.item}, context)
        return [one["by"] for one in case.variables["opinions"]], case.ready[0].step

    with ThreadPoolExecutor(6) as pool:
        for number, result in enumerate(pool.map(run, range(60))):
            assert result == ([f"{number}-{one}" for one in range(3)], "b")
