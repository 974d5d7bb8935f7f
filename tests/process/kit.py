"""Small diagrams in one line: nodes, flows, events. `'s>a; a>x; x>b?cond; x>e'` are flows; s and e are the start and the end event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine.process import instance
from engine.process.program import build

BPMN_NS = "http://www.omg.org/spec/BPMN/20100524/MODEL"
NS = f'xmlns:bpmn="{BPMN_NS}" xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core"'
KINDS = {"signal": "", "message": "", "error": 'errorCode="1"', "escalation": 'escalationCode="1"'}  # ids: si me er es
REFS = "".join(f'<bpmn:{k} id="{k[:2]}" name="{k[:2]}" {a}/>' for k, a in KINDS.items())


def el(tag, node, inner="", **a):
    return f'<bpmn:{tag} id="{node}"' + "".join(f' {k}="{v}"' for k, v in a.items()) + f">{inner}</bpmn:{tag}>"


def ext(inner="", **tags):
    written = "".join(f"<spiffworkflow:{k}>{v}</spiffworkflow:{k}>" for k, v in tags.items())
    return f"<bpmn:extensionElements>{inner}{written}</bpmn:extensionElements>"


def props(**values):
    return ext(
        "<spiffworkflow:properties>"
        + "".join(f'<spiffworkflow:property name="{k}" value="{v}"/>' for k, v in values.items())
        + "</spiffworkflow:properties>"
    )


def ev(tag, node, kind, inner="", **a):
    ref = f' {kind}Ref="{kind[:2]}"' if kind in KINDS else ""
    return el(tag, node, f"<bpmn:{kind}EventDefinition{ref}>{inner}</bpmn:{kind}EventDefinition>", **a)


def dur(x):
    return f"<bpmn:timeDuration>{x}</bpmn:timeDuration>"


def date(x):
    return f"<bpmn:timeDate>{x}</bpmn:timeDate>"


def cyc(x):
    return f"<bpmn:timeCycle>{x}</bpmn:timeCycle>"


def ut(node, inner=""):
    return el("userTask", node, inner)


def step(node, inner="", **properties):
    """A user task that stores its answers under its own name."""
    return el("userTask", node, props(**{"form": node, **properties}) + inner, name=f"Step {node}")


def script(code):
    return el("scriptTask", "x", f"<bpmn:script>{code}</bpmn:script>")


def tim(node, d):
    return ev("intermediateCatchEvent", node, "timer", dur(d))


def operator(node, name, result="", **parameters):
    given = "".join(f'<spiffworkflow:parameter id="{k}" value="{v}"/>' for k, v in parameters.items())
    variable = f' resultVariable="{result}"' if result else ""
    inner = f"<spiffworkflow:parameters>{given}</spiffworkflow:parameters>"
    call = f'<spiffworkflow:serviceTaskOperator id="{name}"{variable}>{inner}</spiffworkflow:serviceTaskOperator>'
    return el("serviceTask", node, ext(call))


def one(pair, _, c):
    a, b = pair.strip().split(">")
    condition = c and f"<bpmn:conditionExpression><![CDATA[{c}]]></bpmn:conditionExpression>"
    return el("sequenceFlow", f"{a}__{b}", condition, sourceRef=a, targetRef=b)


def fl(flows):
    return "".join(one(*f.partition("?")) for f in flows.split(";"))


def sub(node, body, flows, **a):
    return el("subProcess", node, el("startEvent", "ss") + body + el("endEvent", "se") + fl(flows), **a)


def process(node, body, flows, inner=""):
    """A process; the one named `p` has the start `s` and the end `e`, one named `pq` has `qs` and `qe`."""
    start, end = f'<bpmn:startEvent id="{node[1:]}s"/>', f'<bpmn:endEvent id="{node[1:]}e"/>'
    return f'<bpmn:process id="{node}" isExecutable="true">{inner}{start}{body}{end}{fl(flows)}</bpmn:process>'


def xml(body, flows, more="", inner=""):
    return f'<bpmn:definitions {NS} id="d" targetNamespace="u">{process("p", body, flows, inner)}{more}{REFS}</bpmn:definitions>'.encode()


GJ = [el("parallelGateway", i) for i in "gj"]


def xor(node, default=""):
    return el("exclusiveGateway", node, **({"default": default} if default else {}))


def esp(kind, inner="", intr="false"):
    body = ev("startEvent", "es0", kind, inner, isInterrupting=intr) + ut("h") + el("endEvent", "ese") + fl("es0>h; h>ese")
    return ut("a") + el("subProcess", "E", body, triggeredByEvent="true"), "s>a; a>e"


def bnd(inner, **k):
    return (
        ut("a") + ev("boundaryEvent", "b", "timer", inner, attachedToRef="a", **k) + ut("late") + ut("ontime"),
        "s>a; a>ontime; ontime>e; b>late; late>e",
    )


def catch(kind, inner=""):
    return ev("intermediateCatchEvent", "c", kind, inner) + ut("a"), "s>c; c>a; a>e"


def mi(n, **a):
    return el("multiInstanceLoopCharacteristics", "m", f"<bpmn:loopCardinality>{n}</bpmn:loopCardinality>", **a)


def evgw(x, y):
    return el("eventBasedGateway", "g") + x + y + ut("tx") + ut("ty"), "s>g; g>x; g>y; x>tx; y>ty; tx>e; ty>e"


# -- through our own door -------------------------------------------------------------------------------------------------------

MONDAY = datetime(2025, 11, 24, 1, 0, tzinfo=UTC)  # 08:00 in Việt Nam


class Case:
    """An instance driven through the public functions, reloaded from its bytes by every one of them."""

    def __init__(self, diagram, now=MONDAY, operators=None, functions=None, dossier=None, **variables):
        self.program = build("test", diagram)
        self.now, self.operators, self.functions, self.dossier = now, operators or {}, functions or {}, dossier or {}
        self.last = instance.start(self.program, variables, self.context)

    @property
    def context(self):
        return instance.Context(now=self.now, operators=self.operators, functions=self.functions, dossier=self.dossier)

    @property
    def ready(self):
        return [task.step for task in self.last.ready]

    def task(self, step):
        return next(task for task in self.last.ready if task.step == step)

    def done(self, step, answers=None, variable=...):
        task = self.task(step)
        name = task.properties.get("form") if variable is ... else variable
        self.last = instance.complete(self.program, self.last.state, task.uuid, name, answers, self.context)
        return self

    def later(self, **time):
        self.now += timedelta(**time)
        self.last = instance.fire(self.program, self.last.state, self.context)
        return self

    def message(self, name, payload=None):
        self.last = instance.receive(self.program, self.last.state, name, payload, self.context)
        return self

    def back(self, step):
        self.last = instance.send_back(self.program, self.last.state, step, self.context)
        return self

    @property
    def targets(self):
        return [task.step for task in instance.send_back_targets(self.program, self.last.state)]

    @property
    def view(self):
        return instance.view(self.program, self.last.state)
