"""The editor in a real browser: a property is changed, kept by itself, judged, undone; a killed page costs nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine.settings import ROOT
from tests.journeys.steps import DESIGNER, Person

pytestmark = pytest.mark.browser
READY = "body[data-editor-ready]"
KEPT = re.compile("Đã lưu lúc")
FEES = ROOT / "tests" / "rules" / "feel" / "models" / "fees.dmn"


def opened(designer: Person, procedure: str = "Chứng thực bản sao") -> Page:
    page = designer.open("/designer/drafts")
    page.get_by_role("button", name=re.compile(procedure)).first.click()
    page.wait_for_selector(READY)
    return page


def test_a_deadline_is_changed_kept_judged_and_undone(somebody: Callable[..., Person]):
    page = opened(somebody(DESIGNER))
    page.locator("[data-element-id='examine']").first.click()
    hours = page.get_by_label("Thời hạn (giờ làm việc)")
    expect(hours).to_have_value("3")

    hours.fill("99")
    hours.press("Tab")
    expect(page.locator("#save-state")).to_have_text(KEPT, timeout=60_000)
    expect(page.locator("#finding-list .refused")).not_to_have_count(0, timeout=60_000)
    expect(page.locator("#finding-list .refused").first).to_contain_text("giờ")

    page.get_by_role("button", name="Hoàn tác").click()
    expect(hours).to_have_value("3")
    expect(page.locator("#finding-list .refused")).to_have_count(0, timeout=60_000)
    page.reload()
    page.wait_for_selector(READY)
    page.locator("[data-element-id='examine']").first.click()
    expect(page.get_by_label("Thời hạn (giờ làm việc)")).to_have_value("3")


def test_a_step_is_added_by_mouse_named_in_place_and_stands_in_the_words(somebody: Callable[..., Person]):
    designer = somebody(DESIGNER)
    page = opened(designer)
    page.locator("[data-element-id='draft_copy']").first.click()
    page.get_by_title("Thêm bước", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.locator(".djs-element.selected[data-element-id^='Activity_']")).to_have_count(1)
    page.get_by_label("Tên", exact=True).fill("Trưởng phòng xem xét")
    page.get_by_label("Tên", exact=True).press("Tab")
    expect(page.locator("#save-state")).to_have_text(KEPT, timeout=60_000)
    designer.picture("editor-1366")

    page.get_by_role("link", name="Bằng chữ").click()
    expect(page.get_by_text("Trưởng phòng xem xét").first).to_be_visible()


def test_two_windows_on_one_diagram_meet_and_both_versions_are_shown(somebody: Callable[..., Person]):
    one = somebody(DESIGNER)
    page = opened(one)
    other = somebody(DESIGNER).open(page.url.removeprefix(one.address))
    other.wait_for_selector(READY)
    for window, name in ((page, "Lập bản sao (A)"), (other, "Lập bản sao (B)")):
        window.locator("[data-element-id='draft_copy']").first.click()
        window.get_by_label("Tên", exact=True).fill(name)
        window.get_by_label("Tên", exact=True).press("Tab")
        expect(window.locator("#save-state")).to_have_text(re.compile("Đã lưu lúc|Người khác vừa lưu"), timeout=60_000)

    other.get_by_role("button", name="So sánh hai bản").click()
    expect(other.get_by_role("heading", name="Hai người cùng sửa một tệp")).to_be_visible()
    expect(other.locator(".compared")).to_contain_text("(B)")
    other.get_by_role("button", name="Giữ bản của tôi").click()
    other.wait_for_selector(READY)
    other.locator("[data-element-id='draft_copy']").first.click()
    expect(other.get_by_label("Tên", exact=True)).to_have_value("Lập bản sao (B)")


def test_a_draft_is_tried_by_hand_and_the_token_moves(somebody: Callable[..., Person]):
    designer = somebody(DESIGNER)
    page = opened(designer)
    page.get_by_role("link", name="Chạy thử").click()
    page.get_by_role("button", name="Tiếp nhận").click()
    expect(page.locator(".djs-element.now[data-element-id='examine']")).to_have_count(1)
    page.get_by_label("Đủ điều kiện chứng thực").check()
    page.get_by_label("Tên giấy tờ, văn bản được chứng thực").fill("Bằng tốt nghiệp")
    page.get_by_label("Cơ quan, tổ chức cấp bản chính").fill("Trường Mẫu")
    page.get_by_label("Tôi đã đối chiếu từng trang bản quét với bản chính").check()
    page.get_by_role("button", name=re.compile("Hoàn thành: Thẩm định")).click()
    expect(page.locator(".djs-element.now[data-element-id='sign']")).to_have_count(1)
    designer.picture("try-1366", whole=True)
    page.get_by_role("button", name="Lùi một bước").click()
    expect(page.locator(".djs-element.now[data-element-id='examine']")).to_have_count(1)


def test_a_form_is_edited_and_shown_as_people_will_get_it(somebody: Callable[..., Person]):
    designer = somebody(DESIGNER)
    page = opened(designer)
    page.goto(f"{page.url}/edit/forms/review.json")
    page.wait_for_selector(READY)
    preview = page.locator("#form-preview")
    expect(preview.get_by_label("Đủ điều kiện chứng thực")).to_be_visible()
    preview.get_by_label("Yêu cầu bổ sung, hoàn thiện hồ sơ").check()
    expect(preview.get_by_label("Lý do")).to_be_visible()

    page.locator(".fjs-element").filter(has_text="Cơ quan, tổ chức cấp bản chính").last.click()
    page.locator(".bio-properties-panel-group-header").filter(has_text="Chung").first.click()
    label = page.get_by_label("Nhãn của ô")
    label.fill("Nơi cấp bản chính")
    label.press("Tab")
    expect(page.locator("#save-state")).to_have_text(KEPT, timeout=60_000)
    page.reload()
    page.wait_for_selector(READY)
    page.locator("#form-preview").get_by_label("Đủ điều kiện chứng thực").check()
    expect(page.locator("#form-preview").get_by_label("Nơi cấp bản chính")).to_be_visible()


def test_a_table_is_edited_and_tried_with_the_rows_that_fire(somebody: Callable[..., Person]):
    designer = somebody(DESIGNER)
    page = opened(designer)
    page.goto(f"{page.url}/decisions")
    page.get_by_label("Đường dẫn trong gói").fill("decisions/fees.dmn")
    page.locator("main input[type=file]").set_input_files(FEES)
    page.get_by_role("button", name="Thêm", exact=True).click()
    page.wait_for_selector(READY)
    cell = page.locator(".table-canvas td", has_text="20000").first
    cell.click()
    page.keyboard.press("Control+A")
    page.keyboard.type("25000")
    page.locator(".table-canvas td", has_text="<= 2").first.click()
    expect(page.locator("#save-state")).to_have_text(KEPT, timeout=60_000)
    page.reload()

    page.get_by_label("dossier.pages").fill("2")
    page.get_by_label("dossier.channel").fill("counter")
    page.get_by_label("dossier.received on").fill('date("2026-11-26")')
    page.get_by_role("button", name="Thử", exact=True).click()
    expect(page.locator("main dl.facts")).to_contain_text("25000")
    expect(page.locator("main dl.facts")).to_contain_text("Mức phí: 1")


def test_a_moved_step_is_the_first_thing_a_comparison_shows_on_both_canvases(somebody: Callable[..., Person]):
    designer = somebody(DESIGNER)
    page = opened(designer)
    step, lane = (page.locator(f"[data-element-id='{name}']").first.bounding_box() for name in ("issue", "sign"))
    assert step is not None
    assert lane is not None
    page.mouse.move(step["x"] + step["width"] / 2, step["y"] + step["height"] / 2)
    page.mouse.down()
    page.mouse.move(step["x"] + step["width"] / 2, lane["y"] + lane["height"] / 2 + 4, steps=12)
    page.mouse.up()
    expect(page.locator("#save-state")).to_have_text(KEPT, timeout=60_000)

    page.get_by_role("link", name="So sánh", exact=True).click()
    first = page.locator("ol.findings > li").first
    expect(first).to_contain_text("chuyển từ làn «Văn thư» sang «Lãnh đạo UBND cấp xã»")
    expect(page.locator(".djs-element.moved[data-element-id='issue']")).to_have_count(2)
    first.get_by_role("link").click()
    expect(page.locator(".djs-element.shown[data-element-id='issue']")).to_have_count(2)
    designer.picture("compare-1366", whole=True)


DEADLOCK = ROOT / "tests" / "procedures" / "broken" / "deadlock" / "process.bpmn"


def test_the_way_into_a_deadlock_is_drawn_on_the_canvas_step_by_step(somebody: Callable[..., Person]):
    designer = somebody(DESIGNER)
    page = designer.open("/designer/drafts")
    page.locator("form[action$='/drafts/upload'] input[type=file]").set_input_files(DEADLOCK)
    page.get_by_label("Sơ đồ này thay cho").select_option("internal_leave")
    page.get_by_role("button", name="Mở thành bản soạn").click()
    page.wait_for_selector(READY)
    finding = page.locator("#finding-list .refused").filter(has_text="kẹt").first
    expect(finding).to_be_visible(timeout=60_000)

    finding.get_by_role("button").first.click()
    expect(page.locator(".djs-element.selected[data-element-id='join']")).to_have_count(1)
    steps = page.locator(".way-step")
    expect(steps.first).to_be_visible()
    assert [steps.nth(place).inner_text() for place in range(steps.count())] == [str(place + 1) for place in range(steps.count())]
    assert page.locator(".djs-shape.on-path").count() == steps.count() >= 3
    assert page.locator(".djs-connection.on-path").count() >= 2
    designer.picture("counter-example-1366")

    other = page.locator("#finding-list button").last
    other.click()
    expect(page.locator(".way-step")).to_have_count(page.locator(".djs-shape.on-path").count())
