"""``motcua bench gate``: how long the publication gate takes over diagrams of 300 nodes on one level, shape by shape.

Every shape is judged whole: schema, normaliser, rules, soundness. "proved" says whether the state space was walked to its end; where it
was not, the report says "not proved" and nothing is claimed. Times are processor time, the better of two rounds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from engine.procedure.gate import check
from engine.procedure.loader import load_files
from engine.procedure.package import Package
from engine.procedure.rules import STRUCTURE
from engine.procedure.rules.examined import Examined
from engine.process import schema

NODES = 300
LIMIT_SECONDS = 2.0
LANE = "Phòng chuyên môn"
BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
DECLARATION = f"""
key = "trial"
code = "1.000001"
scope = "internal"
effective_from = 2026-01-01
[name]
vi = "Thử"
en = "Trial"
[term]
amount = 1000
unit = "working_day"
legal_basis = "Quy chế"
[[lane]]
id = "{LANE}"
role = "specialist"
unit = "deciding"
[lane.title]
vi = "Chuyên viên"
en = "Specialist"
"""
FORM = json.dumps(
    {"components": [{"type": "textfield", "key": "note", "label": "Ghi chú", "label_en": "Note", "validate": {"required": True}}]}
).encode()


class Drawing:
    """A diagram that grows node by node; ``s`` is its start, ``e`` what closes the dossier at its end."""

    def __init__(self) -> None:
        self.nodes: list[str] = []
        self.flows: list[str] = []
        self.members: list[str] = []
        self._open("startEvent", "s")

    def _open(self, kind: str, name: str, inner: str = "", attributes: str = "") -> str:
        self.nodes.append(f'<bpmn:{kind} id="{name}" name="{name}"{attributes}>{inner}</bpmn:{kind}>')
        self.members.append(name)
        return name

    @property
    def count(self) -> int:
        """Nodes so far, with the end that comes last."""
        return len(self.nodes) + 2

    def step(self) -> str:
        """Add a complete step of a person."""
        name = f"u{len(self.nodes)}"
        given = {"form": "note", "variable": name, "stage_hours": "1", "name_en": name}
        listed = "".join(f'<spiffworkflow:property name="{key}" value="{value}"/>' for key, value in given.items())
        inner = f"<bpmn:extensionElements><spiffworkflow:properties>{listed}</spiffworkflow:properties></bpmn:extensionElements>"
        return self._open("userTask", name, inner)

    def gate(self, kind: str, default: str = "") -> str:
        """Add a gateway."""
        return self._open(f"{kind}Gateway", f"g{len(self.nodes)}", attributes=f' default="{default}"' if default else "")

    def reminder(self, host: str) -> str:
        """Add a deadline on *host* that does not interrupt it."""
        timer = "<bpmn:timerEventDefinition><bpmn:timeDuration>P1D</bpmn:timeDuration></bpmn:timerEventDefinition>"
        return self._open("boundaryEvent", f"b{len(self.nodes)}", timer, f' attachedToRef="{host}" cancelActivity="false"')

    def flow(self, source: str, target: str, condition: str = "") -> None:
        """Connect two nodes."""
        inner = f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition else ""
        self.flows.append(
            f'<bpmn:sequenceFlow id="{source}__{target}" sourceRef="{source}" targetRef="{target}">{inner}</bpmn:sequenceFlow>'
        )

    def way(self, *names: str) -> None:
        """Connect nodes one after the other."""
        for source, target in pairwise(names):
            self.flow(source, target)

    def package(self) -> Package:
        """Return a package around the diagram."""
        operator = '<spiffworkflow:serviceTaskOperator id="dossier/close"><spiffworkflow:parameters/></spiffworkflow:serviceTaskOperator>'
        self._open("serviceTask", "e", f"<bpmn:extensionElements>{operator}</bpmn:extensionElements>")
        self._open("endEvent", "z")
        self.flow("e", "z")
        lane = "".join(f"<bpmn:flowNodeRef>{name}</bpmn:flowNodeRef>" for name in self.members)
        xml = (
            f'<bpmn:definitions xmlns:bpmn="{BPMN}" xmlns:spiffworkflow="{SPIFF}" id="d" targetNamespace="u"><bpmn:process id="p" '
            f'isExecutable="true"><bpmn:laneSet id="l"><bpmn:lane id="l1" name="{LANE}">{lane}</bpmn:lane></bpmn:laneSet>'
            f"{''.join(self.nodes)}{''.join(self.flows)}</bpmn:process></bpmn:definitions>"
        )
        files = {"procedure.toml": DECLARATION.encode(), "process.bpmn": xml.encode(), "forms/note.json": FORM}
        return load_files(files, "trial")


def chain() -> Package:
    """One step after the other."""
    drawing = Drawing()
    names = [drawing.step() for _ in range(NODES - 3)]
    drawing.way("s", *names, "e")
    return drawing.package()


def choices() -> Package:
    """Choices one after the other, each with two ways that meet again, and every third with a way back."""
    drawing = Drawing()
    last = "s"
    number = 0
    while drawing.count + 4 <= NODES:
        join, asked = drawing.gate("exclusive"), drawing.step()
        split = f"g{len(drawing.nodes)}"
        other = f"u{len(drawing.nodes) + 1}"
        drawing.gate("exclusive", f"{split}__{other}")
        drawing.step()
        drawing.way(last, join, asked, split, other)
        if number % 3 == 0:
            drawing.flow(split, join, f'{asked}.note = "x"')
        else:
            last_join = drawing.gate("exclusive") if drawing.count + 4 <= NODES else ""
            if last_join:
                drawing.flow(split, last_join, f'{asked}.note = "x"')
                drawing.flow(other, last_join)
                other = last_join
            else:
                drawing.flow(split, join, f'{asked}.note = "x"')
        last, number = other, number + 1
    drawing.flow(last, "e")
    return drawing.package()


def _branches(kind: str, branches: int, *, sound: bool = True) -> Package:
    drawing = Drawing()
    first = "g1"
    default = f"{first}__u3" if kind != "parallel" else ""
    drawing.gate(kind, default)
    drawing.gate(kind if sound else "parallel")
    drawing.flow("s", first)
    length = (NODES - 5) // branches
    for number in range(branches):
        names = [drawing.step() for _ in range(length)]
        drawing.flow(first, names[0], "" if kind == "parallel" or not number else "true")
        drawing.way(*names, "g2")
    drawing.flow("g2", "e")
    return drawing.package()


def _choosing(kind: str, branches: int) -> Package:
    """Branches side by side, each a row of choices with a way back: as many states as the choices of all branches together."""
    drawing = Drawing()
    first, last = drawing.gate(kind, "g1__g3" if kind != "parallel" else ""), drawing.gate(kind)
    drawing.flow("s", first)
    for number in range(branches):
        left = (NODES - drawing.count) // (branches - number)
        before = first
        for place in range(left // 3):
            join, name = drawing.gate("exclusive"), drawing.step()
            split = f"g{len(drawing.nodes)}"
            following = last if place == left // 3 - 1 else f"g{len(drawing.nodes) + 1}"
            drawing.gate("exclusive", f"{split}__{following}")
            drawing.flow(before, join, "true" if before == first and kind != "parallel" and number else "")
            drawing.way(join, name, split)
            drawing.flow(split, join, f'{name}.note = "x"')
            before = split
        drawing.flow(before, last)
    drawing.flow(last, "e")
    return drawing.package()


def nested() -> Package:
    """Parallel pairs inside parallel pairs, and again beside them."""
    drawing = Drawing()

    def block(depth: int) -> tuple[str, str]:
        if not depth:
            name = drawing.step()
            return name, name
        split, join = drawing.gate("parallel"), drawing.gate("parallel")
        for _ in range(2):
            begin, end = block(depth - 1)
            drawing.flow(split, begin)
            drawing.flow(end, join)
        return split, join

    last = "s"
    while drawing.count + 10 <= NODES:
        begin, end = block(2)
        drawing.flow(last, begin)
        last = end
    drawing.flow(last, "e")
    return drawing.package()


def reminders() -> Package:
    """Steps with a reminder beside each, which ends by itself."""
    drawing = Drawing()
    last = "s"
    while drawing.count + 4 <= NODES:
        name = drawing.step()
        event, told = drawing.reminder(name), drawing.step()
        end = f"e{len(drawing.nodes)}"
        drawing._open("endEvent", end)
        drawing.way(event, told, end)
        drawing.flow(last, name)
        last = name
    drawing.flow(last, "e")
    return drawing.package()


def tangled() -> Package:
    """Every step has a choice that leads on, or back to a step before the last: one great region of loops."""
    drawing = Drawing()
    joins: list[str] = []
    last = "s"
    while drawing.count + 3 <= NODES:
        join, name = drawing.gate("exclusive"), drawing.step()
        split, following = f"g{len(drawing.nodes)}", f"g{len(drawing.nodes) + 1}"
        ends = drawing.count + 4 > NODES
        drawing.gate("exclusive", f"{split}__{'e' if ends else following}")
        joins.append(join)
        drawing.way(last, join, name, split)
        drawing.flow(split, joins[max(0, len(joins) - 4)], f'{name}.note = "x"')
        last = split
    drawing.flow(last, "e")
    return drawing.package()


SHAPES: dict[str, Callable[[], Package]] = {
    "chain": chain,
    "choices": choices,
    "tangled": tangled,
    "parallel_2": lambda: _branches("parallel", 2),
    "parallel_3": lambda: _branches("parallel", 3),
    "parallel_14": lambda: _branches("parallel", 14),
    "parallel_98": lambda: _branches("parallel", 98),
    "inclusive_5": lambda: _branches("inclusive", 5),
    "parallel_choices_10": lambda: _choosing("parallel", 10),
    "inclusive_choices_6": lambda: _choosing("inclusive", 6),
    "nested": nested,
    "reminders": reminders,
    "deadlock": lambda: _branches("exclusive", 4, sound=False),
}
"""Every shape has 290 to 300 nodes on one level."""
STRUCTURAL = frozenset(("deadlock", "twice", "dead", "livelock", "not-proved"))


def measure() -> dict[str, Any]:
    """Return the figures of one run."""
    shapes = {name: _judged(make) for name, make in SHAPES.items()}
    slowest = max(shapes, key=lambda name: shapes[name]["seconds"])
    return {
        "shapes": shapes,
        "slowest": slowest,
        "slowest_s": shapes[slowest]["seconds"],
        "limit_s": LIMIT_SECONDS,
        "within_limit": shapes[slowest]["seconds"] <= LIMIT_SECONDS,
        "python": sys.version.split()[0],
    }


def _judged(make: Callable[[], Package]) -> dict[str, Any]:
    rounds = []
    for _ in range(2):
        package = make()
        begun = time.process_time()
        report = check(package).with_findings(schema.broken(package.diagram))
        rounds.append(time.process_time() - begun)
    examined = Examined(package)
    unwalked = any(one.severity == "refused" for rule in STRUCTURE for one in rule(examined))
    found = sorted({finding.rule for finding in report.findings if finding.rule in STRUCTURAL})
    return {
        "nodes": len(package.diagram.nodes),
        "seconds": round(min(rounds), 3),
        "proved": "not-proved" not in found and not unwalked,
        "found": found,
        "refused": len(report.refused),
    }


def lines(figures: dict[str, Any]) -> Iterator[str]:
    """Yield the figures for people."""
    for name, row in figures["shapes"].items():
        verdict = "proved" if row["proved"] else "not proved"
        yield f"{name:12} {row['nodes']:4} nodes  {row['seconds']:6.2f} s  {verdict:10}  {', '.join(row['found'])}"
    yield f"slowest: {figures['slowest']} in {figures['slowest_s']:.2f} s, the limit is {LIMIT_SECONDS:g} s"


def main(as_json: bool) -> int:
    """Measure and print."""
    figures = measure()
    print(json.dumps(figures, ensure_ascii=False, indent=2) if as_json else "\n".join(lines(figures)))
    return 0


if __name__ == "__main__":
    sys.exit(main("--json" in sys.argv))
