"""The designer: a diagram drawn elsewhere is examined, told in words, published; the next dossier follows it, yesterday's does not."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from engine.procedure.loader import load_folder, load_zip, to_zip
from engine.settings import ROOT
from tests.procedures.packages import with_head
from tests.support.office import Office
from tests.support.visitors import Visitor, signed_in, token

KEY = "certified_electronic_copy"
PAGE = f"/designer/{KEY}"
DRAWN = Path(__file__).parents[1] / "procedures" / "with_division_head" / "process.bpmn"
APPROVE = {"decision": "approve", "paper_name": "Bằng tốt nghiệp", "paper_issuer": "Trường Đại học Mẫu", "compared": "true"}
BASIS = "Quyết định số 12/QĐ-UBND ngày 20/11/2026"


def diagram() -> bytes:
    return (ROOT / "bpmn" / KEY / "process.bpmn").read_bytes()


def upload(designer: Visitor, content: bytes, name: str = "process.bpmn", *, page: str = PAGE) -> Any:
    return designer.post(f"{page}/examination", page, file=(io.BytesIO(content), name))


def test_the_list_says_what_is_in_force_and_how_many_run(office: Office, designer: Visitor):
    office.receive()

    page = designer.get("/designer").text

    assert "Chứng thực bản sao điện tử từ bản chính" in page
    assert "2.000815" in page
    assert re.search(r'data-label="Đang chạy">1<', page)


def test_a_version_is_drawn_told_in_words_and_taken_away_whole(designer: Visitor):
    page = designer.get(PAGE).text
    found = re.search(r'href="([^"]+package\.zip)"', page)
    assert found is not None

    taken = designer.get(found[1])
    drawn = designer.get(found[1].replace("package.zip", "diagram.bpmn"))

    assert "Thẩm định, đối chiếu bản chính. Người thực hiện: Công chức tư pháp" in page
    assert load_zip(taken.data).content_hash == load_folder(ROOT / "bpmn" / KEY).content_hash
    assert drawn.data == diagram()
    assert "sandbox" in drawn.headers["Content-Security-Policy"]


def test_a_new_step_is_told_in_words_published_and_taken_by_the_next_dossier_only(office: Office, designer: Visitor, approver: Visitor):
    before = office.receive()

    examined = upload(designer, to_zip(with_head()), "goi.zip")
    assert examined.status_code == 303, examined.text
    address = examined.headers["Location"]
    page = designer.get(address)
    published = approver.post(address, address, effective_from="23/11/2026", legal_basis=BASIS)
    after = office.receive()
    for received in (before, after):
        office.complete("specialist", received.code, APPROVE)

    assert "Trưởng phòng" in page.text
    assert "Khác phiên bản 1" in page.text
    assert published.status_code == 303
    assert "phiên bản 2" in designer.get(PAGE).text
    assert office.open_task(before.code).action == "sign"
    assert office.open_task(after.code).action == "form"
    assert "Trưởng phòng" in office.open_task(after.code).name["vi"]


def test_a_broken_diagram_is_refused_with_every_finding_element_and_place(designer: Visitor):
    broken = re.sub(rb'<bpmn:sequenceFlow id="[^"]+" sourceRef="examine"[^>]*/>', b"", diagram())
    assert broken != diagram()

    answer = upload(designer, broken)

    assert answer.status_code == 422
    assert "Chưa thể công bố" in answer.text
    assert re.search(r"process\.bpmn:\d+ · x=\d+, y=\d+", answer.text)
    assert '"refused"' in answer.text
    assert "phiên bản 2" not in designer.get(PAGE).text


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"not xml at all", "x.bpmn"), (b"PK\x03\x04 broken", "x.zip"), (b'<!DOCTYPE x [<!ENTITY a "b">]><x/>', "x.bpmn")],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(designer: Visitor, content: bytes, name: str):
    answer = upload(designer, content, name)

    assert answer.status_code == 422
    assert "Phải sửa" in answer.text


def test_no_file_is_said_at_the_field(designer: Visitor):
    answer = designer.post(f"{PAGE}/examination", PAGE)

    assert answer.status_code == 422
    assert "Chưa chọn tệp" in answer.text


def test_publication_takes_a_second_person(office: Office, designer: Visitor, approver: Visitor):
    address = upload(designer, to_zip(with_head()), "goi.zip").headers["Location"]
    form = {"effective_from": "23/11/2026", "legal_basis": BASIS}

    own = designer.post(address, address, **form)
    listed = approver.get("/designer").text
    without_reason = approver.post(f"{address}/rejection", address, reason="")
    rejected = approver.post(f"{address}/rejection", address, reason="Thiếu bước văn thư")
    after_rejection = approver.post(address, address, **form)
    again = upload(designer, to_zip(with_head()), "goi.zip")

    assert own.status_code == 422
    assert "Người gửi duyệt không tự công bố" in own.text
    assert "Chờ người thứ hai duyệt" in listed
    assert "Tạ Ngọc Linh" in listed
    assert without_reason.status_code == 422
    assert rejected.status_code == 303
    assert after_rejection.status_code == 422
    assert "Thiếu bước văn thư" not in designer.get(again.headers["Location"]).text, "put forward anew"
    assert approver.post(address, address, **form).status_code == 303


def test_scenarios_that_fail_and_flows_nobody_tried_stand_in_the_list_and_nothing_passes_them_over(designer: Visitor, approver: Visitor):
    address = upload(designer, DRAWN.read_bytes()).headers["Location"]

    page = approver.get(address).text
    pressed = approver.post(address, PAGE, effective_from="23/11/2026", legal_basis=BASIS, untested_because="gấp")

    assert "Chưa công bố được: mọi kịch bản phải đạt" in page
    assert page.count('<li class="refused"') >= 2
    assert re.search(r"tests/scenarios\.toml:\d+", page)
    assert "Ngày hiệu lực" not in page, "there is no form to press"
    assert pressed.status_code == 422
    assert "phiên bản 2" not in designer.get(PAGE).text


def test_publication_wants_its_basis_and_a_day_that_exists(designer: Visitor, approver: Visitor):
    address = upload(designer, to_zip(with_head()), "goi.zip").headers["Location"]

    nothing = approver.post(address, address, effective_from="23/11/2026", legal_basis="")
    no_day = approver.post(address, address, effective_from="31/02/2027", legal_basis=BASIS)

    assert nothing.status_code == 422
    assert "Chưa ghi căn cứ" in nothing.text
    assert no_day.status_code == 422
    assert 'id="field-effective-from-error"' in no_day.text


def test_a_whole_package_as_zip_makes_a_new_procedure(designer: Visitor, approver: Visitor):
    template = load_folder(ROOT / "bpmn" / "_template")

    examined = upload(designer, to_zip(template), "goi.zip", page="/designer")

    assert examined.status_code == 303, examined.text
    address = examined.headers["Location"]
    assert "Công bố lần đầu" in designer.get(address).text
    assert approver.post(address, address, effective_from="23/11/2026", legal_basis=BASIS).status_code == 303
    assert template.name.vi in designer.get("/designer").text


def test_two_versions_are_compared_in_words(designer: Visitor, approver: Visitor):
    address = upload(designer, to_zip(with_head()), "goi.zip").headers["Location"]
    approver.post(address, address, effective_from="23/11/2026", legal_basis=BASIS)

    page = designer.get(f"{PAGE}/compare").text

    assert "Trưởng phòng" in page
    assert "Phiên bản 1" in page


def test_only_designers_enter(office: Office, app: Flask):
    clerk = signed_in(app, office, "clerk")

    assert clerk.get("/designer").status_code == 403
    assert "/designer" not in clerk.get("/desk").text
    refused = clerk.client.post(f"{PAGE}/examination", data={"csrf_token": token(clerk.get("/desk").text)})
    assert refused.status_code == 403
