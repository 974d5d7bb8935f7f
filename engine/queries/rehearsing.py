"""Trying a draft: one rehearsed dossier with what can happen next, and all scenarios with what they cover."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.deadline.calendar_file import Calendars
from engine.deadline.functions import working_time
from engine.errors import EngineError, Refused
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.drafting import designer
from engine.procedure.forms import Form
from engine.procedure.package import Package
from engine.procedure.phrases import OPERATOR_WORDS, name_words
from engine.procedure.report import Finding, from_refusal
from engine.procedure.scenarios import SHORTEST_REASON, Move, Scenario, rewritten, with_scenario, with_waiver
from engine.process import mending
from engine.process.rehearsal import Coverage, Played, Rehearsal, Trial, rehearse, try_all

__all__ = ["Move", "Stage", "TrialPage", "mended", "moves_of", "stage", "trial", "waived", "with_scenario", "written"]

LONGEST = 200_000
"""Characters of the moves a page may carry."""
Names = Mapping[str, str]


@dataclass(frozen=True)
class OpenStep:
    """A step that waits: who does it, with which form, what stands in it already; *variable* prefills the form."""

    id: str
    name: Names
    role: Names
    form: Form | None
    answers: Mapping[str, Any]


@dataclass(frozen=True)
class Happened:
    """A line of the rehearsal's log: what happened, when, and what the office did because of it."""

    kind: str
    name: Names
    at: datetime
    called: Sequence[Names]


@dataclass(frozen=True)
class Stage:
    """Where a rehearsal stands; *fault* says why its last move was not possible."""

    moves: tuple[Move, ...]
    begun: bool
    now: datetime
    open: Sequence[OpenStep]
    messages: Sequence[tuple[str, Names]]
    timers: Sequence[tuple[str, Names, datetime]]
    log: Sequence[Happened]
    ended: Names | None
    marks: Mapping[str, Sequence[str]]
    start: Form | None
    fault: EngineError | None

    @property
    def carried(self) -> str:
        """The moves as a page carries them."""
        return json.dumps([[move.kind, move.name, move.answers] for move in self.moves], ensure_ascii=False)


@dataclass(frozen=True)
class TrialPage:
    """Every scenario with how it went, and the coverage as the canvas draws it."""

    played: Sequence[Played]
    coverage: Coverage
    faults: Sequence[Finding]
    bare: Sequence[tuple[str, Names, Names]]
    marks: Mapping[str, Sequence[str]]
    green: bool


def moves_of(carried: str) -> tuple[Move, ...]:
    """Return the moves a page carried.

    Raises:
        Refused: they are not ours.
    """
    if not carried:
        return ()
    try:
        rows: Any = json.loads(carried[:LONGEST])
        return tuple(Move(kind, str(name), dict(answers)) for kind, name, answers in rows if kind in ("step", "message", "wait"))
    except (TypeError, ValueError):
        raise Refused("scenario.moves_broken") from None


def stage(w: UnitOfWork, package: Package, moves: Sequence[Move]) -> Stage:
    """Play *moves* from the beginning and return where the dossier stands; a last move that is not possible leaves it before that move.

    Raises:
        Forbidden: the actor designs no procedures.
        Refused: the draft cannot be run.
    """
    designer(w)
    run = rehearse(package, _functions(w))
    played: list[Move] = []
    fault: EngineError | None = None
    for number, move in enumerate(moves):
        try:
            if number == 0:
                run.begin(move.answers)
            else:
                run.act(move)
        except EngineError as refused:
            fault = refused
            break
        played.append(move)
    return _stage(package, run, tuple(played), fault)


def written(w: UnitOfWork, package: Package, moves: Sequence[Move]) -> Scenario:
    """Return the moves as a scenario that ends where they end.

    Raises:
        EngineError: a move is not possible.
        Refused: the dossier is still under way.
    """
    designer(w)
    run = rehearse(package, _functions(w))
    if not moves:
        raise Refused("scenario.not_begun")
    run.begin(moves[0].answers)
    for move in moves[1:]:
        run.act(move)
    return run.written()


