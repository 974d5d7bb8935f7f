"""The diagram in words: a numbered list that says who does what, how long it may take, what comes next and what if not.

For readers who do not see the drawing: screen readers, telephones, print.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache

from engine.procedure.diagram import SUBPROCESSES, Diagram, Flow, Node
from engine.procedure.operators import OPERATORS
from engine.procedure.package import Package
from engine.procedure.paths import reachable
from engine.procedure.phrases import OPERATOR_WORDS, deadline_words, hours_words, name_words, step_word
from engine.procedure.words import Words

Names = dict[str, str]
"""A text as screens carry it: ``{"vi": …, "en": …}``."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where it goes from a step: *when* (empty: always), the number of the next entry, its name."""

    when: Names
    number: str
    name: Names
    kind: str
    """``next``, ``otherwise`` (the default), ``meanwhile`` (parallel), ``if_late`` or ``event`` (boundary), ``end``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One numbered step; *kind* is ``start step automatic wait choice parallel join group end``."""

    number: str
    depth: int
    id: str
    kind: str
    name: Names
    who: Names
    what: Names
    hours: str
    ways: tuple[Way, ...]
    sentence: Names
    """The whole entry as one sentence in each language."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A step people wait for on the normal way, for the owner's progress line."""

    id: str
    name: Names


def outline(package: Package) -> list[Entry]:
    """Return the diagram of *package* in words, in the order of reading."""
    return list(_outline(package.package_hash, _Held(package)))


def milestones(package: Package) -> list[Milestone]:
    """Return the people's steps on the normal way: the default of every choice, never a way back."""
    main = package.meant.main
    beside = frozenset(document.key for document in package.documents if document.agency_only)
    return _milestones(package.meant, main.id, beside) if main is not None else []


def _milestones(diagram: Diagram, level: str, beside: frozenset[str]) -> list[Milestone]:
    found: list[Milestone] = []
    seen: set[str] = set()
    current = next((node.id for node in diagram.inside(level) if node.kind == "startEvent"), None)
    queue = deque([current] if current else [])
    while queue:
        name = queue.popleft()
        if name in seen or name not in diagram.nodes:
            continue
        seen.add(name)
        node = diagram.nodes[name]
        if node.manual:
            found.append(Milestone(node.id, _names(name_words(node))))
        elif node.kind in SUBPROCESSES:
            found += _milestones(diagram, node.id, beside)
        leaving = diagram.leaving(name)
        if node.kind == "parallelGateway":
            queue.extend(flow.target for flow in leaving)
        elif leaving:
            queue.append(_normal(diagram, node, leaving, seen, beside).target)
    return found


def _normal(diagram: Diagram, node: Node, leaving: tuple[Flow, ...], seen: set[str], beside: frozenset[str]) -> Flow:
    """Return the flow that leads on: to an end without going back, past most steps; the default decides between equals.

    Steps about an annex or a copy make no way the normal one: where there is a choice, they are made on request, *beside* the result.
    """

    def ahead(flow: Flow) -> tuple[bool, int, bool]:
        beyond = reachable(diagram, [flow.target], without=seen)
        ends = any(diagram.nodes[name].kind == "endEvent" for name in beyond)
        steps = (diagram.nodes[name] for name in beyond)
        return ends, sum(step.manual and step.properties.get("document") not in beside for step in steps), flow.id == node.default

    return max(leaving, key=ahead)


class _Held:
    """Lets the cache compare packages by hash alone."""

    def __init__(self, package: Package) -> None:
        self.package = package

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=64)
def _outline(_: str, held: _Held) -> tuple[Entry, ...]:
    return tuple(_Writer(held.package).entries())


