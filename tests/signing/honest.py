"""The named set of honest documents, and how many of them are refused: ``python -m tests.signing.honest [--json]``.

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
from pathlib import Path

import pypdfium2
import typst
from pikepdf import Dictionary, Name, Pdf, String
from PIL import Image

from signing import cleaning, fields, intake
from signing.errors import SigningError
from signing.model import AGENCY, LEADER
from signing.report import Verdict
from tests.support.signing_office import FONT, FONTS, LETTER, Office, examined, letter, make_hierarchy, plan

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


def office_suite(folder: Path) -> bytes:
    """A text typed in LibreOffice Writer: from HTML, the only thing both sides read without more programs."""
    text = "<h1>QUYẾT ĐỊNH</h1><p>Điều 1. Nội dung thứ nhất.</p><table border=1><tr><td>1</td></tr></table>"
    (folder / "letter.html").write_text(f"<html><meta charset=utf-8>{text}</html>")
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", "pdf:writer_web_pdf_Export"]
    subprocess.run([*command, "--outdir", str(folder), str(folder / "letter.html")], check=True, capture_output=True, timeout=180)
    return (folder / "letter.pdf").read_bytes()


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
    "libreoffice": office_suite,
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
            yield maker, text, refusal(office, made(maker, text, place))


def main() -> int:
    """Print how many were refused; 1 when it is more than one in a hundred."""
    with tempfile.TemporaryDirectory() as folder:
        rows = list(judged(Path(folder)))
    refused = [row for row in rows if row[2]]
    absent = [maker for maker in MAKERS if missing(maker)]
    makers, count = len(MAKERS) - len(absent), len(refused)
    if "--json" in sys.argv:
        print(json.dumps({"documents": len(rows), "refused": refused, "makers": makers, "not_installed": absent}, ensure_ascii=False))
    else:
        for maker, text, why in refused:
            print(f"{maker}, {text}: {why}")
        print(f"{len(rows)} honest documents of {makers} makers, {count} refused; not installed: {', '.join(absent) or 'none'}")
    return int(len(refused) * 100 > len(rows))


if __name__ == "__main__":
    sys.exit(main())
