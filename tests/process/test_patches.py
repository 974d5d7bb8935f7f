"""Every change to the library is needed: taken away alone, something we promise breaks."""

import logging

import orjson
import pytest
import zstandard

from engine.process import instance, spiff
from engine.process.running import running
from tests.process import test_defects_answered as answered
from tests.process import test_events as events
from tests.process.kit import GJ, Case, el, process, step, sub, xml, xor
from tests.process.test_instance import test_an_operator_gets_its_parameters_evaluated_and_its_result_is_assigned as operators_answer


def deep():
    """Hold an instance whose tree is 2,400 tasks deep, as no pruning would leave it."""
    case = Case(answered.LOOP)
    held = running(case.program, case.context, case.last.state)
    run = held.__enter__()
    for _ in range(800):
        task = next(task for task in run.instance.tasks.values() if task.state == spiff.TaskState.READY)
        task.data["a"] = {"again": True}
        run._steps = 0
        task.run()
        run.steps()
    return run.instance, held


def walks_a_deep_tree():
    tree, held = deep()
    assert len(list(tree.task_tree)) == len(tree.tasks)
    held.__exit__(None, None, None)


def finds_all_tasks_of_a_deep_tree():
    tree, held = deep()
    assert len(tree.get_tasks()) == len(tree.tasks)
    held.__exit__(None, None, None)


def climbs_a_deep_tree():
    tree, held = deep()
    last = next(task for task in tree.tasks.values() if task.state == spiff.TaskState.READY)
    assert last.is_descendant_of(tree.task_tree)
    held.__exit__(None, None, None)


def searches_up_a_deep_tree():
    tree, held = deep()
    last = next(task for task in tree.tasks.values() if task.state == spiff.TaskState.READY)
    assert last.find_ancestor("Start") is tree.task_tree
    held.__exit__(None, None, None)


def completes_without_walking_the_tree():
    walked = []
    before = spiff.TaskIterator.__init__

    def counted(self, task, *args, **options):
        walked.append(task.parent is None)
        before(self, task, *args, **options)

    counted.__defaults__ = before.__defaults__
    case = Case(answered.AB)
    spiff.TaskIterator.__init__ = counted
    try:
        case.done("a", {}).done("b", {})
    finally:
        spiff.TaskIterator.__init__ = before
    assert not any(walked)


def joins_without_waking_the_past():
    """Of the tasks a stored case is read from, those nobody needs stay rows when a token arrives at a join."""
    branches = GJ[0] + step("a") + step("b") + GJ[1] + step("c")
    case = Case(xml(step("p") + branches, "s>p; p>g; g>a; g>b; a>j; b>j; j>c; c>e")).done("p", {})
    with running(case.program, case.context, case.last.state) as run:
        run.instance.task_of(case.task("a").uuid).run()
        run.steps()
        assert any(task.__class__ is int for task in dict.values(run.instance.tasks))


def foresees_what_comes_next_only():
    case = Case(xml(step("a") + step("b") + step("c") + step("d"), "s>a; a>b; b>c; c>d; d>e")).done("a", {})
    with running(case.program, case.context, case.last.state) as run:
        ahead = [task.task_spec.name for task in run.instance.tasks.values() if task.state < spiff.TaskState.WAITING]
    assert ahead == ["c"]


def makes_of_a_choice_only_the_way_chosen():
    dropped = []
    case = Case(xml(step("a") + xor("x", "x__c") + step("b") + step("c"), "s>a; a>x; x>b?a.yes; x>c; b>e; c>e"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spiff.Workflow, "_remove_task", lambda flow, number: dropped.append(number))
        assert case.done("a", {"yes": True}).ready == ["b"]
    assert not dropped


def makes_a_task_without_looking_for_its_parent():
    made = []
    case = Case(answered.AB)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spiff.Task, "__init__", lambda task, *facts, **options: made.append(facts))
        case.done("a", {})
    assert not made


def asks_for_tasks_below_only_where_there_are_some():
    asked = []
    below = spiff.Task.children
    case = Case(answered.AB)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spiff.Task, "children", property(lambda task: asked.append(bool(task._children)) or below.fget(task)))
        case.done("a", {})
    assert all(asked)


