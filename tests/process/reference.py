"""A reference interpreter: BPMN 2.0.2, clause 13, read off the standard and written down as tokens; it knows nothing of our engine.

It reads the diagram by itself and holds *scopes* (a process, or a sub-process at work), each with the steps at work in it, the tokens
that wait at its gateways and the events it listens to. Data is no part of it, except the numbers an answer picks for a choice.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from xml.etree import ElementTree

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
LEVELS = ("process", "subProcess")
CONDITION = re.compile(r"list contains\((\w+)\.pick, (\d+)\)")


@dataclass
class Node:
    id: str
    kind: str
    level: str
    element: ElementTree.Element
    into: list[Flow] = field(default_factory=list)
    out: list[Flow] = field(default_factory=list)

    @property
    def event(self):
        """The kind of event and what it names: ("message", "m1"), ("timer", minutes), ("none", "")."""
        for child in self.element:
            kind = child.tag.removeprefix(BPMN).removesuffix("EventDefinition")
            if child.tag.endswith("EventDefinition"):
                minutes = re.search(r"PT(\d+)M", "".join(child.itertext()))
                return kind, int(minutes[1]) if minutes else child.get(f"{kind}Ref", "")
        return "none", ""

    def flag(self, name, default="true"):
        return self.element.get(name, default) == "true"

    @property
    def times(self):
        """How often the step is repeated, and whether one after the other."""
        loop = self.element.find(f"{BPMN}multiInstanceLoopCharacteristics")
        return (1, False) if loop is None else (int(loop.find(f"{BPMN}loopCardinality").text), loop.get("isSequential") == "true")


@dataclass
class Flow:
    id: str
    source: str
    target: str
    picked: tuple[str, int] | None


@dataclass(eq=False)
class Listening:
    """An event that may happen: *armed* is what it belongs to, a scope, an activity or a gateway."""

    node: Node
    scope: Scope
    armed: object
    due: int | None


@dataclass(eq=False)
class Work:
    """An activity at work: a step, or the scope of a sub-process inside."""

    node: Node
    scope: Scope
    left: int = 0
    open: int = 1
    inside: Scope | None = None


@dataclass(eq=False)
class Scope:
    level: str
    work: Work | None  # the activity it is the inside of
    outer: Scope | None
    aside: bool = False  # an event sub-process that does not interrupt
    working: list[Work] = field(default_factory=list)
    waiting: Counter = field(default_factory=Counter)  # (node, flow) -> tokens
    caught: list[object] = field(default_factory=list)  # gateways and catch events that wait
    handlers: list[Scope] = field(default_factory=list)
    over: bool = False

    @property
    def normal(self):
        return self.working or self.caught or +self.waiting


class Reference:
    """One instance of the process `p` of a diagram."""

    def __init__(self, document):
        self.nodes: dict[str, Node] = {}
        self.flows: dict[str, Flow] = {}
        self.picks, self.done, self.now, self.order = {}, Counter(), 0, count()
        self.listening: list[Listening] = []
        self.walked: set[str] = set()
        for level in ElementTree.fromstring(document).iter():
            if level.tag.removeprefix(BPMN) in LEVELS:
                self._read(level)
        self.root = Scope("p", None, None)
        self._open(self.root)
        self._settle()

    def _read(self, level):
        for child in level:
            kind, name = child.tag.removeprefix(BPMN), child.get("id")
            if kind == "sequenceFlow":
                condition = child.find(f"{BPMN}conditionExpression")
                match = condition is not None and CONDITION.fullmatch(condition.text)
                self.flows[name] = Flow(name, child.get("sourceRef"), child.get("targetRef"), (match[1], int(match[2])) if match else None)
            elif kind.endswith(("Task", "Event", "Gateway", "Activity", "subProcess")):
                self.nodes[name] = Node(name, kind, level.get("id"), child)
        for flow in self.flows.values():
            if flow.source in self.nodes and self.nodes[flow.source].level == level.get("id"):
                self.nodes[flow.source].out.append(flow)
                self.nodes[flow.target].into.append(flow)

    # -- what can be asked

    @property
    def ready(self):
        return sorted(work.node.id for scope in self._scopes() for work in scope.working if work.inside is None for _ in range(work.open))

    @property
    def messages(self):
        return sorted({one.node.event[1] for one in self.listening if one.node.event[0] == "message"})

    @property
    def timers(self):
        return sorted((one.due, one.node.id) for one in self.listening if one.due is not None)

    def _scopes(self):
        todo = [self.root]
        while todo:
            scope = todo.pop()
            if not scope.over:
                yield scope
                todo += [work.inside for work in scope.working if work.inside is not None] + scope.handlers

    # -- what can be done

    def complete(self, step, pick):
        work = next(work for scope in self._scopes() for work in scope.working if work.node.id == step)
        self.picks[step] = pick
        work.open -= 1
        if work.left:
            work.left -= 1
            work.open += 1
        if not work.open:
            self._finish(work)
        self._settle()

    def receive(self, message):
        for one in [one for one in self.listening if one.node.event == ("message", message)]:
            self._happen(one)
        self._settle()

    def fire(self):
        one = min((one for one in self.listening if one.due is not None), key=lambda one: one.due)
        self.now = one.due
        self._happen(one)
        self._settle()

    # -- tokens

    def _take(self, flow, scope):
        self.walked.add(flow.id)
        self._enter(self.nodes[flow.target], scope, flow)

    def _leave(self, node, scope):
        self.done[node.id] += 1
        for flow in node.out:
            if not scope.over:
                self._take(flow, scope)

    def _enter(self, node, scope, flow):
        match node.kind:
            case "userTask" | "subProcess" | "callActivity":
                self._begin(node, scope)
            case "exclusiveGateway":
                self.done[node.id] += 1
                self._take(self._chosen(node)[0], scope)
            case "parallelGateway" | "inclusiveGateway":
                scope.waiting[node.id, flow.id] += 1
                self._try_parallel(node, scope)
            case "eventBasedGateway":
                scope.caught.append(node)
                for one in node.out:
                    self._listen(self.nodes[one.target], scope, node)
            case "intermediateCatchEvent":
                scope.caught.append(node)
                self._listen(node, scope, node)
            case "intermediateThrowEvent":
                self._throw(node, scope)
                if not scope.over:
                    self._leave(node, scope)
            case "endEvent":
                self.done[node.id] += 1
                if node.event[0] == "terminate":
                    self._end_all(scope)
                    self._complete(scope)
                elif node.event[0] != "none":
                    self._throw(node, scope)

    def _chosen(self, node):
        """The flows a choice takes: the first whose condition holds (exclusive), all (inclusive), else the default."""
        default = self.flows.get(node.element.get("default"))
        held = [flow for flow in node.out if flow.picked and flow.picked[1] in self.picks[flow.picked[0]]]
        held = held[:1] if node.kind == "exclusiveGateway" else held
        return held or ([default] if default else node.out)

    def _try_parallel(self, node, scope):
        if node.kind == "parallelGateway" and all(scope.waiting[node.id, flow.id] for flow in node.into):
            self._pass(node, scope, node.into)

    def _pass(self, node, scope, entered):
        for flow in entered:
            scope.waiting[node.id, flow.id] -= 1
        self.done[node.id] += 1
        for flow in self._chosen(node) if node.kind == "inclusiveGateway" else node.out:
            if not scope.over:
                self._take(flow, scope)

    def _begin(self, node, scope):
        times, sequential = node.times
        work = Work(node, scope, left=times - 1 if sequential else 0, open=1 if sequential else times)
        scope.working.append(work)
        for event in self.nodes.values():
            if event.kind == "boundaryEvent" and event.element.get("attachedToRef") == node.id:
                self._listen(event, scope, work)
        if node.kind != "userTask":
            level = node.id if node.kind == "subProcess" else node.element.get("calledElement")
            work.inside = Scope(level, work, scope)
            self._open(work.inside)

    def _open(self, scope):
        for node in self._event_subprocesses(scope):
            self._listen(self._start(node.id), scope, scope)
        self._leave(self._start(scope.level), scope)

    def _event_subprocesses(self, scope):
        return [node for node in self.nodes.values() if node.level == scope.level and node.flag("triggeredByEvent", "false")]

    def _start(self, level):
        return next(node for node in self.nodes.values() if node.level == level and node.kind == "startEvent")

    def _finish(self, work):
        work.scope.working.remove(work)
        self._forget(work)
        self._leave(work.node, work.scope)

    # -- events

    def _listen(self, node, scope, armed):
        kind, wanted = node.event
        self.listening.append(Listening(node, scope, armed, self.now + wanted if kind == "timer" else None))

    def _forget(self, armed):
        self.listening = [one for one in self.listening if one.armed is not armed]

    def _happen(self, one):
        """An event happens: to a gateway or catch event, to an activity, or to a scope with an event sub-process for it."""
        if one not in self.listening:
            return
        node, scope = one.node, one.scope
        interrupts = node.flag("isInterrupting" if node.kind == "startEvent" else "cancelActivity") or node.event[0] == "error"
        if isinstance(one.armed, Node):
            self._forget(one.armed)
            scope.caught.remove(one.armed)
        elif interrupts:
            self._forget(one.armed)
            if isinstance(one.armed, Work):
                self._end_work(one.armed)
                scope.working.remove(one.armed)
            else:
                self._end_inside(scope)
        elif one.due is not None:
            self.listening.remove(one)
        if node.kind == "startEvent":
            handler = Scope(node.level, None, scope, aside=not interrupts)
            scope.handlers.append(handler)
            self._open(handler)
        elif isinstance(one.armed, Node) and one.armed is not node:
            self.done[one.armed.id] += 1
            self.walked.add(next(flow.id for flow in one.armed.out if flow.target == node.id))
            self._leave(node, scope)
        else:
            self._leave(node, scope)

    def _throw(self, node, scope):
        """An error or escalation goes outwards, level by level, to the first who catches it; an error ends the levels it leaves."""
        kind, name = node.event
        inner = scope
        while inner is not None:
            for one in [one for one in self.listening if one.node.event[0] == kind and one.node.event[1] in ("", name)]:
                if one.armed is inner or (inner.work is not None and one.armed is inner.work):
                    self._happen(one)
                    return
            inner = inner.outer
        raise AssertionError(f"nobody catches {name}")

    # -- ends

    def _end_work(self, work):
        self._forget(work)
        if work.inside is not None:
            self._end_all(work.inside)

    def _end_inside(self, scope):
        """End everything that runs in a scope, its event sub-processes too; the scope itself goes on."""
        for work in scope.working:
            self._end_work(work)
        for gateway in scope.caught:
            self.listening = [one for one in self.listening if one.armed is not gateway or one.scope is not scope]
        for handler in scope.handlers:
            self._end_all(handler)
        self._forget(scope)
        scope.working, scope.caught, scope.handlers = [], [], []
        scope.waiting.clear()

    def _end_all(self, scope):
        self._end_inside(scope)
        scope.over = True

    def _complete(self, scope):
        scope.over = True
        self._forget(scope)
        if scope.work is not None:
            if scope.work in scope.work.scope.working:
                self._finish(scope.work)
        elif scope.outer is not None:
            scope.outer.handlers.remove(scope)
            self.done[scope.level] += 1

    def _settle(self):
        """Let inclusive joins fire and scopes complete until nothing moves any more."""
        moved = True
        while moved:
            moved = False
            for scope in list(self._scopes()):
                if scope.over:
                    continue
                if not scope.normal and scope.handlers:
                    # The level's own work is over: events that do not interrupt can no longer happen to it.
                    kept = [one for one in self.listening if one.armed is not scope or one.node.flag("isInterrupting")]
                    moved, self.listening = moved or len(kept) < len(self.listening), kept
                elif not scope.normal:
                    self._complete(scope)
                    moved = True
                moved = moved or self._inclusive(scope)

    def _inclusive(self, scope):
        """13.4.3: a join fires unless a token could still reach one of its empty entries, and none of those that have one."""
        for name in sorted({name for (name, _), tokens in scope.waiting.items() if tokens}):
            node = self.nodes[name]
            if node.kind != "inclusiveGateway":
                continue
            held = [flow for flow in node.into if scope.waiting[name, flow.id]]
            empty = [flow for flow in node.into if flow not in held]
            if not any(self._reaches(at, empty, name) and not self._reaches(at, held, name) for at in self._tokens(scope, name)):
                self._pass(node, scope, held)
                return True
        return False

    def _tokens(self, scope, join):
        """The nodes of a scope at which a token stands, apart from those at the join itself."""
        found = {work.node.id for work in scope.working} | {node.id for node in scope.caught}
        return found | {name for (name, _), tokens in scope.waiting.items() if tokens and name != join}

    def _reaches(self, start, flows, join):
        seen, todo, wanted = {start}, [start], {flow.id for flow in flows}
        while todo:
            name = todo.pop()
            events = [n for n in self.nodes.values() if n.kind == "boundaryEvent" and n.element.get("attachedToRef") == name]
            for flow in [*self.nodes[name].out, *(flow for event in events for flow in event.out)]:
                if flow.id in wanted:
                    return True
                if flow.target != join and flow.target not in seen:
                    seen.add(flow.target)
                    todo.append(flow.target)
        return False
