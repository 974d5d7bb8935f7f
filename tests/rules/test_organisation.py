from __future__ import annotations

import unicodedata
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Forbidden, NotFound, Refused
from engine.organisation.assignment import Places, candidates, unit_for
from engine.organisation.authority import Act, Holding, Lending, check_delegation, permitted, require
from engine.organisation.names import sort_key, text_key
from engine.organisation.roles import answering, keep_apart, known_roles, signature_lines
from engine.organisation.tree import Tree, Unit
from engine.sentences import catalogue
from tests.rules.calendars import local

PROVINCE, COMMUNE, DIVISION, CENTRE, OTHER = (uuid4() for _ in range(5))
TREE = Tree([
    Unit(PROVINCE, None, "province", "Tỉnh Mẫu"),
    Unit(COMMUNE, PROVINCE, "commune", "Xã An Mẫu", "An Mẫu Commune"),
    Unit(DIVISION, COMMUNE, "division", "Phòng Văn hóa - Xã hội"),
    Unit(CENTRE, COMMUNE, "centre", "Trung tâm Phục vụ hành chính công"),
    Unit(OTHER, PROVINCE, "commune", "Xã Khác"),
])  # fmt: skip
CHAIR, VICE, CHIEF, CLERK = (uuid4() for _ in range(4))
NOON = local("2026-11-20T12:00")


def held(person: UUID, role: str, unit: UUID = COMMUNE, **more: Any) -> Holding:
    return Holding(more.pop("appointment_id", uuid4()), person, uuid4(), unit, role, **more)


CHAIR_HOLDING = held(CHAIR, "head", rank=1, title="Chủ tịch", valid_from=date(2025, 7, 1))
VICE_HOLDING = held(VICE, "deputy_head", rank=2, title="Phó Chủ tịch", fields=("CT", "HT"))
CHIEF_HOLDING = held(CHIEF, "office_chief", title="Chánh Văn phòng")
STAFF = (CHAIR_HOLDING, VICE_HOLDING, CHIEF_HOLDING)
SIGN = Act("sign", frozenset({"agency_leader"}), frozenset({COMMUNE}), "CT", "BS", "for_collective")


def lent(to: UUID = CHIEF, by: Holding = CHAIR_HOLDING, **more: Any) -> Lending:
    given = {
        "capacity": "by_authorisation",
        "scope": ("CT",),
        "starts_at": local("2026-11-16T00:00"),
        "ends_at": local("2026-11-21T00:00"),
        "basis": "12/GUQ",
    }
    return Lending(uuid4(), by.appointment_id, to, **(given | more))


def test_the_head_signs_for_the_collective_and_the_deputy_for_the_head():
    assert require(SIGN, CHAIR, STAFF, (), NOON).capacity == "for_collective"
    assert require(SIGN, VICE, STAFF, (), NOON).capacity == "for_head"


def test_an_acting_head_signs_as_such():
    acting = held(CLERK, "head", acting=True)

    assert require(SIGN, CLERK, (acting,), (), NOON).capacity == "acting_head"


def test_a_deputy_outside_the_assigned_field_is_refused_with_the_reason():
    land = Act("sign", frozenset({"agency_leader"}), frozenset({COMMUNE}), "DD", "QĐ", "for_collective")

    with pytest.raises(Forbidden) as refused:
        require(land, VICE, STAFF, (), NOON)

    assert refused.value.code == "authority.outside_field"


def test_somebody_without_the_position_is_refused():
    with pytest.raises(Forbidden) as refused:
        require(SIGN, CHIEF, STAFF, (), NOON)

    assert refused.value.code == "authority.no_such_role"


def test_a_delegation_lets_its_delegate_sign_in_its_capacity():
    grant = require(SIGN, CHIEF, STAFF, (lent(),), NOON)

    assert grant.capacity == "by_authorisation"
    assert grant.holding is CHAIR_HOLDING
    assert grant.lending is not None


@pytest.mark.parametrize(("more", "reason"), [
    ({"starts_at": local("2026-11-20T12:00:01")}, "authority.delegation_not_in_force"),
    ({"ends_at": local("2026-11-20T12:00")}, "authority.delegation_not_in_force"),
    ({"scope": ("DD",)}, "authority.outside_delegation"),
])  # fmt: skip
def test_outside_its_time_or_scope_a_delegation_is_nothing(more, reason):
    with pytest.raises(Forbidden) as refused:
        require(SIGN, CHIEF, STAFF, (lent(**more),), NOON)

    assert refused.value.code == reason


def test_a_delegation_ends_at_midnight_to_the_second():
    until = lent(ends_at=local("2026-11-21T00:00"))

    assert permitted(SIGN, CHIEF, STAFF, (until,), local("2026-11-20T23:59:59")) is not None
    assert permitted(SIGN, CHIEF, STAFF, (until,), local("2026-11-21T00:00")) is None


