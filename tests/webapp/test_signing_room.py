"""The signing room: the bytes shown are the bytes signed, one PIN for many, failures by name, nothing lost."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from engine.commands import ceremony
from engine.commands import tasks as commands
from engine.documents.model import SigningKey
from engine.documents.signature import SigningOffice, SupervisedTimeStamps
from engine.kernel.unit_of_work import Actor
from signing.authorities import Authorities
from signing.custody import Custody, seal_pin
from signing.testpki import TestPki
from signing.tsa import in_process
from tests.support.office import PINS, Office
from tests.support.visitors import Visitor, signed_in
from webapp import create_app

APPROVE = {"decision": "approve", "paper_name": "Bằng tốt nghiệp", "paper_issuer": "Trường Đại học Mẫu", "compared": "true"}


@pytest.fixture
def app(office: Office, custody: Custody) -> Flask:
    return create_app(office.runtime)


def waiting(office: Office, count: int = 1) -> list[str]:
    """Dossiers whose result waits for the leader."""
    codes = []
    for _ in range(count):
        received = office.receive()
        office.complete("specialist", received.code, APPROVE)
        codes.append(received.code)
    return codes


def sealed(visitor: Visitor, pin: str) -> str:
    told = visitor.get("/signing/invitation").json
    return seal_pin(told["public_key"], told["nonce"], pin)


def hidden(page: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="([^"]+)"', page)


def sign(visitor: Visitor, address: str, pin: str) -> Any:
    page = visitor.get(address).text
    return visitor.client.post(
        address,
        data={
            "csrf_token": hidden(page, "csrf_token")[0],
            "request": hidden(page, "request"),
            "task": hidden(page, "task"),
            "sealed_pin": sealed(visitor, pin),
        },
    )


def break_timestamps(office: Office, *, skew: timedelta) -> None:
    """Let the time-stamping authority's clock stand apart from the office's."""
    authorities = Authorities(TestPki(office.runtime.settings.home / "pki"))
    offered = office.runtime.part(SigningOffice)
    stamps = in_process(authorities.timestamp, lambda: office.clock.at + skew)
    office.runtime.parts.offer(SigningOffice, lambda: replace(offered, timestamps=stamps))


def test_the_room_says_how_many_wait_who_prepared_and_what_changed(office: Office, head: Visitor):
    codes = waiting(office, 2)

    page = head.get("/signing").text

    assert all(code in page for code in codes)
    assert "Phạm Văn Đức" in page
    assert "Chưa xem lần nào" in page
    assert re.search(r'Phòng ký <span class="count">2</span>', page)


def test_the_pages_shown_are_those_of_the_prepared_bytes_and_signing_them_moves_on(office: Office, head: Visitor):
    (code,) = waiting(office)
    address = f"/signing/{office.open_task(code).id}"

    page = head.get(address).text
    request = hidden(page, "request")[0]
    picture = head.get(f"/signing/requests/{request}/pages/1")
    done = sign(head, address, PINS["head"])

    assert picture.mimetype == "image/jpeg"
    assert "Mã đối chiếu" in page
    assert f"/signing/requests/{request}/pages/1" in page
    assert hidden(head.get(address).text, "request") == []
    assert done.status_code == 303
    assert office.open_task(code).action == "issue"


def test_looking_twice_shows_the_same_preparation(office: Office, head: Visitor):
    (code,) = waiting(office)
    address = f"/signing/{office.open_task(code).id}"

    assert hidden(head.get(address).text, "request") == hidden(head.get(address).text, "request")


def test_a_wrong_pin_says_the_tries_left_at_the_field_and_the_third_locks(office: Office, head: Visitor):
    (code,) = waiting(office)
    address = f"/signing/{office.open_task(code).id}"

    answers = [sign(head, address, "000000") for _ in range(3)]
    last = sign(head, address, PINS["head"])

    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert "Còn 2 lần thử" in answers[0].text
    assert 'id="field-pin-error"' in answers[0].text
    assert "Khóa ký đã bị khóa" in last.text
    assert office.open_task(code).action == "sign"


def test_a_form_without_a_pin_is_shown_again(office: Office, head: Visitor):
    (code,) = waiting(office)
    address = f"/signing/{office.open_task(code).id}"

    answer = head.post(address, address, request=hidden(head.get(address).text, "request")[0])

    assert answer.status_code == 422
    assert "Chưa nhập mã PIN" in answer.text


def test_a_preparation_that_grew_old_is_prepared_again_and_not_signed_unseen(office: Office, head: Visitor):
    (code,) = waiting(office)
    address = f"/signing/{office.open_task(code).id}"
    old = hidden(head.get(address).text, "request")[0]
    office.set_clock(office.clock.at + timedelta(minutes=45))

    answer = head.post(address, "/signing", request=old, sealed_pin=sealed(head, PINS["head"]))

    assert answer.status_code == 422
    assert "Lần chuẩn bị ký đã hết hiệu lực" in answer.text
    assert hidden(answer.text, "request") != [old]
    assert office.open_task(code).action == "sign"


def worker(office: Office) -> None:
    """The worker comes by some minutes later."""
    office.clock.at += timedelta(minutes=5)
    ceremony.carry_on(lambda: office.runtime.begin(Actor("system", label="worker")))


def test_clock_skew_keeps_the_signature_and_says_what_it_waits_for(office: Office, head: Visitor):
    (code,) = waiting(office)
    break_timestamps(office, skew=timedelta(hours=2))

    answer = sign(head, f"/signing/{office.open_task(code).id}", PINS["head"])

    assert answer.status_code == 303
    listed = head.get("/signing").text
    assert "Đồng hồ hệ thống lệch" in listed
    assert "Đang hoàn tất chữ ký" in listed
    assert "đang hoàn tất" in head.get(f"/signing/{office.open_task(code).id}").text
    assert office.open_task(code).action == "sign"


def test_a_time_stamping_authority_that_is_down_loses_nothing(office: Office, head: Visitor):
    (code,) = waiting(office)
    address = f"/signing/{office.open_task(code).id}"
    answering = office.runtime.part(SigningOffice)
    office.runtime.parts.offer(SigningOffice, lambda: replace(answering, timestamps=SupervisedTimeStamps(Path("nowhere"))))

    waits = sign(head, address, PINS["head"])
    assert waits.status_code == 303
    assert "Dịch vụ dấu thời gian chưa trả lời" in head.get("/signing").text
    assert office.open_task(code).action == "sign"
    office.runtime.parts.offer(SigningOffice, lambda: answering)
    worker(office)

    assert office.open_task(code).action == "issue"


def test_several_are_signed_with_one_pin_and_failures_are_left_by_name(office: Office, head: Visitor, app: Flask):
    codes = waiting(office, 3)
    tasks = [str(office.open_task(code).id) for code in codes]
    address = "/signing/batch?" + "&".join(f"task={task}" for task in tasks)
    page = head.get(address).text
    assert len(hidden(page, "request")) == 3
    faster = office.open_task(codes[1])
    with office.as_("deputy") as w:
        commands.send_back(w, faster.id, "examine", "Thiếu dấu giáp lai.")

    done = head.client.post(
        "/signing/batch",
        data={
            "csrf_token": hidden(page, "csrf_token")[0],
            "task": tasks,
            "request": hidden(page, "request"),
            "sealed_pin": sealed(head, PINS["head"]),
        },
        follow_redirects=True,
    )

    assert done.status_code == 200
    assert "Đã ký 2 văn bản" in done.text
    assert "1 văn bản chưa ký được" in done.text
    assert "Người khác đã xử lý" in done.text
    assert [office.open_task(code).action for code in codes] == ["issue", "form", "issue"]


def test_what_waits_for_a_time_stamp_is_not_signed_again(office: Office, head: Visitor):
    codes = waiting(office, 2)
    tasks = [str(office.open_task(code).id) for code in codes]
    address = "/signing/batch?" + "&".join(f"task={task}" for task in tasks)
    break_timestamps(office, skew=timedelta(hours=2))
    page = head.get(address).text
    fields = {"csrf_token": hidden(page, "csrf_token")[0], "task": tasks, "request": hidden(page, "request")}

    waits = head.client.post("/signing/batch", data={**fields, "sealed_pin": sealed(head, PINS["head"])}, follow_redirects=True)
    again = head.client.post("/signing/batch", data={**fields, "sealed_pin": sealed(head, PINS["head"])}, follow_redirects=True)
    break_timestamps(office, skew=timedelta())
    worker(office)

    assert "Đang hoàn tất" in waits.text
    assert "Đồng hồ hệ thống lệch 7200" in unescape(waits.text)
    assert hidden(again.text, "request") == [], "a second submit signs nothing again"
    assert head.get(address).text.count("Đã ký") >= 2
    assert [office.open_task(code).action for code in codes] == ["issue", "issue"]


def test_sent_back_drafted_again_and_the_leader_reads_what_changed(office: Office, head: Visitor):
    (code,) = waiting(office)
    address = f"/signing/{office.open_task(code).id}"
    page = head.get(address).text
    step = re.search(r'name="step"[^>]*value="([^"]+)"', page)
    assert step is not None
    nothing = head.post(f"{address}/send-back", address, step=step[1], reason="")
    sent = head.post(f"{address}/send-back", address, step=step[1], reason="Sửa tên cơ sở cấp.")
    office.complete("specialist", code, {**APPROVE, "paper_issuer": "Học viện Mẫu"})

    listing, again = head.get("/signing").text, head.get(f"/signing/{office.open_task(code).id}").text

    assert nothing.status_code == 422
    assert sent.status_code == 303
    assert "chỗ thay đổi" in listing
    assert "Thay đổi từ lần anh/chị xem trước" in again
    assert "Học viện Mẫu" in again


def test_somebody_without_a_key_reads_why_and_can_hand_over(office: Office, app: Flask, custody: Custody):
    (code,) = waiting(office)
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        w.session.execute(update(SigningKey).where(SigningKey.reference == "deputy").values(revoked_at=w.now - timedelta(days=1)))
    deputy = signed_in(app, office, "deputy")
    address = f"/signing/{office.open_task(code).id}"

    page = deputy.get(address)
    handed = deputy.post(f"{address}/assignee", address, person=str(office.people["head"]))

    assert page.status_code == 200
    assert "Chưa có khóa ký còn hiệu lực" in page.text
    assert hidden(page.text, "request") == []
    assert handed.status_code == 303
    assert office.open_task(code).assignee_id == office.people["head"]


def test_two_leaders_on_one_document_see_each_other_and_the_faster_one_signs(office: Office, head: Visitor, app: Flask):
    (code,) = waiting(office)
    address = f"/signing/{office.open_task(code).id}"
    mine = hidden(head.get(address).text, "request")[0]
    deputy = signed_in(app, office, "deputy")

    seen = deputy.get(address).text
    late = head.post(address, "/signing", request=mine, sealed_pin=sealed(head, PINS["head"]))
    done = sign(deputy, address, PINS["deputy"])

    assert "Lê Hoàng Nam" in seen
    assert "đã mở văn bản này để ký" in seen
    assert late.status_code == 422
    assert hidden(late.text, "request") != [mine]
    assert done.status_code == 303
    assert office.open_task(code).action == "issue"


def test_people_without_a_signing_step_are_kept_out(office: Office, app: Flask):
    (code,) = waiting(office)
    clerk = signed_in(app, office, "reception")

    assert clerk.get(f"/signing/{office.open_task(code).id}/").status_code == 404
    assert "Phòng ký" not in clerk.get("/desk").text
    assert clerk.get("/signing").status_code == 200
