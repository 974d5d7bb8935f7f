"""Does every run end? Walks the states of one level of a diagram and shows the path to the first fault of each kind.

Each level (process, embedded sub-process) is judged by itself, a sub-process counting as one step of its parent. A state is the set of
places that hold a token: flows, and steps at work. Tokens on a stretch without choices run ahead at once, because nothing there depends
on anybody else. First all interleavings are walked; where that exceeds the budget, only one independent choice at a time (a stubborn
set: deadlocks and dead steps are still found). Beyond the budget the answer is "not proved", never a guess.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from engine.procedure.diagram import Diagram, Node

BUDGET = 120_000
"""Tokens looked at: every state reached counts as many as it holds. Counted, not timed: a busy computer gives the same verdict."""
MAX_INCLUSIVE = 6

State = frozenset[str]
"""Places that hold a token; a second token on one place is a fault and ends that branch of the search."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault with the elements concerned and the path that leads there."""

    kind: str
    elements: tuple[str, ...]
    path: tuple[str, ...]


@dataclass
class Verdict:
    """The faults of one level, and whether the search was complete."""

    faults: list[Fault] = field(default_factory=list)
    proved: bool = True
    states: int = 0


@dataclass(frozen=True, slots=True)
class _Move:
    steps: tuple[str, ...]
    state: State | None  # None: a place would hold two tokens
    place: str = ""


def judge(diagram: Diagram, container: str, *, budget: int = BUDGET) -> Verdict:
    """Return the faults of the level *container*: ``deadlock``, ``twice``, ``dead``, ``livelock``.

    The level must be well formed: exactly one start, known ends of every flow.
    """
    net = _Net(diagram, container)
    if net.start is None:
        return Verdict(proved=False)
    verdict = _explore(net, budget, reduced=False)
    if not verdict.proved and net.reducible:
        smaller = _explore(net, budget, reduced=True)
        if smaller.proved:
            # The smaller search may miss that two tokens meet in one place, so it proves everything but that.
            smaller.proved = False
            smaller.faults.extend(fault for fault in verdict.faults if fault.kind == "twice" and fault not in smaller.faults)
            return smaller if smaller.faults else Verdict(proved=False, states=smaller.states)
    return verdict


