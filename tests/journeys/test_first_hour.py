"""The first hour of an office without demonstration data: from an empty machine to the first dossier, all in the browser."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from engine.settings import ROOT, environment
from tests.journeys.conftest import Installation
from tests.journeys.installed import ask, until
from tests.journeys.steps import Person, approve, issue, person, receive, sign

ADMINISTRATOR, SECRET = "quantri@tinhmau.vn", "một câu dài dễ nhớ"
PIN = "864209"
PEOPLE = {
    # who: name, title, unit, role
    "approver": ("Hoàng Thu Hà", "Chánh Văn phòng", "commune", "procedure_approver"),
    "head": ("Nguyễn Văn Ân", "Chủ tịch", "commune", "head"),
    "specialist": ("Võ Ái Liên", "Chuyên viên", "commune", "specialist"),
    "clerk": ("Nguyễn Thị Út", "Văn thư", "commune", "agency_clerk"),
    "reception": ("Lê Ngọc Ánh", "Cán bộ tiếp nhận", "centre", "reception_officer"),
}


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Installation]:
    """An installation started with --no-demo, and its first administrator made by the command the README names."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home, said = tmp_path / "home", tmp_path / "said"
    given = environment(MOTCUA_HOME=str(home), MOTCUA_DATABASE_URL=None, MOTCUA_DEMO=None)
    with said.open("wb") as out:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "engine.cli", "serve", "--no-demo", "--port", str(port)],
            cwd=ROOT, env=given, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    try:
        until(lambda: b"Ready:" in said.read_bytes() or supervisor.poll() is not None, 300)
        assert supervisor.poll() is None, said.read_text()
        made = subprocess.run(
            [sys.executable, "-m", "engine.cli", "admin", "create", ADMINISTRATOR, "--name", "Phạm Quản Trị", "--password-stdin"],
            cwd=ROOT, env=given, input=SECRET + "\n", capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        yield Installation(f"http://localhost:{port}", home, supervisor)
    finally:
        os.killpg(supervisor.pid, signal.SIGINT)
        supervisor.wait(60)


def sign_in(one: Person, name: str, password: str) -> Page:
    page = one.open("/login")
    page.get_by_label("Tên đăng nhập").fill(name)
    page.get_by_label("Mật khẩu").fill(password)
    page.get_by_role("button", name="Đăng nhập").click()
    page.wait_for_url(re.compile("^(?!.*/login$)"))
    return page


def step(page: Page, number: int) -> str:
    """What the guide says of one step: done or not yet."""
    return page.locator("ol > li").nth(number - 1).inner_text()


def press(page: Page, name: str) -> None:
    page.locator("main").get_by_role("button", name=name, exact=True).last.click()
    expect(page.locator(".field-error")).to_have_count(0)


def add_unit(page: Page, name: str, level: str, code: str, parent: str = "") -> None:
    page.get_by_label("Tên đầy đủ").fill(name)
    page.locator("[name=level]").select_option(level)
    page.get_by_label("Mã định danh").last.fill(code)
    if parent:
        page.locator("[name=parent]").select_option(label=parent)
    page.get_by_label("Địa danh in trên văn bản").fill("An Mẫu")
    page.get_by_label("Văn bản thành lập").fill("Quyết định số 1/QĐ-UBND ngày 01/7/2025")
    page.locator("main form .btn-primary").last.click()
    page.locator("tbody").get_by_text(code, exact=True).wait_for()


def test_an_empty_office_takes_its_first_dossier_within_the_first_hour(chromium: Browser, empty: Installation, paper: Path, tmp_path: Path):
    opened: list[Person] = []

    def window() -> Person:
        opened.append(person(chromium, empty.address))
        return opened[-1]

    admin = window()
    page = sign_in(admin, ADMINISTRATOR, SECRET)
    page = admin.open("/admin")
    assert [("chưa có" in step(page, n)) for n in range(1, 6)] == [True] * 5
    admin.picture("first-hour-1366")

    # 1. Units
    admin.page.get_by_role("link", name="Thêm đơn vị").click()
    names = {"commune": "Ủy ban nhân dân xã An Mẫu", "centre": "Trung tâm Phục vụ hành chính công xã An Mẫu"}
    add_unit(page, names["commune"], "commune", "H99.20")
    details = page.locator("details", has_text="Thêm đơn vị")
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    add_unit(page, names["centre"], "centre", "H99.20.01", names["commune"])

    # 2. and 3. People, their posts, their accounts
    passwords: dict[str, str] = {}
    for who, (name, title, unit, role) in PEOPLE.items():
        admin.open("/admin/people")
        add = page.locator("details", has_text="Thêm người")
        if add.count() and add.get_attribute("open") is None:
            add.locator("summary").click()
        page.get_by_label("Họ và tên").fill(name)
        page.get_by_label("Thư điện tử").last.fill(f"{who}@tinhmau.vn")
        page.locator("main form .btn-primary").last.click()
        page.wait_for_url(re.compile("/admin/people/"))
        page.locator("summary", has_text="Hoặc lập vị trí mới").click()
        page.locator("[name=title]").fill(title)
        page.locator("[name=unit]").select_option(label=names[unit])
        page.locator("[name=role]").select_option(role)
        page.locator("[name=basis]").fill("Quyết định số 5/QĐ-UBND")
        page.get_by_role("button", name="Bổ nhiệm").click()
        page.get_by_text(title, exact=True).first.wait_for()
        page.get_by_role("button", name="Cấp tài khoản").click()
        passwords[who] = page.locator("dl code").inner_text()

    # 4. Keys: the holder types the PIN, sealed in the browser
    for holder in (PEOPLE["head"][0], names["commune"]):
        admin.open("/admin/keys")
        form = page.locator("details", has_text="Cấp khóa")
        if form.get_attribute("open") is None:
            form.locator("summary").click()
        label = next(text for text in page.locator("[name=holder] option").all_inner_texts() if holder in text)
        page.locator("[name=holder]").select_option(label=label)
        page.locator("[data-pin]").fill(PIN)
        form.locator(".btn-primary").last.click()
        page.locator("tbody").get_by_text(re.compile(holder)).first.wait_for()

    # 5. The first procedure: the administrator designs, a second person publishes
    admin.open("/designer")
    page.get_by_role("button", name=re.compile("2.000815")).click()
    page.wait_for_url(re.compile("/proposals/"))
    proposal = page.url
    expect(page.get_by_text("Cần người thứ hai công bố")).to_be_visible()

    second = window()
    page2 = sign_in(second, "approver@tinhmau.vn", passwords["approver"])
    change(second, passwords["approver"], "câu riêng của chánh văn phòng")
    page2.goto(proposal)
    page2.get_by_label("Căn cứ").fill("Quyết định số 7/QĐ-UBND")
    page2.get_by_role("button", name="Công bố").click()
    page2.wait_for_url(re.compile("^(?!.*proposals)"))

    admin.open("/admin")
    assert [("chưa có" in step(page, n)) for n in range(1, 6)] == [False] * 5
    admin.picture("first-hour-done-1366")

    # and the counter takes the first dossier, an officer examines it
    desk = window()
    sign_in(desk, "reception@tinhmau.vn", passwords["reception"])
    change(desk, passwords["reception"], "câu riêng của quầy số một")
    code, _ = receive(desk, paper, tmp_path)
    officer = window()
    sign_in(officer, "specialist@tinhmau.vn", passwords["specialist"])
    change(officer, passwords["specialist"], "câu riêng của chuyên viên")
    approve(officer, code)
    leader = window()
    sign_in(leader, "head@tinhmau.vn", passwords["head"])
    change(leader, passwords["head"], "câu riêng của chủ tịch")
    sign(leader, code, PIN)
    clerk = window()
    sign_in(clerk, "clerk@tinhmau.vn", passwords["clerk"])
    change(clerk, passwords["clerk"], "câu riêng của văn thư")
    issue(clerk, code, PIN)
    assert empty.motcua("audit", "verify").returncode == 0
    assert ask(empty, "select state from document where kind = 'result'") == "issued"
    assert [complaint for one in opened for complaint in one.wrong] == []
    for one in opened:
        one.context.close()


def change(one: Person, first: str, fresh: str) -> None:
    """Set one's own password at the first sign-in, as everybody must."""
    page = one.page
    page.get_by_label("Mật khẩu hiện tại").fill(first)
    page.get_by_label("Mật khẩu mới", exact=True).fill(fresh)
    page.get_by_label("Nhập lại mật khẩu mới").fill(fresh)
    page.get_by_role("button", name="Đổi mật khẩu").click()
    page.get_by_text("Đã đổi mật khẩu").first.wait_for()
