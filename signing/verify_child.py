"""The child process of ``signing.verify``: one document, one report, within limits."""

from __future__ import annotations

import base64
import io
import logging
import sys
from datetime import datetime
from pathlib import Path

import pypdfium2

from signing.examine import Inquiry, examine
from signing.isolation import serve_parent
from signing.kept_status import Kept
from signing.model import Json
from signing.revocation import Sources


def work(request: Json, pdf: bytes) -> tuple[Json, bytes]:
    """Do one request: ``verify`` or ``picture``."""
    logging.disable(logging.CRITICAL)
    if request["act"] == "picture":
        return _picture(pdf, int(request["page"]), int(request["dpi"]))
    anchors, intermediates = _certificates(request["anchors"]), _certificates(request["intermediates"])
    sources = Sources(request["routes"], request["hosts"]) if request["online"] else None
    inquiry = Inquiry(
        anchors=anchors,
        intermediates=intermediates,
        now=datetime.fromisoformat(request["now"]),
        sources=sources,
        ends=request["ends"],
        kept=Kept(Path(request["kept"]), (*anchors, *intermediates)) if request["kept"] else None,
    )
    report = examine(pdf, inquiry).to_json()
    gathered = sources.gathered if sources and request["kept"] else []
    return {"report": report, "gathered": [(kind, base64.b64encode(raw).decode()) for kind, raw in gathered]}, b""


def _picture(pdf: bytes, page: int, dpi: int) -> tuple[Json, bytes]:
    with pypdfium2.PdfDocument(pdf) as document:
        pages = len(document)
        if not 0 <= page < pages:
            return {"pages": pages}, b""
        document.init_forms()
        picture = document[page].render(scale=dpi / 72).to_pil()
        picture.save(out := io.BytesIO(), "PNG", optimize=True)
        return {"pages": pages}, out.getvalue()


def _certificates(texts: list[str]) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(one) for one in texts)


if __name__ == "__main__":
    sys.exit(serve_parent(work))
