"""Answers for the proof run: for every form the few that can make a difference to what the diagram's expressions decide."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from engine.errors import Invalid
from engine.feel import FeelError
from engine.procedure.form_fields import Field
from engine.procedure.package import Package
from engine.procedure.scope import FUNCTIONS
from engine.process.program import Program
from engine.process.surfaces import compiled
from engine.process.values import Json

COMBINATIONS = 32
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NUMBER = re.compile(r"(?<![\w.])\d{1,12}(?:\.\d{1,6})?(?![\w.])")
_TRUTH = re.compile(r"\b(?:true|false)\b")
_CHANNELS = ("in_person", "online", "postal")


class Samples:
    """What one program's expressions look at, and answers on both sides of every comparison they make."""

    def __init__(self, program: Program, package: Package) -> None:
        self.package = package
        self.paths: set[str] = set()
        self.reads: dict[str, set[str]] = {}
        """What is read at which element of the diagram in its normal form."""
        self.decided: set[str] = set()
        """What decision tables read, wherever they are asked."""
        self._texts: dict[str, set[str]] = {}
        self._numbers: dict[str, set[Decimal]] = {}
        self._truths: set[str] = set()
        for surface in program.surfaces:
            try:
                read = compiled(str(surface), surface.types, FUNCTIONS).names
            except FeelError:
                continue  # the gate has said so already
            self._look(read, str(surface))
            self.reads.setdefault(surface.element, set()).update(read)
        for decisions in program.decisions.files.values():
            for table in decisions.tables:
                for place, column in enumerate(table.inputs):
                    for rule in table.box.rules:
                        self._look(column.value.names, rule.inputs[place])
                    self.decided.update(column.value.names)

    def _look(self, paths: Iterable[str], text: str) -> None:
        """Note that what stands at *paths* is compared with the constants in *text*."""
        for path in paths:
            self.paths.add(path)
            self._texts.setdefault(path, set()).update(_TEXT.findall(text))
            if _TRUTH.search(_TEXT.sub("", text)):
                self._truths.add(path)
            self._numbers.setdefault(path, set()).update(Decimal(one) for one in _NUMBER.findall(_TEXT.sub("", text)))

    def _compared(self, known: Mapping[str, set[Any]], variable: str, field: str) -> list[Any]:
        """Return the constants of the expressions that read this field, or the variable as a whole."""
        return sorted({value for path, values in known.items() if _covers(path, variable, field) for value in values})

    def matters(self, variable: str, field: str, paths: Collection[str] | None = None) -> bool:
        """Whether some expression (of those that read *paths*, if they are given) reads this field, or the variable as a whole."""
        return any(_covers(path, variable, field) for path in (self.paths if paths is None else paths))

    def answers(self, form: str | None, variable: str | None, paths: Collection[str] | None = None) -> list[Json]:
        """Return the answers to try at a step with *form*, checked by the form's own rules; of *paths* only, if they are given."""
        if form is None or form not in self.package.form_keys:
            return [{}]
        fields = self.package.form(form).fields
        name = variable or form
        choices = {field.key: self._choices(field, name) if self.matters(name, field.key, paths) else [_plain(field)] for field in fields}
        found: dict[str, Json] = {}
        for values in _combined(choices):
            given = {key: value for key, value in values.items() if value is not None}
            try:
                cleaned = self.package.form(form).check(given, {})
            except Invalid:
                cleaned = given  # a pattern nobody can guess: the diagram is what is tried here, not the form
            found.setdefault(repr(sorted(cleaned.items())), cleaned)
        return list(found.values())

    def payloads(self, variables: Iterable[str]) -> list[Json]:
        """Return what a message may carry into *variables*: nothing, and every value on either side of what is compared with its fields."""
        choices: dict[str, list[Any]] = {}
        for path in sorted(self.paths):
            variable, _dot, field = path.partition(".")
            if variable in variables and field and "." not in field:
                near = sorted({n + step for n in self._numbers.get(path, ()) for step in (-1, 0, 1)})
                truths = [True, False] if path in self._truths else []
                choices[field] = [*truths, *sorted(self._texts.get(path, ()))[:6], *(float(n) for n in near[:9]), None]
        found = [{key: value for key, value in one.items() if value is not None} for one in _combined(choices)] if choices else []
        return [{}, *(one for one in found if one)]

    def dossiers(self) -> Iterator[Json]:
        """Yield the facts of dossiers that make a difference."""
        near = {int(n) + step for n in self._compared(self._numbers, "dossier", "pages") for step in (-1, 0, 1)}
        pages = sorted({1, *(n for n in near if 0 < n < 1000)})
        deliveries = sorted({"counter", *self._compared(self._texts, "dossier", "delivery")})
        choices: dict[str, list[Any]] = {
            "code": ["H00.00.00-000000-0001"],
            "channel": list(_CHANNELS) if "dossier.channel" in self.paths else ["in_person"],
            "status": ["processing"],
            "pages": list(pages),
            "delivery": list(deliveries),
            "by_representative": [False, True] if "dossier.by_representative" in self.paths else [False],
            "subject": ["x"],
            "financial_status": ["none", "due", "paid"] if "dossier.financial_status" in self.paths else ["none"],
            "received_on": ["2026-01-05"],
        }
        yield from itertools.islice(_combined(choices), COMBINATIONS)

    def _choices(self, field: Field, variable: str) -> list[Any]:
        absent = [] if field.required else [None]
        if field.kind in ("select", "radio"):
            return [*field.values, *absent]
        if field.kind == "checkbox":
            return [True] if field.required else [True, False]
        if field.kind == "checklist":
            values = list(field.values)
            return [values, values[:1], *absent]
        if field.kind == "number":
            near = {n + step for n in self._compared(self._numbers, variable, field.key) for step in (-1, 0, 1)}
            fitting = [n for n in sorted(near) if _within(field, n)] or [Decimal(str(_plain(field) or 1))]
            return [*(format(n.normalize(), "f") for n in fitting[:9]), *absent]
        if field.kind == "date":
            first = date(2026, 1, 5)
            return [first.isoformat(), (first + timedelta(days=40)).isoformat(), *absent]
        if field.kind in ("text", "textarea"):
            return [*self._compared(self._texts, variable, field.key)[:6], "x", *absent]
        return [_plain(field), *absent]


