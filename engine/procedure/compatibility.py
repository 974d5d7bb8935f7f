"""May a running dossier go on under another version of its procedure? Pure: two packages, where the dossier stands, and a verdict.

The rule is about the past, the present and the future of one dossier. What it has already done must mean the same in the new version; where
it stands must exist there; what still lies ahead may change freely, that is what a new version is for. Everything in between (its present
step passes to another role, a step was inserted that it would skip) is for a person to decide, never for a program.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from engine.procedure.diagram import Diagram, Node
from engine.procedure.identity import canonical_json, loaded
from engine.procedure.normaliser import normalise
from engine.procedure.package import Package

Class = Literal["untouched", "automatic", "choice", "refused"]
CLASSES: Final[tuple[Class, ...]] = ("untouched", "automatic", "choice", "refused")
_MEANING = ("action", "variable", "form", "document", "assign", "capacity")
_WORDING = frozenset({"name_en", "instructions", "instructions_en"})
_REGION = ("parallelGateway", "inclusiveGateway")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a dossier stands in its class: a code and the element of the diagram it is about."""

    code: str
    element: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The class of one dossier with its reasons; ``new_steps`` are inserted steps it would skip and may be placed on."""

    kind: Class
    reasons: tuple[Reason, ...]
    new_steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dossier stands on its diagram: nodes done at least once, nodes that hold a token or wait for an event now."""

    done: frozenset[str]
    live: frozenset[str]


@dataclass(frozen=True)
class Comparison:
    """Two versions side by side, computed once for all dossiers between them."""

    old: Package
    new: Package
    before: Diagram = field(init=False)
    after: Diagram = field(init=False)
    changed: Mapping[str, frozenset[str]] = field(init=False)
    """For every node whose meaning, people, time or form differ: in which of these respects."""
    files: bool = field(init=False)
    """Whether a template or a decision table differs."""

    def __post_init__(self) -> None:
        """Read both diagrams in their normal form, as they run."""
        object.__setattr__(self, "before", normalise(self.old.whole).diagram)
        object.__setattr__(self, "after", normalise(self.new.whole).diagram)
        object.__setattr__(self, "changed", dict(self._changed()))
        object.__setattr__(self, "files", _aside(self.old) != _aside(self.new))

    def _changed(self) -> Iterator[tuple[str, frozenset[str]]]:
        for name in self.before.nodes.keys() & self.after.nodes.keys():
            respects = frozenset(self._respects(self.before.nodes[name], self.after.nodes[name]))
            if respects:
                yield name, respects

    def _respects(self, was: Node, now: Node) -> Iterator[str]:
        if was.kind != now.kind or was.operator != now.operator or was.loop != now.loop:
            yield "meaning"
        if any(was.properties.get(key) != now.properties.get(key) for key in _MEANING):
            yield "meaning"
        events, later = ([(one.kind, one.reference) for one in node.events] for node in (was, now))
        if events != later or was.attached_to != now.attached_to or was.interrupting != now.interrupting:
            yield "meaning"
        if [one.text for one in was.events] != [one.text for one in now.events] or was.properties.get("stage_hours") != now.properties.get(
            "stage_hours"
        ):
            yield "deadline"
        if self._people(self.old, was) != self._people(self.new, now):
            yield "role"
        form = now.properties.get("form")
        if form and form == was.properties.get("form") and _form(self.old, form) != _form(self.new, form):
            yield "form"
        known = {*_MEANING, *_WORDING, "stage_hours"}
        if {k: v for k, v in was.properties.items() if k not in known} != {k: v for k, v in now.properties.items() if k not in known}:
            yield "properties"
        if _ways(self.before, was) != _ways(self.after, now):
            yield "route"
        if {one.id for one in self.before.boundary(was.id)} != {one.id for one in self.after.boundary(now.id)}:
            yield "boundary"

    @staticmethod
    def _people(package: Package, node: Node) -> tuple[Any, ...]:
        lane = package.lane(node.lane)
        return (node.lane, lane.role, lane.unit) if lane is not None else (node.lane,)

    def judge(self, place: Place) -> Verdict:
        """Return the verdict on a dossier that stands at *place* under the old version."""
        refused = sorted(set(self._refused(place)), key=_order)
        if refused:
            return Verdict("refused", tuple(refused))
        inserted = tuple(sorted(self._inserted(place)))
        choice = sorted({*self._choices(place), *(Reason("step_added_before", one) for one in inserted)}, key=_order)
        if choice:
            return Verdict("choice", tuple(choice), inserted)
        ahead = sorted(set(self._ahead(place)), key=_order)
        return Verdict("automatic" if ahead else "untouched", tuple(ahead))

    def _refused(self, place: Place) -> Iterator[Reason]:
        for name in place.live:
            if name not in self.after.nodes:
                yield Reason("active_step_removed", name)
            elif self.changed.get(name, frozenset()) & {"meaning"}:
                yield Reason("active_step_changed", name)
            elif "boundary" in self.changed.get(name, ()):
                yield Reason("active_boundary_changed", name)
        for name in place.done - place.live:
            if name not in self.after.nodes:
                yield Reason("done_step_removed", name)
            elif "meaning" in self.changed.get(name, ()):
                yield Reason("done_step_changed", name)
        tokens = [one for one in place.live if one in self.before.nodes and not self.before.nodes[one].attached_to]
        if len(tokens) > 1:
            # Several tokens run at once: the gateways that parted and will join them must be exactly the same.
            for name, node in {**self.before.nodes, **self.after.nodes}.items():
                if node.kind in _REGION and _gateway(self.before, name) != _gateway(self.after, name):
                    yield Reason("region_changed", name)

    def _choices(self, place: Place) -> Iterator[Reason]:
        codes = {"role": "active_role_changed", "deadline": "active_deadline_changed", "form": "active_form_changed"}
        for name in place.live:
            for respect in self.changed.get(name, ()):
                if respect in codes or respect == "properties":
                    yield Reason(codes.get(respect, "active_rules_changed"), name)
        for name in place.done - place.live:
            respects = self.changed.get(name, frozenset())
            if "form" in respects:
                yield Reason("answers_differ", name)
            node = self.before.nodes[name]
            if "route" in respects and node.kind.endswith("Gateway") and _conditions(self.before, name) != _conditions(self.after, name):
                yield Reason("passed_condition_changed", name)

    def _inserted(self, place: Place) -> Iterator[str]:
        """Yield the steps of the new version that lie between its beginning and where the dossier stands."""
        added = [node for name, node in self.after.nodes.items() if name not in self.before.nodes and _is_step(node)]
        for node in added:
            for live in place.live:
                here = _at_level(self.after, live, node.container)
                if here is None or here == node.id:
                    continue
                first = [one.id for one in self.after.inside(node.container) if not self.after.entering(one.id) and not one.attached_to]
                if node.id in _reach(self.after, first, without=here) and here in _reach(self.after, [node.id]):
                    yield node.id
                    break

    def _ahead(self, place: Place) -> Iterator[Reason]:
        was, now = _future(self.before, place.live), _future(self.after, place.live)
        for name in now - self.before.nodes.keys():
            yield Reason("ahead_added", name)
        for name in was - self.after.nodes.keys():
            yield Reason("ahead_removed", name)
        for name in (was | now) & self.changed.keys():
            yield Reason("ahead_changed", name)
        if self.files:
            yield Reason("ahead_papers_changed")


