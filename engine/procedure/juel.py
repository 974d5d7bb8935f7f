"""Conditions that other engines write, ``${amount > 5 && !late}``, told in FEEL where both mean exactly the same."""

from __future__ import annotations

import ast
import re

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>\d+(?:\.\d+)?)|(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)"""
    r"""|(?P<sign>&&|\|\||==|!=|<=|>=|<|>|!|\(|\)|-))""",
)
_WORDS = {
    "true": "True",
    "false": "False",
    "null": "None",
    "and": "and",
    "or": "or",
    "not": "~",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
}
_SIGNS = {"&&": "and", "||": "or", "!": "~"}
_COMPARED = {ast.Eq: "=", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_LONGEST = 500


class _Inexact(ValueError):
    """The text has a part that FEEL does not say in the same way."""


def is_juel(text: str) -> bool:
    """Whether *text* is one expression in dollar or hash braces."""
    bare = text.strip()
    return bare[:2] in ("${", "#{") and bare.endswith("}")


def to_feel(text: str) -> str | None:
    """Return the FEEL text of a JUEL expression, or ``None`` when there is none that means exactly the same.

    Told: names with their fields, texts, numbers, true, false, null, comparisons, and, or, not. Calls, arithmetic and ``empty`` convert
    their operands in ways FEEL does not, so they are left to whoever draws.
    """
    bare = text.strip()
    if not is_juel(bare) or len(bare) > _LONGEST:
        return None
    try:
        return _told(ast.parse(_as_python(bare[2:-1].strip()), mode="eval").body)
    except (_Inexact, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _as_python(text: str) -> str:
    parts, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _Inexact
        at = match.end()
        if match["sign"]:
            parts.append(_SIGNS.get(match["sign"], match["sign"]))
        elif match["name"]:
            parts.append(_WORDS.get(match["name"], match["name"]))
        else:
            parts.append(match["text"] or match["number"])
        while text[at : at + 1].isspace():
            at += 1
    return " ".join(parts)


def _told(node: ast.expr) -> str:
    match node:
        case ast.BoolOp():
            word = " and " if isinstance(node.op, ast.And) else " or "
            return word.join(_grouped(value) for value in node.values)
        case ast.UnaryOp(op=ast.Invert()):
            return f"not({_told(node.operand)})"
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
            return f"-{_told(node.operand)}"
        case ast.Compare() if len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
            return f"{_grouped(node.left)} {_COMPARED[type(node.ops[0])]} {_grouped(node.comparators[0])}"
        case ast.Name() | ast.Attribute():
            return _path(node)
        case ast.Constant():
            return _literal(node.value)
    raise _Inexact


def _grouped(node: ast.expr) -> str:
    return f"({_told(node)})" if isinstance(node, ast.BoolOp | ast.Compare) else _told(node)


def _path(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_path(node.value)}.{node.attr}"
    if isinstance(node, ast.Name) and node.id != "execution":
        return node.id
    raise _Inexact


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    raise _Inexact
