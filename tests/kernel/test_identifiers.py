"""Identifiers: UUIDv7, never the same twice, whichever thread or process makes them."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122, UUID

from engine.kernel.identifiers import new_id


def many(_: object = None) -> list[UUID]:
    return [new_id() for _ in range(2000)]


def test_an_identifier_is_a_uuid_of_version_seven_of_this_instant() -> None:
    before = time.time_ns() // 1_000_000
    for one in many():
        assert (one.version, one.variant) == (7, RFC_4122)
        assert before <= one.int >> 80 <= time.time_ns() // 1_000_000


def test_every_random_bit_is_used() -> None:
    fixed = (0xF << 76) | (0b11 << 62)  # version and variant
    random = (1 << 80) - 1 & ~fixed
    ones = zeros = 0
    for one in many():
        ones |= one.int
        zeros |= ~one.int
    assert ones & random == zeros & random == random


def test_no_thread_and_no_child_makes_one_twice() -> None:
    new_id()  # randomness is left over for the children to repeat
    with ThreadPoolExecutor(8) as threads:
        made = [one for some in threads.map(many, range(8)) for one in some]
    with multiprocessing.get_context("fork").Pool(3) as children:
        made += [one for some in children.map(many, range(6), chunksize=1) for one in some]
    tails = {one.int & (1 << 62) - 1 for one in made}
    assert len(tails) == len(made) == 28_000
