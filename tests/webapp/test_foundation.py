"""The web's own promises: signing in, one answer for one request, honest refusals, headers, languages, lists to take away."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

from flask import Flask
from sqlalchemy import func, select

from engine.accounts.administration import create_account
from engine.accounts.model import Account
from engine.commands import organisation
from engine.kernel.incidents import open_incident
from engine.kernel.unit_of_work import Actor
from engine.organisation.model import Delegation, OrgUnit, Person
from tests.support.office import SINCE, Office
from tests.support.visitors import PASSWORD, Visitor, account_of, signed_in, token
from webapp import create_app
from webapp.rendering.formats import duration, money, remaining_time
from webapp.rendering.lists import harmless


def try_password(app: Flask, password: str, name: str = "head@mau.example"):
    return Visitor(app.test_client()).post("/login", "/login", name=name, password=password)


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(app: Flask, office: Office):
    account_of(office, "head")

    wrong, unknown = try_password(app, "sai mat khau"), try_password(app, "sai mat khau", "khong.co@mau.example")

    assert wrong.status_code == unknown.status_code == 422
    told = [re.search(r'id="field-password-error">.*?</div>', answer.text, re.DOTALL) for answer in (wrong, unknown)]
    assert told[0] is not None
    assert told[1] is not None
    assert told[0][0] == told[1][0]


def test_after_five_wrong_passwords_even_the_right_one_has_to_wait(app: Flask, office: Office):
    account_of(office, "head")
    for _ in range(6):
        try_password(app, "sai mat khau")

    assert try_password(app, PASSWORD).status_code == 422

    office.set_clock(office.clock.at + timedelta(minutes=2))
    assert try_password(app, PASSWORD).status_code == 303


def test_a_password_is_the_same_however_the_keyboard_composes_its_letters(app: Flask, office: Office):
    import unicodedata

    from engine.accounts.administration import hash_password

    with office.runtime.begin(Actor("cli")) as w:
        create_account(w, "nfc@mau.example", "NFC", password_hash=hash_password("mật khẩu đủ dài"))

    assert try_password(app, unicodedata.normalize("NFD", "mật khẩu đủ dài"), "nfc@mau.example").status_code == 303


def test_the_second_factor_is_asked_for_once_it_is_on(app: Flask, office: Office):
    visitor = signed_in(app, office, "head")
    visitor.get("/account")
    with app.app_context(), visitor.client.session_transaction() as kept:
        secret = kept["new_totp"]
        code = app.extensions["security"]._totp_factory.generate_totp_password(secret)
    assert visitor.post("/account/totp", "/account", code=code).status_code == 303

    again = Visitor(app.test_client())
    answer = again.post("/login", "/login", name="head@mau.example", password=PASSWORD)
    assert answer.headers["Location"].startswith("/login/code")
    assert again.get("/desk").status_code == 303
    assert again.post("/login/code", "/login/code", code="000000").status_code == 422
    with app.app_context():
        code = app.extensions["security"]._totp_factory.generate_totp_password(secret)
    assert again.post("/login/code", "/login/code", code=code).status_code == 303
    assert again.get("/desk").status_code == 200


def test_one_click_sign_in_exists_only_in_demo_mode(app: Flask, office: Office):
    number = account_of(office, "head")
    with office.runtime.begin(Actor("cli")) as w:
        account = w.session.get(Account, number)
        assert account is not None
        account.demo = True

    assert "Tài khoản dùng thử" not in app.test_client().get("/login").text
    assert Visitor(app.test_client()).post("/login/demo", "/login", account=number).status_code == 404

    office.runtime.settings = replace(office.runtime.settings, demo=True)
    demo = create_app(office.runtime)
    assert "Tài khoản dùng thử" in demo.test_client().get("/login").text
    assert Visitor(demo.test_client()).post("/login/demo", "/login", account=number).status_code == 303


def test_nobody_is_sent_to_another_site_after_signing_in(app: Flask, office: Office):
    account_of(office, "head")
    for target in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"):
        answer = Visitor(app.test_client()).post("/login", "/login", name="head@mau.example", password=PASSWORD, next=target)
        assert answer.headers["Location"] == "/desk"


def test_a_first_password_must_be_changed_before_anything_else(app: Flask, office: Office):
    number = account_of(office, "head")
    with office.runtime.begin(Actor("cli")) as w:
        account = w.session.get(Account, number)
        assert account is not None
        account.must_change_password = True
    visitor = signed_in(app, office, "head")
    assert visitor.get("/desk").headers["Location"] == "/account/password"

    fresh = "mot mat khau khac"
    assert visitor.post("/account/password", "/account/password", current=PASSWORD, fresh="ngan", again="ngan").status_code == 422
    assert visitor.post("/account/password", "/account/password", current=PASSWORD, fresh=fresh, again=fresh).status_code == 303
    assert visitor.get("/desk").status_code == 200
    assert try_password(app, fresh).status_code == 303


def test_a_form_sent_twice_happens_once_and_is_answered_twice(app: Flask, office: Office):
    administrator = signed_in(app, office, "administrator")
    form = {"full_name": "Phan Văn Mới", "request_id": "sent-twice"}

    first = administrator.post("/admin/people", "/admin/people", **form)
    second = administrator.post("/admin/people", "/admin/people", **form)

    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    with office.runtime.begin(Actor("cli")) as w:
        assert w.session.scalar(select(func.count()).select_from(Person).where(Person.full_name == "Phan Văn Mới")) == 1


def test_a_refusal_shows_the_form_again_with_what_was_typed_and_the_reason_at_its_field(app: Flask, office: Office):
    administrator = signed_in(app, office, "administrator")

    refused = administrator.post("/admin/units", "/admin/units", name="Phòng Mới Nữa", level="no such level", agency_code="H99.9")
    assert refused.status_code == 422
    assert 'href="#field-level"' in refused.text
    assert 'value="Phòng Mới Nữa"' in refused.text
    assert "<title>Lỗi:" in refused.text
    with office.runtime.begin(Actor("cli")) as w:
        assert w.session.scalar(select(OrgUnit.id).where(OrgUnit.name == "Phòng Mới Nữa")) is None


def test_a_form_without_our_token_changes_nothing(app: Flask, office: Office):
    visitor = signed_in(app, office, "administrator")

    answer = visitor.client.post("/admin/people", data={"full_name": "Ai Đó"})

    assert answer.status_code == 400
    assert "Biểu mẫu đã hết hạn" in answer.text


def test_pages_of_other_roles_are_forbidden_and_unknown_ones_not_found(app: Flask, office: Office):
    specialist = signed_in(app, office, "specialist")

    assert specialist.get("/admin/people").status_code == 403
    assert specialist.get("/counter").status_code == 403
    assert specialist.get("/no/such/page").status_code == 404
    assert app.test_client().get("/desk").headers["Location"].startswith("/login?next=/desk")


def test_our_own_mistake_gets_an_incident_number_and_says_no_more(app: Flask, office: Office):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/broken", "broken", lambda: 1 / 0)

    answer = app.test_client().get("/broken")

    assert answer.status_code == 500
    assert re.search(r"Số sự cố: [0-9A-F]{8}", answer.text)
    assert "ZeroDivisionError" not in answer.text


def test_every_answer_carries_the_policy_and_no_page_is_kept(app: Flask, office: Office):
    answer = signed_in(app, office, "head").get("/desk")

    policy = answer.headers["Content-Security-Policy"]
    wanted = [
        "default-src 'self'",
        "style-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ]
    assert [part for part in wanted if f" {part};" not in f" {policy};"] == []
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in answer.headers
    secure = app.test_client().get("/login", base_url="https://motcua.example")
    assert secure.headers["Strict-Transport-Security"]
    assert "Secure" in secure.headers["Set-Cookie"]


def test_what_a_page_fetches_beside_itself_does_not_put_the_session_back(app: Flask, office: Office):
    """A late answer to a question about progress must not wipe out what the answer to the form has just put into the session."""
    head = signed_in(app, office, "head")

    page, words = head.get("/desk"), head.get("/signing/batch/progress")
    beside = head.get("/desk", headers={"Sec-Fetch-Mode": "cors"})

    assert [answer.status_code for answer in (page, words, beside)] == [200, 200, 200]
    assert [answer.headers.get("Set-Cookie", "").startswith("motcua=") for answer in (page, words, beside)] == [True, False, False]


def test_the_language_is_kept_in_a_cookie_and_changes_every_word(app: Flask, office: Office):
    visitor = signed_in(app, office, "specialist")
    assert 'lang="vi"' in visitor.get("/desk").text

    assert visitor.post("/language", "/desk", language="en", back="/desk").headers["Location"] == "/desk"

    page = visitor.get("/desk").text
    assert 'lang="en"' in page
    assert "My work" in page
    assert "Việc của tôi" not in page
    assert visitor.post("/language", "/desk", language="xx", back="//elsewhere.example").headers["Location"] == "/"


def test_lists_are_taken_away_as_csv_for_excel_and_as_xlsx(app: Flask, office: Office):
    administrator = signed_in(app, office, "administrator")

    csv = administrator.get("/admin/people?export=csv")
    assert csv.data.startswith(b"\xef\xbb\xbf")
    assert "Họ và tên;Vị trí công tác" in csv.text
    xlsx = administrator.get("/admin/people?q=Lan&export=xlsx")
    with ZipFile(BytesIO(xlsx.data)) as book:
        assert any("Bùi Thị Lan" in book.read(name).decode() for name in book.namelist())
    assert [harmless(cell) for cell in ("=1+1", "+84", "-2", "@x", "an toàn", 5)] == ["'=1+1", "'+84", "'-2", "'@x", "an toàn", 5]


def test_time_left_is_said_in_words_with_a_picture(app: Flask):
    with app.test_request_context():
        assert remaining_time(timedelta(hours=-17)).words == "Quá hạn 2 ngày 1 giờ"
        assert (remaining_time(timedelta(hours=4)).icon, remaining_time(timedelta(hours=4)).words) == ("half", "Còn 4 giờ")
        assert remaining_time(timedelta(days=3)).tone == ""
        assert remaining_time(None, paused=True).words == "Tạm dừng"
        assert duration(timedelta(minutes=25)) == "25 phút"
        assert money(1234567) == "1.234.567 đ"


def test_machines_learn_whether_it_lives_and_is_ready(app: Flask):
    client = app.test_client()

    assert client.get("/healthz").json == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.json is not None
    assert ready.json["checks"]["database"] is True
    assert ready.json["checks"]["schema"] is True
    assert b"motcua_requests_total" in client.get("/metrics").data


def test_bundles_are_sent_compressed_and_kept_for_a_year(app: Flask):
    client = app.test_client()
    sheet = re.search(r'href="(/static/officer-[^"]+\.css)"', client.get("/login").text)
    assert sheet is not None

    small = client.get(sheet[1], headers={"Accept-Encoding": "br"})
    large = client.get(sheet[1])

    assert small.headers["Content-Encoding"] == "br"
    assert len(small.data) < len(large.data) / 4
    assert "immutable" in large.headers["Cache-Control"]
    assert client.get("/static/../__init__.py").status_code == 404


def test_power_is_lent_for_days_by_a_document(app: Flask, office: Office):
    head = signed_in(app, office, "head")
    form = {"person": str(office.people["deputy"]), "capacity": "for_head", "from": "23/11/2026", "to": "25/11/2026"}

    assert head.post("/admin/delegations", "/admin/delegations", **form, basis="").status_code == 422
    assert head.post("/admin/delegations", "/admin/delegations", **{**form, "to": "31/02/2027"}, basis="x").status_code == 422
    assert head.post("/admin/delegations", "/admin/delegations", **form, basis="Giấy ủy quyền số 3/GUQ").status_code == 303

    with office.runtime.begin(Actor("cli")) as w:
        lent = w.session.scalars(select(Delegation)).one()
    assert (lent.starts_at.isoformat(), lent.ends_at.isoformat()) == ("2026-11-22T17:00:00+00:00", "2026-11-25T17:00:00+00:00")


def test_an_access_token_is_shown_once_and_revoked_at_once(app: Flask, office: Office):
    visitor = signed_in(app, office, "specialist")

    shown = visitor.post("/admin/tokens", "/admin/tokens", name="Máy chấm công")
    assert re.search(r"mct_[\w-]{40,}", shown.text)
    page = visitor.get("/admin/tokens").text
    assert not re.search(r"mct_[\w-]{40,}", page)
    number = re.search(r"/admin/tokens/(\d+)/revocation", page)
    assert number is not None
    visitor.client.post(f"/admin/tokens/{number[1]}/revocation", data={"csrf_token": token(page), "request_id": "r"})
    assert "Máy chấm công" not in visitor.get("/admin/tokens").text


def test_the_journal_is_checked_by_one_button(app: Flask, office: Office):
    office.receive()
    inspector = signed_in(app, office, "inspector")

    assert "Nhật ký nguyên vẹn" in inspector.post("/admin/journal/check", "/admin/journal").text
    assert signed_in(app, office, "specialist").get("/admin/journal").status_code == 403


def test_who_controls_procedures_sees_what_is_stuck_and_an_administrator_alone_may_end_it(app: Flask, office: Office):
    with office.as_("administrator") as w:
        incident = open_incident(w.session, w.province, w.now, "signing.unfinished", cause="custody.answer_lost")
        position = organisation.add_position(w, office.units["province"], "Kiểm soát TTHC", "procedure_controller")
        organisation.appoint(w, office.people["inspector"], position.id, SINCE, basis="Quyết định số 2/QĐ-UBND")
        number, end = incident.number, f"/admin/incidents/{incident.id}/settlement"
    controller, administrator = signed_in(app, office, "inspector"), signed_in(app, office, "administrator")

    seen = controller.get("/admin/incidents").text
    assert number in seen
    assert end not in seen
    assert "Quản trị kỹ thuật thử lại hoặc đóng" in seen
    assert controller.client.post(end, data={"csrf_token": token(seen), "reason": "Đã rõ"}).status_code == 403

    assert end in administrator.get("/admin/incidents").text
    assert administrator.post(end, "/admin/incidents", reason="Đã làm lại bằng tay").status_code == 303
    assert number not in administrator.get("/admin/incidents").text
