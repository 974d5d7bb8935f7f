"""Forms: what shows, what is stored, and what each wrong answer is told."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import Invalid, Refused
from engine.procedure.answers import parse_number
from engine.procedure.forms import Form, Note
from engine.sentences import sentence
from tests.support.effort import effort


def parse(*components):
    return Form.parse(json.dumps({"components": list(components)}), "trial")


def field(kind, key="x", **more):
    values = (
        {"values": [{"value": "a", "label": "A"}, {"value": "b", "label": "B", "label_en": "Bee"}]}
        if kind in ("select", "radio", "checklist")
        else {}
    )
    return {"type": kind, "key": key, "label": f"Nhãn {key}", **values, **more}


def answer(component, value):
    return parse(component).check({component["key"]: value}).get(component["key"])


def refusal(component, value):
    with pytest.raises(Invalid) as invalid:
        parse(component).check({component["key"]: value})
    reason = invalid.value.errors[component["key"]]
    assert "Nhãn" in sentence(reason.code, "vi", reason.facts).what
    return reason.code


@pytest.mark.parametrize(
    ("component", "value", "stored"),
    [
        (field("textfield"), "  Tiếng  Việt ", "Tiếng Việt"),
        (field("textfield"), "Tie\u0302\u0301ng Vie\u0323\u0302t", "Tiếng Việt"),
        (field("textarea"), "một\r\nhai\n", "một\nhai"),
        (field("number"), "12", 12),
        (field("number"), "1.234.567", 1234567),
        (field("number"), "12,50", "12.5"),
        (field("number"), "0,1", "0.1"),
        (field("number", decimalDigits=0), "1.250", 1250),
        (field("number"), 7, 7),
        (field("number"), 0.1, "0.1"),
        (field("datetime", subtype="date"), "05/09/2026", "2026-09-05"),
        (field("datetime", subtype="date"), "5/9/2026", "2026-09-05"),
        (field("date"), "2026-09-05", "2026-09-05"),
        (field("date"), "29/02/2028", "2028-02-29"),
        (field("select"), "a", "a"),
        (field("radio"), ["b"], "b"),
        (field("checklist"), ["b", "a"], ["a", "b"]),
        (field("checklist"), "a", ["a"]),
        (field("checkbox"), "on", True),
        (field("checkbox"), None, False),
        (field("checkbox"), True, True),
        (field("filepicker"), "0198-ab", "0198-ab"),
        (field("file", multiple=True), ["a1", "b2"], ["a1", "b2"]),
        (field("textfield", validate={"validationType": "phone"}), "0912 345 678", "0912345678"),
        (field("textfield", properties={"format": "citizen_number"}), "001 090 000 001", "001090000001"),
        (field("textfield", validate={"validationType": "email"}), "an@tinh.gov.vn", "an@tinh.gov.vn"),
        (field("textfield", validate={"pattern": "[A-Z]{2}[0-9]+"}), "AB12", "AB12"),
    ],
)
def test_an_answer_is_stored_in_its_canonical_form(component, value, stored):
    assert answer(component, value) == stored


@pytest.mark.parametrize(
    ("component", "value", "code"),
    [
        (field("textfield", validate={"required": True}), "   ", "form.required"),
        (field("checkbox", validate={"required": True}), None, "form.required"),
        (field("checklist", validate={"required": True}), [], "form.required"),
        (field("textfield", validate={"maxLength": 3}), "abcd", "form.too_long"),
        (field("textfield", validate={"minLength": 3}), "ab", "form.too_short"),
        (field("textfield"), "x" * 10_001, "form.too_long"),
        (field("textfield"), "a\u202eb", "form.letters_odd"),
        (field("textfield"), "a\x00b", "form.letters_odd"),
        (field("textfield"), ["a", "b"], "form.one_answer"),
        (field("textfield"), {"a": 1}, "form.text_expected"),
        (field("number"), "mười", "form.number_expected"),
        (field("number"), "1.250", "form.number_expected"),
        (field("number"), "1e99", "form.number_expected"),
        (field("number"), "9" * 18, "form.number_too_large"),
        (field("number"), True, "form.number_expected"),
        (field("number", validate={"min": 1}), "0", "form.too_small"),
        (field("number", validate={"max": 10}), "11", "form.too_big"),
        (field("number", decimalDigits=1), "0,25", "form.decimals"),
        (field("date"), "30/02/2026", "form.date_impossible"),
        (field("date"), "29/02/2026", "form.date_impossible"),
        (field("date"), "31/04/2026", "form.date_impossible"),
        (field("date"), "2026", "form.date_expected"),
        (field("date"), "05/09/0026", "form.date_impossible"),
        (field("select"), "c", "form.option_unknown"),
        (field("checklist"), ["a", "z"], "form.option_unknown"),
        (field("checkbox"), "maybe", "form.option_unknown"),
        (field("file"), "../etc/passwd", "form.file_unknown"),
        (field("textfield", validate={"validationType": "phone"}), "12", "form.phone"),
        (field("textfield", validate={"validationType": "email"}), "an@", "form.email"),
        (field("textfield", properties={"format": "citizen_number"}), "00109000001", "form.citizen_number"),
        (field("textfield", validate={"pattern": "[A-Z]+"}), "ABc", "form.pattern"),
        (field("textfield", validate={"pattern": "^[A-Z]+$"}), "ab", "form.pattern"),
    ],
)
def test_a_wrong_answer_is_refused_at_its_field(component, value, code):
    assert refusal(component, value) == code


def test_every_wrong_field_is_told_at_once():
    form = parse(field("number", "a", validate={"required": True}), field("date", "b"), field("textfield", "c"))

    with pytest.raises(Invalid) as invalid:
        form.check({"b": "30/02/2026", "c": "fine"})

    assert {key: reason.code for key, reason in invalid.value.errors.items()} == {"a": "form.required", "b": "form.date_impossible"}


def test_unknown_keys_are_dropped_the_key_typename_included():
    assert parse(field("textfield")).check({"x": "1", "typename": "timedelta", "_y": "2", "other": "3"}) == {"x": "1"}


HIDING = (
    field("radio", "decision"),
    field("textfield", "reason", validate={"required": True}, conditional={"hide": '=decision != "b"'}),
    field("textfield", "detail", validate={"required": True}, conditional={"hide": "=reason = null"}),
)


def test_a_hidden_field_is_neither_asked_nor_stored():
    form = parse(*HIDING)

    assert form.check({"decision": "a", "reason": "should vanish", "detail": "too"}) == {"decision": "a"}
    assert [shown.key for shown in form.visible({"decision": "a", "reason": "x"})] == ["decision"]


def test_a_field_that_shows_is_asked():
    with pytest.raises(Invalid) as invalid:
        parse(*HIDING).check({"decision": "b", "reason": "x"})

    assert list(invalid.value.errors) == ["detail"]


def test_visibility_may_ask_the_scope():
    form = parse(field("textfield", conditional={"hide": "=dossier.pages < 3"}))

    assert form.check({"x": "1"}, {"dossier": {"pages": 2}}) == {}
    assert form.check({"x": "1"}, {"dossier": {"pages": 3}}) == {"x": "1"}


def test_visibility_compares_numbers_and_dates_by_value():
    form = parse(
        field("number", "n"), field("date", "d"),
        field("textfield", "x", conditional={"hide": "=n < 2,5".replace(",", ".")}),
        field("textfield", "y", conditional={"hide": '=d < date("2026-01-01")'}),
    )  # fmt: skip

    assert form.check({"n": "10,5", "d": "01/02/2026", "x": "1", "y": "2"}) == {"n": "10.5", "d": "2026-02-01", "x": "1", "y": "2"}
    assert form.check({"n": "2,4", "d": "31/12/2025", "x": "1", "y": "2"}) == {"n": "2.4", "d": "2025-12-31"}


def test_fields_that_hide_each_other_do_not_hang():
    form = parse(field("textfield", "x", conditional={"hide": "=y != null"}), field("textfield", "y", conditional={"hide": "=x != null"}))

    assert form.check({"x": "1", "y": "2"}) in ({}, {"x": "1"}, {"y": "2"}, {"x": "1", "y": "2"})


def test_labels_speak_both_languages():
    form = parse(
        {"type": "text", "text": "Chú ý", "properties": {"text_en": "Note"}},
        {
            "type": "group",
            "label": "Nhóm",
            "label_en": "Group",
            "components": [field("select", properties={"label_en": "Label", "description_en": "Hint"}, description="Gợi ý")],
        },
    )

    only = form.fields[0]
    assert (only.label.en, only.description.en, only.section.en) == ("Label", "Hint", "Group")
    assert [option.label.in_language("en") for option in only.options] == ["A", "Bee"]
    assert [item.kind for item in form.items if isinstance(item, Note)] == ["note", "heading"]


@pytest.mark.parametrize(
    ("component", "code"),
    [
        (field("textfield", "typename"), "form.key_reserved"),
        (field("textfield", "_x"), "form.key_broken"),
        (field("textfield", "dossier"), "form.key_reserved"),
        (field("textfield", "a.b"), "form.key_broken"),
        (field("textfield", "a", label=""), "form.label_missing"),
        (field("camera"), "form.component_unknown"),
        (field("datetime", subtype="time"), "form.component_unknown"),
        ({**field("select"), "values": []}, "form.options_broken"),
        ({**field("select"), "values": [{"value": "a", "label": "1"}, {"value": "a", "label": "2"}]}, "form.options_broken"),
        ({**field("select"), "valuesKey": "v"}, "form.options_dynamic"),
        (field("number", validate={"min": 5, "max": 1}), "form.bounds"),
        (field("textfield", validate={"pattern": "("}), "form.pattern_broken"),
        (field("textfield", validate={"pattern": "(a+)+"}), "form.pattern_costly"),
        (field("textfield", validate={"pattern": "(a|a)*b*c*d*"}), "form.pattern_costly"),
        (field("textfield", validate={"pattern": r"(a)\1"}), "form.pattern_costly"),
        (field("textfield", validate={"pattern": "(?=a)a"}), "form.pattern_costly"),
        (field("textfield", conditional={"hide": "=1 +"}), "form.condition_broken"),
        ({"type": "group", "path": "deep", "components": []}, "form.group_path"),
    ],
)
def test_a_form_that_cannot_be_kept_is_refused_at_publication(component, code):
    with pytest.raises(Refused) as refused:
        parse(component)

    assert refused.value.code == code


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"components": 3}', b'{"components": [3]}', b"[" * 50_000])
def test_what_is_no_form_is_refused(content):
    with pytest.raises(Refused) as refused:
        Form.parse(content, "x")

    assert refused.value.code == "form.broken"


def test_two_fields_with_one_key_are_refused():
    with pytest.raises(Refused) as refused:
        parse(field("textfield"), field("number"))

    assert refused.value.code == "form.key_twice"


@pytest.mark.parametrize("pattern", ["[a-z]*[a-z]*[a-z]*!", "a{0,100}a{0,100}a{0,100}!", "(?:ab?)c*d+e{2,4}"])
def test_an_accepted_pattern_never_takes_long(pattern):
    form = parse(field("textfield", validate={"pattern": pattern}))

    for length in (10_000, 200):
        with effort() as work, pytest.raises(Invalid):
            form.check({"x": "a" * length})
        assert work.calls < 200_000


EVERYTHING = parse(
    field("textfield", "t"), field("textarea", "l"), field("number", "n"), field("select", "s"), field("radio", "r"),
    field("checklist", "c"), field("checkbox", "b"), field("date", "d"), field("file", "f"),
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["a", "b", "12", "01/02/2026", "1,5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy computer draws slowly
@given(st.dictionaries(st.sampled_from("tlnsrcbdfz"), ANYTHING))
def test_whatever_is_sent_the_form_answers_with_values_or_reasons(answers):
    wrong = {}
    cleaned = {}
    try:
        cleaned = EVERYTHING.check(answers)
    except Invalid as invalid:
        wrong = invalid.errors

    assert {*cleaned, *wrong} <= set("tlnsrcbdf")
    assert json.loads(json.dumps(cleaned)) == cleaned
    if not wrong:
        assert EVERYTHING.check(cleaned) == cleaned


@given(st.integers(-(10**14), 10**14), st.integers(0, 2))
def test_a_number_written_the_vietnamese_way_is_read_back(units, places):
    whole, fraction = divmod(abs(units), 10**places)
    written = ("-" if units < 0 else "") + f"{whole:,}".replace(",", ".") + (f",{fraction:0{places}d}" if places else "")

    assert parse_number(written, places) * 10**places == units
