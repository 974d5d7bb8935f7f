"""The client of the documentation does the main job against a live server, with the real key custody."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from engine.accounts.model import AccessToken, new_token
from engine.kernel.unit_of_work import Actor
from engine.settings import ROOT
from signing.custody import Custody
from tests.support.office import OWNER, PINS, Office, scan
from tests.support.visitors import account_of
from webapp import create_app

CLIENT = ROOT / "docs" / "api_client.py"


@pytest.fixture
def address(office: Office, custody: Custody) -> Iterator[str]:
    """The address of a live server."""
    server = make_server("127.0.0.1", 0, create_app(office.runtime), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def token(office: Office, who: str) -> str:
    text, digest = new_token()
    account = account_of(office, who)
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        w.session.add(AccessToken(account=account, name="tests", hash=digest, scopes=[], created_at=w.now))
    return text


def test_the_documented_client_takes_a_scan_to_a_valid_signed_result(office: Office, address: str, tmp_path: Path):
    (tmp_path / "scan.pdf").write_bytes(scan(2))
    job = {
        "reception": token(office, "reception"),
        "specialist": token(office, "specialist"),
        "leader": [token(office, "head"), PINS["head"]],
        "clerk": [token(office, "clerk"), PINS["seal"]],
        "procedure": "2.000815",
        "component": "original",
        "owner": {"name": OWNER.name, "identity": OWNER.identity, "birth_on": "1990-05-17", "sex": "female", "phone": OWNER.phone},
        "answers": {"decision": "approve", "paper_name": "Bằng tốt nghiệp", "paper_issuer": "Trường Đại học Mẫu", "compared": "true"},
    }
    (tmp_path / "job.json").write_text(json.dumps(job))

    done = subprocess.run(
        [sys.executable, str(CLIENT), address, "scan.pdf", "job.json"], cwd=tmp_path, capture_output=True, text=True, timeout=180
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("bytes: valid"), done.stdout
    (result,) = tmp_path.glob("H99*.pdf")
    assert result.read_bytes().startswith(b"%PDF")
    assert PINS["head"] not in done.stdout
    assert office.inbox("returner").total == 0


def test_the_client_stays_short_and_needs_little():
    code = [line for line in CLIENT.read_text().split('"""', 2)[2].splitlines() if line.strip() and not line.strip().startswith('"""')]
    needed = {line.split()[1].split(".")[0] for line in code if line.startswith("from ")}

    assert len(code) <= 60
    assert needed == {"cryptography"}
