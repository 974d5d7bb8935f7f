"""Number and date: changed after the seal, and filled dishonestly before it (opaque or displaced appearances, other values)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter as Writer
from pyhanko.pdf_utils.reader import PdfFileReader

from signing import fields
from tests.signing.attacks.ranges import Variant

name = generic.NameObject
Field = generic.DictionaryObject
Alter = Callable[[Field, generic.StreamObject, Writer], None]

HONEST = {"number": "15", "date": "ngày 22 tháng 11 năm 2026"}
_VALUES = {
    "number": ("99", "1", "015", "15 ", "15\u200b", "", "1５", "15/QĐ", "-15", "9" * 400),
    "date": (
        "ngày 01 tháng 02 năm 2020", "ngày 22 tháng 11 năm 2027", "ngày 22 tháng 12 năm 2026", "22/11/2026", "",
        "ngày 22 tháng 11 năm 2026 ",        "ngày 31 tháng 02 năm 2026", "Ngày 22 tháng 11 năm 2026", "ngày 22\ntháng 11 năm 2026", "x",
    ),
}  # fmt: skip


def numbers(*values: float) -> generic.ArrayObject:
    return generic.ArrayObject(generic.FloatObject(one) for one in values)


def entry(**values: generic.PdfObject) -> generic.DictionaryObject:
    return generic.DictionaryObject({name(f"/{key}"): value for key, value in values.items()})


def field_of(root: generic.DictionaryObject, title: str) -> Field:
    """A field by its name."""
    found: Field = next(one.get_object() for one in root["/AcroForm"]["/Fields"] if one.get_object()["/T"] == title)
    return found


def _written(writer: Writer) -> bytes:
    writer.write(out := io.BytesIO())
    return out.getvalue()


def form_stream(content: bytes, width: float, height: float) -> generic.StreamObject:
    """A form XObject."""
    return generic.StreamObject(
        dict_data={
            name("/Type"): name("/XObject"), name("/Subtype"): name("/Form"),
            name("/BBox"): generic.ArrayObject(generic.FloatObject(one) for one in (0, 0, width, height)),
        },
        stream_data=content,
    )  # fmt: skip


def _shows(content: bytes) -> Alter:
    def alter(_: Field, look: generic.StreamObject, __: Writer) -> None:
        look._data, look._encoded_data = content, None

    return alter


def _besides(before: bytes = b"", after: bytes = b"") -> Alter:
    """The honest drawing, and something beneath or over it."""

    def alter(_: Field, look: generic.StreamObject, __: Writer) -> None:
        look._data, look._encoded_data = before + look.data + after, None

    return alter


def _look_has(key: str, value: generic.PdfObject) -> Alter:
    def alter(_: Field, look: generic.StreamObject, __: Writer) -> None:
        look[name(key)] = value

    return alter


def _look_lacks(key: str) -> Alter:
    def alter(_: Field, look: generic.StreamObject, __: Writer) -> None:
        look.pop(name(key), None)

    return alter


def _field_has(key: str, value: generic.PdfObject) -> Alter:
    def alter(target: Field, _: generic.StreamObject, __: Writer) -> None:
        target[name(key)] = value

    return alter


def _looks(*states: str) -> Alter:
    def alter(target: Field, _: generic.StreamObject, writer: Writer) -> None:
        for state in states:
            target["/AP"][name(f"/{state}")] = writer.add_object(form_stream(b"1 g 0 0 900 900 re f", 900, 900))

    return alter


def _without(key: str) -> Alter:
    def alter(target: Field, _: generic.StreamObject, __: Writer) -> None:
        if key in target:
            del target[name(key)]

    return alter


def looks() -> Iterator[tuple[str, Alter]]:
    """Everything that can be wrong with how a filled field looks."""
    for colour in (b"1 g", b"1 1 1 rg", b"0 0 0 0 k", b"0.99 g", b"1 0 0 rg", b"/CS0 cs 1 sc"):
        for box in (b"0 0 70 18", b"-500 -500 2000 2000", b"0 0 1 1"):
            yield f"opaque over it, {colour.decode()} {box.decode()}", _besides(after=b" q " + colour + b" " + box + b" re f Q")
            yield f"opaque beneath it, {colour.decode()} {box.decode()}", _besides(before=b"q " + colour + b" " + box + b" re f Q ")
    for text in (b"<0003>", b"<000300030003>", b"(99)", b"<>", b"<FFFF>"):
        yield f"another text {text.decode()}", _shows(b"/Tx BMC q BT /MotcuaText 13 Tf 0 g 1 0 0 1 20 5 Tm " + text + b" Tj ET Q EMC")
    for title, content in (
        ("nothing", b""), ("white space", b" "), ("only a marker", b"/Tx BMC EMC"), ("a line", b"0 0 m 70 18 l S"),
        ("an image", b"BI /W 1 /H 1 /BPC 8 /CS /G ID \xff EI"), ("another form", b"/Other Do"), ("unfinished", b"q q q BT"),
    ):  # fmt: skip
        yield f"shows {title}", _shows(content)
    yield "invisible letters", _besides(before=b"3 Tr ")
    yield "clipped away", _besides(before=b"0 0 0 0 re W n ")
    yield "moved by its content", _besides(before=b"1 0 0 1 300 -300 cm ")
    yield "scaled by its content", _besides(before=b"0.01 0 0 0.01 0 0 cm ")
    for matrix in (
        (1, 0, 0, 1, 100, -300),
        (0, 1, -1, 0, 0, 0),
        (10, 0, 0, 10, 0, 0),
        (0, 0, 0, 0, 0, 0),
        (1, 0, 0, 1, 0, 0.01),
        (-1, 0, 0, 1, 0, 0),
    ):
        yield f"displaced {matrix}", _look_has("/Matrix", numbers(*matrix))
    for box in ((0, 0, 1, 1), (0, 0, 700, 180), (-70, 0, 70, 18), (0, 0, 0, 0), (10, 0, 80, 18), (0, 0, 70.5, 18)):
        yield f"blown up {box}", _look_has("/BBox", numbers(*box))
    for rectangle in ((50, 50, 500, 500), (0, 0, 0, 0), (95, 733, 165, 752), (-100, -100, -10, -10), (94, 733, 164, 751)):
        yield f"shown elsewhere {rectangle}", _field_has("/Rect", numbers(*rectangle))
    for flags in (0, 1, 2, 32, 64, 512, 2 + 4):
        yield f"annotation flags {flags}", _field_has("/F", generic.NumberObject(flags))
    for flags in (0, 2, 1 << 12, 1 << 13, 1 << 20, 1 << 24, 1 << 25):
        yield f"field flags {flags}", _field_has("/Ff", generic.NumberObject(flags))
    yield "group of its own", _look_has("/Group", entry(S=name("/Transparency")))
    yield "in a layer", _look_has("/OC", entry(Type=name("/OCG")))
    yield "with a reference", _look_has("/Ref", entry(Page=generic.NumberObject(0)))
    yield (
        "fonts of its own",
        _look_has("/Resources", entry(Font=entry(MotcuaText=entry(Type=name("/Font"), Subtype=name("/Type1"), BaseFont=name("/Courier"))))),
    )
    yield "no resources", _look_has("/Resources", entry())
    yield "resources more", _look_has("/Resources", entry(Font=entry(), XObject=entry()))
    for kind in ("Image", "PS", "form"):
        yield f"another kind {kind}", _look_has("/Subtype", name(f"/{kind}"))
    yield "no kind", _look_lacks("/Subtype")
    yield "another type", _look_has("/Type", name("/Pattern"))
    yield "look when pressed", _looks("D")
    yield "look when passed over", _looks("R")
    yield "three looks", _looks("D", "R")
    yield "no look", _without("/AP")
    for key, value in (
        ("RV", generic.pdf_string("<p>99</p>")), ("AA", entry()), ("A", entry(S=name("/Hide"), T=generic.pdf_string("number"))),
        ("MK", entry(R=generic.NumberObject(90))), ("MK", entry(BG=numbers(1, 1, 1))), ("BS", entry(W=generic.NumberObject(20))),
        ("Border", numbers(0, 0, 20)), ("DV", generic.pdf_string("99")), ("TU", generic.pdf_string("99")), ("TM", generic.pdf_string("x")),
        ("DA", generic.pdf_string("/Helv 99 Tf")), ("Q", generic.NumberObject(2)), ("MaxLen", generic.NumberObject(1)), ("OC", entry()),
        ("AS", name("/Off")), ("Kids", generic.ArrayObject()), ("Opt", generic.ArrayObject()), ("T", generic.pdf_string("other")),
        ("FT", name("/Btn")), ("Contents", generic.pdf_string("99")), ("P", generic.NumberObject(0)), ("Lock", entry()),
    ):  # fmt: skip
        yield f"entry {key} {value}"[:60], _field_has(f"/{key}", value)
    for value in (*_VALUES["number"][:8], "100"):
        yield f"value {value!r} beside the look of 15", _field_has("/V", generic.TextStringObject(value))
    yield "value as bytes", _field_has("/V", generic.ByteStringObject(b"99"))
    yield "value as a number", _field_has("/V", generic.NumberObject(15))
    yield "value as a stream", _field_has("/V", entry())


def dishonest_filling(leader_signed: bytes) -> Iterator[Variant]:
    """What a dishonest clerk could put into the open fields before the seal: each to be sealed afterwards."""
    honest = fields.fill_number(leader_signed, HONEST["number"], HONEST["date"])

    def later(alter: Alter) -> bytes:
        """In a revision after the honest one."""
        writer = Writer(io.BytesIO(honest))
        target = field_of(writer.root, "number")
        look = target["/AP"]["/N"]
        alter(target, look, writer)
        writer.update_container(target)
        writer.update_container(look)
        return _written(writer)

    def at_once(alter: Alter) -> bytes:
        """In the very revision that fills the field."""
        writer = Writer(io.BytesIO(leader_signed))
        font = writer.root["/AcroForm"]["/DR"]["/Font"].raw_get("/MotcuaText")
        for title, value in HONEST.items():
            target = field_of(writer.root, title)
            good = field_of(PdfFileReader(io.BytesIO(honest)).root, title)["/AP"]["/N"]
            look = form_stream(good.data, *(float(good["/BBox"][edge]) for edge in (2, 3)))
            look[name("/Resources")] = entry(Font=entry(MotcuaText=font))
            target[name("/V")] = generic.TextStringObject(value)
            target[name("/AP")] = entry(N=writer.add_object(look))
            if title == "number":
                alter(target, look, writer)
            writer.update_container(target)
        return _written(writer)

    yield "honest", at_once(lambda _target, _look, _writer: None)
    for title, alter in looks():
        yield f"{title}, at once", at_once(alter)
        yield f"{title}, later", later(alter)


def after_the_seal(sealed: bytes) -> Iterator[Variant]:
    """Number and date changed, hidden, covered or taken away when everybody has signed."""
    for field, values in _VALUES.items():
        for value in values:
            for way in ("value", "value and look", "value, look taken away", "value, the old one kept as default"):
                writer = Writer(io.BytesIO(sealed))
                target = field_of(writer.root, field)
                if way.endswith("default"):
                    target[name("/DV")] = target["/V"]
                target[name("/V")] = generic.TextStringObject(value)
                if way == "value and look":
                    target[name("/AP")] = entry(N=writer.add_object(form_stream(b"BT ET", 70, 18)))
                elif way.endswith("away"):
                    del target[name("/AP")]
                writer.update_container(target)
                yield f"{field} revalued {value[:30]!r}: {way}", _written(writer)
        for title, alter in looks():
            writer = Writer(io.BytesIO(sealed))
            target = field_of(writer.root, field)
            look = target["/AP"]["/N"]
            alter(target, look, writer)
            writer.update_container(target)
            writer.update_container(look)
            yield f"{field}: {title}", _written(writer)
        writer = Writer(io.BytesIO(sealed))
        target = field_of(writer.root, field)
        del target[name("/V")]
        writer.update_container(target)
        yield f"{field} emptied", _written(writer)
        writer = Writer(io.BytesIO(sealed))
        places = writer.root["/AcroForm"]["/Fields"]
        kept = [places.raw_get(at) for at in range(len(places)) if places[at]["/T"] != field]
        writer.root["/AcroForm"][name("/Fields")] = generic.ArrayObject(kept)
        writer.update_container(writer.root["/AcroForm"])
        yield f"{field} taken out of the form", _written(writer)
    yield from form_defaults(sealed)


def form_defaults(sealed: bytes) -> Iterator[Variant]:
    """What all fields share, changed."""

    def form(alter: Callable[[generic.DictionaryObject, Writer], None]) -> bytes:
        writer = Writer(io.BytesIO(sealed))
        target = writer.root["/AcroForm"]
        alter(target, writer)
        writer.update_container(target)
        return _written(writer)

    def font(target: generic.DictionaryObject, writer: Writer) -> None:
        swapped = target["/DR"]["/Font"]["/MotcuaText"]
        swapped[name("/BaseFont")] = name("/Courier")
        writer.update_container(swapped)

    yield "font swapped", form(font)
    yield "appearances to be redrawn", form(lambda target, _: target.update({name("/NeedAppearances"): generic.BooleanObject(True)}))
    yield "default look", form(lambda target, _: target.update({name("/DA"): generic.pdf_string("/Helv 0 Tf 1 g")}))
    yield "default side", form(lambda target, _: target.update({name("/Q"): generic.NumberObject(1)}))
    yield "order of reckoning", form(lambda target, _: target.update({name("/CO"): generic.ArrayObject()}))
    yield "signatures not announced", form(lambda target, _: target.update({name("/SigFlags"): generic.NumberObject(0)}))
    yield "form of another kind", form(lambda target, _: target.update({name("/XFA"): generic.pdf_string("<x/>")}))
