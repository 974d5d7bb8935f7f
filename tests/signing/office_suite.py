"""Honest documents of LibreOffice Writer: every text as a flat OpenDocument file or HTML, printed to PDF by one start of the program."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

_FLAT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
 xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" office:version="1.3"
 office:mimetype="application/vnd.oasis.opendocument.text">
<office:styles><style:default-style style:family="paragraph">
<style:text-properties fo:language="vi" fo:country="VN" fo:font-size="13pt" style:font-name="Tinos"/></style:default-style></office:styles>
<office:automatic-styles><style:page-layout style:name="A4"><style:page-layout-properties fo:page-width="210mm" fo:page-height="297mm"
 fo:margin="25mm"/></style:page-layout>
<style:style style:name="new" style:family="paragraph"><style:paragraph-properties fo:break-before="page"/></style:style>
<style:style style:name="strong" style:family="text"><style:text-properties fo:font-weight="bold"/></style:style></office:automatic-styles>
<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="A4"/></office:master-styles>
<office:body><office:text>{content}</office:text></office:body></office:document>
"""
_PROFILE_SECONDS = 300


def lines(typst: str) -> list[str]:
    """The words of a text written for Typst, its instructions left out; an empty line stands for a new page."""
    told = []
    for line in typst.splitlines():
        if line.startswith("#pagebreak"):
            told.append("")
        words = re.sub(r"#[a-z]+(\([^)]*\))?|[\[\]*$_#]", " ", line).strip()
        if words:
            told.append(words)
        told += [
            f"Điều {number}. Nội dung của điều này được thi hành."
            for number in range(int((re.findall(r"lorem\((\d+)", line) or [0])[0]) // 20)
        ]
    return told


def flat(typst: str) -> str:
    """A flat OpenDocument file: heading, paragraphs, a table, pages."""
    parts, style = ['<text:h text:outline-level="1"><text:span text:style-name="strong">QUYẾT ĐỊNH</text:span></text:h>'], ""
    for line in lines(typst):
        if not line:
            style = ' text:style-name="new"'
            continue
        parts.append(f"<text:p{style}>{escape(line)}</text:p>")
        style = ""
    cells = "".join(f"<table:table-cell><text:p>{escape(word)}</text:p></table:table-cell>" for word in ("Số", "Ngày", "Nơi nhận"))
    rows = f"<table:table-row>{cells}</table:table-row>" * (len(parts) % 5 + 1)
    parts.append(f'<table:table table:name="t"><table:table-column table:number-columns-repeated="3"/>{rows}</table:table>')
    return _FLAT.format(content="".join(parts))


def web(typst: str) -> str:
    """The same as HTML."""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines(typst))
    return f"<html><meta charset=utf-8><h1>QUYẾT ĐỊNH</h1>{paragraphs}<table border=1><tr><td>1</td><td><b>hai</b></td></tr></table></html>"


@cache
def _printed(suffix: str, export: str, texts: tuple[tuple[str, str], ...]) -> dict[str, bytes]:
    write = {"fodt": flat, "html": web}[suffix]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, typst in texts:
            (folder / f"{title}.{suffix}").write_text(write(typst), "utf-8")
        command = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", export, "--outdir", name]
        sources = sorted(str(one) for one in folder.glob(f"*.{suffix}"))
        subprocess.run([*command, *sources], check=True, capture_output=True, timeout=_PROFILE_SECONDS)
        return {title: (folder / f"{title}.pdf").read_bytes() for title, _ in texts}


def printed(suffix: str, export: str, texts: Mapping[str, str]) -> Callable[[Path], bytes]:
    """A maker: the text whose source lies in the folder, printed; the first call prints all *texts*, a start takes seconds."""

    def made(folder: Path) -> bytes:
        source = folder.joinpath("letter.typ").read_text("utf-8")
        title = next(title for title, text in texts.items() if text == source)
        return _printed(suffix, export, tuple(texts.items()))[title]

    return made
