"""Moving running dossiers from the designer's screen, over the interface, from the command line: the same plan, reasons in words, undo."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from typing import Any

import pytest

from engine.cli import main
from engine.worker import migrations
from tests.commands.test_main_job import APPROVE
from tests.commands.test_migration import BASIS, KEY, publish, with_head
from tests.support.office import Office
from tests.support.visitors import signed_in
from tests.webapp.test_api import token
from webapp import create_app

PAGE = f"/designer/{KEY}/migrations"


def test_a_designer_plans_chooses_moves_and_undoes_with_plain_forms(office: Office):
    waiting, passed = office.receive(), office.receive()
    office.complete("specialist", passed.code, APPROVE)
    target = publish(office, with_head())
    designer = signed_in(create_app(office.runtime), office, "designer")

    made = designer.post(PAGE, PAGE, target=str(target), legal_basis=BASIS)
    address = made.headers["Location"]
    page = designer.get(address).text
    assert "nằm trước chỗ hồ sơ đang đứng" in page
    assert waiting.code in page
    [choice] = set(re.findall(r'name="(choice\.[0-9a-f]+)"', page))

    assert designer.post(f"{address}/start", address).status_code == 422
    assert designer.post(f"{address}/start", address, **{choice: "move"}).status_code == 303
    assert "chờ một người phê duyệt khác xác nhận" in designer.get(address).text
    approver = signed_in(designer.client.application, office, "approver")
    assert approver.post(f"{address}/confirmation", address).status_code == 303
    migrations.move_waiting(office.runtime)
    assert "2 trên 2 hồ sơ" in designer.get(address).text

    designer.post(f"{address}/undo", address)
    migrations.move_waiting(office.runtime)
    assert "đã trở về phiên bản cũ: 2" in designer.get(address).text
    assert office.open_task(passed.code).step == "sign"


def test_others_see_nothing_of_it(office: Office):
    specialist = signed_in(create_app(office.runtime), office, "specialist")
    assert specialist.get(PAGE).status_code in (403, 404)


def test_the_command_line_says_what_would_happen_moves_and_undoes(office: Office, monkeypatch: pytest.MonkeyPatch, capsys: Any):
    office.receive()
    publish(office, with_head())
    monkeypatch.setattr("engine.cli._opening.opened", lambda: nullcontext(office.runtime))

    assert main(["procedure", "migrate", KEY, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"] == {"untouched": 0, "automatic": 1, "choice": 0, "refused": 0}
    assert main(["procedure", "migrate", KEY, "--legal-basis", BASIS, "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["state"], done["states"]) == ("applied", {"moved": 1})
    assert main(["procedure", "migrate", KEY, "--undo", done["plan"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["states"] == {"undone": 1}


def test_a_program_does_the_same_over_the_interface(office: Office):
    office.receive()
    target = publish(office, with_head())
    designer = create_app(office.runtime).test_client()
    headers = token(office, "designer")
    base = "/api/v1"

    tried = designer.get(f"{base}/procedures/{KEY}/migration?target={target}", headers=headers)
    assert tried.json["counts"]["automatic"] == 1
    plan = designer.post(f"{base}/procedures/{KEY}/migrations", json={"target": str(target), "legal_basis": BASIS}, headers=headers).json
    assert designer.post(f"{base}/migrations/{plan['id']}/start", headers=headers).status_code == 204
    second = token(office, "approver")
    assert designer.post(f"{base}/migrations/{plan['id']}/confirmation", headers=second).status_code == 204
    migrations.move_waiting(office.runtime)
    assert designer.get(f"{base}/migrations/{plan['id']}", headers=headers).json["states"] == {"moved": 1}
    [line] = designer.get(f"{base}/migrations/{plan['id']}/dossiers", headers=headers).json["items"]
    assert (line["kind"], line["state"]) == ("automatic", "moved")
    assert designer.post(f"{base}/migrations/{plan['id']}/undo", headers=headers).status_code == 204
