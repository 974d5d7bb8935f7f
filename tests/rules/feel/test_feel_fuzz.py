"""A slice of the fuzzer on every run, ten minutes of it in the full one."""

from __future__ import annotations

import pytest

from tests.rules.feel.fuzz import fuzz


def test_a_slice_of_the_fuzzer_finds_nothing() -> None:
    tried, wrong = fuzz(4, 20260701)
    assert wrong is None
    assert tried > 200


@pytest.mark.full
@pytest.mark.timeout(900)
def test_ten_minutes_of_the_fuzzer_find_nothing() -> None:
    tried, wrong = fuzz(600, 20260702)
    assert wrong is None
    assert tried > 20_000
