"""The same file seen by others: another parser must read the same objects, another renderer must draw the same pages.

A verifier that reads a document otherwise than the reader's own program vouches for what nobody sees. Two questions are asked of every
signed file whose own account is clean: does qpdf find exactly the objects our parser found, and do the pages of the signed revision,
drawn by PDFium, look as the pages of the whole file do, but for the places later signatures and numbers were given?
"""

from __future__ import annotations

import ctypes
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import pikepdf
import pypdfium2
from PIL import Image, ImageChops, ImageDraw
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader

_DPI = 40
_MOST_PAGES = 120
_LARGE = 1024 * 1024
_FAINT = 24
"""Differences of grey up to this are the renderer's smoothing."""
_STRUCTURE = ("/XRef", "/ObjStm")
Area = tuple[int, float, float, float, float]
"""Page (from 0) and rectangle in points, origin at the lower left corner."""


def objects_differ(pdf: bytes, reader: PdfFileReader) -> str | None:
    """Where qpdf and our parser read the file differently; None = nowhere."""
    try:
        with pikepdf.open(io.BytesIO(pdf), attempt_recovery=False, suppress_warnings=True) as other:
            if other.get_warnings():
                return "another parser has to repair it"
            if other.Root.objgen != _number(reader.trailer_view.raw_get("/Root")):
                return "another catalogue"
            for one in other.objects:
                if isinstance(one, pikepdf.Stream) and str(one.get("/Type", "")) in _STRUCTURE:
                    continue
                if isinstance(one, pikepdf.Stream) and int(one.get("/Length", 0)) > _LARGE:
                    _forget_large(reader)
                if _theirs(one, top=True) != _ours(reader.get_object(generic.Reference(*one.objgen, reader)), reader, top=True):
                    return f"object {one.objgen[0]}"
    except (pikepdf.PdfError, PdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError) as problem:
        return f"unreadable to another parser: {type(problem).__name__}"
    return None


def _forget_large(reader: PdfFileReader) -> None:
    """Let go of the large streams the reader keeps: qpdf is about to take one twice, and what is needed again is read again."""
    resolvers = reader._historical_resolver_cache.values()
    kept: list[dict[Any, Any]] = [reader.resolved_objects, *(one.cache for one in resolvers)]
    for objects in kept:
        large = [key for key, one in objects.items() if isinstance(one, generic.StreamObject) and len(one._encoded_data or b"") > _LARGE]
        for key in large:
            del objects[key]


def _theirs(one: Any, *, top: bool = False) -> object:
    if isinstance(one, pikepdf.Dictionary | pikepdf.Array | pikepdf.Stream) and one.is_indirect and not top:
        return ("ref", *one.objgen)
    match one:
        case None | bool() | int():
            return one
        case Decimal() | float():
            return Decimal(one).normalize()
        case pikepdf.String():
            return bytes(one)
        case pikepdf.Array():
            return [_theirs(item) for item in one]
        case pikepdf.Stream():
            return _known(one), memoryview(one.get_raw_stream_buffer())  # not copied once more
        case pikepdf.Dictionary():
            return _known(one)
        case _:
            return str(one)


def _known(one: Any) -> dict[str, object]:
    read = {str(key): _theirs(value) for key, value in one.items()}
    return {key: value for key, value in read.items() if value is not None}


def _ours(one: Any, reader: PdfFileReader, *, top: bool = False) -> object:
    if isinstance(one, generic.IndirectObject):
        found = one.get_object()
        if isinstance(found, generic.DictionaryObject | generic.ArrayObject):
            return ("ref", *_number(one))
        one = found
    match one:
        case generic.BooleanObject():
            return bool(one)
        case generic.NullObject() | None:
            return None
        case generic.NumberObject():
            return int(one)
        case generic.FloatObject():
            return Decimal(str(one)).normalize()
        case generic.TextStringObject() | generic.ByteStringObject():
            return one.original_bytes
        case generic.ArrayObject():
            return [_ours(item, reader) for item in one.raw_values()] if hasattr(one, "raw_values") else _items(one, reader)
        case generic.StreamObject():
            return _entries(one, reader), one.encoded_data
        case generic.DictionaryObject():
            return _entries(one, reader)
        case _:
            return str(one)


