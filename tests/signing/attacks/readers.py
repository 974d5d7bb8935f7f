"""Files that different programs read differently: what one takes for a comment, a repair or a duplicate is another's document."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator

from pikepdf import Pdf
from pyhanko.pdf_utils.reader import PdfFileReader

from tests.signing.attacks.ranges import Variant

BLANK = b"<< /Length 5 >>\nstream\nBT ET\nendstream"


def catalogue_of(pdf: bytes) -> tuple[int, bytes]:
    """Number and text of the newest catalogue."""
    with Pdf.open(io.BytesIO(pdf)) as document:
        return document.Root.objgen[0], document.Root.unparse(resolved=True)


def page_of(pdf: bytes) -> tuple[int, bytes]:
    """Number and text of the first page."""
    with Pdf.open(io.BytesIO(pdf)) as document:
        page = document.pages[0].obj
        return page.objgen[0], page.unparse(resolved=True)


def appended(
    pdf: bytes, objects: dict[int, bytes], *, trailer: bytes = b"", section: str = "table", entries: dict[int, int] | None = None
) -> bytes:
    """*pdf* with one more revision: *objects* by number.

    *section*: in a ``table``, in a ``stream``, in the stream beside an empty table (``hybrid``), in ``both``, or in the stream while the
    table says they are free (``contrary``).
    """
    body, places = bytearray(b"\n"), {}
    for number, content in objects.items():
        places[number] = len(pdf) + len(body)
        body += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    places |= entries or {}
    previous = int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])
    root = catalogue_of(pdf)[0]
    size = max([*places, PdfFileReader(io.BytesIO(pdf)).trailer_view["/Size"]]) + 2
    head = b"/Size %d /Root %d 0 R /Prev %d %s" % (size, root, previous, trailer)
    start = len(pdf) + len(body)
    stream_at = start

    def stream(number: int) -> bytes:
        rows = {**places, number: stream_at}
        index = b" ".join(b"%d 1" % one for one in sorted(rows))
        packed = zlib.compress(b"".join(b"\1" + rows[one].to_bytes(4, "big") + b"\0\0" for one in sorted(rows)))
        return b"%d 0 obj\n<< /Type /XRef /W [1 4 2] /Index [%s] /Filter /FlateDecode /Length %d %s >>\nstream\n%s\nendstream\nendobj\n" % (
            number, index, len(packed), head, packed,
        )  # fmt: skip

    def table(rows: dict[int, int], more: bytes = b"", kind: bytes = b"n") -> bytes:
        lines = b"".join(b"%d 1\n%010d 00000 %s\r\n" % (one, rows[one], kind) for one in sorted(rows))
        return b"xref\n0 1\n0000000000 65535 f\r\n" + lines + b"trailer\n<< " + head + more + b" >>\n"

    if section == "stream":
        body += stream(size - 1)
    elif section in ("hybrid", "both", "contrary"):
        body += stream(size - 1)
        start = len(pdf) + len(body)
        told = {"hybrid": {}, "both": places, "contrary": dict.fromkeys(places, 0)}[section]
        body += table(told, b" /XRefStm %d" % stream_at, b"f" if section == "contrary" else b"n")
    else:
        body += table(places)
    return pdf + bytes(body) + b"startxref\n%d\n%%%%EOF\n" % start


def differentials(pdf: bytes) -> Iterator[Variant]:
    """One reader's document is another's comment."""
    root, catalogue = catalogue_of(pdf)
    page, look = page_of(pdf)
    other = b"<< /Type /Pages /Count 0 /Kids [] >>"
    for section in ("table", "stream", "hybrid"):
        yield (
            f"page emptied, {section}",
            appended(pdf, {page: re.sub(rb"/Contents[^/>]*", b"/Contents 9000 0 R ", look), 9000: BLANK}, section=section),
        )
        yield f"catalogue replaced, {section}", appended(pdf, {root: b"<< /Type /Catalog /Pages 9001 0 R >>", 9001: other}, section=section)
        yield f"nothing new, {section}", appended(pdf, {9002: BLANK}, section=section)
        yield f"unknown object, {section}", appended(pdf, {9003: b"<< /Type /Foo /Bar (baz) >>"}, section=section, trailer=b"/Foo 9003 0 R")
    for key, value in ((b"/Pages", b"9001 0 R"), (b"/#50ages", b"9001 0 R"), (b"/AcroForm", b"null"), (b"/Ac#72oForm", b"null")):
        doubled = catalogue.replace(b"<<", b"<< " + key + b" " + value + b" ", 1)
        last = catalogue[: catalogue.rindex(b">>")] + b" " + key + b" " + value + b" >>"
        yield f"key twice {key.decode()}, first", appended(pdf, {root: doubled, 9001: other})
        yield f"key twice {key.decode()}, last", appended(pdf, {root: last, 9001: other})
    for title, spelling in (("first", b"/#43ontents 9000 0 R "), ("other case", b"/contents 9000 0 R ")):
        yield f"contents twice, {title}", appended(pdf, {page: look.replace(b"<<", b"<< " + spelling, 1), 9000: BLANK})
    yield "length of a stream too short", appended(pdf, {9004: b"<< /Length 2 >>\nstream\nBT ET\nendstream"})
    yield "length of a stream too long", appended(pdf, {9004: b"<< /Length 500 >>\nstream\nBT ET\nendstream"})
    yield "length refers to itself", appended(pdf, {9004: b"<< /Length 9004 0 R >>\nstream\nBT ET\nendstream"})
    yield "offset into a string", appended(pdf, {9005: b"(9006 0 obj << /A 1 >> endobj)"}, entries={9006: len(pdf) + 15})
    yield "offset to another object", appended(pdf, {9007: b"1"}, entries={page: len(pdf) + 1})
    yield "offset past the end", appended(pdf, {9007: b"1"}, entries={page: len(pdf) + 90_000})
    yield "offset zero", appended(pdf, {9007: b"1"}, entries={page: 0})
    yield "previous points forward", re.sub(rb"/Prev \d+(?=[^/]*$)", b"/Prev 99999999", appended(pdf, {9007: b"1"}))
    yield "previous points to itself", _looped(appended(pdf, {9007: b"1"}))
    yield "second end marker", appended(pdf, {9007: b"1"}) + b"%%EOF\n"
    yield "second start marker", appended(pdf, {9007: b"1"}) + b"startxref\n0\n%%EOF\n"
    yield "bytes before the header", b"GIF89a\n" + pdf
    yield "header of another version", pdf.replace(b"%PDF-1.7", b"%PDF-0.7", 1)
    yield "no header", pdf.replace(b"%PDF-", b"%PDX-", 1)
    yield "generation raised", pdf + b"\n%d 1 obj\n<< /Type /Catalog /Pages 9001 0 R >>\nendobj\n" % root
    yield "object number with a sign", appended(pdf, {9008: b"+1"}).replace(b"9008 0 obj", b"+908 0 obj", 1)
    yield "encrypted trailer", appended(pdf, {9007: b"1"}, trailer=b"/Encrypt << /Filter /Standard /V 1 /R 2 /O (x) /U (y) /P -4 >>")
    yield "deep nesting", appended(pdf, {9009: b"[" * 3000 + b"]" * 3000})
    yield "page tree in a circle", appended(pdf, {page: b"<< /Type /Pages /Count 1 /Kids [%d 0 R] >>" % page})


def _looped(pdf: bytes) -> bytes:
    start = re.findall(rb"startxref\s+(\d+)", pdf)[-1]
    return re.sub(rb"/Prev \d+(?=[^/]*$)", b"/Prev " + start, pdf)
