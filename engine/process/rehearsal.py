"""A rehearsal: one dossier walks through a package on the real interpreter, with a clock that is moved and an office that only takes notes.

Scenarios are rehearsals that were written down; whoever tries a draft plays one and may write it down. Nothing is stored, no
operator does anything, so a rehearsal can be played again from its beginning at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.errors import Conflict, EngineError, Invalid, Refused
from engine.feel import FeelError, compile_expression
from engine.procedure.framing import spoken
from engine.procedure.package import Package
from engine.procedure.report import Finding, at
from engine.procedure.scenarios import Move, Scenario, Scenarios, fault, read_scenarios
from engine.process import instance
from engine.process.instance import Advance, Context, OpenTask, Operation, Program, View
from engine.process.program import prepare

MORNING = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
"""Where the clock stands when a scenario names no instant: an ordinary Wednesday, 08:30 in Hanoi."""
MOVES = 200
"""Moves of one rehearsal at most."""
FACTS = {"code": "H00.00.00-261125-0001", "channel": "in_person", "status": "processing", "pages": 1, "delivery": "counter",
         "by_representative": False, "subject": "", "financial_status": "none"}  # fmt: skip
"""What expressions read of the rehearsed dossier unless the scenario says otherwise."""

Functions = Callable[[datetime], Mapping[str, Callable[..., Any]]]


@dataclass(frozen=True, slots=True)
class Done:
    """One line of what happened: a move and when, with what the office's operators were asked to do because of it."""

    move: Move
    at: datetime
    called: tuple[Operation, ...]


@dataclass
class Rehearsal:
    """One dossier on its way; ``act`` moves it, everything else looks."""

    package: Package
    program: Program
    functions: Functions
    now: datetime = MORNING
    dossier: Mapping[str, Any] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    advance: Advance | None = None
    _called: list[Operation] = field(default_factory=list)
    _start: Mapping[str, Any] = field(default_factory=dict)

    def begin(self, answers: Mapping[str, Any]) -> None:
        """Receive the dossier; *answers* fill the start form of the package.

        Raises:
            Invalid: the answers do not fit the start form.
            Refused: ``process.*``.
        """
        form = self.package.start_form
        given = {form: self.package.form(form).check(answers, {})} if form else {}
        self._start = given.get(form or "", {})
        self.advance = instance.start(self.program, given, self._context())
        self._note(Move("step", "", dict(answers)))

    def resume(self, state: bytes, answers: Mapping[str, Any]) -> None:
        """Go on from a stored state of a dossier whose start form held *answers*.

        Raises:
            Refused: ``process.*``: the state cannot be read.
        """
        form = self.package.start_form
        self._start = self.package.form(form).check(answers, {}) if form else {}
        self.advance = instance.fire(self.program, state, self._context())

    def act(self, move: Move) -> None:
        """Let one thing happen.

        Raises:
            Invalid: the answers do not fit the step's form.
            Conflict: the step is not open, the message not awaited, the timer not running.
            Refused: ``process.*``.
        """
        if len(self.done) > MOVES:
            raise Refused("scenario.too_long", limit=MOVES)
        if move.kind == "step":
            self._complete(move)
        elif move.kind == "message":
            payload = {"answered_at": self.now.isoformat(), **move.answers}
            self.advance = instance.receive(self.program, self._state, move.name, payload, self._context())
        else:
            self._wait(move.name)
        self._note(move)

    def _complete(self, move: Move) -> None:
        task = next((one for one in self.open if spoken(one.step) == move.name or one.step == move.name), None)
        if task is None:
            raise Conflict("scenario.step_closed", step=move.name, open=", ".join(spoken(one.step) for one in self.open) or "–")
        form = task.properties.get("form")
        variable = task.properties.get("variable") or form
        answers: Any = dict(move.answers)
        if form:
            answers = self.package.form(form).check(answers, instance.answers_so_far(self.program, self._state))
        self.advance = instance.complete(self.program, self._state, task.uuid, variable, answers, self._context())

    def _wait(self, timer: str) -> None:
        assert self.advance is not None
        due = next((found.due_at for found in self.advance.timers if timer in (found.step, spoken(found.step))), None)
        if due is None:
            running = ", ".join(spoken(found.step) for found in self.advance.timers) or "–"
            raise Conflict("scenario.no_timer", timer=timer, running=running)
        self.now = max(self.now, due) + timedelta(seconds=1)
        self.advance = instance.fire(self.program, self._state, self._context())

    @property
    def open(self) -> tuple[OpenTask, ...]:
        """The steps that wait for a person now."""
        return self.advance.ready if self.advance is not None else ()

    @property
    def passed(self) -> list[str]:
        """The steps done and the operators called so far, in their order."""
        found: list[str] = []
        for line in self.done:
            found += [spoken(line.move.name)] * (line.move.kind == "step" and line.move.name != "")
            found += [spoken(operation.step) for operation in line.called]
        return found

    def written(self, file: str = "tests/scenarios.toml") -> Scenario:
        """Return what was played as a scenario: the same moves must pass the same steps and end at the same place.

        Raises:
            Refused: ``scenario.unfinished`` while the dossier is under way.
        """
        if self.advance is None or self.advance.ended is None:
            raise Refused("scenario.unfinished", open=", ".join(task.step for task in self.open) or "–")
        first, *moves = (replace(line.move, name=spoken(line.move.name)) for line in self.done)
        return Scenario("", file, None, first.answers, tuple(moves), tuple(self.passed), self.advance.ended, (), self.dossier)

    @property
    def view(self) -> View:
        """The dossier on its diagram."""
        return instance.view(self.program, self._state)

    @property
    def _state(self) -> bytes:
        if self.advance is None:
            raise Refused("scenario.not_begun")
        return self.advance.state

    def _note(self, move: Move) -> None:
        self.done.append(Done(move, self.now, tuple(self._called)))
        self._called.clear()

    def _context(self) -> Context:
        def note(operation: Operation) -> Any:
            self._called.append(operation)
            return {}

        operators = {node.operator.id: note for node in self.package.meant.nodes.values() if node.operator is not None}
        facts = {**FACTS, "received_on": MORNING.date().isoformat(), "answers": self._start, **self.dossier}
        return Context(self.now, operators, self.functions(self.now), facts)


