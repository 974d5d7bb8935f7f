"""The named fields a document gets before its first signature, and the one filling of number and date afterwards.

Ruling: the leader's signature excludes exactly ``number``, ``date`` and ``agency`` from its lock; the agency's signature locks everything.
"""

from __future__ import annotations

import io
import re
import unicodedata

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from signing.errors import SigningError
from signing.fonts import RESOURCE_NAME, embed, glyphs_of
from signing.model import AGENCY, DATE, LEADER, NUMBER, Box, FieldPlan, TextField
from signing.textline import draw

PATTERN_KEY = "/MotcuaPattern"
NUMBER_PATTERN = r"[0-9]{1,7}"
DATE_PATTERN = r"ngày (0[1-9]|[12][0-9]|3[01]) tháng (0[1-2]|[3-9]|1[0-2]) năm [0-9]{4}"
DIGITS = "0123456789"
DATE_ALPHABET = DIGITS + " ngàythám năm"
_FILL = ("left", "centre", "right")
_PRINT = 4
_PRINT_AND_LOCKED = 132
_READ_ONLY = 1


def add_fields(pdf: bytes, plan: FieldPlan, font: bytes = b"") -> bytes:
    """Add exactly the fields of *plan* and return the document rewritten as one revision.

    *font* is the TrueType file number and date are written with (Tinos); only its needed glyphs are embedded.

    Raises:
        SigningError: ``signing.fields_exist`` when the document has a form already, ``signing.field_outside`` when a place is not on its
            page, ``signing.font_letters`` when the font lacks a letter of a field's alphabet.
    """
    texts = {NUMBER: plan.number, DATE: plan.date}
    signatures = {LEADER: plan.leader, AGENCY: plan.agency}
    with Pdf.open(io.BytesIO(pdf)) as document:
        if "/AcroForm" in document.Root:
            raise SigningError("signing.fields_exist")
        form = document.make_indirect(Dictionary(Fields=Array(), SigFlags=3))
        document.Root.AcroForm = form
        wanted = {name: text for name, text in texts.items() if text}
        if wanted:
            face = embed(document, font, "".join(text.alphabet for text in wanted.values()))
            form.DR = Dictionary(Font=Dictionary({RESOURCE_NAME: face}))
            for name, text in wanted.items():
                _attach(document, name, text.box, _text_field(document, text))
        for name, box in signatures.items():
            if box:
                _attach(document, name, box, _signature_field(name, [*wanted, *([AGENCY] if plan.agency else [])]))
        document.save(
            out := io.BytesIO(), min_version="1.7", object_stream_mode=pikepdf.ObjectStreamMode.disable, fix_metadata_version=False
        )
    return out.getvalue()


def _attach(document: Pdf, name: str, box: Box, field: Dictionary) -> None:
    if not 0 <= box.page < len(document.pages):
        raise SigningError("signing.field_outside", field=name)
    page = document.pages[box.page]
    left, bottom, right, top = (float(edge) for edge in page.mediabox)
    x1, y1, x2, y2 = box.corners
    if not (left <= x1 < x2 <= right and bottom <= y1 < y2 <= top):
        raise SigningError("signing.field_outside", field=name)
    field.update(
        {"/T": pikepdf.String(name), "/Type": Name.Annot, "/Subtype": Name.Widget, "/Rect": Array(list(box.corners)), "/P": page.obj}
    )
    placed = document.make_indirect(field)
    document.Root.AcroForm.Fields.append(placed)
    if "/Annots" not in page.obj:
        page.obj.Annots = Array()
    page.obj.Annots.append(placed)


def _text_field(document: Pdf, text: TextField) -> Dictionary:
    re.compile(text.pattern)
    empty = document.make_stream(b"", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, text.box.width, text.box.height])
    return Dictionary(
        {
            "/FT": Name.Tx,
            # Read-only for readers: only the clerk's act fills it, and the policy admits exactly that.
            "/Ff": _READ_ONLY,
            "/F": _PRINT,
            "/DA": pikepdf.String(f"{RESOURCE_NAME} {text.font_size:g} Tf 0 g"),
            "/Q": _FILL.index(text.align),
            PATTERN_KEY: pikepdf.String(text.pattern),
            "/AP": Dictionary(N=empty),
        }
    )


