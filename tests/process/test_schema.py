"""The schema of the standard: what breaks it is told with element, line and place; what editors add lawfully passes."""

from __future__ import annotations

import pytest
from lxml import etree

from engine.commands.procedures import examine
from engine.procedure.diagram_reader import read_diagram
from engine.procedure.loader import load_folder
from engine.process.schema import MAX_FINDINGS, broken, schema
from tests.procedures.packages import BPMN, CLOSE, changed, real, small
from tests.procedures.packages import step as whole_step
from tests.process.kit import el, ev, ut, xml

FOLDERS = sorted(path for path in BPMN.iterdir() if (path / "process.bpmn").is_file())


def told(body, flows="s>a; a>e", more=""):
    return broken(read_diagram(xml(ut("a") + body, flows, more=more)))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_what_we_ship_keeps_to_the_schema(folder):
    assert broken(load_folder(folder).diagram) == []


BROKEN = {
    "element of another place": ("schema-unexpected", "b", el("userTask", "b", "<bpmn:incoming>x</bpmn:incoming><bpmn:documentation/>")),
    "element nobody knows": ("schema-unexpected", "p", "<bpmn:robot/>"),
    "element of an editor outside extensionElements": ("schema-unexpected", "p", '<robot xmlns="urn:robot"/>'),
    "two kinds of one deadline": (
        "schema-unexpected",
        "c",
        ev("intermediateCatchEvent", "c", "timer", "<bpmn:timeDate>1</bpmn:timeDate><bpmn:timeCycle>1</bpmn:timeCycle>"),
    ),
    "element without its parts": ("schema-incomplete", "b", el("userTask", "b", "<bpmn:ioSpecification/>")),
    "attribute that must be there": ("schema-attribute-missing", "b", el("boundaryEvent", "b")),
    "attribute nobody knows": ("schema-attribute-unknown", "b", el("userTask", "b", colour="red")),
    "word instead of yes or no": ("schema-value", "g", el("startEvent", "g", isInterrupting="maybe")),
    "word that is not on the list": ("schema-value", "g", el("eventBasedGateway", "g", eventGatewayType="Any")),
    "text where elements belong": ("schema-content", "b", el("userTask", "b", "hello")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_schema_is_told_with_its_element_in_two_languages(name):
    rule, element, body = BROKEN[name]

    finding = next(found for found in told(body) if found.rule == rule)

    assert finding.severity == "refused"
    assert finding.element == element
    assert finding.place.line
    for language in ("vi", "en"):
        said = finding.sentence(language)
        assert said.what
        assert said.why
        assert said.do
        assert "–" not in str(said)
        assert "{" not in str(said)


def test_the_place_is_the_line_and_the_shape_of_the_element_in_the_authors_file():
    package = changed(real(), diagram=[('<bpmn:userTask id="sign"', '<bpmn:userTask colour="red" id="sign"')])

    finding = next(found for found in examine(package).refused if found.rule == "schema-attribute-unknown")

    line = next(number for number, text in enumerate(package.files["process.bpmn"].decode().splitlines(), 1) if 'id="sign"' in text)
    assert finding.element == "sign"
    assert finding.place.line == line
    assert finding.place.x == package.diagram.boxes["sign"].x
    assert "colour" in finding.vi


def test_one_report_holds_what_schema_and_rules_found():
    package = changed(real(), diagram=[('<bpmn:userTask id="sign"', '<bpmn:userTask colour="red" id="sign"')])
    package = changed(package, diagram=[('name="form" value="review"', 'name="form" value="missing"')])

    assert {"schema-attribute-unknown", "form-unknown"} <= {found.rule for found in examine(package).refused}


def test_every_error_carries_a_sentence_of_ours_and_no_word_of_the_validator():
    for _, _, body in BROKEN.values():
        for found in told(body):
            assert "Element '{" not in found.en
            assert "xs:" not in found.en


LAWFUL = """<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
 xmlns:odd="urn:odd" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"
 xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:bioc="http://bpmn.io/schema/bpmn/biocolor/1.0" id="d" targetNamespace="u"
 odd:version="7" exporter="Odd" exporterVersion="1">
 <bpmn:process id="p" isExecutable="true" camunda:historyTimeToLive="P1D" odd:anything="at all">
  <bpmn:extensionElements><odd:tree><odd:leaf x="1">text <odd:b/> text</odd:leaf></odd:tree></bpmn:extensionElements>
  <bpmn:startEvent id="s"/>
  <bpmn:userTask id="a" camunda:assignee="x" odd:shape="star">
   <bpmn:documentation textFormat="text/html">&lt;b&gt;x&lt;/b&gt;</bpmn:documentation>
   <bpmn:extensionElements><camunda:formData><camunda:formField id="f"/></camunda:formData></bpmn:extensionElements></bpmn:userTask>
  <bpmn:exclusiveGateway id="g" default="f3"/><bpmn:endEvent id="e"/>
  <bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="a"/><bpmn:sequenceFlow id="f2" sourceRef="a" targetRef="g"/>
  <bpmn:sequenceFlow id="f3" sourceRef="g" targetRef="e" isImmediate="true"/>
  <bpmn:sequenceFlow id="f4" sourceRef="g" targetRef="a"><bpmn:conditionExpression xsi:type="bpmn:tFormalExpression" language="feel"
   camunda:resource="x">true</bpmn:conditionExpression></bpmn:sequenceFlow>
 </bpmn:process>
 <bpmndi:BPMNDiagram id="di"><bpmndi:BPMNPlane id="pl" bpmnElement="p"><bpmndi:BPMNShape id="sa" bpmnElement="a" bioc:stroke="red"
  odd:shadow="yes"><dc:Bounds x="1" y="1" width="100" height="80"/></bpmndi:BPMNShape></bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>"""


def test_what_editors_add_lawfully_passes():
    assert broken(read_diagram(LAWFUL.encode())) == []


def test_identifiers_are_left_to_the_rule_that_names_them():
    body = ut("1st") + ut("two words") + ut("a")

    assert [found.rule for found in told(body) if "id" in str(found.facts.get("attribute"))] == []


def test_a_file_of_another_kind_is_told_in_few_findings():
    assert len(told("".join(el("userTask", f"u{number}", colour="red") for number in range(500)))) == MAX_FINDINGS


def test_the_schema_is_read_once_and_only_from_installed_files(monkeypatch):
    first = schema()
    monkeypatch.setattr(etree, "XMLSchema", None)

    assert schema() is first


def test_the_command_line_tells_it(tmp_path, capsys):
    from engine.cli import main

    for path, content in small(whole_step("a") + CLOSE, "s>a; a>close; close>e").files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content.replace(b'<bpmn:userTask id="a"', b'<bpmn:userTask colour="red" id="a"'))
    assert main(["procedure", "check", str(tmp_path), "--lang", "en"]) == 1
    assert "[schema-attribute-unknown]" in capsys.readouterr().out
