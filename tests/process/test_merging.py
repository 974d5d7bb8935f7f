"""What branches brought together give: the same values in the same order, in whichever process it happens."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.process.merging import merge3

NAMES = st.text("abcdefghij", min_size=1, max_size=6)
BRANCH = st.dictionaries(NAMES, st.integers(), max_size=12)


@given(BRANCH, BRANCH)
def test_what_a_branch_added_stands_in_the_order_it_was_written(mine: dict[str, Any], other: dict[str, Any]):
    merged = merge3({}, mine, other, strict=False)

    assert list(merged) == list(dict.fromkeys((*mine, *other)))


@given(BRANCH, BRANCH, BRANCH)
def test_only_what_changed_since_the_parting_is_taken(base: dict[str, Any], mine: dict[str, Any], other: dict[str, Any]):
    merged = merge3(base, {**base, **mine}, {**base, **other}, strict=False)

    assert merged == {**base, **mine, **{name: value for name, value in other.items() if base.get(name) != value}}
