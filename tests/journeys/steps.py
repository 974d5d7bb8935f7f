"""The moves of a journey: what each person does in the browser, written once for all journeys."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

from engine.settings import ROOT

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-sync",
]
CARD = "001190012345|012345678|Nguyễn Thị Mai|17051990|Nữ|12 phố Huế, xã An Mẫu, Tỉnh Mẫu|01072021"
NUMBER = "001190012345"
RECEPTION, SPECIALIST, LEADER, CLERK, RETURNS = "Lê Thị Ngọc Ánh", "Võ Thị Ái Liên", "Nguyễn Văn Ân", "Nguyễn Thị Út", "Phùng Văn Ưng"
DESIGNER, APPROVER, INSPECTOR = "Vũ Minh Đạo", "Hoàng Thị Thu Hà", "Dương Đình Nghiêm"
RECEPTION_ACTS = 15
"""What a practised clerk may need at the most; the file dialog counts as the one choice it is."""
SUPPLEMENT_ACTS = 8
"""What an owner may need at the most to answer a supplement on a telephone, in two minutes: 15 s an act."""
LEADER_PIN, SEAL_PIN = "135791", "975310"
EXPECTED = ("status of 403", "status of 404", "status of 409", "status of 412", "status of 413", "status of 422")
"""Answers Chromium logs as errors although the page says them to people."""
PICTURES = ROOT / "var" / "reports" / "pictures"


@dataclass
class Person:
    """Somebody before a browser of their own; every console error, blocked script or request to elsewhere is collected."""

    page: Page
    context: BrowserContext
    address: str
    wrong: list[str]
    acts: int = 0
    """How often the person has typed, clicked, chosen or scanned since it was last set to zero."""

    def did(self, act: Callable[..., object], *given: object) -> None:
        """Do something with hand or reader, and count it."""
        self.acts += 1
        act(*given)

    def open(self, path: str) -> Page:
        """Go to a page of the office."""
        self.page.goto(self.address + path)
        return self.page

    def sign_in(self, name: str) -> Page:
        """Sign in with a demo account by one click."""
        self.open("/login")
        self.page.get_by_role("button", name=re.compile(name)).first.click()
        self.page.wait_for_url(re.compile("/(desk|counter|signing|documents|designer|admin|board)"))
        return self.page

    def open_task(self, code: str) -> Page:
        """Go to the open step of a dossier."""
        self.open(f"/desk/dossiers/{code}")
        self.page.get_by_role("link", name=re.compile("Mở việc|Open")).first.click()
        self.page.wait_for_url(re.compile("/(desk/tasks|signing|documents)/"))
        return self.page

    def picture(self, name: str, *, whole: bool = False) -> None:
        """Keep a picture for the documentation, under the reports of this run."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)


def person(browser: Browser, address: str, *, width: int = 1366, dark: bool = False, scripts: bool = True) -> Person:
    """A new browser window at the office's address."""
    context = browser.new_context(
        locale="vi-VN",
        timezone_id="Asia/Ho_Chi_Minh",
        viewport={"width": width, "height": 768 if width > 400 else 740},
        has_touch=width < 400,
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
    )
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" and not any(e in m.text for e in EXPECTED) else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else wrong.append(f"external {r.url}"))
    return Person(page, context, address, wrong)


def receive(clerk: Person, scan: Path, folder: Path, *, delivery: str = "counter") -> tuple[str, str]:
    """Receive a dossier: one scan of the card, one file, the fee, one button; returns its code and the access code of the receipt."""
    page = clerk.open("/counter/intake/certified_electronic_copy")
    clerk.acts = 1  # to choose the procedure
    scan_field = page.locator("[data-scan]")
    expect(scan_field).to_be_focused()  # the reader types where the page waits for it
    page.keyboard.insert_text(CARD)
    clerk.did(scan_field.press, "Enter")
    expect(page.locator("[name='owner.name']")).not_to_have_value("")
    clerk.did(page.locator("input[type=file]").first.set_input_files, scan)
    page.get_by_text("2 trang").first.wait_for()
    if delivery != "counter":
        clerk.did(page.locator("[name=delivery]").select_option, delivery)
    clerk.did(page.get_by_label("Đã thu tiền mặt").check)
    clerk.picture("reception-1366")
    clerk.did(page.get_by_role("button", name=re.compile("Tiếp nhận & in")).click)
    page.wait_for_url(re.compile("/counter/received/"))
    assert clerk.acts <= RECEPTION_ACTS, clerk.acts
    found = re.search(r"H\d+[.\d]*-\d{6}-\d{4}", page.locator("h1").inner_text())
    assert found is not None
    link = page.get_by_role("link", name=re.compile("Mẫu 01")).get_attribute("href")
    receipt = folder / "receipt.pdf"
    receipt.write_bytes(clerk.context.request.get(clerk.address + str(link)).body())
    text = subprocess.run(["pdftotext", "-layout", receipt, "-"], capture_output=True, text=True, check=True).stdout
    assert found[0] in text
    access = re.search(r"Mã tra cứu của chủ hồ sơ:\s*(\w{6})", text)
    assert access is not None
    return found[0], access[1]


