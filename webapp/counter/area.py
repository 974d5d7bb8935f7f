"""The blueprint of the counter and its lines in the navigation."""

from __future__ import annotations

from flask import Blueprint

from webapp.i18n import lazy as _
from webapp.rendering.navigation import Entry

area = Blueprint("counter", __name__, template_folder="templates", url_prefix="/counter")
RECEPTION = frozenset({"reception_officer"})
RETURN = frozenset({"return_officer", "reception_officer"})
COUNTER = frozenset({"reception_officer", "return_officer", "cashier", "centre_leader"})
PLACE = _("Quầy một cửa")
navigation = [
    Entry(PLACE, _("Tiếp nhận"), "counter.home", "counter", COUNTER),
    Entry(PLACE, _("Trả kết quả"), "counter.results", "check", RETURN, count="return_result"),
    Entry(PLACE, _("Giao hồ sơ"), "counter.handover", "handover", COUNTER),
]
