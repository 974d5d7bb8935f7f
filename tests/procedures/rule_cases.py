"""A diagram or package for every rule of the gate that breaks it; `docs/gate-rules.md` is written from them.

`python -m tests.procedures.rule_cases` writes the table.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

from engine.procedure.gate import check
from engine.procedure.loader import load_files
from engine.procedure.readiness import expired
from engine.procedure.sources import SOURCES
from engine.process import schema
from engine.sentences import catalogue
from tests.procedures import sections
from tests.procedures import test_decisions as decisions
from tests.procedures import test_suspension as clock
from tests.procedures.packages import CLOSE, DECLARATION, changed, form, real, small, step
from tests.procedures.test_gate import AB, CHOICE, GATES, NORMALISED, REFUSED, TRADE, catch, duration, esp
from tests.process.kit import el, ev, props, sub

ON = date(2026, 6, 1)
DECREE = 'article = "Điều 5, Điều 7, các Điều 18 đến 22"'
MODELERS = Path(__file__).parent / "modelers"
TABLE = Path(__file__).parents[2] / "docs" / "gate-rules.md"
TEST = "test_each_rule_is_broken_by_a_diagram"


def made(body, flows="s>a; a>e", **given):
    return lambda: small(step("a") + body, flows, **given)


def real_with(**changes):
    return lambda: changed(real(), **changes)


def diagram_with(*pairs):
    return real_with(diagram=list(pairs))


def in_pools(flow, more=""):
    """The trial process in a pool beside the citizen's, with one message flow."""
    pools = '<bpmn:participant id="us" name="Sở" processRef="p"/><bpmn:participant id="citizen" name="Người dân"/>'
    return made("", more=f'<bpmn:collaboration id="co">{pools}<bpmn:messageFlow id="mf" {flow}/></bpmn:collaboration>{more}')


LINK = '<bpmn:linkEventDefinition name="L"/>'
ONE_LINK = el("intermediateThrowEvent", "t", LINK) + el("intermediateCatchEvent", "c", LINK)
WAITING = ev("intermediateCatchEvent", "c", "timer", duration("P1D"))
DATA = '<bpmn:dataObject id="o"/><bpmn:dataObjectReference id="r" dataObjectRef="{}"/>'
ASSOCIATION = (
    "<bpmn:dataInputAssociation><bpmn:sourceRef>{}</bpmn:sourceRef><bpmn:targetRef>{}</bpmn:targetRef></bpmn:dataInputAssociation>"
)
SUPPLEMENT_WAIT = el("intermediateCatchEvent", "w", '<bpmn:messageEventDefinition messageRef="ms"/>')
SUPPLEMENT = '<bpmn:message id="ms" name="supplement_answered"/>'
SLIP = (
    '[[document]]\nkey = "slip"\ntemplate = "slip"\nregister = "outgoing"\nsymbol = "PC"\n'
    '[document.name]\nvi = "Phiếu chuyển"\nen = "Slip"\n'
)
PUBLIC = DECLARATION.replace('scope = "internal"', 'scope = "public"')


def moved(element, x, y, to_x, to_y):
    shape = f'bpmnElement="{element}">\n        <dc:Bounds x="{{}}" y="{{}}"'
    return shape.format(x, y), shape.format(to_x, to_y)


def small_with(package, tag, attribute):
    text = package.files["process.bpmn"].decode().replace(f"<bpmn:{tag}>", f"<bpmn:{tag} {attribute}>")
    return load_files({**package.files, "process.bpmn": text.encode()}, package.folder)


def drawn_by(modeler):
    """The small package around a file that another modeler wrote."""
    content = (MODELERS / f"{modeler}.bpmn").read_bytes()
    return load_files({**small(step("a"), "s>a; a>e").files, "process.bpmn": content}, "trial")


def reviewed(old, new):
    content = real().files["forms/review.json"]
    assert old in content
    return content.replace(old, new)


def stopping(stopped):
    return lambda: small(stopped + clock.GO_ON + CLOSE, "s>stop; stop>go_on; go_on>close; close>e")


def chain(count):
    names = [f"n{position}" for position in range(count)]
    return small("".join(step(name) for name in names), "; ".join(f"{one}>{other}" for one, other in pairwise(["s", *names, "e"])))


def nested(levels):
    body = step("a0")
    for level in range(levels):
        body = el("subProcess", f"sp{level}", body)
    return small(body, f"s>sp{levels - 1}; sp{levels - 1}>e")


