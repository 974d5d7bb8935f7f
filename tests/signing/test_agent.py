"""The signing agent on the signer's computer: answers one office only, shows what it signs, asks for the PIN itself, signs once."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from asn1crypto import cms, core

from engine.settings import ROOT
from signing import pades
from signing.agent.approvals import Approvals, Asked
from signing.agent.contents import check_code, require_attributes
from signing.agent.door import canonical_origin
from signing.agent.form import pin_and_act
from signing.errors import SigningError
from signing.keys import check_raw, fingerprint, mechanism_for
from signing.model import LEADER, Prepared
from signing.vault import Vault
from tests.support.agents import ORIGIN, AgentProcess, agent_of
from tests.support.memory import SEEN, spread
from tests.support.signing_office import Office, examined, make_hierarchy, refused
from tests.support.tokens import PIN, Token, make_token


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """One office for the module; its documents differ from test to test."""
    folder = tmp_path_factory.mktemp("agent") / "office"
    make_hierarchy(folder)
    return Office(folder)


@pytest.fixture(scope="module")
def token(office: Office) -> Token:
    return make_token(office.folder / "computer", office.folder / "keys", office.pins, "lan", "binh")


@pytest.fixture(scope="module")
def agent(office: Office, token: Token) -> Iterator[AgentProcess]:
    with agent_of(token, office.folder / "agent") as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The memory of an agent of the test's own."""
    return tmp_path / "agent"


def prepared(office: Office, key_id: str = "lan", count: int = 1) -> list[Prepared]:
    pdf = office.with_fields()
    return [pades.prepare(pdf, LEADER, office.pki.certificate(key_id), office.now) for _ in range(count)]


def certificate(office: Office, key_id: str = "lan") -> str:
    return fingerprint(office.pki.certificate(key_id).der)


def test_it_reads_the_token_s_certificates_with_those_above_them(agent: AgentProcess, office: Office) -> None:
    told = agent.look("certificates").json["certificates"]

    assert {one["sha256"] for one in told} == {certificate(office, "lan"), certificate(office, "binh")}
    for one in told:
        assert [base64.b64decode(der) for der in one["chain"]][:1] == [office.pki.issuing]


@pytest.mark.parametrize("key_id", ["lan", "binh"], ids=["ecdsa", "rsa-pss"])
def test_a_batch_is_shown_signed_with_one_pin_and_verifies(agent: AgentProcess, office: Office, key_id: str) -> None:
    batch = prepared(office, key_id, 3)
    names = ["Quyết định <b>số 1</b>", "Giấy phép", "Bản sao"]

    asked = agent.ask(certificate(office, key_id), [one.to_sign for one in batch], names).json
    page = agent.request("GET", asked["page"].removeprefix(agent.address)).text
    done = agent.form(asked["page"])
    told = agent.look(f"approvals/{asked['id']}").json

    assert asked["state"] == "waiting"
    assert ORIGIN in page
    assert office.pki.certificate(key_id) is not None
    for name, one in zip(["Quyết định &lt;b&gt;số 1&lt;/b&gt;", *names[1:]], batch, strict=True):
        assert f"<td>{name}</td><td><code>{one.check_code}</code></td>" in page, "the code of the signing room"
    assert "Đã ký" in done.text
    assert told["state"] == "signed"
    for one, raw in zip(batch, told["signatures"], strict=True):
        answer = base64.b64decode(raw)
        signed = pades.finish(one.pdf, one.state, answer, office.tsa.token(pades.imprint(answer), office.now))
        assert examined(office, signed).signatures[0].indication == "PASSED"


def test_a_hundred_take_one_pin_and_a_hundred_and_first_is_refused(agent: AgentProcess, office: Office) -> None:
    [one] = prepared(office)
    hundred = [varied(one.to_sign, number) for number in range(101)]

    given = agent.sign(certificate(office), hundred[:100])
    more = agent.ask(certificate(office), hundred)

    der = office.pki.certificate("lan").der
    for content, raw in zip(hundred, given, strict=False):
        check_raw(der, mechanism_for(der), raw, content)
    assert (more.status, more.json["code"], more.json["facts"]) == (422, "agent.batch_size", {"most": 100})


