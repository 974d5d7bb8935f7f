"""The blueprint of the designer, its line in the navigation, its words, and how untrusted diagrams are sent."""

from __future__ import annotations

from flask import Blueprint, Response

from webapp.i18n import lazy as _
from webapp.rendering.navigation import Entry

area = Blueprint("designer", __name__, template_folder="templates", url_prefix="/designer")
DESIGNERS = frozenset({"procedure_designer", "procedure_approver", "procedure_controller"})
navigation = [
    Entry(_("Quy trình"), _("Quy trình"), "designer.procedures", "flow", DESIGNERS),
    Entry(_("Quy trình"), _("Bản soạn"), "designer.workspace", "pen", DESIGNERS),
    Entry(_("Quy trình"), _("Căn cứ pháp luật"), "designer.law", "list", DESIGNERS),
]

SEVERITY = {
    "refused": ("late", "cross", _("Phải sửa")),
    "warning": ("soon", "warning", _("Cảnh báo")),
    "note": ("info", "info", _("Ghi chú")),
}
STANDING = {
    "in_force": ("done", "check", _("Đang hiệu lực")),
    "upcoming": ("info", "calendar", _("Sắp hiệu lực")),
    "past": ("", "dot", _("Phiên bản cũ")),
}
KIND = {
    "first": _("Công bố lần đầu"),
    "changed": _("Phiên bản mới"),
    "redrawn": _("Chỉ đổi hình vẽ"),
    "same": _("Không có gì thay đổi"),
}
SCOPE = {"public": _("Thủ tục hành chính"), "internal": _("Việc nội bộ")}

DRAFT_STATE = {
    "draft": ("info", "half", _("Đang soạn")),
    "submitted": ("done", "check", _("Đã gửi duyệt")),
    "discarded": ("", "dot", _("Đã bỏ")),
}
ORIGIN = {"template": _("từ mẫu"), "version": _("từ bản đã công bố"), "upload": _("từ tệp tải lên")}
SECTIONS = {
    "diagram": _("Sơ đồ"),
    "data": _("Dữ liệu thủ tục"),
    "forms": _("Biểu mẫu"),
    "decisions": _("Bảng quyết định"),
    "templates": _("Mẫu văn bản"),
    "try": _("Chạy thử"),
    "scenarios": _("Kịch bản"),
    "words": _("Bằng chữ"),
    "compare": _("So sánh"),
    "history": _("Lịch sử"),
}

MARKS = {
    "moved": ("→", _("Chuyển sang làn khác")),
    "added": ("+", _("Thêm mới")),
    "removed": ("−", _("Bỏ đi")),
    "changed": ("±", _("Sửa đổi")),
}
"""How a comparison marks an element: the sign on its badge and what it means."""

CITES = {
    "procedure": _("Căn cứ của thủ tục"),
    "term": _("Thời hạn"),
    "component": _("Thành phần hồ sơ"),
    "fee": _("Phí, lệ phí"),
    "document": _("Văn bản"),
    "reason": _("Lý do mẫu"),
    "notice": _("Thông báo"),
    "element": _("Phần tử của sơ đồ"),
    "form": _("Biểu mẫu"),
    "decision": _("Bảng quyết định"),
    "template": _("Mẫu văn bản"),
    "shared": _("Dùng chung"),
}
"""What of a procedure can cite the law."""


FIELD_KINDS = {
    "textfield": _("Ô chữ"),
    "textarea": _("Ô chữ nhiều dòng"),
    "number": _("Số"),
    "datetime": _("Ngày"),
    "checkbox": _("Ô đánh dấu"),
    "radio": _("Chọn một"),
    "select": _("Danh sách chọn"),
    "checklist": _("Chọn nhiều"),
    "filepicker": _("Tệp đính kèm"),
    "text": _("Đoạn chữ"),
    "group": _("Nhóm"),
}
"""What a form can ask for, by the type of the form's file."""


def file(content: bytes, name: str, media_type: str) -> Response:
    """Send a file a designer made: always to take away, and nothing in it runs on our pages."""
    response = Response(content, mimetype=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
