"""Compiles boxed expressions into functions of a scope and a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.feel import operations
from engine.feel.dmn import model
from engine.feel.dmn.table import Table
from engine.feel.dmn.trace import Run
from engine.feel.dmn.types import TypeTable
from engine.feel.errors import FeelError
from engine.feel.expression import Expression, Mode, compile_text
from engine.feel.limits import Meter
from engine.feel.scopes import item_type
from engine.feel.types import ANY, BOOLEAN, CONTEXT, LIST, ContextType, FeelType, FunctionType, context_of, list_of
from engine.feel.values import Function

Logic = Callable[[Mapping[str, Any], Run], Any]
Names = Mapping[str, FeelType]
Compiled = tuple[Logic, FeelType]


class LogicCompiler:
    """Compiles the logic of one model; *tables* collects every decision table for the analysis."""

    def __init__(self, types: TypeTable, mode: Mode, problems: list[FeelError] | None = None) -> None:
        self.problems = problems
        self.types = types
        self.mode = mode
        self.tables: list[Table] = []

    def compile(self, box: model.Boxed, names: Names, element: str, expected: str = "") -> Compiled:
        """The logic in *box*, and the type of its value.

        Raises:
            FeelError: naming *element* and the place in the text or the file.
        """
        logic, kind = _COMPILERS[type(box)](self, box, names, element)
        wanted = self.types.named(box.type or expected, box.line, element)
        if wanted.kind.name == "Any":
            return logic, kind

        def bound(scope: Mapping[str, Any], run: Run) -> Any:
            return self.bind(wanted.bind, logic(scope, run), element)

        return bound, wanted.kind

    def bind(self, binder: Callable[[Any], Any], value: Any, element: str) -> Any:
        """The value bound to its declared type; null in lenient mode where it does not conform."""
        try:
            return binder(value)
        except FeelError as problem:
            if self.mode == "lenient":
                return None
            problem.element = problem.element or element
            raise

    def text(self, text: str, names: Names, element: str) -> Expression:
        """A FEEL text; an error names *element*."""
        try:
            return compile_text(text, names=names, mode=self.mode, trusted=True, types=self.types.kinds)
        except FeelError as problem:
            problem.element = problem.element or element
            if self.problems is None:
                raise
            self.problems.append(problem)
            return compile_text("null")

    def _literal(self, box: model.LiteralBox, names: Names, element: str) -> Compiled:
        compiled = self.text(box.text, names, element)

        def logic(scope: Mapping[str, Any], run: Run) -> Any:
            try:
                return compiled.evaluate(scope, meter=run.meter)
            except FeelError as problem:
                problem.element = problem.element or element
                raise

        return logic, compiled.type

    def _table(self, box: model.TableBox, names: Names, element: str) -> Compiled:
        table = Table(box, names, self.types, self.mode, element, self.problems)
        self.tables.append(table)
        return table.evaluate, table.type

    def _context(self, box: model.ContextBox, names: Names, element: str) -> Compiled:
        inner = dict(names)
        entries: list[tuple[str, Logic]] = []
        kinds: dict[str, FeelType] = {}
        for entry in box.entries:
            logic, kind = self.compile(entry.value, inner, f"{element}: {entry.name or 'result'}", entry.type)
            entries.append((entry.name, logic))
            if entry.name:
                inner[entry.name] = kinds[entry.name] = kind
        result = box.entries[-1] if box.entries and not box.entries[-1].name else None

        def context(scope: Mapping[str, Any], run: Run) -> Any:
            seen = dict(scope)
            made: dict[str, Any] = {}
            value: Any = made
            for name, logic in entries:
                value = logic(seen, run)
                if name:
                    seen[name] = made[name] = value
            return value if result is not None else made

        return context, (kind if result is not None else context_of(kinds)) if entries else CONTEXT

    def _list(self, box: model.ListBox, names: Names, element: str) -> Compiled:
        compiled = [self.compile(item, names, f"{element}: {place}") for place, item in enumerate(box.items, 1)]
        kinds = {str(kind): kind for _, kind in compiled}
        kind = list_of(next(iter(kinds.values()))) if len(kinds) == 1 else LIST
        return (lambda scope, run: [logic(scope, run) for logic, _ in compiled]), kind

    def _relation(self, box: model.RelationBox, names: Names, element: str) -> Compiled:
        rows = [
            [(column, self.compile(cell, names, f"{element}: {column} {number}")[0]) for column, cell in zip(box.columns, row, strict=True)]
            for number, row in enumerate(box.rows, 1)
        ]
        kind = list_of(ContextType("context", entries=dict.fromkeys(box.columns, ANY)))
        return (lambda scope, run: [{column: logic(scope, run) for column, logic in row} for row in rows]), kind

    def _invocation(self, box: model.InvocationBox, names: Names, element: str) -> Compiled:
        function, kind = self.compile(box.function, names, element)
        arguments = [(name, self.compile(value, names, f"{element}: {name}")[0]) for name, value in box.arguments]
        order = tuple(name for name, _ in arguments)

        def invoked(scope: Mapping[str, Any], run: Run) -> Any:
            try:
                return operations.invoke(run.meter, function(scope, run), order, *(value(scope, run) for _, value in arguments))
            except FeelError as problem:
                problem.element = problem.element or element
                if self.mode == "lenient" and problem.code in ("feel.not_function", "feel.arity"):
                    return None
                raise

        return invoked, kind.result if isinstance(kind, FunctionType) else ANY

    def _function(self, box: model.FunctionBox, names: Names, element: str) -> Compiled:
        parameters = tuple(name for name, _ in box.parameters)
        declared = [self.types.named(kind, box.line, element) for _, kind in box.parameters]
        kinds = tuple(one.kind for one in declared)
        body, result = self.compile(box.body, {**names, **dict(zip(parameters, kinds, strict=True))}, element)

        def function(scope: Mapping[str, Any], run: Run) -> Function:
            def call(meter: Meter, *arguments: Any) -> Any:
                bound = {
                    name: self.bind(one.bind, value, element) for name, one, value in zip(parameters, declared, arguments, strict=True)
                }
                return body({**scope, **bound}, run)

            return Function(parameters, call, types=kinds, result=result, name=element)

        return function, FunctionType("function", parameters=kinds, result=result)

    def _conditional(self, box: model.ConditionalBox, names: Names, element: str) -> Compiled:
        condition, _ = self.compile(box.condition, names, f"{element}: if")
        positive, first = self.compile(box.positive, names, f"{element}: then")
        negative, second = self.compile(box.negative, names, f"{element}: else")

        def choose(scope: Mapping[str, Any], run: Run) -> Any:
            held = condition(scope, run)
            return positive(scope, run) if (operations.holds(held) if self.mode == "strict" else held is True) else negative(scope, run)

        return choose, first if first == second else ANY

    def _filter(self, box: model.FilterBox, names: Names, element: str) -> Compiled:
        source, kind = self.compile(box.source, names, f"{element}: in")
        item = item_type(kind)
        entries = item.entries if isinstance(item, ContextType) else {}
        match, _ = self.compile(box.match, {**names, **entries, "item": item}, f"{element}: match")

        def chosen(scope: Mapping[str, Any], run: Run) -> Any:
            def test(value: Any) -> Any:
                inner = {**scope, **dict.fromkeys(entries), "item": value, **(value if isinstance(value, dict) else {})}
                return match(inner, run)

            return operations.filtered(run.meter, source(scope, run), test)

        return chosen, kind

    def _iterator(self, box: model.IteratorBox, names: Names, element: str) -> Compiled:
        source, kind = self.compile(box.source, names, f"{element}: in")
        inner = {**names, box.variable: item_type(kind)} | ({"partial": LIST} if box.kind == "for" else {})
        body, result = self.compile(box.body, inner, f"{element}: {'return' if box.kind == 'for' else 'satisfies'}")

        def walked(scope: Mapping[str, Any], run: Run) -> Any:
            def one(value: Any, partial: Any = None) -> Any:
                return body({**scope, box.variable: value, "partial": partial}, run)

            sources = (lambda: source(scope, run),)
            if box.kind == "for":
                return operations.loop(run.meter, sources, one, True)
            return operations.quantified(run.meter, sources, one, box.kind == "every")

        return walked, list_of(result) if box.kind == "for" else BOOLEAN


_COMPILERS: dict[type, Callable[[LogicCompiler, Any, Names, str], Compiled]] = {
    model.LiteralBox: LogicCompiler._literal,
    model.TableBox: LogicCompiler._table,
    model.ContextBox: LogicCompiler._context,
    model.ListBox: LogicCompiler._list,
    model.RelationBox: LogicCompiler._relation,
    model.InvocationBox: LogicCompiler._invocation,
    model.FunctionBox: LogicCompiler._function,
    model.ConditionalBox: LogicCompiler._conditional,
    model.FilterBox: LogicCompiler._filter,
    model.IteratorBox: LogicCompiler._iterator,
}
