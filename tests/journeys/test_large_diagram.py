"""Three hundred tasks in the editor: drawn before the gate has judged, one request for each thing, one save for a whole drag.

What it takes in seconds is told by ``motcua bench editor``; here everything is counted.
"""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Request, Route, expect

from engine.settings import ROOT
from tests.journeys.steps import DESIGNER, Person

pytestmark = pytest.mark.browser


def test_three_hundred_tasks_are_drawn_before_they_are_judged_and_kept_in_one_save(somebody: Callable[..., Person], tmp_path: Path):
    bench = runpy.run_path(str(ROOT / "benchmarks" / "editor.py"))
    file = tmp_path / "long.bpmn"
    file.write_text(bench["drawing"](), encoding="utf-8")
    page = somebody(DESIGNER).open("/designer/drafts")
    asked: list[str] = []
    held: list[Route] = []

    def note(request: Request) -> None:
        asked.append(f"{request.method} {request.url.rpartition('/')[2]}")

    def hold(route: Route) -> None:
        held.append(route)

    page.on("request", note)
    page.route(re.compile("/report$"), hold)
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Mở thành bản soạn").click()

    page.wait_for_selector("body[data-editor-ready]", timeout=120_000)
    expect(page.locator(".djs-shape[data-element-id^='step_']:not([data-element-id$='_label'])")).to_have_count(bench["TASKS"])
    expect(page.locator(".djs-connection")).to_have_count(bench["TASKS"] + 1)
    assert asked.count("GET process.bpmn") == 1
    while not held:
        page.wait_for_timeout(100)
    held[0].continue_()
    page.unroute(re.compile("/report$"), hold)
    page.wait_for_selector("body[data-editor-judged]", timeout=120_000)
    assert asked.count("GET report") == 1
    expect(page.locator("#finding-list .refused")).not_to_have_count(0)

    page.get_by_role("button", name="Tìm phần tử").click()
    page.keyboard.type("step_7")
    page.keyboard.press("Enter")
    step = page.locator(".djs-shape[data-element-id='step_7']")
    before = step.bounding_box()
    assert before is not None
    x, y = before["x"] + before["width"] / 2, before["y"] + before["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 20, steps=40)
    assert [one for one in asked if one == "POST files"] == []
    page.mouse.up()
    expect(page.locator("#save-state")).to_have_text(re.compile("Đã lưu lúc"), timeout=60_000)
    assert len([one for one in asked if one.startswith("POST")]) == 2, "the upload, and one save for the whole drag"


MOST = 750 * 1024
"""Bytes a page of an editor may load in scripts and styles, compressed (gzip)."""


def test_every_editor_stays_within_what_a_page_may_load():
    manifest = json.loads((ROOT / "webapp" / "static" / "dist" / "manifest.json").read_text("utf-8"))

    weights = {name: manifest[name]["gzip"] for name in ("editor.js", "form-editor.js", "table-editor.js", "diagram.js")}

    assert all(50_000 < one < MOST for one in weights.values()), weights
