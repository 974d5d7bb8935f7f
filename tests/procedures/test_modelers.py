"""Files as the modelers of others write them: read where they mean something here, told what was read, kept untouched, and they run."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from engine.feel import FeelError, compile_expression
from engine.procedure.foreign import as_meant
from engine.procedure.gate import check
from engine.procedure.juel import to_feel
from engine.procedure.loader import load_zip, to_zip
from engine.procedure.normaliser import normalise
from engine.procedure.outline import outline
from engine.process import schema
from engine.process.proof import prove
from tests.procedures.packages import LANE, small, step
from tests.procedures.rule_cases import MODELERS, drawn_by
from tests.process.kit import Case, el

FILES = sorted(path.stem for path in MODELERS.glob("*.bpmn"))
ENGINES = ("camunda7", "camunda8", "flowable")


def notes(package, rule):
    return {found.element: found.vi for found in check(package).findings if found.rule == rule}


@pytest.mark.parametrize("modeler", FILES)
def test_the_file_of_another_modeler_passes_and_survives_the_proof_run(modeler):
    package = drawn_by(modeler)

    report = check(package)

    assert [found.en for found in report.refused] == []
    assert schema.broken(package.diagram) == []
    assert [found for found in prove(package) if found.severity == "refused"] == []


@pytest.mark.parametrize("modeler", FILES)
def test_it_is_kept_byte_for_byte_and_leaves_as_it_came(modeler):
    package = drawn_by(modeler)
    before = (MODELERS / f"{modeler}.bpmn").read_bytes()

    normalise(package.diagram)
    check(package)
    assert as_meant(package.diagram).root is not package.diagram.root or modeler not in ENGINES

    with zipfile.ZipFile(io.BytesIO(to_zip(package))) as archive:
        name = next(name for name in archive.namelist() if name.endswith("process.bpmn"))
        assert archive.read(name) == before
    again = load_zip(to_zip(package), "trial")
    assert again.content_hash == package.content_hash
    kept = {str(name) for part in again.diagram.root.iter() for name in (part.tag, *part.attrib) if "{" in str(name)}
    assert kept == {
        str(name) for part in etree.fromstring(before).iter(etree.Element) for name in (part.tag, *part.attrib) if "{" in str(name)
    }


@pytest.mark.parametrize("modeler", ENGINES)
def test_a_step_takes_form_lane_and_settings_from_the_engine_it_was_drawn_for(modeler):
    normalised = normalise(drawn_by(modeler).diagram)
    node = normalised.diagram.nodes["review"]

    assert node.properties["form"] == "note"
    assert node.properties["variable"] == "review"
    assert node.properties["stage_hours"] == "2"
    assert node.lane == LANE
    close = next(one for one in normalised.diagram.nodes.values() if one.operator is not None)
    assert close.operator.id == "dossier/close"
    assert close.operator.parameters == {"reason": "review.note"}


@pytest.mark.parametrize("modeler", ENGINES)
def test_it_runs_to_its_end_on_what_was_read(modeler):
    case = Case(normalise(drawn_by(modeler).diagram).xml, operators={"dossier/close": lambda _: {}})
    assert case.ready == ["review"]
    assert case.task("review").lane == LANE
    case.done("review", {"note": "done", "other": "no"}, variable="review")
    assert case.last.outcome == "completed"

    case = Case(normalise(drawn_by(modeler).diagram).xml, operators={"dossier/close": lambda _: {}})
    case.done("review", {"note": "again", "other": "yes"}, variable="review")
    assert case.last.outcome != "completed"


@pytest.mark.parametrize("modeler", ENGINES)
def test_the_report_shows_what_was_read_and_from_whom(modeler):
    told = notes(drawn_by(modeler), "foreign-read")

    assert "form = note" in told["review"]
    assert any("FEEL" in text or "→" in text for text in told.values())
    assert any(vendor in " ".join(told.values()) for vendor in ("Camunda 7", "Camunda 8", "Flowable"))


@pytest.mark.parametrize(("modeler", "name"), [("camunda7", "taskListener"), ("camunda8", "taskSchedule")])
def test_what_would_act_in_its_own_engine_and_does_nothing_here_is_told(modeler, name):
    assert name in notes(drawn_by(modeler), "foreign-idle")["review"]


@pytest.mark.parametrize("modeler", ["signavio", "bpmn_io"])
def test_what_only_shows_is_kept_and_not_talked_about(modeler):
    rules = {found.rule for found in check(drawn_by(modeler)).findings}

    assert not rules & {"foreign-read", "foreign-idle", "unknown-construct"}


def test_pools_and_message_flows_are_told_to_be_documentation():
    assert set(notes(drawn_by("signavio"), "documentation-only")) == {"sid-CITIZEN", "sid-MF"}


def test_data_without_a_store_and_associations_without_an_end_are_left_out_and_told():
    lost = (
        "<bpmn:dataInputAssociation><bpmn:sourceRef>gone</bpmn:sourceRef><bpmn:targetRef>gone</bpmn:targetRef></bpmn:dataInputAssociation>"
    )
    package = small(step("a").replace("</bpmn:userTask>", f"{lost}</bpmn:userTask>") + '<bpmn:dataStoreReference id="d"/>', "s>a; a>e")

    assert set(notes(package, "data-store")) == {"a", "d"}
    assert b"dataStoreReference" not in normalise(package.diagram).xml


def test_the_diagram_in_words_names_who_was_read():
    assert any("Chuyên viên" in str(entry.sentence) for entry in outline(drawn_by("camunda7")))


def test_our_own_setting_wins_over_the_other_engines():
    body = step("a").replace(
        "<bpmn:userTask ", '<bpmn:userTask xmlns:camunda="http://camunda.org/schema/1.0/bpmn" camunda:formKey="other" '
    )
    assert normalise(small(body, "s>a; a>e").diagram).diagram.nodes["a"].properties["form"] == "note"


def test_a_repetition_of_another_engine_is_read_as_the_standards_own():
    loop = (
        '<bpmn:multiInstanceLoopCharacteristics><bpmn:extensionElements><zeebe:loopCharacteristics xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
        ' inputCollection="=people" inputElement="person" outputCollection="answers" outputElement="=answer"/></bpmn:extensionElements>'
        "</bpmn:multiInstanceLoopCharacteristics>"
    )
    body = step("a").replace("</bpmn:userTask>", f"{loop}</bpmn:userTask>")
    made = normalise(small(body, "s>a; a>e").diagram).diagram.nodes["a"].loop
    assert (made.input, made.output) == ("people", "answers")
    seven = 'xmlns:c="http://camunda.org/schema/1.0/bpmn" c:collection="${people}" c:elementVariable="person"'
    seven = f"<bpmn:multiInstanceLoopCharacteristics {seven}/>"
    body = step("a").replace("</bpmn:userTask>", f"{seven}</bpmn:userTask>")
    assert normalise(small(body, "s>a; a>e").diagram).diagram.nodes["a"].loop.input == "people"


def test_decision_and_called_process_of_another_engine_are_read():
    seven = 'xmlns:c="http://camunda.org/schema/1.0/bpmn" c:decisionRef="k" c:resultVariable="r"'
    body = el("businessRuleTask", "d").replace('id="d"', f'id="d" {seven}')
    node = normalise(small(body, "s>d; d>e").diagram).diagram.nodes["d"]
    assert (node.operator.id, node.operator.result, node.operator.parameters) == ("decision/evaluate", "r", {"decision": '"k"'})
    eight = (
        '<bpmn:extensionElements><z:calledElement xmlns:z="http://camunda.org/schema/zeebe/1.0" processId="q"/></bpmn:extensionElements>'
    )
    node = normalise(small(el("callActivity", "c", eight), "s>c; c>e").diagram).diagram.nodes["c"]
    assert node.attributes["calledElement"] == "q"


TOLD = {
    "${amount > 5}": "amount > 5",
    "#{ a.b == 'x' }": 'a.b = "x"',
    '${a == "it\'s" || b != null}': '(a = "it\'s") or (b != null)',
    "${!late && n le 3}": "not(late) and (n <= 3)",
    "${!(a && b)}": "not(a and b)",
    "${a eq -1.5}": "a = -1.5",
    "${approved}": "approved",
    "${true}": "true",
}


@pytest.mark.parametrize("text", TOLD)
def test_a_condition_of_another_engine_is_told_in_feel(text):
    assert to_feel(text) == TOLD[text]
    compile_expression(TOLD[text])


@pytest.mark.parametrize(
    "text",
    [
        "${empty a}", "${a + 1 == 2}", "${execution.getVariable('x')}", "${bean.call()}", "${a ? b : c}", "${a[0]}", "${}", "${a} ${b}",
        "a == b", "${1 < a < 3}", "${__import__('os')}", "${execution.id == 'x'}", "${(a}", "${'a}", "${a b}",
        "${" + "(" * 300 + "a" + ")" * 300 + "}",
    ],
)  # fmt: skip
def test_what_feel_would_not_say_in_the_same_way_is_not_told(text):
    assert to_feel(text) is None


@given(st.text(alphabet="ab .=!&|<>()'\"5-${}x\\", max_size=40))
def test_whatever_stands_in_the_braces_is_told_in_feel_that_compiles_or_not_at_all(text):
    told = to_feel("${" + text + "}")
    if told is not None:
        assert wrong(told) in ("", "feel.operands"), told  # that no types fit is told by the gate where the text stands


def wrong(text):
    try:
        compile_expression(text)
    except FeelError as error:
        return error.code
    return ""
