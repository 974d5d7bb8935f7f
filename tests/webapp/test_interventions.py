"""Stepping into a dossier from its page, with plain forms, and over the interface: the same acts, reasons at their fields, two persons."""

from __future__ import annotations

import re

from tests.commands.test_interventions import BASIS, WHY
from tests.commands.test_leave import asked, open_tasks
from tests.commands.test_main_job import APPROVE, dossier
from tests.support.office import OWNER, Office
from tests.support.visitors import signed_in
from tests.webapp.test_api import token
from webapp import create_app

API = "/api/v1"


def page_of(code: str) -> str:
    return f"/desk/dossiers/{code}/interventions"


def test_a_leader_suspends_and_an_officer_resumes_from_the_page_of_the_dossier(office: Office):
    received = office.receive()
    app, page = create_app(office.runtime), page_of(received.code)
    head, officer = signed_in(app, office, "division_head"), signed_in(app, office, "specialist")
    assert page in head.get(f"/desk/dossiers/{received.code}").text

    refused = head.post(f"/desk/dossiers/{received.code}/suspension", page, ground="financial_obligation", reason="", legal_basis=BASIS)
    assert refused.status_code == 422
    assert BASIS in refused.text
    assert (
        head.post(
            f"/desk/dossiers/{received.code}/suspension", page, ground="financial_obligation", reason=WHY, legal_basis=BASIS
        ).status_code
        == 303
    )
    assert "đang tạm dừng giải quyết" in officer.get(f"/desk/dossiers/{received.code}").text
    task = office.open_task(received.code)
    assert "đang tạm dừng giải quyết" in officer.get(f"/desk/tasks/{task.id}").text
    answer = officer.post(f"/desk/tasks/{task.id}/completion", f"/desk/tasks/{task.id}", **APPROVE)
    assert answer.status_code == 422
    assert "Hồ sơ đang tạm dừng giải quyết." in answer.text

    assert officer.post(f"/desk/dossiers/{received.code}/resumption", page, reason="Đã nộp tiền.").status_code == 303
    assert dossier(office, received.code).status == "processing"


def test_an_administrator_skips_on_a_page_without_anybody_s_personal_data(office: Office):
    code = asked(office)
    admin = signed_in(create_app(office.runtime), office, "administrator")
    assert page_of(code) in admin.get(f"/desk/interventions?code={code}").headers["Location"]
    page = admin.get(page_of(code)).text
    [task] = [t for t in open_tasks(office, code).values() if t.step == "division_review"]
    address = f"/desk/dossiers/{code}/tasks/{task.id}/skip"
    assert address in page

    assert admin.post(address, page_of(code), reason="").status_code == 422
    assert admin.post(address, page_of(code), reason="Trưởng phòng khuyết.").status_code == 303
    assert {t.step for t in open_tasks(office, code).values()} == {"office_check"}

    received = office.receive()
    shown = admin.get(page_of(received.code)).text
    for secret in (OWNER.name, OWNER.identity, OWNER.address):
        assert secret not in shown
    assert admin.get(f"/desk/dossiers/{received.code}").status_code == 404


def test_one_proposes_and_another_approves_by_screen_and_undoes(office: Office):
    received = office.receive()
    office.complete("specialist", received.code, APPROVE)
    app, page = create_app(office.runtime), page_of(received.code)
    admin, head, clerk = (signed_in(app, office, who) for who in ("administrator", "head", "clerk"))
    assert 'value="sign&gt;examine"' in admin.get(page).text

    for who in (admin, head):
        ids = re.findall(r' id="([^"]+)"', who.get(page).text)
        assert len(ids) == len(set(ids))
    bad = head.post(f"/desk/dossiers/{received.code}/moves", page, way="sign>examine", reason="", legal_basis=BASIS)
    assert bad.status_code == 422
    assert 'id="move-reason-error"' in bad.text
    assert BASIS in bad.text
    sent = admin.post(f"/desk/dossiers/{received.code}/moves", page, way="sign>examine", reason=WHY, legal_basis=BASIS)
    assert sent.status_code == 303
    assert received.code in head.get("/desk/interventions").text
    assert "Duyệt, chuyển ngay" not in admin.get(page).text
    assert "thẩm quyền can thiệp" not in clerk.get(page).text  # who may only read sees what was proposed
    [approval] = set(re.findall(r'action="([^"]+/approval)"', head.get(page).text))
    assert admin.post(approval, page).status_code == 403
    assert head.post(approval, page).status_code == 303
    assert office.open_task(received.code).step == "examine"

    [undo] = set(re.findall(r'action="([^"]+/moves/[^"]+/undo)"', head.get(page).text))
    assert head.post(undo, page, reason="Nhầm hồ sơ.").status_code == 303
    assert office.open_task(received.code).step == "sign"


def test_who_can_do_nothing_is_told_so_and_strangers_find_nothing(office: Office):
    received = office.receive()
    app = create_app(office.runtime)
    assert "không có thẩm quyền can thiệp" in signed_in(app, office, "inspector").get(page_of(received.code)).text
    assert signed_in(app, office, "designer").get(page_of(received.code)).status_code == 404
    assert signed_in(app, office, "specialist").get("/desk/interventions").status_code == 403


def test_a_program_does_the_same(office: Office):
    received = office.receive()
    client = create_app(office.runtime).test_client()
    head, admin, deputy = (token(office, who) for who in ("head", "administrator", "deputy"))
    base = f"{API}/dossiers/{received.code}"
    order = {"ground": "other_authority", "reason": WHY, "legal_basis": BASIS}
    assert client.post(f"{base}/suspension", json=order, headers=admin).status_code == 403
    assert client.post(f"{base}/suspension", json=order, headers=head).status_code == 204
    seen = client.get(f"{base}/interventions", headers=head).json
    assert (seen["ground"], seen["may_resume"], seen["may_suspend"], seen["ways"]) == ("other_authority", True, False, [])
    assert client.post(f"{base}/resumption", json={"reason": "Đã có ý kiến."}, headers=head).status_code == 204

    way = {"source": "examine", "target": "sign", "reason": WHY, "legal_basis": BASIS}
    made = client.post(f"{base}/token-moves", json=way, headers=admin)
    assert made.status_code == 201
    move = f"{API}/token-moves/{made.json['id']}"
    assert [one["code"] for one in client.get(f"{API}/token-moves", headers=deputy).json] == [received.code]
    assert client.post(f"{move}/rejection", json={"reason": "Chưa cần."}, headers=deputy).status_code == 204
    assert client.post(f"{move}/approval", headers=head).status_code == 409
    again = client.post(f"{base}/token-moves", json=way, headers=admin).json["id"]
    assert client.post(f"{API}/token-moves/{again}/approval", headers=head).status_code == 204
    assert client.post(f"{API}/token-moves/{again}/undo", json={"reason": "Nhầm."}, headers=head).status_code == 204

    task = office.open_task(received.code)
    refused = client.post(f"{API}/tasks/{task.id}/skip", json={"reason": "x"}, headers=admin)
    assert (refused.status_code, refused.json["code"]) == (422, "intervention.answers_needed")
    code = asked(office)
    [other] = [t for t in open_tasks(office, code).values() if t.step == "office_check"]
    assert client.post(f"{API}/tasks/{other.id}/skip", json={"reason": "x"}, headers=admin).json["undo_until"] is not None
