"""The proof run of the gate: the real interpreter walks the paths of a package with generated answers, and survives being stored.

What the rules could not see shows here: an expression that fails for some answers, branches that never meet, a step nothing reaches,
a state that changes by being written and read. Nothing is stored and no operator does anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from engine.errors import EngineError
from engine.procedure.diagram import Diagram
from engine.procedure.diagram_reader import read_diagram
from engine.procedure.normaliser import normalise
from engine.procedure.operators import DECISION, OPERATORS
from engine.procedure.package import DIAGRAM, Package
from engine.procedure.report import Finding, at, origin
from engine.process import instance, reading, state
from engine.process.liveness import Liveness
from engine.process.program import Program, prepare
from engine.process.running import running
from engine.process.samples import Samples
from engine.process.sleeping import awaken
from engine.process.values import Advance, Context, Json, Operation

MOVES = 1500
"""Moves tried at most. Counted, as is the next one: a busy computer gives the same verdict."""
BYTES = 40_000_000
"""Bytes of states written and read again at most: what a move costs grows with the state."""
_START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
_REACHABLE = ("Task", "task", "endEvent", "callActivity", "subProcess")


@dataclass(slots=True)
class _Place:
    """Where one path stands: the last advance, the instant, the facts of the dossier and the way that led here."""

    advance: Advance
    now: datetime
    dossier: Json
    path: tuple[str, ...]


@dataclass(slots=True)
class _Walk:
    program: Program
    package: Package
    samples: Samples
    liveness: Liveness
    reminders: frozenset[str]
    reminding: frozenset[str]
    """The messages that only start what does not interrupt."""
    carried: Mapping[str, Collection[str]]
    """The variables that take what a message carries, by its name."""
    walked: int = 0
    """Bytes of the states so far."""
    reached: set[str] = field(default_factory=set)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    seen: set[bytes] = field(default_factory=set)
    complete: bool = True

    _answers: dict[str, list[Json]] = field(default_factory=dict)

    def answers(self, step: str, form: str | None, variable: str | None) -> list[Json]:
        """Return the answers to try at a step: what nobody reads afterwards need not differ."""
        if step not in self._answers:
            self._answers[step] = self.samples.answers(form, variable, self.liveness.after(step))
        return self._answers[step]

    def found(self, rule: str, element: str, severity: Any, path: tuple[str, ...], **facts: Any) -> None:
        finding = at(self.package.diagram, rule, element, severity, path=path, **facts)
        self.findings.setdefault((rule, finding.element), finding)


def prove(package: Package, *, moves: int = MOVES, size: int = BYTES) -> list[Finding]:
    """Return what running the package showed; an empty list when every path that was tried came to its end.

    At most *moves* advances over *size* bytes of states are made; when they do not suffice a note says so.
    """
    try:
        program = prepare(("proof", package.content_hash), package)
    except EngineError as refused:
        element = str(refused.facts.get("step") or refused.facts.get("element") or "")
        facts = {name: fact for name, fact in refused.facts.items() if name != "element"}
        return [at(package.diagram, refused.code, element, "refused", **facts)]
    samples = Samples(program, package)
    diagram = read_diagram(normalise(package.whole).xml, DIAGRAM)
    liveness, reminders = Liveness(diagram, _reads(diagram, samples)), _reminders(diagram)
    walk = _Walk(program, package, samples, liveness, reminders, _reminding(diagram, reminders), _carried(diagram))
    tried = 0
    ahead = list(_beginnings(walk))
    while ahead:
        place = ahead.pop()
        for step, move in _moves(walk, place):
            if tried >= moves or walk.walked > size:
                walk.complete = False
                return _closing(walk, tried)
            tried += 1
            following = _tried(walk, place, step, move)
            if following is not None:
                ahead.append(following)
    return _closing(walk, tried)


def _reads(diagram: Diagram, samples: Samples) -> dict[str, set[str]]:
    """Return what is read at which element; a step that asks a decision reads whatever the tables do."""
    found = {element: set(paths) for element, paths in samples.reads.items()}
    for node in diagram.nodes.values():
        if node.operator is not None and node.operator.id == DECISION:
            found.setdefault(node.id, set()).update(samples.decided)
    return found


def _carried(diagram: Diagram) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for event in (event for node in diagram.nodes.values() for event in node.events if event.kind == "message" and event.variable):
        found.setdefault(diagram.name_of(event.reference), set()).add(event.variable)
    return found


def _beginnings(walk: _Walk) -> Iterator[_Place]:
    form = walk.package.start_form
    for dossier in walk.samples.dossiers():
        for answers in walk.samples.answers(form, form) if form else [{}]:
            variables = {form: answers} if form else {}
            begun = _Place(None, _START, {**dossier, "answers": answers}, ())  # type: ignore[arg-type]
            place = _tried(walk, begun, walk.program.process_id, lambda context, v=variables: instance.start(walk.program, v, context))
            if place is not None:
                yield place


def _context(now: datetime, dossier: Json) -> Context:
    def nothing(_: Operation) -> Json:
        return {}

    def hours(hours: Any) -> str:
        return (now + timedelta(hours=float(hours))).isoformat()

    def days(days: Any) -> str:
        return (now + timedelta(days=float(days))).isoformat()

    return Context(now, dict.fromkeys(OPERATORS, nothing), {"working hours": hours, "working days": days}, dossier)


def _moves(walk: _Walk, place: _Place) -> Iterator[tuple[str, Any]]:
    """Yield everything that can happen next: each open step with each answer, each awaited message, the next deadline."""
    program, stored = walk.program, place.advance.state
    for task in place.advance.ready:
        form, variable = task.properties.get("form"), task.properties.get("variable") or task.properties.get("form")
        for answers in walk.answers(task.step, form, variable):
            yield task.step, lambda c, t=task, v=variable, a=answers: instance.complete(program, stored, t.uuid, v, a, c)
    for name in place.advance.waiting:
        if name in walk.reminding and name in place.path:
            continue  # the second of the same kind goes no new ways
        for payload in walk.samples.payloads(walk.carried.get(name, ())):
            yield name, lambda c, n=name, p=payload: instance.receive(program, stored, n, {"answered_at": c.now.isoformat(), **p}, c)
    if place.advance.timers:
        due = place.advance.timers[0]
        place.now = max(place.now, due.due_at)  # the last move of a place: what follows happens then
        yield due.step, lambda c: instance.fire(program, stored, c)


def _tried(walk: _Walk, place: _Place, step: str, move: Any) -> _Place | None:
    path = (*place.path, step)
    try:
        advance: Advance = move(_context(place.now, place.dossier))
        here = _looked_at(walk, advance, path)
    except EngineError as refused:
        element = str(refused.facts.get("step") or refused.facts.get("element") or step)
        walk.found(refused.code, element, "refused", path, **{**refused.facts, "step": origin(element)})
        return None
    except Exception as error:
        walk.found("process.proof_failed", step, "refused", path, kind=type(error).__name__)
        return None
    live = walk.liveness.at(here)
    key = orjson.dumps(
        [
            _once(walk, here),
            _once(walk, sorted(task.step for task in advance.ready)),
            advance.waiting,
            _once(walk, sorted(timer.step for timer in advance.timers)),
            _watched(walk, advance.variables, live),
            _watched(walk, {"dossier": place.dossier}, live),
        ],
        option=orjson.OPT_SORT_KEYS,
    )
    if advance.outcome != "running" or key in walk.seen:
        return None
    walk.seen.add(key)
    now = (
        max([place.now, *(timer.due_at for timer in place.advance.timers[:1])]) if place.advance and not place.advance.ready else place.now
    )
    return _Place(advance, now, place.dossier, path)


def _reminders(diagram: Diagram) -> frozenset[str]:
    """Return everything that only events which do not interrupt lead to, what is repeated apart: a reminder opens it again and again."""
    starts = {node.id for node in diagram.nodes.values() if node.kind == "startEvent" and node.container not in diagram.nodes}
    edges = {node.id for node in diagram.nodes.values() if node.kind == "boundaryEvent" and not node.interrupting}
    ordinary, aside = _led_to(diagram, starts, edges), _led_to(diagram, edges, frozenset())
    return frozenset(name for name in aside - ordinary if not any(_repeats(diagram, level) for level in (name, *diagram.level(name))))


def _reminding(diagram: Diagram, reminders: Collection[str]) -> frozenset[str]:
    messages = [
        (node.id in reminders and node.kind == "boundaryEvent", diagram.name_of(event.reference))
        for node in diagram.nodes.values()
        for event in node.events
        if event.kind == "message"
    ]
    return frozenset(name for aside, name in messages if aside) - {name for aside, name in messages if not aside}


def _led_to(diagram: Diagram, starts: Collection[str], but: Collection[str]) -> set[str]:
    found: set[str] = set()
    ahead = list(starts)
    while ahead:
        name = ahead.pop()
        if name in found or (name in but and name not in starts):
            continue
        found.add(name)
        ahead += [flow.target for flow in diagram.leaving(name)]
        ahead += [inner.id for inner in diagram.inside(name) if inner.kind != "boundaryEvent"]
        ahead += [event.id for event in diagram.boundary(name)]
    return found


def _repeats(diagram: Diagram, name: str) -> bool:
    node = diagram.nodes.get(name)
    return node is not None and node.loop is not None


def _once(walk: _Walk, names: list[str]) -> list[str]:
    """Return sorted names, those that a reminder opened again only once: they go no new ways."""
    return [name for place, name in enumerate(names) if name not in walk.reminders or place == 0 or names[place - 1] != name]


def _watched(walk: _Walk, variables: Mapping[str, Json], live: Collection[str]) -> Json:
    """Return of the variables only what some expression still reads: two states that differ in nothing else go the same ways."""
    found: dict[str, Json] = {}
    for name, value in variables.items():
        if name in live:
            found[name] = value
        elif isinstance(value, dict):
            read = {key: one for key, one in value.items() if walk.samples.matters(name, key, live)}
            if read:
                found[name] = read
    return found


def _looked_at(walk: _Walk, advance: Advance, path: tuple[str, ...]) -> list[str]:
    """Read the state back: it must be the same when written again; note what was reached, and return where the dossier stands."""
    walk.walked += 2 * state.size(advance.state)
    with running(walk.program, _context(_START, {}), advance.state) as run:
        if state.dump(awaken(run.instance)) != advance.state:
            walk.found("process.proof_unstable", path[-1], "refused", path)
        walk.reached |= set(reading.view_of(run.instance, walk.program).done)
        return reading.standing(run.instance)


def _closing(walk: _Walk, tried: int) -> list[Finding]:
    if not walk.complete:
        walk.found("process.proof_partial", walk.program.process_id, "note", (), moves=tried)
    elif not walk.findings:
        for node in walk.program.nodes.values():
            if node.kind.endswith(_REACHABLE) and node.id not in walk.reached:
                walk.found("process.proof_unreached", node.id, "warning", ())
    return list(walk.findings.values())