def _items(array: generic.ArrayObject, reader: PdfFileReader) -> list[object]:
    return [_ours(array.raw_get(index), reader) for index in range(len(array))]


def _entries(dictionary: generic.DictionaryObject, reader: PdfFileReader) -> dict[str, object]:
    read = {str(key): _ours(dictionary.raw_get(key), reader) for key in dictionary}
    return {key: value for key, value in read.items() if value is not None}


def _number(one: generic.IndirectObject) -> tuple[int, int]:
    return one.idnum, one.generation


def pages_differ(pdf: bytes, ends: Sequence[int], later: Sequence[Iterable[Area]]) -> int | None:
    """The first page (from 1) that looks different in a signed revision than in the whole file; None = none.

    *ends* are the lengths of the signed revisions, *later* the areas each may look different in: fields that were empty then.
    """
    revisions = [(end, list(areas)) for end, areas in zip(ends, later, strict=True) if pdf[end:].strip()]
    if not revisions:
        return None
    with _opened(pdf) as whole:
        for end, areas in revisions:
            with _opened(_beginning(pdf, end)) as then:
                if len(then) != len(whole):
                    return min(len(then), len(whole)) + 1
                for page in range(min(len(whole), _MOST_PAGES)):
                    if _differs(then, whole, page, [area for area in areas if area[0] == page]):
                        return page + 1
    return None


def _beginning(pdf: bytes, end: int) -> Any:
    """The first *end* bytes where they are, for as long as *pdf* lives: a copy would double the memory a large file takes."""
    return ctypes.cast(ctypes.c_char_p(pdf), ctypes.POINTER(ctypes.c_char * end)).contents


def _opened(pdf: Any) -> pypdfium2.PdfDocument:
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    return document


def _differs(then: pypdfium2.PdfDocument, whole: pypdfium2.PdfDocument, page: int, areas: list[Area]) -> bool:
    first, second = (_drawn(document[page], areas) for document in (then, whole))
    if first.size != second.size:
        return True
    return ImageChops.difference(first, second).point(lambda grey: grey > _FAINT and 255).getbbox() is not None


def _drawn(page: pypdfium2.PdfPage, areas: list[Area]) -> Image.Image:
    scale, (_, height) = _DPI / 72, page.get_size()
    picture: Image.Image = page.render(scale=scale, grayscale=True).to_pil().convert("L")
    draw = ImageDraw.Draw(picture)
    for _, left, bottom, right, top in areas:
        draw.rectangle((left * scale - 2, (height - top) * scale - 2, right * scale + 2, (height - bottom) * scale + 2), fill=255)
    return picture


def areas_filled_later(then: HistoricalResolver, whole: PdfFileReader) -> list[Area]:
    """The rectangles of fields that were empty in one revision and are not any more."""
    before, after = _values(then.root), _values(whole.root)
    pages = [page.reference for page in _pages(whole.root["/Pages"])]
    areas = []
    for name, field in after.items():
        if "/V" not in field or "/V" in before.get(name, {}):
            continue
        page = field.raw_get("/P").reference if "/P" in field else None
        if page in pages:
            left, bottom, right, top = (float(edge) for edge in field["/Rect"])
            areas.append((pages.index(page), left, bottom, right, top))
    return areas


def _values(root: generic.DictionaryObject) -> dict[str, generic.DictionaryObject]:
    fields = root["/AcroForm"]["/Fields"] if "/AcroForm" in root else []
    return {str(field.get("/T", "")): field for field in (one.get_object() for one in fields)}


def _pages(node: generic.DictionaryObject, depth: int = 0) -> Iterable[generic.IndirectObject]:
    for index in range(len(node["/Kids"])):
        kid = node["/Kids"].raw_get(index)
        if "/Kids" in kid.get_object() and depth < 30:
            yield from _pages(kid.get_object(), depth + 1)
        else:
            yield kid
