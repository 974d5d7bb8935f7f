"""Decision tables: compiled once, evaluated with every hit policy of the standard (clause 10.3.2.10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.feel import numbers, tree
from engine.feel.dmn import model
from engine.feel.dmn.columns import Column
from engine.feel.dmn.regions import Region, constant, region_of
from engine.feel.dmn.trace import Fired, Run
from engine.feel.dmn.types import ANYTHING, Declared, TypeTable, constants_of
from engine.feel.equality import same
from engine.feel.errors import FeelError
from engine.feel.expression import Expression, Mode, compile_text, parse
from engine.feel.library import LIBRARY
from engine.feel.types import ANY, NUMBER, FeelType, context_of, list_of

Names = Mapping[str, FeelType]
_NULL = compile_text("null")


@dataclass(frozen=True, slots=True)
class InputColumn:
    """One compiled input column."""

    label: str
    value: Expression
    declared: Declared
    allowed: Expression | None
    column: Column
    kind: FeelType
    regions: tuple[Region | None, ...]
    tests: tuple[Expression | None, ...]


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One compiled output column: per row an expression, or its value where it is constant."""

    name: str
    declared: Declared
    allowed: Expression | None
    order: tuple[Any, ...]
    default: Expression | None
    cells: tuple[tuple[Expression, Any, bool], ...]