class _Writer:
    def __init__(self, package: Package) -> None:
        self.package = package
        self.diagram = package.meant
        self.numbers: dict[str, str] = {}
        self.order: list[tuple[str, int]] = []

    def entries(self) -> list[Entry]:
        main = self.diagram.main
        for process in (main,) if main is not None else self.diagram.processes:
            self._number(process.id, "", 0)
        return [self._entry(self.diagram.nodes[name], depth) for name, depth in self.order]

    def _number(self, container: str, prefix: str, depth: int) -> None:
        for position, name in enumerate(self._reading_order(container), 1):
            self.numbers[name] = f"{prefix}{position}"
            self.order.append((name, depth))
            if self.diagram.nodes[name].kind in SUBPROCESSES:
                self._number(name, f"{prefix}{position}.", depth + 1)

    def _reading_order(self, container: str) -> list[str]:
        """Breadth first from the start, ends after the ways that lead on; joins of parallel ways after all of them."""
        nodes = {node.id: node for node in self.diagram.inside(container)}
        heads = [name for name, node in nodes.items() if node.kind == "startEvent"]
        heads += [name for name, node in nodes.items() if not self.diagram.entering(name) and node.kind != "boundaryEvent"]
        order: list[str] = []
        seen: set[str] = set()
        stack = list(reversed(dict.fromkeys(heads)))
        while stack:
            name = stack.pop()
            if name in seen or name not in nodes:
                continue
            node = nodes[name]
            if node.kind == "parallelGateway" and len(self.diagram.entering(name)) > 1:
                missing = [flow.source for flow in self.diagram.entering(name) if flow.source not in seen]
                if missing and any(other in nodes and other not in seen for other in stack):
                    stack.insert(0, name)
                    continue
            seen.add(name)
            order.append(name)
            following = [flow.target for flow in self.diagram.leaving(name)] + [event.id for event in self.diagram.boundary(name)]
            following.sort(key=lambda target: target in nodes and nodes[target].kind == "endEvent")
            stack.extend(reversed(following))
        return order + [name for name in nodes if name not in seen]

    def _entry(self, node: Node, depth: int) -> Entry:
        kind = _kind(node, self.diagram)
        who, what = self._who(node), self._what(node)
        hours = node.properties.get("stage_hours", "") if node.manual else ""
        ways = tuple(self._ways(node))
        number, name = self.numbers[node.id], _names(name_words(node))
        if not name["vi"]:
            name = _names(step_word(kind))
        sentence = {language: _sentence(language, kind, name, who, what, hours, ways) for language in ("vi", "en")}
        return Entry(number, depth, node.id, kind, name, who, what, hours, ways, sentence)

    def _who(self, node: Node) -> Names:
        if not node.manual:
            return _names(Words("", ""))
        if node.properties.get("assign") == "initiator":
            return _names(Words("Người khởi tạo hồ sơ", "Whoever started it"))
        lane = self.package.lane(node.lane)
        return _names(lane.title if lane is not None else Words(node.lane or "", node.lane or ""))

    def _what(self, node: Node) -> Names:
        if node.operator is not None and node.operator.id in OPERATORS:
            return _names(OPERATOR_WORDS[node.operator.id])
        action = node.properties.get("action", "form")
        document = next((kind for kind in self.package.documents if kind.key == node.properties.get("document")), None)
        if node.manual and document is not None and action in ("sign", "issue"):
            issuing = ("ký số của cơ quan", "signs for the agency") if document.agency_only else ("cấp số và đóng dấu", "numbers and seals")
            verb = {"sign": ("ký", "signs"), "issue": issuing}[action]
            return _names(Words(f"{verb[0]} {document.name.vi}", f"{verb[1]}: {document.name.en}"))
        for event in node.events:
            if event.kind == "timer":
                return _names(deadline_words(event.text))
        return _names(Words("", ""))

    def _ways(self, node: Node) -> list[Way]:
        ways = []
        leaving = self.diagram.leaving(node.id)
        for flow in leaving:
            kind = "next"
            if node.kind == "parallelGateway" and len(leaving) > 1:
                kind = "meanwhile"
            elif len(leaving) > 1 and flow.id == node.default:
                kind = "otherwise"
            ways.append(self._way(flow.target, self._when(flow) if len(leaving) > 1 else Words("", ""), kind))
        for event in self.diagram.boundary(node.id):
            when = name_words(event)
            ways.append(self._way(event.id, when, "if_late" if event.event() == "timer" else "event"))
        return ways

    def _when(self, flow: Flow) -> Words:
        english = self._flow_english(flow)
        if flow.name or english:
            return Words(flow.name, english or flow.name)
        return Words(flow.condition or "", flow.condition or "")

    def _flow_english(self, flow: Flow) -> str:
        names = self.diagram.root.xpath(
            "//*[@id=$id]/*[local-name()='extensionElements']//*[local-name()='property'][@name='name_en']/@value", id=flow.id
        )
        return str(names[0]) if names else ""

    def _way(self, target: str, when: Words, kind: str) -> Way:
        node = self.diagram.nodes.get(target)
        words = name_words(node) if node is not None else Words(target, target)
        if node is not None and not words:
            words = step_word(_kind(node, self.diagram))
        return Way(_names(when), self.numbers.get(target, ""), _names(words), kind)


def _kind(node: Node, diagram: Diagram) -> str:
    if node.kind in ("startEvent", "endEvent"):
        return node.kind.removesuffix("Event")
    if node.manual:
        return "step"
    if node.kind in SUBPROCESSES or node.kind == "callActivity":
        return "group"
    if node.kind in ("intermediateCatchEvent", "receiveTask", "boundaryEvent", "eventBasedGateway"):
        return "wait"
    if node.kind.endswith("Gateway"):
        if len(diagram.leaving(node.id)) < 2:
            return "join"
        return "parallel" if node.kind == "parallelGateway" else "choice"
    return "automatic"


def _names(words: Words) -> Names:
    return {"vi": words.vi, "en": words.en or words.vi}


def _sentence(language: str, kind: str, name: Names, who: Names, what: Names, hours: str, ways: tuple[Way, ...]) -> str:
    parts = [name[language] if name[language].endswith(("?", "!", ".", "…")) else f"{name[language]}."]
    if who[language]:
        label = "Người thực hiện" if language == "vi" else "By"
        parts.append(f"{label}: {who[language]}.")
    if what[language]:
        parts.append(f"{what[language][0].upper()}{what[language][1:]}.")
    if hours:
        parts.append(hours_words(hours).in_language(language))
    parts.extend(_way_sentence(language, way) for way in ways)
    return " ".join(part for part in parts if part)


def _way_sentence(language: str, way: Way) -> str:
    target = f"{way.number} ({way.name[language]})" if way.number else way.name[language]
    when = way.when[language]
    if language == "vi":
        match way.kind:
            case "meanwhile":
                return f"Đồng thời tới bước {target}."
            case "otherwise":
                return f"Nếu không ({when}), tới bước {target}." if when else f"Nếu không, tới bước {target}."
            case "if_late" | "event":
                return f"Khi xảy ra «{when}», tới bước {target}."
        return f"Nếu «{when}», tới bước {target}." if when else f"Tiếp theo: bước {target}."
    match way.kind:
        case "meanwhile":
            return f"At the same time to step {target}."
        case "otherwise":
            return f"Otherwise ({when}) to step {target}." if when else f"Otherwise to step {target}."
        case "if_late" | "event":
            return f"When «{when}» happens, to step {target}."
    return f"If «{when}», to step {target}." if when else f"Next: step {target}."