def approve(officer: Person, code: str, *, with_copy: bool = False) -> None:
    """Examine a dossier and let it pass; *with_copy* also asks for a full electronic copy of the original."""
    page = officer.open_task(code)
    page.get_by_label("Đủ điều kiện chứng thực").check()
    page.get_by_label("Tên giấy tờ").fill("Bằng tốt nghiệp đại học")
    page.get_by_label("Cơ quan, tổ chức cấp").fill("Trường Đại học Mẫu")
    page.get_by_label("Tôi đã đối chiếu").check()
    if with_copy:
        page.get_by_label("Lập thêm bản sao y").check()
    officer.picture("examination-1366")
    page.get_by_role("button", name=re.compile("Hoàn thành")).click()
    page.wait_for_url(re.compile("done="))


def ask_for_supplement(officer: Person, code: str) -> None:
    """Ask for the original again, with a quick reason."""
    page = officer.open_task(code)
    page.get_by_label("Yêu cầu bổ sung, hoàn thiện").check()
    page.locator("input[type=checkbox][value=original]").check()
    page.get_by_label("Lý do", exact=False).first.fill("Bản quét thiếu trang, đề nghị nộp lại bản quét đủ các trang.")
    page.get_by_label("Căn cứ pháp lý").fill("Khoản 1 Điều 20 Nghị định số 23/2015/NĐ-CP")
    here = page.url
    page.get_by_role("button", name=re.compile("Hoàn thành")).click()
    answered(page, here)


def answered(page: Page, here: str) -> None:
    """Wait until a form has led elsewhere, or is shown again with a reason; asked from outside, for pages here may not evaluate texts."""
    until = time.monotonic() + 60
    while page.url == here and page.locator(".field-error").count() == 0:
        assert time.monotonic() < until, f"no answer at {here}"
        page.wait_for_timeout(50)


def sign(leader: Person, code: str, pin: str = LEADER_PIN) -> None:
    """Sign the document of a dossier with the leader's PIN, sealed in the browser."""
    page = leader.open_task(code)
    leader.picture("signing-1366")
    here = page.url
    page.locator("[data-pin]").fill(pin)
    page.get_by_role("button", name=re.compile("^Ký số")).click()
    answered(page, here)


def issue(clerk: Person, code: str, pin: str = SEAL_PIN) -> None:
    """Give number and date, and seal."""
    page = clerk.open_task(code)
    clerk.picture("issue-1366")
    here = page.url
    page.locator("[data-pin]").fill(pin)
    page.get_by_role("button", name=re.compile("Cấp số")).click()
    answered(page, here)


def issue_copy(clerk: Person, code: str, pin: str = SEAL_PIN) -> None:
    """Sign an electronic copy for the agency: no number, one line at the top right, as the page says before."""
    page = clerk.open_task(code)
    expect(page.get_by_text("SAO Y", exact=False).first).to_be_visible()
    here = page.url
    page.locator("[data-pin]").fill(pin)
    page.get_by_role("button", name="Ký số của cơ quan").click()
    answered(page, here)


def open_own(citizen: Person, code: str, access: str) -> Page:
    """Open one's dossier by number and access code."""
    page = citizen.open(f"/tra-cuu/{code}")
    citizen.picture("tracking-360", whole=True)
    page.get_by_label("Số định danh").fill(NUMBER)
    page.get_by_label("Mã tra cứu").fill(access)
    page.get_by_role("button", name="Mở hồ sơ").click()
    page.wait_for_url(re.compile("/ho-so/"))
    return page
