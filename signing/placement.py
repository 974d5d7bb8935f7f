"""Where a signature stands on its page: moved by its signer from the template's place, and judged on the drawn page.

The seal has no place of its own: it lies at true size over the left third of the signature (NĐ 30/2020/NĐ-CP, Phụ lục I), so it moves
with it. A template's own place is its author's decision and is not judged here, only one somebody chose. The line of an annex or a
copy is judged always: the page under it may be a scan nobody has laid out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pypdfium2
from PIL import Image, ImageDraw

from signing.errors import SigningError
from signing.model import MM, Box

EDGE_MM = 5.0
"""Nothing is put nearer to the edge of a page than this: office printers cannot print there."""
_SCALE = 2.0
# Anti-aliased edges and the paper tone of scans are lighter than this; printed letters, lines and QR modules are darker.
_INK = 150
_TOUCH_MM = 0.3
WORDS_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a signature stands from its template's place: to the right and downwards, in tenths of a millimetre."""

    right: int = 0
    down: int = 0

    def __bool__(self) -> bool:
        return bool(self.right or self.down)


@dataclass(frozen=True, slots=True)
class Placed:
    """A signature on its page: its image, the seal over its left third (if there is one), the block of title and name around it."""

    image: Box
    seal: Box | None = None
    block: Box | None = None

    def moved(self, shift: Shift) -> Placed:
        """Return image and seal moved together; title and name stay where they are printed."""
        return replace(self, image=_moved(self.image, shift), seal=_moved(self.seal, shift) if self.seal else None)


@dataclass(frozen=True, slots=True)
class Room:
    """The places an image may have so that it and its seal stay on the page, and between title and name when these are known.

    Millimetres from the left and the upper edge of the page to the image's upper left corner.
    """

    left: float
    right: float
    top: float
    bottom: float

    def holds(self, x: float, y: float) -> bool:
        """Say whether an image may have its upper left corner here; half of the tenth places are kept in is forgiven."""
        return self.left - 0.06 <= x <= self.right + 0.06 and self.top - 0.06 <= y <= self.bottom + 0.06


def corner(box: Box, page_height: float) -> tuple[float, float]:
    """Return the upper left corner of a box in millimetres from the left and the upper edge of its page."""
    return round(box.x / MM, 1), round((page_height - box.y - box.height) / MM, 1)


def room(standing: Placed, width: float, height: float) -> Room:
    """Return where the image may stand on a page of this size (points)."""
    image, outer = standing.image, [standing.image, *([standing.seal] if standing.seal else [])]
    left, right = min(one.x for one in outer), max(one.x + one.width for one in outer)
    low, high = min(one.y for one in outer), max(one.y + one.height for one in outer)
    edge = EDGE_MM * MM
    x, y = corner(image, height)
    found = Room(
        x - (left - edge) / MM, x + (width - edge - right) / MM, y - (height - edge - high) / MM, y + (low - edge) / MM
    )  # fmt: skip
    if standing.block is not None:
        above = y - (standing.block.y + standing.block.height - image.y - image.height) / MM
        below = y + (image.y - standing.block.y) / MM
        found = replace(found, top=max(found.top, above), bottom=min(found.bottom, below))
    return Room(*(round(one, 1) for one in (found.left, found.right, found.top, found.bottom)))


def page_size(pdf: bytes, page: int) -> tuple[float, float]:
    """Return width and height of a page in points."""
    with pypdfium2.PdfDocument(pdf) as document:
        size: tuple[float, float] = document[page].get_size()
        return size


