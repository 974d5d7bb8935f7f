from __future__ import annotations

import unicodedata
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dossier.identity import check_number, check_person, clean_text, digits, number_facts, read_card
from engine.errors import Invalid, Refused

TODAY = date(2026, 11, 22)
CARD = "079190001234|012345678|Nguyễn Thị Ánh|24111990|Nữ|12 Lê Lợi, Xã Mẫu, Tỉnh Mẫu|01012022"


def faults(text: str) -> dict[str, str]:
    with pytest.raises(Invalid) as invalid:
        read_card(text, TODAY)
    return {field: refused.code for field, refused in invalid.value.errors.items()}


def test_one_scan_gives_the_whole_person():
    card = read_card(CARD, TODAY)

    assert (card.number, card.old_number, card.name) == ("079190001234", "012345678", "Nguyễn Thị Ánh")
    assert (card.birth_on, card.sex, card.issued_on) == (date(1990, 11, 24), "female", date(2022, 1, 1))
    assert card.address == "12 Lê Lợi, Xã Mẫu, Tỉnh Mẫu"


def test_a_wedge_reader_adds_an_end_of_line_and_a_new_card_more_fields():
    assert read_card(CARD + "||Nguyễn Văn Ba|Trần Thị Tư|\r\n", TODAY) == read_card(CARD, TODAY)


def test_decomposed_letters_are_stored_composed():
    assert read_card(unicodedata.normalize("NFD", CARD), TODAY) == read_card(CARD, TODAY)


def test_an_old_number_and_a_date_of_issue_may_be_missing():
    card = read_card("079190001234||Nguyễn Thị Ánh|24111990|Nữ|12 Lê Lợi|", TODAY)

    assert card.old_number == ""
    assert card.issued_on is None


@pytest.mark.parametrize(("changed", "expected"), [
    (("079190001234", "07919000123"), {"identity": "identity.number_length"}),
    (("079190001234", "07919000123A"), {"identity": "identity.number_not_digits"}),
    (("079190001234", "003190001234"), {"identity": "identity.number_place_unknown"}),
    (("079190001234", "079290001234"), {"identity": "identity.number_from_the_future"}),
    (("079190001234", "079191001234"), {"birth_on": "identity.birth_year_contradicts_number"}),
    (("079190001234", "079090001234"), {"sex": "identity.sex_contradicts_number"}),
    (("24111990", "31021990"), {"birth_on": "identity.no_such_date"}),
    (("24111990", "1990-11-24"), {"birth_on": "identity.no_such_date"}),
    (("|Nữ|", "|Khác|"), {"sex": "identity.sex_unknown"}),
    (("Nguyễn Thị Ánh", ""), {"name": "identity.name_missing"}),
    (("Nguyễn Thị Ánh", "Nguyễn 4nh"), {"name": "identity.name_wrong"}),
    (("12 Lê Lợi, Xã Mẫu, Tỉnh Mẫu", ""), {"address": "identity.address_missing"}),
    (("01012022", "01012030"), {"issued_on": "identity.issued_on_wrong"}),
    (("012345678", "12345"), {"old_number": "identity.old_number_wrong"}),
])  # fmt: skip
def test_each_fault_names_its_field(changed, expected):
    assert faults(CARD.replace(*changed)) == expected


def test_several_faults_are_told_at_once():
    assert set(faults("12345||N|99999999|?||")) == {"identity", "name", "birth_on", "sex", "address"}


@pytest.mark.parametrize("text", ["", "hello", "a|b|c", "|" * 5000, "x" * 5000, "https://example.vn/abc"])
def test_another_code_is_told_apart_from_a_card(text):
    assert "card" in faults(text) or "identity" in faults(text)


def test_no_refusal_repeats_what_was_typed():
    with pytest.raises(Invalid) as invalid:
        read_card(CARD.replace("079190001234", "999999").replace("Nguyễn Thị Ánh", "Bí Mật 9"), TODAY)

    told = str([dict(r.facts) for r in invalid.value.errors.values()]) + str([str(r) for r in invalid.value.errors.values()])
    assert "999999" not in told
    assert "Bí Mật" not in told


@pytest.mark.parametrize(("number", "sex", "year"), [
    ("001085000001", "male", 1985), ("001185000001", "female", 1985), ("096204000001", "male", 2004), ("038312000001", "female", 2012),
    ("101085000001", "male", 1985), ("001499000001", "male", 2199),
])  # fmt: skip
def test_the_fourth_digit_says_century_and_sex(number, sex, year):
    facts = number_facts(number)

    assert (facts.sex, facts.birth_year) == (sex, year)


def test_a_number_may_be_written_in_groups_or_full_width_digits():
    assert check_number("079 190 001 234", date(1990, 11, 24), "female", TODAY) == []
    assert digits("０79-190.001 234") == "079190001234"


def test_a_number_is_required():
    assert [r.code for r in check_number(" ", None, None, TODAY)] == ["identity.number_missing"]


@pytest.mark.parametrize(("field", "value", "code"), [
    ("phone", "12345", "identity.phone_wrong"), ("email", "a@b", "identity.email_wrong"),
    ("birth_on", date(2027, 1, 1), "identity.birth_on_wrong"), ("birth_on", date(1880, 1, 1), "identity.birth_on_wrong"),
    ("sex", "robot", "identity.sex_unknown"),
])  # fmt: skip
def test_the_other_fields_of_a_person_are_checked(field, value, code):
    person = {"name": "Nguyễn Thị Ánh", "number": "079190001234", "today": TODAY, field: value}

    assert [(r.field, r.code) for r in check_person(**person)] == [(field, code)]


def test_usual_ways_of_writing_a_telephone_number_pass():
    for phone in ("0912345678", "+84 912 345 678", "024.3825.1234", ""):
        assert check_person(name="Lê Ba", number="079190001234", phone=phone, today=TODAY) == []


def test_control_characters_and_odd_blanks_disappear():
    assert clean_text("  Nguyễn\u200b \u00a0Văn\t\x00An ") == "Nguyễn Văn An"


@given(st.text(max_size=200))
def test_any_text_is_either_a_card_or_refused(text):
    with suppress(Invalid):
        read_card(text, TODAY)


@given(st.text(max_size=40))
def test_any_number_is_either_well_formed_or_refused(text):
    with suppress(Refused):
        assert number_facts(text).sex in ("male", "female")


@given(st.text())
def test_cleaning_twice_changes_nothing(text):
    assert clean_text(clean_text(text)) == clean_text(text)
