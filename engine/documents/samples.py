"""Sample data for a template nobody has printed yet: what the office would hand to it on an ordinary day, found by asking the template.

A template declares its inputs and stops at the first required one that is missing; each is filled in by its name until it prints.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from engine.documents.templates import Printed, qr_rows
from engine.errors import Refused

MISSING = re.compile(r"input is missing: ([\w.-]+)")
ASKED_AT_MOST = 80
"""How many inputs are filled in before the template is taken for one that cannot be satisfied."""

_PLACE = {"place": "Bình Minh", "address": "Xóm Đồng Tâm, xã Bình Minh", "phone": "0208 3 555 888"}
ORDINARY: Mapping[str, Any] = {
    "agency": {"name": "Ủy ban nhân dân xã Bình Minh", "parent": "Tỉnh Mẫu", **_PLACE},
    "signer": {
        "capacity": "for_collective",
        "collective": "Ủy ban nhân dân",
        "head_title": "Chủ tịch",
        "title": "Phó Chủ tịch",
        "name": "Trần Văn Đức",
    },
    "issued_at": "2026-11-23T09:12:00+07:00",
    "received_at": "2026-11-20T08:30:00+07:00",
    "due_at": "2026-11-27T17:00:00+07:00",
    "year": 2026,
    "dossier_code": "H55.31-261123-0089",
    "qr": qr_rows("https://motcua.example.vn/tra-cuu/H55.31-261123-0089"),
    "tracking_url": "motcua.example.vn/tra-cuu/H55.31-261123-0089",
    "owner": "Nguyễn Thị Ngọc Ánh",
    "submitter": "",
    "address": "Tổ 5, xóm Đồng Tâm, xã Bình Minh, Tỉnh Mẫu",
    "phone": "0912 345 678",
    "email": "ngocanh@example.vn",
    "subject": "",
    "content": "Nội dung của văn bản sẽ đứng ở đây.",
    "reason": "Lý do sẽ đứng ở đây.",
    "recipients": [],
    "initiator": {"name": "Lê Văn Bình", "title": "Chuyên viên", "unit": "Phòng chuyên môn"},
}
"""What every paper of the office may print, with the names of nobody."""


def sampled(
    render: Callable[[Mapping[str, Any]], Printed], source: str, known: Mapping[str, Any]
) -> tuple[dict[str, Any], Printed | Refused]:
    """Return sample data for a template with the print it makes, or why even sample data does not print it.

    *source* is the template's text (of the ordinary data only what it mentions is handed over), *known* what else has a value by name.

    Raises:
        Refused: ``template.import_forbidden``, ``template.not_utf8``.
    """
    ordinary = {**ORDINARY, **known}
    data = {name: value for name, value in ordinary.items() if re.search(rf"\b{re.escape(name)}\b", source)}
    last: Refused | None = None
    for _ in range(ASKED_AT_MOST):
        try:
            return data, render(data)
        except Refused as refused:
            last = refused
            asked = MISSING.search(str(refused.facts.get("reason", "")))
            if refused.code != "template.failed" or asked is None:
                break
            _fill(data, asked[1].split("."), ordinary)
    assert last is not None
    return data, last


def _fill(data: dict[str, Any], path: list[str], ordinary: Mapping[str, Any]) -> None:
    *above, name = path
    for part in above:
        data = data.setdefault(part, {})
    data[name] = ordinary.get(name) or _by_name(name)


def _by_name(name: str) -> Any:
    """Return a value for an input only its name is known of: dates, amounts and counts as such, anything else as a word."""
    if re.search(r"(?:^|_)(?:at|date|day|on|from|to|until|born)$", name):
        return "2026-11-23"
    if re.search(r"(?:^|_)(?:amount|fee|total|count|number_of|pages|copies|year|area)$", name):
        return 2
    return f"«{name}»"