def varied(content: bytes, number: int) -> bytes:
    """The same attributes over another document."""
    attributes = cms.CMSAttributes.load(content)
    for one in attributes:
        if one["type"].native == "message_digest":
            one["values"] = [core.OctetString(number.to_bytes(32, "big"))]
    return bytes(cms.CMSAttributes(list(attributes)).dump(force=True))


# -- never a second signature --------------------------------------------------------------------------------------------------------------


def test_what_was_signed_is_answered_again_by_content_without_pin_or_token(agent: AgentProcess, office: Office, token: Token) -> None:
    contents = [one.to_sign for one in prepared(office, count=2)]
    first = agent.sign(certificate(office), contents)
    token.pull_out()
    again = agent.ask(certificate(office), contents).json
    by_content = agent.post(
        "answered", {"certificate": certificate(office), "contents": [base64.b64encode(one).decode() for one in [*contents, b"other"]]}
    ).json
    token.plug_in()

    assert again["state"] == "signed"
    assert [base64.b64decode(one) for one in again["signatures"]] == first
    assert [one and base64.b64decode(one) for one in by_content["signatures"]] == [*first, None]


def test_an_answer_outlives_the_agent(office: Office, token: Token, home: Path) -> None:
    contents = [one.to_sign for one in prepared(office)]
    with agent_of(token, home) as running:
        first = running.sign(certificate(office), contents)
    with agent_of(token, home) as running:
        assert running.sign(certificate(office), contents) == first


def test_the_same_documents_asked_twice_are_one_approval_and_others_take_its_place(agent: AgentProcess, office: Office) -> None:
    one, two = (item.to_sign for item in prepared(office, count=2))
    first = agent.ask(certificate(office), [one]).json
    same = agent.ask(certificate(office), [one]).json
    other = agent.ask(certificate(office), [two]).json

    assert first["id"] == same["id"] != other["id"]
    assert agent.look(f"approvals/{first['id']}").json["code"] == "agent.replaced"
    assert "thay bằng yêu cầu mới" in agent.form(first["page"]).text
    assert agent.post("answered", {"certificate": certificate(office), "contents": [base64.b64encode(one).decode()]}).json == {
        "signatures": [None]
    }


# -- what the owner of the token may meet --------------------------------------------------------------------------------------------------


def test_a_wrong_pin_says_what_is_left_and_the_third_stops_before_the_token_locks(office: Office, token: Token, home: Path) -> None:
    contents = [one.to_sign for one in prepared(office)]
    with agent_of(token, home) as running:
        asked = running.ask(certificate(office), contents).json
        said = [running.form(asked["page"], "000000") for _ in range(3)]
        assert [one.status for one in said] == [422, 422, 200]
        assert "Còn 2 lần thử" in said[0].text
        assert "Còn 1 lần thử" in said[1].text
        assert "--unlock" in said[2].text
        told = running.look(f"approvals/{asked['id']}").json
        assert (told["state"], told["code"], told["signatures"]) == ("failed", "agent.pin_locked", [])
        again = running.ask(certificate(office), contents).json
        assert "--unlock" in running.form(again["page"]).text, "the right PIN does not help any more"
    with agent_of(token, home, more=["--unlock"]) as running:
        assert running.sign(certificate(office), contents)


def test_a_lock_is_not_opened_by_asking_again_for_what_is_known(office: Office, token: Token, home: Path) -> None:
    known, new = (one.to_sign for one in prepared(office, count=2))
    with agent_of(token, home) as running:
        running.sign(certificate(office), [known])
        for _ in range(2):
            running.form(running.ask(certificate(office), [new]).json["page"], "000000")
            running.ask(certificate(office), [known])
        asked = running.ask(certificate(office), [new]).json
        running.form(asked["page"], "000000")
        assert running.look(f"approvals/{asked['id']}").json["code"] == "agent.pin_locked"


def test_a_token_pulled_out_costs_nothing_and_put_back_it_signs(agent: AgentProcess, office: Office, token: Token) -> None:
    asked = agent.ask(certificate(office), [prepared(office)[0].to_sign]).json
    token.pull_out()
    without = agent.form(asked["page"])
    elsewhere = agent.ask(certificate(office), [prepared(office)[0].to_sign])
    token.plug_in()

    assert without.status == 422
    assert re.search("Token đã bị rút|Không thấy token|Token báo lỗi", without.text)
    assert "chưa có gì được ký" in without.text
    assert elsewhere.json["code"] in ("agent.certificate_missing", "custody.device_failed")
    assert "Đã ký" in agent.form(agent.ask(certificate(office), [prepared(office)[0].to_sign]).json["page"]).text


