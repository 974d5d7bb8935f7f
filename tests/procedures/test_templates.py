"""Every paper is printed with sample data, and its letters, fields and standard are read back from the PDF."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.documents.templates import Printed, Printer, qr_rows, refuse_outside
from engine.errors import NotFound, Refused
from engine.settings import ROOT
from signing.errors import SigningError
from signing.model import Box
from signing.placement import judge_line
from tests.procedures.packages import SHIPPED
from tests.support.papers import CERTIFIED, HOUSE, LEAVE, PAPERS, RESULTS, STARTER, read_back, scan

FONTS = ROOT / "webapp" / "assets" / "node_modules" / "@expo-google-fonts" / "tinos"
BPMN = ROOT / "bpmn"
AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)

VOWELS = "aăâeêioôơuưy"
TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
SMALL = "".join(unicodedata.normalize("NFC", vowel + tone) for vowel in VOWELS for tone in TONES) + "đ"
VIETNAMESE = SMALL[1:] + SMALL.upper()


@dataclass(frozen=True)
class Folder:
    """The templates of a package."""

    files: dict[str, bytes] = field(default_factory=dict)


def package(name: str) -> Folder:
    return Folder({f"templates/{path.name}": path.read_bytes() for path in (BPMN / name / "templates").iterdir()})


@pytest.fixture(scope="module")
def printer() -> Printer:
    return Printer(FONTS, BPMN / "_shared")


def print_paper(printer: Printer, name: str, data: dict[str, Any] | None = None) -> Printed:
    folder, sample = {**{key: ("", value) for key, value in PAPERS.items()}, **RESULTS}[name]
    pictures = {"page-1.jpg": scan(1), "page-2.jpg": scan(2)} if "pages" in sample else {}
    return printer.render(package(folder) if folder else Folder(), name, {**sample, **(data or {})}, pictures, AT)


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()
    return unicodedata.normalize("NFC", re.sub(r"\s+", " ", " ".join(pages)))


@pytest.mark.parametrize("face", sorted(FONTS.rglob("*.ttf")), ids=lambda path: path.stem)
def test_the_font_of_official_papers_has_every_vietnamese_letter(face: Path) -> None:
    letters = TTFont(face).getBestCmap()

    assert len(set(SMALL + SMALL.upper())) == 2 * (12 * 6 + 1)
    assert [letter for letter in SMALL + SMALL.upper() + "₫–—…·•“”‘’" if ord(letter) not in letters] == []


def test_there_are_four_faces_of_the_font() -> None:
    assert len(list(FONTS.rglob("*.ttf"))) == 4


@pytest.mark.parametrize("name", [*PAPERS, *RESULTS])
def test_every_paper_is_an_archival_pdf_on_a4_marked_test(printer: Printer, name: str) -> None:
    printed = print_paper(printer, name)

    assert printed.archival
    with pikepdf.open(BytesIO(printed.pdf)) as pdf:
        metadata = pdf.open_metadata()
        assert metadata["pdfaid:part"] == "2"
        assert metadata["pdfaid:conformance"] in ("A", "B", "U")
        assert str(pdf.Root.Lang) == "vi-VN" or str(pdf.Root.Lang) == "vi"
        for page in pdf.pages:
            width, height = sorted(float(side) for side in page.mediabox[2:])
            assert (round(width), round(height)) == (595, 842)
    document = pypdfium2.PdfDocument(printed.pdf)
    assert all("TEST" in page.get_textpage().get_text_bounded() for page in document)
    document.close()


@pytest.mark.parametrize("name", [*PAPERS, *RESULTS])
def test_every_paper_bears_motto_agency_and_place_of_decree_30(printer: Printer, name: str) -> None:
    said = text_of(print_paper(printer, name).pdf)

    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in said
    assert "Độc lập - Tự do - Hạnh phúc" in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("receipt", "GIẤY TIẾP NHẬN HỒ SƠ VÀ HẸN TRẢ KẾT QUẢ"),
        ("receipt", "15 giờ 05 phút, ngày 25/11/2026"),
        ("receipt", "5.000 đồng"),
        ("supplement_request", "PHIẾU YÊU CẦU BỔ SUNG, HOÀN THIỆN HỒ SƠ"),
        ("refusal", "PHIẾU TỪ CHỐI TIẾP NHẬN GIẢI QUYẾT HỒ SƠ"),
        ("refusal", "Khoản 1 Điều 22 Nghị định số 23/2015/NĐ-CP"),
        ("apology_letter", "17 giờ 00 phút, ngày 27/11/2026"),
        ("stop_notice", "Dừng giải quyết hồ sơ"),
        ("suspension_notice", "Thời gian tạm dừng không tính vào thời hạn giải quyết."),
        ("control_sheet", "Quá hạn"),
        ("register", "Tổng số: 26 hồ sơ"),
        ("fee_receipt", "Năm nghìn đồng"),
        ("certified_copy", "CHỨNG THỰC BẢN SAO ĐÚNG VỚI BẢN CHÍNH"),
        ("certified_copy", "TM. ỦY BAN NHÂN DÂN KT. CHỦ TỊCH PHÓ CHỦ TỊCH Trần Văn Đức"),
        ("leave_permit", "TL. GIÁM ĐỐC CHÁNH VĂN PHÒNG Bùi Quốc Việt"),
    ],
)
def test_a_paper_says_what_its_form_demands(printer: Printer, name: str, said: str) -> None:
    assert said in text_of(print_paper(printer, name).pdf)


@given(st.text(alphabet=VIETNAMESE + " ", min_size=1, max_size=60).map(lambda name: " ".join(name.split())).filter(bool))
@settings(max_examples=30, deadline=None)
def test_any_vietnamese_name_comes_back_letter_by_letter(name: str) -> None:
    printed = Printer(FONTS, BPMN / "_shared").render(Folder(), "refusal", {**PAPERS["refusal"], "owner": name})

    assert printed.archival
    squeezed = text_of(printed.pdf).replace(" ", "").replace("\ufffe", "")
    assert unicodedata.normalize("NFC", name).replace(" ", "") in squeezed


def test_a_name_in_another_script_is_printed_although_the_paper_is_then_not_archival(printer: Printer) -> None:
    printed = print_paper(printer, "refusal", {"owner": "山田太郎"})

    assert not printed.archival
    assert printed.pdf.startswith(b"%PDF-")


@pytest.mark.parametrize(("name", "page"), [("certified_copy", 2), ("leave_permit", 0), ("result", 0), ("apology_letter", 0)])
def test_a_result_keeps_places_for_number_date_leader_and_seal(printer: Printer, name: str, page: int) -> None:
    printed = print_paper(printer, name)

    assert {found.name for found in printed.fields} == {"number", "date", "signer", "leader", "agency"}
    leader, seal = printed.field("leader"), printed.field("agency")
    assert {found.page for found in printed.fields} == {page}
    assert all(f.x >= 0 and f.x + f.width <= 595.3 and f.y >= 0 and f.y + f.height <= 841.9 for f in printed.fields)
    assert seal.width == pytest.approx(36 * 72 / 25.4, abs=0.1)
    assert seal.x + seal.width == pytest.approx(leader.x + leader.width / 3, abs=0.1)
    assert seal.y + seal.height / 2 == pytest.approx(leader.y + leader.height / 2, abs=0.1)


@pytest.mark.parametrize("name", ["certified_copy", "leave_permit", "result"])
def test_nothing_is_printed_where_number_and_date_will_stand(printer: Printer, name: str) -> None:
    printed = print_paper(printer, name)
    document = pypdfium2.PdfDocument(printed.pdf)

    for wanted in ("number", "date", "leader"):
        box = printed.field(wanted)
        page = document[box.page].get_textpage()
        under = page.get_text_bounded(box.x + 0.5, box.y + 0.5, box.x + box.width - 0.5, box.y + box.height - 0.5)
        assert under.strip() == "", wanted
    document.close()


def test_the_title_of_the_signer_stands_above_the_signature_and_the_name_below(printer: Printer) -> None:
    printed = print_paper(printer, "certified_copy")
    document = pypdfium2.PdfDocument(printed.pdf)
    leader = printed.field("leader")
    page = document[leader.page].get_textpage()

    above = page.get_text_bounded(leader.x, leader.y + leader.height, leader.x + leader.width, leader.y + leader.height + 60)
    below = page.get_text_bounded(leader.x, leader.y - 50, leader.x + leader.width, leader.y)

    assert "CHỦ TỊCH" in unicodedata.normalize("NFC", above)
    assert "Trần Văn Đức" in unicodedata.normalize("NFC", below)
    document.close()


@pytest.mark.parametrize(
    ("signer", "lines"),
    [
        ({"capacity": "own_power", "title": "Giám đốc"}, "GIÁM ĐỐC A"),
        ({"capacity": "for_collective", "collective": "Ủy ban nhân dân", "title": "Chủ tịch"}, "TM. ỦY BAN NHÂN DÂN CHỦ TỊCH A"),
        ({"capacity": "for_head", "head_title": "Giám đốc", "title": "Phó Giám đốc"}, "KT. GIÁM ĐỐC PHÓ GIÁM ĐỐC A"),
        ({"capacity": "by_order", "head_title": "Giám đốc", "title": "Chánh Văn phòng"}, "TL. GIÁM ĐỐC CHÁNH VĂN PHÒNG A"),
        ({"capacity": "by_authorisation", "head_title": "Giám đốc", "title": "Trưởng phòng"}, "TUQ. GIÁM ĐỐC TRƯỞNG PHÒNG A"),
        ({"capacity": "acting_head", "title": "Giám đốc"}, "Q. GIÁM ĐỐC A"),
        ({"lines": ["TM. HỘI ĐỒNG", "CHỦ TỊCH"]}, "TM. HỘI ĐỒNG CHỦ TỊCH A"),
    ],
)
def test_the_printed_prefix_follows_the_capacity(printer: Printer, signer: dict[str, Any], lines: str) -> None:
    assert lines in text_of(print_paper(printer, "leave_permit", {"signer": {**signer, "name": "A"}}).pdf)


def test_the_scan_stands_in_true_size_and_untouched(printer: Printer) -> None:
    printed = print_paper(printer, "certified_copy")

    with pikepdf.open(BytesIO(printed.pdf)) as pdf:
        assert len(pdf.pages) == 3
        [picture] = pdf.pages[0].get_images().values()
        assert picture.read_raw_bytes() == scan(1)
        width, height = (float(side) for side in pdf.pages[0].mediabox[2:])
        assert (width * 25.4 / 72, height * 25.4 / 72) == (pytest.approx(210, abs=0.2), pytest.approx(297, abs=0.2))


def test_a_changed_sentence_is_told_from_the_template(printer: Printer) -> None:
    plain = print_paper(printer, "leave_permit")
    changed = print_paper(printer, "leave_permit", {"texts": {"closing": "Ông (bà) báo cáo ngay khi trở lại."}})

    assert plain.differences == ()
    [difference] = changed.differences
    assert (difference.key, difference.value) == ("closing", "Ông (bà) báo cáo ngay khi trở lại.")
    assert difference.default == plain.wordings[0].value
    assert "báo cáo ngay khi trở lại" in text_of(changed.pdf)
    assert printer.texts(package("internal_leave"), "leave_permit", LEAVE) == plain.wordings


def test_the_same_paper_has_the_same_bytes(printer: Printer) -> None:
    assert print_paper(printer, "receipt").pdf == print_paper(printer, "receipt").pdf


def test_a_missing_input_is_named(printer: Printer) -> None:
    without = {key: value for key, value in PAPERS["refusal"].items() if key != "legal_basis"}

    with pytest.raises(Refused) as refused:
        printer.render(Folder(), "refusal", without)

    assert refused.value.code == "template.failed"
    assert "legal_basis" in refused.value.facts["reason"]


def test_an_unknown_template_is_not_found(printer: Printer) -> None:
    with pytest.raises(NotFound, match=r"template\.unknown"):
        printer.render(Folder(), "nowhere", {})


def test_a_package_template_comes_before_the_shared_one_of_its_name(printer: Printer) -> None:
    own = Folder({"templates/refusal.typ": '#import "/_shared/templates/nd30.typ": *\n#show: paper.with("x")\nRiêng của gói'.encode()})

    assert "Riêng của gói" in text_of(printer.render(own, "refusal", {}).pdf)


@pytest.mark.parametrize(
    "attack",
    [
        '#import "@preview/cetz:0.3.0": *',
        '#import "\\u{40}preview/cetz:0.3.0": *',
        '#let p = "@" + "preview/cetz:0.3.0"\n#import p: *',
        '#import/**/"@preview/cetz:0.3.0"',
        '#import ("@" + "preview/cetz:0.3.0"): *',
        '#include "@preview/cetz:0.3.0"',
        '#eval("import \\"@pre" + "view/cetz:0.3.0\\": *", mode: "code")',
        '#dictionary(std).at("ev" + "al")("1")',
        '#let p = plugin("x.wasm")',
        '// #import "a.typ"\n#import\n"@preview/x:1.0.0"',
        '#let p = "@preview/x:1.0.0"; #let a = " // "; #import p: *',
    ],
)
def test_a_template_cannot_reach_beyond_its_folder(printer: Printer, attack: str) -> None:
    with pytest.raises(Refused) as refused:
        printer.render(Folder({"templates/evil.typ": attack.encode()}), "evil", {})

    assert refused.value.code == "template.import_forbidden"


@pytest.mark.parametrize("path", ["/etc/hostname", "../../../../etc/hostname", "../data.json/../../x"])
def test_a_template_cannot_read_a_file_of_the_machine(printer: Printer, path: str) -> None:
    with pytest.raises(Refused, match=r"template\.failed"):
        printer.render(Folder({"templates/evil.typ": f'#read("{path}")'.encode()}), "evil", {})


@pytest.mark.parametrize("name", ["../evil.jpg", "/etc/x.jpg", "_shared/templates/nd30.typ", "data.json", "a\\b.jpg"])
def test_a_picture_cannot_take_the_place_of_another_file(printer: Printer, name: str) -> None:
    with pytest.raises(Refused, match=r"template\.file_unsafe"):
        printer.render(Folder(), "refusal", PAPERS["refusal"], {name: b""})


def test_no_shipped_template_reaches_beyond_its_folder() -> None:
    templates = [*BPMN.rglob("*.typ")]

    assert len(templates) >= 10
    for template in templates:
        refuse_outside(template.name, template.read_bytes())


def test_data_cannot_become_markup(printer: Printer) -> None:
    owner = '#read("/data.json") *đậm* <motcua-field> #import "@preview/x:1.0.0"'

    printed = print_paper(printer, "refusal", {"owner": owner})

    assert owner.replace(" ", "") in text_of(printed.pdf).replace(" ", "")
    assert printed.fields == ()


def test_the_qr_code_of_the_receipt_leads_to_the_dossier(printer: Printer) -> None:
    rows = qr_rows("https://example.vn/tra-cuu/H55.31-20261123-0089")

    assert len(rows) == len(rows[0]) >= 25
    assert set("".join(rows)) == {"0", "1"}
    assert read_back(print_paper(printer, "receipt", {"qr": rows}).pdf, len(rows)) == rows


def test_a_long_paper_is_numbered_from_the_second_on(printer: Printer) -> None:
    long = {**STARTER, "content": "Nội dung rất dài. " * 900}

    printed = printer.render(package("_template"), "result", long)

    document = pypdfium2.PdfDocument(printed.pdf)
    assert len(document) >= 3
    heads = [document[n].get_textpage().get_text_bounded(0, 790, 595, 842).split() for n in range(len(document))]
    document.close()
    assert "1" not in heads[0]
    assert all(str(n + 1) in heads[n] for n in range(1, len(heads)))


def test_a_certified_copy_of_no_pages_is_still_one_page_of_text(printer: Printer) -> None:
    assert printer.texts(package("certified_electronic_copy"), "certified_copy", {**CERTIFIED, "pages": []})[0].key == "statement"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_templates_of_shipped_packages_have_no_fault(printer: Printer, name: str) -> None:
    assert printer.faults(package(name)) == []


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("#let x = (", "template.broken"),
        ("#no-such-word", "template.broken"),
        ('#import "nowhere.typ": x', "template.broken"),
        ("\udcff", "template.not_utf8"),
        ('#import "@preview/x:1.0.0"', "template.import_forbidden"),
    ],
)
def test_a_faulty_template_is_told_before_the_procedure_is_published(printer: Printer, source: str, code: str) -> None:
    [fault] = printer.faults(Folder({"templates/new.typ": source.encode("utf-8", "surrogateescape")}))

    assert (fault.code, fault.facts["file"]) == (code, "templates/new.typ")


@pytest.mark.parametrize(("sheets", "above"), [(0, False), (2, True)], ids=["on a page with text", "above a scan that reaches the edge"])
def test_the_line_of_an_annex_has_free_room_at_the_top_right_of_its_first_page(printer: Printer, sheets: int, above: bool) -> None:
    pages = [{"file": f"page-{n}.jpg", "width_mm": 210, "height_mm": 297} for n in range(sheets)]
    pictures = {one["file"]: scan(n) for n, one in enumerate(pages)}
    data = {**HOUSE, "pages": pages, "line_above": above}
    printed = printer.render(package("house_construction_permit"), "design_drawings", data, pictures)
    line = printed.field("agency")
    judge_line(printed.pdf, Box(line.page, line.x, line.y, line.width, line.height))
    with pypdfium2.PdfDocument(printed.pdf) as document:
        assert len(document) == max(sheets, 1)
    if above:
        flat = printer.render(package("house_construction_permit"), "design_drawings", {**data, "line_above": False}, pictures)
        with pytest.raises(SigningError, match="line_covers"):
            judge_line(flat.pdf, Box(line.page, line.x, flat.field("agency").y, line.width, line.height))