class _Net:
    def __init__(self, diagram: Diagram, container: str) -> None:
        self.nodes: Mapping[str, Node] = {node.id: node for node in diagram.inside(container) if not node.event_subprocess}
        self.source = {flow.id: flow.source for flow in diagram.flows.values() if flow.container == container}
        self.target = {flow.id: flow.target for flow in diagram.flows.values() if flow.container == container}
        self.out = {name: tuple(flow.id for flow in diagram.leaving(name) if flow.id in self.source) for name in self.nodes}
        self.into = {name: tuple(flow.id for flow in diagram.entering(name) if flow.id in self.source) for name in self.nodes}
        self.boundary = {name: tuple(event for event in diagram.boundary(name) if event.container == container) for name in self.nodes}
        starts = [node.id for node in self.nodes.values() if node.kind == "startEvent"]
        self.start = starts[0] if len(starts) == 1 else None
        self.waits = {name for name, events in self.boundary.items() if events}
        kinds = {node.kind for node in self.nodes.values()}
        ends = {node.event() for node in self.nodes.values() if node.kind == "endEvent"}
        self.wide = any(len(self.out[n]) > MAX_INCLUSIVE for n, node in self.nodes.items() if node.kind == "inclusiveGateway")
        self.reducible = "inclusiveGateway" not in kinds and ends <= {"none", "message", "signal"} and not self.wide
        self.aside = {
            event.id for events in self.boundary.values() for event in events if not event.interrupting and self._stands_aside(event)
        }
        """Events that do not interrupt, and what they start never meets anything else (see ``_stands_aside``)."""
        self._reach: dict[str, dict[str, frozenset[str]]] = {}
        self._ahead: dict[str, tuple[str, tuple[str, ...]]] = {}

    def _stands_aside(self, event: Node) -> bool:
        """Whether what *event* starts is a world of its own: entered by this event alone, left by nothing, ending nobody else's work.

        It may be walked by itself then, if it is started once at most. A host on no cycle works twice only where two tokens can meet before
        it, for the first can always be held back until the second has come; and that fault the walk of the main way finds.
        """
        host = event.attached_to or ""
        if host not in self.nodes or host in self._beyond(self._after(host)):
            return False
        region = self._beyond([self.target[flow] for flow in self.out[event.id]])
        for name in region:
            node = self.nodes.get(name)
            if node is None or (node.kind == "endEvent" and node.event() not in ("none", "message", "signal")):
                return False
            if node.kind == "inclusiveGateway" and len(self.into[name]) > 1:
                return False  # it looks at tokens elsewhere
            if any(self.source[flow] not in region and self.source[flow] != event.id for flow in self.into[name]):
                return False
        return True

    def _beyond(self, names: Iterable[str]) -> set[str]:
        """Return *names* and all nodes that can be reached from them."""
        queue, found = list(names), set(names)
        while queue:
            for name in self._after(queue.pop()):
                if name not in found:
                    found.add(name)
                    queue.append(name)
        return found

    def _after(self, name: str) -> list[str]:
        return [self.target[flow] for flow in self.out.get(name, ())] + [event.id for event in self.boundary.get(name, ())]

    def is_passage(self, name: str) -> bool:
        """A node that one token always leaves by one flow, whatever else happens."""
        node = self.nodes[name]
        return (
            node.kind not in ("parallelGateway", "endEvent")
            and len(self.out[name]) == 1
            and name not in self.waits
            and (node.kind != "inclusiveGateway" or len(self.into[name]) == 1)
        )

    def ahead(self, place: str) -> tuple[str, tuple[str, ...]]:
        """Return the flow on which a token put on *place* comes to rest, with the nodes it passes."""
        if place not in self._ahead:
            passed: list[str] = []
            current = place
            while True:
                name = self.target.get(current)
                if name is None or name not in self.nodes or not self.is_passage(name) or name in passed:
                    break
                passed.append(name)
                current = self.out[name][0]
            self._ahead[place] = (current, tuple(passed))
        return self._ahead[place]

    def is_momentary(self, event: str) -> bool:
        """Whether everything behind a boundary event runs to its end at once, so that no token of it is ever left standing."""
        if len(self.out[event]) != 1:
            return False
        place, passed = self.ahead(self.out[event][0])
        end = self.nodes.get(self.target.get(place, ""))
        automatic = all(self.nodes[name].kind in ("serviceTask", "intermediateThrowEvent", "exclusiveGateway") for name in passed)
        return automatic and end is not None and end.kind == "endEvent" and end.event() == "none"

    def reach(self, join: str) -> dict[str, frozenset[str]]:
        """For an inclusive join: from each place, which of its entering flows can be reached without passing it."""
        if join not in self._reach:
            found: dict[str, set[str]] = {}
            for entering in self.into[join]:
                queue, seen = deque([entering]), {entering}
                while queue:
                    place = queue.popleft()
                    found.setdefault(place, set()).add(entering)
                    for before in self._before(place, join):
                        if before not in seen:
                            seen.add(before)
                            queue.append(before)
            self._reach[join] = {place: frozenset(flows) for place, flows in found.items()}
        return self._reach[join]

    def _before(self, place: str, join: str) -> Iterator[str]:
        name = self.source.get(place, place)
        if place not in self.source:  # a step at work: the flows that enter it
            yield from self.into[name]
            return
        if name == join:
            return
        node = self.nodes[name]
        if node.kind == "boundaryEvent":
            host = node.attached_to or ""
            yield host
            yield from self.into.get(host, ())
            return
        if name in self.waits:
            yield name
        yield from self.into[name]

    def moves(self, state: State) -> Iterator[tuple[frozenset[str], list[_Move]]]:
        """Yield the enabled clusters: the places a choice consumes, and its outcomes."""
        done: set[str] = set()
        for place in sorted(state):
            name = self.target.get(place, place)
            if name in done or name not in self.nodes:
                continue
            node = self.nodes[name]
            if place not in self.target:
                yield frozenset((place,)), list(self._finish(state, name))
            elif node.kind == "parallelGateway":
                done.add(name)
                if all(flow in state for flow in self.into[name]):
                    yield frozenset(self.into[name]), [self.fire(state, name, self.into[name], self.out[name])]
            elif node.kind == "inclusiveGateway" and len(self.into[name]) > 1:
                done.add(name)
                held = tuple(flow for flow in self.into[name] if flow in state)
                if self._joined(state, name, held):
                    yield frozenset(held), [self.fire(state, name, held, chosen) for chosen in self._subsets(name)]
            elif node.kind == "inclusiveGateway":
                yield frozenset((place,)), [self.fire(state, name, (place,), chosen) for chosen in self._subsets(name)]
            elif node.kind in ("exclusiveGateway", "eventBasedGateway"):
                yield frozenset((place,)), [self.fire(state, name, (place,), (flow,)) for flow in self.out[name]]
            elif node.kind == "endEvent":
                everything = node.event() in ("terminate", "error", "escalation", "cancel")
                yield frozenset((place,)), [_Move((name,), frozenset() if everything else state - {place})]
            elif name in self.waits:
                yield frozenset((place,)), [self.fire(state, name, (place,), (), (name,))]
            else:
                yield frozenset((place,)), [self.fire(state, name, (place,), self.out[name])]

    def _joined(self, state: State, join: str, held: tuple[str, ...]) -> bool:
        """The standard's rule: fire unless a token elsewhere can still reach an empty entry (and no occupied one)."""
        reach = self.reach(join)
        for place in state:
            if place in held:
                continue
            entries = reach.get(place, frozenset())
            if entries and not entries & set(held):
                return False
        return True

    def _subsets(self, name: str) -> Iterable[tuple[str, ...]]:
        flows, default = self.out[name], self.nodes[name].default
        if len(flows) <= 1:
            return [flows]
        choices = [flow for flow in flows if flow != default]
        found: list[tuple[str, ...]] = [(default,)] if default else []
        for size in range(1, len(choices) + 1):
            found.extend(combinations(choices, size))
        return found

    def _finish(self, state: State, name: str) -> Iterator[_Move]:
        """A step with boundary events at work: it completes, or an event happens (a non-interrupting one only once)."""
        yield self.fire(state, name, (name,), self.out[name])
        for event in self.boundary[name]:
            if event.interrupting:
                yield self.fire(state, event.id, (name,), self.out[event.id])
            else:
                # It happens, and the step goes on to complete: what else may happen between changes no fault.
                aside = () if event.id in self.aside or self.is_momentary(event.id) else self.out[event.id]
                yield self.fire(state, event.id, (name,), (*aside, *self.out[name]))

    def fire(self, state: State, node: str, taken: Iterable[str], put: Iterable[str], keep: Iterable[str] = ()) -> _Move:
        after = set(state) - set(taken)
        ahead = [self.ahead(flow) for flow in put]
        steps = (node, *(name for _, passed in ahead for name in passed))
        for place in (*(place for place, _ in ahead), *keep):
            if place in after:
                return _Move(steps, None, place)
            after.add(place)
        return _Move(steps, frozenset(after))


