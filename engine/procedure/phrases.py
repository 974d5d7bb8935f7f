"""Words for what a diagram can say: operators, kinds of steps, deadlines, field kinds — in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.procedure.diagram import Node
from engine.procedure.words import Words

OPERATOR_WORDS: Mapping[str, Words] = {
    "dossier/request_supplement": Words(
        "Hệ thống lập phiếu yêu cầu bổ sung (Mẫu 02) và tạm dừng thời hạn",
        "The system issues the supplement request (form 02) and pauses the clock",
    ),
    "dossier/suspend": Words("Hệ thống tạm dừng tính thời hạn", "The system stops the clock"),
    "dossier/resume": Words("Hệ thống tính tiếp thời hạn", "The clock runs on"),
    "dossier/extend": Words("Hệ thống ghi thời hạn mới và báo người nộp", "The system records the new date and tells the submitter"),
    "dossier/reopen": Words("Hệ thống mở lại hồ sơ", "The system opens the dossier again"),
    "dossier/refuse": Words("Hệ thống lập phiếu từ chối (Mẫu 03)", "The system issues the refusal (form 03)"),
    "dossier/resolve": Words("Hệ thống báo kết quả đã sẵn sàng", "The system announces that the result is ready"),
    "dossier/approve": Words("Hệ thống ghi nhận hồ sơ đã được giải quyết", "The system records that the request is granted"),
    "dossier/close": Words("Hệ thống đóng hồ sơ", "The system closes the dossier"),
    "document/draft": Words("Hệ thống lập dự thảo văn bản", "The system drafts the document"),
    "notice/send": Words("Hệ thống gửi thông báo", "The system sends a notice"),
    "decision/evaluate": Words("Hệ thống áp dụng bảng quyết định", "The system applies the decision table"),
}

_STEP_WORDS: Mapping[str, Words] = {
    "start": Words("Bắt đầu", "Start"),
    "end": Words("Kết thúc", "End"),
    "step": Words("Bước chưa đặt tên", "Unnamed step"),
    "automatic": Words("Bước tự động", "Automatic step"),
    "wait": Words("Chờ", "Wait"),
    "choice": Words("Chọn hướng đi", "Choice"),
    "parallel": Words("Các nhánh chạy song song", "Parallel paths begin"),
    "join": Words("Các nhánh gặp nhau", "Paths meet"),
    "group": Words("Nhóm bước", "Group of steps"),
}

ATTRIBUTE_WORDS: Mapping[str, Words] = {
    "action": Words("hành động", "action"),
    "document": Words("văn bản", "document"),
    "capacity": Words("thẩm quyền ký", "signing capacity"),
    "form": Words("biểu mẫu", "form"),
    "variable": Words("biến lưu câu trả lời", "variable of the answers"),
    "assign": Words("người được giao", "assignment"),
    "instructions": Words("hướng dẫn", "instructions"),
    "instructions_en": Words("hướng dẫn tiếng Anh", "English instructions"),
    "name_en": Words("tên tiếng Anh", "English name"),
}

_UNITS = {"Y": ("năm", "year"), "M": ("tháng", "month"), "W": ("tuần", "week"), "D": ("ngày", "day"), "TH": ("giờ", "hour")}
_UNITS |= {"TM": ("phút", "minute"), "TS": ("giây", "second")}


def name_words(node: Node) -> Words:
    """Return the name of a node in both languages."""
    return Words(node.name, node.properties.get("name_en", node.name))


def step_word(kind: str) -> Words:
    """Return what a nameless node of this kind is called."""
    return _STEP_WORDS[kind]


def hours_words(hours: str) -> Words:
    """Return a stage's time limit."""
    number = hours.rstrip("0").rstrip(".") if "." in hours else hours
    plural = "" if number == "1" else "s"
    return Words(f"Thời hạn: {number.replace('.', ',')} giờ làm việc.", f"Time limit: {number} working hour{plural}.")


def deadline_words(text: str) -> Words:
    """Return a timer in words where it is a plain duration, else its expression."""
    bare = re.sub(r'^duration\("(.*)"\)$', r"\1", text.strip()).strip("\"'")
    match = re.fullmatch(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", bare)
    if match is None or not any(match.groups()):
        return Words(f"thời hạn: {text}", f"deadline: {text}")
    parts = [
        (int(value), _UNITS[unit]) for value, unit in zip(match.groups(), ("Y", "M", "W", "D", "TH", "TM", "TS"), strict=True) if value
    ]
    vi = " ".join(f"{value} {unit[0]}" for value, unit in parts)
    en = " ".join(f"{value} {unit[1]}{'s' if value != 1 else ''}" for value, unit in parts)
    return Words(f"sau {vi}", f"after {en}")
