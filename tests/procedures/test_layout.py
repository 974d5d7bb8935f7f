"""The check of drawings finds each kind of flaw."""

from __future__ import annotations

import pytest

from engine.procedure.diagram import Box
from engine.procedure.diagram_reader import read_diagram
from engine.procedure.layout import check_layout, lines_needed, points_on_a4
from tests.procedures.packages import diagram
from tests.process.kit import el

DI = "http://www.omg.org/spec/BPMN/20100524/DI"


def drawn(shapes, edges=(), name="Bước"):
    body = el("userTask", "a", name=name) + el("userTask", "b", name="Bước")
    xml = diagram(body, "s>a; a>b; b>e", lane=False).decode()
    shapes = {"s": (0, 20, 36, 36), "a": (100, 0, 100, 80), "b": (300, 0, 100, 80), "e": (500, 20, 36, 36), **shapes}
    edges = {"s__a": ((36, 38), (100, 38)), "a__b": ((200, 40), (300, 40)), "b__e": ((400, 38), (500, 38)), **dict(edges)}
    parts = ""
    for element, box in shapes.items():
        if box is not None:
            x, y, width, height = box
            parts += f'<di:BPMNShape bpmnElement="{element}"><dc:Bounds x="{x}" y="{y}" width="{width}" height="{height}"/></di:BPMNShape>'
    for element, points in edges.items():
        written = "".join(f'<p:waypoint x="{x}" y="{y}"/>' for x, y in points)
        parts += f'<di:BPMNEdge bpmnElement="{element}">{written}</di:BPMNEdge>'
    space = f'xmlns:di="{DI}" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:p="http://www.omg.org/spec/DD/20100524/DI"'
    plane = f"<di:BPMNDiagram {space}><di:BPMNPlane>{parts}</di:BPMNPlane></di:BPMNDiagram>"
    return read_diagram(xml.replace("</bpmn:definitions>", f"{plane}</bpmn:definitions>").encode())


def flaws(*given, **named):
    return {flaw.rule for flaw in check_layout(drawn(*given, **named))}


def test_a_tidy_drawing_has_no_flaw():
    assert flaws({}) == set()


@pytest.mark.parametrize(
    ("shapes", "edges", "rule"),
    [
        ({"b": (150, 40, 100, 80)}, {}, "layout.overlap"),
        ({"b": None}, {}, "layout.undrawn"),
        ({}, {"s__a": ((36, 38), (350, 38), (350, 200), (100, 40))}, "layout.crossing"),
        ({"e": (2500, 20, 36, 36)}, {"b__e": ((400, 38), (2500, 38))}, "layout.small"),
    ],
)
def test_each_flaw_is_found(shapes, edges, rule):
    assert rule in flaws(shapes, edges)


def test_a_name_that_does_not_fit_is_found():
    assert flaws({}, name="Một cái tên rất dài không thể nào viết vừa trong một khung nhỏ như thế này được đâu") == {"layout.label_long"}


def test_a_diagram_is_never_enlarged_and_shrinks_to_fit():
    assert points_on_a4(drawn({}), 12) == 9.0
    assert points_on_a4(drawn({"e": (2000, 20, 36, 36)}), 12) < 5


def test_long_words_take_several_lines():
    assert lines_needed("một hai ba", 1000, 12) == 1
    assert lines_needed("a" * 100, 100, 12) > 5
    assert Box(1, 2, 3, 4).right == 4