def test_a_delegation_falls_with_the_appointment_of_its_giver():
    gone = held(CHAIR, "head", appointment_id=CHAIR_HOLDING.appointment_id, valid_to=date(2026, 11, 20))

    assert permitted(SIGN, CHIEF, (gone, CHIEF_HOLDING), (lent(),), NOON) is None


def test_an_appointment_ends_at_the_beginning_of_its_last_day():
    until = held(CHAIR, "head", valid_from=date(2025, 7, 1), valid_to=date(2026, 11, 21))

    assert permitted(SIGN, CHAIR, (until,), (), local("2026-11-20T23:59")) is not None
    assert permitted(SIGN, CHAIR, (until,), (), local("2026-11-21T00:00")) is None


def test_what_was_lent_cannot_be_lent_on():
    first, second = lent(), lent(to=CLERK, by=CHIEF_HOLDING)

    assert permitted(SIGN, CLERK, STAFF, (first, second), NOON) is None
    with pytest.raises(Refused) as refused:
        check_delegation(second, STAFF, (first,))
    assert refused.value.code == "authority.redelegation"


@pytest.mark.parametrize(("delegation", "code"), [
    (lent(basis=" "), "authority.delegation_without_basis"),
    (lent(capacity="own_power"), "authority.capacity_not_lendable"),
    (lent(ends_at=local("2026-11-16T00:00")), "authority.delegation_period_wrong"),
    (lent(to=CHAIR), "authority.delegation_to_oneself"),
    (lent(by=CHIEF_HOLDING, to=CLERK), "authority.delegator_has_no_power"),
    (lent(by=VICE_HOLDING, scope=("DD",)), "authority.delegation_wider_than_power"),
    (lent(by=VICE_HOLDING, scope=()), "authority.delegation_wider_than_power"),
    (lent(by=held(CLERK, "head")), "authority.delegator_not_in_office"),
])  # fmt: skip
def test_a_delegation_that_cannot_be_is_refused(delegation, code):
    with pytest.raises(Refused) as refused:
        check_delegation(delegation, STAFF, ())

    assert refused.value.code == code
    assert refused.value.field


def test_a_lawful_delegation_passes():
    check_delegation(lent(), STAFF, ())
    check_delegation(lent(by=VICE_HOLDING, scope=("CT",)), STAFF, ())


@pytest.mark.parametrize(("capacity", "more", "lines"), [
    ("own_power", {"title": "Giám đốc"}, ("GIÁM ĐỐC",)),
    ("for_collective", {"title": "Chủ tịch", "collective": "Ủy ban nhân dân"}, ("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH")),
    ("for_head", {"title": "Phó Giám đốc", "head": "Giám đốc"}, ("KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC")),
    ("for_head", {"title": "Phó Chủ tịch", "head": "Chủ tịch", "collective": "Ủy ban nhân dân"},
     ("TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH")),
    ("by_order", {"title": "Chánh Văn phòng", "head": "Chủ tịch"}, ("TL. CHỦ TỊCH", "CHÁNH VĂN PHÒNG")),
    ("by_authorisation", {"title": "Trưởng phòng", "head": "Chủ tịch"}, ("TUQ. CHỦ TỊCH", "TRƯỞNG PHÒNG")),
    ("acting_head", {"title": "Giám đốc"}, ("Q. GIÁM ĐỐC",)),
])  # fmt: skip
def test_the_lines_above_a_signature(capacity, more, lines):
    assert signature_lines(capacity, **more) == lines


def test_who_drafted_does_not_sign_and_who_designed_does_not_approve():
    with pytest.raises(Forbidden):
        keep_apart(CHIEF, "sign", {"draft": {CHIEF}})
    with pytest.raises(Forbidden):
        keep_apart(CHIEF, "approve_procedure", {"design_procedure": {CHIEF}})

    keep_apart(CHAIR, "sign", {"draft": {CHIEF}})


def test_a_wider_role_is_answered_by_its_members():
    assert answering({"agency_leader"}) == {"agency_leader", "head", "deputy_head"}
    assert answering({"specialist"}) == {"specialist"}
    assert all(names["vi"] and names["en"] for names in known_roles().values())


def test_a_division_and_a_centre_belong_to_their_agency():
    assert TREE.agency_of(CENTRE).id == COMMUNE
    assert TREE.reach(DIVISION) == (DIVISION, COMMUNE)
    assert TREE.within(PROVINCE) == {PROVINCE}
    assert TREE.within(COMMUNE) == {COMMUNE, DIVISION, CENTRE}
    assert TREE.below(PROVINCE) == {PROVINCE, COMMUNE, DIVISION, CENTRE, OTHER}


def test_a_unit_cannot_stand_above_itself():
    a, b = uuid4(), uuid4()

    with pytest.raises(Refused):
        Tree([Unit(a, b, "division", "A"), Unit(b, a, "division", "B")])


