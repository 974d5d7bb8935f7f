"""When the law changes: what it concerns, on the screen, by the interface and on the command line; and the drafts it asks for."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from engine.kernel.unit_of_work import Actor
from engine.queries import drafts, law
from tests.support.office import Office
from tests.support.visitors import Visitor, signed_in

COPY = "certified_electronic_copy"
ASKED = "Điều 20 NĐ 23/2015"


def test_every_act_is_listed_and_leads_to_what_cites_it(designer: Visitor):
    page = designer.get("/designer/law").text

    found = re.search(r'href="([^"]*law\?q=23[^"]*)"', page)
    assert found is not None
    assert "Chứng thực bản sao điện tử" in designer.get(found[1].replace("&amp;", "&")).text


def test_a_changed_article_names_places_and_running_dossiers_and_begins_the_drafts(office: Office, designer: Visitor):
    received = office.receive()

    page = designer.get(f"/designer/law?q={ASKED}").text
    begun = designer.post("/designer/law/drafts", f"/designer/law?q={ASKED}", q=ASKED, key=COPY)

    kinds = ("Thành phần hồ sơ", "Lý do mẫu", "Mẫu văn bản")
    for words in (*kinds, "procedure.toml:", "1 hồ sơ đang chạy", received.code):
        assert words in page, words
    assert "Thời hạn</strong>" not in page, "the term cites article 7"
    assert begun.status_code == 303
    assert "Điều 20 NĐ 23/2015" in designer.get(f"{begun.headers['Location']}/history").text
    again = designer.get(f"/designer/law?q={ASKED}").text
    assert "đang có bản soạn" in again
    assert not re.search(rf'name="key" value="{COPY}"[^>]*checked', again), "nobody begins a second draft by mistake"


@pytest.mark.parametrize(("text", "words"), [("phí", "Chưa thấy văn bản"), ("NĐ 1/2020 và NĐ 2/2021", "nhiều văn bản")])
def test_a_question_that_names_no_act_is_answered_at_its_field(designer: Visitor, text: str, words: str):
    answer = designer.get(f"/designer/law?q={text}")

    assert answer.status_code == 422
    assert words in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_nothing_chosen_begins_nothing(office: Office, designer: Visitor):
    answer = designer.post("/designer/law/drafts", "/designer/law", q=ASKED)

    assert answer.status_code == 422
    assert "Chưa chọn thủ tục nào" in answer.text
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        assert drafts.workspace(w) == []


def test_dossiers_that_run_under_a_version_that_cited_it_are_named_although_the_newest_does_not(office: Office):
    office.receive()
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        whole = law.affected(w, "Thông tư 226/2016/TT-BTC")
        nothing = law.affected(w, "Điều 1 NĐ 999/2030")

    assert [(one.version.key, [group.dossiers for group in one.running]) for one in whole.affected] == [(COPY, [1])]
    assert (nothing.affected, nothing.shared) == ([], ())


def test_who_designs_no_procedures_sees_nothing_of_it(app: Flask, office: Office):
    assert signed_in(app, office, "specialist").get("/designer/law").status_code == 403


def test_the_index_is_a_document_on_the_command_line(capsys: pytest.CaptureFixture[str]):
    from engine.cli import main

    assert main(["procedure", "law", "--document", "bpmn"]) == 0

    assert "## 23/2015/NĐ-CP" in capsys.readouterr().out
