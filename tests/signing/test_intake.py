"""Uploads are judged by what they are: refused with a reason, cleaned where that is possible, signed ones left alone."""

from __future__ import annotations

import io
import zipfile
import zlib

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, String
from PIL import Image

from signing import intake
from signing.intake import Inspection, Limits
from tests.support.signing_office import Office, letter, refused


def saved(pdf: Pdf, **options: object) -> bytes:
    pdf.save(out := io.BytesIO(), **options)  # type: ignore[arg-type]
    return out.getvalue()


def code(inspection: Inspection) -> str:
    assert not inspection.accepted
    return inspection.refusals[0].code


def with_root(**entries: object) -> bytes:
    with Pdf.open(io.BytesIO(letter())) as pdf:
        for key, value in entries.items():
            pdf.Root[f"/{key}"] = value
        return saved(pdf)


def picture(kind: str, size: tuple[int, int] = (60, 40)) -> bytes:
    Image.new("RGB", size, "white").save(out := io.BytesIO(), kind)
    return out.getvalue()


def test_a_proper_letter_is_kept_byte_by_byte() -> None:
    content = letter()
    inspection = intake.inspect(content, "Quyết định.PDF")
    assert inspection.accepted
    assert inspection.content == content
    assert (inspection.kind, inspection.pages, inspection.signatures) == ("pdf", 1, 0)
    assert inspection.name == "Quyết định.pdf"


def test_odd_names_are_kept_in_nfc_without_path_and_with_their_true_extension() -> None:
    assert intake.kept_name("../../etc/Do\u031bn xin.exe", "pdf") == "Dơn xin.exe.pdf"
    assert intake.kept_name("C:\\anh\u202etxt.png", "jpeg") == "anhtxt.jpg"
    assert intake.kept_name("", "png") == "tep.png"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "file.empty"),
        (b"MZ\x90\x00 a program", "file.kind_unknown"),
        (b"<html>%PDF</html>", "file.kind_unknown"),
        (b"%PDF-1.7\n%%EOF", "file.pdf_broken"),
        (b"%PDF-1.7 truncated in the middle of", "file.pdf_broken"),
        (b"\xff\xd8\xff\xe0 no picture", "file.image_broken"),
        (b"\x89PNG\r\n\x1a\n no picture", "file.image_broken"),
    ],
)
def test_what_is_no_readable_document_is_refused(content: bytes, expected: str) -> None:
    assert code(intake.inspect(content, "file.pdf")) == expected


def test_an_archive_bomb_is_not_opened_at_all() -> None:
    with zipfile.ZipFile(out := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * 20_000_000)
    assert code(intake.inspect(out.getvalue(), "scan.pdf")) == "file.archive"


def test_a_file_over_the_limit_is_refused_unread() -> None:
    inspection = intake.inspect(b"%PDF-" + b"\0" * 2_000_000, "large.pdf", Limits(most_bytes=1_000_000))
    assert code(inspection) == "file.too_large"
    assert inspection.content == b""


def test_an_encrypted_document_is_refused() -> None:
    with Pdf.open(io.BytesIO(letter())) as pdf:
        for password in ("secret", ""):
            locked = saved(pdf, encryption=pikepdf.Encryption(owner="owner", user=password))
            assert code(intake.inspect(locked)) == "file.pdf_encrypted"


