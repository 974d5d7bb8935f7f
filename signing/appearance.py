"""Visible signatures after NĐ 30/2020, annex I: the leader's blue image, the agency's red seal, the line on annexes and copies.

Each appearance is a one-page PDF made with Typst, exactly as large as its field; everything says TEST while the certificates do.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import typst
from pyhanko.pdf_utils.content import ImportedPdfPage
from pyhanko.pdf_utils.layout import AxisAlignment, BoxConstraints, InnerScaling, Margins, SimpleBoxLayoutRule
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.stamp import StaticStampStyle

from signing.errors import SigningError
from signing.model import MM, Box

_FILL = SimpleBoxLayoutRule(AxisAlignment.ALIGN_MID, AxisAlignment.ALIGN_MID, Margins.uniform(0), InnerScaling.STRETCH_TO_FIT)
BLUE = "#1f3fb8"
RED = "#d01c1f"
# The share of the leader's image the seal covers, from the left (NĐ 30/2020, annex I: about one third).
_OVERLAP = 1 / 3
SEAL_DIAMETER_MM = 36.0


def signature_boxes(area: Box, aspect: float = 2.4, seal_mm: float = SEAL_DIAMETER_MM) -> tuple[Box, Box]:
    """Places of the leader's image and of the agency's seal.

    *area* is the room between position title and name; *aspect* is width over height of the signature image, which is centred in it at
    the largest size that fits. The seal has its true diameter *seal_mm* and covers the left third of the image, centres level.
    """
    width = min(area.width, area.height * aspect)
    height = width / aspect
    leader = Box(area.page, area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height)
    diameter = seal_mm * MM
    right = leader.x + leader.width * _OVERLAP
    agency = Box(area.page, right - diameter, leader.y + leader.height / 2 - diameter / 2, diameter, diameter)
    return leader, agency


def leader_appearance(box: Box, name: str, image: bytes | None = None, *, test: bool = True, fonts: Path | None = None) -> StaticStampStyle:
    """The leader's signature image filling *box*; without an *image* (PNG with transparency, or SVG) a handwriting-like one is drawn."""
    picture = image or handwriting(name)
    kind = "svg" if picture.lstrip()[:1] == b"<" else "png"
    mark = _mark(BLUE, "TEST") if test else ""
    source = f'#place(center + horizon, image("/image.{kind}", width: 100%, height: 100%, fit: "contain"))\n{mark}'
    return _style(source, box, {f"image.{kind}": picture}, fonts)


def agency_appearance(box: Box, agency: str, *, test: bool = True, fonts: Path | None = None) -> StaticStampStyle:
    """The agency's round red seal filling *box*: name on the rim, star in the middle."""
    seal = {"agency": agency.upper(), "test": test, "colour": RED, "radius": min(box.width, box.height) / 2}
    return _style(_SEAL, box, {"seal.json": json.dumps(seal).encode()}, fonts)


def line_appearance(
    box: Box, lines: list[str], at: datetime, align: Literal["left", "right"] = "right", *, fonts: Path | None = None
) -> StaticStampStyle:
    """Text only, upright 10 pt black, with the signing time by ISO 8601: separate annexes and electronic copies, top right of page 1.

    Raises:
        SigningError: ``appearance.line_too_long``: the text would leave *box*, and the time with it.
    """
    texts = [*lines, at.isoformat(timespec="seconds")]
    # A line reaches from its highest accent to its deepest stroke, so no letter is cut at the edge of the box; 10.2 pt from line to line.
    edges = "size: 10pt, top-edge: 0.95em, bottom-edge: -0.22em"
    source = f'#set align({align})\n#set text({edges})\n#set par(leading: -0.15em)\n#json("/lines.json").join(linebreak())'
    files = {"lines.json": json.dumps(texts).encode()}
    if len(PdfFileReader(io.BytesIO(_drawn(source, box, files, fonts))).root["/Pages"]["/Kids"]) != 1:
        raise SigningError("appearance.line_too_long")
    return _style(source, box, files, fonts)


