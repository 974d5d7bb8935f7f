"""Two versions of a procedure beside each other: which element of either diagram each change is about, and in which colour it is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.procedure.diagram import Diagram, Flow
from engine.procedure.difference import Change, difference
from engine.procedure.package import Package, template_file

MARKS = ("moved", "added", "removed", "changed")
"""How an element is marked, the strongest first: a step in another lane is other people's work, whatever else changed about it."""


@dataclass(frozen=True, slots=True)
class Told:
    """A change with its number, its mark (one of `MARKS`, empty when nothing drawn shows it) and its elements in either diagram."""

    number: int
    change: Change
    mark: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changes, in words and on both diagrams: mark → identifiers, every element under its strongest mark."""

    told: tuple[Told, ...] = ()
    before: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    after: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes in words, work that moved to another lane first."""
        return tuple(one.change for one in self.told)


def comparison(old: Package, new: Package) -> Comparison:
    """Return what *new* changes against *old*.

    Raises:
        Refused: one of the diagrams cannot be read.
    """
    told = tuple(
        Told(number, change, _mark(change), _elements(change, old, new), _elements(change, new, old))
        for number, change in enumerate(difference(old, new), start=1)
    )
    gone, come = _ways(old.diagram, new.diagram)
    before = [(one.mark, one.before) for one in told] + [("removed", gone)]
    after = [(one.mark, one.after) for one in told] + [("added", come)]
    return Comparison(told, _strongest(before), _strongest(after))


def _mark(change: Change) -> str:
    kind, _, what = change.kind.partition(".")
    if kind == "step":
        return {"lane": "moved", "added": "added", "removed": "removed"}.get(what, "changed")
    return "" if kind in ("drawing", "content") else "changed"


def _elements(change: Change, own: Package, other: Package) -> tuple[str, ...]:
    """Return what of the own diagram a change is about: the step, the way, or the steps that use a form, document or lane."""
    diagram, kind = own.diagram, change.kind.partition(".")[0]
    if kind == "step" or (kind == "route" and change.element in diagram.nodes):
        return (change.element,) if change.element in diagram.nodes else ()
    if kind == "route":
        flow = diagram.flows.get(change.element) or other.diagram.flows.get(change.element)
        return tuple(one.id for one in diagram.leaving(flow.source) if one.target == flow.target) if flow else ()
    if kind in ("form", "field"):
        return _users(own, {"form": change.element.partition(".")[0]})
    if kind == "document":
        return _users(own, {"document": change.element})
    if kind == "lane":
        return tuple(lane.id for lane in diagram.lanes if lane.name == change.element)
    if kind == "file":
        kinds = [one.key for one in own.documents if template_file(one.template) == change.element]
        return tuple(name for key in kinds for name in _users(own, {"document": key}))
    return ()


def _users(package: Package, wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Return the steps with one of these properties; the start stands for the form of the reception."""
    starts = [node.id for node in package.diagram.nodes.values() if node.kind == "startEvent"][:1]
    begun = starts if package.start_form is not None and wanted.get("form") == package.start_form else []
    using = [node.id for node in package.diagram.nodes.values() if any(node.properties.get(key) == value for key, value in wanted.items())]
    return (*begun, *using)


def _ways(old: Diagram, new: Diagram) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the flows only *old* has and those only *new* has; a flow is what it joins, whatever its identifier."""

    def ends(flows: Iterable[Flow]) -> set[tuple[str, str]]:
        return {(flow.source, flow.target) for flow in flows}

    def only(flows: Iterable[Flow], known: set[tuple[str, str]]) -> tuple[str, ...]:
        return tuple(flow.id for flow in flows if (flow.source, flow.target) not in known)

    was, now = ends(old.flows.values()), ends(new.flows.values())
    return only(old.flows.values(), now), only(new.flows.values(), was)


def _strongest(found: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    marked: dict[str, str] = {}
    for mark, elements in sorted(((mark, elements) for mark, elements in found if mark), key=lambda one: MARKS.index(one[0])):
        for element in elements:
            marked.setdefault(element, mark)
    return {mark: tuple(name for name, own in marked.items() if own == mark) for mark in MARKS if mark in marked.values()}
