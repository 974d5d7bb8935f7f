"""Runs tables of ``expression → expected expression``: both sides are FEEL, so that a table reads like the standard prints it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.feel import FeelError, evaluate
from engine.feel.equality import same


def rows(table: str) -> list[tuple[str, str]]:
    """The non-empty lines of *table* as pairs split at ``⇒``."""
    return [
        (left.strip(), right.strip()) for left, _, right in (line.partition("⇒") for line in table.strip().splitlines()) if right.strip()
    ]


def holds(expression: str, expected: str, scope: dict[str, Any] | None = None) -> None:
    """Assert that the expression gives the expected value; ``error`` expects null in lenient mode and a refusal in strict mode."""
    if expected == "error":
        assert evaluate(expression, scope, mode="lenient") is None, expression
        with pytest.raises(FeelError) as caught:
            evaluate(expression, scope)
        assert caught.value.line == 1, caught.value
        assert caught.value.column >= 1, caught.value
        return
    wanted = evaluate(expected)
    for mode in ("strict", "lenient"):
        value = evaluate(expression, scope, mode=mode)  # type: ignore[arg-type]
        assert type(value) is type(wanted), f"{expression} gave {value!r}, not {wanted!r} ({mode})"
        assert wanted is None or same(value, wanted) is True, f"{expression} gave {value!r}, not {wanted!r} ({mode})"
