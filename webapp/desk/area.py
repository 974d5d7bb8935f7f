"""The blueprint of the desk and its lines in the navigation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, url_for

from webapp.i18n import lazy as _
from webapp.rendering.navigation import Entry

area = Blueprint("desk", __name__, template_folder="templates", url_prefix="/desk")
WORK = _("Công việc")
INTERVENERS = frozenset({"technical_administrator", "head", "deputy_head", "division_head", "centre_leader"})
navigation = [
    Entry(WORK, _("Việc của tôi"), "desk.inbox", "inbox", count="all", shortcut="i"),
    Entry(WORK, _("Danh sách hồ sơ"), "desk.dossiers", "paper", shortcut="t"),
    Entry(WORK, _("Việc nội bộ"), "desk.internal", "flow"),
    Entry(WORK, _("Can thiệp hồ sơ"), "desk.waiting_moves", "warning", INTERVENERS),
]

# Signing and sealing have rooms of their own; every other step is worked on at the desk.
ROOMS = {"sign": ("signing_room.page", "task_id"), "issue": ("documents.issue", "task_id")}


def task_address(task_id: UUID | str, action: str, **more: Any) -> str:
    """Return where a task of this kind is worked on."""
    endpoint, argument = ROOMS.get(action, ("desk.task", "task_id"))
    if endpoint not in current_app.view_functions:
        endpoint, argument = "desk.task", "task_id"
    values: dict[str, Any] = {argument: task_id, **more}
    return url_for(endpoint, **values)
