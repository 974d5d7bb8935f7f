"""What holds on every path: which variables a step can count on, which steps run side by side, how long the longest way is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from engine.procedure.diagram import SUBPROCESSES, Diagram, Node

Facts = frozenset[str]


def before_each(
    diagram: Diagram, container: str, entry: Facts, gained: Callable[[Node], Iterable[str]], lost: Callable[[Node, str], bool]
) -> dict[str, Facts]:
    """Return for each node of the level and the levels inside what is certain when it begins.

    *gained* tells what is certain once a node is done, *lost* whether a node overwrites a fact. A parallel join adds up its branches,
    any other meeting of paths keeps what they share; what happened inside a sub-process counts when all its ends agree; a boundary
    event knows what its host knew at its start.
    """
    solver = _Solver(diagram, gained, lost)
    solver.solve(container, entry)
    return {name: facts for name, facts in solver.before.items() if facts is not None}


class _Solver:
    def __init__(self, diagram: Diagram, gained: Callable[[Node], Iterable[str]], lost: Callable[[Node, str], bool]) -> None:
        self.diagram = diagram
        self.gained = gained
        self.lost = lost
        self.before: dict[str, Facts | None] = {}

    def solve(self, container: str, entry: Facts) -> Facts:
        """Iterate to the greatest fixed point; return what all ends of the level agree on."""
        diagram, nodes = self.diagram, self.diagram.inside(container)
        done: dict[str, Facts | None] = {node.id: None for node in nodes}
        changed = True
        while changed:
            changed = False
            for node in nodes:
                arriving = self._arriving(node, done, entry)
                if arriving is None:
                    continue
                self.before[node.id] = arriving
                result = frozenset(fact for fact in arriving if not self.lost(node, fact)) | frozenset(self.gained(node))
                if node.kind in SUBPROCESSES:
                    result |= self.solve(node.id, arriving)
                if result != done[node.id]:
                    done[node.id], changed = result, True
        # An error end leaves its level by the boundary event that catches it, not by the way on.
        last = [node for node in nodes if not diagram.leaving(node.id) and node.event() != "error"]
        return _shared([facts for node in last if (facts := done[node.id]) is not None])

    def _arriving(self, node: Node, done: Mapping[str, Facts | None], entry: Facts) -> Facts | None:
        if node.kind == "boundaryEvent":
            return self.before.get(node.attached_to or "")
        entering = [done.get(flow.source) for flow in self.diagram.entering(node.id)]
        if not entering:
            return entry
        known = [facts for facts in entering if facts is not None]
        if not known:
            return None
        return frozenset().union(*known) if node.kind == "parallelGateway" else _shared(known)


def _shared(facts: list[Facts]) -> Facts:
    return frozenset.intersection(*facts) if facts else frozenset()


def successors(diagram: Diagram, node: str) -> list[str]:
    """Return the nodes that may come next, boundary events of a step included; a flow to nowhere leads nowhere."""
    found = [flow.target for flow in diagram.leaving(node) if flow.target in diagram.nodes]
    return found + [event.id for event in diagram.boundary(node)]


def reachable(diagram: Diagram, starts: Iterable[str], *, without: Iterable[str] = ()) -> set[str]:
    """Return the nodes of the level reachable from *starts* (included) without passing *without*."""
    blocked = set(without)
    seen = {start for start in starts if start not in blocked and start in diagram.nodes}
    queue = deque(seen)
    while queue:
        for following in successors(diagram, queue.popleft()):
            if following not in seen and following not in blocked:
                seen.add(following)
                queue.append(following)
    return seen


def side_by_side(diagram: Diagram, container: str) -> set[frozenset[str]]:
    """Return the pairs of nodes of a level that may be at work at the same time, the insides of sub-processes included."""
    pairs: set[frozenset[str]] = set()
    for node in diagram.inside(container):
        branches: list[list[str]] = []
        leaving = [flow.target for flow in diagram.leaving(node.id)]
        if node.kind in ("parallelGateway", "inclusiveGateway") and len(leaving) > 1:
            branches = [[target] for target in leaving]
        side = [event.id for event in diagram.boundary(node.id) if not event.interrupting]
        if side:
            branches = [*([event] for event in side), [node.id]]
        if not branches:
            continue
        meeting = _meeting(diagram, node.id, [start for branch in branches for start in branch])
        block = {meeting} | ({node.id} if not side else set())
        regions = [reachable(diagram, branch, without=block) for branch in branches]
        for position, one in enumerate(regions):
            for other in regions[position + 1 :]:
                for first in one - other:
                    for second in other - one:
                        pairs |= _spread(diagram, first, second)
    return pairs


def _spread(diagram: Diagram, first: str, second: str) -> set[frozenset[str]]:
    return {frozenset((a, b)) for a in (first, *_below(diagram, first)) for b in (second, *_below(diagram, second))}


def _below(diagram: Diagram, node: str) -> list[str]:
    inside = [child.id for child in diagram.inside(node)] if node in diagram.containers else []
    return inside + [deep for child in inside for deep in _below(diagram, child)]


def _meeting(diagram: Diagram, split: str, starts: list[str]) -> str:
    """Return the first node that every way from *starts* to an end passes (the immediate post-dominator), or nothing."""
    region = reachable(diagram, starts)
    ends = {name for name in region if not diagram.leaving(name)}
    # In the order of a breadth-first walk the nearest candidate comes first.
    queue, seen = deque(dict.fromkeys(starts)), set(starts)
    while queue:
        name = queue.popleft()
        if name not in starts and name != split and not reachable(diagram, starts, without=(name,)) & ends:
            return name
        for following in successors(diagram, name):
            if following not in seen:
                seen.add(following)
                queue.append(following)
    return ""


def longest(diagram: Diagram, container: str, weight: Callable[[Node], float]) -> tuple[float, tuple[str, ...]]:
    """Return the greatest total of *weight* on a way through the level, each loop walked once, with the steps on that way."""
    nodes = {node.id: node for node in diagram.inside(container)}
    order = _without_returns(diagram, container)
    best: dict[str, tuple[float, tuple[str, ...]]] = {}
    for name in order:
        node = nodes[name]
        own = weight(node) + (longest(diagram, name, weight)[0] if name in diagram.containers else 0.0)
        total, way = best.get(name, (0.0, ()))
        reached = (total + own, (*way, name) if own else way)
        if not order[name]:
            best[name] = reached
            continue
        best[name] = reached
        for following in order[name]:
            if following not in best or best[following][0] < reached[0]:
                best[following] = reached
    return max(best.values(), key=lambda item: item[0], default=(0.0, ()))


def _without_returns(diagram: Diagram, container: str) -> dict[str, list[str]]:
    """Return the nodes in topological order with their successors, flows that lead back left out."""
    names = [node.id for node in diagram.inside(container)]
    kept: dict[str, list[str]] = {name: [] for name in names}
    state: dict[str, int] = {}
    finished: list[str] = []
    heads = [name for name in names if not diagram.entering(name) and diagram.nodes[name].kind != "boundaryEvent"]
    for head in [*heads, *names]:
        if head in state:
            continue
        state[head] = 1
        stack = [(head, iter(successors(diagram, head)))]
        while stack:
            name, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                stack.pop()
                state[name] = 2
                finished.append(name)
            elif following in kept and state.get(following) != 1:
                kept[name].append(following)
                if following not in state:
                    state[following] = 1
                    stack.append((following, iter(successors(diagram, following))))
    return {name: kept[name] for name in reversed(finished)}


def automatic_cycles(diagram: Diagram, container: str, waits: Callable[[Node], bool]) -> list[tuple[str, ...]]:
    """Return the cycles of a level that no person, timer or message ever stops (one per strongly connected part)."""
    inside = {node.id for node in diagram.inside(container) if not waits(node)}
    onward = {name: [flow.target for flow in diagram.leaving(name) if flow.target in inside] for name in inside}
    # A node on a cycle survives taking away, again and again, whatever has no way on or no way in.
    kept = set(inside)
    while True:
        entered = {target for name in kept for target in onward[name]}
        left = {name for name in kept if name in entered and any(target in kept for target in onward[name])}
        if left == kept:
            break
        kept = left
    found: list[tuple[str, ...]] = []
    while kept:
        part = _within(onward, min(kept), kept)
        cycle = tuple(sorted(name for name in part if name in _within(onward, name, kept)))
        if cycle:
            found.append(cycle)
        kept -= part | {min(kept)}
    return found


def _within(onward: Mapping[str, list[str]], start: str, inside: set[str]) -> set[str]:
    seen: set[str] = set()
    queue = deque([start])
    while queue:
        for target in onward[queue.popleft()]:
            if target in inside and target not in seen:
                seen.add(target)
                queue.append(target)
    return seen
