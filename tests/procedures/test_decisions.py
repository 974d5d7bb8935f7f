"""Decision tables of a package: the gate judges them, a business rule task runs on them, the journal keeps which rows fired."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.errors import Refused
from engine.procedure.gate import check
from engine.process import instance
from engine.process.program import prepare
from engine.process.proof import prove
from tests.procedures.packages import CLOSE, act, form, small, step
from tests.process.kit import el, ext
from tests.rules.feel.tables import decision, definitions, given, needs, table

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
RULES = [("<= 2", "20000"), ("> 2", "20000 + (review.pages - 2) * 3000")]
REVIEW = "<itemDefinition name='tReview'><itemComponent name='pages'><typeRef>number</typeRef></itemComponent></itemDefinition>"


def fees(rules=RULES, policy="U", name="Mức phí"):
    logic = table(policy, ["review.pages"], ["phí"], rules, types=["number"])
    return definitions(REVIEW, given("review", "tReview"), decision(name, logic, needs("Input", "review"), kind="number"))


def call(node="charge", name="Mức phí", variable="fee"):
    properties = f'<spiffworkflow:properties><spiffworkflow:property name="variable" value="{variable}"/></spiffworkflow:properties>'
    return el("businessRuleTask", node, ext(properties, calledDecisionId=name), name="Tính phí")


def number(key):
    return {"type": "number", "key": key, "label": key, "label_en": key, "validate": {"required": True}}


FLOWS = "s>review; review>charge; charge>x; x>pay?fee > 20000; x>close; pay>close; close>e"


def trial(dmn=None, task=None, flows=FLOWS, **files):
    """A package whose review is followed by a decision and a gateway on its result."""
    gateway = el("exclusiveGateway", "x", default="x__close", name="Phải nộp thêm?")
    nodes = step("review", form="review") + (task or call()) + gateway + step("pay") + CLOSE
    given = {"forms/review.json": form(pages=number("pages")), "decisions/fees.dmn": dmn or fees()}
    return small(nodes, flows, files={**given, **{f"decisions/{name}.dmn": content for name, content in files.items()}})


def rules_of(checked, severity="refused"):
    return sorted({finding.rule for finding in checked.findings if finding.severity == severity})


def ran(checked, pages, **options):
    """The advance after the review, with what was decided."""
    decided = []
    program = prepare("v", checked)
    context = instance.Context(
        now=NOW,
        operators={"dossier/close": lambda _: {}},
        decided=lambda operation, outcome: decided.append((operation.step, [(one.element, one.rows) for one in outcome.fired])),
        **options,
    )
    begun = instance.start(program, {}, context)
    return instance.complete(program, begun.state, begun.ready[0].uuid, "review", {"pages": pages}, context), decided


def test_a_business_rule_task_runs_on_the_decision_it_calls():
    advance, decided = ran(trial(), 5)
    assert [task.step for task in advance.ready] == ["pay"]
    assert advance.variables["fee"] == 29000
    assert decided == [("charge", [("Mức phí", (2,))])]
    advance, decided = ran(trial(), 2)
    assert advance.ended == "e"
    assert decided == [("charge", [("Mức phí", (1,))])]


def test_the_gate_notes_the_call_and_finds_nothing_else():
    report = check(trial())
    assert rules_of(report) == []
    assert "decision-call" in rules_of(report, "note")
    assert prove(trial()) == []


def test_a_service_task_may_call_a_decision_with_inputs_of_its_own():
    inputs = "{review: {pages: review.pages + 6}}"
    task = act("charge", "decision/evaluate", "fee", decision="&quot;Mức phí&quot;", inputs=inputs)
    advance, _ = ran(trial(task=task), 1)
    assert advance.variables["fee"] == 35000


def test_a_decimal_result_comes_back_as_the_number_it_is():
    advance, _ = ran(trial(fees([("-", "review.pages * 7000.5")])), 3)
    assert advance.variables["fee"] == "21001.5"
    assert [task.step for task in advance.ready] == ["pay"]


@pytest.mark.parametrize(
    ("package", "rule"),
    [
        (lambda: trial(task=call(name="Lệ phí")), "decision-unknown"),
        (lambda: trial(more=fees().replace(b"motcua.example/test", b"motcua.example/more")), "decision-twice"),
        (lambda: trial(flows="s>charge; charge>review; review>x; x>pay?fee > 20000; x>close; pay>close; close>e"), "decision-input"),
        (lambda: trial(task=act("charge", "decision/evaluate", "", decision="&quot;Mức phí&quot;")), "decision-result"),
        (lambda: trial(task=act("charge", "decision/evaluate", "fee")), "parameter-missing"),
        (lambda: trial(task=el("businessRuleTask", "charge", name="Tính phí")), "decision"),
        (lambda: trial(fees([("<= 2", "1"), (">= 2", "2")])), "decision.rows_overlap"),
        (lambda: trial(fees([("<= 2", "1"), ("> 2 +", "2")])), "feel.unexpected_end"),
        (lambda: trial(fees([("<= 2", "1"), ("> 2", "review.page")])), "feel.unknown_name"),
        (lambda: trial(b"<a/>"), "decision.not_dmn"),
        (lambda: trial(flows=FLOWS.replace("fee > 20000", 'fee = "cao"')), "expression"),
    ],
)
def test_the_gate_refuses_what_would_not_decide(package, rule):
    assert rule in rules_of(check(package()))


def test_a_gap_is_a_warning_with_its_example():
    found = [one for one in check(trial(fees([("<= 2", "1"), ("> 5", "2")]))).findings if one.rule == "decision.gap"]
    assert [one.severity for one in found] == ["warning"]
    assert "Ví dụ: review.pages = 3." in found[0].vi


def test_a_decision_that_fails_stops_the_case_with_its_place():
    with pytest.raises(Refused) as caught:
        ran(trial(fees([("<= 2", "1"), ("<= 5", "2")])), 1)
    assert caught.value.code == "process.decision_failed"
    assert caught.value.facts["reason"] == "decision.overlap"
    assert caught.value.facts["step"] == "charge"


def test_decisions_of_one_file_import_those_of_another():
    from engine.procedure.decisions import decision_files

    theirs = definitions(
        decision("cơ sở", "<literalExpression><text>20000</text></literalExpression>"), namespace="https://motcua.example/base"
    )
    mine = definitions(
        '<import name="base" namespace="https://motcua.example/base" importType="https://www.omg.org/spec/DMN/20191111/MODEL/"/>',
        decision(
            "Mức phí",
            "<literalExpression><text>base.cơ sở * 2</text></literalExpression>",
            '<informationRequirement><requiredDecision href="https://motcua.example/base#cơ sở"/></informationRequirement>',
        ),
    )
    made = decision_files(trial(mine, zz=theirs))
    assert not made.broken
    assert made.evaluate("Mức phí", {}, {}).value == 40000


def test_a_program_keeps_its_decisions_apart_from_those_of_another_version():
    one, other = trial(), trial(fees([("-", "1")]))
    assert ran(one, 5)[0].variables["fee"] == 29000
    assert ran(other, 5)[0].variables["fee"] == 1
    assert replace(prepare("w", one)).decisions is not prepare("w", other).decisions
