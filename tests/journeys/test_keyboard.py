"""A designer and an approver who touch no mouse: drawing, panel, gate, form, table, template, try, compare, review, publish by keys.

The helper presses keys and nothing else; whatever it is looking for has to be reachable by Tab and to say its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from engine.settings import ROOT
from tests.journeys.steps import APPROVER, DESIGNER, Person
from tests.journeys.test_walk import visit

pytestmark = pytest.mark.browser
READY = "body[data-editor-ready]"
KEPT = re.compile("Đã lưu lúc")
BASIS = "Quyết định số 12/QĐ-UBND ngày 20/11/2026"
FEES = (ROOT / "tests" / "rules" / "feel" / "models" / "fees.dmn").read_text("utf-8")
KEY = "land_tax_note"
MOST_TABS = 160
"""Presses of Tab to get anywhere on a page."""


@dataclass
class Keys:
    """Somebody who only has a keyboard."""

    page: Page

    def at(self, place: Locator) -> bool:
        """Whether the keyboard is at *place* now."""
        return place.and_(self.page.locator(":focus")).count() == 1

    def to(self, place: Locator, *, back: bool = False) -> Locator:
        """Go to *place* by Tab; it must be there to be reached."""
        expect(place).to_have_count(1)
        for _ in range(MOST_TABS):
            if self.at(place):
                return place
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"no way by keys to {place}")

    def press(self, name: str | re.Pattern[str], role: str = "button", *, within: str = "body") -> None:
        """Go to a button or link by Tab and press it."""
        self.to(self.page.locator(within).get_by_role(role, name=name, exact=isinstance(name, str)))  # type: ignore[arg-type]
        self.page.keyboard.press("Enter")

    def write(self, label: str, text: str, *, within: str = "body") -> None:
        """Go to a field and write over what stands in it."""
        self.to(self.page.locator(within).get_by_label(label, exact=True))
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Tab")

    def choose(self, label: str, option: str, *, within: str = "body") -> None:
        """Go to a list of choices and step down to one."""
        field = self.to(self.page.locator(within).get_by_label(label, exact=True))
        self.page.keyboard.press("Home")
        for _ in range(80):
            if field.locator("option:checked").inner_text() == option:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"no choice {option} at {label}")

    def tick(self, label: str, *, within: str = "body") -> None:
        """Go to a box or a choice and set it."""
        self.to(self.page.locator(within).get_by_label(label, exact=True))
        self.page.keyboard.press("Space")

    def element(self, identifier: str) -> None:
        """Choose an element in the list of the diagram's elements, walking down from the first."""
        self.to(self.page.locator("#steps"))
        self.page.keyboard.press("Home")
        for _ in range(80):
            if self.page.locator(f"#steps [data-id='{identifier}'][aria-selected=true]").count():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{identifier} is not in the list")


@pytest.fixture
def keys(somebody: Callable[..., Person]) -> Keys:
    """A designer before the list of drafts, whose mouse is taken away."""
    return Keys(somebody(DESIGNER).open("/designer/drafts"))


def kept(page: Page) -> None:
    expect(page.locator("#save-state")).to_have_text(KEPT, timeout=60_000)


def chosen(page: Page) -> str:
    """The element chosen in the list."""
    return str(page.locator("#steps [aria-selected=true]").get_attribute("data-id"))


def opened(keys: Keys, procedure: str) -> str:
    """Begin a draft of a procedure by keys; return its address."""
    keys.press(re.compile(procedure))
    keys.page.wait_for_selector(READY)
    return keys.page.url


