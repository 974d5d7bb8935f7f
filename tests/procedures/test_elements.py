"""Every element of the BPMN schema stands in the table, every test it names exists, and what it says of each kind is true."""

import ast
import re
from importlib import resources

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from lxml import etree

from engine.feel import FeelError
from engine.feel.dmn import read_decisions
from engine.feel.dmn.vocabulary import CHILDREN
from engine.procedure.diagram_reader import read_diagram
from engine.procedure.gate import check
from engine.procedure.normaliser import normalise
from tests.procedures.elements import DECISIONS, DOCS, TABLE, elements, written
from tests.procedures.packages import small, step
from tests.process.drawings import EVENTS, blocks, drawn
from tests.process.kit import GJ, Case, el, ev, operator, process, xml, xor
from tests.process.kit import step as kit_step
from tests.rules.feel import tables as dmn

XSI = "http://www.w3.org/2001/XMLSchema-instance"

ROWS = elements()
DECISION_ROWS = elements(DECISIONS)
SCHEMA = "{http://www.w3.org/2001/XMLSchema}element"
TASK = "</bpmn:userTask>"


def of_kind(kind):
    return sorted(name for name, row in ROWS.items() if row["becomes"] == kind)


def declared():
    """The names of all elements the schema of the standard declares, the drawing apart."""
    folder = resources.files("SpiffWorkflow.bpmn.parser") / "schema"
    for file in ("BPMN20.xsd", "Semantic.xsd"):
        root = etree.fromstring((folder / file).read_bytes())
        yield from (one.get("name") for one in root.iter(SCHEMA) if one.get("name"))


def test_every_element_of_the_schema_stands_in_the_table_and_nothing_else():
    assert set(ROWS) == set(declared())


def test_the_table_is_written_from_its_source():
    assert TABLE.read_text(encoding="utf-8") == written()


def test_every_test_the_table_names_exists():
    known = {}
    for row in (*ROWS.values(), *DECISION_ROWS.values()):
        file, _, name = row["test"].partition("::")
        if file not in known:
            tree = ast.parse((DOCS.parent / file).read_text(encoding="utf-8"))
            known[file] = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in known[file], row["test"]


