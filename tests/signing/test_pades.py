"""Two signatures, a number in between: prepared and finished from bytes and JSON only."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from signing import fields, pades
from signing.model import AGENCY, LEADER, Box, FieldPlan, TextField
from tests.support.signing_office import FONT, Office, letter, plan, refused


def test_exactly_the_named_fields_are_made_before_the_first_signature(office: Office) -> None:
    assert fields.field_names(office.with_fields()) == ["number", "date", "leader", "agency"]
    with refused("signing.fields_exist"):
        fields.add_fields(office.with_fields(), plan(), FONT.read_bytes())


def test_a_document_numbered_beforehand_gets_signature_fields_only(office: Office) -> None:
    made = fields.add_fields(letter(), FieldPlan(leader=plan().leader, agency=plan().agency))
    assert fields.field_names(made) == ["leader", "agency"]
    sealed = office.sign(office.sign(made, LEADER, "lan"), AGENCY, "agency")
    assert sealed.startswith(made[:1000])


def test_a_place_outside_the_page_and_a_font_without_vietnamese_letters_are_refused() -> None:
    with refused("signing.field_outside"):
        fields.add_fields(letter(), FieldPlan(leader=Box(0, 500, 700, 200, 50)))
    with refused("signing.field_outside"):
        fields.add_fields(letter(), FieldPlan(leader=Box(3, 0, 0, 20, 5)))
    with refused("signing.font_letters"):
        fields.add_fields(letter(), FieldPlan(number=TextField(Box(0, 95, 733, 70, 18), ".", "15\u4e00")), FONT.read_bytes())


def test_the_second_phase_needs_only_bytes_and_json(office: Office) -> None:
    prepared = pades.prepare(office.with_fields(), LEADER, office.pki.certificate("lan"), office.now)
    state = json.loads(json.dumps(prepared.state))
    signature = office.raw_sign("lan", prepared.to_sign)
    finished = pades.finish(prepared.pdf, state, signature, office.tsa.token(pades.imprint(signature), office.now))
    assert len(finished) == len(prepared.pdf)
    assert len(prepared.check_code) == 9
    assert state["claimed_at"] == "2026-11-22T09:05:11+07:00"


def test_an_answer_of_another_key_or_with_one_flipped_bit_is_never_embedded(office: Office) -> None:
    prepared = pades.prepare(office.with_fields(), LEADER, office.pki.certificate("lan"), office.now)
    with refused("signing.answer_wrong"):
        pades.finish(prepared.pdf, prepared.state, office.raw_sign("canary", prepared.to_sign))
    good = office.raw_sign("lan", prepared.to_sign)
    with refused("signing.answer_wrong"):
        pades.finish(prepared.pdf, prepared.state, good[:-1] + bytes([good[-1] ^ 1]))
    with refused("signing.prepared_differs"):
        pades.finish(prepared.pdf + b" ", prepared.state, good)
    with refused("signing.prepared_differs"):
        pades.finish(prepared.pdf, prepared.state | {"certificate_sha256": "0" * 64}, good)


def test_a_time_stamp_over_another_signature_is_refused(office: Office) -> None:
    prepared = pades.prepare(office.with_fields(), LEADER, office.pki.certificate("lan"), office.now)
    signature = office.raw_sign("lan", prepared.to_sign)
    with refused("signing.token_foreign"):
        pades.finish(prepared.pdf, prepared.state, signature, office.tsa.token(pades.imprint(b"other"), office.now))


def test_a_field_is_signed_once_and_must_exist(office: Office) -> None:
    with refused("signing.field_signed"):
        office.sign(office.leader_signed(), LEADER, "binh")
    with refused("signing.field_missing"):
        office.sign(letter(), LEADER, "lan")


@pytest.mark.parametrize(
    ("moved", "code"), [(timedelta(days=-3650), "signing.certificate_not_yet"), (timedelta(days=3650), "signing.certificate_expired")]
)
def test_the_certificate_must_be_in_force_when_signing(office: Office, moved: timedelta, code: str) -> None:
    with refused(code):
        pades.prepare(office.with_fields(), LEADER, office.pki.certificate("lan"), office.now + moved)


def test_number_and_date_are_filled_once_between_leader_and_agency(office: Office) -> None:
    with refused("signing.leader_first"):
        fields.fill_number(office.with_fields(), "15", None)
    filled = fields.fill_number(office.leader_signed(), "15", "ngày 22 tháng 11 năm 2026")
    with refused("signing.number_filled"):
        fields.fill_number(filled, "16", None)
    with refused("signing.number_sealed"):
        fields.fill_number(office.issued(), "16", None)


@pytest.mark.parametrize("wrong", ["15/QĐ", "mười lăm", "", "12345678"])
def test_a_number_against_its_pattern_is_refused(office: Office, wrong: str) -> None:
    with refused("signing.value_pattern"):
        fields.fill_number(office.leader_signed(), wrong, None)


def test_a_value_too_wide_for_its_field_is_refused(office: Office) -> None:
    narrow = FieldPlan(leader=plan().leader, number=TextField(Box(0, 95, 733, 20, 18), fields.NUMBER_PATTERN, fields.DIGITS))
    signed = office.sign(fields.add_fields(letter(), narrow, FONT.read_bytes()), LEADER, "lan")
    with refused("signing.value_too_wide"):
        fields.fill_number(signed, "1234567", None)
    assert fields.fill_number(signed, "12", None)
