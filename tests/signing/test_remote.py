"""Remote signing against services on this machine that delay, refuse, answer twice, answer for another document or lose the answer."""

from __future__ import annotations

import base64
import json
import threading
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from asn1crypto import algos
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import pkcs12

from signing import pades
from signing.errors import SigningError
from signing.keys import PSS, mechanism
from signing.model import LEADER, SignerCertificate
from signing.remote import _PSS_PARAMETERS, CloudKey, PolledKey, RemoteKey, Service
from signing.report import Verdict
from tests.support.signing_office import Office, examined, refused

PIN = "canary-271828"
CONTENTS = [b"first", b"second", b"third"]
Change = Callable[[list[Any]], list[Any]]


class Provider:
    """A signing service of both kinds on a free port; its owner's conduct is set by each test."""

    def __init__(self, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
        self.key = key
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.change: Change = lambda answers: answers
        self.refuse = self.lose_answer = False
        self.states: list[str | int] = []
        self._sent: dict[str, list[dict[str, Any]]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = provider.answer(self.path, body)
                if status == 0:
                    self.close_connection = True
                    return
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.service = Service(f"http://127.0.0.1:{self.server.server_port}/v1")

    def count(self, path: str) -> int:
        return sum(1 for one, _ in self.calls if one == f"/v1/{path}")

    def raw(self, digest: bytes) -> str:
        hashed = utils.Prehashed(hashes.SHA256())
        if isinstance(self.key, rsa.RSAPrivateKey):
            signature = self.key.sign(digest, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashed)
        else:
            signature = self.key.sign(digest, ec.ECDSA(hashed))
        return base64.b64encode(signature).decode()

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.calls.append((path, body))
        if path.endswith("credentials/authorize"):
            return (400, {"error": "invalid_pin"}) if self.refuse or body["PIN"] != PIN else (200, {"SAD": "granted"})
        if path.endswith("signatures/signHash"):
            if self.lose_answer:
                return 0, None
            return 200, {"signatures": self.change([self.raw(base64.b64decode(one)) for one in body["hash"]])}
        if path.endswith("signatures/sign"):
            if self.refuse:
                return 403, {}
            self._sent[body["transaction_id"]] = body["sign_files"]
            return (0, None) if self.lose_answer else (200, {"message": "accepted"})
        state = self.states.pop(0) if self.states else "SUCCESS"
        if isinstance(state, int):
            return state, {}
        files = self._sent[path.split("/")[-2]]
        answers = [{"doc_id": one["doc_id"], "signature_value": self.raw(bytes.fromhex(one["data_to_be_signed"]))} for one in files]
        return 200, {"message": state, "data": {"signatures": self.change(answers) if state == "SUCCESS" else []}}


@pytest.fixture(params=["agency", "binh"], ids=["ecdsa", "rsa-pss"])
def key_id(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def provider(office: Office, key_id: str) -> Iterator[Provider]:
    made = Provider(loaded_key(office, key_id))
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def certificate(office: Office, key_id: str) -> SignerCertificate:
    return office.pki.certificate(key_id)


def cloud(provider: Provider, pin: str = PIN) -> CloudKey:
    return CloudKey(provider.service, "credential-1", pin)


def polled(provider: Provider, pauses: list[float] | None = None, questions: int = 5) -> PolledKey:
    kept = [] if pauses is None else pauses
    return PolledKey(provider.service, "motcua", PIN, "012345678901", "t-1", questions=questions, wait=kept.append)


def both(provider: Provider) -> list[RemoteKey]:
    return [cloud(provider), polled(provider)]


def loaded_key(office: Office, key_id: str) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    key = pkcs12.load_pkcs12((office.folder / "keys" / f"{key_id}.p12").read_bytes(), office.pins[key_id].encode()).key
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    return key


def codes(answers: list[Any]) -> list[str]:
    return [one.code if isinstance(one, SigningError) else "signed" for one in answers]


def test_the_parameters_sent_for_pss_are_those_the_signatures_carry() -> None:
    sent = algos.RSASSAPSSParams.load(base64.b64decode(_PSS_PARAMETERS))
    assert sent.native == mechanism(PSS)["parameters"].native


def test_a_batch_takes_one_authorisation_and_one_request(provider: Provider, certificate: SignerCertificate) -> None:
    assert codes(cloud(provider).sign(certificate, CONTENTS)) == ["signed"] * 3
    assert [path for path, _ in provider.calls] == ["/v1/credentials/authorize", "/v1/signatures/signHash"]
    authorised, signed = (body for _, body in provider.calls)
    assert authorised["hash"] == signed["hash"]
    assert authorised["numSignatures"] == 3
    assert "PIN" not in signed


def test_an_owner_who_takes_time_is_waited_for(provider: Provider, certificate: SignerCertificate) -> None:
    provider.states, pauses = ["PENDING", 503, "PENDING"], list[float]()
    assert codes(polled(provider, pauses).sign(certificate, CONTENTS)) == ["signed"] * 3
    assert pauses == [5, 5, 5]
    assert provider.count("signatures/sign") == 1


def test_a_lost_answer_is_fetched_and_never_asked_for_again(provider: Provider, certificate: SignerCertificate) -> None:
    provider.lose_answer = True
    assert codes(polled(provider).sign(certificate, CONTENTS)) == ["signed"] * 3
    assert codes(polled(provider).resume(certificate, CONTENTS)) == ["signed"] * 3
    assert provider.count("signatures/sign") == 1
    with refused("custody.remote_down"):
        cloud(provider).sign(certificate, CONTENTS)
    assert provider.count("signatures/signHash") == 1


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["PENDING"] * 9, "custody.remote_late"),
        (["EXPIRED"], "custody.remote_expired"),
        (["REJECTED"], "custody.remote_refused"),
        ([500] * 9, "custody.remote_down"),
        ([404], "custody.remote_refused"),
    ],
)
def test_no_approval_is_no_signature(provider: Provider, certificate: SignerCertificate, states: list[str | int], code: str) -> None:
    provider.states = list(states)
    with refused(code):
        polled(provider).sign(certificate, CONTENTS)
    assert provider.count("signatures/sign") == 1


