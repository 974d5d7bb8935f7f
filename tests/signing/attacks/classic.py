"""Generators of manipulated documents, one per published class; each yields variants of one of our own signed files."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

Variant = tuple[str, bytes]
name = generic.NameObject


def _written(writer: IncrementalPdfFileWriter) -> bytes:
    writer.write(out := io.BytesIO())
    return out.getvalue()


def universal_forgery(pdf: bytes) -> Iterator[Variant]:
    """Byte ranges missing, malformed or pointing elsewhere; lengths kept so that everything else still parses."""
    for found in re.finditer(rb"/ByteRange \[[^\]]*\]", pdf):
        text = found[0]
        numbers = [int(one) for one in re.findall(rb"\d+", text)]
        for title, values in (
            ("overlapping", [0, numbers[1], numbers[1] - 10, numbers[3]]),
            ("empty gap", [0, numbers[1], numbers[1], numbers[3]]),
            ("short end", [0, numbers[1], numbers[2], numbers[3] - 20]),
            ("late start", [10, numbers[1] - 10, numbers[2], numbers[3]]),
            ("beyond the end", [0, numbers[1], numbers[2], numbers[3] + 500]),
            ("wide gap", [0, numbers[1] - 40, numbers[2] + 40, numbers[3] - 40]),
        ):
            forged = b"/ByteRange [" + b" ".join(str(one).encode() for one in values) + b"]"
            yield title, pdf.replace(text, forged.ljust(len(text))[: len(text)], 1)
        yield "null", pdf.replace(text, b"/ByteRange null".ljust(len(text)), 1)
        yield "gone", pdf.replace(text, b" " * len(text), 1)
        yield "renamed", pdf.replace(text, text.replace(b"/ByteRange", b"/ByteRangf"), 1)
        yield "reals", pdf.replace(text, text.replace(b"[0 ", b"[0."), 1)


def incremental_saving(pdf: bytes) -> Iterator[Variant]:
    """New bodies appended, with and without cross-reference."""
    yield "bare object", pdf + b"\n900 0 obj\n<< /Type /Page >>\nendobj\n"
    yield "object and marker", pdf + b"\n900 0 obj\n<< /Type /Page >>\nendobj\n%%EOF\n"
    start = re.findall(rb"startxref\s+(\d+)", pdf)[-1]
    yield "old cross-reference again", pdf + b"\n900 0 obj\n<< >>\nendobj\nstartxref\n" + start + b"\n%%EOF\n"
    yield "trailing words", pdf + b"% approved\n"

    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    page[name("/Contents")] = writer.add_object(generic.StreamObject(stream_data=b"BT ET"))
    writer.update_container(page)
    yield "page replaced", _written(writer)

    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    page[name("/Rotate")] = generic.NumberObject(180)
    writer.update_container(page)
    yield "page turned", _written(writer)

    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    writer.add_object(generic.DictionaryObject({name("/Type"): name("/Page")}))
    yield "orphan object", _written(writer)

    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    writer.root[name("/OpenAction")] = generic.DictionaryObject({name("/S"): name("/JavaScript"), name("/JS"): generic.pdf_string("1")})
    writer.update_root()
    yield "script added", _written(writer)


def wrapping(pdf: bytes) -> Iterator[Variant]:
    """The signed second range moved away, other bytes put between."""
    found = list(re.finditer(rb"/ByteRange \[[^\]]*\]", pdf))[-1]
    numbers = [int(one) for one in re.findall(rb"\d+", found[0])]
    first, second, rest = numbers[1], numbers[2], numbers[3]
    for filler in (b"% filler\n", b"\n900 0 obj\n<< /Type /Catalog >>\nendobj\n" * 3):
        moved = f"/ByteRange [0 {first} {second + len(filler)} {rest}]".encode().ljust(len(found[0]))
        if len(moved) == len(found[0]):
            body = pdf.replace(found[0], moved)
            yield f"moved by {len(filler)}", body[:second] + filler + body[second:]


def shadow(pdf: bytes) -> Iterator[Variant]:
    """Content shown or hidden later by changes that look harmless."""
    for field in ("number", "date"):
        for value in ("99", "ngày 01 tháng 02 năm 2020"):
            writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
            target = next(one.get_object() for one in writer.root["/AcroForm"]["/Fields"] if one.get_object()["/T"] == field)
            target[name("/V")] = generic.TextStringObject(value)
            writer.update_container(target)
            yield f"{field} revalued {value}", _written(writer)

    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    target = next(one.get_object() for one in writer.root["/AcroForm"]["/Fields"] if one.get_object()["/T"] == "number")
    target[name("/AP")] = generic.DictionaryObject({name("/N"): writer.add_object(form_stream(b"BT ET", 70, 18))})
    writer.update_container(target)
    yield "number hidden", _written(writer)

    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    cover = generic.DictionaryObject(
        {
            name("/Type"): name("/Annot"),
            name("/Subtype"): name("/Square"),
            name("/Rect"): generic.ArrayObject(generic.NumberObject(one) for one in (0, 0, 500, 800)),
            name("/IC"): generic.ArrayObject(generic.NumberObject(1) for _ in range(3)),
        }
    )
    page["/Annots"].append(writer.add_object(cover))
    writer.update_container(page["/Annots"])
    yield "covered by an annotation", _written(writer)

    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    catalog = generic.DictionaryObject({key: writer.root.raw_get(key) for key in writer.root})
    pages = generic.DictionaryObject(
        {name("/Type"): name("/Pages"), name("/Count"): generic.NumberObject(0), name("/Kids"): generic.ArrayObject()}
    )
    catalog[name("/Pages")] = writer.add_object(pages)
    writer.trailer[name("/Root")] = writer.add_object(catalog)
    yield "another catalogue", _written(writer)

    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    form = writer.root["/AcroForm"]
    if "/DR" in form:
        font = form["/DR"]["/Font"]["/MotcuaText"]
        font[name("/BaseFont")] = name("/Courier")
        writer.update_container(font)
        yield "font swapped", _written(writer)

    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    writer.root["/AcroForm"][name("/NeedAppearances")] = generic.BooleanObject(True)
    writer.update_container(writer.root["/AcroForm"])
    yield "appearances to be redrawn", _written(writer)


def dishonest_filling(leader_signed: bytes) -> Iterator[Variant]:
    """What a dishonest clerk could put into the open fields before the seal: each to be sealed afterwards."""
    from signing import fields

    honest = fields.fill_number(leader_signed, "15", "ngày 22 tháng 11 năm 2026")

    def changed(title: str, alter: object) -> Variant:
        writer = IncrementalPdfFileWriter(io.BytesIO(honest))
        target = next(one.get_object() for one in writer.root["/AcroForm"]["/Fields"] if one.get_object()["/T"] == "number")
        stream = target["/AP"]["/N"]
        alter(target, stream, writer)  # type: ignore[operator]
        writer.update_container(target)
        writer.update_container(stream)
        return title, _written(writer)

    def first(title: str, alter: object) -> Variant:
        """The same in the very revision that fills the field."""
        writer = IncrementalPdfFileWriter(io.BytesIO(leader_signed))
        target = next(one.get_object() for one in writer.root["/AcroForm"]["/Fields"] if one.get_object()["/T"] == "number")
        good = next(
            one.get_object() for one in PdfFileReader(io.BytesIO(honest)).root["/AcroForm"]["/Fields"] if one.get_object()["/T"] == "number"
        )
        look = good["/AP"]["/N"]
        font = writer.root["/AcroForm"]["/DR"]["/Font"].raw_get("/MotcuaText")
        stream = form_stream(look.data, 70, 18)
        stream[name("/Resources")] = generic.DictionaryObject({name("/Font"): generic.DictionaryObject({name("/MotcuaText"): font})})
        target[name("/V")] = generic.TextStringObject("15")
        target[name("/AP")] = generic.DictionaryObject({name("/N"): writer.add_object(stream)})
        alter(target, stream, writer)  # type: ignore[operator]
        writer.update_container(target)
        return title, _written(writer)

    def shows(content: bytes):  # type: ignore[no-untyped-def]
        def alter(_target: object, stream: generic.StreamObject, _writer: object) -> None:
            stream._data = content
            stream._encoded_data = None

        return alter

    def entry(key: str, value: generic.PdfObject):  # type: ignore[no-untyped-def]
        def alter(_target: object, stream: generic.StreamObject, _writer: object) -> None:
            stream[name(key)] = value

        return alter

    def field_entry(key: str, value: generic.PdfObject):  # type: ignore[no-untyped-def]
        def alter(target: generic.DictionaryObject, _stream: object, _writer: object) -> None:
            target[name(key)] = value

        return alter

    numbers = lambda *values: generic.ArrayObject(generic.FloatObject(one) for one in values)  # noqa: E731
    tricks = (
        ("another text", shows(b"/Tx BMC q BT /MotcuaText 13 Tf 0 g 1 0 0 1 20 5 Tm <0003> Tj ET Q EMC")),
        ("opaque ground", shows(b"1 1 1 rg 0 0 70 18 re f")),
        ("nothing", shows(b"")),
        ("displaced", entry("/Matrix", numbers(1, 0, 0, 1, 100, -300))),
        ("blown up", entry("/BBox", numbers(0, 0, 1, 1))),
        ("shown elsewhere", field_entry("/Rect", numbers(50, 50, 500, 500))),
        ("hidden", field_entry("/F", generic.NumberObject(2))),
        ("another value", field_entry("/V", generic.TextStringObject("99"))),
        ("against the pattern", field_entry("/V", generic.TextStringObject("15/QĐ"))),
        ("rich text", field_entry("/RV", generic.pdf_string("<p>99</p>"))),
        ("action", field_entry("/AA", generic.DictionaryObject())),
        ("second look", field_entry("/MK", generic.DictionaryObject({name("/R"): generic.NumberObject(90)}))),
    )
    yield first("honest", lambda _target, _stream, _writer: None)
    for title, alter in tricks:
        yield first(f"{title}, at once", alter)
        yield changed(f"{title}, later", alter)


def form_stream(content: bytes, width: float, height: float) -> generic.StreamObject:
    """A form XObject."""
    return generic.StreamObject(
        dict_data={
            name("/Type"): name("/XObject"),
            name("/Subtype"): name("/Form"),
            name("/BBox"): generic.ArrayObject(generic.FloatObject(one) for one in (0, 0, width, height)),
        },
        stream_data=content,
    )
