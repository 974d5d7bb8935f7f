"""Diagrams spoilt at random: the gate always answers with a report, and what it passes the interpreter can build."""

from __future__ import annotations

import copy
from random import Random

import pytest
from lxml import etree

from engine.procedure.difference import difference
from engine.procedure.gate import check
from engine.procedure.loader import load_files
from engine.procedure.normaliser import normalise
from engine.procedure.outline import milestones, outline
from engine.process.program import build
from tests.procedures.packages import BPMN_NS, real

KINDS = (
    *("userTask", "serviceTask", "receiveTask", "exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"),
    *("subProcess", "callActivity", "startEvent", "endEvent", "boundaryEvent", "sequenceFlow", "lane", "process"),
)
VALUES = ("", "x", "true", "1", "-1")
TEXTS = ("", "x", 'duration("P1D")', "true", "1 +", "P1D")


def spoilt(package, random):
    root = etree.fromstring(package.files["process.bpmn"])
    for _ in range(random.randint(1, 3)):
        model = [element for element in root.iter() if isinstance(element.tag, str) and element is not root and "/DD/" not in element.tag]
        element = random.choice(model)
        match random.choice(("remove", "attribute", "forget", "double", "kind", "text")):
            case "remove":
                element.getparent().remove(element)
            case "attribute" if element.attrib:
                element.set(random.choice(sorted(element.attrib)), random.choice((*VALUES, random.choice(model).get("id") or "y")))
            case "forget" if element.attrib:
                del element.attrib[random.choice(sorted(element.attrib))]
            case "double":
                element.getparent().append(copy.deepcopy(element))
            case "kind":
                element.tag = f"{{{BPMN_NS}}}{random.choice(KINDS)}"
            case "text":
                element.text = random.choice(TEXTS)
    return load_files({**package.files, "process.bpmn": etree.tostring(root)}, package.folder)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["certified_electronic_copy", "internal_leave"])
def test_a_spoilt_diagram_gets_a_report_and_what_passes_can_be_built(name, seed):
    random, package = Random(f"{name}{seed}"), real(name)

    for number in range(15):
        mutant = spoilt(package, random)
        report = check(mutant, layout=True)

        assert all(finding.vi and finding.en for finding in report.findings)
        if any(finding.rule.startswith(("xml.", "diagram.")) for finding in report.findings):
            continue
        outline(mutant)
        milestones(mutant)
        difference(package, mutant)
        if report.passed:
            build(number, normalise(mutant.diagram).xml)