def test_a_refusal_ends_it_before_anything_is_signed(provider: Provider, certificate: SignerCertificate) -> None:
    provider.refuse = True
    for key in both(provider):
        with refused("custody.remote_refused"):
            key.sign(certificate, CONTENTS)
    assert provider.count("signatures/signHash") == 0


def test_answers_for_other_documents_are_named_and_do_not_hide_the_good_one(provider: Provider, certificate: SignerCertificate) -> None:
    def exchanged(answers: list[Any]) -> list[Any]:
        if isinstance(answers[0], str):
            return [answers[1], answers[0], answers[2]]
        first, second = answers[0]["signature_value"], answers[1]["signature_value"]
        return [{**answers[0], "signature_value": second}, {**answers[1], "signature_value": first}, answers[2]]

    provider.change = exchanged
    for key in both(provider):
        assert codes(key.sign(certificate, CONTENTS)) == ["signing.answer_wrong", "signing.answer_wrong", "signed"]


def test_one_answer_too_many_is_not_chosen_from(provider: Provider, certificate: SignerCertificate) -> None:
    provider.change = lambda answers: [answers[0], *answers]
    with refused("custody.remote_nonsense"):
        cloud(provider).sign(certificate, CONTENTS)
    assert codes(polled(provider).sign(certificate, CONTENTS)) == ["custody.remote_nonsense", "signed", "signed"]


def test_a_missing_answer_is_a_refusal_of_that_document(provider: Provider, certificate: SignerCertificate) -> None:
    provider.change = lambda answers: answers[1:]
    assert codes(polled(provider).sign(certificate, CONTENTS)) == ["custody.remote_refused", "signed", "signed"]
    with refused("custody.remote_nonsense"):
        cloud(provider).sign(certificate, CONTENTS)


@pytest.mark.parametrize("value", [None, 7, "%%%", "", "AAAA", ["x"]])
def test_nonsense_in_place_of_a_signature_never_counts(provider: Provider, certificate: SignerCertificate, value: object) -> None:
    provider.change = lambda answers: [value if isinstance(one, str) else {**one, "signature_value": value} for one in answers]
    for key in both(provider):
        assert "signed" not in codes(key.sign(certificate, CONTENTS))


def test_the_pin_is_in_no_exception_no_representation_and_never_on_an_open_line(provider: Provider, certificate: SignerCertificate) -> None:
    provider.lose_answer, provider.states = True, [500] * 9
    for key in both(provider):
        with pytest.raises(SigningError) as failed:
            key.sign(certificate, CONTENTS)
        told = "".join(traceback.format_exception(failed.value)) + repr(failed.value.facts) + repr(key)
        assert PIN not in told
        assert failed.value.__cause__ is None
    with refused("custody.remote_away"):
        CloudKey(Service("http://signing.example.vn/v1"), "c", PIN).sign(certificate, CONTENTS)


def test_a_document_signed_remotely_in_two_phases_is_finished(office: Office, provider: Provider, certificate: SignerCertificate) -> None:
    prepared = pades.prepare(office.with_fields(), LEADER, certificate, office.now)
    (answer,) = cloud(provider).sign(certificate, [prepared.to_sign])
    assert isinstance(answer, bytes)
    report = examined(office, pades.finish(prepared.pdf, prepared.state, answer))
    assert [one.verdict for one in report.signatures] == [Verdict.VALID], report.reasons