def twice(event):
    inner = ev("startEvent", "{0}s", event, isInterrupting="true") + el("endEvent", "{0}e")
    inner += '<bpmn:sequenceFlow id="{0}f" sourceRef="{0}s" targetRef="{0}e"/>'
    return "".join(el("subProcess", name, inner.format(name), triggeredByEvent="true") for name in "EF")


def circling():
    """One branch turns for ever, so the join behind the other never gets its second token."""
    body = "".join(GATES) + el("exclusiveGateway", "m") + el("exclusiveGateway", "x", default="x__e") + AB
    return small(body, "s>g; g>j; g>m; m>a; a>m; j>b; b>x; x>j?true; x>e")


def wide():
    names = [f"w{number}" for number in range(8)]
    body = el("inclusiveGateway", "g", default="g__w0") + "".join(step(name) for name in names) + el("inclusiveGateway", "j")
    flows = ["s>g", "g>w0", *(f"g>{name}?true" for name in names[1:]), *(f"{name}>j" for name in names), "j>close", "close>e"]
    return small(body + CLOSE, "; ".join(flows))


def signing(lane_role="specialist", scope=PUBLIC):
    properties = {"action": "sign", "document": "d", "form": None, "capacity": "own_power"}
    return small(
        step("a") + step("b", **properties), "s>a; a>b; b>e", declaration=scope.replace('role = "specialist"', f'role = "{lane_role}"')
    )