def test_a_procedure_is_drawn_tried_and_published_without_a_mouse(keys: Keys, somebody: Callable[..., Person]):
    page = keys.page

    # from the template
    keys.write("Tên thủ tục", "Xác nhận đã nộp thuế đất")
    keys.write("Tên tiếng Anh", "Confirmation of land tax paid")
    keys.write("Mã thủ tục quốc gia", "9.000002")
    keys.write("Khóa", KEY)
    keys.press("Bắt đầu soạn")
    page.wait_for_selector(READY)
    draft = page.url

    # what the law says
    keys.press("Dữ liệu thủ tục", "link")
    for field, value in (("field-term-amount", "5"), ("field-term-legal-basis", "Điều 9 Nghị định số 101/2024/NĐ-CP")):
        keys.to(page.locator(f"[id='{field}']"))
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(value)
    page.keyboard.press("Tab")
    keys.press("Lưu dữ liệu")
    page.get_by_text("Đã lưu (lần").first.wait_for()
    keys.press("Sơ đồ", "link")
    page.wait_for_selector(READY)

    # along the flows, announced
    keys.element("examine")
    expect(page.locator(".djs-element.selected[data-element-id='examine']")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    after = chosen(page)
    page.keyboard.press("ArrowLeft")
    assert chosen(page) == "examine" != after
    assert page.locator("#steps").get_attribute("aria-activedescendant") == "row-examine"

    # a step between two others, on the flow from the draft to the signature
    before = page.locator(".djs-connection").count()
    keys.element("draft_result")
    keys.to(page.locator("details.acts > summary"))
    page.keyboard.press("Enter")
    keys.choose("Thêm sau bước này", "Bước của con người", within=".editor-side")
    keys.press("Thêm", within=".editor-side .field:has(#act-insert)")
    expect(page.locator("#editor-said")).to_have_text("Đã thêm: Bước của con người")
    assert page.locator(".djs-connection").count() == before + 1
    step = chosen(page)
    assert keys.at(page.locator("#panel-name")), "the new step is ready to be named"
    keys.write("Tên", "Rà soát hồ sơ", within=".editor-side")
    keys.write("Tên tiếng Anh", "Look through the dossier", within=".editor-side")
    keys.choose("Biểu mẫu", "review", within=".editor-side")
    keys.write("Biến giữ câu trả lời", "second_look", within=".editor-side")
    keys.write("Thời hạn (giờ làm việc)", "99", within=".editor-side")
    kept(page)

    # from the report to the element, and the fault corrected
    fault = page.locator("#finding-list > li.refused").filter(has_text="giờ")
    expect(fault.first).to_be_visible(timeout=60_000)
    keys.element("examine")
    keys.to(fault.first.get_by_role("button").first)
    page.keyboard.press("Enter")
    found = chosen(page)
    keys.write("Thời hạn (giờ làm việc)", "4" if found == step else "8", within=".editor-side")
    if found != step:
        keys.element(step)
        keys.write("Thời hạn (giờ làm việc)", "4", within=".editor-side")
    kept(page)
    expect(page.locator("#finding-list .refused")).to_have_count(0, timeout=60_000)

    # one step of undo takes the whole of a command back
    keys.element(step)
    shapes = page.locator(".djs-shape").count()
    if page.locator("details.acts[open]").count() == 0:
        keys.to(page.locator("details.acts > summary"))
        page.keyboard.press("Enter")
    keys.choose("Thêm sau bước này", "Cổng chọn một", within=".editor-side")
    keys.press("Thêm", within=".editor-side .field:has(#act-insert)")
    expect(page.locator("#editor-said")).to_have_text("Đã thêm: Cổng chọn một")
    keys.press("Hoàn tác")
    assert page.locator(".djs-shape").count() == shapes
    kept(page)

    # tried by hand
    keys.press("Chạy thử", "link")
    keys.press(re.compile("Tiếp nhận"), within="main")
    expect(page.locator(".djs-element.now[data-element-id='examine']")).to_have_count(1)

    # what is missing, and the scenarios brought up to date
    page.goto(draft)
    page.wait_for_selector(READY)
    keys.press("Còn thiếu gì", "link")
    first = page.locator("ol.findings > li.refused a").first
    expect(first).to_be_visible()
    keys.to(first)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/trial"))
    keys.press("Sửa kịch bản theo sơ đồ mới")
    expect(page.get_by_text(re.compile("Đã sửa .* kịch bản"))).to_be_visible()
    expect(page.get_by_text("Mọi kịch bản đạt, mọi luồng đã được thử")).to_be_visible()

    # in words, then to the second person
    keys.press("Bằng chữ", "link")
    expect(page.get_by_text("Rà soát hồ sơ").first).to_be_visible()
    keys.press("Gửi duyệt")
    page.wait_for_url(re.compile("/proposals/"))
    second = Keys(somebody(APPROVER).open("/designer"))
    second.press("Xác nhận đã nộp thuế đất", "link", within="main")
    second.write("Căn cứ", BASIS)
    second.press("Công bố")
    expect(second.page.get_by_text("Đã công bố phiên bản 1").first).to_be_visible()


def test_flows_lanes_edges_and_kinds_are_drawn_by_keys_each_in_one_step_of_undo(keys: Keys):
    page = keys.page
    opened(keys, "Chứng thực bản sao")
    keys.element("examine")
    keys.to(page.locator("details.acts > summary"))
    page.keyboard.press("Enter")

    def state() -> tuple[int, int, int]:
        rows = page.locator("#steps [data-id]")
        return page.locator(".djs-shape").count(), page.locator(".djs-connection").count(), rows.count()

    for element, label, option, button, field in (
        ("examine", "Gắn bên bước này", "Hẹn giờ bên bước", "Thêm", "attach"),
        ("draft_copy", "Chuyển sang làn", "Văn thư", "Chuyển", "lane"),
        ("draft_copy", "Đổi loại", "Bước của con người", "Đổi", "replace"),
        ("conclusion", "Thêm nhánh từ đây", "Kết thúc", "Thêm", "insert"),
    ):
        before, words = state(), page.locator("#steps").inner_text()
        keys.element(element)
        keys.choose(label, option, within=".editor-side")
        keys.press(button, within=f".editor-side .field:has(#act-{field})")
        expect(page.locator("#editor-said")).to_contain_text(option)
        changed = page.locator("#steps").inner_text()
        assert changed != words, label
        keys.press("Hoàn tác")
        expect(page.locator("#steps")).to_have_text(re.compile(re.escape(words.split("\n", maxsplit=1)[0])))
        assert state() == before, label
        assert page.locator("#steps").inner_text() == words, label

    # a flow between two steps, then taken away with Delete
    keys.element("refused") if page.locator("#steps [data-id='refused']").count() else None
    keys.element("draft_copy")
    target = page.locator("#act-connect option").first.inner_text()
    before = state()
    keys.choose("Nối tới", target, within=".editor-side")
    keys.press("Nối", within=".editor-side .field:has(#act-connect)")
    expect(page.locator("#editor-said")).to_contain_text("Đã nối tới")
    assert state()[1] == before[1] + 1
    made = chosen(page)
    assert page.locator(f".djs-connection[data-element-id='{made}']").count() == 1
    keys.to(page.locator("#do-remove"))
    page.keyboard.press("Enter")
    assert state()[1] == before[1]
    assert keys.at(page.locator("#steps")), "the list holds the keyboard after something was removed"
    kept(page)


def test_the_canvas_itself_answers_to_keys_and_lets_go_of_the_tab(keys: Keys):
    page = keys.page
    opened(keys, "Chứng thực bản sao")
    keys.to(page.locator(".editor-canvas svg[tabindex='0']").first)
    page.keyboard.press("]")
    first = chosen(page)
    page.keyboard.press("]")
    assert chosen(page) != first
    expect(page.locator("#editor-said")).not_to_be_empty()
    page.keyboard.press("[")
    assert chosen(page) == first
    page.keyboard.press("Enter")
    assert keys.at(page.locator("#panel-name"))
    keys.to(page.locator("#finding-list").locator("xpath=ancestor::section").locator("xpath=following::summary").first)
    keys.to(page.locator("#steps"), back=True)


def test_a_form_is_edited_by_keys_in_its_list_and_seen_as_people_get_it(keys: Keys):
    page = keys.page
    draft = opened(keys, "Chứng thực bản sao")
    keys.press(re.compile("^Biểu mẫu"), "link", within="main")
    keys.press("review.json", "link", within="main")
    page.wait_for_selector(READY)
    keys.to(page.locator("[data-list-tools] > summary"))
    page.keyboard.press("Enter")
    listed = page.locator("#form-list option")
    before = listed.count()

    keys.to(page.locator("#form-list"))
    page.keyboard.press("Home")
    first = listed.first.inner_text()
    keys.press("Đưa xuống dưới")
    expect(page.locator("#list-said")).to_contain_text("Đã chuyển")
    assert listed.first.inner_text() != first
    assert listed.nth(1).inner_text() == first
    keys.press("Đưa lên trên")
    assert listed.first.inner_text() == first

    keys.choose("Thêm ô sau ô đang chọn", "Ô chữ")
    keys.press("Thêm ô")
    expect(listed).to_have_count(before + 1)
    made = page.locator("#form-list option:checked")
    assert made.inner_text().startswith("Ô chữ")
    keys.to(page.locator(".bio-properties-panel-group-header").filter(has_text="Chung").locator("button.bio-properties-panel-arrow"))
    page.keyboard.press("Enter")
    keys.write("Nhãn của ô", "Số tờ khai", within=".fjs-properties-container")
    expect(page.locator("#form-preview")).to_contain_text("Số tờ khai")
    kept(page)

    keys.to(page.locator("#form-list"))
    keys.press("Xóa ô này")
    expect(listed).to_have_count(before)
    expect(page.locator("#form-preview")).not_to_contain_text("Số tờ khai")
    kept(page)
    page.goto(draft)


def test_a_table_is_edited_and_tried_by_keys(keys: Keys):
    page = keys.page
    draft = opened(keys, "Chứng thực bản sao")
    keys.press(re.compile("^Bảng quyết định"), "link", within="main")
    keys.write("Đường dẫn trong gói", "decisions/fees.dmn")
    keys.press("Thêm", within="main")
    page.wait_for_url(re.compile("fees.dmn"))
    keys.to(page.locator("details > summary").filter(has_text="Sửa dạng văn bản"))
    page.keyboard.press("Enter")
    keys.to(page.get_by_label("Nội dung tệp"))
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(FEES)
    page.keyboard.press("Tab")
    keys.press("Lưu tệp")
    page.wait_for_selector(READY)

    rows = page.locator(".table-canvas .rule-index")
    before = rows.count()
    keys.to(page.locator(".table-canvas td").filter(has_text="20000").first.locator("[contenteditable]"))
    page.keyboard.press("Control+A")
    page.keyboard.type("25000")
    keys.press("Thêm dòng")
    expect(rows).to_have_count(before + 1)
    keys.press("Hoàn tác")
    expect(rows).to_have_count(before)
    kept(page)
    page.reload()
    page.wait_for_selector(READY)

    for field, value in (("dossier.pages", "2"), ("dossier.channel", "counter"), ("dossier.received on", 'date("2026-11-26")')):
        keys.write(field, value)
    keys.press("Thử")
    expect(page.locator("main dl.facts")).to_contain_text("25000")
    page.goto(draft)


def test_a_template_is_corrected_and_previewed_and_two_versions_compared_by_keys(keys: Keys):
    page = keys.page
    opened(keys, "Chứng thực bản sao")
    keys.press(re.compile("^Mẫu văn bản"), "link", within="main")
    keys.press("certified_copy.typ", "link", within="main")
    sheet = page.locator("img.sheet").first
    expect(sheet).to_be_visible()
    before = sheet.get_attribute("src")
    keys.to(page.get_by_label("Nội dung tệp"))
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("\nKiểm tra bằng bàn phím.\n")
    page.keyboard.press("Tab")
    keys.press("Xem trang in")
    expect(page.locator("img.sheet").first).to_be_visible()
    shown = [page.locator("img.sheet").nth(place).get_attribute("src") for place in range(page.locator("img.sheet").count())]
    assert shown != [before]
    keys.press("Lưu tệp")
    page.get_by_text("Đã lưu (lần").first.wait_for()
    keys.press("So sánh", "link", within="main")
    expect(page.locator("main")).to_contain_text("certified_copy")


PAGES = {
    "": READY,
    "/data": "main",
    "/forms": "main",
    "/edit/forms/review.json": READY,
    "/decisions": "main",
    "/edit/decisions/new.dmn": READY,
    "/templates": "main",
    "/edit/templates/certified_copy.typ": "img.sheet",
    "/edit/procedure.toml": "main",
    "/edit/tests/scenarios.toml": "main",
    "/rehearsal": "main",
    "/trial": "main",
    "/readiness": "main",
    "/words": "main",
    "/compare": "main",
    "/history": "main",
}
"""Every page of a draft, with what it has when it is ready."""


def test_every_page_of_a_draft_is_without_barriers_at_two_widths_light_and_dark(somebody: Callable[..., Person]):
    problems: list[str] = []
    designer = somebody(DESIGNER)
    keys = Keys(designer.open("/designer/drafts"))
    draft = opened(keys, "Chứng thực bản sao").removeprefix(designer.address)
    keys.press(re.compile("^Bảng quyết định"), "link", within="main")
    keys.write("Đường dẫn trong gói", "decisions/new.dmn")
    keys.press("Thêm", within="main")
    keys.page.wait_for_selector(READY)  # a new table begins with one that can be opened
    for width, scheme in ((1366, "light"), (360, "dark")):
        designer.page.set_viewport_size({"width": width, "height": 768})
        designer.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for page, ready in PAGES.items():
            problems += [f"{page or '/'} at {width}: {problem}" for problem in visit(designer, draft + page, ready)]
            if page in ("", "/edit/forms/review.json", "/readiness", "/trial"):
                designer.picture(f"draft{page.replace('/', '-').replace('.json', '')}-{width}", whole=True)
    assert problems == [], "\n".join(problems)
