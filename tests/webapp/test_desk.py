"""The desk: what waits for me, drafts, completion and its undo, conflicts between two officers, papers and the whole dossier."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from tests.support.office import Office
from tests.support.visitors import Visitor, signed_in, token

APPROVE = {"f.decision": "approve", "f.paper_name": "Bằng tốt nghiệp", "f.paper_issuer": "Trường Đại học Mẫu", "f.compared": "yes"}


@pytest.fixture
def specialist(app: Flask, office: Office) -> Visitor:
    return signed_in(app, office, "specialist")


def task_of(office: Office, code: str) -> str:
    return f"/desk/tasks/{office.open_task(code).id}"


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def complete(visitor: Visitor, address: str, **fields: Any):
    page = visitor.get(address).text
    own = {name: hidden(page, name) for name in ("request_id", "_version", "_draft_version")}
    return visitor.client.post(f"{address}/completion", data={"csrf_token": token(page), **own, **fields})


def test_my_work_shows_the_least_time_first_and_is_found_without_diacritics(specialist: Visitor, office: Office):
    code = office.receive().code

    page = specialist.get("/desk").text
    assert code in page
    assert "Còn" in page
    assert code in specialist.get("/desk?q=bang+tot+nghiep").text
    assert "Không có việc nào khớp" in specialist.get("/desk?q=khong+co+gi").text


def test_a_poll_without_news_is_answered_with_nothing(specialist: Visitor, office: Office):
    office.receive()
    seen = re.search(r"hx-get=\"([^\"]*seen=[^\"]*)\"", specialist.get("/desk").text)
    assert seen is not None
    address = seen[1].replace("&amp;", "&")

    assert specialist.get(address).status_code == 204

    code = office.receive().code
    news = specialist.get(address)
    assert news.status_code == 200
    assert code in news.text


def test_a_task_is_claimed_released_and_handed_to_a_colleague(specialist: Visitor, app: Flask, office: Office):
    address = task_of(office, office.receive().code)

    assert specialist.post(f"{address}/claim", address).headers["Location"] == address
    assert "Trả về hàng đợi" in specialist.get(address).text
    assert specialist.post(f"{address}/release", address).status_code == 303
    assert "Nhận việc này" in specialist.get(address).text
    specialist.post(f"{address}/claim", address)
    answer = specialist.post(f"{address}/assignee", address, person=str(office.people["colleague"]), note="Nhờ chị xem giúp")
    assert answer.status_code == 303
    assert signed_in(app, office, "colleague").get(address).status_code == 200


def test_the_fields_follow_the_answers_without_script_too(specialist: Visitor, office: Office):
    address = task_of(office, office.receive().code)
    assert "f.paper_name" not in specialist.get(address).text

    shown = specialist.post(f"{address}/fields", address, **{"f.decision": "approve"})
    assert 'name="f.paper_name"' in shown.text
    assert 'name="f.reason"' not in shown.text

    refused = complete(specialist, address, **{"f.decision": "refuse"})
    assert refused.status_code == 422
    assert 'name="f.reason"' in refused.text
    assert 'href="#field-reason"' in refused.text
    assert "Lý do có sẵn" in refused.text


def test_what_is_typed_keeps_itself_and_a_second_device_is_told(specialist: Visitor, office: Office):
    address = task_of(office, office.receive().code)
    page = specialist.get(address).text
    draft = {"csrf_token": token(page), "_draft_version": hidden(page, "_draft_version"), "f.decision": "approve", "f.paper_name": "Học bạ"}

    saved = specialist.client.post(f"{address}/draft", data=draft, headers={"Accept": "application/json"})
    stale = specialist.client.post(f"{address}/draft", data=draft, headers={"Accept": "application/json"})

    assert saved.json is not None
    assert (saved.status_code, saved.json["draft_version"]) == (200, 1)
    assert saved.json["message"] == "Đã lưu lúc 09:00"
    assert stale.status_code == 409
    assert 'value="Học bạ"' in specialist.get(address).text


def test_a_completion_can_be_called_back_and_the_next_task_opens_by_itself(specialist: Visitor, office: Office):
    first, second = office.receive().code, office.receive().code
    for code in (first, second):
        specialist.post(f"{task_of(office, code)}/claim", task_of(office, code))
    address, following = task_of(office, first), task_of(office, second)

    done = complete(specialist, address, **APPROVE)

    assert done.status_code == 303
    assert done.headers["Location"].startswith(f"{following}?done=")
    toast = specialist.get(done.headers["Location"]).text
    assert "Hoàn tác" in toast
    undone = specialist.client.post(f"{address}/undo", data={"csrf_token": token(toast), "request_id": "undo-1"})
    assert undone.headers["Location"] == address
    assert 'value="Bằng tốt nghiệp"' in specialist.get(address).text


def test_of_two_officers_on_one_task_the_second_learns_who_was_faster(specialist: Visitor, app: Flask, office: Office):
    code = office.receive().code
    address = task_of(office, code)
    colleague = signed_in(app, office, "colleague")
    page = colleague.get(address).text
    assert complete(specialist, address, **APPROVE).status_code == 303

    late = colleague.client.post(f"{address}/completion", data={"csrf_token": token(page), "request_id": "late", **APPROVE})

    assert late.status_code == 409
    assert "Phạm Văn Đức" in late.text


def test_a_second_submit_completes_once(specialist: Visitor, office: Office):
    address = task_of(office, office.receive().code)
    page = specialist.get(address).text
    form = {"csrf_token": token(page), "request_id": hidden(page, "request_id"), "_version": hidden(page, "_version"), **APPROVE}

    first, second = (specialist.client.post(f"{address}/completion", data=form) for _ in range(2))

    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]


def test_a_task_says_why_it_is_here_and_a_stranger_does_not_see_it(specialist: Visitor, app: Flask, office: Office):
    code = office.receive().code
    page = specialist.get(task_of(office, code)).text

    assert "Vì sao việc này ở bàn tôi?" in page
    assert "Công chức tư pháp – hộ tịch" in page
    assert signed_in(app, office, "administrator").get(task_of(office, code)).status_code == 403
    assert signed_in(app, office, "administrator").get(f"/desk/dossiers/{code}").status_code == 404


def test_the_dossier_page_tells_where_it_is_and_why_the_date_is_what_it_is(specialist: Visitor, office: Office):
    code = office.receive().code

    page = specialist.get(f"/desk/dossiers/{code}").text

    assert "Vì sao hạn là ngày này?" in page
    assert "Tính từng ngày" in page
    assert '"now":' in page
    assert specialist.get(f"/desk/dossiers/{code}/diagram.bpmn").text.lstrip().startswith("<?xml")
    assert "Tiếp nhận hồ sơ" in page


def test_papers_are_shown_as_pictures_and_taken_away_as_files(specialist: Visitor, app: Flask, office: Office):
    code = office.receive().code
    page = specialist.get(task_of(office, code)).text
    picture = re.search(r'src="(/desk/files/[0-9a-f-]+/pages/1)"', page)
    assert picture is not None

    shown = specialist.get(picture[1])
    assert shown.data[:3] == b"\xff\xd8\xff"
    taken = specialist.get(picture[1].removesuffix("/pages/1"))
    assert taken.data[:5] == b"%PDF-"
    assert taken.headers["Content-Disposition"].startswith("attachment")
    assert taken.headers["Content-Security-Policy"].startswith("sandbox")
    assert specialist.get(picture[1].replace("/pages/1", "/pages/99")).status_code == 404
    assert signed_in(app, office, "administrator").get(picture[1]).status_code in (403, 404)


def test_a_leader_sends_back_with_a_reason_to_whom_it_concerns(specialist: Visitor, app: Flask, office: Office):
    code = office.receive().code
    complete(specialist, task_of(office, code), **APPROVE)
    head, address = signed_in(app, office, "head"), task_of(office, code)
    head.post(f"{address}/claim", "/account")

    step = re.search(r'name="step" id="[^"]*" value="([^"]+)"', head.get(address.replace("/desk/tasks", "/signing")).text)
    form = {"step": step[1] if step else "", "reason": "Tên giấy tờ chưa đúng"}
    answer = head.post(f"{address}/send-back", "/account", **form)

    assert answer.status_code == 303, answer.text
    back = specialist.get(task_of(office, code)).text
    assert "Tên giấy tờ chưa đúng" in back
    assert 'value="Bằng tốt nghiệp"' in back


def test_an_internal_procedure_is_started_for_oneself(specialist: Visitor, office: Office):
    page = specialist.get("/desk/internal").text
    address = re.search(r'href="(/desk/internal/[a-z_]+)"', page)
    assert address is not None

    empty = specialist.post(address[1], address[1])
    assert empty.status_code == 422
    assert "error-summary" in empty.text
