"""The store of trusted authorities over the programming interface: whose hands, two of them, and refusals that name the field."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from flask.testing import FlaskClient

from engine.documents.trust import anchors
from signing import testpki
from tests.signing.test_trust_store import SOURCE
from tests.support.office import Office
from tests.support.signing_office import VALID_FROM
from tests.webapp.test_api import BASE, token

TRUST = f"{BASE}/trust"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An authority that is not the office's own."""
    folder = tmp_path_factory.mktemp("roots") / "pki"
    testpki.create(folder, [testpki.PersonSpec("x", "X", "X", "X", "1", "135790")], [], valid_from=VALID_FROM)
    return testpki.TestPki(folder).root


@pytest.fixture
def proposal(root: bytes) -> dict[str, Any]:
    pem = x509.load_der_x509_certificate(root).public_bytes(Encoding.PEM).decode()
    return {"certificate": pem, "source": SOURCE, "regime": "specialised", "hosts": ["ocsp.example.vn"]}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def named(answer: Any) -> dict[str, str]:
    """The fields a refusal is about, with what it says: one alone, or all that are of the wrong shape."""
    problem = answer.json
    assert answer.mimetype == "application/problem+json"
    return dict(problem["errors"]) if "errors" in problem else {problem["field"]: f"{problem['title']} {problem.get('detail', '')}"}


def test_one_person_proposes_another_approves_and_either_withdraws(
    office: Office, client: FlaskClient, root: bytes, proposal: dict[str, Any]
) -> None:
    first, second = token(office, "administrator"), token(office, "inspector")
    home = office.runtime.settings.home

    made = client.post(TRUST, json=proposal, headers=first)
    assert made.status_code == 201, made.text
    told, sha256 = made.json, made.json["sha256"]
    assert (told["state"], told["regime"], told["role"], told["hosts"]) == ("proposed", "specialised", "anchor", ["ocsp.example.vn"])
    assert told["known_root"] is False
    assert root not in anchors(home).anchors
    one_hand = client.post(f"{TRUST}/{sha256}/approval", headers=first)
    assert (one_hand.status_code, one_hand.json["code"]) == (422, "trust.one_hand")
    assert root not in anchors(home).anchors

    approved = client.post(f"{TRUST}/{sha256}/approval", headers=second)
    assert (approved.status_code, approved.json["state"]) == (200, "approved")
    assert approved.json["approved_by"] not in ("", told["proposed_by"])
    assert root in anchors(home).anchors
    again = client.post(f"{TRUST}/{sha256}/approval", headers=second)
    assert (again.status_code, again.json["code"]) == (422, "trust.not_proposed")
    store = client.get(TRUST, headers=second).json
    assert [(one["sha256"], one["state"], one["source"]) for one in store["authorities"]] == [(sha256, "approved", SOURCE)]
    assert (set(store["wanted"]), store["faults"], store["me"]) == ({"public"}, {}, approved.json["approved_by"])

    withdrawn = client.post(f"{TRUST}/{sha256}/withdrawal", headers=first)
    assert (withdrawn.status_code, withdrawn.json["state"]) == (200, "withdrawn")
    assert root not in anchors(home).anchors
    assert client.post(f"{TRUST}/{sha256}/withdrawal", headers=second).json["code"] == "trust.withdrawn"


def test_nobody_else_sees_or_touches_the_store_and_a_token_that_reads_only_reads(
    office: Office, client: FlaskClient, proposal: dict[str, Any]
) -> None:
    sha256 = client.post(TRUST, json=proposal, headers=token(office, "administrator")).json["sha256"]
    nobody, reader = token(office, "specialist"), token(office, "inspector", scopes=["read"])

    acts = [("GET", TRUST), ("POST", TRUST), ("POST", f"{TRUST}/{sha256}/approval"), ("POST", f"{TRUST}/{sha256}/withdrawal")]
    for method, path in acts:
        sent = {"json": proposal} if path == TRUST and method == "POST" else {}
        assert client.open(path, method=method, **sent).status_code == 401
        assert client.open(path, method=method, headers=nobody, **sent).status_code == 403, (method, path)
        assert client.open(path, method=method, headers=reader, **sent).status_code == (200 if method == "GET" else 403), (method, path)
    # Who inspects is a second person, never the first.
    assert client.post(TRUST, json=proposal, headers=token(office, "inspector")).status_code == 403
    assert [one["state"] for one in client.get(TRUST, headers=reader).json["authorities"]] == ["proposed"]


def test_what_is_wrong_names_its_field_in_the_language_of_the_asker_and_leaves_nothing(
    office: Office, client: FlaskClient, proposal: dict[str, Any]
) -> None:
    headers = token(office, "administrator")
    cases = [
        ({"certificate": "nothing"}, "certificate", "không phải chứng thư số", "not an authority"),
        ({"source": "web"}, "source", "Chưa ghi nguồn", "source of the certificate is missing"),
        ({"hosts": ["169.254.169.254"]}, "hosts", "169.254.169.254", "no host name that can be used"),
        ({"regime": "own"}, "regime", "regime", "regime"),
        ({"role": "leaf"}, "role", "role", "role"),
        ({"hosts": "ocsp.example.vn"}, "hosts", "hosts", "hosts"),
    ]
    for wrong, field, *said in cases:
        for language, words in zip(("vi", "en"), said, strict=True):
            refused = client.post(TRUST, json={**proposal, **wrong}, headers={**headers, "Accept-Language": language})
            assert refused.status_code == 422, (wrong, refused.text)
            assert list(named(refused)) == [field], (wrong, refused.json)
            assert words in named(refused)[field], (wrong, refused.json)
    missing = client.post(TRUST, json={}, headers=headers)
    assert set(named(missing)) == {"certificate", "source"}
    assert client.post(f"{TRUST}/{'00' * 32}/approval", headers=headers).json["code"] == "trust.unknown"
    assert client.get(TRUST, headers=headers).json["authorities"] == []

    assert client.post(TRUST, json=proposal, headers=headers).status_code == 201
    twice = client.post(TRUST, json=proposal, headers={**headers, "Accept-Language": "en"})
    assert (twice.status_code, list(named(twice))) == (422, ["certificate"])


def test_an_authority_that_has_ended_is_refused_at_its_field(office: Office, client: FlaskClient, proposal: dict[str, Any]) -> None:
    office.clock.at += timedelta(days=40 * 365)
    refused = client.post(TRUST, json=proposal, headers={**token(office, "administrator"), "Accept-Language": "en"})
    assert (refused.status_code, refused.json["code"], list(named(refused))) == (422, "trust.expired", ["certificate"])
