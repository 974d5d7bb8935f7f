"""The expression language of DMN (FEEL): parse, check, compile, evaluate. A leaf: imports nothing else of ours.

>>> from engine.feel import compile_expression
>>> condition = compile_expression('review.decision = "approve" and dossier.pages > 2')
>>> condition.evaluate({"review": {"decision": "approve"}, "dossier": {"pages": 3}})
True
"""

from engine.feel.convert import to_feel, to_json
from engine.feel.errors import FeelError
from engine.feel.expression import Expression, compile_expression, compile_unary, evaluate, evaluate_condition
from engine.feel.types import (
    ANY,
    BOOLEAN,
    CONTEXT,
    DATE,
    DATE_TIME,
    DAYS,
    FUNCTION,
    LIST,
    MONTHS,
    NUMBER,
    STRING,
    TIME,
    FeelType,
    context_of,
    list_of,
    one_of,
)
from engine.feel.typetext import parse_type
from engine.feel.values import Function, MonthsDuration, Range

__all__ = [
    "ANY", "BOOLEAN", "CONTEXT", "DATE", "DATE_TIME", "DAYS", "FUNCTION", "LIST", "MONTHS", "NUMBER", "STRING", "TIME",
    "Expression", "FeelError", "FeelType", "Function", "MonthsDuration", "Range",
    "compile_expression", "compile_unary", "context_of", "evaluate", "evaluate_condition",
    "list_of", "one_of", "parse_type", "to_feel", "to_json",
]  # fmt: skip
