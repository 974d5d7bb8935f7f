"""Every place of a package that holds an expression: FEEL and nothing else, typed against the forms' fields, refused where it stands."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

import pytest

from engine.procedure.gate import check
from tests.procedures import test_decisions as decisions
from tests.procedures.packages import CLOSE, act, changed, form, real, small, step
from tests.process.kit import dur, el, ev, xor

NUMBER = {"type": "number", "key": "count", "label": "Số", "label_en": "Count", "validate": {"required": True}}
CHOICE = {
    "type": "select", "key": "kind", "label": "Loại", "label_en": "Kind", "validate": {"required": True},
    "values": [{"value": "x", "label": "X", "label_en": "X"}, {"value": "y", "label": "Y", "label_en": "Y"}],
}  # fmt: skip
ASKED = form("note", count=NUMBER, kind=CHOICE)
SECOND = step("b")


def around(body, flows, *, more="", **files):
    """A package whose first step asks for a number, a choice and a text; what is under examination stands behind it."""
    given = {"forms/asked.json": ASKED, **{f"forms/{name}.json": content for name, content in files.items()}}
    return small(step("a", form="asked") + body + CLOSE, flows, files=given, more=more)


def repeated(inner):
    loop = f"<bpmn:multiInstanceLoopCharacteristics>{inner}</bpmn:multiInstanceLoopCharacteristics>"
    body = step("b").replace("</bpmn:userTask>", f"{loop}</bpmn:userTask>")
    return around(body, "s>a; a>b; b>close; close>e")


OUT = '<bpmn:loopDataOutputRef>got</bpmn:loopDataOutputRef><bpmn:outputDataItem id="b"/>'


def condition(text):
    return around(xor("g", "g__close") + SECOND, f"s>a; a>g; g>b?{text}; g>close; b>close; close>e")


def waiting(kind, text):
    return around(ev("intermediateCatchEvent", "b", kind, text), "s>a; a>b; b>close; close>e")


def boundary(text):
    event = ev("boundaryEvent", "t", "timer", dur(escape(text)), attachedToRef="b")
    return around(SECOND + event, "s>a; a>b; b>close; t>close; close>e")


def looped(text):
    loop = f'<bpmn:standardLoopCharacteristics loopMaximum="5"><bpmn:loopCondition>{escape(text)}</bpmn:loopCondition>'
    body = step("b").replace("</bpmn:userTask>", f"{loop}</bpmn:standardLoopCharacteristics></bpmn:userTask>")
    return around(body, "s>a; a>b; b>close; close>e")


def parameter(text):
    return small(
        step("a", form="asked") + act("b", "dossier/close", reason=escape(text, {"'": "&apos;"})),
        "s>a; a>b; b>e",
        files={"forms/asked.json": ASKED},
    )


def payload(text):
    inner = f"<bpmn:extensionElements><spiffworkflow:messagePayload>{escape(text)}</spiffworkflow:messagePayload></bpmn:extensionElements>"
    body = el("parallelGateway", "g") + el("parallelGateway", "j") + ev("intermediateThrowEvent", "b", "message", inner)
    body += ev("intermediateCatchEvent", "c", "message")
    return around(body, "s>a; a>g; g>b; g>c; b>j; c>j; j>close; close>e")


def key(path, text):
    inside = f'<bpmn:{path} id="b"><bpmn:{"messagePath" if "Retrieval" in path else "dataPath"}>{escape(text)}'
    inside += f"</bpmn:{'messagePath' if 'Retrieval' in path else 'dataPath'}></bpmn:{path}>"
    prop = '<bpmn:correlationProperty id="code" name="code">{}</bpmn:correlationProperty>'
    if "Retrieval" in path:
        return around("", "s>a; a>close; close>e", more=prop.format(inside.replace('id="b"', 'id="b" messageRef="me"')))
    subscription = f'<bpmn:correlationSubscription id="cs" correlationKeyRef="ck">{inside}</bpmn:correlationSubscription>'
    return around(subscription, "s>a; a>close; close>e", more=prop.format(""))


def hidden(text):
    field = {"type": "textfield", "key": "more", "label": "Thêm", "label_en": "More", "conditional": {"hide": f"={text}"}}
    return around(step("b", form="later"), "s>a; a>b; b>close; close>e", later=form(more=field))


def decision_input(text):
    task = act(
        "charge",
        "decision/evaluate",
        "fee",
        decision="&quot;Mức phí&quot;",
        inputs=escape(f"{{review: {{pages: {text}}}}}", {"'": "&apos;"}),
    )
    return decisions.trial(task=task, flows="s>a; a>review; review>charge; charge>x; x>pay?fee > 20000; x>close; pay>close; close>e")


def cell(text):
    return decisions.trial(decisions.fees([("<= 2", "1"), ("> 2", text)]))


def fee(text):
    return changed(
        real(), declaration=[("if dossier.pages <= 2 then 2000 * dossier.pages", f"if {json.dumps(text)[1:-1]} then 2000 * dossier.pages")]
    )


def required(text):
    return changed(real(), declaration=[('required = "dossier.by_representative"', f"required = {json.dumps(text)}")])


SURFACES = {
    "condition of a flow": condition,
    "duration": lambda text: waiting("timer", dur(escape(text))),
    "instant": lambda text: waiting("timer", f"<bpmn:timeDate>{escape(text)}</bpmn:timeDate>"),
    "deadline of a step": boundary,
    "condition an event waits for": lambda text: waiting("conditional", f"<bpmn:condition>{escape(text)}</bpmn:condition>"),
    "count of a repetition": lambda text: repeated(f"<bpmn:loopCardinality>{escape(text)}</bpmn:loopCardinality>{OUT}"),
    "list of a repetition": lambda text: repeated(f"<bpmn:loopDataInputRef>{escape(text)}</bpmn:loopDataInputRef>{OUT}"),
    "end of a repetition": lambda text: repeated(
        f"<bpmn:loopCardinality>2</bpmn:loopCardinality>{OUT}<bpmn:completionCondition>{escape(text)}</bpmn:completionCondition>"
    ),
    "condition of a loop": looped,
    "parameter of an operator": parameter,
    "what a message carries": payload,
    "key of a message": lambda text: key("correlationPropertyRetrievalExpression", text),
    "key of the dossier": lambda text: key("correlationPropertyBinding", text),
    "visibility of a field": hidden,
    "input of a decision": decision_input,
    "cell of a decision": cell,
    "fee": fee,
    "component": required,
}
FROM_OUTSIDE = {"key of a message"}
"""What a message carries is known when it comes: only that it is FEEL is judged."""
TYPED = {
    "condition of a flow": ("a.count > 3", 'a.kind = "z"', "a.count"),
    "duration": ('duration("P1D")', "a.count = 1", "a.count"),
    "instant": ('date and time("2026-01-05T00:00:00+07:00")', "true", "a.count + 1"),
    "deadline of a step": ('duration("P1D")', "a.count > 1", "a.count"),
    "condition an event waits for": ("a.count > 3", 'a.count = "x"', "a.note"),
    "count of a repetition": ("a.count", "a.note", "true"),
    "end of a repetition": ("a.count > 3", "a.count", 'a.kind = "z"'),
    "condition of a loop": ("a.count > 3", "a.count", "a.note"),
    "parameter of an operator": ("a.note", 'a.kind = "z"', 'a.count = "x"'),
    "what a message carries": ("a", 'a.count = "x"', 'a.kind = "z"'),
    "key of the dossier": ("a.note", 'a.count = "x"', 'a.kind = "z"'),
    "visibility of a field": ("a.count > 3", "a.count", 'a.kind = "z"'),
    "cell of a decision": ("review.pages * 2", 'review.pages = "x"', 'review.pages + "x"'),
    "fee": ("dossier.pages <= 2", 'dossier.pages = "x"', "dossier.pages"),
    "component": ("dossier.by_representative", "dossier.pages", 'dossier.pages = "x"'),
}
RULES = {
    "expression", "expression-kind", "expression-foreign", "not-certain", "decision-input", "reference-broken", "mi-output", "timer",
}  # fmt: skip


def told(package):
    """The findings about expressions of a package."""
    found = check(package).refused
    return [finding for finding in found if finding.rule in RULES or finding.rule.startswith(("feel.", "form."))]


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("text", ['a.note == "x"', "${a.note + 1}", "__import__('os')", "a.note &&", "lambda: 1", "a[0", "1 +"])
def test_what_is_not_feel_is_refused_on_every_surface(surface, text):
    package = SURFACES[surface](text)

    assert told(package), surface


@pytest.mark.parametrize("surface", sorted(set(SURFACES) - FROM_OUTSIDE))
def test_a_field_no_form_asks_for_is_refused_on_every_surface(surface):
    own = {"cell of a decision": "review.nothing", "fee": "dossier.nothing = 1", "component": "dossier.nothing"}.get(surface, "a.nothing")
    kind = own if surface in ("cell of a decision", "fee", "component") else f"{own} > 1" if "condition" in surface else own

    assert told(SURFACES[surface](kind)), surface


@pytest.mark.parametrize("surface", TYPED)
def test_a_right_text_passes_and_one_of_the_wrong_type_is_refused(surface):
    right, *wrong = TYPED[surface]

    assert [finding.en for finding in told(SURFACES[surface](right))] == []
    for text in wrong:
        assert told(SURFACES[surface](text)), text


def test_the_finding_stands_at_the_element_the_text_stands_on():
    at = {surface: {finding.element for finding in told(SURFACES[surface]("a.nothing +"))} for surface in SURFACES}

    assert {"b"} == at["duration"] == at["count of a repetition"] == at["parameter of an operator"] == at["what a message carries"]
    assert at["condition of a flow"] == {"g__b"}
    assert at["deadline of a step"] == {"t"}
    assert at["key of a message"] == at["key of the dossier"] == {"b"}
    assert at["visibility of a field"] == {"more"}


def test_the_package_all_surfaces_are_made_of_is_fine():
    assert check(around(SECOND, "s>a; a>b; b>close; close>e")).refused == ()
