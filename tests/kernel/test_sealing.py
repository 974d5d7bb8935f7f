"""Personal data under lock: opens only in its place, found only by the blind index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.kernel.sealing import Sealing, open_keys, place

KEYS = Sealing({1: bytes(32)}, 1, b"blind" * 8)
PLACE = place("party", 7, "identity")


@given(st.text(max_size=50))
def test_what_was_sealed_opens_in_its_place(value: str) -> None:
    assert KEYS.open(KEYS.seal(value, PLACE), PLACE) == value


@given(st.integers(0, 10_000))
def test_any_flipped_bit_is_refused(bit: int) -> None:
    sealed = bytearray(KEYS.seal("001190012345", PLACE))
    position = bit % (len(sealed) * 8)
    sealed[position // 8] ^= 1 << position % 8

    with pytest.raises(EngineError):
        KEYS.open(bytes(sealed), PLACE)


def test_a_value_moved_to_another_row_or_column_does_not_open() -> None:
    sealed = KEYS.seal("001190012345", PLACE)

    for other in (place("party", 8, "identity"), place("party", 7, "phone"), place("people", 7, "identity")):
        with pytest.raises(EngineError) as refused:
            KEYS.open(sealed, other)
        assert refused.value.code == "sealing.broken"


def test_a_reason_never_shows_the_value() -> None:
    with pytest.raises(EngineError) as refused:
        KEYS.open(KEYS.seal("001190012345", PLACE), "elsewhere")

    assert "001190012345" not in repr(refused.value) + str(refused.value.facts)


def test_equal_values_share_an_index_only_within_their_kind() -> None:
    assert KEYS.blind("identity", "001190012345") == KEYS.blind("identity", "001190012345")
    assert KEYS.blind("identity", "001190012345") != KEYS.blind("phone", "001190012345")


def test_keys_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    first, second = open_keys(tmp_path / "keys"), open_keys(tmp_path / "keys")

    assert first == second
    assert (tmp_path / "keys" / "data.keys").stat().st_mode & 0o077 == 0


def test_after_rotation_old_values_still_open_and_new_ones_use_the_new_key(tmp_path: Path) -> None:
    sealed = open_keys(tmp_path).seal("cũ", PLACE)
    path = tmp_path / "data.keys"
    kept = json.loads(path.read_text())
    kept["keys"]["2"], kept["current"] = "11" * 32, 2
    path.write_text(json.dumps(kept))

    rotated = open_keys(tmp_path)

    assert rotated.open(sealed, PLACE) == "cũ"
    assert rotated.seal("mới", PLACE)[0] == 2
