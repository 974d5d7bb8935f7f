"""The gate: what the interpreter would run wrongly is refused by name or rewritten with a note; real packages pass."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

import pytest

from engine.procedure.gate import check, check_folder
from engine.procedure.normaliser import normalise
from engine.sentences import catalogue
from tests.procedures.packages import BPMN, CLOSE, DECLARATION, changed, diagram, form, real, small, step
from tests.process.kit import el, ev, ext, sub
from tests.support.effort import effort

GATES = [el("parallelGateway", name) for name in "gj"]
AB = step("a") + step("b")
FOLDERS = sorted(path for path in BPMN.iterdir() if path.is_dir() and not path.name.startswith("_"))


def rules(package, severity="refused"):
    return {finding.rule for finding in check(package).findings if finding.severity == severity}


def found(package, rule):
    return next(finding for finding in check(package).findings if finding.rule == rule)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_every_package_in_bpmn_passes_with_a_clean_drawing(folder):
    package, report = check_folder(folder, layout=True)

    assert package is not None
    assert [finding.en for finding in report.refused] == []
    assert [finding.en for finding in report.findings if finding.rule.startswith("layout")] == []


def test_a_small_complete_procedure_passes():
    report = check(small(AB + CLOSE, "s>a; a>b; b>close; close>e"))

    assert [finding.en for finding in report.findings if finding.severity != "note"] == []


# One entry per defect of the interpreter that a diagram can reach: the reproduction, and the rule that refuses it.
def esp(kind, inner="", interrupting="false"):
    start = ev("startEvent", "es0", kind, inner, isInterrupting=interrupting)
    body = start + step("h") + el("endEvent", "ese") + '<bpmn:sequenceFlow id="x1" sourceRef="es0" targetRef="h"/>'
    body += '<bpmn:sequenceFlow id="x2" sourceRef="h" targetRef="ese"/>'
    return step("a") + el("subProcess", "E", body, triggeredByEvent="true"), "s>a; a>e"


def duration(text):
    return f"<bpmn:timeDuration>{text}</bpmn:timeDuration>"


def catch(kind, inner=""):
    return ev("intermediateCatchEvent", "c", kind, inner) + step("a"), "s>c; c>a; a>e"


def many(cardinality, **attributes):
    inner = f"<bpmn:loopCardinality>{cardinality}</bpmn:loopCardinality>" if cardinality is not None else ""
    loop = el("multiInstanceLoopCharacteristics", "m", inner, **attributes)
    return step("a").replace("</bpmn:userTask>", f"{loop}</bpmn:userTask>"), "s>a; a>e"


CHOICE = el("exclusiveGateway", "g", default="g__b")
REFUSED = {
    "2 error event sub-process that would not interrupt": ("event-subprocess", *esp("error")),
    "2 event sub-process started by nothing": (
        "event-subprocess",
        step("a") + el("subProcess", "E", el("startEvent", "q") + step("h") + el("endEvent", "r"), triggeredByEvent="true"),
        "s>a; a>e",
    ),
    "4 cancel end outside a transaction": ("transaction", step("a") + ev("endEvent", "x", "cancel"), "s>a; a>x"),
    "5 link without partner": ("link-event-alone", el("intermediateThrowEvent", "t", '<bpmn:linkEventDefinition name="L"/>'), "s>t"),
    "6 compensation throw": ("compensation", ev("intermediateThrowEvent", "t", "compensate"), "s>t; t>e"),
    "4 compensation end": ("compensation", step("a") + ev("endEvent", "x", "compensate"), "s>a; a>x"),
    "6 compensation boundary": ("compensation", step("a") + ev("boundaryEvent", "b", "compensate", attachedToRef="a"), "s>a; a>e"),
    "7 condition on a flow leaving a step": ("conditional-flow", step("a"), "s>a; a>e?false"),
    "16 two parallel steps write one variable": (
        "shared-variable",
        GATES[0] + step("a", variable="v") + step("b", variable="v") + GATES[1],
        "s>g; g>a; g>b; a>j; b>j; j>e",
    ),
    "19 unknown error reference": (
        "dangling-reference",
        step("a") + ev("boundaryEvent", "b", "error", attachedToRef="a").replace('"er"', '"zz"'),
        "s>a; a>e; b>e",
    ),
    **{
        f"19 unknown {kind} reference": (
            "dangling-reference",
            ev("intermediateThrowEvent", "t", kind).replace(f'"{kind[:2]}"', '"zz"'),
            "s>t; t>e",
        )
        for kind in ("signal", "escalation")
    },
    "19 unknown message reference": (
        "no-message",
        ev("intermediateThrowEvent", "t", "message").replace('"me"', '"zz"'),
        "s>t; t>e",
    ),
    "20 ad-hoc": ("ad-hoc", el("adHocSubProcess", "h", AB), "s>h; h>e"),
    "22 timer that is no deadline": ("timer", *catch("timer", duration("P"))),
    "23 choice without default": ("default-path", el("exclusiveGateway", "g") + AB, "s>g; g>a?false; g>b?true; a>e; b>e"),
    "24 unreachable step": ("unreachable", step("a") + step("o"), "s>a; a>e; o>e"),
    "24 no end": ("no-end", step("a"), "s>a"),
    "24 broken condition": ("expression", CHOICE + AB, "s>g; g>a?x = = 3; g>b; a>e; b>e"),
    "24 choice joined in parallel": ("deadlock", CHOICE + AB + GATES[1], "s>g; g>a?true; g>b; a>j; b>j; j>e"),
    **{f"25 catch of kind {kind}": ("event-kind", *catch(kind)) for kind in ("error", "escalation", "terminate")},
    "25 catch of kind compensate": ("compensation", *catch("compensate")),
    "25 catch of kind cancel": ("transaction", *catch("cancel")),
    "25 catch of kind link": ("link-event-alone", *catch("link")),
    "25 catch of nothing": ("event-kind", el("intermediateCatchEvent", "c"), "s>c; c>e"),
    "25 throw of kind cancel": ("transaction", ev("intermediateThrowEvent", "t", "cancel"), "s>t; t>e"),
    **{
        f"25 throw of kind {kind}": ("event-kind", ev("intermediateThrowEvent", "t", kind), "s>t; t>e")
        for kind in ("error", "terminate", "timer")
    },
    "26 task without message": ("no-message", el("receiveTask", "r", name="r"), "s>r; r>e"),
    "27 repeated minus two times": ("loop-count", *many(-2)),
    "27 loop of at most minus one": (
        "loop-count",
        step("a").replace("</bpmn:userTask>", el("standardLoopCharacteristics", "l", loopMaximum=-1) + "</bpmn:userTask>"),
        "s>a; a>e",
    ),
    "27 repeated without count": ("loop-count", *many(None)),
    "28 quantity": ("quantity", step("a").replace("<bpmn:userTask ", '<bpmn:userTask completionQuantity="2" '), "s>a; a>e"),
    "28 quantity at the start": ("quantity", step("a").replace("<bpmn:userTask ", '<bpmn:userTask startQuantity="2" '), "s>a; a>e"),
    **{f"28 behaviour {kind}": ("quantity", *many(3, behavior=kind)) for kind in ("None", "One", "Complex")},
    "31 zero duration": ("timer", *catch("timer", duration("PT0S"))),
    "31 negative duration": ("timer", *catch("timer", duration('duration("-P1D")'))),
    "13 instant without zone": ("timer", *catch("timer", "<bpmn:timeDate>2026-01-01T00:00:00</bpmn:timeDate>")),
    "32 conditional event without condition": ("condition-event", *catch("conditional", "<bpmn:condition/>")),
    "32 conditional event on what is no condition": ("expression-kind", *catch("conditional", "<bpmn:condition>1 + 1</bpmn:condition>")),
    "36 decision of the interpreter": ("decision", el("businessRuleTask", "r"), "s>r; r>e"),
    "37 uncaught error": ("uncaught-error", sub("sp", ev("endEvent", "x", "error"), "ss>x"), "s>sp; sp>e"),
    "38 two starts": ("many-starts", el("startEvent", "s2") + AB, "s>a; s2>b; a>e; b>e"),
    "25 start of kind escalation": ("start-kind", ev("startEvent", "s2", "escalation") + step("a"), "s>a; s2>a; a>e"),
    "25 start of kind terminate": ("start-kind", ev("startEvent", "s2", "terminate") + step("a"), "s>a; s2>a; a>e"),
    "25 start of kind compensate": ("start-kind", ev("startEvent", "s2", "compensate") + step("a"), "s>a; s2>a; a>e"),
    "25 start of kind cancel": ("start-kind", ev("startEvent", "s2", "cancel") + step("a"), "s>a; s2>a; a>e"),
    "25 start of another kind": ("start-kind", ev("startEvent", "s2", "error") + step("a"), "s>a; s2>a; a>e"),
    "40 boundary without host": ("boundary-host", step("a") + ev("boundaryEvent", "b", "signal", attachedToRef="zz"), "s>a; a>e; b>e"),
    "40 flow across a border": ("crossing-flow", sub("sp", step("x"), "ss>x; x>se") + step("a"), "s>sp; sp>e; x>a; a>e"),
    "42 automatic cycle": (
        "automatic-cycle",
        el("exclusiveGateway", "g", default="g__h") + el("exclusiveGateway", "h", default="h__g"),
        "s>g; g>h; h>g; g>e?false",
    ),
    "45 repetition without output": ("mi-output", *many(2)),
    "11 variable called typename": ("reserved-name", step("a", variable="typename"), "s>a; a>e"),
    "11 variable with an underscore": ("reserved-name", step("a", variable="_x"), "s>a; a>e"),
    "script task": ("script", el("scriptTask", "x", "<bpmn:script>import os</bpmn:script>"), "s>x; x>e"),
    "script before a step": ("script", el("userTask", "a", ext(preScript="x = 1")), "s>a; a>e"),
    "complex gateway": ("complex-gateway", el("complexGateway", "g"), "s>g; g>e"),
    "transaction": ("transaction", el("transaction", "t", step("x")), "s>t; t>e"),
    "unknown extension": ("unknown-construct", el("userTask", "a", ext(calledDecisionId="k")), "s>a; a>e"),
    "message without a key that nobody catches": ("nobody-catches", ev("intermediateThrowEvent", "t", "message"), "s>t; t>e"),
    "instantiating task": ("instantiate", el("receiveTask", "r", instantiate="true", messageRef="me"), "s>r; r>e"),
    "called process that is not there": ("call-target", el("callActivity", "c", calledElement="q"), "s>c; c>e"),
    "process that calls itself": ("self-call", el("callActivity", "c", calledElement="p"), "s>c; c>e"),
}


KEYED = """<bpmn:correlationProperty id="cp" name="plot"><bpmn:correlationPropertyRetrievalExpression id="re" messageRef="me">
  <bpmn:messagePath>plot</bpmn:messagePath></bpmn:correlationPropertyRetrievalExpression></bpmn:correlationProperty>"""


@pytest.mark.parametrize(
    ("rule", "body", "flows"),
    [
        ("caught-elsewhere", ev("intermediateThrowEvent", "t", "message"), "s>t; t>e"),
        ("sent-elsewhere", *catch("message")),
        ("caught-elsewhere", ev("intermediateThrowEvent", "t", "signal"), "s>t; t>e"),
        ("sent-elsewhere", *catch("signal")),
    ],
)
def test_what_another_procedure_may_send_or_take_is_only_a_warning(rule, body, flows):
    report = check(small(body + CLOSE, flows.replace(">e", ">close") + "; close>e", more=KEYED))

    assert [found.rule for found in report.findings if found.severity == "warning" and found.rule.endswith("elsewhere")] == [rule]
    assert not report.refused, [found.en for found in report.refused]


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_run_wrongly_is_refused_by_name(name):
    rule, body, flows = REFUSED[name]

    finding = next((found for found in check(small(body, flows)).refused if found.rule == rule), None)

    assert finding is not None, sorted(rules(small(body, flows)))
    assert finding.vi
    assert finding.en
    assert finding.repair("vi")
    assert finding.repair("en")


NORMALISED = {
    "4 signal end": (
        "signal-end",
        GATES[0] + step("a") + ev("endEvent", "x", "signal") + ev("intermediateCatchEvent", "c", "signal"),
        "s>g; g>a; a>x; g>c; c>e",
    ),
    "5 paired links": (
        "link-event",
        el("intermediateThrowEvent", "t", '<bpmn:linkEventDefinition name="L"/>')
        + el("intermediateCatchEvent", "c", '<bpmn:linkEventDefinition name="L"/>')
        + step("a"),
        "s>t; c>a; a>e",
    ),
    "7 condition beside a default": (
        "conditional-flow-split",
        step("a").replace("<bpmn:userTask ", '<bpmn:userTask default="a__e" ') + step("b"),
        "s>a; a>b?true; a>e; b>e",
    ),
    "22 unquoted duration": ("timer-literal", *catch("timer", duration("P7D"))),
    "implicit split": ("implicit-split", AB, "s>a; s>b; a>e; b>e"),
    "sub-process without start": ("missing-start-end", el("subProcess", "sp", step("x")), "s>sp; sp>e"),
    "data object": ("data-store", '<bpmn:dataObject id="o"/>' + step("a"), "s>a; a>e"),
    "choice with one plain path": ("default-marked", el("exclusiveGateway", "g") + AB, "s>g; g>a?true; g>b; a>e; b>e"),
}


@pytest.mark.parametrize("name", NORMALISED)
def test_what_has_an_equivalent_is_rewritten_with_a_note(name):
    rule, body, flows = NORMALISED[name]
    package = small(body, flows)
    before = package.files["process.bpmn"]

    report = check(package)

    assert rule in {finding.rule for finding in report.findings if finding.severity == "note"}
    assert package.files["process.bpmn"] == before
    assert not {finding.rule for finding in report.refused} & {
        "default-path",
        "conditional-flow",
        "no-start",
        "no-end",
        "expression",
        "timer",
    }


def test_the_step_of_a_broken_diagram_is_named_with_its_place():
    package = changed(real(), diagram=[('<bpmn:sequenceFlow id="received_to_examine"', '<bpmn:sequenceFlow id="gone"')])
    package = changed(package, diagram=[('sourceRef="received" targetRef="examine"', 'sourceRef="received" targetRef="sign"')])

    finding = found(package, "draft-before-signing")

    assert finding.element == "sign"
    assert finding.name == package.diagram.nodes["sign"].name
    assert finding.place.line == package.diagram.nodes["sign"].line
    assert (finding.place.x, finding.place.y) == (package.diagram.boxes["sign"].x, package.diagram.boxes["sign"].y)
    assert finding.name in finding.vi


TRADE = {
    "lane without role": ("lane-unknown", {"declaration": [('id = "Văn thư"', 'id = "Văn thư khác"')]}),
    "form that is not there": ("form-unknown", {"diagram": [('name="form" value="review"', 'name="form" value="missing"')]}),
    "step without hours": ("stage-hours", {"diagram": [('name="stage_hours" value="2"', 'name="stage_hours" value="soon"')]}),
    "stages longer than the term": ("stages-within-term", {"diagram": [('name="stage_hours" value="3"', 'name="stage_hours" value="30"')]}),
    "unknown capacity": ("capacity-unknown", {"diagram": [('name="capacity" value="for_collective"', 'name="capacity" value="boss"')]}),
    "unknown action": ("action-unknown", {"diagram": [('name="action" value="issue"', 'name="action" value="archive"')]}),
    "signature of no document": (
        "document-unknown",
        {"diagram": [('name="document" value="certified_copy"', 'name="document" value="x"')]},
    ),
    "template that is not there": ("template-missing", {"declaration": [('template = "certified_copy"', 'template = "gone"')]}),
    "unknown operator": ("operator-unknown", {"diagram": [('id="dossier/resolve"', 'id="dossier/forget"')]}),
    "operator without its parameter": (
        "parameter-missing",
        {"diagram": [('id="reason" type="any" value="review.reason"', 'id="legal_basis2"')]},
    ),
    "supplement nobody answers": (
        "supplement-unanswered",
        {"diagram": [('messageRef="message_supplement_answered"', 'messageRef="gone"')]},
    ),
    "supplement that does not come back": (
        "supplement-not-back",
        {"diagram": [('sourceRef="await_supplement" targetRef="examine"', 'sourceRef="await_supplement" targetRef="draft_copy"')]},
    ),
    "path without outcome": (
        "no-outcome",
        {"diagram": [('sourceRef="conclusion" targetRef="refuse"', 'sourceRef="conclusion" targetRef="refused"')]},
    ),
    "field nobody asks for": ("expression", {"diagram": [('review.decision = "refuse"', 'review.verdict = "refuse"')]}),
    "condition that is neither true nor false": ("expression-kind", {"diagram": [('review.decision = "refuse"', "review.decision")]}),
    "option that the form does not offer": ("expression", {"diagram": [('review.decision = "refuse"', 'review.decision = "maybe"')]}),
    "text compared with a number": ("expression", {"diagram": [('review.decision = "refuse"', "review.decision = 3")]}),
    "fee that is no number": (
        "expression-kind",
        {"declaration": [('amount = "if dossier.pages', 'amount = "dossier.pages > 1" # if dossier.pages')]},
    ),
    "broken fee": ("expression", {"declaration": [("if dossier.pages", "if dossier.pagez")]}),
}


@pytest.mark.parametrize("name", TRADE)
def test_what_the_trade_demands_is_checked(name):
    rule, change = TRADE[name]

    assert rule in rules(changed(real(), **change))


def test_an_expression_may_not_count_on_a_step_that_some_path_leaves_out():
    body = CHOICE + AB + el("exclusiveGateway", "m") + el("exclusiveGateway", "h", default="h__e") + CLOSE
    package = small(body, 's>g; g>a?true; g>b; a>m; b>m; m>h; h>close?a.note = "x"; h>e; close>e')

    finding = found(package, "not-certain")

    assert finding.severity == "refused"
    assert "a.note" in finding.vi


def test_the_error_of_an_expression_says_line_and_column_in_the_authors_text():
    package = changed(real(), diagram=[('review.decision = "refuse"', 'review.decision =\n "refuse" and and')])

    finding = found(package, "expression")

    assert (finding.facts["line"], finding.facts["column"]) == (2, 15)
    assert "dòng 2, cột 15" in finding.vi


def test_a_deadlock_comes_with_the_path_that_leads_there():
    rule, body, flows = REFUSED["24 choice joined in parallel"]

    finding = found(small(body, flows), rule)

    assert finding.element == "j"
    assert finding.path[:2] == ("s", "g")


def test_a_task_after_two_parallel_paths_that_do_not_join_would_run_twice():
    package = small(GATES[0] + AB + el("exclusiveGateway", "m") + CLOSE, "s>g; g>a; g>b; a>m; b>m; m>close; close>e")

    assert "twice" in rules(package)


def test_one_upload_shows_every_fault_at_once():
    package = changed(real(), diagram=[*TRADE["step without hours"][1]["diagram"], *TRADE["unknown operator"][1]["diagram"]])

    assert {"stage-hours", "operator-unknown"} <= rules(package)


def test_the_report_is_the_same_each_time():
    _, body, flows = REFUSED["40 flow across a border"]

    assert check(small(body, flows)).as_json() == check(small(body, flows)).as_json()


def test_faults_of_the_loader_are_findings_with_file_and_line(tmp_path):
    (tmp_path / "process.bpmn").write_bytes(diagram(step("a"), "s>a; a>e"))
    (tmp_path / "procedure.toml").write_text(
        DECLARATION.replace('unit = "working_day"', 'unit = "week"').replace("amount = 100", 'amount = "x"')
    )

    package, report = check_folder(tmp_path)

    assert package is None
    assert {(finding.rule, finding.place.line) for finding in report.refused} == {("package.key_kind", 10), ("package.key_choice", 11)}


def test_a_broken_form_does_not_hide_the_faults_of_the_rest():
    package = small(AB, "s>a; a>b; b>e", files={"forms/bad.json": b'{"components": [{"type": "camera", "key": "x"}]}'})

    assert {"form.component_unknown", "no-outcome"} <= rules(package)


def test_every_rule_has_its_sentences_and_every_sentence_its_rule():
    written = set()
    engine = Path(__file__).parents[2] / "engine"
    for path in (*(engine / "procedure").rglob("*.py"), engine / "process" / "schema.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                written.add(node.value)
    explained = {code.removeprefix("gate.").replace("_", "-") for code in catalogue() if code.startswith("gate.")}

    assert explained == {text for text in written if text in explained} | {text for text in explained if text.startswith("layout-")}
    for code, languages in catalogue().items():
        if code.startswith("gate."):
            assert languages["vi"]["what"], code
            assert languages["en"]["what"], code
    for finding_rule in {rule for rule, *_ in REFUSED.values()} | {rule for rule, *_ in NORMALISED.values()}:
        assert finding_rule in explained


def test_three_hundred_nodes_are_judged_within_two_seconds():
    branches = 14
    body, flows = "".join(GATES), ["s>g", "j>close", "close>e"]
    for branch in range(branches):
        names = [f"n{branch}x{position}" for position in range(20)]
        body += "".join(step(name) for name in names)
        flows += [f"g>{names[0]}", *(f"{one}>{other}" for one, other in pairwise(names)), f"{names[-1]}>j"]
    package = small(body + CLOSE, "; ".join(flows))

    with effort() as work:
        report = check(package)

    assert work.calls < 20_000_000
    assert "deadlock" not in {finding.rule for finding in report.refused}


def test_too_large_a_level_is_refused():
    names = [f"n{position}" for position in range(301)]
    flows = "; ".join(f"{one}>{other}" for one, other in zip(["s", *names], [*names, "e"], strict=True))

    assert "too-many-nodes" in rules(small("".join(step(name) for name in names), flows))


def test_form_conditions_are_judged_where_the_form_is_used():
    hidden = {"type": "textfield", "key": "x", "label": "X", "conditional": {"hide": '=nobody = "y"'}}

    assert "expression" in rules(small(step("a"), "s>a; a>e", files={"forms/note.json": form("note", x=hidden)}))


def test_groups_nested_without_end_are_refused_quickly():
    body = step("a0")
    for level in range(30):
        body = el("subProcess", f"sp{level}", body)

    with effort() as work:
        assert "nested-too-deep" in rules(small(body, "s>sp29; sp29>e"))
    assert work.calls < 500_000


def test_five_thousand_nodes_are_refused_without_looking_at_them():
    names = [f"n{position}" for position in range(5_000)]
    flows = "; ".join(f"{one}>{other}" for one, other in pairwise(["s", *names, "e"]))
    package = small("".join(el("userTask", name) for name in names), flows)

    with effort() as work:
        assert rules(package) == {"too-many-nodes"}
    assert work.calls < 2_000_000


def test_a_setting_without_name_or_doubled_is_refused():
    assert "extension-broken" in rules(changed(real(), diagram=[('name="stage_hours" value="3"', 'name="stage_hours"')]))
    doubled = '<spiffworkflow:property name="form" value="review"/>\n        </spiffworkflow:properties><spiffworkflow:properties>'
    assert "extension-broken" in rules(changed(real(), diagram=[('<spiffworkflow:property name="form" value="review"/>', doubled)]))


def test_the_only_process_runs_also_when_the_editor_did_not_mark_it():
    package = changed(real(), diagram=[('isExecutable="true"', 'isExecutable="false"')])

    assert check(package).passed
    assert b'isExecutable="true"' in normalise(package.diagram).xml