CASES = {
    # the schema
    "schema-unexpected": made("<bpmn:robot/>"),
    "schema-incomplete": made(el("userTask", "b", "<bpmn:ioSpecification/>"), "s>a; a>b; b>e"),
    "schema-attribute-missing": made(el("boundaryEvent", "b")),
    "schema-attribute-unknown": made(el("userTask", "b", colour="red")),
    "schema-value": made(el("userTask", "b", startQuantity="many")),
    "schema-content": made(el("userTask", "b", "hello")),
    "schema-broken": made(
        el("userTask", "b", xsi="x").replace(' xsi="x"', ' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="x"')
    ),
    # how a file is put together
    "duplicate-id": made(step("a")),
    "id-missing": made("<bpmn:userTask/>"),
    "id-no-name": made(step("1st"), "s>a; a>1st; 1st>e"),
    "reference-broken": made('<bpmn:dataObjectReference id="r" dataObjectRef="nothing"/>'),
    "association-end": made('<bpmn:association id="as" sourceRef="a" targetRef="nothing"/>'),
    "one-process": made("", more='<bpmn:process id="q" isExecutable="true"><bpmn:startEvent id="q1"/></bpmn:process>'),
    "dangling-flow": made("", "s>a; a>e; a>nothing"),
    "entering-forbidden": made("", "s>a; a>e; a>s"),
    "leaving-forbidden": made(step("b"), "s>a; a>e; e>b; b>e"),
    "default-flow": made(el("exclusiveGateway", "g", default="s__a") + step("b"), "s>a; a>g; g>b?true; g>e; b>e"),
    "default-idle": made(step("b").replace("<bpmn:userTask ", '<bpmn:userTask default="b__e" ') + step("c"), "s>a; a>b; b>e; b>c; c>e"),
    "default-condition": made(el("exclusiveGateway", "g", default="g__e") + step("b"), "s>a; a>g; g>b?true; g>e?true; b>e"),
    "condition-missing": made(CHOICE + step("b") + step("c"), "s>a; a>g; g>b; g>c; g>e?true; b>e; c>e"),
    "idle-condition": made(GATES[0] + step("b"), "s>a; a>g; g>b?true; g>e; b>e"),
    "message-flow-end": in_pools('sourceRef="citizen" targetRef="nothing"'),
    "message-flow-kind": in_pools('sourceRef="citizen" targetRef="e"'),
    "message-flow-pool": in_pools('sourceRef="us" targetRef="a"'),
    "no-start": made("", more=f'<bpmn:process id="q">{step("b")}</bpmn:process>'),
    "attached-definition": made(
        el("intermediateCatchEvent", "c", "<bpmn:eventDefinitionRef>nothing</bpmn:eventDefinitionRef>"), "s>a; a>c; c>e"
    ),
    "event-written-out": made(
        el("intermediateCatchEvent", "c", "<bpmn:eventDefinitionRef>shared</bpmn:eventDefinitionRef>"),
        "s>a; a>c; c>e",
        more='<bpmn:timerEventDefinition id="shared"><bpmn:timeDuration>P1D</bpmn:timeDuration></bpmn:timerEventDefinition>',
    ),
    "link-flows": made(ONE_LINK, "s>a; a>t; t>e; c>e"),
    "link-twice": made(ONE_LINK + el("intermediateCatchEvent", "c2", LINK), "s>a; a>t; c>e; c2>e"),
    "boundary-error": made(ev("boundaryEvent", "b", "error", attachedToRef="a", cancelActivity="false"), "s>a; a>e; b>e"),
    "event-subprocess-framed": lambda: small(*esp("timer", duration("P1D"))),
    "event-subprocess-twice": made(twice("signal")),
    "timer-cycle": made(ev("intermediateCatchEvent", "c", "timer", "<bpmn:timeCycle>R3/P1D</bpmn:timeCycle>"), "s>a; a>c; c>e"),
    "gateway-direction": made(el("exclusiveGateway", "g", gatewayDirection="Converging"), "s>a; a>g; g>e"),
    "idle-gateway": made(el("exclusiveGateway", "g"), "s>a; a>g; g>e"),
    "mixed-gateway": made(CHOICE.replace("g__b", "g__e") + step("b"), "s>a; a>g; b>g; g>b?true; g>e"),
    "event-gateway": made(el("eventBasedGateway", "g") + step("b"), "s>a; a>g; g>b; b>e"),
    "event-gateway-mixed": made(
        el("eventBasedGateway", "g") + el("receiveTask", "r", messageRef="me") + ev("intermediateCatchEvent", "c", "message"),
        "s>a; a>g; g>r; g>c; r>e; c>e",
    ),
    "event-gateway-boundary": made(
        el("eventBasedGateway", "g")
        + el("receiveTask", "r", messageRef="me")
        + WAITING
        + ev("boundaryEvent", "b", "timer", duration("P2D"), attachedToRef="r"),
        "s>a; a>g; g>r; g>c; r>e; c>e; b>e",
    ),
    "wide-gateway": wide,
    "choreography": made(el("choreographyTask", "z"), "s>a; a>z; z>e"),
    "global-task": made("", more='<bpmn:globalUserTask id="z" name="z"/>'),
    "data-association": made(step("b").replace("</bpmn:userTask>", f"{ASSOCIATION.format('a', 'b')}</bpmn:userTask>"), "s>a; a>b; b>e"),
    "data-scope": made(
        sub("sp", '<bpmn:dataObject id="o"/>', "ss>se") + '<bpmn:dataObjectReference id="r" dataObjectRef="o"/>', "s>a; a>sp; sp>e"
    ),
    "lane-member": diagram_with(
        ("<bpmn:flowNodeRef>sign</bpmn:flowNodeRef>", "<bpmn:flowNodeRef>sign</bpmn:flowNodeRef><bpmn:flowNodeRef>gone</bpmn:flowNodeRef>")
    ),
    "lane-ambiguous": diagram_with(
        (
            "<bpmn:flowNodeRef>issue</bpmn:flowNodeRef>",
            "<bpmn:flowNodeRef>issue</bpmn:flowNodeRef><bpmn:flowNodeRef>sign</bpmn:flowNodeRef>",
        )
    ),
    "extension-broken": diagram_with(('name="stage_hours" value="3"', 'name="stage_hours"')),
    # soundness
    "twice": lambda: small(GATES[0] + AB + el("exclusiveGateway", "m") + CLOSE, "s>g; g>a; g>b; a>m; b>m; m>close; close>e"),
    "dead": circling,
    "livelock": circling,
    "not-proved": wide,
    "too-many-nodes": lambda: chain(301),
    "nested-too-deep": lambda: nested(8),
    # answers, expressions, decisions
    "two-forms": lambda: small(
        step("a", variable="v") + step("b", variable="v", form="own"), "s>a; a>b; b>e", files={"forms/own.json": form("third")}
    ),
    "not-certain": lambda: small(
        CHOICE + AB + el("exclusiveGateway", "m") + el("exclusiveGateway", "h", default="h__e") + CLOSE,
        's>g; g>a?true; g>b; a>m; b>m; m>h; h>close?a.note = "x"; h>e; close>e',
    ),
    "decision-call": decisions.trial,
    "decision-input": lambda: decisions.trial(flows="s>charge; charge>review; review>x; x>pay?fee > 20000; x>close; pay>close; close>e"),
    "decision-result": lambda: decisions.trial(task=decisions.act("charge", "decision/evaluate", "", decision="&quot;Mức phí&quot;")),
    "decision-twice": lambda: decisions.trial(more=decisions.fees().replace(b"motcua.example/test", b"motcua.example/more")),
    "decision-unknown": lambda: decisions.trial(task=decisions.call(name="Lệ phí")),
    "expression-foreign": made(CHOICE.replace("g__b", "g__e") + step("b"), "s>a; a>g; g>b?${empty a.note}; g>e; b>e"),
    "expression-language": lambda: small_with(
        made(CHOICE.replace("g__b", "g__e") + step("b"), "s>a; a>g; g>b?true; g>e; b>e")(), "conditionExpression", 'language="groovy"'
    ),
    "documentation-only": in_pools('sourceRef="citizen" targetRef="a"'),
    "foreign-read": lambda: drawn_by("camunda7"),
    "foreign-idle": lambda: drawn_by("camunda8"),
    # the trade
    "lane-missing": made("", lane=False),
    "layout-crossing": diagram_with(moved("draft_copy", 590, 325, 470, 225)),
    "layout-label-covered": diagram_with(
        ('<dc:Bounds x="436" y="310" width="66" height="28"/>', '<dc:Bounds x="340" y="350" width="66" height="28"/>')
    ),
    "layout-label-long": diagram_with(('name="Ký', f'name="{"Trình bày thật dài dòng " * 8}Ký')),
    "layout-outside": diagram_with(moved("sign", 740, 545, 740, 790)),
    "layout-overlap": diagram_with(moved("refuse", 590, 215, 590, 300)),
    "layout-small": diagram_with(('x="1292" y="122"', 'x="4292" y="122"')),
    "layout-undrawn": diagram_with(('bpmnElement="sign"', 'bpmnElement="examine"')),
    "lane-idle": real,
    "form-missing": lambda: small(step("a", form=None), "s>a; a>e"),
    "assign-unknown": lambda: small(step("a", assign="neighbour"), "s>a; a>e"),
    "reason-optional": lambda: changed(
        real(), files={"forms/review.json": reviewed(b'"required": true, "minLength": 10', b'"minLength": 10')}
    ),
    "supplement-not-asked": made(SUPPLEMENT_WAIT, "s>a; a>w; w>e", more=SUPPLEMENT),
    **{
        rule: stopping(stopped)
        for rule, stopped in {
            "suspension-ground": clock.stop(ground="&quot;leader_away&quot;", legal_basis=clock.LAW, reference=clock.NOTICE),
            "suspension-document": clock.stop(ground=clock.GROUND, legal_basis=clock.LAW),
            "suspension-idle": decisions.act("stop", "dossier/resume", ground=clock.GROUND),
        }.items()
    },
    "suspension-open": lambda: small(
        clock.STOP + CHOICE.replace("g__b", "g__go_on") + clock.GO_ON + decisions.act("done", "dossier/approve") + CLOSE,
        "s>stop; stop>g; g>go_on; g>done?true; go_on>close; close>e; done>e",
    ),
    "suspension-not-issued": lambda: small(
        clock.stop(ground=clock.GROUND, legal_basis=clock.LAW, document="&quot;slip&quot;") + clock.GO_ON + CLOSE,
        "s>stop; stop>go_on; go_on>close; close>e",
        declaration=DECLARATION + SLIP,
    ),
    "argument-missing": made(el("callActivity", "c", calledElement="supplement"), "s>a; a>c; c>e"),
    "argument-unknown": made(el("callActivity", "c", props(**{"given.colour": "1"}), calledElement="supplement"), "s>a; a>c; c>e"),
    "law-expired": real_with(declaration=[(DECREE, f"{DECREE}\nto = 2026-01-01")]),
    "law-expired-cited": real_with(declaration=[(DECREE, f"{DECREE}\nto = 2026-01-01")]),
    "message-unknown": lambda: small(*catch("message")),
    "caught-elsewhere": lambda: small(ev("intermediateThrowEvent", "t", "signal"), "s>t; t>e"),
    "sent-elsewhere": lambda: small(*catch("signal")),
    "document-missing": lambda: small(step("a", action="sign", form=None), "s>a; a>e"),
    "draft-before-signing": signing,
    "signature-before-issue": diagram_with(
        ('sourceRef="draft_copy" targetRef="sign"', 'sourceRef="draft_copy" targetRef="issue"'),
        ('sourceRef="sign" targetRef="issue"', 'sourceRef="issue" targetRef="sign"'),
        ('sourceRef="issue" targetRef="copy_wanted"', 'sourceRef="sign" targetRef="copy_wanted"'),
    ),
    "agency-only-kind": real_with(declaration=[('copy = "full_copy"\n', "")]),
    "annex-of-unknown": real_with(declaration=[('copy = "full_copy"', 'annex_of = "file_copy"')]),
    "annex-before-document": lambda: changed(
        real(),
        declaration=[('copy = "full_copy"', 'annex_of = "certified_copy"')],
        diagram=[
            ('sourceRef="sign" targetRef="issue"', 'sourceRef="sign" targetRef="copy_wanted"'),
            ('sourceRef="issue" targetRef="copy_wanted"', 'sourceRef="issue" targetRef="resolve"'),
            ('sourceRef="copy_wanted" targetRef="resolve"', 'sourceRef="copy_wanted" targetRef="issue"'),
            ('sourceRef="issue_file_copy" targetRef="resolve"', 'sourceRef="issue_file_copy" targetRef="issue"'),
        ],
    ),
    "leader-signs-attachment": diagram_with(('name="document" value="certified_copy"', 'name="document" value="file_copy"')),
    "same-hand": signing,
    "register-missing": real_with(declaration=[('register = "certification"\n', "")]),
    "component-unknown": real_with(declaration=[('pages_of = ["original"]', 'pages_of = ["copy"]')]),
    # the package
    "key-unread": real_with(declaration=[("online_level = ", "online_levle = ")]),
    "notice-unknown": lambda: small(decisions.act("n", "notice/send", template="&quot;gone&quot;"), "s>n; n>e"),
    "operator-missing": made(el("serviceTask", "t"), "s>a; a>t; t>e"),
    "parameter-unknown": made(decisions.act("t", "dossier/close", colour="1"), "s>a; a>t; t>e"),
    "name-missing": made(el("userTask", "b"), "s>a; a>b; b>e"),
    "name-in-english": lambda: small(step("a", name_en=None), "s>a; a>e"),
    "form-in-english": lambda: small(
        step("a"), "s>a; a>e", files={"forms/note.json": b'{"components": [{"type": "textfield", "key": "note", "label": "Ghi"}]}'}
    ),
}