def asks_once_whether_a_node_is_connected():
    asked = []
    case = Case(answered.AB).done("a", {}).done("b", {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spiff.TaskSpec, "test", asked.append)
        instance.start(case.program, {}, case.context)
    assert not asked


def tells_only_who_may_listen():
    told = []
    emit = spiff.Event.emit
    case = Case(answered.AB)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spiff.Event, "emit", lambda event, *facts: told.append(event) or emit(event, *facts))
        case.done("a", {}).done("b", {})
    specs = case.program.specifications()[0].task_specs.values()
    silent = {id(event) for spec in specs for event in (spec.update_event, spec.ready_event, spec.run_event)}
    assert told
    assert not silent.intersection(map(id, told))


def every_parallel_order():
    for seed in range(12):
        answered.test_44_47_after_a_join_every_variable_holds_the_answer_of_this_round(seed)


def every_inclusive_order():
    for seed in range(8):
        answered.test_46_an_inclusive_join_waits_for_every_chosen_branch_in_every_round(seed)


def loops_assign():
    loop = el("standardLoopCharacteristics", "l", loopMaximum=2)
    case = Case(xml(step("a", loop) + step("b"), "s>a; a>b; b>e"))
    assert case.done("a", [1, 2, 3], variable="v").done("a", [9], variable="v").last.variables["v"] == [9]


def collects_results():
    answered.test_45_repeated_steps_collect_their_results_also_in_a_second_round("true")
    answered.test_45_instances_without_a_declared_result_keep_what_they_changed_and_nothing_older()


def ends_early():
    inner = "<bpmn:loopCardinality>5</bpmn:loopCardinality><bpmn:loopDataOutputRef>got</bpmn:loopDataOutputRef>"
    inner += '<bpmn:outputDataItem id="r"/><bpmn:completionCondition>count(got) = 2</bpmn:completionCondition>'
    case = Case(xml(step("a", el("multiInstanceLoopCharacteristics", "m", inner), form="r") + step("b"), "s>a; a>b; b>e"))
    assert case.done("a", 1).done("a", 2).ready == ["b"]


def bounds_lists():
    answered.test_27_a_list_of_more_than_two_hundred_is_refused()


def dates():
    answered.test_13_an_instant_without_zone_is_refused_and_the_servers_zone_decides_nothing(pytest.MonkeyPatch())


def durations():
    answered.test_22_a_plain_duration_runs_as_written()


def cycles():
    answered.test_30_a_cycle_that_missed_its_periods_fires_each_of_them_once()


def log_lines(text):
    """Return what the library logs, at the finest level, while a case holds *text*."""
    lines = []

    class Ear(logging.Handler):
        def emit(self, record):
            lines.append(record.__dict__)

    ear = Ear(level=1)
    loggers = [logging.getLogger(name) for name in ("spiff.task", "spiff.workflow", "spiff.data")]
    for logger in loggers:
        logger.addHandler(ear)
        logger.setLevel(1)
    try:
        Case(xml(step("a") + step("b"), "s>a; a>b; b>e")).done("a", {"name": text}).back("a")
    finally:
        for logger in loggers:
            logger.removeHandler(ear)
            logger.setLevel(logging.NOTSET)
    return lines


def logs_no_data():
    assert "Nguyễn Văn A" not in repr(log_lines("Nguyễn Văn A"))


def logs_no_states():
    assert not [line for line in log_lines("x") if "State" in str(line["msg"])]


def values(case):
    return orjson.loads(zstandard.ZstdDecompressor().decompress(case.last.state))["values"]


def shares_values_with_a_sub_process():
    case = Case(xml(step("a") + sub("sp", step("q"), "ss>q; q>se") + step("c"), "s>a; a>sp; sp>c; c>e"))
    case.done("a", {"n": 1})
    assert values(case).count({"n": 1}) == 1


def shares_values_after_a_sub_process():
    case = Case(xml(step("a") + sub("sp", step("q"), "ss>q; q>se") + step("c"), "s>a; a>sp; sp>c; c>e"))
    case.done("a", {"n": 1}).done("q", {"n": 2})
    assert values(case).count({"n": 2}) == 1


def shares_values_after_a_call():
    called = process("pq", step("q"), "qs>q; q>qe")
    case = Case(xml(step("a") + el("callActivity", "ca", calledElement="pq") + step("c"), "s>a; a>ca; ca>c; c>e", more=called))
    case.done("a", {"n": 1}).done("q", {"n": 2})
    assert values(case).count({"n": 2}) == 1


