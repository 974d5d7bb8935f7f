"""The names that generated code may use, in a strict and in a forgiving set.

Nothing else is reachable from an expression: no attribute, no import, no builtin function of Python.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any

from engine.feel import arithmetic, conformance, operations
from engine.feel.errors import FeelError, place

FATAL = frozenset(("feel.too_many_steps", "feel.too_deep_calls"))
"""Errors that stop an evaluation in every mode: they protect the process, not the meaning."""

STRICT: dict[str, Callable[..., Any]] = {
    "_variable": operations.variable,
    "_path": operations.path,
    "_long": operations.long_path,
    "_optional": operations.optional,
    "_declared": operations.declared,
    "_declared_1": operations.declared_variable,
    "_declared_2": operations.declared_path,
    "_equal": operations.equal,
    "_unequal": operations.unequal,
    "_less": operations.less,
    "_greater": operations.greater,
    "_most": operations.at_most,
    "_least": operations.at_least,
    "_between": operations.between,
    "_and": operations.conjunction,
    "_or": operations.disjunction,
    "_holds": operations.holds,
    "_matches": operations.matches,
    "_passes": operations.passes,
    "_entry": operations.entry_of,
    "_has": operations.has_entry,
    "_item": operations.item_at,
    "_filter": operations.filtered,
    "_span": operations.span,
    "_loop": operations.loop,
    "_quantified": operations.quantified,
    "_invoke": operations.invoke,
    "_range": operations.interval,
    "_function": operations.function,
    "_instance": conformance.instance_of,
    "_add": arithmetic.add,
    "_subtract": arithmetic.subtract,
    "_multiply": arithmetic.multiply,
    "_divide": arithmetic.divide,
    "_power": arithmetic.power,
    "_negate": arithmetic.negate,
}

reasons: ContextVar[list[FeelError] | None] = ContextVar("reasons", default=None)
"""Where a forgiving evaluation notes why something became null; None when nobody asks."""


def forgiving(guard: Callable[..., Any], otherwise: Any = None) -> Callable[..., Any]:
    """The guard that gives null (or *otherwise*) where *guard* raises, and notes the reason with its place."""

    @wraps(guard)
    def forgiven(*arguments: Any) -> Any:
        try:
            return guard(*arguments)
        except FeelError as problem:
            if problem.code in FATAL:
                raise
            noted = reasons.get()
            if noted is not None:
                frame = sys._getframe(1)
                text = frame.f_globals.get("_text")
                if text is not None and not problem.line:
                    problem.line, problem.column = place(text, frame.f_lineno - 1)
                noted.append(problem)
            return otherwise

    return forgiven


LENIENT: dict[str, Callable[..., Any]] = {
    name: guard if name == "_has" else forgiving(guard, otherwise=False if name == "_holds" else None) for name, guard in STRICT.items()
}
