"""The door of the language: compile a text once, evaluate it often."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal

from engine.feel import guards, tree
from engine.feel.checker import Checker, may_be
from engine.feel.compiler import Compiled, Compiler
from engine.feel.convert import READY, convert
from engine.feel.errors import FeelError, place
from engine.feel.library import name_table
from engine.feel.limits import Meter
from engine.feel.names import NameTable, names_within
from engine.feel.parser import Parser
from engine.feel.types import ANY, FeelType
from engine.feel.values import Function, kind_of

Mode = Literal["strict", "lenient"]
Functions = Mapping[str, Callable[..., Any] | Function]
_BUILTINS = name_table()
_NONE: dict[str, Function] = {}


class Expression:
    """A compiled expression. Immutable; may be evaluated by many threads at once."""

    __slots__ = ("_functions", "_metered", "_run", "names", "text", "type")

    def __init__(
        self, text: str, run: Compiled, metered: bool, functions: Mapping[str, Function], names: frozenset[str], kind: FeelType
    ) -> None:
        self.text = text
        """The author's text."""
        self.names = names
        """The variables of the scope that are read, each with the entries behind it: ``review.decision``."""
        self.type = kind
        """The type of the result, as far as it can be known."""
        self._run = run
        self._metered = metered
        self._functions = functions

    def evaluate(self, scope: Mapping[str, Any], functions: Functions | None = None, *implicit: Any, meter: Meter | None = None) -> Any:
        """The value in *scope*, whose values may be of JSON or of the language.

        *functions* replaces functions registered at compile time by name, for this evaluation only. *implicit* are the values of implicit
        names such as ``?``. A *meter* shares one budget among several evaluations.

        Raises:
            FeelError: with line and column; in lenient mode only when a cap is reached.
        """
        if meter is None and self._metered:
            meter = Meter()
        if implicit:
            implicit = tuple(value if type(value) in READY else convert(value) for value in implicit)
        known = self._functions if functions is None else {**self._functions, **registered(functions)}
        try:
            return self._run(scope, meter, known, *implicit)
        except FeelError as problem:
            raise placed(problem, self.text) from problem.__cause__
        except RecursionError:
            raise FeelError("feel.too_deep_calls", *place(self.text, 0), limit=0) from None

    def reasoned(self, scope: Mapping[str, Any], functions: Functions | None = None, *implicit: Any) -> tuple[Any, list[FeelError]]:
        """The value, and in lenient mode the reasons why parts of it became null."""
        noted: list[FeelError] = []
        token = guards.reasons.set(noted)
        try:
            return self.evaluate(scope, functions, *implicit), noted
        finally:
            guards.reasons.reset(token)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


def compile_expression(
    text: str,
    *,
    names: Mapping[str, FeelType] | None = None,
    functions: Functions | None = None,
    mode: Mode = "strict",
    result: FeelType | None = None,
) -> Expression:
    """Compile one expression.

    *names* declares the variables with their types: a name that is not declared is then an error, what is declared and absent is null, and
    text of JSON is read as the declared type. Without *names* any variable may be read and one that is absent is an error.
    *functions* registers functions by name; they receive and return values of the language (or JSON).
    *result* is the type the caller needs: an expression that can only give another one is refused.
    In *mode* ``strict`` an operation that the standard lets end in null because of an error raises; in ``lenient`` it gives null.

    Raises:
        FeelError: with line and column, when the text is no expression or uses unknown names, functions or types.
    """
    return compile_text(text, names=names, functions=functions, mode=mode, result=result)


def compile_unary(
    text: str,
    *,
    names: Mapping[str, FeelType] | None = None,
    functions: Functions | None = None,
    mode: Mode = "strict",
    input_type: FeelType = ANY,
) -> Expression:
    """Compile unary tests, such as the cell of a decision table; ``evaluate(scope, None, value)`` gives whether *value* passes.

    Raises:
        FeelError: as :func:`compile_expression`.
    """
    return compile_text(text, names=names, functions=functions, mode=mode, tests=True, implicit={"?": input_type})


def compile_text(
    text: str,
    *,
    names: Mapping[str, FeelType] | None = None,
    functions: Functions | None = None,
    mode: Mode = "strict",
    tests: bool = False,
    implicit: Mapping[str, FeelType] | None = None,
    result: FeelType | None = None,
    trusted: bool = False,
    types: Mapping[str, FeelType] | None = None,
) -> Expression:
    """Compile an expression, or unary *tests*, with all that decision models need beside.

    *implicit* names variables that are passed to ``evaluate`` by position. A *trusted* scope holds every declared name and values of the
    language only, so that nothing is converted while reading. *types* are further names of types for ``instance of``.
    """
    outside = registered(functions) if functions else _NONE
    node = parse(text, names, outside, tests=tests, types=types)
    compiler = Compiler(text, names, outside, mode == "lenient", implicit or {}, trusted)
    run = compiler.compile(node)
    kind = Checker(text, names, outside, implicit or {}).type_of(node) if mode == "strict" else ANY
    if result is not None and not may_be(kind, result):
        raise FeelError("feel.result_type", *place(text, 0), expected=str(result), found=str(kind))
    return Expression(text, run, compiler.metered, outside, frozenset(compiler.used), kind)


def parse(
    text: str,
    names: Mapping[str, FeelType] | None,
    functions: Mapping[str, Function] = _NONE,
    *,
    tests: bool = False,
    types: Mapping[str, FeelType] | None = None,
) -> tree.Node:
    """The syntax tree of an expression or of unary *tests*."""
    known = NameTable(names_within(names)) if names else NameTable()
    for name in functions:
        known.add(name)
    parser = Parser(text, known, _BUILTINS, types)
    return parser.whole_tests() if tests else parser.whole_expression()


def evaluate(text: str, scope: Mapping[str, Any] | None = None, *, functions: Functions | None = None, mode: Mode = "strict") -> Any:
    """Compile and evaluate once; for texts that are evaluated again keep the result of :func:`compile_expression`."""
    return compile_expression(text, functions=functions, mode=mode).evaluate(scope or {})


def evaluate_condition(expression: Expression, scope: Mapping[str, Any], functions: Functions | None = None) -> bool:
    """Whether the condition holds.

    Raises:
        FeelError: ``feel.not_boolean`` when the result is neither true nor false; null is no answer either.
    """
    result = expression.evaluate(scope, functions)
    if result is True or result is False:
        return result
    raise FeelError("feel.not_boolean", 1, 1, found=kind_of(result))


def registered(functions: Functions) -> dict[str, Function]:
    """Functions of Python as function values."""
    return {name: call if isinstance(call, Function) else _outside(name, call) for name, call in functions.items()}


def _outside(name: str, call: Callable[..., Any]) -> Function:
    parameters = tuple(parameter.replace("_", " ") for parameter in inspect.signature(call).parameters)

    def convert_result(_: Meter, *arguments: Any) -> Any:
        try:
            return convert(call(*arguments))
        except FeelError:
            raise
        except Exception as problem:
            raise FeelError("feel.function_failed", function=name) from problem

    return Function(parameters, convert_result, name=name)


def placed(problem: FeelError, text: str) -> FeelError:
    """The error with the place of the innermost generated call that led to it."""
    if problem.line:
        return problem
    trace = problem.__traceback__
    found, at = text, 0
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == "<feel>":
            found, at = trace.tb_frame.f_globals["_text"], trace.tb_lineno - 1
        trace = trace.tb_next
    return problem.at(found, at)


__all__ = ["Expression", "compile_expression", "compile_unary", "evaluate", "evaluate_condition"]
