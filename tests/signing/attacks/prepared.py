"""Shadow documents: prepared before the first signature so that a later, harmless looking change shows another content.

Each yields the prepared file and the change that reveals it; the lint before signing must stop the first, the verdict the second.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.signing.attacks.classic import form_stream, name

Reveal = Callable[[bytes], bytes]
Shadow = tuple[str, Callable[[Pdf], None], Reveal]


def _saved(alter: Callable[[IncrementalPdfFileWriter], None]) -> Reveal:
    def revealed(signed: bytes) -> bytes:
        writer = IncrementalPdfFileWriter(io.BytesIO(signed))
        alter(writer)
        writer.write(out := io.BytesIO())
        return out.getvalue()

    return revealed


def _cover(kind: str, box: tuple[int, int, int, int]) -> Callable[[Pdf], None]:
    def prepare(pdf: Pdf) -> None:
        page = pdf.pages[0].obj
        look = pdf.make_stream(b"1 g 0 0 500 200 re f", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 500, 200])
        if kind == "image":
            picture = pdf.make_stream(
                b"\xff", Type=Name.XObject, Subtype=Name.Image, Width=1, Height=1, BitsPerComponent=8, ColorSpace=Name.DeviceGray
            )
            page.Resources.XObject = page.Resources.get("/XObject", Dictionary())
            page.Resources.XObject["/Cover"] = picture
            shown = pdf.make_stream(b"q 500 0 0 200 %d %d cm /Cover Do Q" % box[:2])
            page.Contents = Array([*(page.Contents if isinstance(page.Contents, Array) else [page.Contents]), shown])
        elif kind == "form":
            page.Resources.XObject = page.Resources.get("/XObject", Dictionary())
            page.Resources.XObject["/Cover"] = look
            shown = pdf.make_stream(b"q 1 0 0 1 %d %d cm /Cover Do Q" % box[:2])
            page.Contents = Array([*(page.Contents if isinstance(page.Contents, Array) else [page.Contents]), shown])
        else:
            field = Dictionary(
                Type=Name.Annot, Subtype=Name(f"/{kind}"), Rect=list(box), AP=Dictionary(N=look), F=4, FT=Name.Tx, T=String("cover")
            )
            page.Annots = Array([*page.get("/Annots", []), pdf.make_indirect(field)])

    return prepare


def _uncover(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    forms = page["/Resources"].get("/XObject", {})
    if "/Cover" in forms:
        forms[name("/Cover")] = writer.add_object(form_stream(b"", 1, 1))
        writer.update_container(page["/Resources"])
        return
    for one in page["/Annots"]:
        target = one.get_object()
        if target.get("/T") == "cover":
            target[name("/AP")] = generic.DictionaryObject({name("/N"): writer.add_object(form_stream(b"", 1, 1))})
            target[name("/F")] = generic.NumberObject(2)
            writer.update_container(target)


def hiding() -> Iterator[Shadow]:
    """Hide: something opaque lies over the true content and is taken away later."""
    for kind in ("Square", "Stamp", "FreeText", "Widget", "image", "form"):
        for x, y in ((60, 500), (60, 300), (0, 0)):
            yield f"hidden under a {kind} at {x},{y}", _cover(kind, (x, y, x + 500, y + 200)), _saved(_uncover)


def _text_field(value: str, *, whole_font: bool) -> Callable[[Pdf], None]:
    def prepare(pdf: Pdf) -> None:
        font = Dictionary(Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name("/Tinos" if whole_font else "/Helvetica"))
        look = pdf.make_stream(
            b"BT /F 12 Tf 5 5 Td (%s) Tj ET" % value.encode(), Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 200, 20]
        )
        field = pdf.make_indirect(
            Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("amount"), V=String(value), Rect=[100, 600, 300, 620],
                       AP=Dictionary(N=look), DA=String("/F 12 Tf 0 g"), F=4)
        )  # fmt: skip
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]), DR=Dictionary(Font=Dictionary(F=pdf.make_indirect(font))))
        page = pdf.pages[0].obj
        page.Annots = Array([*page.get("/Annots", []), field])

    return prepare


def _revalue(value: str, *, look: bool, font: bool) -> Callable[[IncrementalPdfFileWriter], None]:
    def alter(writer: IncrementalPdfFileWriter) -> None:
        form = writer.root["/AcroForm"]
        target = next((one.get_object() for one in form["/Fields"] if one.get_object().get("/T") == "amount"), None)
        if target is None:
            raise LookupError
        if font:
            face = form["/DR"]["/Font"]["/F"]
            face[name("/BaseFont")] = name("/Courier")
            writer.update_container(face)
            return
        target[name("/V")] = generic.TextStringObject(value)
        if look:
            target[name("/AP")] = generic.DictionaryObject({name("/N"): writer.add_object(form_stream(b"BT ET", 200, 20))})
        writer.update_container(target)

    return alter


def replacing() -> Iterator[Shadow]:
    """Replace: a form's value or a font's letters change later."""
    for value, other in (("1 000", "9 000"), ("đồng ý", "từ chối"), ("15", "16")):
        yield f"value {value}", _text_field(value, whole_font=False), _saved(_revalue(other, look=False, font=False))
        yield f"value and look {value}", _text_field(value, whole_font=False), _saved(_revalue(other, look=True, font=False))
        yield f"font {value}", _text_field(value, whole_font=True), _saved(_revalue(other, look=False, font=True))


def _second_tree(hidden: str) -> Callable[[Pdf], None]:
    def prepare(pdf: Pdf) -> None:
        content = pdf.make_stream(b"0 0 1 rg 0 0 600 800 re f")
        page = pdf.make_indirect(Dictionary(Type=Name.Page, MediaBox=[0, 0, 595, 842], Contents=content, Resources=Dictionary()))
        tree = pdf.make_indirect(Dictionary(Type=Name.Pages, Count=1, Kids=Array([page])))
        page.Parent = tree
        if hidden == "named":
            pdf.Root["/PieceInfo"] = Dictionary(Motcua=Dictionary(Private=tree))
        elif hidden == "font":
            pdf.pages[0].obj.Resources["/Properties"] = Dictionary(P=tree)
        else:
            pdf.Root["/Shadow"] = tree

    return prepare


def _swap(where: str) -> Callable[[IncrementalPdfFileWriter], None]:
    def alter(writer: IncrementalPdfFileWriter) -> None:
        root = writer.root
        if where == "named":
            tree = root["/PieceInfo"]["/Motcua"].raw_get("/Private")
        elif where == "font":
            tree = root["/Pages"]["/Kids"][0]["/Resources"]["/Properties"].raw_get("/P")
        else:
            tree = root.raw_get("/Shadow")
        root[name("/Pages")] = generic.IndirectObject(tree.idnum, tree.generation, writer)
        writer.update_root()

    return alter


def hiding_and_replacing() -> Iterator[Shadow]:
    """Hide and replace: a second page tree lies in the file and is activated by a new catalogue."""
    for where in ("root", "named", "font"):
        yield f"second tree under {where}", _second_tree(where), _saved(_swap(where))


def shadows() -> Iterator[Shadow]:
    """All of them."""
    yield from hiding()
    yield from replacing()
    yield from hiding_and_replacing()


def prepared(document: bytes, prepare: Callable[[Pdf], None]) -> bytes:
    """*document* with the shadow in it, as one revision."""
    with pikepdf.open(io.BytesIO(document)) as pdf, warnings.catch_warnings():
        warnings.simplefilter("ignore", pikepdf.PageCopyWarning)  # a widget outside the form is what an attacker makes
        prepare(pdf)
        pdf.save(out := io.BytesIO())
    return out.getvalue()
