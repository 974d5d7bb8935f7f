"""Scenarios of an earlier diagram brought up to date: steps that came in between are filled in, steps that are gone fall away.

What a scenario is there for stays as it was written: who answers what, which steps the dossier passes, where it ends. When no way leads
there any more, the scenario is not mended and goes on failing.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import replace

from engine.errors import EngineError, Invalid
from engine.procedure.framing import spoken
from engine.procedure.package import Package
from engine.procedure.scenarios import Move, Scenario, read_scenarios
from engine.process.rehearsal import MORNING, Functions, Rehearsal, rehearse
from engine.process.samples import Samples

BETWEEN = 4
"""New moves filled in for one scenario at most."""
TRIED = 400
"""Moves tried for one scenario at most, those that led nowhere included."""


def mended(package: Package, functions: Functions) -> dict[tuple[str, str], Scenario]:
    """Return, by file and name, the failing scenarios of *package* that can be brought up to date, as they then read.

    Raises:
        Refused: the package cannot be run at all.
    """
    base = rehearse(package, functions)
    samples = Samples(base.program, package)
    found: dict[tuple[str, str], Scenario] = {}
    for scenario in read_scenarios(package).scenarios:
        if scenario.ends and scenario.ends in package.diagram.nodes:
            better = _Mender(base, samples, scenario).result()
            if better is not None and (better.moves, better.passes) != (scenario.moves, scenario.passes):
                found[scenario.file, scenario.name] = better
    return found


class _Mender:
    def __init__(self, base: Rehearsal, samples: Samples, scenario: Scenario) -> None:
        self.samples, self.scenario, self.left = samples, scenario, TRIED
        self.package = base.package
        self.begun = Rehearsal(base.package, base.program, base.functions, scenario.at or MORNING, scenario.dossier)

    def result(self) -> Scenario | None:
        passes = tuple(step for step in self.scenario.passes if self._drawn(step))
        try:
            self.begun.begin(self.scenario.start)
        except EngineError:
            return None
        moves = self._on(self.begun, self.scenario.moves, (), BETWEEN, passes)
        return None if moves is None else replace(self.scenario, moves=moves, passes=passes)

    def _drawn(self, step: str) -> bool:
        return "." in step or step in self.package.diagram.nodes

    def _on(
        self, run: Rehearsal, ahead: tuple[Move, ...], behind: tuple[Move, ...], spare: int, passes: tuple[str, ...]
    ) -> tuple[Move, ...] | None:
        """Return the moves that lead from here to where the scenario ends, as written where that is possible."""
        if run.advance is not None and run.advance.ended is not None:
            steps = iter(run.passed)
            arrived = run.advance.ended == self.scenario.ends and all(wanted in steps for wanted in passes)
            return behind if arrived and not any(self._drawn(move.name) for move in ahead) else None
        if ahead:
            for move in self._fitting(ahead[0]):
                after = self._after(run, move)
                if after is not None:
                    led = self._on(after, ahead[1:], (*behind, move), spare, passes)
                    if led is not None:
                        return led
            if ahead[0].kind == "step" and not self._drawn(ahead[0].name):
                return self._on(run, ahead[1:], behind, spare, passes)
        for move in self._new(run, ahead) if spare else ():
            after = self._after(run, move)
            led = self._on(after, ahead, (*behind, move), spare - 1, passes) if after is not None else None
            if led is not None:
                return led
        return None

    def _after(self, run: Rehearsal, move: Move) -> Rehearsal | None:
        if self.left <= 0:
            return None
        self.left -= 1
        after = copy(run)
        after.done, after._called = list(run.done), []
        try:
            after.act(move)
        except (EngineError, Invalid):
            return None
        return after

    def _fitting(self, move: Move) -> Iterator[Move]:
        """Yield the move as it is written, then with the fields its form has by now and answers for those that are new."""
        yield move
        node = self.package.diagram.nodes.get(move.name)
        key = node.properties.get("form") if node is not None else None
        if move.kind != "step" or key not in self.package.form_keys:
            return
        known = {field.key for field in self.package.form(str(key)).fields}
        written = {name: answer for name, answer in move.answers.items() if name in known}
        for sample in self._answers(str(key), node.properties.get("variable") if node is not None else None):
            yield replace(move, answers={**sample, **written})

    def _new(self, run: Rehearsal, ahead: tuple[Move, ...]) -> Iterator[Move]:
        """Yield moves at open steps the scenario does not speak of from here on."""
        spoken_of = {move.name for move in ahead}
        for task in run.open:
            if spoken(task.step) in spoken_of:
                continue
            form = task.properties.get("form")
            for answers in self._answers(form, task.properties.get("variable")):
                yield Move("step", spoken(task.step), answers)

    def _answers(self, form: str | None, variable: str | None) -> list[dict[str, object]]:
        return [dict(answers) for answers in self.samples.answers(form, variable or form)]
