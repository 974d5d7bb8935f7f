"""The how-to “Your first procedure in 15 minutes” walked step by step, its pictures taken, and the acts of one change counted."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine.settings import ROOT
from tests.journeys.steps import APPROVER, DESIGNER, Person

pytestmark = pytest.mark.browser
READY = "body[data-editor-ready]"
KEPT = re.compile("Đã lưu lúc")
BASIS = "Quyết định số 12/QĐ-UBND ngày 20/11/2026"
HOWTO = ROOT / "docs" / "howto" / "first-procedure.md"
PICTURES = ROOT / "var" / "reports" / "docs" / "pictures"
KEY = "land_use_note"
MOST = 25
"""The acts one change may take at the most: a press, a choice, a drag, a field filled."""
MIDDLE = """path => { const at = path.getPointAtLength(path.getTotalLength() / 2), m = path.getScreenCTM();
  return [at.x * m.a + m.e, at.y * m.d + m.f]; }"""


def shot(one: Person, number: int) -> None:
    """Take the picture of a step."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    one.page.screenshot(path=PICTURES / f"first-procedure-{number}.png")


def kept(page: Page) -> None:
    expect(page.locator("#save-state")).to_have_text(KEPT, timeout=60_000)


def test_the_first_procedure_is_made_as_the_how_to_says(somebody: Callable[..., Person]):
    designer = somebody(DESIGNER)

    # 1 from the template
    page = designer.open("/designer/drafts")
    page.get_by_label("Tên thủ tục", exact=True).fill("Xác nhận tình trạng sử dụng đất")
    page.get_by_label("Tên tiếng Anh", exact=True).fill("Confirmation of land use")
    page.get_by_label("Mã thủ tục quốc gia").fill("9.000001")
    page.get_by_label("Khóa").fill(KEY)
    designer.page.locator("[name=name_vi]").evaluate("field => field.closest('form').scrollIntoView({block: 'end'})")
    shot(designer, 1)
    page.get_by_role("button", name="Bắt đầu soạn").click()
    page.wait_for_selector(READY)
    draft = page.url

    # 2 what the law says
    page.get_by_role("link", name="Dữ liệu thủ tục").click()
    page.locator("[id='field-term-amount']").fill("5")
    page.locator("[id='field-term-legal-basis']").fill("Điều 9 Nghị định số 101/2024/NĐ-CP")
    shot(designer, 2)
    page.get_by_role("button", name="Lưu dữ liệu").last.click()
    page.get_by_text("Đã lưu (lần").first.wait_for()

    # 3 to 5 the change whose acts are counted
    page.goto(draft)
    page.wait_for_selector(READY)
    designer.acts = 0
    draw(designer)
    shot(designer, 3)
    expect(page.locator("#finding-list .refused")).to_have_count(0, timeout=60_000)
    counted = {"vẽ, điền, kiểm tra · draw, fill, check": designer.acts}

    page.get_by_role("link", name="Chạy thử").click()
    page.get_by_role("button", name="Tiếp nhận").click()
    expect(page.locator(".djs-element.now[data-element-id='examine']")).to_have_count(1)
    shot(designer, 4)
    page.get_by_role("link", name="Bằng chữ").click()
    expect(page.get_by_text("Rà soát hồ sơ").first).to_be_visible()
    shot(designer, 5)

    # 6 scenarios that know of the new step; a second person publishes
    designer.acts = 0
    designer.did(page.get_by_role("link", name=re.compile("^Kịch bản")).click)
    designer.did(page.get_by_role("button", name="Sửa kịch bản theo sơ đồ mới").click)
    page.get_by_text("Mọi kịch bản đạt").first.wait_for()
    designer.did(page.get_by_role("button", name="Gửi duyệt").click)
    page.wait_for_url(re.compile("/proposals/"))
    counted["kịch bản, gửi duyệt · scenarios, put forward"] = designer.acts
    approver = somebody(APPROVER)
    approver.open("/designer")
    approver.acts = 0
    approver.did(approver.page.get_by_role("link", name="Xác nhận tình trạng sử dụng đất").first.click)
    approver.did(approver.page.get_by_label("Căn cứ", exact=True).fill, BASIS)
    shot(approver, 6)
    approver.did(approver.page.get_by_role("button", name="Công bố").click)
    approver.page.get_by_text("Đã công bố phiên bản 1").first.wait_for()
    counted["đọc, công bố · read, publish"] = approver.acts

    total = sum(counted.values())
    assert total <= MOST, counted
    said = (ROOT / "docs" / "designer-interactions.md").read_text("utf-8")
    for words, acts in (*counted.items(), ("cộng · total", total)):
        assert f"| {words} | {acts} |" in said, f"docs/designer-interactions.md says otherwise: {words} {acts}"


def draw(designer: Person) -> None:
    """Add a review step with role, form and a deadline of two working days: every act counted."""
    page = designer.page
    designer.did(page.locator(".djs-palette [data-action='create.task']").click)
    x, y = page.locator("[data-element-id='draft_result_to_sign'] .djs-visual > path").first.evaluate(MIDDLE)
    page.mouse.move(x - 20, y - 20)
    page.mouse.move(x, y, steps=5)
    designer.did(page.mouse.click, x, y)
    page.keyboard.press("Escape")
    step = page.locator(".djs-element.selected[data-element-id^='Activity_']")
    expect(step).to_have_count(1)
    panel = page.locator(".editor-side")
    for label, value in (("Tên", "Rà soát hồ sơ"), ("Tên tiếng Anh", "Look through the dossier")):
        designer.did(panel.get_by_label(label, exact=True).fill, value)
        panel.get_by_label(label, exact=True).press("Tab")
    designer.did(panel.get_by_label("Biểu mẫu", exact=True).select_option, "review")
    for label, value in (("Biến giữ câu trả lời", "second_look"), ("Thời hạn (giờ làm việc)", "16")):
        designer.did(panel.get_by_label(label, exact=True).fill, value)
        panel.get_by_label(label, exact=True).press("Tab")
    kept(page)


def test_the_how_to_shows_every_picture_the_walk_takes():
    text = HOWTO.read_text("utf-8")

    shown = set(re.findall(r"\.\./pictures/(first-procedure-\d+\.png)", text))

    assert shown == {f"first-procedure-{number}.png" for number in range(1, 7)}
    assert all((ROOT / "docs" / "pictures" / name).is_file() for name in shown)
