"""Builds the nodes of Python's syntax tree that generated functions consist of.

A node's line is the offset of the author's text it stands for, plus one: the traceback of an error then leads back to the place.
"""

from __future__ import annotations

import ast
from typing import Any

_LOAD, _STORE = ast.Load(), ast.Store()


def _place(at: int) -> dict[str, Any]:
    return {"lineno": at + 1, "col_offset": 0, "end_lineno": at + 1, "end_col_offset": 0}


def call(function: str, at: int, *arguments: ast.expr) -> ast.Call:
    """``function(arguments)``."""
    return ast.Call(name(function, at), list(arguments), [], **_place(at))


def name(variable: str, at: int) -> ast.Name:
    """A generated variable."""
    return ast.Name(variable, _LOAD, **_place(at))


def closure(parameters: tuple[str, ...], body: ast.expr, at: int) -> ast.Lambda:
    """``lambda parameters: body``."""
    known = [ast.arg(parameter, **_place(at)) for parameter in parameters]
    return ast.Lambda(ast.arguments(posonlyargs=[], args=known, kwonlyargs=[], kw_defaults=[], defaults=[]), body, **_place(at))


def keep(variable: str, value: ast.expr, at: int) -> ast.NamedExpr:
    """``(variable := value)``."""
    return ast.NamedExpr(ast.Name(variable, _STORE, **_place(at)), value, **_place(at))


def choice(condition: ast.expr, positive: ast.expr, negative: ast.expr, at: int) -> ast.IfExp:
    """``positive if condition else negative``."""
    return ast.IfExp(condition, positive, negative, **_place(at))


def plain(value: str | bool | int | None, at: int) -> ast.Constant:
    """A constant that Python code may hold itself."""
    return ast.Constant(value, **_place(at))


def is_constant(value: ast.expr, wanted: bool, at: int) -> ast.expr:
    """``value is wanted``."""
    return ast.Compare(value, [ast.Is()], [plain(wanted, at)], **_place(at))


def either(terms: list[ast.expr], at: int) -> ast.expr:
    """``term or term or …``."""
    return ast.BoolOp(ast.Or(), terms, **_place(at))


def pack(items: list[ast.expr], at: int) -> ast.Tuple:
    """A tuple."""
    return ast.Tuple(items, _LOAD, **_place(at))


def array(items: list[ast.expr], at: int) -> ast.List:
    """A list."""
    return ast.List(items, _LOAD, **_place(at))


def mapping(keys: list[ast.expr | None], values: list[ast.expr], at: int) -> ast.Dict:
    """A dictionary."""
    return ast.Dict(keys, values, **_place(at))


def item(value: ast.expr, key: str | int, at: int) -> ast.Subscript:
    """``value[key]``."""
    return ast.Subscript(value, plain(key, at), _LOAD, **_place(at))
