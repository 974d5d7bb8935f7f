"""The named set of honest documents, and how many of them are refused: ``python -m tests.signing.honest [--json] [--write]``.

Every maker makes every text; each file goes the whole way (normalised if need be, signed, numbered, sealed, verified) and must come out
valid. Makers whose program is not installed are named, never passed over in silence.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pypdfium2
import typst
from pikepdf import Dictionary, Name, Pdf, String
from PIL import Image

from signing import cleaning, fields, intake
from signing.errors import SigningError
from signing.model import AGENCY, LEADER
from signing.report import Verdict
from tests.signing.attack_run import PAGE, wilson
from tests.signing.office_suite import printed
from tests.support.signing_office import FONT, FONTS, LETTER, Office, examined, letter, make_hierarchy, plan

BEGIN, END = "<!-- honest figures -->\n", "<!-- end of honest figures -->\n"
TEXTS: dict[str, str] = {
    "letter": LETTER,
    "figures": """
#set page(paper: "a4", margin: 25mm)
#set text(font: "Tinos", 13pt, lang: "vi")
#set document(title: "Bảng")
#table(columns: 3, ..range(60).map(i => [Ô số #i]))
#pagebreak()
#rect(width: 5cm, height: 3cm, fill: gradient.linear(blue, white))
#link("https://dichvucong.gov.vn")[Cổng dịch vụ công]
""",
    "long": LETTER + "#pagebreak()\n#lorem(900)\n" * 3,
    "columns": LETTER + "#columns(2)[#lorem(120)]",
    "formulas": LETTER
    + '#math.equation(alt: "tổng", block: true, $ sum_(i=1)^n i = (n(n+1))/2 $) #strike[bỏ] #super[2] #underline[gạch chân]',
    "letters": LETTER + "ẮẰẲẴẶ ỨỪỬỮỰ ộợ đĐ ₫ – — “ ” … #text(size: 7pt)[chú thích cỡ nhỏ]",
    "landscape": LETTER.replace('paper: "a4"', 'paper: "a4", flipped: false') + "#rotate(15deg)[nghiêng]",
    "footnotes": LETTER + "Điều 1.#footnote[Theo Nghị định 30/2020/NĐ-CP.] #lorem(80)#footnote[Phụ lục I.]",
    "picture": LETTER
    + '#image(bytes(range(768).map(i => calc.rem(i * 7, 256))), format: (encoding: "rgb8", width: 16, height: 16), width: 4cm, alt: "dấu")',
    "transparent": LETTER + "#box(fill: rgb(0, 0, 255, 40), inset: 8pt)[Nền trong suốt] #text(fill: rgb(255, 0, 0, 120))[chữ mờ]",
    "twenty pages": LETTER + "#pagebreak()\n#lorem(200)\n" * 19,
    "mixed sheets": LETTER + '#page(paper: "a3", flipped: true)[Bản vẽ khổ lớn]\n#page(paper: "a5")[Phiếu]',
    "merged cells": LETTER
    + "#table(columns: 4, table.cell(colspan: 2)[Gộp], [3], [4], table.cell(rowspan: 2)[Dọc], [1], [2], [3], [4], [5])",
    "header and page number": '#set page(header: [Mẫu số 01], footer: context counter(page).display("1"))\n' + LETTER + "#lorem(700)",
    "lists": LETTER + "- Nơi nhận\n- Lưu: VT\n+ Một\n+ Hai\n  + Hai một\n/ Điều: giải thích",
    "bookmarks": LETTER + '#link(<cuoi>)[Xem cuối] #pagebreak() = Phụ lục <cuoi> #link("mailto:vanthu@example.vn")[thư]',
    "drawing": LETTER + "#place(dx: 1cm, circle(radius: 2cm, stroke: 2pt + red)) #line(length: 100%) #curve(curve.move((0pt, 50pt)), "
    "curve.cubic((10pt, 0pt), (40pt, 90pt), (80pt, 20pt)))",
    "code and figures": LETTER + '`mã hồ sơ` #raw("H27.05-261122-0001", block: true) 1.234.567,89 ₫ × 2⁵ ≤ ∞',
    "small print": LETTER + "#text(size: 5pt)[#lorem(300)]",
    "empty last page": LETTER + "#pagebreak()\n#pagebreak()",
    "outline": '#set heading(numbering: "1.")\n' + LETTER + "#outline()\n= Điều một\n#lorem(40)\n= Điều hai\n#lorem(40)",
}


def by(*command: str) -> Callable[[Path], bytes]:
    def made(folder: Path) -> bytes:
        source, target = folder / "source.pdf", folder / "target.pdf"
        source.write_bytes(folder.joinpath("letter.pdf").read_bytes())
        subprocess.run([*(part.format(source=source, target=target) for part in command)], check=True, capture_output=True)
        return target.read_bytes()

    return made


def typeset(**options: object) -> Callable[[Path], bytes]:
    def made(folder: Path) -> bytes:
        compiled = typst.compile(folder.joinpath("letter.typ").read_bytes(), font_paths=[str(FONTS)], **options)  # type: ignore[arg-type]
        assert isinstance(compiled, bytes)
        return compiled

    return made


def by_pikepdf(alter: Callable[[Pdf], None]) -> Callable[[Path], bytes]:
    def made(folder: Path) -> bytes:
        with Pdf.open(folder / "letter.pdf") as pdf:
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


def redrawn(folder: Path) -> bytes:
    with pypdfium2.PdfDocument(folder / "letter.pdf") as document:
        document.save(out := io.BytesIO())
        return out.getvalue()


GHOSTSCRIPT = ("gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=pdfwrite")
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
    "ghostscript": by(*GHOSTSCRIPT, "-sOutputFile={target}", "{source}"),
    "ghostscript, small": by(*GHOSTSCRIPT, "-dPDFSETTINGS=/ebook", "-sOutputFile={target}", "{source}"),
    "ghostscript, PDF 1.4": by(*GHOSTSCRIPT, "-dCompatibilityLevel=1.4", "-sOutputFile={target}", "{source}"),
    "libreoffice": printed("fodt", "pdf:writer_pdf_Export", TEXTS),
    "libreoffice, archival": printed("fodt", 'pdf:writer_pdf_Export:{"SelectPdfVersion":{"type":"long","value":"2"}}', TEXTS),
    "libreoffice, from HTML": printed("html", "pdf:writer_web_pdf_Export", TEXTS),
    "font not embedded": by_pikepdf(foreign_font),
    "with a form": by_pikepdf(form),
    "scan": scan,
}


PROGRAM = {"qpdf": "qpdf", "mutool": "mutool", "poppler": "pdfunite", "ghostscript": "gs", "libreoffice": "soffice"}


def missing(maker: str) -> bool:
    """Whether the program of a maker is not installed."""
    program = PROGRAM.get(maker.split(",")[0])
    return program is not None and shutil.which(program) is None


def made(maker: str, text: str, folder: Path) -> bytes:
    """One document of the set."""
    (folder / "letter.typ").write_text(TEXTS[text])
    (folder / "letter.pdf").write_bytes(letter(TEXTS[text]))
    return MAKERS[maker](folder)


def refusal(office: Office, document: bytes) -> str:
    """Why an honest document did not come out valid; empty when it did."""
    inspected = intake.inspect(document)
    if not inspected.accepted:
        return ", ".join(one.code for one in inspected.refusals)
    try:
        clean = document if not intake.lint(document) else intake.normalise(document)
        signed = office.sign(fields.add_fields(clean, plan(), FONT.read_bytes()), LEADER, "lan")
        sealed = office.sign(fields.fill_number(signed, "15", "ngày 22 tháng 11 năm 2026"), AGENCY, "agency")
    except SigningError as refused:
        return refused.code
    report = examined(office, sealed)
    reasons = [*report.reasons, *(one for signature in report.signatures for one in signature.reasons)]
    return "" if report.verdict is Verdict.VALID else ", ".join(one.code for one in reasons) or report.verdict


def judged(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Maker, text and refusal of every document that can be made here."""
    make_hierarchy(folder / "pki")
    office = Office(folder / "pki")
    for maker in MAKERS:
        for text in TEXTS if not missing(maker) else ():
            place = folder / f"{maker}-{text}".replace(" ", "-")
            place.mkdir()
            why = refusal(office, made(maker, text, place))
            if why:
                print(f"{maker}, {text}: {why}", file=sys.stderr, flush=True)
            yield maker, text, why


