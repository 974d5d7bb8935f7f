from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from engine.dossier.codes import Pattern, next_code, pattern_for
from engine.errors import Refused
from engine.runtime import Runtime
from tests.support.actors import SYSTEM

DAY = date(2026, 11, 20)


def code(runtime: Runtime, agency: str = "H99.31", on: date = DAY) -> str:
    with runtime.begin(SYSTEM) as w:
        return next_code(w.session, w.province, agency, on)


def test_a_code_names_agency_day_and_number():
    assert pattern_for("H99.31", DAY).code("H99.31", DAY, 7) == "H99.31-261120-0007"


def test_more_than_a_thousand_a_day_only_lengthen_the_number():
    assert pattern_for("H99.31", DAY).code("H99.31", DAY, 12345) == "H99.31-261120-12345"


@pytest.mark.parametrize("text", ["{agency}-{date}", "{agency.__class__}-{seq}", "{secret}-{seq}", "{0}-{seq}"])
def test_a_pattern_can_only_name_what_a_code_is_made_of(text):
    with pytest.raises(Refused):
        Pattern("", text, DAY, "act")


def test_a_day_before_any_pattern_is_refused():
    with pytest.raises(Refused):
        pattern_for("H99.31", date(2000, 1, 1))


def test_each_agency_and_each_day_counts_from_one(runtime):
    assert [code(runtime), code(runtime)] == ["H99.31-261120-0001", "H99.31-261120-0002"]
    assert code(runtime, agency="H99.32") == "H99.32-261120-0001"
    assert code(runtime, on=date(2026, 11, 23)) == "H99.31-261123-0001"


def test_a_reception_that_fails_gives_its_number_back(runtime):
    with pytest.raises(ZeroDivisionError), runtime.begin(SYSTEM) as w:
        next_code(w.session, w.province, "H99.31", DAY)
        raise ZeroDivisionError

    assert code(runtime) == "H99.31-261120-0001"


def test_forty_receptions_in_a_race_get_forty_codes_without_a_gap(runtime):
    start = threading.Barrier(4)

    def receive(clerk: int) -> list[str]:
        start.wait()
        taken = []
        for n in range(10):
            if n % 3 == clerk % 3:
                with pytest.raises(ZeroDivisionError), runtime.begin(SYSTEM) as w:
                    next_code(w.session, w.province, "H99.31", DAY)
                    raise ZeroDivisionError
            taken.append(code(runtime))
        return taken

    with ThreadPoolExecutor(4) as clerks:
        codes = [c for taken in clerks.map(receive, range(4)) for c in taken]

    assert sorted(codes) == [f"H99.31-261120-{n:04d}" for n in range(1, 41)]