def judge(pdf: bytes, standing: Placed, kept_free: list[Box]) -> None:
    """Judge a chosen place on the page as it is drawn without any signature; *kept_free* is for number and date, still to be written.

    The image covers nothing. The seal may touch title and name, as a seal on paper does, and nothing else.

    Raises:
        SigningError: ``placement.off_page`` with the room there is, ``placement.covers`` with the covered words, ``placement.field``.
    """
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[standing.image.page]
        width, height = page.get_size()
        free, (x, y) = room(standing, width, height), corner(standing.image, height)
        if not free.holds(x, y):
            raise SigningError("placement.off_page", left=free.left, right=free.right, top=free.top, bottom=free.bottom)
        shapes = [standing.image, *([standing.seal] if standing.seal else [])]
        drawn = page.render(scale=_SCALE, may_draw_forms=False).to_pil().convert("L")
        image = _rectangle(drawn.size, standing.image)
        seal = _disc(drawn.size, standing.seal) if standing.seal else None
        later = _later(drawn.size, standing.image.page, kept_free)
        if _inked(later, image) or (seal is not None and _inked(later, seal)):
            raise SigningError("placement.field")
        covered = _inked(drawn, image) or (seal is not None and _inked(drawn, _without(seal, standing.block)))
        if covered:
            text = page.get_textpage()
            words = " ".join(" ".join(text.get_text_bounded(*_bounds(shape)).split()) for shape in shapes).strip()
            raise SigningError("placement.covers", words=words[:WORDS_SHOWN])


LINE_TOP_MM = 20.0
LINE_RIGHT_MM = 25.0
"""The line of an annex or copy ends within the top margin NĐ 30/2020/NĐ-CP leaves free (20 to 25 mm) and near the right edge."""


def at_top_right(box: Box, width: float, height: float) -> bool:
    """Say whether a line stands top right on the first page of this size (points): in the top margin, in the right half, clear of the edge.

    NĐ 30/2020/NĐ-CP, Phụ lục I: "góc trên, bên phải, trang đầu"; the room it leaves to other text is the margin the same annex prescribes.
    """
    top, right = height - box.y - box.height, width - box.x - box.width
    low, edge, slack = height - box.y, EDGE_MM * MM, 0.06 * MM
    return (
        box.page == 0
        and edge - slack <= top
        and low <= LINE_TOP_MM * MM + slack
        and edge - slack <= right <= LINE_RIGHT_MM * MM + slack
        and box.x + box.width / 2 > width / 2
        and box.x >= edge - slack
    )


def judge_line(pdf: bytes, line: Box) -> None:
    """Judge the place of an annex's or a copy's line on the page as it is drawn without it.

    Raises:
        SigningError: ``placement.line_place`` when it is not top right of page 1, ``placement.line_covers`` when something lies under it.
    """
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        if not at_top_right(line, *page.get_size()):
            raise SigningError("placement.line_place")
        drawn = page.render(scale=_SCALE, may_draw_forms=False).to_pil().convert("L")
        if _inked(drawn, _rectangle(drawn.size, line)):
            raise SigningError("placement.line_covers")


def _moved(box: Box, shift: Shift) -> Box:
    return replace(box, x=box.x + shift.right * MM / 10, y=box.y - shift.down * MM / 10)


def _bounds(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.x + box.width, box.y + box.height


def _pixels(size: tuple[int, int], box: Box, inset: float) -> tuple[float, float, float, float]:
    return (
        (box.x + inset) * _SCALE,
        size[1] - (box.y + box.height - inset) * _SCALE,
        (box.x + box.width - inset) * _SCALE,
        size[1] - (box.y + inset) * _SCALE,
    )


def _rectangle(size: tuple[int, int], box: Box) -> Image.Image:
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rectangle(_pixels(size, box, _TOUCH_MM * MM), fill=255)
    return mask


def _disc(size: tuple[int, int], seal: Box) -> Image.Image:
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).ellipse(_pixels(size, seal, _TOUCH_MM * MM), fill=255)
    return mask


def _without(mask: Image.Image, block: Box | None) -> Image.Image:
    if block is not None:
        ImageDraw.Draw(mask).rectangle(_pixels(mask.size, block, 0), fill=0)
    return mask


def _later(size: tuple[int, int], page: int, fields: list[Box]) -> Image.Image:
    """Return a page on which only the places of later writing are dark."""
    drawn = Image.new("L", size, 255)
    for field in fields:
        if field.page == page:
            ImageDraw.Draw(drawn).rectangle(_pixels(size, field, 0), fill=0)
    return drawn


def _inked(drawn: Image.Image, mask: Image.Image) -> bool:
    white = Image.new("L", drawn.size, 255)
    return any(Image.composite(drawn, white, mask).histogram()[:_INK])
