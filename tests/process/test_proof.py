"""The proof run: what it finds in a package that the rules of the gate cannot see, and that the shipped packages pass it."""

import json
from pathlib import Path

import pytest

from engine.procedure.loader import load_files, load_folder
from engine.process.proof import prove
from tests.process.kit import GJ, bnd, catch, cyc, date, dur, el, ev, operator, step, xml, xor

SHIPPED = Path(__file__).parents[2] / "bpmn"
DECLARATION = """
key = "trial"
code = "0.000001"
scope = "public"
online_level = "none"
effective_from = 2026-01-01
[name]
vi = "Thử"
en = "Trial"
[field]
vi = "Thử"
en = "Trial"
code = "TT"
[[legal_basis]]
act = "a"
article = "b"
from = 2026-01-01
[term]
amount = 3
unit = "working_day"
counting = "hour"
on_supplement = "resume"
legal_basis = "c"
valid_from = 2026-01-01
"""


def form(*fields):
    components = [
        {"id": key, "key": key, "label": key, "type": kind, **more, "validate": {"required": required}}
        for key, kind, required, more in fields
    ]
    return json.dumps({"type": "default", "schemaVersion": 17, "components": components}).encode()


CHOICE = ("decision", "radio", True, {"values": [{"value": "approve", "label": "a"}, {"value": "refuse", "label": "b"}]})
PAGES = ("pages", "number", False, {"decimalDigits": 0})


def package(document, **forms):
    files = {"procedure.toml": DECLARATION.encode(), "process.bpmn": document}
    return load_files(files | {f"forms/{key}.json": content for key, content in forms.items()})


def found(document, **forms):
    return {(finding.rule, finding.severity, finding.element) for finding in prove(package(document, **forms))}


PACKAGES = [path.parent.name for path in sorted(SHIPPED.glob("*/procedure.toml"))]


@pytest.mark.parametrize("folder", PACKAGES)
def test_the_shipped_packages_are_proven_to_the_end_in_the_moves_a_designer_waits_for(folder):
    assert prove(load_folder(SHIPPED / folder)) == []


def test_every_choice_of_a_form_is_tried_and_every_end_reached():
    document = xml(step("a") + xor("x", "x__e") + step("b") + el("endEvent", "e2"), 's>a; a>x; x>b?a.decision = "refuse"; x>e; b>e2')
    assert found(document, a=form(CHOICE), b=form()) == set()


def test_a_step_no_answer_leads_to_is_named():
    document = xml(step("a") + xor("x", "x__e") + step("b"), "s>a; a>x; x>b?a.pages > 5 and a.pages < 3; x>e; b>e")
    pages = ("pages", "number", True, {"decimalDigits": 0})
    assert found(document, a=form(pages), b=form()) == {("process.proof_unreached", "warning", "b")}


def test_an_expression_that_fails_for_an_empty_field_is_found_with_the_way_that_leads_to_it():
    document = xml(step("z") + step("a") + xor("x", "x__e") + step("b"), "s>z; z>a; a>x; x>b?a.pages + 1 > 5; x>e; b>e")
    findings = prove(package(document, z=form(), a=form(PAGES), b=form()))
    finding = next(one for one in findings if one.severity == "refused")
    assert (finding.rule, finding.element) in {("process.expression_failed", "x"), ("process.not_boolean", "x")}
    assert finding.path == ("p", "z", "a")
    assert "«" not in finding.vi.replace("«x»", "")
    assert finding.en


def test_branches_that_never_meet_are_found():
    body = step("k") + xor("g", "g__a") + step("a") + step("b") + GJ[1]
    document = xml(body, 's>k; k>g; g>a; g>b?k.decision = "refuse"; a>j; b>j; j>e')
    assert ("process.stuck", "refused") in {one[:2] for one in found(document, k=form(CHOICE), a=form(), b=form())}


def test_an_endless_automatic_loop_is_found():
    body = step("a") + xor("m") + operator("o", "notice/send", template="&quot;x&quot;") + xor("x", "x__m")
    document = xml(body, "s>a; a>m; m>o; o>x; x>m; x>e?false")
    assert {("process.too_many_steps", "refused")} == {one[:2] for one in found(document, a=form())}


def test_deadlines_messages_and_reminders_are_walked():
    body, flows = bnd(dur("P1D"))
    assert found(xml(body, flows)) == set()
    waits = el("intermediateCatchEvent", "c", '<bpmn:messageEventDefinition messageRef="me"/>')
    assert found(xml(waits + step("a"), "s>c; c>a; a>e"), a=form()) == set()
    reminder = ev("boundaryEvent", "b", "timer", cyc("R2/PT1H"), attachedToRef="a", cancelActivity="false")
    remind = operator("o", "notice/send", template="&quot;x&quot;") + el("endEvent", "re")
    assert found(xml(step("a") + reminder + remind, "s>a; a>e; b>o; o>re"), a=form()) == set()
    assert found(xml(*catch("timer", date("working days(2)")))) == set()


def test_an_operator_nobody_registered_is_found():
    document = xml(step("a") + operator("o", "shell/run"), "s>a; a>o; o>e")
    assert found(document, a=form()) == {("process.unknown_operator", "refused", "o")}


def test_a_diagram_that_cannot_be_built_is_a_finding_not_a_crash():
    script = el("scriptTask", "x", "<bpmn:script>1</bpmn:script>")
    assert found(xml(script, "s>x; x>e")) == {("process.script", "refused", "x")}


def test_a_budget_that_does_not_suffice_is_said_and_not_hidden():
    document = xml(step("a") + xor("x", "x__e") + step("b"), 's>a; a>x; x>b?a.decision = "refuse"; x>e; b>e')
    findings = prove(package(document, a=form(CHOICE), b=form()), moves=1)
    assert [(one.rule, one.severity) for one in findings] == [("process.proof_partial", "note")]
