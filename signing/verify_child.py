"""The child process of ``signing.verify``: one document, one report, within limits."""

from __future__ import annotations

import base64
import io
import logging
import sys
from datetime import datetime

import pypdfium2

from signing.examine import Inquiry, examine
from signing.isolation import serve_parent
from signing.model import Json
from signing.revocation import Sources


def work(request: Json, pdf: bytes) -> tuple[Json, bytes]:
    """Do one request: ``verify`` or ``picture``."""
    logging.disable(logging.CRITICAL)
    if request["act"] == "picture":
        return _picture(pdf, int(request["page"]), int(request["dpi"]))
    inquiry = Inquiry(
        anchors=_certificates(request["anchors"]),
        intermediates=_certificates(request["intermediates"]),
        now=datetime.fromisoformat(request["now"]),
        sources=Sources(request["routes"], request["hosts"]) if request["online"] else None,
        ends=request["ends"],
    )
    return examine(pdf, inquiry).to_json(), b""


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
