"""QR codes as inline SVG with a title; the only markup the templates take as it is."""

from __future__ import annotations

from io import BytesIO

import segno


def qr_svg(text: str, title: str) -> str:
    """Return a QR code of *text*."""
    picture = BytesIO()
    segno.make(text, error="m").save(
        picture, kind="svg", xmldecl=False, svgns=True, title=title, omitsize=True, svgclass=None, lineclass=None
    )
    return picture.getvalue().decode()
