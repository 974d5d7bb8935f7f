"""Making a foreign document safe: active content taken out, one revision, and pictures of the pages where nothing else helps."""

from __future__ import annotations

import io

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from PIL import Image

from signing.errors import SigningError
from signing.pdf_findings import active_content, containers, lint

_DROP_FROM_ROOT = ("/OpenAction", "/AA", "/AF", "/AcroForm", "/Collection", "/Perms", "/OCProperties", "/Legal", "/Extensions")
_DROP_EVERYWHERE = ("/AA", "/JS", "/AF", "/XFA", "/EF")
_KEEP_ANNOTATIONS = ("/Link",)
_DPI = 200


def safe_copy(pdf: bytes) -> bytes:
    """A copy without scripts, automatic actions and attachments, in one revision; page pictures if that cannot be reached otherwise."""
    cleaned = _cleaned(pdf)
    with Pdf.open(io.BytesIO(cleaned)) as document:
        return cleaned if not active_content(document) else pictured(pdf)


def normalised(pdf: bytes) -> bytes:
    """A copy that passes ``lint``: structure cleaned, or every page a picture (foreign fonts, layers, hidden objects)."""
    cleaned = _cleaned(pdf)
    with Pdf.open(io.BytesIO(cleaned)) as document:
        if not lint(document, cleaned):
            return cleaned
    return pictured(pdf)


def pictured(pdf: bytes) -> bytes:
    """Every page as a 200 dpi colour picture: what is seen is all there is."""
    pictures: list[tuple[bytes, float, float]] = []
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            width, height = page.get_size()
            rendered = page.render(scale=_DPI / 72).to_pil().convert("RGB")
            rendered.save(out := io.BytesIO(), "JPEG", quality=85, dpi=(_DPI, _DPI))
            pictures.append((out.getvalue(), width, height))
    return pages_of_pictures(pictures)


def pages_of_pictures(pictures: list[tuple[bytes, float, float]]) -> bytes:
    """A PDF of JPEG pictures, each with its page size in points."""
    with Pdf.new() as document:
        for content, width, height in pictures:
            page = document.add_blank_page(page_size=(width, height))
            with Image.open(io.BytesIO(content)) as picture:
                columns, rows = picture.size
                space = Name.DeviceGray if picture.mode == "L" else Name.DeviceRGB
            image = Stream(
                document,
                content,
                Type=Name.XObject,
                Subtype=Name.Image,
                Width=columns,
                Height=rows,
                ColorSpace=space,
                BitsPerComponent=8,
                Filter=Name.DCTDecode,
            )
            page.obj.Resources = Dictionary(XObject=Dictionary(Page=document.make_indirect(image)))
            page.obj.Contents = document.make_stream(f"q {width:.3f} 0 0 {height:.3f} 0 0 cm /Page Do Q".encode())
        return _saved(document)


def _cleaned(pdf: bytes) -> bytes:
    try:
        with Pdf.open(io.BytesIO(pdf)) as document:
            # Field contents become part of the page, so that nothing visible is lost with the form.
            document.generate_appearance_streams()
            document.flatten_annotations("screen")
            for key in _DROP_FROM_ROOT:
                if key in document.Root:
                    del document.Root[key]
            if "/Names" in document.Root:
                for key in ("/JavaScript", "/EmbeddedFiles"):
                    if key in document.Root.Names:
                        del document.Root.Names[key]
            for page in document.pages:
                _clean_annotations(page)
            for one in containers(document):
                for key in _DROP_EVERYWHERE:
                    if key in one:
                        del one[key]
            document.remove_unreferenced_resources()
            return _saved(document)
    except (pikepdf.PdfError, ValueError, RuntimeError) as problem:
        raise SigningError("file.pdf_broken") from problem


def _clean_annotations(page: pikepdf.Page) -> None:
    if "/Annots" not in page.obj:
        return
    kept = [one for one in page.obj.Annots if str(one.get("/Subtype", "")) in _KEEP_ANNOTATIONS and _harmless_link(one)]
    if kept:
        page.obj.Annots = Array(kept)
    else:
        del page.obj["/Annots"]


def _harmless_link(link: pikepdf.Object) -> bool:
    action = link.get("/A")
    return action is None or str(action.get("/S", "")) in ("/GoTo", "/URI")


def _saved(document: Pdf) -> bytes:
    document.save(out := io.BytesIO(), object_stream_mode=pikepdf.ObjectStreamMode.disable, linearize=False)
    return out.getvalue()