def _covers(path: str, variable: str, field: str) -> bool:
    return path == variable or path == f"{variable}.{field}" or path.startswith(f"{variable}.{field}.")


def _within(field: Field, number: Decimal) -> bool:
    if field.decimals == 0 and number != number.to_integral_value():
        return False
    return (field.minimum is None or number >= field.minimum) and (field.maximum is None or number <= field.maximum)


def _plain(field: Field) -> Any:
    """Return some acceptable value of a field no expression looks at; every field is filled, hidden ones fall away by themselves."""
    if field.kind in ("select", "radio"):
        return field.values[0]
    if field.kind == "checklist":
        return list(field.values[:1])
    if field.kind == "checkbox":
        return True
    if field.kind == "number":
        return format(next(n for n in (Decimal(1), field.minimum, field.maximum, Decimal(0)) if n is not None and _within(field, n)), "f")
    if field.kind == "date":
        return "2026-01-05"
    if field.kind == "file":
        return "sample"
    known = {"email": "a@example.vn", "phone": "0912345678", "citizen_number": "001099000012"}
    return known.get(field.format or "", "x" * max(1, field.min_length or 1))


def _combined(choices: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Yield all combinations when they are few, else each value once beside the first of all others."""
    size = 1
    for values in choices.values():
        size *= max(1, len(values))
    names = list(choices)
    if size <= COMBINATIONS:
        for chosen in itertools.product(*(choices[name] or [None] for name in names)):
            yield dict(zip(names, chosen, strict=True))
        return
    base = {name: values[0] if values else None for name, values in choices.items()}
    yield base
    for name, values in choices.items():
        for value in values[1:]:
            yield {**base, name: value}