def test_a_merged_unit_is_followed_to_what_it_became():
    a, b, c = uuid4(), uuid4(), uuid4()
    merged = Tree([
        Unit(a, None, "commune", "A", valid_to=date(2025, 7, 1), successor_id=b),
        Unit(b, None, "commune", "B", valid_to=date(2026, 7, 1), successor_id=c),
        Unit(c, None, "commune", "C"),
    ])  # fmt: skip

    assert merged.successor(a, date(2025, 6, 30)).id == a
    assert merged.successor(a, date(2025, 7, 1)).id == b
    assert merged.successor(a, date(2026, 11, 20)).id == c


def test_a_unit_that_ended_without_a_successor_is_said_to_have_ended():
    a = uuid4()

    with pytest.raises(NotFound):
        Tree([Unit(a, None, "commune", "A", valid_to=date(2025, 7, 1))]).successor(a, date(2026, 1, 1))


def test_a_step_lands_on_the_desks_of_its_role_in_the_unit_and_its_parts_with_the_reason():
    here, there = held(CLERK, "specialist", DIVISION, title="Công chức"), held(CHIEF, "specialist", OTHER)

    found = candidates("Công chức chuyên môn", "specialist", "deciding", Places(CENTRE, COMMUNE), TREE, (here, there), (), NOON)

    assert [c.person_id for c in found] == [CLERK]
    assert found[0].reason_code == "assignment.by_appointment"
    assert found[0].facts["title"] == "Công chức"
    assert found[0].facts["unit_en"] == "An Mẫu Commune"


def test_who_stands_in_comes_after_who_holds_the_position():
    found = candidates("Lãnh đạo", "agency_leader", "deciding", Places(CENTRE, COMMUNE), TREE, STAFF, (lent(),), NOON, field="CT")

    assert [c.reason_code.rsplit("_", 1)[1] for c in found] == ["appointment", "appointment", "delegation"]
    assert found[-1].person_id == CHIEF
    assert found[-1].facts["basis"] == "12/GUQ"


def test_a_step_of_the_initiator_lands_on_their_own_desk():
    places = Places(CENTRE, COMMUNE, initiator_unit=DIVISION, initiator=CLERK)

    assert [c.person_id for c in candidates("Người đề nghị", "initiator", "initiator", places, TREE, (), (), NOON)] == [CLERK]


def test_unit_rules_read_the_places_of_the_dossier():
    places = Places(CENTRE, COMMUNE, initiator_unit=DIVISION, agencies={"H99.32": OTHER})

    assert [unit_for(rule, places, TREE) for rule in ("reception", "deciding", "owner_unit", "initiator", "agency", "H99.32")] == [
        CENTRE, COMMUNE, COMMUNE, DIVISION, COMMUNE, OTHER,
    ]  # fmt: skip
    with pytest.raises(Refused):
        unit_for("somewhere", places, TREE)


def test_every_reason_has_its_sentences():
    codes = {
        "authority.by_appointment",
        "authority.by_delegation",
        "assignment.by_appointment",
        "assignment.by_delegation",
        "assignment.as_initiator",
    }

    assert codes <= set(catalogue())


def test_people_are_ordered_by_given_name_in_vietnamese_order():
    names = ["Trần Văn Ánh", "Lê An", "Đỗ Ân", "Bùi Ấn", "Hồ Đức", "Vũ Dũng", "Nguyễn Ăn", "Phạm Anh", "Nguyễn An"]

    assert sorted(names, key=sort_key) == [
        "Lê An", "Nguyễn An", "Phạm Anh", "Trần Văn Ánh", "Nguyễn Ăn", "Đỗ Ân", "Bùi Ấn", "Vũ Dũng", "Hồ Đức",
    ]  # fmt: skip


def test_tones_follow_the_order_of_the_dictionary():
    assert sorted(["mạ", "má", "mã", "mả", "mà", "ma"], key=text_key) == ["ma", "mà", "mả", "mã", "má", "mạ"]


@given(st.text())
def test_every_key_is_plain_ascii_and_blind_to_case_and_composition(text):
    assert text_key(text).isascii()
    assert text_key(unicodedata.normalize("NFD", text)) == text_key(unicodedata.normalize("NFC", text))


@given(role=st.sampled_from(["head", "deputy_head"]), hours=st.integers(-72, 72))
def test_a_grant_by_delegation_is_always_inside_its_time(role, hours):
    at = local("2026-11-18T12:00") + timedelta(hours=hours)
    lending = lent(by=CHAIR_HOLDING if role == "head" else VICE_HOLDING)

    grant = permitted(SIGN, CHIEF, STAFF, (lending,), at)

    assert (grant is not None) == (lending.starts_at <= at < lending.ends_at)
