"""A leader with a USB token in a real Chromium: signing room, agent with its own page, token; nothing between them is played."""

from __future__ import annotations

import dataclasses
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from tests.journeys.steps import PICTURES, Person, person
from tests.journeys.test_walk import AXE, TAGS
from tests.support.agents import agent_of
from tests.support.device import P12_PIN, TokenHolder, issue, register
from tests.support.office import Office
from tests.support.tokens import Token, make_token
from tests.support.visitors import PASSWORD, account_of
from tests.webapp.test_signing_room import waiting
from webapp import create_app

pytestmark = pytest.mark.browser
NOBODY = ("ERR_CONNECTION_REFUSED", "ERR_FAILED", "CORS policy", "external http://127.0.0.1:")
"""What Chromium writes to its console while no agent answers this site."""


def apart(act: Callable[..., Any], *given: Any) -> Any:
    """Do something in a thread without the browser driver's event loop: judging a certificate runs one of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act, *given).result()


@pytest.fixture
def holder(office: Office) -> TokenHolder:
    made: TokenHolder = apart(register, office, "head")
    return made


@pytest.fixture
def token(holder: TokenHolder, tmp_path: Path) -> Token:
    return make_token(tmp_path / "computer", holder.folder, {holder.name: P12_PIN}, holder.name)


@pytest.fixture
def port(office: Office) -> int:
    """Where the office expects the agent on the signer's computer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
    office.runtime.settings = dataclasses.replace(office.runtime.settings, agent_port=free)
    return free


