"""The proof run of the gate: the real interpreter walks the paths of a package with generated answers, and survives being stored.

What the rules could not see shows here: an expression that fails for some answers, branches that never meet, a step nothing reaches,
a state that changes by being written and read. Nothing is stored and no operator does anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from engine.errors import EngineError
from engine.procedure.operators import OPERATORS
from engine.procedure.package import Package
from engine.procedure.report import Finding, at, origin
from engine.process import instance, state
from engine.process.program import Program, prepare
from engine.process.running import running
from engine.process.samples import Samples
from engine.process.values import Advance, Context, Json, Operation

MOVES = 1500
SECONDS = 4.0
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
    reached: set[str] = field(default_factory=set)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    seen: set[bytes] = field(default_factory=set)
    complete: bool = True

    def found(self, rule: str, element: str, severity: Any, path: tuple[str, ...], **facts: Any) -> None:
        finding = at(self.package.diagram, rule, element, severity, path=path, **facts)
        self.findings.setdefault((rule, finding.element), finding)


def prove(package: Package, *, moves: int = MOVES, seconds: float = SECONDS) -> list[Finding]:
    """Return what running the package showed; an empty list when every path that was tried came to its end.

    At most *moves* advances and *seconds* of time are spent; when they do not suffice a note says so.
    """
    try:
        program = prepare(("proof", package.content_hash), package)
    except EngineError as refused:
        element = str(refused.facts.get("step") or refused.facts.get("element") or "")
        facts = {name: fact for name, fact in refused.facts.items() if name != "element"}
        return [at(package.diagram, refused.code, element, "refused", **facts)]
    walk = _Walk(program, package, Samples(program, package))
    tried, until = 0, time.monotonic() + seconds
    ahead = list(_beginnings(walk))
    while ahead:
        place = ahead.pop()
        for step, move in _moves(walk, place):
            if tried >= moves or time.monotonic() > until:
                walk.complete = False
                return _closing(walk, tried)
            tried += 1
            following = _tried(walk, place, step, move)
            if following is not None:
                ahead.append(following)
    return _closing(walk, tried)


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
        for answers in walk.samples.answers(form, variable):
            yield task.step, lambda c, t=task, v=variable, a=answers: instance.complete(program, stored, t.uuid, v, a, c)
    for name in place.advance.waiting:
        yield name, lambda c, n=name: instance.receive(program, stored, n, {"answered_at": c.now.isoformat()}, c)
    if place.advance.timers:
        due = place.advance.timers[0]
        place.now = max(place.now, due.due_at)  # the last move of a place: what follows happens then
        yield due.step, lambda c: instance.fire(program, stored, c)


def _tried(walk: _Walk, place: _Place, step: str, move: Any) -> _Place | None:
    path = (*place.path, step)
    try:
        advance: Advance = move(_context(place.now, place.dossier))
        _check_stored(walk, advance, path)
    except EngineError as refused:
        element = str(refused.facts.get("step") or refused.facts.get("element") or step)
        walk.found(refused.code, element, "refused", path, **{**refused.facts, "step": origin(element)})
        return None
    except Exception as error:
        walk.found("process.proof_failed", step, "refused", path, kind=type(error).__name__)
        return None
    walk.reached |= set(instance.view(walk.program, advance.state).done)
    key = orjson.dumps(
        [
            sorted(task.step for task in advance.ready),
            advance.waiting,
            sorted(timer.step for timer in advance.timers),
            _watched(walk, advance.variables),
            place.dossier,
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


def _watched(walk: _Walk, variables: Mapping[str, Json]) -> Json:
    """Return of the variables only what some expression reads: two states that differ in nothing else go the same ways."""
    found: dict[str, Json] = {}
    for name, value in variables.items():
        if isinstance(value, dict) and name not in walk.samples.paths:
            found[name] = {key: one for key, one in value.items() if walk.samples.matters(name, key)}
        elif name in walk.samples.paths:
            found[name] = value
    return found


def _check_stored(walk: _Walk, advance: Advance, path: tuple[str, ...]) -> None:
    with running(walk.program, _context(_START, {}), advance.state) as run:
        if state.dump(run.instance) != advance.state:
            walk.found("process.proof_unstable", path[-1], "refused", path)


def _closing(walk: _Walk, tried: int) -> list[Finding]:
    if not walk.complete:
        walk.found("process.proof_partial", walk.program.process_id, "note", (), moves=tried)
    elif not walk.findings:
        for node in walk.program.nodes.values():
            if node.kind.endswith(_REACHABLE) and node.id not in walk.reached:
                walk.found("process.proof_unreached", node.id, "warning", ())
    return list(walk.findings.values())
