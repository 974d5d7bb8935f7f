"""Pages of what was brought, as pictures: for the screen beside the form and for the copies the office certifies."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import pypdfium2
from PIL import Image

DPI_COPY = 200
DPI_SCREEN = 96
PIXEL_CAP = 40_000_000
POINT = 25.4 / 72


def page_count(content: bytes, media_type: str) -> int:
    """Return the number of pages; a photo is one page."""
    if media_type != "application/pdf":
        return 1
    document = pypdfium2.PdfDocument(content)
    try:
        return len(document)
    finally:
        document.close()


def picture(content: bytes, media_type: str, page: int, dpi: int = DPI_SCREEN, quality: int = 80) -> bytes:
    """Return one page (counted from 0) as JPEG, at most 40 million pixels; content has passed the intake before.

    Raises:
        IndexError: there is no such page.
    """
    if media_type != "application/pdf":
        if page != 0:
            raise IndexError(page)
        with Image.open(io.BytesIO(content)) as photo:
            return jpeg(photo.convert("RGB"), quality)
    document = pypdfium2.PdfDocument(content)
    try:
        document.init_forms()  # without it the visible signatures, number and date are not drawn
        if not 0 <= page < len(document):
            raise IndexError(page)
        sheet = document[page]
        width, height = sheet.get_size()
        scale = min(dpi / 72, (PIXEL_CAP / max(width * height, 1)) ** 0.5)
        return jpeg(sheet.render(scale=scale).to_pil().convert("RGB"), quality)
    finally:
        document.close()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page as a picture, with its true size in millimetres."""

    picture: bytes
    width_mm: float
    height_mm: float


SMALL = 2 * 1024 * 1024


def sheets(content: bytes, media_type: str, dpi: int = DPI_COPY) -> list[Sheet]:
    """Return every page at 200 dpi and true size, the least the law accepts for digitised paper (NĐ 30/2020/NĐ-CP, Phụ lục I).

    A photo carries no size: it is fitted to A4, upright or lying as it was taken. The same paper is drawn for the draft and again for
    the signature, so the last few small ones are remembered.
    """
    return list(_remembered(content, media_type, dpi)) if len(content) <= SMALL else _drawn(content, media_type, dpi)


@lru_cache(maxsize=8)
def _remembered(content: bytes, media_type: str, dpi: int) -> tuple[Sheet, ...]:
    return tuple(_drawn(content, media_type, dpi))


def _drawn(content: bytes, media_type: str, dpi: int) -> list[Sheet]:
    if media_type != "application/pdf":
        with Image.open(io.BytesIO(content)) as photo:
            lying = photo.width > photo.height
        width, height = (297.0, 210.0) if lying else (210.0, 297.0)
        return [Sheet(picture(content, media_type, 0, dpi), width, height)]
    document = pypdfium2.PdfDocument(content)
    try:
        sizes = [document[n].get_size() for n in range(len(document))]
    finally:
        document.close()
    return [Sheet(picture(content, media_type, n, dpi), round(w * POINT, 2), round(h * POINT, 2)) for n, (w, h) in enumerate(sizes)]


def jpeg(image: Image.Image, quality: int) -> bytes:
    """Return the picture as JPEG without any metadata."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=False)
    return out.getvalue()