def counted(rows: list[tuple[str, str, str]]) -> str:
    """The figures of each maker as a table; its last row bounds the rate of refusals by this set."""
    lines = []
    for maker in dict.fromkeys(row[0] for row in rows):
        refusals = [why for one, _, why in rows if one == maker]
        lines.append(f"| {maker} | {len(refusals)} | {sum(1 for why in refusals if why)} |\n")
    refused = sum(1 for row in rows if row[2])
    told = f"| all | {len(rows)} | **{refused}** (rate at most {wilson(refused, len(rows)):.2%}) |\n"
    return "| maker | documents | refused |\n|---|--:|--:|\n" + "".join(lines) + told


def written(rows: list[tuple[str, str, str]], absent: list[str]) -> None:
    """Put the figures into the page of the attacks."""
    head, rest = PAGE.read_text("utf-8").split(BEGIN)
    missed = f"\nNot installed when it was made: {', '.join(absent)}.\n" if absent else ""
    day = date.today().isoformat()  # noqa: DTZ011 - the day on the page is the writer's
    PAGE.write_text(f"{head}{BEGIN}Run of {day}, {len(TEXTS)} texts.\n\n{counted(rows)}{missed}{END}{rest.split(END)[1]}", "utf-8")


def main() -> int:
    """Print how many were refused; 1 when it is more than one in a hundred."""
    with tempfile.TemporaryDirectory() as folder:
        rows = list(judged(Path(folder)))
    refused = [row for row in rows if row[2]]
    absent = [maker for maker in MAKERS if missing(maker)]
    makers, count = len(MAKERS) - len(absent), len(refused)
    if "--write" in sys.argv:
        written(rows, absent)
    if "--json" in sys.argv:
        print(json.dumps({"documents": len(rows), "refused": refused, "makers": makers, "not_installed": absent}, ensure_ascii=False))
    else:
        for maker, text, why in refused:
            print(f"{maker}, {text}: {why}")
        print(f"{len(rows)} honest documents of {makers} makers, {count} refused; not installed: {', '.join(absent) or 'none'}")
    return int(len(refused) * 100 > len(rows))


if __name__ == "__main__":
    sys.exit(main())
