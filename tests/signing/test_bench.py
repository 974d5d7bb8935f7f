"""The bench of signing runs, names every goal, and puts the hastened libraries back; no time is asserted."""

from __future__ import annotations

import pytest
from pyhanko.pdf_utils import generic

from benchmarks import sign
from signing import hastened


def test_every_goal_is_measured_and_the_libraries_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign, "_memory", lambda: (1, 1))
    figures = sign.measure(1)
    assert set(figures["goals"]) == set(sign.GOALS)
    assert {"stock_b_b_ms", "stock_b_t_ms", "stock_b_lta_ms", "stock_verify_ms"} <= set(figures)
    assert all(isinstance(figures[name], int | float) for name in sign.GOALS)
    assert generic.read_hex_string_from_stream is hastened.read_hex_string  # type: ignore[comparison-overlap]
