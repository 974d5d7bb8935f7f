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

from tests.signing.attacks.filled import form_stream, name

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


def _uncover(way: str) -> Callable[[IncrementalPdfFileWriter], None]:
    """Take the cover away in one of several ways."""

    def alter(writer: IncrementalPdfFileWriter) -> None:
        page = writer.root["/Pages"]["/Kids"][0]
        forms = page["/Resources"].get("/XObject", {})
        if "/Cover" in forms:
            if way == "emptied":
                forms[name("/Cover")] = writer.add_object(form_stream(b"", 1, 1))
            elif way == "another drawing":
                forms[name("/Cover")] = writer.add_object(form_stream(b"0 g 0 0 5 5 re f", 500, 200))
            elif way == "taken out":
                del forms[name("/Cover")]
            else:
                page[name("/Contents")] = page["/Contents"].raw_get(0)
                writer.update_container(page)
                return
            writer.update_container(page["/Resources"])
            return
        annotations = page["/Annots"]
        at = next(index for index in range(len(annotations)) if annotations[index].get("/T") == "cover")
        target = annotations[at]
        if way == "emptied":
            target[name("/AP")] = generic.DictionaryObject({name("/N"): writer.add_object(form_stream(b"", 1, 1))})
        elif way == "another drawing":
            target[name("/F")] = generic.NumberObject(2)
        elif way == "taken out":
            page[name("/Annots")] = generic.ArrayObject(annotations.raw_get(one) for one in range(len(annotations)) if one != at)
            writer.update_container(page)
            return
        else:
            target[name("/Rect")] = generic.ArrayObject(generic.NumberObject(one) for one in (0, 0, 1, 1))
        writer.update_container(target)

    return alter


UNCOVERED = ("emptied", "another drawing", "taken out", "moved away")
PLACES = ((60, 500), (60, 300), (0, 0), (100, 600), (60, 650), (200, 400), (30, 100), (0, 640), (90, 700))


def hiding() -> Iterator[Shadow]:
    """Hide: something opaque lies over the true content and is taken away later."""
    for kind in ("Square", "Stamp", "FreeText", "Widget", "image", "form"):
        for x, y in PLACES:
            prepare = _cover(kind, (x, y, x + 500, y + 200))
            for way in UNCOVERED:
                yield f"hidden under a {kind} at {x},{y}, {way}", prepare, _saved(_uncover(way))


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


def _revalue(value: str, way: str) -> Callable[[IncrementalPdfFileWriter], None]:
    def alter(writer: IncrementalPdfFileWriter) -> None:
        form = writer.root["/AcroForm"]
        target = next((one.get_object() for one in form["/Fields"] if one.get_object().get("/T") == "amount"), None)
        if target is None:
            raise LookupError
        if way.startswith("font"):
            face = form["/DR"]["/Font"]["/F"]
            if way == "font renamed":
                face[name("/BaseFont")] = name("/Courier")
            else:
                letters = generic.ArrayObject([generic.NumberObject(49), *(name(f"/{one}") for one in ("nine", "eight", "seven"))])
                face[name("/Encoding")] = generic.DictionaryObject({name("/Differences"): letters})
            writer.update_container(face)
            return
        if way != "look only":
            target[name("/V")] = generic.TextStringObject(value)
        if way in ("value and look", "look only"):
            shown = form_stream(b"BT /F 12 Tf 5 5 Td (%s) Tj ET" % value.encode(), 200, 20)
            target[name("/AP")] = generic.DictionaryObject({name("/N"): writer.add_object(shown)})
        if way == "value, to be redrawn":
            form[name("/NeedAppearances")] = generic.BooleanObject(True)
            writer.update_container(form)
        writer.update_container(target)

    return alter


_PAIRS = (
    ("1 000", "9 000"), ("đồng ý", "từ chối"), ("15", "16"), ("", "100"), ("không", ""), ("2026", "2036"), ("An", "Bình"), ("x", "y" * 300),
    ("A", "А"), ("0,5", "5,0"), ("có", "co\u0301"), ("1", "11"), ("lô 7", "lô 17"), ("nam", "nữ"), ("tạm", "lâu dài"), ("50 m²", "500 m²"),
    ("cấp", "thu hồi"),
)  # fmt: skip
_WAYS = ("value", "value and look", "value, to be redrawn", "look only", "font renamed", "font's letters exchanged")


