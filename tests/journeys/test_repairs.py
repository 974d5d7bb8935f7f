"""What the gate finds is put right by one press where that is safe, and taken back by one step of undo."""

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
DRAWN = (ROOT / "bpmn" / "certified_electronic_copy" / "process.bpmn").read_text("utf-8")
WAY = (
    r'(<bpmn:sequenceFlow id="conclusion_to_draft_copy".*?</bpmn:extensionElements>)',
    r"\1<bpmn:conditionExpression>review.decision = &quot;approve&quot;</bpmn:conditionExpression>",
)
BREAKS = [
    ("default-marked", r' default="[^"]+"', "", "Đặt luồng tới «Lập bản sao điện tử» làm mặc định"),
    ("default-path", r' default="[^"]+"', "", "Đặt luồng tới «Lập bản sao điện tử» làm mặc định"),
    ("name-missing", r' name="Thẩm định, đối chiếu bản chính"', "", "Đặt tên «Xử lý hồ sơ»"),
    ("stage-hours", r'<spiffworkflow:property name="stage_hours" value="3" ?/>', "", "Đặt 8 giờ làm việc"),
    ("capacity-unknown", r'name="capacity" value="for_collective"', 'name="capacity" value="for_fun"', "Ký theo thẩm quyền của văn bản"),
    ("lane-unknown", r'name="Văn thư"', 'name="Văn thư mới"', "Dùng làn «Văn thư»"),
    ("lane-missing", r"<bpmn:flowNodeRef>issue</bpmn:flowNodeRef>", "", "Xếp vào làn «Văn thư»"),
    ("form-missing", r'<spiffworkflow:property name="form" value="review" ?/>', "", "Dùng biểu mẫu review"),
    ("default-condition", WAY[0], WAY[1], "Bỏ điều kiện này"),
    ("form-unknown", r'name="form" value="review"', 'name="form" value="no_form"', "Dùng biểu mẫu review"),
    ("document-unknown", r'name="document" value="certified_copy"', 'name="document" value="no_paper"', "Chọn văn bản"),
    ("action-unknown", r'name="action" value="sign"', 'name="action" value="dance"', "Đổi thành bước điền biểu mẫu"),
    (
        "assign-unknown",
        r'(<spiffworkflow:property name="stage_hours" value="3" ?/>)',
        r'\1<spiffworkflow:property name="assign" value="nobody"/>',
        "Giao theo vai trò của làn",
    ),
    (
        "parameter-unknown",
        r"(<spiffworkflow:parameters>)",
        r'\1<spiffworkflow:parameter id="colour" type="any" value="1"/>',
        "Bỏ tham số không ai đọc",
    ),
    ("default-flow", r' default="conclusion_to_draft_copy"', ' default="sign_to_issue"', "Bỏ đánh dấu mặc định"),
    ("document-missing", r'<spiffworkflow:property name="document" value="certified_copy" ?/>', "", "Chọn văn bản"),
]


def begun(designer: Person) -> str:
    page = designer.open("/designer/drafts")
    page.get_by_role("button", name=re.compile("Chứng thực bản sao")).first.click()
    page.wait_for_selector(READY)
    return page.url


def drawn(designer: Person, address: str, diagram: str) -> Page:
    """Put another diagram into the draft and open it in the editor."""
    page = designer.page
    token, version = page.locator("main input[name=csrf_token]").first.input_value(), page.locator("#save-number").inner_text()
    fields = {"csrf_token": token, "version": version, "name": "process.bpmn", "content": diagram}
    answer = designer.context.request.post(f"{address}/files", form=fields, headers={"Accept": "application/json"})
    assert answer.ok, answer.text()
    page.goto(address)
    page.wait_for_selector(READY)
    return page


def said(page: Page) -> str:
    """What the report says, without the lines: the editor writes the file in its own layout."""
    return re.sub(r"bpmn:\d+", "bpmn", page.locator("#finding-list").inner_text())


def test_every_safe_finding_has_its_repair_and_each_is_one_step_of_undo(somebody: Callable[..., Person]):
    designer = somebody(DESIGNER)
    address = begun(designer)
    refused = designer.page.locator("#finding-list > li.refused")
    for rule, pattern, broken, words in BREAKS:
        diagram, times = re.subn(pattern, broken, DRAWN, count=1, flags=re.DOTALL)
        assert times == 1, rule
        if rule == "default-path":
            diagram, times = re.subn(*WAY, diagram, count=1, flags=re.DOTALL)
            assert times == 1
        page = drawn(designer, address, diagram)
        if rule != "default-marked":
            expect(refused, rule).not_to_have_count(0)
        expect(page.get_by_role("button", name=words).first, rule).to_be_visible(timeout=60_000)  # the report follows the page
        before = said(page)

        page.get_by_role("button", name=words).first.click()
        expect(page.locator("#save-state"), rule).to_have_text(KEPT, timeout=60_000)
        expect(page.get_by_role("button", name=words), rule).to_have_count(0, timeout=60_000)
        if rule == "stage-hours":
            designer.picture("repairs-1366")

        page.get_by_role("button", name="Hoàn tác").click()
        expect(page.get_by_role("button", name=words).first, rule).to_be_visible(timeout=60_000)
        assert said(page) == before, rule
        expect(page.locator("#save-state"), rule).to_have_text(KEPT, timeout=60_000)
