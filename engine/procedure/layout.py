"""Judges a drawing by its interchange data: nothing overlaps, no line runs through a shape, labels fit and stay legible on A4."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from engine.procedure.diagram import ACTIVITIES, SUBPROCESSES, Box, Diagram, Edge, Shape

A4_LANDSCAPE = (842.0 - 2 * 28.35, 595.0 - 2 * 28.35)
"""Printable area in points: A4 landscape with margins of one centimetre; the diagram is never enlarged beyond 1:1 (0.75 pt a unit)."""
FONT = 12.0
OUTSIDE_FONT = 11.0
"""Sizes in which viewers set labels, in units of the drawing."""
MIN_POINTS = 7.0
LINE_HEIGHT = 1.2
LETTER_WIDTH = 0.52
"""Mean width of a letter of a sans serif face, as a part of its size; Vietnamese letters with marks are as wide as plain ones."""
PADDING = 7.0
TOUCH = 0.5


@dataclass(frozen=True, slots=True)
class Flaw:
    """One fault of a drawing: *rule*, the elements at fault, and numbers for its sentence."""

    rule: str
    elements: tuple[str, ...]
    x: float
    y: float
    detail: str = ""


def check_layout(diagram: Diagram) -> list[Flaw]:
    """Return every flaw of the drawing, in a stable order."""
    flaws = [*_undrawn(diagram), *_overlaps(diagram), *_crossings(diagram), *_outside(diagram), *_labels(diagram), *_legible(diagram)]
    return sorted(flaws, key=lambda flaw: (flaw.rule, flaw.elements))


def extent(diagram: Diagram) -> Box | None:
    """Return the rectangle around everything drawn."""
    boxes = [shape.box for shape in diagram.shapes] + [shape.label for shape in diagram.shapes if shape.label is not None]
    xs = [x for edge in diagram.edges for x, _ in edge.points] + [box.x for box in boxes] + [box.right for box in boxes]
    ys = [y for edge in diagram.edges for _, y in edge.points] + [box.y for box in boxes] + [box.bottom for box in boxes]
    return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)) if xs and ys else None


def points_on_a4(diagram: Diagram, size: float = FONT) -> float:
    """Return how many points a label of *size* units has when the diagram is fitted to A4, upright or across, whichever suits it."""
    whole = extent(diagram)
    if whole is None or not whole.width or not whole.height:
        return size * 0.75
    width, height = A4_LANDSCAPE
    fit = max(min(width / whole.width, height / whole.height), min(height / whole.width, width / whole.height))
    return size * min(fit, 0.75)


def lines_needed(text: str, width: float, size: float) -> int:
    """Return the lines *text* takes when wrapped to *width* units; a word wider than the line counts as several."""
    letters = max(1, int(width / (size * LETTER_WIDTH)))
    lines, used = 1, 0
    for word in text.split():
        length = len(word)
        if used and used + 1 + length <= letters:
            used += 1 + length
            continue
        lines += 1 if used else 0
        lines += (length - 1) // letters
        used = length % letters or min(length, letters)
    return lines


def _undrawn(diagram: Diagram) -> Iterator[Flaw]:
    drawn = {shape.element for shape in diagram.shapes}
    lines = {edge.element for edge in diagram.edges}
    for node in diagram.nodes.values():
        if node.id not in drawn:
            yield Flaw("layout.undrawn", (node.id,), 0, 0)
    for flow in diagram.flows.values():
        if flow.id not in lines:
            yield Flaw("layout.undrawn", (flow.id,), 0, 0)


def _is_frame(diagram: Diagram, shape: Shape) -> bool:
    """Pools, lanes and open sub-processes contain others; everything else stands alone."""
    node = diagram.nodes.get(shape.element)
    return (node is None and not _is_artifact(diagram, shape)) or (
        node is not None and node.kind in SUBPROCESSES and bool(diagram.inside(node.id))
    )


def _is_artifact(diagram: Diagram, shape: Shape) -> bool:
    framed = {lane.id for lane in diagram.lanes} | {pool for pool, _, _ in diagram.pools}
    return shape.element not in framed and shape.element not in diagram.nodes


def _solid(diagram: Diagram) -> list[Shape]:
    return [shape for shape in diagram.shapes if not _is_frame(diagram, shape)]


def _overlaps(diagram: Diagram) -> Iterator[Flaw]:
    for one, other in combinations(_solid(diagram), 2):
        if _attached(diagram, one, other):
            continue
        if _meet(one.box, other.box):
            yield Flaw("layout.overlap", (one.element, other.element), other.box.x, other.box.y)


def _attached(diagram: Diagram, one: Shape, other: Shape) -> bool:
    for event, host in ((one, other), (other, one)):
        node = diagram.nodes.get(event.element)
        if node is not None and node.attached_to == host.element:
            return True
    return False


def _meet(one: Box, other: Box, by: float = TOUCH) -> bool:
    return one.x + by < other.right and other.x + by < one.right and one.y + by < other.bottom and other.y + by < one.bottom


def _crossings(diagram: Diagram) -> Iterator[Flaw]:
    solid = _solid(diagram)
    for edge in diagram.edges:
        ends = _ends(diagram, edge)
        for shape in solid:
            if shape.element in ends:
                continue
            node = diagram.nodes.get(shape.element)
            if node is not None and node.attached_to in ends and node.kind == "boundaryEvent" and not _deep(edge, shape.box):
                continue
            if any(_through(a, b, shape.box) for a, b in zip(edge.points, edge.points[1:], strict=False)):
                yield Flaw("layout.crossing", (edge.element, shape.element), shape.box.x, shape.box.y)


def _deep(edge: Edge, box: Box) -> bool:
    inner = Box(box.x + 3, box.y + 3, box.width - 6, box.height - 6)
    return any(_through(a, b, inner) for a, b in zip(edge.points, edge.points[1:], strict=False))


def _ends(diagram: Diagram, edge: Edge) -> set[str]:
    flow = diagram.flows.get(edge.element)
    if flow is not None:
        return {flow.source, flow.target}
    element = next(iter(diagram.root.xpath("//*[@id=$name]", name=edge.element)), None)
    return {element.get("sourceRef", ""), element.get("targetRef", "")} if element is not None else set()


def _through(start: tuple[float, float], end: tuple[float, float], box: Box) -> bool:
    """Return whether the segment passes the inside of *box* (Liang–Barsky)."""
    left, right, top, bottom = box.x + TOUCH, box.right - TOUCH, box.y + TOUCH, box.bottom - TOUCH
    dx, dy = end[0] - start[0], end[1] - start[1]
    first, last = 0.0, 1.0
    for step, distance in ((-dx, start[0] - left), (dx, right - start[0]), (-dy, start[1] - top), (dy, bottom - start[1])):
        if step == 0:
            if distance < 0:
                return False
        elif step < 0:
            first = max(first, distance / step)
        else:
            last = min(last, distance / step)
    return first < last


def _outside(diagram: Diagram) -> Iterator[Flaw]:
    frames = {shape.element: shape.box for shape in diagram.shapes}
    for lane in diagram.lanes:
        frame = frames.get(lane.id)
        if frame is None:
            continue
        for member in lane.members:
            box = frames.get(member) if member in diagram.nodes else None
            if box is not None and not _contains(frame, box, 18.0 if diagram.nodes[member].kind == "boundaryEvent" else 0.0):
                yield Flaw("layout.outside", (member, lane.id), box.x, box.y)
    for node in diagram.nodes.values():
        parent, box = frames.get(node.container), frames.get(node.id)
        if parent is not None and box is not None and not _contains(parent, box, 0.0):
            yield Flaw("layout.outside", (node.id, node.container), box.x, box.y)


def _contains(frame: Box, box: Box, slack: float) -> bool:
    return frame.x - slack <= box.x and frame.y - slack <= box.y and box.right <= frame.right + slack and box.bottom <= frame.bottom + slack


def _labels(diagram: Diagram) -> Iterator[Flaw]:
    solid = _solid(diagram)
    for shape in diagram.shapes:
        node = diagram.nodes.get(shape.element)
        closed = node is not None and node.kind in ACTIVITIES and not _is_frame(diagram, shape)
        if node is not None and closed and not _fits(node.name, shape.box, FONT):
            yield Flaw("layout.label_long", (node.id,), shape.box.x, shape.box.y, node.name)
    placed = [(shape.element, shape.label) for shape in diagram.shapes] + [(edge.element, edge.label) for edge in diagram.edges]
    labels = [(element, box) for element, box in placed if box is not None]
    for element, box in labels:
        for shape in solid:
            if shape.element != element and _meet(box, shape.box, 1.0):
                yield Flaw("layout.label_covered", (element, shape.element), box.x, box.y)
    for (one, first), (other, second) in combinations(labels, 2):
        if _meet(first, second, 1.0):
            yield Flaw("layout.label_covered", (one, other), first.x, first.y)


def _fits(text: str, box: Box, size: float) -> bool:
    width = box.width - 2 * PADDING
    longest = max((len(word) for word in text.split()), default=0)
    lines = lines_needed(text, width, size)
    return longest * size * LETTER_WIDTH <= width and lines * size * LINE_HEIGHT <= box.height - PADDING


def _legible(diagram: Diagram) -> Iterator[Flaw]:
    points = points_on_a4(diagram, OUTSIDE_FONT)
    if points < MIN_POINTS:
        yield Flaw("layout.small", (), 0, 0, f"{points:.1f}")