def _signature_field(name: str, excluded: list[str]) -> Dictionary:
    if name == LEADER and excluded:
        lock = {"/Action": Name.Exclude, "/Fields": Array([pikepdf.String(one) for one in excluded]), "/P": 2}
    else:
        lock = {"/Action": Name.All, "/P": 1}
    return Dictionary({"/FT": Name.Sig, "/F": _PRINT_AND_LOCKED, "/Lock": Dictionary({"/Type": Name.SigFieldLock, **lock})})


def field_names(pdf: bytes) -> list[str]:
    """Names of the top-level form fields, in order."""
    root = PdfFileReader(io.BytesIO(pdf)).root
    return [str(field.get_object()["/T"]) for field in root["/AcroForm"]["/Fields"]] if "/AcroForm" in root else []


def fill_number(pdf: bytes, number: str | None, date: str | None) -> bytes:
    """Fill number and date once, as one incremental revision after the leader's signature.

    Raises:
        SigningError: ``signing.field_missing``, ``signing.number_filled`` (a second filling), ``signing.value_pattern``,
            ``signing.value_letters``, ``signing.value_too_wide``, ``signing.leader_first`` when nobody has signed yet.
    """
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=True)
    if "/AcroForm" not in writer.root:
        raise SigningError("signing.field_missing", field=NUMBER)
    form = writer.root["/AcroForm"]
    fields = {str(one.get_object()["/T"]): one.get_object() for one in form["/Fields"]}
    if LEADER in fields and "/V" not in fields[LEADER]:
        raise SigningError("signing.leader_first")
    if AGENCY in fields and "/V" in fields[AGENCY]:
        raise SigningError("signing.number_sealed")
    for name, value in ((NUMBER, number), (DATE, date)):
        if value is None:
            continue
        if name not in fields:
            raise SigningError("signing.field_missing", field=name)
        _fill(writer, form, name, fields[name], unicodedata.normalize("NFC", value))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _fill(writer: IncrementalPdfFileWriter, form: generic.DictionaryObject, name: str, field: generic.DictionaryObject, value: str) -> None:
    if "/V" in field:
        raise SigningError("signing.number_filled", field=name)
    if not re.fullmatch(str(field[PATTERN_KEY]), value):
        raise SigningError("signing.value_pattern", field=name)
    font = form["/DR"]["/Font"].raw_get(RESOURCE_NAME)
    width, height = field_size(field)
    content = draw(value, width, height, font_size(field), int(field.get("/Q", 0)), glyphs_of(font_program(font.get_object())))
    appearance = generic.StreamObject(
        dict_data={
            generic.NameObject("/Type"): generic.NameObject("/XObject"),
            generic.NameObject("/Subtype"): generic.NameObject("/Form"),
            generic.NameObject("/BBox"): generic.ArrayObject(generic.FloatObject(edge) for edge in (0, 0, width, height)),
            generic.NameObject("/Resources"): generic.DictionaryObject(
                {generic.NameObject("/Font"): generic.DictionaryObject({generic.NameObject(RESOURCE_NAME): font})}
            ),
        },
        stream_data=content,
    )
    field[generic.NameObject("/V")] = generic.TextStringObject(value)
    field[generic.NameObject("/AP")] = generic.DictionaryObject({generic.NameObject("/N"): writer.add_object(appearance)})
    writer.update_container(field)


def field_size(field: generic.DictionaryObject) -> tuple[float, float]:
    """Width and height of a field's rectangle, rounded as drawn."""
    x1, y1, x2, y2 = (float(edge) for edge in field["/Rect"])
    return round(x2 - x1, 3), round(y2 - y1, 3)


def font_size(field: generic.DictionaryObject) -> float:
    """The size its default appearance declares, in points."""
    found = re.fullmatch(rf"{re.escape(RESOURCE_NAME)} ([0-9.]+) Tf 0 g", str(field["/DA"]))
    if not found:
        raise SigningError("signing.field_foreign")
    return float(found[1])


def font_program(font: generic.DictionaryObject) -> bytes:
    """The embedded TrueType program of a Type 0 font made by ``fonts.embed``."""
    program: bytes = font["/DescendantFonts"][0]["/FontDescriptor"]["/FontFile2"].data
    return program