@dataclass(frozen=True)
class Played:
    """How one scenario went: *fault* is None when it went as written."""

    scenario: Scenario
    fault: Finding | None
    done: tuple[Done, ...]
    view: View | None


@dataclass(frozen=True)
class Coverage:
    """How often each node was passed and each flow walked by all scenarios together; *bare* flows nobody walks and nobody waived."""

    nodes: Mapping[str, int]
    flows: Mapping[str, int]
    waived: Mapping[str, str]
    bare: tuple[str, ...]


@dataclass(frozen=True)
class Trial:
    """All scenarios of a package played."""

    played: tuple[Played, ...]
    coverage: Coverage
    faults: tuple[Finding, ...]

    @property
    def green(self) -> bool:
        """Whether every scenario went as written and every flow is walked or waived."""
        return not self.faults

    def as_json(self) -> dict[str, Any]:
        """Return the trial for machines."""
        return {
            "green": self.green,
            "scenarios": [
                {"name": one.scenario.name, "file": one.scenario.file, "line": one.scenario.line, "green": one.fault is None}
                for one in self.played
            ],
            "flows": dict(self.coverage.flows),
            "waived": dict(self.coverage.waived),
            "bare": list(self.coverage.bare),
            "findings": [finding.as_json() for finding in self.faults],
        }


def rehearse(package: Package, functions: Functions, *, program: Program | None = None, now: datetime = MORNING) -> Rehearsal:
    """Return a rehearsal of *package* that has not begun.

    Raises:
        Refused: the package cannot be run.
    """
    return Rehearsal(package, program or prepare(("rehearsal", package.content_hash), package), functions, now)


def try_all(package: Package, functions: Functions) -> Trial:
    """Play every scenario of *package* and return how each went, what they cover, and everything that is wrong.

    Raises:
        Refused: the package cannot be run at all.
    """
    read = read_scenarios(package)
    base = rehearse(package, functions)
    played = [_play(base, scenario) for scenario in read.scenarios]
    covered = _coverage(package, base.program, played, read)
    faults = [*read.faults, *(one.fault for one in played if one.fault is not None)]
    if not any(scenario.moves or scenario.ends for scenario in read.scenarios):
        faults.append(fault("scenario.none", "tests", None))
    faults += [_uncovered(package, flow) for flow in covered.bare]
    return Trial(tuple(played), covered, tuple(faults))


