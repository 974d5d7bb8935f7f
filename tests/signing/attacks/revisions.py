"""Incremental saving: new bodies appended with a cross-reference of every kind, a wrong one or none; hybrids among them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.signing.attacks.ranges import Variant
from tests.signing.attacks.readers import BLANK, appended, catalogue_of, page_of

name = generic.NameObject
Objects = dict[int, bytes]


def targets(pdf: bytes) -> dict[str, Objects]:
    """What an attacker would put in place of the true objects, by number."""
    root, catalogue = catalogue_of(pdf)
    page, look = page_of(pdf)

    def entered(text: bytes, more: bytes) -> bytes:
        return text[: text.rindex(b">>")] + more + b" >>"

    def without(text: bytes, key: bytes) -> bytes:
        return re.sub(re.escape(key) + rb"\s*(\d+ \d+ R|\[[^\]]*\]|[^/>]*)", b"", text, count=1)

    blank = re.sub(rb"/Contents[^/>]*", b"/Contents 9000 0 R ", look)
    return {
        "page emptied": {page: blank, 9000: BLANK},
        "page turned": {page: entered(without(look, b"/Rotate"), b"/Rotate 180")},
        "page cropped": {page: entered(look, b"/CropBox [0 0 100 100]")},
        "page enlarged": {page: entered(without(look, b"/MediaBox"), b"/MediaBox [0 0 5000 5000]")},
        "page without annotations": {page: without(look, b"/Annots")},
        "page in other units": {page: entered(look, b"/UserUnit 3")},
        "page with a script": {page: entered(look, b"/AA << /O << /S /JavaScript /JS (1) >> >>")},
        "catalogue replaced": {root: b"<< /Type /Catalog /Pages 9001 0 R >>", 9001: b"<< /Type /Pages /Count 0 /Kids [] >>"},
        "catalogue without its form": {root: without(catalogue, b"/AcroForm")},
        "catalogue with a script": {root: entered(catalogue, b"/OpenAction << /S /JavaScript /JS (1) >>")},
        "catalogue with layers": {root: entered(catalogue, b"/OCProperties << /OCGs [] /D << >> >>")},
        "catalogue with labels": {root: entered(catalogue, b"/PageLabels << /Nums [0 << /P (99) >>] >>")},
        "catalogue with extensions": {root: entered(catalogue, b"/Extensions << /X << /BaseVersion /1.7 /ExtensionLevel 9 >> >>")},
        "a page more": {9002: b"<< /Type /Page /Parent 1 0 R /MediaBox [0 0 595 842] >>"},
        "an orphan": {9003: BLANK},
    }


def incremental_saving(pdf: bytes) -> Iterator[Variant]:
    """New bodies appended, with and without cross-reference."""
    yield "bare object", pdf + b"\n900 0 obj\n<< /Type /Page >>\nendobj\n"
    yield "object and marker", pdf + b"\n900 0 obj\n<< /Type /Page >>\nendobj\n%%EOF\n"
    yield "trailing words", pdf + b"% approved\n"
    yield "trailing zeros", pdf + b"\0" * 100 + b"x"
    start = int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])
    for title, objects in targets(pdf).items():
        body = b"\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, content) for number, content in objects.items())
        yield f"{title}, no reference", pdf + body
        yield f"{title}, the old reference again", pdf + body + b"startxref\n%d\n%%%%EOF\n" % start
        yield f"{title}, reference to nowhere", pdf + body + b"startxref\n%d\n%%%%EOF\n" % (len(pdf) + 10**6)
        yield f"{title}, a trailer only", pdf + body + b"trailer\n<< /Size 9100 /Root %d 0 R /Prev %d >>\n%%%%EOF\n" % (
            catalogue_of(pdf)[0], start,
        )  # fmt: skip
        for section in ("table", "stream"):
            once = appended(pdf, objects, section=section)
            yield f"{title}, {section}", once
            yield f"{title}, {section}, taken back in a further revision", appended(once, {9090: BLANK}, section=section)
            yield f"{title}, {section}, a copy of the old start behind", once + b"startxref\n%d\n%%%%EOF\n" % start
    yield from _by_the_library(pdf)


def _by_the_library(pdf: bytes) -> Iterator[Variant]:
    """The same as an ordinary program would save it."""

    def saved(writer: IncrementalPdfFileWriter) -> bytes:
        writer.write(out := io.BytesIO())
        return out.getvalue()

    for title, content in (("emptied", b"BT ET"), ("painted over", b"1 g 0 0 600 850 re f"), ("garbage", b"(((")):
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        page = writer.root["/Pages"]["/Kids"][0]
        page[name("/Contents")] = writer.add_object(generic.StreamObject(stream_data=content))
        writer.update_container(page)
        yield f"saved: page {title}", saved(writer)
    for degrees in (90, 180, 270):
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        page = writer.root["/Pages"]["/Kids"][0]
        page[name("/Rotate")] = generic.NumberObject(degrees)
        writer.update_container(page)
        yield f"saved: page turned by {degrees}", saved(writer)
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    writer.add_object(generic.DictionaryObject({name("/Type"): name("/Page")}))
    yield "saved: orphan object", saved(writer)


def hybrids(pdf: bytes) -> Iterator[Variant]:
    """Hybrid cross-references: the table tells one reader this, the stream beside it tells another that."""
    previous = re.findall(rb"startxref\s+(\d+)", pdf)[-1]
    for title, objects in targets(pdf).items():
        made = appended(pdf, objects, section="hybrid")
        yield f"{title}, in the stream only", made
        yield f"{title}, in both", appended(pdf, objects, section="both")
        yield f"{title}, table says otherwise", appended(pdf, objects, section="contrary")
        yield f"{title}, stream of an older revision", re.sub(rb"/XRefStm \d+", b"/XRefStm " + previous, made)
        yield f"{title}, stream at nothing", re.sub(rb"/XRefStm \d+", b"/XRefStm 99999999", made)
        yield f"{title}, stream at zero", re.sub(rb"/XRefStm \d+", b"/XRefStm 0", made)
        yield f"{title}, stream named twice", re.sub(rb"(/XRefStm \d+)", rb"\1 \1", made)
        yield f"{title}, stream negative", re.sub(rb"/XRefStm \d+", b"/XRefStm -1", made)
        yield f"{title}, a further revision hides it", appended(made, {9091: BLANK})