def two_equal_lives_have_equal_states():
    states = []
    for _ in range(2):
        case = Case(answered.AND).done("a", {"n": 1}).done("b", {"n": 2})
        body = orjson.loads(zstandard.ZstdDecompressor().decompress(case.last.state))
        body.pop("seed")
        states.append(orjson.dumps(body))
    assert states[0] == states[1]


def parallel_conflicts():
    answered.test_16_two_parallel_answers_to_one_variable_stop_the_case_and_the_state_before_stays_good()


def name_of(patch):
    owner = getattr(patch.owner, "__qualname__", getattr(patch.owner, "__name__", "?"))
    return f"{owner}.{patch.name}"


NEEDED = {
    "TaskIterator.__init__.__defaults__": walks_a_deep_tree,
    "BpmnTaskIterator.__init__.__defaults__": finds_all_tasks_of_a_deep_tree,
    "Task.is_descendant_of": climbs_a_deep_tree,
    "Task.find_ancestor": searches_up_a_deep_tree,
    "ParallelGateway._check_threshold_unstructured": every_parallel_order,
    "InclusiveGateway._check_threshold_unstructured": every_inclusive_order,
    "Task._add_child": makes_a_task_without_looking_for_its_parent,
    "Task._sync_children": asks_for_tasks_below_only_where_there_are_some,
    "Task._ready": asks_once_whether_a_node_is_connected,
    "TaskSpec._update_hook": tells_only_who_may_listen,
    "TaskSpec._on_ready_hook": tells_only_who_may_listen,
    "TaskSpec._run_hook": tells_only_who_may_listen,
    "Task._inherit_data": shares_values_with_a_sub_process,
    "TaskSpec._predict": foresees_what_comes_next_only,
    "TaskSpec._update": foresees_what_comes_next_only,
    "MultiChoice._predict_hook": makes_of_a_choice_only_the_way_chosen,
    "UnstructuredJoin._update_hook": joins_without_waking_the_past,
    "UnstructuredJoin._run_hook": parallel_conflicts,
    "StandardLoopTask.merge_child": loops_assign,
    "MultiInstanceTask.merge_child": collects_results,
    "MultiInstanceTask.check_completion_condition": ends_early,
    "MultiInstanceTask._update_hook": bounds_lists,
    "TimeDateEventDefinition.has_fired": dates,
    "DurationTimerEventDefinition.has_fired": durations,
    "CycleTimerEventDefinition.cycle_complete": cycles,
    "ConditionalEventDefinition.has_fired": events.test_32_a_condition_watches_the_answers_of_the_whole_dossier,
    "ConditionalEventDefinition.__eq__": events.test_of_two_conditions_and_two_deadlines_behind_one_gateway_the_first_decides,
    "MultipleEventDefinition.has_fired": events.test_of_two_conditions_and_two_deadlines_behind_one_gateway_the_first_decides,
    "BoundaryEvent._on_ready_hook": events.test_53_what_happens_to_a_sub_process_goes_on_with_what_was_answered_inside,
    "BoundaryEvent._run_hook": events.test_an_event_that_does_not_interrupt_waits_no_more_when_its_step_is_over,
    "ServiceTask._execute": operators_answer,
    "_EndJoin._check_threshold_unstructured": completes_without_walking_the_tree,
    "Workflow.update_waiting_tasks": completes_without_walking_the_tree,
    "Task.cancel": answered.test_51_what_a_repeated_reminder_began_goes_on_when_its_step_ends,
    "Task.collect_log_extras": logs_no_data,
    "Workflow.collect_log_extras": completes_without_walking_the_tree,
    "Task._set_state": logs_no_states,
    "SubWorkflowTask.copy_data": shares_values_with_a_sub_process,
    "SubWorkflowTask.update_data": shares_values_after_a_sub_process,
    "CallActivity.update_data": shares_values_after_a_call,
    "SpiffWorkflow.task.uuid4": two_equal_lives_have_equal_states,
}


def test_every_change_is_listed_with_what_needs_it():
    assert {name_of(patch) for patch in spiff.PATCHES} == set(NEEDED)


@pytest.mark.parametrize("patch", spiff.PATCHES, ids=name_of)
def test_with_the_change_the_promise_holds_and_without_it_it_breaks(patch):
    promise = NEEDED[name_of(patch)]
    promise()
    with spiff.bare(patch), pytest.raises(BaseException):  # noqa: B017  any failure will do
        promise()
    promise()
