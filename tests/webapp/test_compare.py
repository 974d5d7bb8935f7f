"""Comparing in the browser's plain pages and through the interface: versions and drafts, both diagrams, numbers, words."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.support.visitors import Visitor

COPY = "certified_electronic_copy"
TO_THE_LEADER = (
    ("<bpmn:flowNodeRef>issue</bpmn:flowNodeRef>", ""),
    ("<bpmn:flowNodeRef>sign</bpmn:flowNodeRef>", "<bpmn:flowNodeRef>sign</bpmn:flowNodeRef><bpmn:flowNodeRef>issue</bpmn:flowNodeRef>"),
)


def moved(designer: Visitor) -> str:
    """A draft in which the clerk's work went to the leader."""
    here = str(designer.post(f"/designer/{COPY}/drafts", "/designer/drafts").headers["Location"])
    drawn = designer.get(f"{here}/raw/process.bpmn").text
    for old, new in TO_THE_LEADER:
        drawn = drawn.replace(old, new)
    assert designer.post(f"{here}/files", here, name="process.bpmn", version="1", content=drawn).status_code == 303
    return here


def script(page: str, name: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_a_draft_beside_its_version_tells_the_moved_step_first_and_marks_it_in_both_diagrams(designer: Visitor):
    page = designer.get(f"{moved(designer)}/compare").text

    told = re.findall(r'<li class="(\w*)"><p><span class="finding-badge', page)
    assert told[0] == "moved"
    assert "chuyển từ làn «Văn thư» sang «Lãnh đạo UBND cấp xã»" in page
    assert script(page, "marks-old")["moved"] == script(page, "marks-new")["moved"] == ["issue"]
    assert {"id": "issue", "text": "→1", "tone": "moved"} in script(page, "notes-new")


def test_any_two_of_versions_and_drafts_are_chosen_and_compared(designer: Visitor):
    one, other = moved(designer), moved(designer)

    page = designer.get(f"/designer/{COPY}/compare").text
    offered = re.findall(r'<option value="([0-9a-f-]{36})"', page)
    drafts = [here.rsplit("/", 1)[1] for here in (one, other)]
    assert {*drafts} < {*offered}
    version = next(one for one in offered if one not in drafts)

    assert "Không có gì khác" in designer.get(f"/designer/{COPY}/compare?old={drafts[0]}&new={drafts[1]}").text
    against = designer.get(f"/designer/{COPY}/compare?old={version}&new={drafts[0]}").text
    assert "chuyển từ làn" in against
    assert f"/drafts/{drafts[0]}/raw/process.bpmn" in against
    back = designer.get(f"/designer/{COPY}/compare?old={drafts[0]}&new={version}").text
    assert "chuyển từ làn «Lãnh đạo UBND cấp xã» sang «Văn thư»" in back


def test_a_draft_that_cannot_be_read_says_so_and_what_is_no_version_is_not_found(designer: Visitor):
    here = moved(designer)
    designer.post(f"{here}/files", here, name="procedure.toml", version="2", content="key = ")

    page = designer.get(f"{here}/compare")

    assert page.status_code == 200
    assert "Chưa so sánh được" in page.text
    assert designer.get(f"/designer/{COPY}/compare?old=0190a000-0000-7000-8000-000000000000").status_code == 404
    assert designer.get("/designer/no_such_procedure/compare").status_code == 404