def replacing() -> Iterator[Shadow]:
    """Replace: a form's value or a font's letters change later."""
    for value, other in _PAIRS:
        for whole in (False, True):
            prepare = _text_field(value, whole_font=whole)
            for way in _WAYS:
                title = f"{value!r} to {other[:10]!r}, {'whole' if whole else 'standard'} font, {way}"
                yield title, prepare, _saved(_revalue(other, way))


_CONTENTS = {
    "blue": b"0 0 1 rg 0 0 600 800 re f", "white": b"", "words": b"BT (x) Tj ET", "lines": b"0 0 m 600 800 l S",
    "black": b"0 0 600 850 re f"
}  # fmt: skip
_LAIRS = ("root", "piece", "properties", "thumb", "outline", "structure", "state", "group")


def _second_tree(hidden: str, content: bytes) -> Callable[[Pdf], None]:
    def prepare(pdf: Pdf) -> None:
        shown = pdf.make_stream(content)
        page = pdf.make_indirect(Dictionary(Type=Name.Page, MediaBox=[0, 0, 595, 842], Contents=shown, Resources=Dictionary()))
        tree = pdf.make_indirect(Dictionary(Type=Name.Pages, Count=1, Kids=Array([page])))
        page.Parent = tree
        first = pdf.pages[0].obj
        if hidden == "piece":
            pdf.Root["/PieceInfo"] = Dictionary(Motcua=Dictionary(Private=tree))
        elif hidden == "properties":
            first.Resources["/Properties"] = Dictionary(P=tree)
        elif hidden == "thumb":
            first["/Shadow"] = tree
        elif hidden == "outline":
            pdf.Root["/Outlines"] = pdf.make_indirect(Dictionary(Type=Name.Outlines, Shadow=tree))
        elif hidden == "structure":
            pdf.Root["/Shadows"] = pdf.make_indirect(Dictionary(Type=Name.StructElem, Shadow=tree))
        elif hidden == "state":
            first.Resources["/ExtGState"] = Dictionary(G=Dictionary(Type=Name.ExtGState, Shadow=tree))
        elif hidden == "group":
            first["/Group"] = Dictionary(S=Name.Transparency, Shadow=tree)
        else:
            pdf.Root["/Shadow"] = tree

    return prepare


def _lair(root: generic.DictionaryObject, hidden: str) -> generic.IndirectObject:
    page = root["/Pages"]["/Kids"][0]
    holder, key = {
        "piece": lambda: (root["/PieceInfo"]["/Motcua"], "/Private"),
        "properties": lambda: (page["/Resources"]["/Properties"], "/P"),
        "thumb": lambda: (page, "/Shadow"),
        "outline": lambda: (root["/Outlines"], "/Shadow"),
        "structure": lambda: (root["/Shadows"], "/Shadow"),
        "state": lambda: (page["/Resources"]["/ExtGState"]["/G"], "/Shadow"),
        "group": lambda: (page["/Group"], "/Shadow"),
        "root": lambda: (root, "/Shadow"),
    }[hidden]()
    found: generic.IndirectObject = holder.raw_get(key)
    return found


def _swap(hidden: str, way: str) -> Callable[[IncrementalPdfFileWriter], None]:
    def alter(writer: IncrementalPdfFileWriter) -> None:
        root = writer.root
        tree = _lair(root, hidden)
        there = generic.IndirectObject(tree.idnum, tree.generation, writer)
        if way == "tree":
            root[name("/Pages")] = there
            writer.update_root()
        elif way == "catalogue":
            catalogue = generic.DictionaryObject({key: root.raw_get(key) for key in root})
            catalogue[name("/Pages")] = there
            writer.trailer[name("/Root")] = writer.add_object(catalogue)
        elif way == "pages":
            root["/Pages"][name("/Kids")] = generic.ArrayObject([tree.get_object()["/Kids"].raw_get(0)])
            writer.update_container(root["/Pages"])
        elif way == "one page more":
            root["/Pages"]["/Kids"].append(there)
            root["/Pages"][name("/Count")] = generic.NumberObject(2)
            writer.update_container(root["/Pages"])
        else:
            page = root["/Pages"]["/Kids"][0]
            page[name("/Contents")] = tree.get_object()["/Kids"][0].raw_get("/Contents")
            writer.update_container(page)

    return alter


def hiding_and_replacing() -> Iterator[Shadow]:
    """Hide and replace: a second page tree lies in the file and is brought forward later."""
    for where in _LAIRS:
        for title, content in _CONTENTS.items():
            prepare = _second_tree(where, content)
            for way in ("tree", "catalogue", "pages", "one page more", "contents"):
                yield f"second tree ({title}) under {where}, brought forward by its {way}", prepare, _saved(_swap(where, way))


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