def test_every_element_said_to_run_by_random_diagrams_is_drawn_in_them():
    drawn_tags = set()

    @settings(max_examples=200, database=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(block=blocks, inside=EVENTS)
    def draw(block, inside):
        drawn_tags.update(re.findall(rb"<bpmn:(\w+)", drawn(block, inside)))

    draw()
    said = {name for name, row in ROWS.items() if row["test"].endswith("::test_random_diagrams_run_as_the_reference_interpreter_runs_them")}
    assert said
    assert said <= {tag.decode() for tag in drawn_tags}


@pytest.mark.parametrize("kind", ["expression", "formalExpression"])
def test_a_condition_of_either_type_of_expression_is_evaluated(kind):
    typed = f'<bpmn:conditionExpression xmlns:xsi="{XSI}" xsi:type="bpmn:t{kind[0].upper()}{kind[1:]}">'
    drawn_there = xml(kit_step("a") + xor("x", "x__e") + kit_step("b"), "s>a; a>x; x>b?a.n > 1; x>e; b>e")
    case = Case(normalise(read_diagram(drawn_there.replace(b"<bpmn:conditionExpression>", typed.encode()))).xml)
    assert typed.encode() in drawn_there.replace(b"<bpmn:conditionExpression>", typed.encode())
    assert case.done("a", {"n": 2}).ready == ["b"]


def findings(body="", flows="s>a; a>e", more=""):
    return {(one.severity, one.rule) for one in check(small(step("a") + body, flows, more=more)).findings}


def of_repetition(inner):
    many = f'<bpmn:multiInstanceLoopCharacteristics behavior="Complex"><bpmn:loopCardinality>2</bpmn:loopCardinality>{inner}'
    return step("zz").replace(TASK, f"{many}</bpmn:multiInstanceLoopCharacteristics>{TASK}"), "s>a; a>zz; zz>e", ""


def refused(name):
    if name in ("compensateEventDefinition", "cancelEventDefinition"):
        return ev("boundaryEvent", "zz", name.removesuffix("EventDefinition"), attachedToRef="a"), "s>a; a>e; zz>e", ""
    if name in ("complexBehaviorDefinition", "event"):
        inner = "<bpmn:event/>" if name == "event" else ""
        return of_repetition(f"<bpmn:complexBehaviorDefinition>{inner}</bpmn:complexBehaviorDefinition>")
    if name == "activationCondition":
        return el("complexGateway", "zz", "<bpmn:activationCondition>true</bpmn:activationCondition>"), "s>a; a>zz; zz>e", ""
    if name == "script":
        return el("scriptTask", "zz", "<bpmn:script>1</bpmn:script>"), "s>a; a>zz; zz>e", ""
    if name == "ioBinding":
        return step("zz").replace(TASK, f"<bpmn:ioBinding/>{TASK}"), "s>a; a>zz; zz>e", ""
    if name.startswith(("global", "partner", "conversation")) or name == "choreography":
        return "", "s>a; a>e", f'<bpmn:{name} id="zz" name="zz"/>'
    return el(name, "zz"), "s>a; a>zz; zz>e", ""


@pytest.mark.parametrize("name", of_kind("refused"))
def test_what_is_refused_is_refused_by_its_name(name):
    rule = ROWS[name]["note"].rpartition("`")[0].rpartition("`")[2]
    body, flows, more = refused(name)
    found = {rule for severity, rule in findings(body, flows, more) if severity == "refused"}
    expected = {rule} if name not in ("complexBehaviorDefinition", "event") else {rule, "quantity"}
    assert found & expected
    assert rule in found or "quantity" in found


IN_DEFINITIONS = {
    "category", "itemDefinition", "import", "extension", "relationship", "endPoint", "interface", "resource",
    "collaboration",
}  # fmt: skip
IN_A_STEP = {"performer", "potentialOwner", "humanPerformer", "rendering", "resourceRole", "property", "auditing", "monitoring"}
IN_A_LEVEL = {"association", "textAnnotation", "group", "documentation", "correlationSubscription", "supports"}
WITHIN = {
    "text": "textAnnotation", "categoryValue": "category", "categoryValueRef": "group",
    "correlationPropertyBinding": "correlationSubscription",
    "correlationPropertyRef": "correlationSubscription", "dataPath": "correlationSubscription",
    "operation": "interface", "operationRef": "interface", "inMessageRef": "interface", "outMessageRef": "interface",
    "errorRef": "interface",
    "endPointRef": "collaboration", "interfaceRef": "collaboration", "participantMultiplicity": "collaboration",
    "resourceParameter": "resource",
    "partitionElement": "documentation", "supportedInterfaceRef": "documentation",
}  # fmt: skip


@pytest.mark.parametrize("name", of_kind("documents"))
def test_what_documents_changes_nothing(name):
    """Neither the judgement nor the executable copy of the flow is another one for it."""
    place = name
    if place not in IN_DEFINITIONS | IN_A_STEP | IN_A_LEVEL:
        in_step = name.startswith(("resource", "optional", "whileExecuting", "inputSet", "outputSet")) or name in (
            "assignment", "from", "to", "transformation", "sourceRef", "targetRef",
        )  # fmt: skip
        place = WITHIN.get(name, "property" if in_step else "collaboration")
    inner = "" if place == name else f"<bpmn:{name}/>"
    part = f'<bpmn:{place} id="zz" name="zz">{inner}</bpmn:{place}>'
    plain = findings(step("b"), "s>a; a>b; b>e")
    if place in IN_DEFINITIONS:
        given = (step("b"), "s>a; a>b; b>e", part)
    elif place in IN_A_STEP:
        given = (step("b").replace(TASK, part + TASK), "s>a; a>b; b>e", "")
    else:
        given = (step("b") + part, "s>a; a>b; b>e", "")
    assert findings(*given) == plain
    case = Case(normalise(small(step("a") + given[0], given[1], more=given[2]).diagram).xml)
    assert case.done("a", {}).done("b", {}).last.outcome == "completed"


@pytest.mark.parametrize("name", of_kind("abstract"))
def test_what_stands_only_in_the_schema_is_refused(name):
    if name.startswith(("rootElement", "callableElement", "baseElement")):
        assert ("refused", "unknown-construct") in findings(more=f'<bpmn:{name} id="zz"/>')
    else:
        assert ("refused", "unknown-construct") in findings(f'<bpmn:{name} id="zz"/>')


LINK = '<bpmn:linkEventDefinition name="L"><bpmn:source>t</bpmn:source></bpmn:linkEventDefinition>'
STORE = '<bpmn:dataStore id="zz"><bpmn:dataState id="zt"/></bpmn:dataStore>'
KEY = (
    '<bpmn:correlationProperty id="code" name="code"><bpmn:correlationPropertyRetrievalExpression messageRef="me">'
    '<bpmn:messagePath>"H1"</bpmn:messagePath></bpmn:correlationPropertyRetrievalExpression></bpmn:correlationProperty>'
)
NORMALISED = {
    "link-event": (el("intermediateThrowEvent", "t", LINK) + el("intermediateCatchEvent", "c", LINK), "s>a; a>t; c>e", ""),
    "event-written-out": (
        el("intermediateCatchEvent", "c", "<bpmn:eventDefinitionRef>shared</bpmn:eventDefinitionRef>"),
        "s>a; a>c; c>e",
        '<bpmn:timerEventDefinition id="shared"><bpmn:timeDuration>P1D</bpmn:timeDuration></bpmn:timerEventDefinition>',
    ),
    "data-store": (
        '<bpmn:dataStoreReference id="zs" dataStoreRef="zz"/><bpmn:dataObject id="o"/><bpmn:dataObjectReference id="r" dataObjectRef="o"/>',
        "s>a; a>e",
        STORE,
    ),
    "decision-call": (
        el("businessRuleTask", "r", "<bpmn:extensionElements><spiffworkflow:calledDecisionId>k</spiffworkflow:calledDecisionId>"
        "</bpmn:extensionElements>"),
        "s>a; a>r; r>e",
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", NORMALISED)
def test_what_is_normalised_leaves_its_note(rule):
    body, flows, more = NORMALISED[rule]
    assert ("note", rule) in findings(body, flows, more)
    normalised = normalise(small(step("a") + body, flows, more=more).diagram)
    if rule == "event-written-out":
        case = Case(normalised.xml).done("a", {})
        assert [timer.step for timer in case.last.timers] == ["c"]


def test_a_message_with_a_business_key_is_taken_by_the_dossier_it_is_handed_to():
    body = el("receiveTask", "r", messageRef="me") + kit_step("b")
    case = Case(normalise(read_diagram(xml(body, "s>r; r>b; b>e", more=KEY))).xml)
    assert case.message("me", {"code": "H1"}).ready == ["b"]


def test_incoming_and_outgoing_are_written_again_from_the_flows():
    wrong = kit_step("a", "<bpmn:incoming>nowhere</bpmn:incoming><bpmn:outgoing>nowhere</bpmn:outgoing>")
    case = Case(normalise(read_diagram(xml(wrong, "s>a; a>e"))).xml)
    assert case.done("a", {}).last.outcome == "completed"


@pytest.mark.parametrize("kind", ["task", "manualTask", "userTask"])
def test_every_step_a_person_does_waits_for_a_person(kind):
    case = Case(xml(el(kind, "a") + el(kind, "b"), "s>a; a>b; b>e"))
    assert case.ready == ["a"]
    assert case.done("a").done("b").last.outcome == "completed"


def test_a_send_task_reaches_a_receive_task():
    body = GJ[0] + kit_step("a") + el("sendTask", "t", messageRef="me") + el("receiveTask", "r", messageRef="me") + kit_step("b")
    case = Case(xml(body, "s>g; g>a; a>t; t>e; g>r; r>b; b>e"))
    assert case.ready == ["a"]
    assert case.last.waiting == ("me",)
    assert case.done("a").ready == ["b"]


def test_the_inner_lane_does_the_step():
    lanes = (
        '<bpmn:laneSet id="l"><bpmn:lane id="l1" name="Sở"><bpmn:flowNodeRef>a</bpmn:flowNodeRef><bpmn:childLaneSet id="k">'
        '<bpmn:lane id="l2" name="Văn phòng"><bpmn:flowNodeRef>a</bpmn:flowNodeRef></bpmn:lane></bpmn:childLaneSet></bpmn:lane>'
        "</bpmn:laneSet>"
    )
    assert Case(xml(kit_step("a"), "s>a; a>e", inner=lanes)).task("a").lane == "Văn phòng"


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_55_repetition_ends_early_when_its_condition_holds(sequential):
    inner = (
        '<bpmn:loopCardinality>5</bpmn:loopCardinality><bpmn:loopDataOutputRef>got</bpmn:loopDataOutputRef><bpmn:outputDataItem id="r"/>'
    )
    inner += "<bpmn:completionCondition>count(got) = 2</bpmn:completionCondition>"
    many = el("multiInstanceLoopCharacteristics", "m", inner, isSequential=sequential)
    case = Case(xml(kit_step("a", many, form="r") + kit_step("b"), "s>a; a>b; b>e"))
    assert case.done("a", 1).done("a", 2).ready == ["b"]
    assert case.last.variables["got"] == [1, 2]


def test_a_loop_goes_on_while_its_condition_holds():
    loop = el("standardLoopCharacteristics", "l", "<bpmn:loopCondition>a.again</bpmn:loopCondition>", loopMaximum=5)
    case = Case(xml(kit_step("a", loop) + kit_step("b"), "s>a; a>b; b>e"))
    case.done("a", {"again": True})
    assert case.ready == ["a"]
    assert case.done("a", {"again": False}).ready == ["b"]


def test_a_called_process_takes_and_gives_what_it_declares():
    declared = (
        '<bpmn:ioSpecification id="io"><bpmn:dataInput id="a"/><bpmn:dataOutput id="q"/><bpmn:inputSet id="i"><bpmn:dataInputRefs>a'
        '</bpmn:dataInputRefs></bpmn:inputSet><bpmn:outputSet id="o"><bpmn:dataOutputRefs>q</bpmn:dataOutputRefs></bpmn:outputSet>'
        "</bpmn:ioSpecification>"
    )
    seen = {}
    look = operator("o", "look")
    called = process("pq", kit_step("q") + look + kit_step("r"), "qs>q; q>o; o>r; r>qe", declared).replace('isExecutable="true"', "")
    body = kit_step("a") + kit_step("b") + el("callActivity", "ca", calledElement="pq") + kit_step("c")
    document = normalise(read_diagram(xml(body, "s>a; a>b; b>ca; ca>c; c>e", more=called))).xml
    case = Case(document, operators={"look": lambda operation: seen.update(operation.variables)})
    case.done("a", {"n": 1}).done("b", {"n": 2}).done("q", {"n": 3})
    assert set(seen) == {"a", "q"}
    assert set(case.last.variables) == {"a", "b"}
    case.done("r", {"n": 4})
    assert case.last.variables == {"a": {"n": 1}, "b": {"n": 2}, "q": {"n": 3}}


# -- DMN


def decision_rows(kind):
    return sorted(name for name, row in DECISION_ROWS.items() if row["becomes"] == kind)


def declared_by_decisions():
    folder = resources.files("SpiffWorkflow.dmn.parser") / "schema"
    for file in ("DMN12.xsd", "DMN13.xsd"):
        yield from etree.fromstring((folder / file).read_bytes()).iter(SCHEMA)


def test_every_element_of_the_decision_schemas_and_of_our_reader_stands_in_the_table_and_nothing_else():
    known = {inner for children in CHILDREN.values() for inner in children} | set(CHILDREN)
    assert set(DECISION_ROWS) == {one.get("name") for one in declared_by_decisions() if one.get("name")} | known


def test_what_is_abstract_in_the_schema_of_decisions_is_told_so():
    abstract = {one.get("name") for one in declared_by_decisions() if one.get("abstract") == "true" or one.get("name") == "DMNElement"}
    assert set(decision_rows("abstract")) == abstract


@pytest.mark.parametrize("name", decision_rows("refused"))
def test_what_no_decision_holds_is_refused_by_its_name(name):
    logic = dmn.literal("1").replace("</literalExpression>", f"<{name}/></literalExpression>")
    if name == "importedElement":
        logic = logic.replace("<importedElement/>", "<importedValues><importedElement>x</importedElement></importedValues>")
    with pytest.raises(FeelError) as caught:
        read_decisions(dmn.definitions(dmn.decision("d", logic)))
    assert caught.value.code == "decision.unsupported"


AROUND = {
    "impactingDecision": "performanceIndicator", "decisionMade": "organizationUnit", "decisionOwned": "organizationUnit",
    "type": "knowledgeSource", "owner": "knowledgeSource", "requiredAuthority": "authorityRequirement",
    "sourceRef": "association", "targetRef": "association",
}  # fmt: skip
BESIDE = {
    "association", "group", "textAnnotation", "elementCollection", "performanceIndicator", "organizationUnit", "knowledgeSource",
}  # fmt: skip


@pytest.mark.parametrize("name", decision_rows("documents"))
def test_what_documents_a_decision_changes_nothing(name):
    logic = dmn.table("F", ["x"], ["r"], [("> 1", "10"), ("-", "20")])
    outer = AROUND.get(name, name)
    part = f"<{outer}><{name}/></{outer}>" if outer != name else f"<{name}/>"
    if name in ("annotation", "annotationEntry"):
        logic = logic.replace("<rule", "<annotation name='vì sao'/><rule", 1)
        logic = logic.replace("</rule>", "<annotationEntry><text>vì thế</text></annotationEntry></rule>")
        part = ""
    beside, within = (part, "") if outer in BESIDE else ("", part)
    data = dmn.definitions(beside, dmn.given("x"), dmn.decision("d", logic, dmn.needs("Input", "x"), within))
    assert [read_decisions(data).evaluate("d", {"x": x}).value for x in (1, 2)] == [20, 10]