def test_another_person_s_token_is_said(agent: AgentProcess, office: Office) -> None:
    answer = agent.ask(certificate(office, "canary"), [prepared(office, "canary")[0].to_sign])

    assert (answer.status, answer.json["code"]) == (422, "agent.certificate_missing")


def test_the_owner_says_no_and_the_page_takes_back(agent: AgentProcess, office: Office) -> None:
    one, two = (item.to_sign for item in prepared(office, count=2))
    refused_one = agent.ask(certificate(office), [one]).json
    agent.form(refused_one["page"], act="refuse", pin="")
    taken_back = agent.ask(certificate(office), [two]).json
    agent.post(f"approvals/{taken_back['id']}/withdrawal", {})

    assert agent.look(f"approvals/{refused_one['id']}").json["code"] == "agent.refused"
    assert agent.look(f"approvals/{taken_back['id']}").json["code"] == "agent.withdrawn"
    assert "hủy yêu cầu" in agent.form(taken_back["page"]).text, "a PIN that comes too late signs nothing"
    assert agent.look(f"approvals/{taken_back['id']}").json["signatures"] == []


def test_an_empty_pin_is_no_try(agent: AgentProcess, office: Office) -> None:
    asked = agent.ask(certificate(office), [prepared(office)[0].to_sign]).json
    for _ in range(4):
        assert "Chưa nhập mã PIN" in agent.form(asked["page"], "").text
    assert "Đã ký" in agent.form(asked["page"]).text


def test_an_approval_nobody_gave_in_ten_minutes_is_over(office: Office, tmp_path: Path) -> None:
    at = [0.0]
    content, held = prepared(office)[0].to_sign, certificate(office)

    class Plugged:
        def find(self, _fingerprint: str) -> object:
            from signing.agent.device import DeviceCertificate
            from signing.token_keys import TokenKey

            return DeviceCertificate(office.pki.certificate("lan"), TokenKey("nowhere", "leaders", identifier="01"))

    approvals = Approvals(Plugged(), Vault(tmp_path / "home"), lambda: at[0])  # type: ignore[arg-type]
    asked = approvals.ask(held, [Asked("Quyết định", content)])
    at[0] = 601
    after = approvals.sign(asked.id, bytearray(PIN.encode()))

    assert (after.state, after.code, after.signatures) == ("expired", "agent.expired", ())


# -- who may ask ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://motcua.mau.gov.vn", ORIGIN + ".evil.example", ORIGIN + ":8443", "null", None]
)
def test_another_site_is_refused_and_reads_nothing(agent: AgentProcess, office: Office, origin: str | None) -> None:
    asked = agent.ask(certificate(office), [prepared(office)[0].to_sign]).json

    for method, path in (
        ("GET", "/v1/status"),
        ("GET", "/v1/certificates"),
        ("GET", f"/v1/approvals/{asked['id']}"),
        ("OPTIONS", "/v1/approvals"),
    ):
        answer = agent.request(method, path, Origin=origin)
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Access-Control-Allow-Private-Network" not in answer.headers
        assert certificate(office) not in answer.text
    sent = agent.request("POST", "/v1/approvals", b"{}", Origin=origin, Content_Type="application/json")
    assert (sent.status, sent.json["code"]) == (403, "agent.origin_wrong")


@pytest.mark.parametrize("host", ["motcua.mau.gov.vn", "evil.example:{port}", "127.0.0.1", "127.0.0.1:{port}.evil.example", None])
def test_a_name_made_to_point_here_is_refused(agent: AgentProcess, host: str | None) -> None:
    told = host and host.format(port=agent.port)
    for path in ("/", "/v1/status", "/approvals/x"):
        assert agent.request("GET", path, Host=told, Origin=ORIGIN).status == 403
    assert agent.request("POST", "/approvals/x", b"pin=1&act=sign", Host=told, Origin=agent.address).status == 403


