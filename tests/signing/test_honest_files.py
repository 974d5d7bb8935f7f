"""Honest documents of many makers are not refused: normalised if need be, signed, numbered, sealed, and called valid."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
import typst
from pikepdf import Dictionary, Name, Pdf, String
from PIL import Image

from signing import cleaning, fields, intake
from signing.model import AGENCY, LEADER
from signing.report import Verdict
from tests.support.signing_office import FONT, FONTS, Office, examined, letter, plan

FIGURES = """
#set page(paper: "a4", margin: 25mm)
#set text(font: "Tinos", 13pt, lang: "vi")
#set document(title: "Bảng")
#table(columns: 3, ..range(60).map(i => [Ô số #i]))
#pagebreak()
#rect(width: 5cm, height: 3cm, fill: gradient.linear(blue, white))
#link("https://dichvucong.gov.vn")[Cổng dịch vụ công]
"""


def by(*command: str) -> Callable[[Path], bytes]:
    def made(folder: Path) -> bytes:
        source, target = folder / "source.pdf", folder / "target.pdf"
        source.write_bytes(letter())
        subprocess.run([*(part.format(source=source, target=target) for part in command)], check=True, capture_output=True)
        return target.read_bytes()

    return made


def typeset(**options: object) -> Callable[[Path], bytes]:
    def made(_: Path) -> bytes:
        compiled = typst.compile(FIGURES.encode(), font_paths=[str(FONTS)], **options)  # type: ignore[arg-type]
        assert isinstance(compiled, bytes)
        return compiled

    return made


def by_pikepdf(alter: Callable[[Pdf], None]) -> Callable[[Path], bytes]:
    def made(_: Path) -> bytes:
        with Pdf.open(io.BytesIO(letter())) as pdf:
            alter(pdf)
            pdf.save(out := io.BytesIO())
        return out.getvalue()

    return made


def foreign_font(pdf: Pdf) -> None:
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name("/Times-Roman"))
    pdf.pages[0].obj.Resources.Font["/Foreign"] = pdf.make_indirect(font)


def form(pdf: Pdf) -> None:
    field = Dictionary(
        FT=Name.Tx, T=String("họ tên"), V=String("Lan"), Type=Name.Annot, Subtype=Name.Widget, Rect=[100, 100, 200, 120], DA=String("")
    )
    placed = pdf.make_indirect(field)
    pdf.Root.AcroForm = Dictionary(Fields=[placed])
    pdf.pages[0].obj.Annots = pdf.make_indirect([placed])


def scan(_: Path) -> bytes:
    Image.effect_noise((1240, 1754), 40).convert("RGB").save(out := io.BytesIO(), "JPEG", quality=70)
    return cleaning.pages_of_pictures([(out.getvalue(), 595.28, 841.89)])


def redrawn(_: Path) -> bytes:
    with pypdfium2.PdfDocument(letter()) as document:
        document.save(out := io.BytesIO())
        return out.getvalue()


MAKERS: dict[str, Callable[[Path], bytes]] = {
    "typst": typeset(),
    "typst, archival": typeset(pdf_standards=["a-2b"]),
    "typst, tagged archival": typeset(pdf_standards=["a-2a"]),
    "qpdf, linearised": by("qpdf", "--linearize", "{source}", "{target}"),
    "qpdf, object streams": by("qpdf", "--object-streams=generate", "--compress-streams=y", "{source}", "{target}"),
    "qpdf, plain": by("qpdf", "--qdf", "{source}", "{target}"),
    "mutool": by("mutool", "clean", "-gggg", "{source}", "{target}"),
    "mutool, compressed": by("mutool", "clean", "-gz", "{source}", "{target}"),
    "poppler, joined": by("pdfunite", "{source}", "{source}", "{target}"),
    "poppler, through cairo": by("pdftocairo", "-pdf", "{source}", "{target}"),
    "pdfium": redrawn,
    "font not embedded": by_pikepdf(foreign_font),
    "with a form": by_pikepdf(form),
    "scan": scan,
}


@pytest.mark.parametrize("maker", sorted(MAKERS))
def test_an_honest_document_can_be_signed_and_is_called_valid(office: Office, tmp_path: Path, maker: str) -> None:
    document = MAKERS[maker](tmp_path)
    assert intake.inspect(document).accepted
    clean = document if not intake.lint(document) else intake.normalise(document)
    assert intake.lint(clean) == ()
    signed = office.sign(fields.add_fields(clean, plan(), FONT.read_bytes()), LEADER, "lan")
    sealed = office.sign(fields.fill_number(signed, "15", "ngày 22 tháng 11 năm 2026"), AGENCY, "agency")
    report = examined(office, sealed)
    assert report.verdict is Verdict.VALID, [one.reasons for one in report.signatures]
