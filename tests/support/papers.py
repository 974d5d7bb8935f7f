"""Sample data for every paper: what the office would hand to the templates on an ordinary Monday."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import pypdfium2
from PIL import Image, ImageDraw

from engine.documents.templates import qr_rows

CODE = "H55.31-20261123-0089"
CENTRE = {
    "name": "Trung tâm Phục vụ hành chính công xã Bình Minh",
    "parent": "Ủy ban nhân dân xã Bình Minh",
    "place": "Bình Minh",
    "address": "Xóm Đồng Tâm, xã Bình Minh",
    "phone": "0208 3 555 888",
}
COMMUNE = {"name": "Ủy ban nhân dân xã Bình Minh", "parent": "Tỉnh Thái Nguyên", "place": "Bình Minh"}
LEADER = {
    "capacity": "for_collective",
    "collective": "Ủy ban nhân dân",
    "head_title": "Chủ tịch",
    "title": "Phó Chủ tịch",
    "name": "Trần Văn Đức",
}
COMMON: dict[str, Any] = {
    "agency": CENTRE,
    "issued_at": "2026-11-23T09:12:00+07:00",
    "dossier_code": CODE,
    "qr": qr_rows(f"https://motcua.example.vn/tra-cuu/{CODE}"),
    "tracking_url": f"motcua.example.vn/tra-cuu/{CODE}",
    "owner": "Nguyễn Thị Ngọc Ánh",
    "address": "Tổ 5, xóm Đồng Tâm, xã Bình Minh, tỉnh Thái Nguyên",
    "phone": "0912 345 678",
    "email": "ngocanh@example.vn",
    "procedure": "Chứng thực bản sao điện tử từ bản chính",
}
COMPONENTS = [
    {"name": "Bản chính giấy tờ, văn bản cần chứng thực (số hóa tại quầy hoặc bản chụp đủ các trang)", "original": 1, "electronic": 1},
    {"name": "Giấy tờ chứng minh quyền đại diện (khi người nộp không phải chủ hồ sơ)", "certified_copy": 1},
]
HANDOVERS = [
    {
        "from": "Quầy tiếp nhận",
        "to": "Công chức tư pháp – hộ tịch",
        "at": "2026-11-23T08:31:00+07:00",
        "giver": "Hoàng Thị Lan",
        "receiver": "Phạm Minh Tuấn",
        "outcome": "early",
    },
    {
        "from": "Công chức tư pháp – hộ tịch",
        "to": "Lãnh đạo UBND",
        "at": "2026-11-23T10:05:00+07:00",
        "giver": "Phạm Minh Tuấn",
        "receiver": "Trần Văn Đức",
        "outcome": "on_time",
        "note": "Đã đối chiếu bản chính",
    },
    {
        "from": "Lãnh đạo UBND",
        "to": "Văn thư",
        "at": "2026-11-23T14:20:00+07:00",
        "giver": "Trần Văn Đức",
        "receiver": "Vũ Thị Hạnh",
        "outcome": "late",
    },
]
ENTRIES = [
    {
        "code": f"H55.31-202611{day:02d}-{day * 7:04d}",
        "procedure": "Chứng thực bản sao điện tử từ bản chính",
        "owner": "Nguyễn Thị Ngọc Ánh",
        "address": "Xóm Đồng Tâm, xã Bình Minh",
        "phone": "0912 345 678",
        "deciding_agency": "UBND xã Bình Minh",
        "received_at": f"2026-11-{day:02d}T08:30:00+07:00",
        "due_at": f"2026-11-{day:02d}T17:00:00+07:00",
        "returned_at": f"2026-11-{day:02d}",
        "delivery": "Tại quầy",
    }
    for day in range(2, 28)
]
PAPERS: dict[str, dict[str, Any]] = {
    "receipt": {
        **COMMON,
        "number": "89",
        "submitter": "Lê Quang Huy",
        "components": COMPONENTS,
        "files": [{"name": "bang-tot-nghiep.pdf", "pages": 3, "size": 812_000, "sha256": "9f2c41d07ab3" + "0" * 52}],
        "access_code": "K7QF-2M9X",
        "term": "Trong ngày; nhận sau 15 giờ trả trong ngày làm việc tiếp theo",
        "received_at": "2026-11-23T15:05:00+07:00",
        "due_at": "2026-11-25T15:05:00+07:00",
        "due_reason": "Hồ sơ nhận sau 15 giờ ngày 23/11/2026; ngày 24/11/2026 là ngày nghỉ lễ nên trả trong ngày 25/11/2026.",
        "return_place": "Quầy số 3, Trung tâm Phục vụ hành chính công xã Bình Minh",
        "fees": [{"name": "Phí chứng thực bản sao từ bản chính", "amount": 5000}],
        "fee_total": 5000,
        "fee_paid": True,
        "register_book": "2026",
        "register_line": "89",
        "receiver": "Hoàng Thị Lan",
        "hotline": "0208 3 555 888",
    },
    "supplement_request": {
        **COMMON,
        "number": "12",
        "components": COMPONENTS[:1],
        "reason": "Bản quét thiếu trang 3 và trang 4 không đọc được; đề nghị nộp lại bản quét đủ các trang, rõ nét, đúng chiều.",
        "legal_basis": "Khoản 1 Điều 20 Nghị định số 23/2015/NĐ-CP",
        "received_at": "2026-11-23T08:30:00+07:00",
        "contact": "Phạm Minh Tuấn",
        "contact_phone": "0208 3 555 801",
        "officer": "Phạm Minh Tuấn",
    },
    "refusal": {
        **COMMON,
        "number": "03",
        "reason": "Bản chính bị tẩy xóa, sửa chữa, thêm, bớt nội dung không hợp lệ.",
        "legal_basis": "Khoản 1 Điều 22 Nghị định số 23/2015/NĐ-CP",
        "received_at": "2026-11-23T08:30:00+07:00",
        "officer": "Phạm Minh Tuấn",
    },
    "apology_letter": {
        **COMMON,
        "agency": COMMUNE,
        "received_at": "2026-11-16T08:30:00+07:00",
        "due_at": "2026-11-23T17:00:00+07:00",
        "reason": "Cơ quan cấp bản chính chưa trả lời văn bản xác minh.",
        "new_due_at": "2026-11-27T17:00:00+07:00",
        "signer": LEADER,
    },
    "stop_notice": {
        **COMMON,
        "agency": COMMUNE,
        "requested_by": "bà Nguyễn Thị Ngọc Ánh (chủ hồ sơ)",
        "ground": "Chủ hồ sơ đề nghị rút hồ sơ.",
        "stage": "Thẩm định, đối chiếu bản chính",
        "received_at": "2026-11-23T08:30:00+07:00",
        "signer": LEADER,
    },
    "suspension_notice": {
        **COMMON,
        "agency": COMMUNE,
        "ground": "Chủ hồ sơ thực hiện nghĩa vụ tài chính theo thông báo của cơ quan thuế.",
        "legal_basis": "Điều 59 Luật Quản lý thuế",
        "received_at": "2026-11-23T08:30:00+07:00",
        "due_at": "2026-11-27T17:00:00+07:00",
        "signer": LEADER,
    },
    "control_sheet": {**COMMON, "deciding_agency": "Ủy ban nhân dân xã Bình Minh", "handovers": HANDOVERS},
    "register": {
        "agency": CENTRE,
        "issued_at": "2026-11-30",
        "from_on": "2026-11-01",
        "to_on": "2026-11-30",
        "book": "2026",
        "closed_by": "Hoàng Thị Lan",
        "entries": ENTRIES,
    },
    "fee_receipt": {
        **COMMON,
        "number": "31",
        "payer": "Lê Quang Huy",
        "fees": [
            {"name": "Phí chứng thực bản sao từ bản chính", "amount": 5000, "legal_basis": "Điều 4 Thông tư số 226/2016/TT-BTC"},
        ],
        "total": 5000,
        "total_words": "Năm nghìn đồng",
        "cashier": "Hoàng Thị Lan",
    },
}
CERTIFIED: dict[str, Any] = {
    "agency": COMMUNE,
    "dossier_code": CODE,
    "qr": qr_rows("https://motcua.example.vn/xac-minh/K7QF2M9XHT4C"),
    "verify_url": "motcua.example.vn/xac-minh/K7QF2M9XHT4C",
    "owner": "Nguyễn Thị Ngọc Ánh",
    "paper_name": "Bằng tốt nghiệp trung học phổ thông",
    "paper_issuer": "Sở Giáo dục và Đào tạo tỉnh Thái Nguyên",
    "pages": [{"file": f"page-{number}.jpg", "width_mm": 210, "height_mm": 297} for number in (1, 2)],
    "year": 2026,
    "signer": LEADER,
}
LEAVE: dict[str, Any] = {
    "agency": {"name": "Sở Tư pháp", "parent": "Ủy ban nhân dân tỉnh Thái Nguyên", "place": "Thái Nguyên"},
    "symbol": "GNP-STP",
    "dossier_code": "H55.12-20261123-0004",
    "initiator": {"name": "Đỗ Thị Thùy Dương", "title": "Chuyên viên", "unit": "Phòng Hành chính tư pháp"},
    "leave_request": {
        "kind": "annual",
        "from_on": "2026-12-01",
        "to_on": "2026-12-03",
        "days": 2.5,
        "place": "xã Yên Thế, tỉnh Bắc Ninh",
        "reason": "Về quê thăm gia đình",
        "hand_over": "Bà Lê Thu Hà theo dõi hồ sơ lý lịch tư pháp",
    },
    "signer": {"capacity": "by_order", "head_title": "Giám đốc", "title": "Chánh Văn phòng", "name": "Bùi Quốc Việt"},
}
STARTER: dict[str, Any] = {
    "agency": COMMUNE,
    "dossier_code": CODE,
    "owner": "Nguyễn Thị Ngọc Ánh",
    "procedure": "Tên thủ tục",
    "content": "Đồng ý giải quyết theo đề nghị.",
    "signer": LEADER,
}
HOUSE: dict[str, Any] = {
    "agency": COMMUNE,
    "dossier_code": CODE,
    "owner": "Nguyễn Thị Ngọc Ánh",
    "house_case": {"place": "Xóm Đồng Tâm, xã Bình Minh", "floors": 3, "basements": 1, "floor_area": "286.5", "house_height": "11.4"},
    "conclusion": {
        "plot": "145",
        "map_sheet": "22",
        "plot_area": "120.5",
        "built_area": "90",
        "density": "74.7",
        "ground_level": "+0,45 m so với mặt đường",
        "red_line": "cách tim đường 4,5 m",
        "building_line": "lùi 2,0 m so với chỉ giới đường đỏ",
        "design_file": "KT-01 đến KT-08",
        "conditions": "Đấu nối thoát nước vào hố ga số 4 trước khi sử dụng.",
    },
    "clarification": ["papers", "inspection", "planning", "utilities", "heritage"],
    "signer": LEADER,
}
LAND: dict[str, Any] = {
    "agency": {**COMMUNE, "parent": "Văn phòng đăng ký đất đai", "name": "Chi nhánh Văn phòng đăng ký đất đai khu vực I"},
    "dossier_code": CODE,
    "owner": "Nguyễn Thị Ngọc Ánh",
    "received_at": "2026-11-23T15:05:00+07:00",
    "land_case": {
        "change_kind": "gift",
        "parcel_extent": "part",
        "parcel": "Thửa 45, tờ bản đồ 12",
        "land_place": "Xóm Đồng Tâm, xã Bình Minh",
        "land_area": "120.5",
        "certificate_serial": "BA 685616",
        "receiving_party": "Bà Lê Thị Lan",
    },
    "obligation": {
        "expected": "Thuế thu nhập cá nhân và lệ phí trước bạ của bên nhận",
        "legal_basis": "Điều 13 Nghị định số 126/2020/NĐ-CP",
    },
    "cadastral_entry": {
        "entry_text": "Tặng cho bà Lê Thị Lan 120,5 m² thửa đất số 45 theo hợp đồng số 88 ngày 20/11/2026; nay là thửa đất số 145.",
        "book_number": "VP 00124",
    },
    "certificate_form": {"result_form": "new", "legal_basis": "Điều 136 Luật Đất đai số 31/2024/QH15"},
    "signer": {"capacity": "own_power", "title": "Giám đốc", "name": "Trần Văn Đức"},
}
RESULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "tax_slip": ("land_change", LAND),
    "change_confirmation": ("land_change", LAND),
    "construction_permit": ("house_construction_permit", HOUSE),
    "consultation_letter": ("house_construction_permit", HOUSE),
    "certified_copy": ("certified_electronic_copy", CERTIFIED),
    "leave_permit": ("internal_leave", LEAVE),
    "result": ("_template", STARTER),
}


@cache
def scan(number: int) -> bytes:
    """One page of a scanned diploma as JPEG, 150 dpi."""
    page = Image.new("RGB", (1240, 1754), "#fffdf6")
    draw = ImageDraw.Draw(page)
    draw.rectangle((80, 80, 1160, 1674), outline="#8a5a00", width=6)
    for line in range(14):
        draw.rectangle((160, 300 + line * 80, 1080 - (line * 37 + number * 91) % 300, 312 + line * 80), fill="#333333")
    kept = io.BytesIO()
    page.save(kept, "JPEG", quality=80, dpi=(150, 150))
    return kept.getvalue()


def read_back(pdf: bytes, modules: int) -> list[str]:
    """Read the matrix of a QR code from the picture of the first page: the code stands at the left margin, 22 mm wide, 4 × 72 dpi."""
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0].render(scale=4).to_pil().convert("L")
    left, size = 30 / 25.4 * 72 * 4, 22 / 25.4 * 72 * 4
    dark = [y for y in range(page.height // 2) if page.getpixel((round(left + size / modules / 2), y)) < 100]
    unit = size / modules
    top = next(y for y in dark if all(page.getpixel((round(left + unit / 2), round(y + unit * (i + 0.5)))) < 100 for i in range(7)))
    return [
        "".join(
            "1" if page.getpixel((round(left + (x + 0.5) * unit), round(top + (y + 0.5) * unit))) < 128 else "0" for x in range(modules)
        )
        for y in range(modules)
    ]