def test_a_site_of_the_open_network_is_told_that_it_may_ask(agent: AgentProcess) -> None:
    answer = agent.request(
        "OPTIONS", "/v1/approvals", Origin=ORIGIN, Access_Control_Request_Method="POST", Access_Control_Request_Private_Network="true"
    )

    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Private-Network"] == "true"
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", [ORIGIN, "https://evil.example", "null", None])
def test_the_form_with_the_pin_is_taken_from_the_agent_s_own_page_only(agent: AgentProcess, office: Office, origin: str | None) -> None:
    asked = agent.ask(certificate(office), [prepared(office)[0].to_sign]).json

    answer = agent.form(asked["page"], Origin=origin)

    assert answer.status == 403
    assert agent.look(f"approvals/{asked['id']}").json["state"] == "waiting"


def test_the_page_with_the_pin_can_be_framed_scripted_or_kept_by_nobody(agent: AgentProcess, office: Office) -> None:
    asked = agent.ask(certificate(office), [prepared(office)[0].to_sign]).json
    page = agent.request("GET", asked["page"].removeprefix(agent.address))

    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in page.headers
    assert "<script" not in page.text


def test_it_listens_on_this_computer_only(agent: AgentProcess) -> None:
    import psutil

    listening = [one.laddr for one in psutil.Process(agent.process.pid).net_connections() if one.status == psutil.CONN_LISTEN]
    assert [(one.ip, one.port) for one in listening] == [("127.0.0.1", agent.port)]


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"", "application/json"), (b"[]", "application/json"), (b'{"certificate": 1}', "application/json"), (b"{}", "text/plain"),
     (b'{"certificate": "x", "documents": [{"name": "a", "content": "%%%"}]}', "application/json"), (b"\xff\xfe", "application/json"),
     (b"[" * 100_000, "application/json")],
)  # fmt: skip
def test_a_request_that_makes_no_sense_is_refused_and_the_agent_lives(agent: AgentProcess, body: bytes, kind: str) -> None:
    answer = agent.request("POST", "/v1/approvals", body, Origin=ORIGIN, Content_Type=kind)

    assert (answer.status, answer.json["code"]) in {(400, "agent.content_strange"), (422, "agent.content_strange")}
    assert agent.look("status").json["program"] == "motcua-agent"


def test_a_body_without_length_or_far_too_long_is_not_read(agent: AgentProcess) -> None:
    for length in ("", "-1", "99999999999", "0x10"):
        answer = agent.request("POST", "/v1/approvals", Origin=ORIGIN, Content_Type="application/json", Content_Length=length)
        assert answer.status == 400
        assert agent.request("POST", "/approvals/x", Origin=agent.address, Content_Length=length).status == 400


@pytest.mark.parametrize(
    ("address", "origin"),
    [("https://motcua.mau.gov.vn/signing?x=1", ORIGIN), ("HTTPS://Motcua.Mau.gov.vn:443/", ORIGIN), ("http://localhost:8000", "http://localhost:8000"),
     ("http://127.0.0.1:80", "http://127.0.0.1")],
)  # fmt: skip
def test_the_origin_is_written_as_browsers_write_it(address: str, origin: str) -> None:
    assert canonical_origin(address) == origin


@pytest.mark.parametrize(
    "address", ["http://motcua.mau.gov.vn", "ftp://x", "*", "", "https://", "https://me@x.vn", "https://x.vn:port", "file:///x"]
)
def test_an_origin_that_anybody_on_the_line_could_be_is_refused(address: str) -> None:
    with refused("agent.origin_invalid"):
        canonical_origin(address)


# -- what a key may sign -------------------------------------------------------------------------------------------------------------------


def attributes(office: Office) -> tuple[bytes, bytes]:
    return prepared(office)[0].to_sign, office.pki.certificate("lan").der


def test_a_key_signs_the_attributes_of_its_own_certificate_and_nothing_else(office: Office) -> None:
    content, der = attributes(office)
    require_attributes(content, der)

    def without(name: str) -> bytes:
        kept = [one for one in cms.CMSAttributes.load(content) if one["type"].native != name]
        return bytes(cms.CMSAttributes(kept).dump())

    twice = bytes(cms.CMSAttributes([*cms.CMSAttributes.load(content), next(iter(cms.CMSAttributes.load(content)))]).dump())
    token_of_time = bytes(
        cms.CMSAttributes(
            [
                cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}) if one["type"].native == "content_type" else one
                for one in cms.CMSAttributes.load(content)
            ]
        ).dump()
    )
    hostile = [
        b"", b"challenge of another service", content + b"\0", content[:-1], b"\x30" + content[1:], twice, token_of_time,
        without("message_digest"), without("content_type"), without("signing_certificate_v2"),
    ]  # fmt: skip
    for one in hostile:
        with refused("agent.content_strange"):
            require_attributes(one, der)
    with refused("agent.content_strange"):
        require_attributes(content, office.pki.certificate("binh").der)


