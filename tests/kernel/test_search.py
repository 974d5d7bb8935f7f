"""Search without diacritics: one folding for what is stored and what is asked."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.search import fold, query


def test_diacritics_signs_and_case_do_not_matter() -> None:
    assert fold("Nguyễn Văn ĐẶNG, H29.100-26") == "nguyen van dang h29 100 26"


@given(st.text(max_size=60))
def test_composed_and_decomposed_text_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(st.text(max_size=60))
def test_only_harmless_letters_reach_the_database(text: str) -> None:
    asked = query(text, typing=True)

    assert asked is None or set(asked) <= set("abcdefghijklmnopqrstuvwxyz0123456789 &:*")


def test_while_typing_the_last_word_may_be_a_beginning() -> None:
    assert query("Nguyễn Th", typing=True) == "nguyen & th:*"
    assert query("  –  ") is None
