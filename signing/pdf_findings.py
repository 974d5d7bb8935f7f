"""What makes a PDF unwelcome: active content, attachments, bombs (at intake) and what shadow attacks need (before the first signature)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from signing.model import Json

_HARMLESS_ACTIONS = {"/GoTo", "/URI", "/Named"}
# Told by name wherever they stand: /S also names structure elements, so "anything else" would refuse honest tagged files.
_ACTIVE_ACTIONS = {
    *("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Rendition", "/Movie", "/Sound", "/ResetForm"),
    *("/Hide", "/SetOCGState", "/RichMediaExecute", "/GoTo3DView", "/Trans", "/GoToDp"),
}
_ACTIVE_KEYS = {"/JS": "JavaScript", "/JavaScript": "JavaScript", "/XFA": "XFA", "/AA": "automatic action", "/RichMediaContent": "media"}
_ATTACHMENT_KEYS = {"/EF", "/EmbeddedFiles", "/AF"}
_MEDIA_ANNOTATIONS = {"/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound", "/3D"}


@dataclass(frozen=True)
class Finding:
    """One reason, as a catalogued code with its facts."""

    code: str
    facts: Json = field(default_factory=dict)


def containers(pdf: Pdf) -> Iterator[Dictionary | Stream]:
    """Every dictionary and stream of the file, those inside other objects included."""
    stack: list[object] = [*pdf.objects, pdf.trailer]
    while stack:
        one = stack.pop()
        if isinstance(one, Array):
            stack.extend(item for item in _direct(one))
        elif isinstance(one, Dictionary | Stream):
            yield one
            stack.extend(value for _, value in one.items() if not getattr(value, "is_indirect", False))


def _direct(array: Array) -> Iterator[object]:
    return (item for item in array if not getattr(item, "is_indirect", False))


def active_content(pdf: Pdf) -> set[str]:
    """Words for the active content found: scripts, automatic actions, launched programs, attachments, media."""
    found: set[str] = set()
    for one in containers(pdf):
        keys = set(one.keys())
        found.update(word for key, word in _ACTIVE_KEYS.items() if key in keys)
        if keys & _ATTACHMENT_KEYS:
            found.add("attachment")
        if str(one.get("/Subtype", "")) in _MEDIA_ANNOTATIONS:
            found.add("attachment" if one.Subtype == Name.FileAttachment else "media")
        action = one.get("/S")
        if isinstance(action, Name) and str(action) in _ACTIVE_ACTIONS:
            found.add(str(action)[1:])
    opening = pdf.Root.get("/OpenAction")
    if isinstance(opening, Dictionary) and str(opening.get("/S", "")) not in _HARMLESS_ACTIONS:
        found.add("opening action")
    return found


def signed_fields(pdf: Pdf) -> int:
    """How many signatures the file carries."""
    return sum(1 for one in pdf.objects if isinstance(one, Dictionary) and "/ByteRange" in one and "/Contents" in one)


def bomb(pdf: Pdf, most: int) -> bool:
    """Whether the streams together unpack to more than *most* bytes, or one picture to more than that."""
    total = 0
    for one in pdf.objects:
        if not isinstance(one, Stream):
            continue
        if str(one.get("/Subtype", "")) == "/Image":
            pixels = int(one.get("/Width", 0)) * int(one.get("/Height", 0))
            if pixels * 3 > most:
                return True
        total += _unpacked(one, most - total)
        if total > most:
            return True
    return False


def _unpacked(stream: Stream, most: int) -> int:
    names = stream.get("/Filter")
    filters = [str(one) for one in names] if isinstance(names, Array) else [str(names)] if names is not None else []
    content = stream.read_raw_bytes()
    for name in filters:
        if name not in ("/FlateDecode", "/Fl"):
            break
        engine = zlib.decompressobj()
        try:
            content = engine.decompress(content, most + 1)
        except zlib.error:
            break
    return len(content)


def lint(pdf: Pdf, raw: bytes) -> list[Finding]:
    """What must not be in a document before its first signature; an empty list means it may be signed.

    A prepared shadow document that has not been changed yet verifies correctly, so it can only be stopped here.
    """
    findings: list[Finding] = []
    if raw.count(b"%%EOF") > 2 or len(re.findall(rb"startxref", raw)) > 2:
        findings.append(Finding("lint.revisions"))
    if re.search(rb"/XRefStm\s+\d", raw):
        findings.append(Finding("lint.hybrid"))
    active = active_content(pdf)
    if active:
        findings.append(Finding("lint.active", {"found": ", ".join(sorted(active))}))
    for key, code in (
        ("/AcroForm", "lint.form"),
        ("/OCProperties", "lint.layers"),
        ("/Perms", "lint.permissions"),
        ("/Collection", "lint.active"),
    ):
        if key in pdf.Root:
            findings.append(Finding(code))
    if any("/Annots" in page.obj and any(str(one.get("/Subtype", "")) != "/Link" for one in page.obj.Annots) for page in pdf.pages):
        findings.append(Finding("lint.annotations"))
    bad = sorted(_loose_fonts(pdf))
    if bad:
        findings.append(Finding("lint.fonts", {"fonts": ", ".join(bad[:5])}))
    orphans = _orphans(pdf) + _pages_outside(pdf)
    if orphans:
        findings.append(Finding("lint.orphans", {"count": orphans}))
    return findings


def _loose_fonts(pdf: Pdf) -> set[str]:
    """Fonts not embedded, or embedded whole: a whole font can carry letters that are swapped later."""
    loose = set()
    for one in pdf.objects:
        if not isinstance(one, Dictionary) or str(one.get("/Type", "")) != "/Font" or str(one.get("/Subtype", "")) in ("/Type0", "/Type3"):
            continue
        name = str(one.get("/BaseFont", "/?"))[1:]
        descriptor = one.get("/FontDescriptor")
        embedded = isinstance(descriptor, Dictionary) and any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3"))
        if not embedded or not re.match(r"[A-Z]{6}\+", name):
            loose.add(name)
    return loose


def _pages_outside(pdf: Pdf) -> int:
    """Pages and page trees that do not stand in the document's own tree: a new catalogue could bring them forward."""
    inside = {page.obj.objgen for page in pdf.pages}
    kinds = [(one, str(one.get("/Type", ""))) for one in pdf.objects if isinstance(one, Dictionary)]
    roots = sum(1 for one, kind in kinds if kind == "/Pages" and "/Parent" not in one and one.objgen != pdf.Root.Pages.objgen)
    return roots + sum(1 for one, kind in kinds if kind == "/Page" and one.objgen not in inside)


def _orphans(pdf: Pdf) -> int:
    """Objects nothing leads to, a place to hide a second document in."""
    seen: set[tuple[int, int]] = set()
    stack: list[object] = [pdf.trailer]
    while stack:
        one = stack.pop()
        if not isinstance(one, pikepdf.Object):
            continue  # pikepdf gives numbers and booleans as Python values
        if one.is_indirect:
            if one.objgen in seen:
                continue
            seen.add(one.objgen)
        if isinstance(one, Array):
            stack.extend(one)
        elif isinstance(one, Dictionary | Stream):
            stack.extend(value for _, value in one.items())
    kept = {"/ObjStm", "/XRef"}
    hidden = (one for one in pdf.objects if one.objgen not in seen and one.objgen != (0, 0))
    return sum(1 for one in hidden if not (isinstance(one, Stream) and str(one.get("/Type", "")) in kept))