def handwriting(name: str) -> bytes:
    """A handwriting-like stroke (SVG, blue, transparent), always the same for the same *name*; for demonstration keys only."""
    dice = random.Random(hashlib.sha256(name.encode()).digest())  # noqa: S311 - a picture, not a secret
    x, y = 20.0, 60 + dice.uniform(-8, 8)
    path = [f"M {x:.1f} {y:.1f}"]
    for word in range(dice.randint(5, 7)):
        tall = word == 0 or dice.random() < 0.3
        height = dice.uniform(38, 50) if tall else dice.uniform(10, 20)
        step = dice.uniform(16, 26)
        path.append(f"c {step * 0.1:.1f} {-height:.1f} {step * 0.9:.1f} {-height:.1f} {step * 0.6:.1f} {dice.uniform(0, 6):.1f}")
        path.append(
            f"c {-step * 0.2:.1f} {height * 0.5:.1f} {step * 0.3:.1f} {height * 0.35:.1f} {step * 0.5:.1f} {dice.uniform(-6, 2):.1f}"
        )
        x += step * 1.1
    path.append(f"c 20 -6 34 -10 {min(60.0, 230 - x):.1f} {dice.uniform(-22, -12):.1f}")
    under = f"M {dice.uniform(30, 50):.1f} {dice.uniform(82, 88):.1f} q 70 {dice.uniform(-14, -6):.1f} 150 {dice.uniform(-8, 0):.1f}"
    stroke = f'fill="none" stroke="{BLUE}" stroke-linecap="round" stroke-linejoin="round"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 100" width="240" height="100">'
        f'<path d="{" ".join(path)}" {stroke} stroke-width="2.6"/><path d="{under}" {stroke} stroke-width="1.8"/></svg>'
    ).encode()


_SEAL = (Path(__file__).parent / "seal.typ").read_text(encoding="utf-8")


def _mark(colour: str, text: str) -> str:
    return f'#place(right + bottom, dx: -1pt, dy: -1pt, text(6pt, weight: "bold", fill: rgb("{colour}"), "{text}"))'


def _style(source: str, box: Box, files: dict[str, bytes], fonts: Path | None) -> StaticStampStyle:
    page = _PageInMemory(_drawn(source, box, files, fonts))
    return StaticStampStyle(background=page, border_width=0, background_opacity=1, background_layout=_FILL)


def _drawn(source: str, box: Box, files: dict[str, bytes], fonts: Path | None) -> bytes:
    return _page(source, round(box.width, 3), round(box.height, 3), tuple(sorted(files.items())), fonts)


@lru_cache(maxsize=128)
def _page(source: str, width: float, height: float, files: tuple[tuple[str, bytes], ...], fonts: Path | None) -> bytes:
    family = '"Tinos"' if fonts else '"Libertinus Serif"'
    head = f'#set page(width: {width}pt, height: {height}pt, margin: 0pt, fill: none)\n#set text(font: {family}, lang: "vi")\n'
    with _folder(files) as root:
        (root / "main.typ").write_text(head + source, encoding="utf-8")
        found = [str(fonts)] if fonts else []
        compiled = typst.compile(str(root / "main.typ"), root=str(root), font_paths=found, ignore_system_fonts=True)
    assert isinstance(compiled, bytes)
    return compiled


@contextmanager
def _folder(files: tuple[tuple[str, bytes], ...]) -> Iterator[Path]:
    with TemporaryDirectory(prefix="motcua-appearance-") as name:
        for path, content in files:
            (Path(name) / path).write_bytes(content)
        yield Path(name)


class _PageInMemory(ImportedPdfPage):
    """pyHanko's imported page, read from bytes instead of a file and named by content, so that the result is repeatable."""

    def __init__(self, page: bytes) -> None:
        ImportedPdfPage.__init__(self, "")
        self._page = page

    def render(self) -> bytes:
        writer = self._ensure_writer
        form = writer.import_page_as_xobject(PdfFileReader(io.BytesIO(self._page)), page_ix=0)
        name = "/Appearance" + hashlib.sha256(self._page).hexdigest()[:12]
        self.resources.xobject[name] = form
        x1, y1, x2, y2 = (float(edge) for edge in form.get_object()["/BBox"])
        self.box = BoxConstraints(width=abs(x1 - x2), height=abs(y1 - y2))
        return name.encode() + b" Do"
