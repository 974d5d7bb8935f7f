"""The blueprint of administration and its lines in the navigation."""

from __future__ import annotations

from flask import Blueprint

from webapp.i18n import lazy as _
from webapp.rendering.navigation import STAFF, Entry

area = Blueprint("admin", __name__, template_folder="templates", url_prefix="/admin")
ADMINISTRATORS = frozenset({"technical_administrator"})
SECOND_HANDS = frozenset({"technical_administrator", "inspector"})
AUDITORS = frozenset({"inspector", "technical_administrator", "procedure_controller"})
INCIDENT_READERS = frozenset({"technical_administrator", "procedure_controller"})
"""Who controls procedures sees what got stuck; the commands let an administrator alone try again or close."""
LENDERS = frozenset({"head", "deputy_head", "office_chief", "division_head", "division_deputy", "centre_leader", "technical_administrator"})
PLACE = _("Quản trị")
navigation = [
    Entry(PLACE, _("Giờ đầu tiên"), "admin.first_hour", "check", ADMINISTRATORS),
    Entry(PLACE, _("Con người, vị trí"), "admin.people", "people", ADMINISTRATORS),
    Entry(PLACE, _("Các đơn vị"), "admin.units", "list", ADMINISTRATORS),
    Entry(PLACE, _("Ủy quyền"), "admin.delegations", "handover", LENDERS),
    Entry(PLACE, _("Khóa ký số"), "admin.keys", "key", ADMINISTRATORS),
    Entry(PLACE, _("Chứng thư số tin cậy"), "admin.trust", "shield", SECOND_HANDS),
    Entry(PLACE, _("Lịch làm việc"), "admin.calendar", "calendar", STAFF),
    Entry(PLACE, _("Sự cố"), "admin.incidents", "warning", INCIDENT_READERS),
    Entry(PLACE, _("Nhật ký hệ thống"), "admin.journal", "shield", AUDITORS),
    Entry(PLACE, _("Bằng chứng chữ ký"), "admin.evidence", "half", AUDITORS),
    Entry(PLACE, _("Mã truy cập API"), "admin.tokens", "key", STAFF),
]