@dataclass
class _Walk:
    """What one search found: faults, the nodes passed, and the first path to each event whose doings are walked by themselves."""

    faults: list[Fault] = field(default_factory=list)
    proved: bool = True
    states: int = 0
    spent: int = 0
    passed: set[str] = field(default_factory=set)
    started: dict[str, tuple[str, ...]] = field(default_factory=dict)


def _explore(net: _Net, budget: int, *, reduced: bool) -> Verdict:
    """Walk the main way, then what each event started beside it."""
    assert net.start is not None
    verdict, spent, passed = Verdict(), 0, set[str]()
    ways: dict[str, tuple[str, ...]] = {net.start: ()}
    queue = deque(ways)
    while queue and verdict.proved:
        opened = queue.popleft()
        walk = _search(net, budget - spent, net.fire(frozenset(), opened, (), net.out[opened]), ways[opened], reduced=reduced)
        verdict.faults.extend(walk.faults)
        verdict.proved, spent = walk.proved, spent + walk.spent
        verdict.states += walk.states
        passed |= walk.passed
        for started, path in walk.started.items():
            if started not in ways:
                ways[started] = path
                queue.append(started)
    if verdict.proved and all(fault.kind == "livelock" for fault in verdict.faults):
        for name in list(passed):
            for event in net.boundary.get(name, ()):
                if not event.interrupting and event.id not in net.aside and net.is_momentary(event.id):
                    place, beyond = net.ahead(net.out[event.id][0])
                    passed.update((event.id, *beyond, net.target[place]))
        dead = tuple(sorted(name for name in net.nodes if name not in passed))
        if dead:
            verdict.faults.insert(0, Fault("dead", dead, ()))
    return verdict