def _play(base: Rehearsal, scenario: Scenario) -> Played:
    run = Rehearsal(base.package, base.program, base.functions, scenario.at or MORNING, scenario.dossier)
    place = scenario.line

    def wrong(rule: str, line: int | None, element: str = "", **facts: Any) -> Played:
        found = fault(rule, scenario.file, line, element, scenario=scenario.name, **facts)
        return Played(scenario, found, tuple(run.done), run.view if run.advance is not None else None)

    for fee in scenario.fees:
        try:
            amount = _amount(base.package, fee.key, {**FACTS, **scenario.dossier, **fee.facts})
        except FeelError as problem:
            return wrong("scenario.stopped", fee.line, reason_code=problem.code, reason_facts=dict(problem.facts))
        if amount != fee.amount:
            return wrong("scenario.fee", fee.line, expected=fee.amount, found=amount if amount is not None else "–")
    if not scenario.ends:
        return Played(scenario, None, (), None)
    try:
        run.begin(scenario.start)
        for move in scenario.moves:
            place = move.line
            run.act(move)
    except Invalid as invalid:
        key, reason = next(iter(invalid.errors.items()))
        element = (run.done and place != scenario.line and _name_at(scenario, place)) or ""
        return wrong("scenario.answers", place, str(element), field=key, reason_code=reason.code, reason_facts=dict(reason.facts))
    except EngineError as refused:
        facts = dict(refused.facts)
        if refused.code.startswith("scenario."):
            return wrong(refused.code, place, **facts)
        return wrong("scenario.stopped", place, reason_code=refused.code, reason_facts=facts)
    assert run.advance is not None
    if run.advance.ended != scenario.ends:
        found = run.advance.ended or ", ".join(spoken(task.step) for task in run.open) or ", ".join(run.advance.waiting) or "–"
        return wrong("scenario.ends", scenario.line, expected=scenario.ends, found=found)
    steps = iter(run.passed)
    missing = next((wanted for wanted in scenario.passes if wanted not in steps), None)
    if missing is not None:
        return wrong("scenario.passes", scenario.line, missing, missing=missing, passed=" → ".join(run.passed))
    return Played(scenario, None, tuple(run.done), run.view)


def _name_at(scenario: Scenario, line: int | None) -> str:
    return next((move.name for move in scenario.moves if move.line == line), "")


def _amount(package: Package, key: str, facts: Mapping[str, Any]) -> int | None:
    form = package.form(package.start_form) if package.start_form else None
    if form is not None:
        facts = {**facts, "answers": form.typed(form.draft(facts.get("answers", {})))}
    for fee in package.fees:
        if key in ("", fee.key):
            try:
                value = compile_expression(fee.amount).evaluate({"dossier": facts})
            except FeelError:
                return None  # it names a fact these dossiers do not have
            return int(value) if value is not None else None
    return None


def _coverage(package: Package, program: Program, played: Iterable[Played], read: Scenarios) -> Coverage:
    drawn = package.diagram.flows
    executable = {flow for ids in program.flows.values() for flow in ids}
    nodes: dict[str, int] = {}
    flows = {flow: 0 for flow in drawn if flow in executable}
    for one in played:
        if one.view is None:
            continue
        for node, times in one.view.done.items():
            nodes[node] = nodes.get(node, 0) + times
        for flow in one.view.walked:
            if flow in flows:
                flows[flow] += 1
    waived = {waiver.flow: waiver.reason for waiver in read.waivers}
    bare = tuple(flow for flow, times in flows.items() if not times and flow not in waived)
    return Coverage(nodes, flows, waived, bare)


def _uncovered(package: Package, flow: str) -> Finding:
    drawn = package.diagram.flows[flow]
    source, target = (package.diagram.nodes.get(end) for end in (drawn.source, drawn.target))
    names = {
        "source": (source and (source.name or source.id)) or drawn.source,
        "target": (target and (target.name or target.id)) or drawn.target,
    }
    return at(package.diagram, "scenario.flow_bare", flow, "refused", **names)
