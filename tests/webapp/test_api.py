"""The programming interface: the table of routes is the document, tokens are people, requests are done once, problems are told in words."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterable
from importlib import import_module
from inspect import isfunction
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from engine.accounts.model import AccessToken, new_token
from engine.kernel.unit_of_work import Actor
from engine.procedure.loader import to_zip
from engine.settings import ROOT
from tests.procedures.packages import with_head
from tests.support.office import OWNER, Office, scan
from tests.support.visitors import account_of
from webapp.api.routes import ROUTES

BASE = "/api/v1"
APPROVE = {"decision": "approve", "paper_name": "Bằng tốt nghiệp", "paper_issuer": "Trường Đại học Mẫu", "compared": "true"}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def token(office: Office, who: str, **changes: Any) -> dict[str, str]:
    """The header of a fresh access token."""
    text, digest = new_token()
    account = account_of(office, who)
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        w.session.add(AccessToken(**{"account": account, "name": "tests", "hash": digest, "scopes": [], "created_at": w.now, **changes}))
    return {"Authorization": f"Bearer {text}"}


def owner() -> dict[str, str]:
    return {"name": OWNER.name, "identity": OWNER.identity, "birth_on": "1990-05-17", "sex": "female", "phone": OWNER.phone}


def received(client: FlaskClient, office: Office, headers: dict[str, str], **more: Any) -> Any:
    """A dossier received over the interface."""
    sent = client.post(f"{BASE}/uploads", headers=headers, data={"component": "original", "file": (io.BytesIO(scan(2)), "ban chinh.pdf")})
    assert sent.status_code == 201, sent.text
    body = {
        "procedure": "certified_electronic_copy", "deciding_unit": str(office.units["commune"]), "owner": owner(),
        "components": ["original"], "upload_key": sent.json["upload_key"], "subject": "Bằng tốt nghiệp", "paid": "cash",
    }  # fmt: skip
    return client.post(f"{BASE}/dossiers", json=body, headers={**headers, **more})


def test_every_route_is_documented_and_every_documented_route_exists(app: Flask, client: FlaskClient):
    document = client.get(f"{BASE}/openapi.json").json
    served = {
        (method, re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule.removeprefix(BASE)))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    documented = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}

    assert document["openapi"] == "3.1.0"
    assert served == documented
    assert len(documented) == len(ROUTES) + 1


def called(paths: Iterable[Path]) -> set[Any]:
    """The functions of engine.commands that sources call, wherever they were imported from."""
    found = set()
    for path in paths:
        tree = ast.parse(path.read_text("utf-8"))
        modules, functions = {}, {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("engine.commands"):
                for alias in node.names:
                    target = modules if node.module == "engine.commands" else functions
                    target[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                found.add(getattr(import_module(modules[node.value.id]), node.attr))
            if isinstance(node, ast.Name) and node.id in functions:
                module, _dot, name = functions[node.id].rpartition(".")
                found.add(getattr(import_module(module), name))
    return {one for one in found if isfunction(one)}


def test_whatever_a_screen_does_a_program_can_do():
    sources = [path for path in (ROOT / "webapp").rglob("*.py") if "node_modules" not in path.parts]
    screens = called(path for path in sources if path.parent.name != "api")
    programs = called([*(path for path in sources if path.parent.name == "api"), ROOT / "webapp/signing_room/ceremony.py"])
    looks = {"digest", "in_force"}  # they compute; nothing is done

    assert sorted(f"{f.__module__}.{f.__name__}" for f in screens - programs if f.__name__ not in looks) == []


def test_every_reference_leads_somewhere_and_no_operation_is_named_twice(client: FlaskClient):
    document = client.get(f"{BASE}/openapi.json")
    names = [operation["operationId"] for path in document.json["paths"].values() for operation in path.values()]

    assert set(re.findall(r'"#/components/schemas/(\w+)"', document.text)) <= set(document.json["components"]["schemas"])
    assert len(names) == len(set(names))


def test_nothing_of_the_office_opens_without_a_token_and_nothing_of_an_owner_without_a_grant(client: FlaskClient):
    for entry in ROUTES:
        path = re.sub(r"<int:[^>]+>", "1", re.sub(r"<uuid:[^>]+>", str(UUID(int=0)), entry.path))
        answer = client.open(BASE + re.sub(r"<[^>]+>", "x", path), method=entry.method, json={} if entry.method != "GET" else None)
        if entry.who != "anyone":
            assert answer.status_code == (401 if entry.who == "person" else 403), entry


def test_without_a_token_or_with_a_dead_one_the_answer_is_401_as_a_problem(office: Office, client: FlaskClient):
    revoked = token(office, "specialist", revoked_at=office.clock.at)
    over = token(office, "specialist", expires_at=office.clock.at)

    for headers in ({}, {"Authorization": "Bearer mct_wrong"}, revoked, over):
        answer = client.get(f"{BASE}/tasks", headers=headers)
        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_that_reads_only_changes_nothing(office: Office, client: FlaskClient):
    headers = token(office, "specialist", scopes=["read"])

    assert client.get(f"{BASE}/tasks", headers=headers).status_code == 200
    assert client.post(f"{BASE}/delegations", headers=headers, json={}).status_code == 403


def test_a_token_has_the_rights_its_person_holds_today_and_no_others(office: Office, client: FlaskClient):
    assert client.get(f"{BASE}/me", headers=token(office, "head")).json["held"][0]["role"] == "head"
    refused = received(client, office, token(office, "specialist"))

    assert refused.status_code == 403
    assert refused.json["code"] == "organisation.no_such_role"


def test_a_reception_sent_twice_is_one_dossier_and_the_access_code_is_told_once(office: Office, client: FlaskClient):
    headers = token(office, "reception")
    uploaded = client.post(f"{BASE}/uploads", headers=headers, data={"component": "original", "file": (io.BytesIO(scan(1)), "a.pdf")})
    body = {
        "procedure": "certified_electronic_copy", "deciding_unit": str(office.units["commune"]), "owner": owner(),
        "components": ["original"], "upload_key": uploaded.json["upload_key"],
    }  # fmt: skip
    key = {"Idempotency-Key": "scanner-7-0001"}

    first = client.post(f"{BASE}/dossiers", json=body, headers={**headers, **key})
    second = client.post(f"{BASE}/dossiers", json=body, headers={**headers, **key})
    other = client.post(f"{BASE}/dossiers", json={**body, "subject": "khác"}, headers={**headers, **key})

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json["access_code"]
    assert second.json == {**first.json, "access_code": None}
    assert second.headers["Idempotency-Replayed"] == "true"
    assert other.status_code == 409


def test_an_act_without_an_answer_and_a_file_are_taken_once_too(office: Office, client: FlaskClient):
    headers = {**token(office, "reception"), "Idempotency-Key": "till-2-77"}
    code, brought = office.receive(paid=None).code, scan(1)

    paid = [client.post(f"{BASE}/dossiers/{code}/payment", headers=headers, json={"method": "cash"}) for _ in range(2)]
    again = client.post(f"{BASE}/dossiers/{code}/payment", headers={**headers, "Idempotency-Key": "till-2-78"}, json={"method": "cash"})
    sent = [
        client.post(
            f"{BASE}/uploads",
            headers={**headers, "Idempotency-Key": "scan-1"},
            data={"component": "original", "file": (io.BytesIO(brought), "a.pdf")},
        )
        for _ in range(2)
    ]

    assert [answer.status_code for answer in paid] == [204, 204]
    assert again.status_code == 409
    assert sent[0].json["id"] == sent[1].json["id"]


def test_what_is_only_looked_up_is_never_kept(office: Office, client: FlaskClient):
    headers = {**token(office, "reception"), "Idempotency-Key": "look-1"}
    card = f"{OWNER.identity}||{OWNER.name}|17051990|Nữ|12 phố Huế, phường Mẫu|01012022"

    answer = client.post(f"{BASE}/identity-cards", headers=headers, json={"text": card})
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        kept = w.session.execute(text("select count(*) from answered_request where key like '%look-1'")).scalar_one()

    assert answer.json["number"] == OWNER.identity, answer.text
    assert kept == 0


def test_wrong_fields_are_named_in_the_language_asked_for(office: Office, client: FlaskClient):
    headers = {**token(office, "reception"), "Accept-Language": "en"}

    wrong = client.post(f"{BASE}/dossiers", headers=headers, json={"procedure": 7, "owner": {"name": "A", "shoe": 1}})
    unreadable = client.post(f"{BASE}/dossiers", headers=headers, data=b"{")

    assert wrong.status_code == 422
    assert wrong.mimetype == "application/problem+json"
    assert set(wrong.json["errors"]) == {"procedure", "owner.shoe", "deciding_unit"}
    assert wrong.json["errors"]["deciding_unit"] == "The field “deciding_unit” is missing."
    assert unreadable.json["errors"] == {"body": "The body is no valid JSON."}


def test_the_rules_of_the_counter_hold_here_too(office: Office, client: FlaskClient):
    headers = token(office, "reception")
    body = {
        "procedure": "certified_electronic_copy", "deciding_unit": str(office.units["commune"]), "owner": {"name": "A", "identity": "123"},
    }  # fmt: skip

    refused = client.post(f"{BASE}/dossiers", headers=headers, json=body)

    assert refused.status_code == 422
    assert {"owner.identity", "component.original"} <= set(refused.json["errors"])


def test_an_officer_works_through_the_interface(office: Office, client: FlaskClient):
    code = received(client, office, token(office, "reception")).json["code"]
    headers = token(office, "specialist")

    inbox = client.get(f"{BASE}/tasks?page_size=1", headers=headers).json
    task_id = inbox["items"][0]["task_id"]
    assert client.post(f"{BASE}/tasks/{task_id}/claim", headers=headers).status_code == 204
    kept = client.post(f"{BASE}/tasks/{task_id}/draft", headers=headers, json={"answers": {"decision": "approve"}})
    task = client.get(f"{BASE}/tasks/{task_id}", headers=headers).json
    done = client.post(f"{BASE}/tasks/{task_id}/completion", headers=headers, json={"answers": APPROVE, "version": task["version"]})
    undone = client.post(f"{BASE}/tasks/{task_id}/undo", headers=headers)

    assert inbox["items"][0]["dossier_code"] == code
    assert kept.json == {"draft_version": 1}
    assert task["draft"] == {"decision": "approve"}
    assert task["why"]["position"]
    assert {"key": "decision", "kind": "radio"}.items() <= next(f for f in task["form"] if f["key"] == "decision").items()
    assert done.status_code == 200, done.text
    assert undone.status_code == 204
    assert client.get(f"{BASE}/dossiers/{code}", headers=headers).json["place"]["active"]
    assert any(line["kind"] == "task.completed" for line in client.get(f"{BASE}/dossiers/{code}/journal", headers=headers).json)


def test_lists_come_in_pages_that_lead_on(office: Office, client: FlaskClient):
    for _ in range(3):
        office.receive()
    headers = token(office, "specialist")

    first = client.get(f"{BASE}/tasks?page_size=2", headers=headers).json
    second = client.get(first["next"], headers=headers).json

    assert (first["total"], len(first["items"]), len(second["items"]), second["next"]) == (3, 2, 1, None)


def test_the_owner_follows_answers_and_takes_by_a_grant_only(office: Office, client: FlaskClient):
    told = office.receive(delivery="download")
    ask = {"decision": "supplement", "components": ["original"], "reason": "Thiếu trang 2.", "legal_basis": "Điều 20"}
    office.complete("specialist", told.code, ask)

    public = client.get(f"{BASE}/tracking/{told.code}")
    closed = client.get(f"{BASE}/owner/{told.code}")
    proof = {"identity": OWNER.identity, "access_code": told.access_code}
    granted = client.post(f"{BASE}/tracking/{told.code}/access", json=proof).json
    headers = {"Motcua-Grant": granted["grant"]}
    seen = client.get(f"{BASE}/owner/{told.code}", headers=headers).json
    answered = client.post(
        f"{BASE}/owner/{told.code}/supplement",
        headers=headers,
        data={"note": "Đã quét lại.", "file.original": (io.BytesIO(scan(2)), "b.pdf")},
    )

    assert OWNER.name not in public.text
    assert public.json["status"] == "awaiting_supplement"
    assert closed.status_code == 403
    assert seen["asked"][0]["key"] == "original"
    assert answered.status_code == 204, answered.text
    assert office.open_task(told.code).step == "examine"
    assert client.get(f"{BASE}/owner/H99.101-000000-0009", headers=headers).status_code == 403


def test_a_designer_examines_and_publishes(office: Office, client: FlaskClient):
    headers = token(office, "designer")
    drawn = to_zip(with_head())
    key = "certified_electronic_copy"

    broken = client.post(f"{BASE}/procedures/examination", headers=headers, data={"key": key, "file": (io.BytesIO(b"<x/>"), "x.bpmn")}).json
    good = client.post(f"{BASE}/procedures/examination", headers=headers, data={"key": key, "file": (io.BytesIO(drawn), "p.zip")}).json
    published = client.post(
        f"{BASE}/procedures/publication",
        headers=token(office, "approver"),
        json={"reference": good["reference"], "legal_basis": "Quyết định số 1", "effective_from": "2026-11-23"},
    )
    rejected = client.post(
        f"{BASE}/procedures/rejection", headers=token(office, "approver"), json={"reference": good["reference"], "reason": "x"}
    )

    assert not broken["passed"]
    assert broken["report"]["findings"][0]["vi"]
    assert good["passed"]
    assert any("Trưởng phòng" in change["vi"] for change in good["changes"])
    assert published.status_code == 201, published.text
    assert published.json["number"] == 2
    assert rejected.status_code == 422, "what is published is not sent back"
    assert client.get(f"{BASE}/procedures/{key}", headers=headers).json["version"] == 2


def test_an_unknown_address_and_a_wrong_method_are_problems_too(client: FlaskClient):
    assert client.get(f"{BASE}/nowhere").mimetype == "application/problem+json"
    assert client.put(f"{BASE}/dossiers").status_code == 405


@pytest.mark.parametrize(
    "path", ["/units", "/people", "/roles", "/positions", "/delegations", "/procedures", "/procedures/certified_electronic_copy/versions",
              "/keys", "/tokens", "/accounts", "/calendar/2026/11", "/signatures",
             "/incidents", "/journal", "/board", "/registers", "/tasks/counts"],
)  # fmt: skip
def test_what_is_listed_comes_as_documented(office: Office, client: FlaskClient, path: str):
    answer = client.get(f"{BASE}{path}", headers=token(office, "administrator"))

    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json, list | dict)


def test_a_decision_is_evaluated_with_the_rows_that_fired(office: Office, client: FlaskClient):
    model = (Path(__file__).parents[1] / "rules" / "feel" / "models" / "fees.dmn").read_text("utf-8")
    body = {"model": model, "decision": "Mức phí", "input": {"dossier": {"pages": 5, "channel": "post"}}}
    headers = token(office, "designer")

    answer = client.post(f"{BASE}/decisions/evaluation", json=body, headers=headers)
    missing = client.post(f"{BASE}/decisions/evaluation", json={**body, "decision": "Không có"}, headers=headers)
    broken = client.post(f"{BASE}/decisions/evaluation", json={**body, "model": "<a/>"}, headers=headers)

    assert answer.status_code == 200, answer.text
    [found] = answer.json
    assert (found["value"], found["fired"][0]["rows"]) == (29000, [2])
    assert missing.status_code == 404
    assert broken.status_code == 422
    assert client.post(f"{BASE}/decisions/evaluation", json=body, headers=token(office, "specialist")).status_code == 403


def test_a_draft_is_written_by_a_program_as_by_a_person(office: Office, client: FlaskClient):
    headers = token(office, "designer")
    drafts = f"{BASE}/drafts"
    made = client.post(drafts, json={"of": "certified_electronic_copy"}, headers=headers)
    here = f"{drafts}/{made.json['id']}"

    saved = client.post(f"{here}/files", json={"version": 1, "files": {"README.md": "Một ghi chú"}}, headers=headers)
    met = client.post(f"{here}/files", json={"version": 1, "files": {"README.md": "Ghi chú khác"}}, headers=headers)
    trial = client.get(f"{here}/trial", headers=headers).json
    report = client.get(f"{here}/report", headers=headers).json
    back = client.post(f"{here}/restoration", json={"number": 1}, headers=headers)
    given_up = client.delete(here, headers=headers)
    again = client.post(f"{here}/resumption", headers=headers)
    owner = client.post(f"{here}/owner", json={"person": str(office.people["division_head"])}, headers=headers)
    sent = client.post(f"{here}/submission", headers=headers)

    assert (made.status_code, saved.json["version"], met.status_code) == (201, 2, 409)
    assert "Tạ Ngọc Linh" in met.json["title"]
    assert trial["green"]
    assert report["passed"]
    assert back.json["version"] == 3
    assert (given_up.json["state"], again.json["state"]) == ("discarded", "draft")
    assert owner.json["owner"] == "Vũ Quang Huy"
    assert sent.json["kind"] == "same"
    assert client.get(f"{here}/package", headers=headers).mimetype == "application/zip"
    assert [row["state"] for row in client.get(f"{drafts}?state=submitted", headers=headers).json] == ["submitted"]
    new = client.post(drafts, json={"key": "well", "code": "1.0", "name_vi": "Giếng", "name_en": "Well"}, headers=headers)
    assert new.status_code == 201
    drawn = {"file": (io.BytesIO((ROOT / "bpmn" / "internal_leave" / "process.bpmn").read_bytes()), "nghi.bpmn")}
    assert client.post(f"{drafts}/upload", data=drawn, headers=headers).status_code == 201
