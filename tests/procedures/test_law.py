"""Citations are read as people write them; the index names every place of a package, and its document is current."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cli._law import written
from engine.errors import Refused
from engine.procedure.law import Act, Article, Citation, acts_in, articles_in, citations, merged, question
from engine.procedure.law_places import concerned, places, shared_places
from engine.settings import ROOT
from tests.procedures.packages import changed, form, real

DECREE = Act("NĐ", 217, 2026)


def read(text: str) -> list[tuple[str, list[str]]]:
    return [(one.act.label, [article.label for article in one.articles]) for one in citations(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Điều 54 NĐ 217/2026", [("NĐ 217/2026", ["54"])]),
        (
            "Khoản 1 Điều 20 Nghị định số 23/2015/NĐ-CP; Điều 10 Nghị định số 45/2020/NĐ-CP",
            [("23/2015/NĐ-CP", ["20"]), ("45/2020/NĐ-CP", ["10"])],
        ),
        ("Bộ luật Lao động 2019, Điều 112 khoản 1 điểm đ", [("Bộ luật Lao động 2019", ["112"])]),
        ("Bộ luật Dân sự năm 2015, Điều 147, 148", [("Bộ luật Dân sự 2015", ["147", "148"])]),
        ("Luật Cán bộ, công chức số 80/2025/QH15", [("Luật Cán bộ, công chức (80/2025/QH15)", [])]),
        ("Thông tư số 226/2016/TT-BTC, Điều 4: 2.000 đồng/trang; từ trang thứ ba 1.000 đồng", [("226/2016/TT-BTC", ["4"])]),
        ("Quyết định số 12/QĐ-UBND ngày 20/11/2026", [("12/2026/QĐ-UBND", [])]),
        ("Nghị định số 23/2015/NĐ-CP ngày 16/02/2015", [("23/2015/NĐ-CP", [])]),
        ("theo Luật này và Nghị định số 5/2020/NĐ-CP, Điều 3", [("05/2020/NĐ-CP", ["3"])]),
        ("Luật Hộ tịch và Điều 3 Nghị định số 123/2015/NĐ-CP", [("123/2015/NĐ-CP", ["3"])]),
        ("Articles 18 to 22 of Decree No. 23/2015/NĐ-CP", [("23/2015/NĐ-CP", ["18–22"])]),
        ("nộp trước ngày 01/07/2025, số 12/2025", []),
        ("", []),
    ],
)
def test_a_citation_is_read_as_people_write_it(text: str, expected: list[tuple[str, list[str]]]):
    assert read(text) == expected


def test_rows_of_articles_and_articles_between_articles():
    rows = articles_in("Điều 5, Điều 7, các Điều 18 đến 22, Điều 54a")

    assert [row.label for row in rows] == ["5", "7", "18–22", "54a"]
    assert Article("18", "22").covers("20")
    assert Article("54", "55").covers("54a")
    assert not Article("54", "54").covers("54a")


def test_one_act_written_in_two_ways_is_one_and_two_ministries_circulars_are_two():
    assert Act("NĐ", 217, 2026, "NĐ-CP").same(DECREE)
    assert not Act("TT", 1, 2020, "TT-BTP").same(Act("TT", 1, 2020, "TT-VPCP"))
    assert Act("L", 45, 2019, "QH14", "Bộ luật Lao động").same(Act("L", 0, 2019, name="Bộ luật lao động"))
    assert not Act("NQ", 28, 2026).same(Act("NĐ", 28, 2026))
    assert [one.label for one in merged([DECREE, Act("NĐ", 217, 2026, "NĐ-CP"), DECREE])] == ["217/2026/NĐ-CP"]


def test_a_change_of_an_article_concerns_who_cites_it_a_row_around_it_or_the_whole_act():
    assert Citation(DECREE, (Article("54", "54"),)).concerns(DECREE, "54")
    assert Citation(DECREE, (Article("50", "60"),)).concerns(DECREE, "54")
    assert Citation(DECREE).concerns(DECREE, "54")
    assert Citation(DECREE, (Article("5", "5"),)).concerns(DECREE)
    assert not Citation(DECREE, (Article("5", "5"),)).concerns(DECREE, "54")


@pytest.mark.parametrize(
    ("text", "code"),
    [("phí", "law.no_act"), ("NĐ 1/2020 và NĐ 2/2020", "law.several_acts"), ("Điều 1, 2 NĐ 1/2020", "law.several_acts")],
)
def test_a_question_is_about_one_article_of_one_act(text: str, code: str):
    with pytest.raises(Refused) as refused:
        question(text)

    assert refused.value.code == code
    assert refused.value.field == "q"


numbers = st.integers(1, 9999)
symbols = st.sampled_from(["NĐ-CP", "TT-BTP", "TTLT-BTC-BTP"])


@settings(deadline=None, max_examples=40)
@given(numbers, st.integers(1945, 2060), symbols, st.lists(st.integers(1, 400), min_size=1, max_size=4, unique=True), st.booleans())
def test_whatever_is_written_in_either_order_is_read_back(number: int, year: int, symbol: str, articles: list[int], leading: bool):
    act, row = f"{number}/{year}/{symbol}", "Điều " + ", ".join(map(str, articles))

    found = citations(f"{row} của văn bản số {act}" if leading else f"văn bản số {act}, {row}")

    assert [one.act.label for one in found] == [f"{number:02d}/{year}/{symbol}"]
    assert [article.first for article in found[0].articles] == [str(one) for one in articles]


@settings(deadline=None, max_examples=40)
@given(st.text(alphabet="Đđiều0123456789/-., ;()NĐCPTLuậtQ\n", max_size=200))
def test_any_text_is_read_and_every_act_found_stands_in_it(text: str):
    for start, end, act in acts_in(text):
        assert 0 <= start < end <= len(text)
        assert act.kind
    citations(text)


HOSTILE = ["Luật " + "A " * 50_000, "Điều " + "1, " * 50_000, "1/2020/" + "A-" * 50_000, "luật A" * 20_000]


@pytest.mark.parametrize("text", HOSTILE, ids=["name", "articles", "symbol", "laws"])
def test_a_hostile_text_is_read_to_its_end(text: str):
    assert read(f"{text}; Điều 54 NĐ 217/2026")[-1] == ("NĐ 217/2026", ["54"])


def test_every_kind_of_place_of_a_package_is_found_with_file_and_line():
    law = "Điều 54 NĐ 217/2026"
    said = form("decision").replace(b'"label": "', f'"description": "Theo {law}", "label": "'.encode(), 1)
    assert law.encode() in said
    package = changed(
        real(),
        declaration=[
            ('legal_basis = "Điều 7 Nghị định số 23/2015/NĐ-CP"', f'legal_basis = "{law}"'),
            ('legal_basis = "Bộ luật Dân sự năm 2015, Điều 138"', f'legal_basis = "{law}"'),
            ('legal_basis = "Khoản 2 Điều 20 Nghị định số 23/2015/NĐ-CP"', f'legal_basis = "{law}"'),
        ],
        diagram=[('name="Ký chứng thực"', f'name="Ký ({law})"')],
        files={"forms/review.json": said, "templates/certified_copy.typ": f"// mẫu\n// {law}".encode()},
    )

    found = concerned(places(package), DECREE, "54")

    assert {place.kind for place in found} == {"term", "component", "reason", "element", "form", "template"}
    for place in found:
        content = package.files[place.file].decode().splitlines()
        assert place.line is not None
        assert place.line <= len(content)
    assert {place.file: place.line for place in found}["templates/certified_copy.typ"] == 2
    assert concerned(places(package), DECREE, "55") == ()


def test_shared_templates_and_the_calendar_stand_in_the_index():
    shared = shared_places(ROOT / "bpmn")

    assert any(
        place.file == "_calendars/vietnam.toml" for place in concerned(shared, Act("L", 45, 2019, "QH14", "Bộ luật Lao động"), "112")
    )
    assert any(place.file.endswith("nd30.typ") for place in shared)


def test_the_document_is_current():
    document = (ROOT / "docs" / "law.md").read_text(encoding="utf-8")

    assert document == written(ROOT / "bpmn"), "write it anew: motcua procedure law --document bpmn > docs/law.md"
