"""The procedure's data as a form: what was typed stands in the file, everything else, comments above all, stays as it was."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import Refused
from engine.procedure import guided
from engine.procedure.declaration import PackageInvalid
from engine.procedure.loader import load_files
from engine.procedure.report import from_refusal
from engine.settings import ROOT
from tests.procedures.packages import real

TEXT = (ROOT / "bpmn" / "certified_electronic_copy" / "procedure.toml").read_text("utf-8")
TEMPLATE = (ROOT / "bpmn" / "_template" / "procedure.toml").read_text("utf-8")
NAMES = sorted(guided.values(TEXT))
ARRAYS = sorted(guided.entries(TEXT))
KINDS = {(f"{section.key}." if section.key else "") + field.path: field.kind for section in guided.SECTIONS for field in section.fields}
WORD = st.text(alphabet="abc ĐđÀ\"'\\#=[]\n", max_size=40).map(str.strip)


def comments(text: str) -> list[str]:
    return sorted(re.findall(r"#[^\n\"']*$", text, re.MULTILINE))


def kind_of(name: str) -> str:
    return KINDS.get(re.sub(r"\.\d+\.", ".", name.removesuffix("_when")), "")


def test_a_form_sent_back_untouched_changes_nothing():
    for text in (TEXT, TEMPLATE):
        assert guided.edited(text, guided.values(text)) == text


def test_values_are_shown_as_people_write_them():
    shown = guided.values(TEXT)

    assert shown["effective_from"] == "01/07/2025"
    assert shown["term.cutoff"] == "15:00"
    assert (shown["component.1.required"], shown["component.1.required_when"]) == ("when", "dossier.by_representative")
    assert shown["component.0.required"] == "yes"
    assert shown["component.0.media"] == "application/pdf, image/jpeg, image/png"
    assert shown["lane.4.role"] == "agency_clerk"


def test_typed_values_become_what_the_file_holds_beside_its_comments():
    made = guided.edited(
        TEMPLATE,
        {
            "term.amount": "5",
            "effective_from": "1/3/2027",
            "name.vi": "Cấp «giấy»",
            "online_level": "none",
            "term.valid_from": "",
        },
    )

    data = tomllib.loads(made)
    assert (data["term"]["amount"], str(data["effective_from"]), data["name"]["vi"]) == (5, "2027-03-01", "Cấp «giấy»")
    assert "valid_from" not in data["term"]
    assert tomllib.loads(guided.edited(TEXT, {"fee.0.amount": "8000"}))["fee"][0]["amount"] == 8000
    assert comments(made) == comments(TEMPLATE)
    assert re.search(r'^online_level = "none" # full', made, re.MULTILINE)


def test_what_is_no_number_and_no_date_is_kept_as_typed_and_said_at_its_field():
    made = guided.edited(TEXT, {"term.amount": "năm", "fee.0.valid_from": "31/02/2026", "lane.1.role": "chief", "name.en": ""})

    with pytest.raises(PackageInvalid) as broken:
        load_files({**real().files, "procedure.toml": made.encode()})
    faults = guided.at_fields(made, [from_refusal(problem) for problem in broken.value.problems])

    assert set(faults) == {"term.amount", "fee.0.valid_from", "lane.1.role", "name.en"}
    assert guided.values(made)["term.amount"] == "năm"
    assert guided.values(made)["fee.0.valid_from"] == "31/02/2026"


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.sampled_from(NAMES), WORD, max_size=6))
def test_every_edit_is_read_back_and_nothing_else_moves(given: dict[str, str]):
    given = {name: value for name, value in given.items() if kind_of(name) not in ("case", "truth", "list", "clock")}

    made = guided.edited(TEXT, given)

    before, after = guided.values(TEXT), guided.values(made)
    for name in NAMES:
        if name in given and not name.endswith("_when"):
            assert after[name] == given[name].strip(), name
        elif name not in given:
            assert after[name] == before[name], name
    for comment in comments(TEXT):
        assert comment in made


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(ARRAYS), st.integers(0, 4), st.sampled_from(["add", "remove", "up"])), max_size=6))
def test_entries_come_go_and_move_and_no_comment_is_lost(acts: list[tuple[str, int, str]]):
    text, refusals = TEXT, []
    for key, place, act in acts:
        before = tomllib.loads(text)
        own = list(before.get(key, []))
        try:
            if act == "add":
                text = guided.with_entry(text, key)
                assert len(tomllib.loads(text)[key]) == len(own) + 1
                continue
            text = guided.without_entry(text, key, place) if act == "remove" else guided.moved_up(text, key, place)
        except Refused as refused:
            refusals.append((refused.code, place >= len(own) or (act == "up" and place == 0)))
            continue
        if act == "remove":
            del own[place]
        else:
            own[place - 1 : place + 1] = [own[place], own[place - 1]]
        assert tomllib.loads(text) == {**before, key: own} if own else key not in tomllib.loads(text)
    assert set(refusals) <= {("draft.no_such_entry", True)}
    for comment in comments(TEXT):
        assert comment in text


def test_an_entry_is_added_where_its_like_stand_and_begins_empty():
    made = guided.with_entry(TEXT, "fee")

    assert made.index('[[fee]]\nkey = ""') < made.index("[[lane]]")
    assert tomllib.loads(made)["fee"][-1] == {"key": "", "kind": "fee", "amount": "", "legal_basis": "", "name": {"vi": "", "en": ""}}
    assert "# Làn trên sơ đồ" in made


def test_headers_inside_a_long_text_are_no_headers():
    text = TEXT.replace('amount = "if', 'amount = """\n[[fee]]\n"""\n#', 1)
    assert len(tomllib.loads(text)["fee"]) == 1

    made = guided.without_entry(text, "component", 0)

    assert tomllib.loads(made)["fee"] == tomllib.loads(text)["fee"]
    assert len(tomllib.loads(made)["component"]) == 1


@pytest.mark.parametrize("key", ["term", "nothing", "", "component.name"])
def test_what_is_no_array_gets_no_entry(key: str):
    with pytest.raises(Refused) as refused:
        guided.with_entry(TEXT, key)

    assert refused.value.code == "draft.no_such_entry"


READERS = {"term": "_term", "component": "_component", "fee": "_fee", "document": "_document", "lane": "lane_rule", "reason": "_reason",
           "legal_basis": "legal_basis"}  # fmt: skip


@pytest.mark.parametrize("section", READERS)
def test_every_field_the_loader_reads_in_these_tables_stands_in_the_form(section: str):
    folder = Path(guided.__file__).parent
    source = "\n\n\n".join((folder / name).read_text("utf-8") for name in ("loader.py", "parts.py"))
    body = source.split(f"def {READERS[section]}(")[1].split("\n\n\n")[0]

    read = set(re.findall(r'table\.(?:text|choice|integer|truth|truth_or_text|day|clock|words|texts|raw)\(\s*"(\w+)"', body))

    assert read == {field.path.partition(".")[0] for field in guided.BY_KEY[section].fields}