def _search(net: _Net, budget: int, opening: _Move, way: tuple[str, ...], *, reduced: bool) -> _Walk:
    """Walk every state that follows *opening*, to which *way* leads."""
    if opening.state is None:
        return _Walk([Fault("twice", (opening.place,), (*way, *opening.steps))])
    first = opening.state
    walk = _Walk(passed=set(opening.steps))
    parents: dict[State, tuple[State | None, tuple[str, ...]]] = {first: (None, (*way, *opening.steps))}
    after: dict[State, set[State]] = {}
    queue = deque([first])
    stuck: State | None = None
    twice: dict[str, tuple[State, tuple[str, ...]]] = {}
    while queue:
        state = queue.popleft()
        if walk.spent > budget or net.wide:
            walk.proved = False
            break
        clusters = list(net.moves(state))
        if not clusters and state and stuck is None:
            stuck = state
        successors = after.setdefault(state, set())
        for _, moves in _stubborn(clusters, parents) if reduced else clusters:
            for move in moves:
                walk.spent += len(state) + 1
                walk.passed.update(move.steps)
                if move.steps[0] in net.aside and move.steps[0] not in walk.started:
                    walk.started[move.steps[0]] = _path(parents, state)
                if move.state is None:
                    twice.setdefault(move.place, (state, move.steps))
                    continue
                successors.add(move.state)
                if move.state not in parents:
                    parents[move.state] = (state, move.steps)
                    queue.append(move.state)
    walk.states = len(parents)
    if stuck is not None:
        walk.faults.append(Fault("deadlock", _waiting(net, stuck), _path(parents, stuck)))
    for place, (state, steps) in sorted(twice.items()):
        walk.faults.append(Fault("twice", (_first_shared(net, place),), (*_path(parents, state), *steps)))
    if walk.proved and not twice and stuck is None:
        endless = _endless(after)
        if endless is not None:
            walk.faults.append(Fault("livelock", _waiting(net, endless), _path(parents, endless)))
    return walk


def _waiting(net: _Net, state: State) -> tuple[str, ...]:
    return tuple(sorted({net.target.get(place, place) for place in state}))


def _stubborn(
    clusters: list[tuple[frozenset[str], list[_Move]]], known: Mapping[State, object]
) -> list[tuple[frozenset[str], list[_Move]]]:
    """Return one cluster, or all where following one could starve the others (every outcome is already known)."""
    for cluster in clusters:
        if any(move.state is None or move.state not in known for move in cluster[1]):
            return [cluster]
    return clusters


def _endless(after: Mapping[State, set[State]]) -> State | None:
    """Return a state from which the end cannot be reached any more."""
    before: dict[State, list[State]] = {}
    for state, successors in after.items():
        for successor in successors:
            before.setdefault(successor, []).append(state)
    queue: deque[State] = deque([frozenset()])
    ending = {frozenset[str]()}
    while queue:
        for state in before.get(queue.popleft(), ()):
            if state not in ending:
                ending.add(state)
                queue.append(state)
    return next((state for state in after if state not in ending), None)


def _first_shared(net: _Net, place: str) -> str:
    """Return the first node that two tokens bound for *place* both pass: the target of the flow where they meet."""
    name = net.target.get(place, place)
    current = net.source.get(place)
    while current is not None and net.is_passage(current):
        name = current
        if len(net.into[current]) != 1:
            break
        current = net.source.get(net.into[current][0])
    return name


def _path(parents: Mapping[State, tuple[State | None, tuple[str, ...]]], state: State) -> tuple[str, ...]:
    legs: list[tuple[str, ...]] = []
    current: State | None = state
    while current is not None:
        previous, steps = parents[current]
        legs.append(steps)
        current = previous
    return tuple(step for leg in reversed(legs) for step in leg)
