"""The counter: one scan fills the person, refused files say why, everything stays when a field is wrong, the receipt comes at once."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from tests.support.office import Office, scan
from tests.support.visitors import Visitor, signed_in, token

CARD = "001190012345|012345678|Nguyễn Thị Mai|17051990|Nữ|12 phố Huế, phường Mẫu|01072021"
OWNER = {"owner.name": "Nguyễn Thị Mai", "owner.identity": "001190012345", "owner.birth": "17/05/1990", "owner.sex": "female"}


@pytest.fixture
def counter(app: Flask, office: Office) -> Visitor:
    return signed_in(app, office, "reception")


@pytest.fixture
def intake(counter: Visitor) -> str:
    """The address of the reception of the first procedure offered."""
    found = re.search(r'href="(/counter/intake/[a-z_]+)"', counter.get("/counter").text)
    assert found is not None
    return found[1]


def send(counter: Visitor, address: str, page: str, files: dict[str, tuple[bytes, str]] | None = None, **fields: Any):
    """Send the reception's form with everything the page carries."""
    own = {name: value for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page) if name != "csrf_token"}
    uploads = {name: (BytesIO(content), shown) for name, (content, shown) in (files or {}).items()}
    unit = re.search(r'<option value="([0-9a-f-]{36})"[^>]* selected', page)
    given = {"csrf_token": token(page), **own, "deciding_unit": unit[1] if unit else "", **fields, **uploads}
    return counter.client.post(address, data=given, content_type="multipart/form-data")


def test_one_scan_of_the_card_fills_the_person(counter: Visitor, intake: str):
    filled = send(counter, f"{intake}/card", counter.get(intake).text, card=CARD)

    assert filled.status_code == 200
    for value in ("Nguyễn Thị Mai", "001190012345", "17/05/1990", "12 phố Huế, phường Mẫu"):
        assert f'value="{value}"' in filled.text
    assert '<option value="female" selected>' in filled.text


def test_a_code_that_is_no_card_is_refused_at_the_scan_field(counter: Visitor, intake: str):
    refused = send(counter, f"{intake}/card", counter.get(intake).text, card="http://example.org")

    assert refused.status_code == 422
    assert "field-card-error" in refused.text


def test_a_dossier_is_received_with_fee_and_receipt(counter: Visitor, intake: str, office: Office):
    page = counter.get(intake).text
    assert "Hẹn trả kết quả" in page
    uploaded = send(counter, f"{intake}/papers", page, {"file.original": (scan(3), "ban chinh.pdf")}, **OWNER)
    assert "3 trang" in uploaded.text
    assert re.search(r"\d đ</strong>", uploaded.text)

    done = send(counter, intake, uploaded.text, **OWNER, components="original", paid="cash")

    assert done.status_code == 303, done.text
    shown = counter.get(done.headers["Location"]).text
    assert "Mở biên nhận để in" in shown
    assert "đã thu" in shown
    receipt = re.search(r'href="(/desk/documents/[0-9a-f-]+\.pdf\?view=1)"', shown)
    assert receipt is not None
    pdf = counter.get(receipt[1])
    assert pdf.data[:5] == b"%PDF-"
    assert "inline" in pdf.headers["Content-Disposition"]


def test_a_wrong_field_loses_neither_files_nor_words(counter: Visitor, intake: str):
    wrong = {**OWNER, "owner.identity": "12345", "owner.birth": "31/02/1990"}

    refused = send(counter, intake, counter.get(intake).text, {"file.original": (scan(2), "ban chinh.pdf")}, **wrong, components="original")

    assert refused.status_code == 422
    assert "2 trang" in refused.text
    assert 'value="Nguyễn Thị Mai"' in refused.text
    assert "field-owner-birth-error" in refused.text
    again = send(counter, intake, refused.text, **{**wrong, "owner.birth": "17/05/1990"}, components="original")
    assert "field-owner-identity-error" in again.text
    assert send(counter, intake, again.text, **OWNER, components="original").status_code == 303


def test_a_file_that_is_no_paper_is_refused_at_its_component(counter: Visitor, intake: str):
    page = counter.get(intake).text
    for content, name in ((b"", "rong.pdf"), (b"hello", "thu.txt"), (b"%PDF-1.7 broken", "hong.pdf")):
        refused = send(counter, f"{intake}/papers", page, {"file.original": (content, name)}, **OWNER)
        assert refused.status_code == 422, name
        assert "field-component-original-error" in refused.text


def test_the_same_file_chosen_twice_is_kept_once(counter: Visitor, intake: str):
    paper = {"file.original": (scan(2), "a.pdf")}
    first = send(counter, f"{intake}/papers", counter.get(intake).text, paper)
    second = send(counter, f"{intake}/papers", first.text, paper)

    assert second.text.count("Bỏ tệp này") == 1


def test_one_box_finds_by_code_receipt_card_number_and_name(counter: Visitor, office: Office):
    code = office.receive().code
    for text in (code, f"http://localhost:8000/tra-cuu/{code}", CARD, "001190012345", "nguyen thi mai"):
        answer = counter.post("/counter/look-up", "/counter", q=text)
        assert answer.headers.get("Location") == f"/counter/dossiers/{code}", text
    assert "Không tìm thấy" in counter.post("/counter/look-up", "/counter", q="001190099999").text


def test_the_day_at_the_counter_can_be_listed_and_handed_over(counter: Visitor, office: Office):
    code = office.receive().code

    assert code in counter.get("/counter").text
    assert code in counter.get("/counter/handover").text
    assert "Ngày này chưa giao hồ sơ nào" in counter.get("/counter/handover?day=01/11/2026").text


def test_fees_are_taken_once(counter: Visitor, office: Office):
    code = office.receive(paid=None).code
    address = f"/counter/dossiers/{code}"

    assert counter.post(f"{address}/payment", address, method="cash", request_id="pay-1").status_code == 303
    assert "đã thu" in counter.get(address).text
    assert counter.post(f"{address}/payment", address, method="cash", request_id="pay-2").status_code == 409


def test_a_withdrawal_says_what_it_means_and_needs_a_reason(counter: Visitor, office: Office):
    code = office.receive().code
    address = f"/counter/dossiers/{code}/withdrawal"
    assert "không mở lại được" in counter.get(address).text

    assert counter.post(address, address, reason="").status_code == 422
    assert counter.post(address, address, reason="Không còn nhu cầu").status_code == 303
    assert "Đã rút" in counter.get(f"/counter/dossiers/{code}").text
