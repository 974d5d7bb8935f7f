"""The child process of ``signing.intake``: opens uploads, cleans and lints them within limits."""

from __future__ import annotations

import io
import sys
import warnings

import pikepdf
from pikepdf import Pdf
from PIL import Image, ImageOps

from signing.cleaning import normalised, safe_copy
from signing.errors import SigningError
from signing.isolation import serve_parent
from signing.model import Json
from signing.pdf_findings import Finding, active_content, bomb, lint, signed_fields


def work(request: Json, content: bytes) -> tuple[Json, bytes]:
    """Do one request: ``inspect``, ``safe_copy``, ``normalise`` or ``lint``."""
    try:
        if request["act"] == "inspect":
            return _inspect_image(request, content) if request["kind"] in ("jpeg", "png") else (_inspect_pdf(request, content), b"")
        if request["act"] == "safe_copy":
            return {}, safe_copy(content)
        if request["act"] == "normalise":
            return {}, normalised(content)
        with Pdf.open(io.BytesIO(content)) as document:
            return {"findings": [_json(one) for one in lint(document, content)]}, b""
    except pikepdf.PasswordError:
        return {"code": "file.pdf_encrypted", "facts": {}}, b""
    except pikepdf.PdfError:
        return {"code": "file.pdf_broken", "facts": {}}, b""
    except SigningError as problem:
        return {"code": problem.code, "facts": dict(problem.facts)}, b""


def _inspect_pdf(request: Json, content: bytes) -> Json:
    with Pdf.open(io.BytesIO(content)) as document:
        if document.is_encrypted:
            return {"code": "file.pdf_encrypted", "facts": {}}
        pages = len(document.pages)
        findings: list[Finding] = []
        if pages == 0:
            findings.append(Finding("file.pdf_broken"))
        if pages > request["most_pages"]:
            findings.append(Finding("file.pdf_pages", {"pages": pages, "limit": request["most_pages"]}))
        if bomb(document, request["most_unpacked"]):
            findings.append(Finding("file.bomb"))
        active = active_content(document)
        if active:
            findings.append(Finding("file.pdf_active", {"found": ", ".join(sorted(active))}))
        signatures = signed_fields(document)
        return {"pages": pages, "signatures": signatures, "findings": [_json(one) for one in findings], "active": bool(active)}


def _inspect_image(request: Json, content: bytes) -> tuple[Json, bytes]:
    kind = str(request["kind"]).upper()
    Image.MAX_IMAGE_PIXELS = int(request["most_pixels"])
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as picture:
            if picture.width * picture.height > request["most_pixels"]:
                return _pixels(request), b""
            upright = ImageOps.exif_transpose(picture)
            # Encoding anew leaves behind position data, thumbnails and whatever was hidden after the picture.
            clean = upright.convert(
                "L" if upright.mode in ("1", "L", "I;16") else "RGBA" if "A" in upright.mode and kind == "PNG" else "RGB"
            )
            out = io.BytesIO()
            if kind == "JPEG":
                clean.save(out, kind, quality=92, optimize=True)
            else:
                clean.save(out, kind)
            facts: Json = {"pages": 1, "signatures": 0, "findings": [], "active": False, "width": clean.width, "height": clean.height}
            return facts, out.getvalue()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _pixels(request), b""
    except (OSError, SyntaxError, ValueError):
        return {"code": "file.image_broken", "facts": {}}, b""


def _pixels(request: Json) -> Json:
    return {"code": "file.image_pixels", "facts": {"limit": int(request["most_pixels"]) // 1_000_000}}


def _json(finding: Finding) -> Json:
    return {"code": finding.code, "facts": finding.facts}


if __name__ == "__main__":
    sys.exit(serve_parent(work))
