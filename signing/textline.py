"""The one way a number or date is drawn: the same value always gives the same bytes, so a verifier can draw it again and compare."""

from __future__ import annotations

from signing.errors import SigningError
from signing.fonts import RESOURCE_NAME, Glyphs

# Distance of the text from the edges of its field, in points.
_INSET = 1.0
# Height of Tinos capitals relative to the font size; the line is centred on it.
_CAPITAL = 0.662


def draw(value: str, width: float, height: float, size: float, align: int, glyphs: Glyphs) -> bytes:
    """Content stream of a field appearance *width* × *height* points showing *value*; *align* as in PDF: 0 left, 1 centre, 2 right.

    Raises:
        SigningError: ``signing.value_too_wide`` when the text does not fit, ``signing.value_letters`` for letters without a glyph.
    """
    encoded = glyphs.encode(value)
    room, needed = width - 2 * _INSET, glyphs.width(value, size)
    if needed > room + 0.01:
        raise SigningError("signing.value_too_wide", needed=round(needed), room=round(room))
    x = _INSET + (0, (room - needed) / 2, room - needed)[align]
    y = (height - _CAPITAL * size) / 2
    line = f"/Tx BMC q BT {RESOURCE_NAME} {size:g} Tf 0 g 1 0 0 1 {x:.3f} {y:.3f} Tm <{encoded.hex().upper()}> Tj ET Q EMC"
    return line.encode("ascii")
