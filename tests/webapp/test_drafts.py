"""The workspace as plain forms: begin, edit a file, meet a colleague, restore, try by hand, keep a scenario, submit."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from flask import Flask

from engine.commands import procedures
from engine.procedure.loader import load_folder, load_zip
from engine.procedure.package import Package
from engine.settings import ROOT
from tests.support.office import Office
from tests.support.visitors import Visitor, signed_in, token

COPY = "certified_electronic_copy"
FORM = "forms/review.json"
ANSWERS = {
    "f.decision": "approve", "f.paper_name": "Bằng tốt nghiệp", "f.paper_issuer": "Trường Mẫu", "f.compared": "yes",
}  # fmt: skip


def begun(designer: Visitor) -> str:
    answer = designer.post(f"/designer/{COPY}/drafts", "/designer/drafts")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def moves(page: str) -> str:
    found = re.search(r'name="moves" value="([^"]*)"', page)
    assert found is not None
    return found[1].replace("&#34;", '"').replace("&amp;", "&")


def test_every_page_of_a_draft_opens_and_says_what_it_is(designer: Visitor):
    here = begun(designer)

    assert "Chứng thực bản sao điện tử" in designer.get("/designer/drafts").text
    for part in ("", "/forms", "/decisions", "/templates", "/trial", "/rehearsal", "/words", "/history", "/edit/procedure.toml"):
        page = designer.get(f"{here}{part}")
        assert page.status_code == 200, part
        assert 'aria-current="page"' in page.text
        assert "Có thể gửi duyệt" in page.text
    taken = load_zip(designer.get(f"{here}/package.zip").data)
    assert taken.content_hash == load_folder(ROOT / "bpmn" / COPY).content_hash


def test_the_editor_opens_without_waiting_for_the_gate_which_judges_once(designer: Visitor, monkeypatch: pytest.MonkeyPatch):
    here = begun(designer)
    changed = designer.get(f"{here}/raw/process.bpmn").text.replace('name="Thẩm định', 'name="Xem xét', 1)
    designer.post(f"{here}/files", here, name="process.bpmn", version="1", content=changed)
    judged: list[Package] = []
    whole = procedures.whole_report
    monkeypatch.setattr(procedures, "whole_report", lambda package, printer: judged.append(package) or whole(package, printer))

    first = designer.get(here).text
    assert judged == []
    assert "Đang kiểm tra" in first
    assert designer.get(f"{here}/report").json is not None
    assert "Đang kiểm tra" not in designer.get(here).text
    assert "Đang kiểm tra" not in designer.get(f"{here}?judge=yes").text
    assert len(judged) == 1


def test_a_file_is_saved_checked_at_its_line_and_restored(designer: Visitor):
    here = begun(designer)
    broken = designer.get(f"{here}/raw/procedure.toml").text.replace('unit = "same_day"', 'unit = "moon"')

    saved = designer.post(f"{here}/files", here, name="procedure.toml", version="1", content=broken)
    page = designer.get(f"{here}/edit/procedure.toml").text

    assert saved.status_code == 303
    assert re.search(r"procedure\.toml:\d+", page)
    assert "điểm phải sửa" in page
    assert re.search(r"<button[^>]*disabled[^>]*>", page), "what the gate refuses is not submitted"
    back = designer.post(f"{here}/restoration", f"{here}/history", number="1")
    assert back.status_code == 303
    assert "Có thể gửi duyệt" in designer.get(here).text


def test_a_colleague_s_save_shows_both_versions_and_nothing_is_lost(designer: Visitor):
    here = begun(designer)
    text = designer.get(f"{here}/raw/{FORM}").text
    designer.post(f"{here}/files", here, name=FORM, version="1", content=text.replace("Kết luận", "Kết luận của họ"))

    met = designer.post(f"{here}/files", here, name=FORM, version="1", content=text.replace("Kết luận", "Kết luận của tôi"))

    assert met.status_code == 409
    assert "của họ" in met.text
    assert "của tôi" in met.text
    assert "Tạ Ngọc Linh" in met.text
    kept = re.search(r'name="version" value="(\d+)"', met.text)
    assert kept is not None
    mine = designer.post(f"{here}/files", here, name=FORM, version=kept[1], content=text.replace("Kết luận", "Kết luận của tôi"))
    assert mine.status_code == 303
    assert "của tôi" in designer.get(f"{here}/raw/{FORM}").text


def test_the_editor_saves_without_a_page_and_hears_of_a_conflict(designer: Visitor):
    here = begun(designer)
    drawn = designer.get(f"{here}/raw/process.bpmn").text

    def send(version: int, content: str) -> Any:
        fields = {"csrf_token": token(designer.get(here).text), "name": "process.bpmn", "version": str(version), "content": content}
        return designer.client.post(f"{here}/files", data=fields, headers={"Accept": "application/json"})

    first = send(1, drawn.replace("Thẩm định, đối chiếu", "Thẩm định và đối chiếu"))
    second = send(1, drawn.replace("Thẩm định, đối chiếu", "Xem xét"))

    assert first.json["version"] == 2
    assert second.status_code == 409
    assert second.json["code"] == "draft.changed_meanwhile"
    report = designer.get(f"{here}/report").json
    assert (report["version"], report["passed"]) == (2, True)


def test_a_rehearsal_goes_step_by_step_and_becomes_a_scenario(designer: Visitor):
    here = begun(designer)
    place = f"{here}/rehearsal"

    def act(page: str, **fields: str) -> Any:
        return designer.post(place, place, moves=moves(page), **fields)

    page = act(designer.get(place).text, kind="step").text
    assert "Thẩm định, đối chiếu bản chính" in page
    wrong = act(page, kind="step", step="examine", **{**ANSWERS, "f.paper_name": ""})
    assert wrong.status_code == 422
    assert "Bằng tốt nghiệp" not in wrong.text or "Trường Mẫu" in wrong.text
    page = act(page, kind="step", step="examine", **ANSWERS).text
    undone = act(page, undo="yes").text
    assert "Hoàn thành: Thẩm định" in undone
    page = act(undone, kind="step", step="examine", **ANSWERS).text
    for step in ("sign", "issue"):
        page = act(page, kind="step", step=step).text
    page = act(page, kind="step", step="return_result", **{"f.receiver": "store"}).text
    assert "đã kết thúc" in page
    kept = designer.post(f"{here}/scenarios", place, moves=moves(page), name="Thử bằng tay")
    assert kept.status_code == 303
    assert "Thử bằng tay" in designer.get(f"{here}/trial").text
    assert load_zip(designer.get(f"{here}/package.zip").data).content_hash


def test_moves_somebody_altered_are_refused_in_a_sentence(designer: Visitor):
    here = begun(designer)

    for altered in ("x", "[1]", json.dumps([["step"]])):
        answer = designer.post(f"{here}/rehearsal", here, moves=altered, kind="step")
        assert answer.status_code == 422
        assert "Không đọc được diễn biến" in answer.text


def test_a_flow_nobody_tried_is_shown_and_excused_with_a_reason(designer: Visitor):
    here = begun(designer)
    text = designer.get(f"{here}/raw/tests/scenarios.toml").text
    one = "\n[[scenario]]".join(text.split("\n[[scenario]]")[:2])
    designer.post(f"{here}/files", here, name="tests/scenarios.toml", version="1", content=one)

    page = designer.get(f"{here}/trial").text
    flow = re.search(r'name="flow" value="([^"]+)"', page)
    assert flow is not None
    empty = designer.post(f"{here}/waivers", f"{here}/trial", flow=flow[1], reason="")
    excused = designer.post(f"{here}/waivers", f"{here}/trial", flow=flow[1], reason="Luồng này đã được thử ở bản trước")

    assert empty.status_code == 422
    assert excused.status_code == 303
    after = designer.get(f"{here}/trial").text
    assert after.count('name="flow"') == page.count('name="flow"') - 1


def test_a_draft_becomes_a_proposal_and_can_be_taken_up_again(designer: Visitor):
    here = begun(designer)
    drawn = designer.get(f"{here}/raw/process.bpmn").text
    designer.post(
        f"{here}/files", here, name="process.bpmn", version="1", content=drawn.replace('"stage_hours" value="3"', '"stage_hours" value="2"')
    )

    sent = designer.post(f"{here}/submission", here)

    assert sent.status_code == 303
    assert "/proposals/" in sent.headers["Location"]
    assert "Đã gửi duyệt" in designer.get(here).text
    again = designer.post(f"{here}/state", here, to="draft")
    assert again.status_code == 303
    assert "Đang soạn" in designer.get(here).text


def test_a_draft_is_begun_from_a_diagram_of_another_editor(designer: Visitor):
    drawn = (ROOT / "bpmn" / "internal_leave" / "process.bpmn").read_bytes()

    begun_ = designer.post("/designer/drafts/upload", "/designer/drafts", file=(io.BytesIO(drawn), "nghi.bpmn"))
    nothing = designer.post("/designer/drafts/upload", "/designer/drafts")

    assert begun_.status_code == 303
    assert designer.get(f"{begun_.headers['Location']}/raw/process.bpmn").data == drawn
    assert nothing.status_code == 422
    assert "Chưa chọn tệp" in nothing.text


def test_a_new_procedure_says_at_its_field_what_is_wrong(designer: Visitor):
    page = designer.post("/designer/drafts", "/designer/drafts", name_vi="Giấy phép", name_en="Permit", code="1.0", key="Có Dấu")

    assert page.status_code == 422
    assert "Khóa chỉ gồm" in page.text
    assert 'value="Giấy phép"' in page.text
    made = designer.post("/designer/drafts", "/designer/drafts", name_vi="Giấy phép", name_en="Permit", code="1.0", key="permit")
    assert made.status_code == 303


def test_others_see_no_drafts(app: Flask, office: Office, designer: Visitor):
    here = begun(designer)
    stranger = signed_in(app, office, "specialist")

    assert stranger.get("/designer/drafts").status_code == 403
    assert stranger.get(here).status_code == 403
    assert stranger.get(f"{here}/package.zip").status_code == 403