def _order(reason: Reason) -> tuple[str, str]:
    return reason.code, reason.element


def _form(package: Package, key: str) -> bytes | None:
    content = package.files.get(f"forms/{key}.json")
    return None if content is None else canonical_json(loaded(content))


def _aside(package: Package) -> dict[str, bytes]:
    return {name: content for name, content in package.files.items() if name.startswith(("templates/", "decisions/"))}


def _ways(diagram: Diagram, node: Node) -> tuple[Any, ...]:
    return (sorted((flow.target, (flow.condition or "").strip()) for flow in diagram.leaving(node.id)), _conditions(diagram, node.id))


def _conditions(diagram: Diagram, name: str) -> tuple[Any, ...]:
    flows, node = diagram.leaving(name), diagram.nodes[name]
    default = next((flow.target for flow in flows if flow.id == node.default), None)
    return (sorted((flow.target, flow.condition.strip()) for flow in flows if flow.condition), default)


def _gateway(diagram: Diagram, name: str) -> Any:
    node = diagram.nodes.get(name)
    if node is None:
        return None
    return (node.kind, node.container, len(diagram.entering(name)), len(diagram.leaving(name)))


def _is_step(node: Node) -> bool:
    return node.kind.endswith(("Task", "task", "callActivity", "subProcess"))


def _at_level(diagram: Diagram, name: str, container: str) -> str | None:
    """Return the node of *container* that *name* is, or stands inside of."""
    while name in diagram.nodes:
        node = diagram.nodes[name]
        if node.container == container:
            return node.attached_to or name
        name = node.container
    return None


def _reach(diagram: Diagram, starts: Collection[str], without: str = "") -> set[str]:
    """Return what can be reached from *starts* along flows and boundary events, not going through *without*."""
    seen, open_ends = set(starts) - {without}, [one for one in starts if one != without]
    while open_ends:
        name = open_ends.pop()
        onward = [flow.target for flow in diagram.leaving(name)] + [one.id for one in diagram.boundary(name)]
        for target in onward:
            if target != without and target not in seen:
                seen.add(target)
                open_ends.append(target)
    return seen


def _future(diagram: Diagram, live: Collection[str]) -> set[str]:
    """Return everything a dossier may still come to, its present place included: inside and around sub-processes too."""
    seen: set[str] = set()
    open_ends = [one for one in live if one in diagram.nodes]
    callers = {node.attributes.get("calledElement"): name for name, node in diagram.nodes.items() if node.kind == "callActivity"}
    while open_ends:
        name = open_ends.pop()
        if name in seen or name not in diagram.nodes:
            continue
        seen.add(name)
        node = diagram.nodes[name]
        open_ends += [flow.target for flow in diagram.leaving(name)]
        open_ends += [one.id for one in diagram.boundary(name)]
        open_ends += [one.id for one in diagram.inside(name)]
        open_ends += [one.id for one in diagram.inside(node.attributes.get("calledElement", ""))]
        open_ends += [one.id for one in diagram.inside(node.container) if one.event_subprocess]
        open_ends += [up for up in (node.container, callers.get(node.container, "")) if up in diagram.nodes]
    return seen
