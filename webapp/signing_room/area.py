"""The blueprint of the signing room, its lines in the navigation and its words."""

from __future__ import annotations

from flask import Blueprint

from webapp.i18n import lazy as _
from webapp.rendering.navigation import Entry

area = Blueprint("signing_room", __name__, template_folder="templates", url_prefix="/signing")
SIGNERS = frozenset({"head", "deputy_head", "office_chief"})
LEADERS = _("Lãnh đạo")
navigation = [
    Entry(LEADERS, _("Phòng ký"), "signing_room.waiting", "pen", SIGNERS, count="sign", shortcut="s", also_waiting=True),
    Entry(LEADERS, _("Đã ký"), "signing_room.signed", "check", SIGNERS),
]
REVISION = {
    "drafted": _("Dự thảo"),
    "rendered": _("Bản trình ký"),
    "signed": _("Lãnh đạo đã ký"),
    "numbered": _("Đã cấp số"),
    "sealed": _("Đã đóng dấu"),
    "preserved": _("Đã lưu bằng chứng lâu dài"),
}
