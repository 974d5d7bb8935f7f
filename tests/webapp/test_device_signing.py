"""Signing with a USB token on pages and by programs: who may talk to the agent, what comes back is taken once, refusals are said."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from engine.queries import agent as program
from tests.support.agents import agent_of
from tests.support.device import P12_PIN, TokenHolder, issue, register
from tests.support.office import Office
from tests.support.tokens import LIBRARY, make_token
from tests.support.visitors import Visitor, signed_in
from tests.webapp.test_api import BASE
from tests.webapp.test_api import token as api_token
from tests.webapp.test_signing_room import hidden, waiting

AGENT = "http://127.0.0.1:18417"


@pytest.fixture
def token(office: Office) -> TokenHolder:
    return register(office, "head")


@pytest.fixture
def head(app: Flask, office: Office, token: TokenHolder) -> Visitor:
    return signed_in(app, office, "head")


def claim(visitor: Visitor, page: str, address: str = "/signing/agent/approval") -> Any:
    """What agent.js asks the server."""
    data = {"csrf_token": hidden(page, "csrf_token")[0], "request": hidden(page, "request")}
    return visitor.client.post(address, data=data, headers={"Accept": "application/json"})


def bring(visitor: Visitor, address: str, page: str, **fields: str) -> Any:
    """What agent.js sends when the agent has answered."""
    given = {name: hidden(page, name) for name in ("csrf_token", "request", "task")}
    return visitor.client.post(address, data={**given, "answers": "", "refusal": "", **fields})


def answers(token: TokenHolder, told: Any) -> str:
    signed = {one["request"]: base64.b64encode(token.sign(base64.b64decode(one["content"]))).decode() for one in told["documents"]}
    return json.dumps(signed)


def test_a_leader_signs_with_the_token_and_moves_on(office: Office, head: Visitor, token: TokenHolder):
    (code,) = waiting(office)
    address = f"/signing/{office.open_task(code).id}"

    shown = head.get(address)
    told = claim(head, shown.text)
    done = bring(head, address, shown.text, answers=answers(token, told.json))

    assert f'data-agent="{AGENT}"' in shown.text
    assert f"connect-src 'self' {AGENT};" in shown.headers["Content-Security-Policy"]
    assert 'type="password"' not in shown.text, "no PIN is typed on a page of the server"
    assert told.json["certificate"] == token.fingerprint
    assert told.json["documents"][0]["check_code"] in shown.text, "the code on this screen is the agent's"
    assert done.status_code == 303
    assert office.open_task(code).action == "issue"


def test_only_a_page_for_a_token_may_talk_to_the_agent(office: Office, app: Flask):
    (code,) = waiting(office)
    head = signed_in(app, office, "head")

    shown = head.get(f"/signing/{office.open_task(code).id}")
    told = claim(head, shown.text)

    assert "data-agent" not in shown.text
    assert "18417" not in shown.headers["Content-Security-Policy"]
    assert (told.status_code, told.json["code"]) == (422, "agent.key_elsewhere")


def test_a_refusal_at_the_agent_is_said_at_the_field_and_the_document_waits(office: Office, head: Visitor, token: TokenHolder):
    (code,) = waiting(office)
    address = f"/signing/{office.open_task(code).id}"
    page = head.get(address).text
    told = claim(head, page).json

    said = [bring(head, address, page, refusal=code).text for code in ("agent.refused", "agent.pin_locked", "agent.made_up")]
    empty = bring(head, address, page)
    again = claim(head, head.get(address).text).json

    assert "Anh/chị đã từ chối ở chương trình ký" in said[0]
    assert 'id="field-pin-error"' in said[0]
    assert "--unlock" in said[1]
    assert "Chưa thấy chương trình ký" in said[2]
    assert empty.status_code == 422
    assert again["documents"][0]["content"] == told["documents"][0]["content"]
    assert bring(head, address, page, answers=answers(token, again)).status_code == 303


def test_answers_that_are_none_get_nowhere(office: Office, head: Visitor, token: TokenHolder):
    (code,) = waiting(office)
    address = f"/signing/{office.open_task(code).id}"
    for nonsense in ("[]", "{", '{"x": 1}', json.dumps({"0" * 36: "AAAA"}), "[" * 10_000):
        page = head.get(address).text
        claim(head, page)
        assert bring(head, address, page, answers=nonsense).status_code == 422
    page = head.get(address).text
    told = claim(head, page).json
    wrong = json.dumps({one["request"]: base64.b64encode(b"0" * 64).decode() for one in told["documents"]})
    refused = bring(head, address, page, answers=wrong)

    assert "không khớp với văn bản đã duyệt" in refused.text
    assert office.open_task(code).action == "sign"


def test_a_batch_takes_one_trip_to_the_agent(office: Office, head: Visitor, token: TokenHolder):
    codes = waiting(office, 3)
    address = "/signing/batch?" + "&".join(f"task={office.open_task(code).id}" for code in codes)
    page = head.get(address).text

    told = claim(head, page).json
    refused = bring(head, "/signing/batch", page, refusal="agent.expired")
    told = claim(head, page).json
    part = json.dumps(dict(list(json.loads(answers(token, told)).items())[:2]))
    first = bring(head, "/signing/batch", page, answers=part)
    left = head.get(address).text
    second = bring(head, "/signing/batch", left, answers=answers(token, claim(head, left).json))

    assert len(told["documents"]) == 3
    assert "Quá 10 phút chưa nhập mã PIN" in refused.text
    assert (first.status_code, second.status_code) == (303, 303)
    assert len(hidden(left, "request")) == 1
    assert [office.open_task(code).action for code in codes] == ["issue"] * 3


def test_a_clerk_seals_with_the_agency_s_token(office: Office, app: Flask):
    (code,) = waiting(office)
    office.sign("head", code)
    seal, clerk = register(office, "seal"), signed_in(app, office, "clerk")
    address = f"/documents/{office.open_task(code).id}"

    page = clerk.get(address).text
    told = claim(clerk, page, f"{address}/agent")
    refused = bring(clerk, address, page, refusal="agent.refused")
    again = claim(clerk, page, f"{address}/agent").json
    done = bring(clerk, address, page, answers=answers(seal, again))

    assert f'data-agent="{AGENT}"' in page
    assert told.json["certificate"] == seal.fingerprint
    assert "Anh/chị đã từ chối ở chương trình ký" in refused.text
    assert done.status_code == 303
    assert office.open_task(code).action != "issue"


def test_an_administrator_registers_a_token_by_file_or_as_the_agent_read_it(office: Office, app: Flask):
    admin = signed_in(app, office, "administrator")
    mine, other = issue(office, "head"), issue(office, "deputy")
    page = admin.get("/admin/keys")
    token = hidden(page.text, "csrf_token")[0]

    def send(**fields: Any) -> Any:
        return admin.client.post("/admin/keys/device", data={"csrf_token": token, **fields}, content_type="multipart/form-data")

    nothing = send(token_holder=f"person:{office.people['head']}")
    stranger = send(token_holder=f"person:{office.people['head']}", certificate=(io.BytesIO(other.certificate.der), "x.cer"))
    read = json.dumps([base64.b64encode(one).decode() for one in (mine.certificate.der, *mine.certificate.chain)])
    done = send(token_holder=f"person:{office.people['head']}", token_certificate=read)
    filed = send(token_holder=f"person:{office.people['deputy']}", certificate=(io.BytesIO(other.certificate.der), "x.cer"))

    assert AGENT in page.headers["Content-Security-Policy"]
    assert nothing.status_code == 422
    assert "Không đọc được chứng thư" in nothing.text
    assert "Tên trong chứng thư khác tên người giữ" in stranger.text
    assert (done.status_code, filed.status_code) == (303, 303)
    assert admin.get("/admin/keys").text.count("trên USB token của người giữ") == 2
    assert signed_in(app, office, "head").client.post("/admin/keys/device", data={}).status_code in (400, 403)


def test_a_program_signs_with_a_token_too(office: Office, app: Flask, token: TokenHolder):
    (code,) = waiting(office)
    client, headers = app.test_client(), api_token(office, "head")

    def post(path: str, **body: Any) -> Any:
        return client.post(f"{BASE}{path}", json=body, headers=headers)

    [prepared] = post("/signatures/preparation", tasks=[str(office.open_task(code).id)]).json
    client.get(f"{BASE}/signatures/requests/{prepared['request']}/document", headers=headers)
    approved = post("/signatures/agent", requests=[prepared["request"]]).json
    [back] = post("/signatures/agent/return", requests=[prepared["request"]], code="agent.refused").json
    [document] = post("/signatures/agent", requests=[prepared["request"]]).json["documents"]
    raw = base64.b64encode(token.sign(base64.b64decode(document["content"]))).decode()
    [wrong] = post("/signatures/agent/answers", answers=[{"request": str(office.people["head"]), "signature": raw}]).json
    [done] = post("/signatures/agent/answers", answers=[{"request": prepared["request"], "signature": raw}]).json

    assert (approved["certificate"], approved["failures"]) == (token.fingerprint, [])
    assert document["check_code"] == prepared["check_code"]
    assert (back["signed"], back["failure"]["code"]) == (False, "agent.refused")
    assert wrong["failure"]["code"] == "signing.request_not_found"
    assert done["signed"]
    der = base64.b64encode(issue(office, "deputy").certificate.der).decode()
    holder = {"kind": "person", "holder": str(office.people["deputy"]), "certificate": der, "chain": []}
    admin = api_token(office, "administrator")
    assert client.post(f"{BASE}/keys/device", json=holder, headers=headers).status_code == 403
    assert (
        client.post(f"{BASE}/keys/device", json={**holder, "certificate": "%"}, headers=admin).json["code"] == "key.certificate_unreadable"
    )
    assert client.post(f"{BASE}/keys/device", json=holder, headers=admin).status_code == 201


def test_the_agent_comes_as_one_file_that_runs_alone(office: Office, head: Visitor, token: TokenHolder, tmp_path: Path):
    page = head.get("/signing/agent")
    sent = head.get("/signing/agent/program")
    place = tmp_path / program.NAME
    place.write_bytes(sent.data)
    plugged = make_token(tmp_path / "computer", token.folder, {token.name: P12_PIN}, token.name)

    names = zipfile.ZipFile(io.BytesIO(sent.data)).namelist()
    command = [sys.executable, str(place), "--origin", "https://motcua.mau.gov.vn", "--library", LIBRARY, "--home", str(tmp_path / "home")]
    with subprocess.Popen(
        [*command, "--port", "0", "--no-browser"], cwd=tmp_path, env=plugged.environment, stdout=subprocess.PIPE, text=True
    ) as alone:
        assert alone.stdout is not None
        said = alone.stdout.readline()
        alone.terminate()

    assert re.search(r"http://127\.0\.0\.1:\d+/ for https://motcua\.mau\.gov\.vn", said)
    assert {"__main__.py", "signing/agent/door.py"} <= set(names)
    assert not any(name.startswith("engine") for name in names)
    assert program.NAME in page.text
    assert "--origin" in page.text
    assert AGENT in page.headers["Content-Security-Policy"]


@pytest.mark.full
def test_the_whole_way_with_the_real_agent(office: Office, head: Visitor, token: TokenHolder, tmp_path: Path):
    """Page, agent and token as they are; only the browser between them is played here (tests/journeys has a real one)."""
    (code,) = waiting(office)
    address = f"/signing/{office.open_task(code).id}"
    page = head.get(address).text
    [document] = claim(head, page).json["documents"]
    plugged = make_token(tmp_path / "computer", token.folder, {token.name: P12_PIN}, token.name)
    with agent_of(plugged, tmp_path / "home") as agent:
        asked = agent.ask(token.fingerprint, [base64.b64decode(document["content"])], [document["name"]]).json
        there = agent.request("GET", asked["page"].removeprefix(agent.address)).text
        agent.form(asked["page"])
        [raw] = agent.look(f"approvals/{asked['id']}").json["signatures"]
    done = bring(head, address, page, answers=json.dumps({document["request"]: raw}))

    assert document["check_code"] in there
    assert document["check_code"] in page
    assert done.status_code == 303
    assert office.open_task(code).action == "issue"