@pytest.fixture
def address(office: Office, port: int) -> Iterator[str]:
    """The office's site."""
    server = make_server("127.0.0.1", 0, create_app(office.runtime), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()


def enter(chromium: Browser, office: Office, address: str, who: str) -> Person:
    """Somebody before a browser of their own, signed in."""
    account_of(office, who)
    one = person(chromium, address)
    page = one.open("/login")
    page.get_by_label(re.compile("Thư điện tử|Email|Tên đăng nhập")).first.fill(f"{who}@mau.example")
    page.locator("input[type=password]").first.fill(PASSWORD)
    page.locator("input[type=password]").first.press("Enter")
    page.wait_for_url(re.compile("/(desk|signing|admin)"))
    return one


def leave(one: Person) -> None:
    one.context.close()
    assert [said for said in one.wrong if not said.startswith("external http://127.0.0.1:")] == [], "the agent alone is spoken to elsewhere"


@pytest.fixture
def leader(chromium: Browser, office: Office, holder: TokenHolder, address: str) -> Iterator[Person]:
    one = enter(chromium, office, address, "head")
    yield one
    leave(one)


def press(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Ký( số| \\d+ văn bản)")).click()


def at_agent(page: Page) -> Page:
    """Open the agent's own window by the link of the signing room."""
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Mở cửa sổ nhập mã PIN").click()
    opened.value.wait_for_load_state()
    return opened.value


def type_pin(window: Page, pin: str) -> None:
    window.get_by_label("Mã PIN của USB token").fill(pin)
    window.get_by_role("button", name="Ký", exact=True).click()


def judged(window: Page) -> list[str]:
    window.evaluate(AXE.read_text("utf-8"))
    found = window.evaluate("o => axe.run(document, o)", {"runOnly": TAGS, "resultTypes": ["violations"]})
    return [f"{v['id']}: {n['target']}" for v in found["violations"] for n in v["nodes"]]


def test_a_leader_signs_with_a_usb_token(
    leader: Person, office: Office, holder: TokenHolder, token: Token, port: int, address: str, tmp_path: Path
) -> None:
    codes = waiting(office, 3)
    page = leader.open(f"/signing/{office.open_task(codes[0]).id}")
    assert page.locator("input[type=password]").count() == 0

    press(page)
    expect(page.locator("[data-agent-status]")).to_contain_text("Chưa thấy chương trình ký", timeout=60_000)
    with agent_of(token, tmp_path / "other", origin="https://motcua.khac.gov.vn", port=port):
        press(page)
        expect(page.locator("[data-agent-status]")).to_contain_text("phục vụ trang khác", timeout=60_000)
    assert office.open_task(codes[0]).action == "sign", "nothing was approved while nobody could sign it"
    assert [said for said in leader.wrong if not any(known in said for known in NOBODY)] == []
    leader.wrong.clear()

    with agent_of(token, tmp_path / "agent", origin=address, port=port) as agent:
        # One document: the codes of both screens, a wrong PIN, the right one.
        code = page.locator("code.check-code").first.inner_text()
        press(page)
        window = at_agent(page)
        expect(window.locator("tbody code")).to_have_text(code)
        expect(window.locator(".origin")).to_have_text(address)
        leader.picture("usb-signing-room-1366", whole=True)
        PICTURES.mkdir(parents=True, exist_ok=True)
        window.screenshot(path=PICTURES / "usb-agent-1366.png")
        assert judged(window) == []
        type_pin(window, "000000")
        expect(window.get_by_role("alert")).to_contain_text("Còn 2 lần thử")
        window.set_viewport_size({"width": 360, "height": 740})
        assert window.evaluate("document.documentElement.scrollWidth") <= 360
        window.screenshot(path=PICTURES / "usb-agent-360.png")
        type_pin(window, "864209")
        expect(window.get_by_role("status")).to_contain_text("Đã ký")
        page.wait_for_url(re.compile(str(office.open_task(codes[1]).id)), timeout=60_000)
        expect(page.get_by_text("Đã ký:")).to_be_visible()
        assert office.open_task(codes[0]).action == "issue"
        window.close()

        # Two at once: refused at the agent, said at the field, then signed with one PIN.
        leader.open("/signing/batch?" + "&".join(f"task={office.open_task(one).id}" for one in codes[1:]))
        press(page)
        window = at_agent(page)
        assert window.locator("tbody tr").count() == 2
        window.get_by_role("button", name="Từ chối").click()
        expect(page.locator("#field-pin-error")).to_contain_text("đã từ chối", timeout=60_000)
        window.close()
        press(page)
        expect(page.locator("[data-agent-waiting]")).to_be_visible()
        page.get_by_role("button", name="Hủy lần ký này").click()
        expect(page.locator("#field-pin-error")).to_contain_text("Đã hủy", timeout=60_000)
        press(page)
        window = at_agent(page)
        type_pin(window, "864209")
        page.wait_for_url(re.compile("/signing/batch"), timeout=60_000)
        expect(page.get_by_text("Đã ký 2 văn bản.")).to_be_visible(timeout=60_000)
        assert [office.open_task(one).action for one in codes] == ["issue"] * 3
        window.close()

        # The page that tells how the agent is started sees it, and the token.
        leader.open("/signing/agent")
        page.get_by_role("button", name="Kiểm tra trên máy này").click()
        expect(page.get_by_text("Sẵn sàng ký")).to_be_visible(timeout=60_000)
        leader.picture("usb-agent-help-1366", whole=True)
        assert judged(page) == []
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert agent.process.poll() is None


def test_an_answer_lost_with_the_browser_is_fetched_without_a_second_signature(
    leader: Person, office: Office, holder: TokenHolder, token: Token, port: int, address: str, tmp_path: Path
) -> None:
    (code,) = waiting(office)
    where = f"/signing/{office.open_task(code).id}"
    with agent_of(token, tmp_path / "agent", origin=address, port=port):
        page = leader.open(where)
        press(page)
        window = at_agent(page)
        page.goto("about:blank")  # the signing room is gone before the PIN is typed
        type_pin(window, "864209")
        expect(window.get_by_role("status")).to_contain_text("Đã ký")
        window.close()
        assert office.open_task(code).action == "sign"
        token.pull_out()
        leader.open(where)
        press(page)
        expect(page.get_by_text("Đã ký:")).to_be_visible(timeout=60_000)
    assert office.open_task(code).action == "issue"


def test_an_administrator_registers_what_the_agent_reads_from_the_token(
    chromium: Browser, office: Office, port: int, address: str, tmp_path: Path
) -> None:
    made: TokenHolder = apart(issue, office, "head")
    plugged = make_token(tmp_path / "computer", made.folder, {made.name: P12_PIN}, made.name)
    one = enter(chromium, office, address, "administrator")
    page = one.open("/admin/keys")
    page.get_by_text("Đăng ký khóa trên USB token").click()
    with agent_of(plugged, tmp_path / "agent", origin=address, port=port):
        page.get_by_role("button", name="Đọc từ token").click()
        expect(page.locator("#field-token-certificate")).to_contain_text("Lê Hoàng Nam", timeout=60_000)
    form = page.locator("form[action$='/admin/keys/device']")
    form.get_by_label("Người giữ").select_option(label="Lê Hoàng Nam")
    assert judged(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    form.get_by_role("button", name="Đăng ký khóa").click()
    expect(page.get_by_text("Đã đăng ký khóa trên USB token")).to_be_visible(timeout=60_000)
    assert page.get_by_text("trên USB token của người giữ").count() == 1
    leave(one)