def test_the_agent_itself_does_not_sign_a_challenge(agent: AgentProcess, office: Office) -> None:
    answer = agent.ask(certificate(office), [b"CertificateVerify: a challenge"])
    assert (answer.status, answer.json["code"]) == (422, "agent.content_strange")


def test_the_check_code_is_computed_from_the_bytes_not_told_by_the_page(office: Office) -> None:
    [one] = prepared(office)
    assert check_code(one.to_sign) == one.check_code


# -- the PIN -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "pin", "act"),
    [(b"pin=1234&act=sign", b"1234", "sign"), (b"act=refuse&pin=", b"", "refuse"),
     (b"pin=a%2Bb+c%C4%91&act=sign", "a+b cđ".encode(), "sign"),
     (b"", b"", ""), (b"pin=%zz&x=1", b"\0", ""), (b"pin=%4", b"%4", "")],
)  # fmt: skip
def test_the_form_is_read_without_making_texts(body: bytes, pin: bytes, act: str) -> None:
    assert pin_and_act(bytearray(body)) == (bytearray(pin), act)


SEARCHED = (
    SEEN
    + """
import sys, threading
from pathlib import Path
from signing.agent.approvals import Approvals
from signing.agent.device import Device
from signing.agent.door import Agent
from signing.vault import Vault

origin, library, home, pattern, control = sys.argv[1:]
agent = Agent(origin, Approvals(Device(library), Vault(Path(home))), 0)
threading.Thread(target=agent.serve, daemon=True).start()
print(agent.port, flush=True)
sys.stdin.readline()
print(seen(pattern), seen(control))
"""
)
CANARY = "Ca-Na-Ry-6620417733"


def test_the_pin_is_nowhere_after_use(office: Office, home: Path) -> None:
    """Neither on disk nor in memory; the agent searches its own memory, with a pattern that is not the PIN."""
    from tests.support.tokens import LIBRARY

    token = make_token(home.parent / "computer", office.folder / "keys", office.pins, "lan", pin=CANARY)
    command = [sys.executable, "-c", SEARCHED, ORIGIN, LIBRARY, str(home), f"{spread(CANARY)}|{spread(CANARY[::-1])}", spread(ORIGIN)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=token.environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        running = AgentProcess(int(process.stdout.readline()), ORIGIN, process)
        contents = [one.to_sign for one in prepared(office, count=2)]
        running.form(running.ask(certificate(office), contents[:1]).json["page"], CANARY[::-1])
        assert running.sign(certificate(office), contents, CANARY)
        process.stdin.write("\n")
        process.stdin.flush()
        out, said = process.communicate(timeout=60)
    hits, control = (int(part) for part in out.split())
    assert control >= 1, "the search must find what certainly is there"
    assert hits == 0
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert kept
    for pin in (CANARY, CANARY[::-1]):
        assert pin not in out + said
        assert [path.name for path in kept if pin.encode() in path.read_bytes()] == []
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)


def test_a_missing_driver_and_a_taken_port_are_said(office: Office, token: Token, agent: AgentProcess) -> None:
    def said(*more: str) -> str:
        command = [sys.executable, "-m", "signing.agent", "--origin", ORIGIN, "--home", str(office.folder / "other"), *more]
        done = subprocess.run(command, env=token.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1
        return done.stderr

    from tests.support.tokens import LIBRARY

    assert "agent.library_missing" in said("--library", "/nowhere/driver.so")
    assert "agent.port_taken" in said("--library", LIBRARY, "--port", str(agent.port))


def test_a_driver_that_is_none_is_said_on_the_first_page(office: Office, tmp_path: Path) -> None:
    from signing.agent.device import Device

    wrong = tmp_path / "driver.so"
    wrong.write_bytes(b"not a library")
    with pytest.raises(SigningError) as problem:
        Device(str(wrong)).certificates()
    assert problem.value.code == "custody.device_failed"
