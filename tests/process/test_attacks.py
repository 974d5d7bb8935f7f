"""No text of a diagram runs anything: every surface, freshly built and after the instance was stored and read again."""

import os
from pathlib import Path

import pytest

from engine.errors import EngineError
from tests.process.kit import Case, cyc, date, dur, el, ev, mi, operator, step, xml, xor
from tests.support.effort import effort

MARK = Path("/tmp") / f"motcua-attack-{os.getpid()}"
ATTACKS = [
    f"__import__('os').system('touch {MARK}')",
    f'__import__("os").system("touch {MARK}") = 0',
    f"().__class__.__mro__[-1].__subclasses__()[0]('touch {MARK}')",
    "().__class__",
    "9**9**9**9",
    "[x for x in y]",
    "'a'*10**9",
    'f"{x}"',
    "(lambda: 1)()",
    "a.__class__",
    'getattr(a, "y")',
    "'%099999999d' % 1",
    "(x:=1)",
    "open('/etc/passwd')",
    "a.__init__.__globals__",
    "eval('1')",
    "exec('1')",
    "(" * 400 + "1" + ")" * 400,
    "not(" * 60 + "true" + ")" * 60,
    "a\x0bb",
    "ａｂ＝１",
    "for i in 1..100000000 return i",
    "count(for i in 1..10000, j in 1..10000 return i*j) > 0",
    'matches(string join(for i in 1..5000 return "a"), "(a+)+b")',
    "import os",
    "${a.b}",
    "#{T(java.lang.Runtime).getRuntime().exec('id')}",
]


def cdata(text):
    return f"<![CDATA[{text}]]>"


def attribute(text):
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("\x0b", " ")


def condition(text):
    return xml(step("a") + xor("x", "x__e") + step("b"), f"s>a; a>x; x>b?{text.replace(';', ',')}; x>e; b>e")


def inclusive(text):
    return xml(step("a") + el("inclusiveGateway", "x", default="x__e") + step("b"), f"s>a; a>x; x>b?{text.replace(';', ',')}; x>e; b>e")


def timer(write):
    def made(text):
        return xml(step("a") + ev("intermediateCatchEvent", "t", "timer", write(cdata(text))), "s>a; a>t; t>e")

    return made


def boundary(text):
    return xml(step("a") + step("c") + ev("boundaryEvent", "t", "timer", dur(cdata(text)), attachedToRef="c"), "s>a; a>c; c>e; t>e")


def cardinality(text):
    return xml(step("a") + step("c", mi(cdata(text))), "s>a; a>c; c>e")


def completion(text):
    inner = f"<bpmn:loopCardinality>2</bpmn:loopCardinality><bpmn:completionCondition>{cdata(text)}</bpmn:completionCondition>"
    return xml(step("a", el("multiInstanceLoopCharacteristics", "m", inner)), "s>a; a>e")


def loop(text):
    inner = el("standardLoopCharacteristics", "m", f"<bpmn:loopCondition>{cdata(text)}</bpmn:loopCondition>")
    return xml(step("a", inner), "s>a; a>e")


def parameter(text):
    return xml(step("a") + operator("o", "notice/send", template=attribute(text)), "s>a; a>o; o>e")


def conditional(text):
    event = ev("intermediateCatchEvent", "c", "conditional", f"<bpmn:condition>{cdata(text)}</bpmn:condition>")
    return xml(step("a") + event, "s>a; a>c; c>e")


def payload(text):
    inner = f"<bpmn:extensionElements><spiffworkflow:messagePayload>{cdata(text)}</spiffworkflow:messagePayload></bpmn:extensionElements>"
    return xml(step("a") + ev("intermediateThrowEvent", "t", "message", inner), "s>a; a>t; t>e")


def correlation(text):
    keys = (
        '<bpmn:correlationProperty id="k" name="k"><bpmn:correlationPropertyRetrievalExpression id="re" messageRef="me">'
        f"<bpmn:messagePath>{cdata(text)}</bpmn:messagePath></bpmn:correlationPropertyRetrievalExpression></bpmn:correlationProperty>"
    )
    inner = "<bpmn:extensionElements><spiffworkflow:messagePayload>a</spiffworkflow:messagePayload></bpmn:extensionElements>"
    return xml(step("a") + ev("intermediateThrowEvent", "t", "message", inner), "s>a; a>t; t>e", more=keys)


SURFACES = {
    "condition": condition,
    "inclusive": inclusive,
    "duration": timer(dur),
    "date": timer(date),
    "cycle": timer(cyc),
    "boundary": boundary,
    "cardinality": cardinality,
    "completion": completion,
    "loop": loop,
    "parameter": parameter,
    "conditional": conditional,
    "payload": payload,
    "correlation": correlation,
}


HARMLESS = {
    "condition": "a.b = 1",
    "inclusive": "a.b = 1",
    "duration": 'duration("PT1H")',
    "date": 'date and time("2026-01-05T00:00:00+07:00")',
    "cycle": '"R1/PT1H"',
    "boundary": 'duration("PT1H")',
    "cardinality": "a.y",
    "completion": "a.b = 1",
    "loop": "a.b = 2",
    "parameter": '"x"',
    "conditional": "true",
    "payload": "a",
    "correlation": "b",
}


def run(surface, text):
    """Return how the engine refused a diagram with *text* on that surface, or None."""
    try:
        document = SURFACES[surface](text).replace(b"\x0b", b" ")
        case = Case(document, operators={"notice/send": lambda _: {}})
        # The step is completed from stored bytes: the engine that evaluates is the one the reload was given.
        case.done("a", {"b": 1, "y": 2})
        case.later(days=100)
    except EngineError as refused:
        return refused
    return None


@pytest.mark.parametrize("surface", SURFACES)
def test_a_harmless_text_is_evaluated_there(surface):
    assert run(surface, HARMLESS[surface]) is None


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_runs_nothing_and_ends_quickly(surface, attack):
    MARK.unlink(missing_ok=True)
    with effort() as work:
        refused = run(surface, attack)
    assert refused is None or refused.code.startswith(("process.", "xml."))
    assert not MARK.exists()
    assert work.calls < 2_000_000


def test_a_script_in_a_data_value_is_only_text():
    case = Case(condition('a.text = "x"'))
    case.done("a", {"text": f"__import__('os').system('touch {MARK}')"})
    assert not MARK.exists()
    assert case.last.outcome == "completed"