class Table:
    """A compiled decision table."""

    def __init__(
        self, box: model.TableBox, names: Names, types: TypeTable, mode: Mode, element: str, problems: list[FeelError] | None = None
    ) -> None:
        self.problems = problems
        self.box = box
        self.element = element
        self.mode = mode
        self.names = names
        self.types = types
        self.all_rows = (1 << len(box.rules)) - 1
        self.inputs = tuple(self._input(place, column) for place, column in enumerate(box.inputs))
        self.outputs = tuple(self._output(place, column) for place, column in enumerate(box.outputs))
        self.type = self._type()
        self._check_policy()

    # -- compiling ----------------------------------------------------------------------------------------------------------------

    def compile(self, text: str, where: str, *, line: int = 0, **options: Any) -> Expression:
        """One cell; an error names the table and the cell."""
        try:
            return compile_text(text, names=self.names, mode=self.mode, trusted=True, types=self.types.kinds, **options)
        except FeelError as problem:
            problem.element = f"{self.element}: {where}"
            if self.problems is None:
                raise
            self.problems.append(problem)
            return compile_text("null")

    def _input(self, place: int, column: model.Input) -> InputColumn:
        where = f"input “{column.label}”"
        value = self.compile(column.text, where)
        declared = self.types.named(column.type, self.box.line, self.element)
        kind = declared.kind if declared.kind.name != "Any" else value.type
        allowed = (
            self.compile(column.values, f"{where}, values", tests=True, implicit={"?": kind}) if column.values not in ("", "-") else None
        )
        cells: list[tuple[Expression | None, Region | None]] = []
        known: dict[str, tuple[Expression | None, Region | None]] = {"": (None, None), "-": (None, None)}
        for row, rule in enumerate(self.box.rules, 1):
            text = rule.inputs[place]
            if text not in known:
                known[text] = self._cell_of(text, f"row {row}, {where}", kind)
            cells.append(known[text])
        regions, tests = tuple(region for _, region in cells), tuple(test for test, _ in cells)
        return InputColumn(column.label, value, declared, allowed, Column(cells), kind, regions, tests)

    def _cell_of(self, text: str, where: str, kind: FeelType) -> tuple[Expression | None, Region | None]:
        test = self.compile(text, where, tests=True, implicit={"?": kind})
        node = parse(text, self.names, tests=True, types=self.types.kinds) if test.text == text else None
        return test, region_of(node) if isinstance(node, tree.Tests) and node.tests else None

    def _output(self, place: int, column: model.Output) -> OutputColumn:
        where = f"output “{column.name or place + 1}”"
        declared = self.types.named(column.type or (self.box.type if len(self.box.outputs) == 1 else ""), self.box.line, self.element)
        if self.box.policy in ("RULE ORDER", "OUTPUT ORDER", "COLLECT") and not column.type:
            # The type of the table is then that of the list, or of the aggregate, not of one cell.
            declared = ANYTHING
        expected = declared.kind if self.mode == "strict" and declared.kind.name != "Any" else None
        allowed = None
        order: tuple[Any, ...] = ()
        if column.values not in ("", "-"):
            allowed = self.compile(column.values, f"{where}, values", tests=True, implicit={"?": declared.kind})
            order = constants_of(column.values) or ()
        default = self.compile(column.default, f"{where}, default", result=expected) if column.default else None
        cells = []
        for row, rule in enumerate(self.box.rules, 1):
            text = rule.outputs[place]
            if text in ("", "-"):
                raise FeelError("decision.empty_output", rule.line, 1, element=f"{self.element}: row {row}, {where}")
            number = self._number(text)
            if number is not None and expected in (None, NUMBER):
                cells.append((_NULL, number, True))
                continue
            compiled = self.compile(text, f"row {row}, {where}", result=expected)
            value, fixed = constant(parse(compiled.text, self.names, types=self.types.kinds))
            cells.append((compiled, value, fixed and not isinstance(value, list)))
        return OutputColumn(column.name, declared, allowed, order, default, tuple(cells))

    @staticmethod
    def _number(text: str) -> Decimal | None:
        """The value of a cell that is just a number, as most cells of fee tables are: nothing of it needs compiling."""
        return numbers.literal(text) if text.isascii() and text.isdigit() and len(text) < numbers.CONTEXT.prec else None

    def _type(self) -> FeelType:
        if len(self.outputs) == 1:
            one = self.outputs[0].declared.kind
        else:
            one = context_of({output.name: output.declared.kind for output in self.outputs})
        if self.box.policy in ("RULE ORDER", "OUTPUT ORDER") or (self.box.policy == "COLLECT" and not self.box.aggregation):
            return list_of(one)
        return ANY if self.box.aggregation else one

    def _check_policy(self) -> None:
        if self.box.policy in ("PRIORITY", "OUTPUT ORDER") and not any(output.order for output in self.outputs):
            raise FeelError("decision.no_priority", self.box.line, 1, element=self.element, policy=self.box.policy)

    # -- evaluating ---------------------------------------------------------------------------------------------------------------

    def evaluate(self, scope: Mapping[str, Any], run: Run) -> Any:
        """The value for *scope*; the rows that fired are added to the trace of *run*.

        Raises:
            FeelError: ``decision.overlap`` (U), ``decision.any_differs`` (A), ``decision.input_not_allowed``,
                ``decision.output_not_allowed``; all of them null in lenient mode.
        """
        try:
            return self._evaluated(scope, run)
        except FeelError as problem:
            problem.element = problem.element or self.element
            if self.mode == "strict" or problem.code in ("feel.too_many_steps", "feel.too_deep_calls"):
                raise
            return None

    def _evaluated(self, scope: Mapping[str, Any], run: Run) -> Any:
        meter = run.meter
        meter.spend(4 + len(self.inputs))
        mask = self.all_rows
        given: dict[str, Any] = {}
        for column in self.inputs:
            value = self._given(column, scope, run)
            given[column.label] = value
            if mask:
                mask &= column.column.rows(value, scope, meter)
        rows = _rows(mask)
        if self.box.policy == "UNIQUE" and len(rows) > 1:
            raise FeelError("decision.overlap", rows=", ".join(str(row + 1) for row in rows[:10]))
        if self.box.policy == "FIRST":
            rows = rows[:1]
        value, rows = self._hit(rows, scope, run)
        fired = tuple(self.box.rules[row] for row in rows)
        run.steps.append(
            Fired(
                run.element or self.element,
                given,
                tuple(row + 1 for row in rows),
                tuple(rule.id for rule in fired),
                tuple(rule.annotation for rule in fired),
                value,
            )
        )
        return value

    def _given(self, column: InputColumn, scope: Mapping[str, Any], run: Run) -> Any:
        value = column.value.evaluate(scope, meter=run.meter)
        if column.declared is not ANYTHING:
            value = column.declared.bind(value)
        if column.allowed is not None and value is not None:
            passes = column.allowed.evaluate(scope, None, value, meter=run.meter)
            if passes is not True:
                raise FeelError("decision.input_not_allowed", input=column.label, allowed=column.allowed.text[:120])
        return value

    def _hit(self, rows: list[int], scope: Mapping[str, Any], run: Run) -> tuple[Any, list[int]]:
        """The result of the matching *rows*, and the rows it came from."""
        box = self.box
        if not rows:
            return self._default(scope, run), rows
        if box.aggregation == "COUNT":
            return Decimal(len(rows)), rows
        values = [self._value(row, scope, run) for row in rows]
        if box.policy == "ANY":
            if any(same(values[0], value) is not True for value in values[1:]):
                raise FeelError("decision.any_differs", rows=", ".join(str(row + 1) for row in rows[:10]))
            return values[0], rows
        if box.policy in ("PRIORITY", "OUTPUT ORDER"):
            ranked = sorted(zip(values, rows, strict=True), key=lambda pair: self._rank(pair[0]))
            if box.policy == "PRIORITY":
                return ranked[0][0], [ranked[0][1]]
            return [value for value, _ in ranked], [row for _, row in ranked]
        if box.aggregation:
            function = LIBRARY[{"SUM": "sum", "MIN": "min", "MAX": "max"}[box.aggregation]].overloads[0]
            return function(run.meter, values), rows
        if box.policy in ("UNIQUE", "FIRST"):
            return values[0], rows
        return values, rows

    def _rank(self, value: Any) -> tuple[int, ...]:
        """The place of a value in the order of the allowed outputs, one number per output column."""
        parts = [value] if len(self.outputs) == 1 else [value.get(output.name) for output in self.outputs]
        ranks = []
        for output, part in zip(self.outputs, parts, strict=True):
            places = [place for place, known in enumerate(output.order) if same(known, part) is True]
            ranks.append(places[0] if places else len(output.order))
        return tuple(ranks)

    def _value(self, row: int, scope: Mapping[str, Any], run: Run) -> Any:
        if len(self.outputs) == 1:
            return self._cell(self.outputs[0], row, scope, run)
        return {output.name: self._cell(output, row, scope, run) for output in self.outputs}

    def _cell(self, output: OutputColumn, row: int, scope: Mapping[str, Any], run: Run) -> Any:
        compiled, value, fixed = output.cells[row]
        if not fixed:
            value = compiled.evaluate(scope, meter=run.meter)
        return self._bound(output, value, scope, run)

    def _bound(self, output: OutputColumn, value: Any, scope: Mapping[str, Any], run: Run) -> Any:
        if output.declared is not ANYTHING:
            value = output.declared.bind(value)
        if output.allowed is not None and value is not None and output.allowed.evaluate(scope, None, value, meter=run.meter) is not True:
            raise FeelError("decision.output_not_allowed", output=output.name, allowed=output.allowed.text[:120])
        return value

    def _default(self, scope: Mapping[str, Any], run: Run) -> Any:
        if not any(output.default for output in self.outputs):
            return None
        made = [
            None if output.default is None else self._bound(output, output.default.evaluate(scope, meter=run.meter), scope, run)
            for output in self.outputs
        ]
        one = made[0] if len(made) == 1 else {output.name: value for output, value in zip(self.outputs, made, strict=True)}
        several = self.box.policy in ("RULE ORDER", "OUTPUT ORDER") or (self.box.policy == "COLLECT" and not self.box.aggregation)
        return [one] if several else one


def _rows(mask: int) -> list[int]:
    """The numbers of the bits that are set."""
    rows = []
    while mask:
        lowest = mask & -mask
        rows.append(lowest.bit_length() - 1)
        mask ^= lowest
    return rows
