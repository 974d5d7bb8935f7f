"""What designers and attackers may write: an error with a place after bounded work, never a hang, a crash or a way out.

The work is counted in function calls; ``motcua bench feel`` tells how many milliseconds that is.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine.feel
from benchmarks.feel_hostile import TEXTS
from engine.feel import FeelError, compile_expression, compile_unary, evaluate, to_feel, to_json
from engine.feel.compiler import Compiler
from engine.feel.dmn import read_decisions
from engine.feel.expression import Expression
from tests.support.effort import effort

PACKAGE = Path(engine.feel.__file__).parent
CALLS = 600_000
"""Functions called until the answer is there; an idle computer does them in less than 100 ms."""

HARMLESS = frozenset(
    ["dunder of a list", "power", "tower of powers", "quadratic distinct", "sorting", "catastrophic pattern", "exponential"]
)
"""Texts that are legal and cheap enough: they may have a value."""


def ended(text: str) -> FeelError | None:
    """The error that *text* ends with in either mode, or None."""
    found: FeelError | None = None
    for mode in ("strict", "lenient"):
        try:
            evaluate(text, {"t": [1]}, mode=mode)  # type: ignore[arg-type]
        except FeelError as problem:
            found = found or problem
    return found


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text_ends_at_once_with_a_place(name: str) -> None:
    text = TEXTS[name]
    with effort() as work:
        problem = ended(text)
    assert work.calls < 2 * CALLS, f"{work.calls} calls in two modes"
    if name not in HARMLESS:
        assert problem is not None
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.column <= len(text) + 1


def test_only_one_module_compiles_or_evaluates_python() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec", "compile", "__import__"):
                assert path.name == "compiler.py", f"{path.name}:{node.lineno}"


def test_the_package_imports_nothing_else_of_ours() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert not name.startswith(("engine.", "signing", "webapp")) or name.startswith("engine.feel"), f"{path.name}: {name}"


def generated(expression: Expression) -> set[str]:
    """Every name that the generated code reaches."""
    found: set[str] = set()
    waiting = [expression._run.__code__]  # type: ignore[attr-defined]
    while waiting:
        code = waiting.pop()
        found.update(code.co_names)
        waiting.extend(constant for constant in code.co_consts if hasattr(constant, "co_names"))
    return found


ALL_KINDS = """{f: function(a) a + 1, l: [1, 2][item > x.y], q: some i in l satisfies i in (< 3, [1..4]), w: for i in 1..3 return partial,
 c: if x.y between 1 and 2 then -f(1) ** 2 else count(l), t: x.y instance of number and not(x.y = null) or substring("abc", 1) != "a",
 k: {a: 1}.a, n: f(a: 2), o: outside(1)}"""


def test_generated_code_reaches_guards_and_constants_only() -> None:
    expression = compile_expression(ALL_KINDS, functions={"outside": lambda a: a})
    names = generated(expression)
    reachable = expression._run.__globals__  # type: ignore[attr-defined]
    assert reachable["__builtins__"] == {}
    assert names <= set(reachable)
    assert all(name[0] in "_kb" for name in names)
    assert expression.evaluate({"x": {"y": 1}})["n"] == 3


def test_no_part_of_the_authors_text_becomes_a_name_of_python() -> None:
    for text in ("__class__", "eval", "_add", "s", "m", "f", "k1", "v1", "print"):
        with pytest.raises(FeelError, match=r"feel\.unknown_name"):
            evaluate(text)
        assert evaluate(text, {text: 5}) == 5
        assert evaluate(f"{{{text}: 1, r: {text}}}.r") == 1


def refusal(compiler: Callable[[str], Expression], text: str) -> FeelError | None:
    """The error that compiling *text* ends with, or None."""
    try:
        compiler(text)
    except FeelError as problem:
        return problem
    return None


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_an_expression_or_an_error_with_a_place(text: str) -> None:
    for compiler in (compile_expression, compile_unary):
        problem = refusal(compiler, text)
        assert problem is None or (problem.line >= 1 and 1 <= problem.column <= len(text) + 1)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=20,
    )
)
@settings(max_examples=150, deadline=None)
def test_json_comes_back_unchanged(value: object) -> None:
    assert to_json(to_feel(value)) == value
    assert to_json(evaluate("x", {"x": value})) == value


def test_values_that_are_too_large_are_refused_at_the_border() -> None:
    deep: list[object] = []
    for _ in range(200):
        deep = [deep]
    for value in (deep, "a" * 300_000, [1] * 30_000, 10**60, float("nan"), float("inf"), object(), {1, 2}, b"x"):
        with pytest.raises(FeelError):
            evaluate("x = 1", {"x": value})


def test_errors_never_carry_values_of_the_scope() -> None:
    with pytest.raises(FeelError) as caught:
        evaluate("citizen.name + 1", {"citizen": {"name": "Nguyễn Văn A"}})
    assert "Nguyễn" not in str(caught.value)
    assert "Nguyễn" not in repr(caught.value.facts)


def test_the_place_of_an_error_counts_characters_and_lines() -> None:
    with pytest.raises(FeelError) as caught:
        evaluate('[\n  "Nguyễn 🐎 ạ" = "x",\r\n\t1 + "ạ"]')
    assert (caught.value.line, caught.value.column) == (3, 4)


def test_an_error_inside_a_function_of_another_text_is_placed_in_that_text() -> None:
    inner = compile_expression("function(x)\n x.a.b + 1")
    with pytest.raises(FeelError) as caught:
        evaluate('f({a: {b: "t"}})', functions={"f": inner.evaluate({})})
    assert (caught.value.code, caught.value.line, caught.value.column) == ("feel.operands", 2, 8)


def test_one_expression_serves_many_threads() -> None:
    expression = compile_expression("sum(for i in 1..n return i * k)")
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda n: expression.evaluate({"n": n, "k": 2}), range(1, 200)))
    assert results == [Decimal(n * (n + 1)) for n in range(1, 200)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"<a/>",
        b"\xff\xfe<definitions/>",
        b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>',
        b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/">&b;</definitions>',
        b"<a>" * 100_000,
        b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/">' + b"<x>" * 300 + b"</x>" * 300 + b"</definitions>",
        b'<?xml version="1.0" encoding="UTF-16"?><definitions/>',
        b"x" * 5_000_000,
    ],
    ids=["empty", "nul", "root", "encoding", "external entity", "billion laughs", "depth", "depth in dmn", "no utf-16", "size"],
)
def test_hostile_models_end_with_an_error(data: bytes) -> None:
    with effort() as work, pytest.raises(FeelError, match=r"decision\."):
        read_decisions(data)
    assert work.calls < CALLS


def test_compiler_is_the_class_named_in_the_rule() -> None:
    assert Compiler.__module__ == "engine.feel.compiler"
