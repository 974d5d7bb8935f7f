from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dossier.checklist import is_required, missing
from engine.dossier.fees import amount, due_fees
from engine.errors import Refused


@dataclass(frozen=True)
class Name:
    vi: str
    en: str = ""


@dataclass(frozen=True)
class Paper:
    key: str
    required: bool | str = True
    upload: bool = False
    name: Name = Name("Giấy tờ")


@dataclass(frozen=True)
class Rule:
    amount: str
    key: str = "fee"
    kind: str = "fee"
    name: Name = Name("Phí", "Fee")
    legal_basis: str = "act"
    valid_from: date | None = None


MANDATE = Paper("mandate", "dossier.by_representative")
STEPPED = "if dossier.pages <= 2 then 2000 * dossier.pages else min(4000 + 1000 * (dossier.pages - 2), 200000)"


def codes(*args: Any) -> dict[str | None, str]:
    return {refused.field: refused.code for refused in missing(*args)}


def test_a_condition_decides_from_the_facts_of_the_dossier():
    assert is_required(MANDATE, {"by_representative": True})
    assert not is_required(MANDATE, {"by_representative": False})
    assert is_required(Paper("original"), {})


@pytest.mark.parametrize("condition", ["dossier.pages", "dossier.unknown", "1 +", 'dossier.pages > "many"'])
def test_a_condition_that_decides_nothing_is_refused_and_never_guessed(condition):
    with pytest.raises(Refused) as refused:
        is_required(Paper("x", condition), {"pages": 3})

    assert refused.value.code == "checklist.condition_undecided"
    assert refused.value.field == "x"


def test_everything_missing_is_told_at_once_by_its_key():
    wanted = [Paper("original", upload=True), MANDATE, Paper("photo", upload=True), Paper("extra", False)]

    assert codes(wanted, {"photo", "stranger"}, {None}, {"by_representative": True}) == {
        "original": "checklist.component_missing",
        "mandate": "checklist.component_missing",
        "photo": "checklist.upload_missing",
        "stranger": "checklist.component_unknown",
    }


def test_a_complete_checklist_says_nothing():
    assert codes([Paper("original", upload=True), MANDATE], {"original"}, {"original"}, {"by_representative": False}) == {}


@pytest.mark.parametrize(("pages", "expected"), [(1, 2_000), (2, 4_000), (3, 5_000), (10, 12_000), (198, 200_000), (500, 200_000)])
def test_a_stepped_fee_with_a_ceiling(pages, expected):
    assert amount(Rule(STEPPED), {"pages": pages}) == expected


@given(st.integers(1, 2000))
def test_more_pages_never_cost_less(pages):
    assert amount(Rule(STEPPED), {"pages": pages}) <= amount(Rule(STEPPED), {"pages": pages + 1})


def test_the_rule_in_force_on_the_day_of_reception_is_taken():
    rules = [
        Rule("1000", valid_from=date(2025, 1, 1)),
        Rule("1500", valid_from=date(2026, 7, 1)),
        Rule("9", key="other", valid_from=date(2030, 1, 1)),
    ]

    assert [f.amount for f in due_fees(rules, {"received_on": "2026-06-30"})] == [1000]
    assert [f.amount for f in due_fees(rules, {"received_on": "2026-07-01"})] == [1500]
    assert due_fees(rules, {"received_on": "2024-12-31"}) == []


def test_a_fee_of_nothing_is_no_fee():
    assert (
        due_fees([Rule("0"), Rule("if dossier.online then 0 else 8000", key="copy")], {"received_on": "2026-07-01", "online": True}) == []
    )


@pytest.mark.parametrize("text", ["-1", "0.5", '"ten"', "true", "null", "[1]"])
def test_an_amount_that_is_no_money_is_refused(text):
    with pytest.raises(Refused) as refused:
        amount(Rule(text), {})

    assert refused.value.code == "fee.amount_not_money"


@pytest.mark.parametrize("text", ["dossier.", "unknown + 1", "1 / 0"])
def test_an_amount_that_cannot_be_computed_is_refused(text):
    with pytest.raises(Refused):
        amount(Rule(text), {})
