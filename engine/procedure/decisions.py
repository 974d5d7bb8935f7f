"""The decision models of a package: compiled once, looked up by the name of a decision, evaluated over the variables of a process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.errors import Refused
from engine.feel import ANY, FeelError, FeelType
from engine.feel.dmn import Decisions, Outcome
from engine.feel.dmn.model import Model
from engine.feel.dmn.reader import read_model
from engine.procedure.package import Package
from engine.procedure.scope import FUNCTIONS

FOLDER = "decisions/"


@dataclass(frozen=True, slots=True)
class Broken:
    """A decision file that cannot be used, and why."""

    file: str
    problem: FeelError


@dataclass(frozen=True, slots=True)
class DecisionFiles:
    """The decision files of a package: those that compiled, and those that did not."""

    files: Mapping[str, Decisions]
    broken: tuple[Broken, ...]

    def holders(self, name: str) -> list[Decisions]:
        """The files with a decision or decision service called *name*, or with that id."""
        return [decisions for decisions in self.files.values() if _has(decisions, name)]

    def type_of(self, name: str) -> FeelType:
        """The type of what the decision gives; Any while it is not known."""
        found = self.holders(name)
        if len(found) != 1:
            return ANY
        kind = found[0].kinds[found[0].key_of(name)]
        return getattr(kind, "result", ANY) if kind.name == "function" else kind

    def inputs_of(self, name: str) -> tuple[str, ...]:
        """The variables the decision reads, by their first names."""
        found = self.holders(name)
        return tuple(sorted({name.partition(".")[0] for name in found[0].inputs_of(name)})) if len(found) == 1 else ()

    def evaluate(self, name: str, variables: Mapping[str, Any], functions: Mapping[str, Any]) -> Outcome:
        """The value of the decision *name*, with the rows that fired.

        Raises:
            Refused: ``decision.unknown``.
            FeelError: whatever the decision itself raises.
        """
        found = self.holders(name)
        if len(found) != 1:
            raise Refused("decision.unknown", name=name[:80])
        given = {key: variables.get(key) for key in self.inputs_of(name)}
        known = {key: call for key, call in functions.items() if key in FUNCTIONS}
        return found[0].evaluate(name, given, functions=known)


def _has(decisions: Decisions, name: str) -> bool:
    try:
        decisions.key_of(name)
    except FeelError:
        return False
    return True


def decision_files(package: Package) -> DecisionFiles:
    """The decision files of *package*; equal contents are compiled once."""
    return _compiled(tuple(sorted((name, content) for name, content in package.files.items() if name.startswith(FOLDER))))


@lru_cache(256)
def _compiled(contents: tuple[tuple[str, bytes], ...]) -> DecisionFiles:
    files: dict[str, Decisions] = {}
    broken: list[Broken] = []
    models: dict[str, Model] = {}
    for file, content in contents:
        try:
            models[file] = read_model(content)
        except FeelError as problem:
            broken.append(Broken(file, problem))
    by_namespace: dict[str, Decisions] = {}
    for file in _imports_first(models):
        try:
            files[file] = Decisions(models[file], imports=by_namespace, functions=FUNCTIONS)
        except FeelError as problem:
            broken.append(Broken(file, problem))
        else:
            by_namespace[models[file].namespace] = files[file]
    return DecisionFiles(files, tuple(broken))


def _imports_first(models: Mapping[str, Model]) -> Iterator[str]:
    """The files in an order in which every file comes after those it imports; files that import each other come as they are."""
    waiting = dict(models)
    while waiting:
        open_namespaces = {model.namespace for model in waiting.values()}
        free = [file for file, model in waiting.items() if not any(entry.namespace in open_namespaces for entry in model.imports)]
        for file in free or list(waiting):
            yield file
            del waiting[file]