def test_a_document_that_unpacks_to_gigabytes_is_refused() -> None:
    once = zlib.compress(b"\0" * 200_000_000, 9)
    for content, filters in ((once * 1, Name.FlateDecode), (zlib.compress(once, 9), Array([Name.FlateDecode, Name.FlateDecode]))):
        with Pdf.open(io.BytesIO(letter())) as pdf:
            pdf.Root.Bomb = pikepdf.Stream(pdf, content, Filter=filters)
            bomb = saved(pdf, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
        assert code(intake.inspect(bomb, limits=Limits(most_unpacked=50_000_000))) == "file.bomb"


def test_a_picture_of_too_many_pixels_is_refused_without_unpacking_it() -> None:
    assert code(intake.inspect(picture("PNG", (4000, 4000)), limits=Limits(most_pixels=1_000_000))) == "file.image_pixels"
    assert code(intake.inspect(picture("JPEG", (1200, 1000)), limits=Limits(most_pixels=1_000_000))) == "file.image_pixels"


def test_pictures_are_encoded_anew_so_that_nothing_hides_in_them() -> None:
    for kind, expected in (("JPEG", "jpeg"), ("PNG", "png")):
        inspection = intake.inspect(picture(kind) + b"<script>hidden</script>", "anh.jpg")
        assert inspection.accepted
        assert inspection.kind == expected
        assert b"hidden" not in inspection.content
        assert (inspection.width, inspection.height) == (60, 40)


def test_more_pages_than_allowed_are_refused() -> None:
    with Pdf.new() as pdf:
        for _ in range(5):
            pdf.add_blank_page()
        content = saved(pdf)
    assert code(intake.inspect(content, limits=Limits(most_pages=4))) == "file.pdf_pages"
    assert intake.inspect(content, limits=Limits(most_pages=5)).pages == 5


SCRIPT = Dictionary(Type=Name.Action, S=Name.JavaScript, JS=String("app.alert(1)"))
ACTIVE = {
    "script on opening": {"OpenAction": SCRIPT},
    "automatic action": {"AA": Dictionary(WC=SCRIPT)},
    "program": {"OpenAction": Dictionary(Type=Name.Action, S=Name.Launch, F=String("calc.exe"))},
    "named script": {"Names": Dictionary(JavaScript=Dictionary(Names=Array([String("a"), SCRIPT])))},
    "attachment": {
        "Names": Dictionary(EmbeddedFiles=Dictionary(Names=Array([String("a"), Dictionary(Type=Name.Filespec, EF=Dictionary())])))
    },
    "form with XFA": {"AcroForm": Dictionary(Fields=Array(), XFA=String("<xdp/>"))},
}


@pytest.mark.parametrize("kind", sorted(ACTIVE))
def test_active_documents_are_refused_and_a_safe_copy_is_offered(kind: str) -> None:
    active = with_root(**ACTIVE[kind])
    inspection = intake.inspect(active)
    assert code(inspection) == "file.pdf_active"
    assert inspection.safe_copy_possible
    copy = intake.safe_copy(active)
    assert intake.inspect(copy).accepted
    assert intake.lint(copy) == ()


def test_a_link_and_an_opening_page_are_harmless() -> None:
    with Pdf.open(io.BytesIO(letter())) as pdf:
        page = pdf.pages[0].obj
        pdf.Root.OpenAction = Array([page, Name.Fit])
        link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=Dictionary(S=Name.URI, URI=String("https://gov.vn")))
        page.Annots = Array([pdf.make_indirect(link)])
        assert intake.inspect(saved(pdf)).accepted


def test_a_signed_document_is_recognised_and_kept_untouched(office: Office) -> None:
    issued = office.issued()
    inspection = intake.inspect(issued)
    assert inspection.accepted
    assert inspection.signatures == 2
    assert inspection.content == issued


def test_lint_finds_what_shadow_attacks_need_and_normalising_removes_it() -> None:
    foreign = {
        "lint.form": with_root(AcroForm=Dictionary(Fields=Array())),
        "lint.layers": with_root(OCProperties=Dictionary(OCGs=Array(), D=Dictionary())),
        "lint.permissions": with_root(Perms=Dictionary()),
    }
    with Pdf.open(io.BytesIO(letter())) as pdf:
        font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        pdf.pages[0].obj.Resources.Font["/Foreign"] = pdf.make_indirect(font)
        foreign["lint.fonts"] = saved(pdf)
    with Pdf.open(io.BytesIO(letter())) as pdf:
        note = Dictionary(Type=Name.Annot, Subtype=Name.FreeText, Rect=[0, 0, 90, 90], Contents=String("note"))
        pdf.pages[0].obj.Annots = Array([pdf.make_indirect(note)])
        foreign["lint.annotations"] = saved(pdf)
    original = letter()
    foreign["lint.revisions"] = original + b"\nstartxref\n0\n%%EOF\n" * 2
    for expected, content in foreign.items():
        assert expected in {one.code for one in intake.lint(content)}, expected
        if expected != "lint.revisions":
            assert intake.lint(intake.normalise(content)) == (), expected
    assert intake.lint(original) == ()


def test_an_object_nothing_leads_to_is_found_before_signing() -> None:
    original = letter()
    hidden = original.replace(b"%%EOF", b"%%EOF", 1)
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(hidden))
    writer.add_object(generic.DictionaryObject({generic.NameObject("/Type"): generic.NameObject("/Pages")}))
    writer.write(out := io.BytesIO())
    found = {one.code for one in intake.lint(out.getvalue())}
    assert "lint.orphans" in found or "lint.revisions" in found


def test_a_file_nobody_can_clean_is_refused_with_a_reason() -> None:
    with refused("file.pdf_broken"):
        intake.safe_copy(b"%PDF-1.7 nothing")