def trial(w: UnitOfWork, package: Package) -> TrialPage:
    """Play every scenario of *package*.

    Raises:
        Forbidden: the actor designs no procedures.
    """
    designer(w)
    try:
        found = try_all(package, _functions(w))
    except Refused as refused:
        nothing = Coverage({}, {}, {}, ())
        found = Trial((), nothing, (from_refusal(refused),))
    flows = found.coverage.flows
    marks = {
        "walked": [flow for flow, times in flows.items() if times],
        "refused": list(found.coverage.bare),
        "warning": [flow for flow in found.coverage.waived if not flows.get(flow)],
    }
    bare = [(flow, *_ends(package, flow)) for flow in found.coverage.bare]
    return TrialPage(found.played, found.coverage, found.faults, bare, marks, found.green)


def waived(files: Mapping[str, bytes], place: str, flows: Sequence[str], reason: str) -> bytes:
    """Return the scenario file of a draft with *flows* excused.

    Raises:
        Refused: at the field: no flow is chosen, or the reason says nothing.
    """
    if not flows:
        raise Refused("scenario.no_flow_chosen", field="reason")
    if len(reason.strip()) < SHORTEST_REASON:
        raise Refused("scenario.waiver_reason", field="reason", flow=flows[0], file=place, line=1)
    text = files.get(place, b"").decode()
    for flow in flows:
        text = with_waiver(text, flow, reason.strip()[:500])
    return text.encode()


def mended(w: UnitOfWork, package: Package | None) -> tuple[dict[str, bytes], Sequence[str]]:
    """Return the scenario files brought up to date with the diagram, and the names of the scenarios that changed.

    Raises:
        Forbidden: the actor designs no procedures.
        Refused: the draft cannot be run.
    """
    designer(w)
    if package is None:
        return {}, ()
    found = mending.mended(package, _functions(w))
    files = {file: package.files[file].decode() for file, _name in found}
    for (file, _name), scenario in found.items():
        files[file] = rewritten(files[file], scenario)
    return {file: text.encode() for file, text in files.items()}, [name for _file, name in found]


def _functions(w: UnitOfWork) -> Callable[[datetime], Mapping[str, Callable[..., Any]]]:
    calendar = w.part(Calendars).of()
    return lambda now: working_time(calendar, now)


def _ends(package: Package, flow: str) -> tuple[Names, Names]:
    drawn = package.diagram.flows[flow]
    return _name(package, drawn.source), _name(package, drawn.target)


def _name(package: Package, element: str) -> Names:
    node = package.diagram.nodes.get(element)
    words = name_words(node) if node is not None else None
    return {"vi": words.vi, "en": words.en} if words is not None and words.vi else {"vi": element, "en": element}


def _stage(package: Package, run: Rehearsal, moves: tuple[Move, ...], fault: EngineError | None) -> Stage:
    start = package.form(package.start_form) if package.start_form else None
    if run.advance is None:
        return Stage(moves, False, run.now, (), (), (), (), None, {}, start, fault)
    view = run.view
    return Stage(
        moves=moves,
        begun=True,
        now=run.now,
        open=[_open(package, one) for one in run.open],
        messages=[(name, {"vi": name, "en": name}) for name in run.advance.waiting],
        timers=[(timer.step, _name(package, timer.step), timer.due_at) for timer in run.advance.timers],
        log=[
            Happened(
                done.move.kind,
                _name(package, done.move.name) if done.move.name else {"vi": "", "en": ""},
                done.at,
                [_operator(operation.id) for operation in done.called],
            )
            for done in run.done
        ],
        ended=_name(package, run.advance.ended) if run.advance.ended is not None else None,
        marks={"done": list(view.done), "walked": list(view.walked), "now": [*view.active, *view.events]},
        start=start,
        fault=fault,
    )


def _open(package: Package, task: Any) -> OpenStep:
    form, lane = task.properties.get("form"), package.lane(task.lane)
    role = {"vi": lane.title.vi, "en": lane.title.en} if lane is not None else {"vi": task.lane or "", "en": task.lane or ""}
    answers = task.answers if isinstance(task.answers, dict) else {}
    return OpenStep(task.step, _name(package, task.step), role, package.form(form) if form else None, answers)


def _operator(identifier: str) -> Names:
    words = OPERATOR_WORDS.get(identifier)
    return {"vi": words.vi, "en": words.en} if words is not None else {"vi": identifier, "en": identifier}