def refused_or_rewritten(entry):
    rule, body, flows = entry
    return rule, lambda: small(body, flows)


def all_cases():
    """Return a maker of a package for every rule; what `test_gate.py` shows already is taken from there."""
    found = dict(refused_or_rewritten(entry) for entry in (*REFUSED.values(), *NORMALISED.values()))
    found.update((rule, real_with(**change)) for rule, change in TRADE.values())
    return {**found, **CASES}


def findings(rule):
    """Return what the gate says of the rule's own case."""
    package = all_cases()[rule]()
    told = (*check(package, layout=True).findings, *schema.broken(package.diagram), *expired(package, ON))
    return [found for found in told if found.rule == rule]


def explained():
    """The rules the catalogue has sentences for."""
    return {code.removeprefix("gate.").replace("_", "-") for code in catalogue() if code.startswith("gate.")}


HEAD = f"""# Every rule of the publication gate

Written by `python -m tests.procedures.rule_cases` from the rules' sources (`engine/procedure/sources.py`), their sentences
(`engine/catalogue`) and a diagram that breaks each (`tests/procedures/rule_cases.py`); `{TEST}` shows every line.
Sections are those of BPMN 2.0.2 (OMG formal/2013-12-09), [checked as said below](#how-the-sections-were-checked);
numbers of defects those of [engine-defects.md](engine-defects.md).

* **refused**: the package cannot be published. **warning**: it can. **note**: what the normaliser did to the executable copy; the
  author's file stays as it is.
* Faults of the files around the diagram (`package.*`, `form.*`, `template.*`), of expressions and decision tables (`feel.*`,
  `decision.*`) and of the proof run (`process.*`) have their own codes in `engine/catalogue`.

| rule | becomes | source | Tiếng Việt | English | shown by |
|---|---|---|---|---|---|
"""


def written():
    """Return the table as Markdown."""
    rows = []
    for rule, source in SOURCES.items():
        found = findings(rule)[0]
        vi, en = (" ".join((found.sentence(language).what, found.sentence(language).do)).strip() for language in ("vi", "en"))
        said = " | ".join(text.replace("|", "\\|").replace("\n", " ") for text in (vi, en))
        link = f"[{TEST}[{rule}]](../tests/procedures/test_gate_rules.py)"
        rows.append(f"| `{rule}` | {found.severity} | {source} | {said} | {link} |")
    return HEAD + "\n".join(rows) + "\n" + sections.written()


if __name__ == "__main__":
    TABLE.write_text(written(), encoding="utf-8")
