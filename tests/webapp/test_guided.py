"""The procedure's data as a plain form: saved without losing a comment, errors at the field, two people, entries; the same for programs."""

from __future__ import annotations

import html
import re

from tests.support.visitors import Visitor

COPY = "certified_electronic_copy"


def begun(designer: Visitor) -> str:
    return str(designer.post(f"/designer/{COPY}/drafts", "/designer/drafts").headers["Location"])


def typed(page: str) -> dict[str, str]:
    """Every value of the form, as a browser would send it back."""
    found = dict(re.findall(r'<input[^>]*name="(d\.[^"]+)"[^>]*?value="([^"]*)"', page))
    found |= dict(re.findall(r'<textarea[^>]*name="(d\.[^"]+)"[^>]*>([^<]*)</textarea>', page))
    for name, options in re.findall(r'<select[^>]*name="(d\.[^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)"[^>]* selected', options)
        found[name] = chosen[1] if chosen else ""
    return {name: html.unescape(value) for name, value in found.items()}


def test_the_whole_form_comes_back_as_it_was_and_an_edit_keeps_the_comments(designer: Visitor):
    here = begun(designer)
    before = designer.get(f"{here}/raw/procedure.toml").text
    values = typed(designer.get(f"{here}/data").text)
    assert len(values) > 130

    designer.post(f"{here}/data", f"{here}/data", version="1", **values)
    assert designer.get(f"{here}/raw/procedure.toml").text == before
    saved = designer.post(f"{here}/data", f"{here}/data", version="1", **{**values, "d.fee.0.amount": "3000", "d.name.vi": "Chứng thực"})

    assert saved.status_code == 303
    after = designer.get(f"{here}/raw/procedure.toml").text
    changed = [new for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new]
    assert changed == ['vi = "Chứng thực"', "amount = 3000"]


def test_a_fault_stands_at_its_field_with_what_was_typed(designer: Visitor):
    here = begun(designer)

    designer.post(
        f"{here}/data",
        f"{here}/data",
        version="1",
        **{"d.term.amount": "ba", "d.lane.1.title.en": "", "d.component.1.required_when": "dossier."},
    )
    page = designer.get(f"{here}/data").text

    for field, value in (("field-term-amount", "ba"), ("field-lane-1-title-en", "")):
        control = re.search(rf'<input[^>]*id="{field}"[^>]*>', page)
        assert control is not None
        assert 'aria-invalid="true"' in control[0]
        assert f'value="{value}"' in control[0]
        assert f'id="{field}-error"' in page


def test_a_condition_that_is_no_feel_is_said_at_its_case(designer: Visitor):
    here = begun(designer)

    designer.post(f"{here}/data", f"{here}/data", version="1", **{"d.component.1.required_when": "dossier. and"})
    page = designer.get(f"{here}/data").text

    assert 'id="field-component-1-required-when-error"' in page


def test_entries_are_added_moved_and_removed_with_plain_buttons(designer: Visitor):
    here = begun(designer)

    added = designer.post(f"{here}/data", f"{here}/data", version="1", add="fee", **{"d.fee.0.key": "certify"})
    page = designer.get(added.headers["Location"]).text
    assert 'name="d.fee.1.key"' in page
    assert 'value="certify"' in page, "what was typed is saved together with the new entry"
    assert designer.post(f"{here}/data", f"{here}/data", version="2", up="fee.1").status_code == 303
    assert designer.post(f"{here}/data", f"{here}/data", version="3", remove="fee.0").status_code == 303
    assert 'name="d.fee.1.key"' not in designer.get(f"{here}/data").text
    gone = designer.post(f"{here}/data", f"{here}/data", version="4", remove="fee.7")
    assert gone.status_code == 422


def test_somebody_else_s_save_meanwhile_shows_both_and_a_broken_file_is_edited_as_text(designer: Visitor):
    here = begun(designer)
    designer.post(f"{here}/data", f"{here}/data", version="1", **{"d.name.vi": "Một"})

    met = designer.post(f"{here}/data", f"{here}/data", version="1", **{"d.name.vi": "Hai"})

    assert met.status_code == 409
    assert "Hai người cùng sửa một tệp" in met.text
    designer.post(f"{here}/files", here, name="procedure.toml", version="2", content="key = ")
    led = designer.get(f"{here}/data")
    assert led.status_code == 303
    assert "procedure.toml" in led.headers["Location"]
