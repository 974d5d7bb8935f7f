"""The font of the number and date fields: a subset embedded before the leader signs, read back to draw and to check appearances."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import pikepdf
from fontTools import subset
from fontTools.ttLib import TTFont
from pikepdf import Array, Dictionary, Name, Pdf

from signing.errors import SigningError

RESOURCE_NAME = "/MotcuaText"


@dataclass(frozen=True)
class Glyphs:
    """What drawing a line of text needs: glyph numbers and widths (thousandths of the font size) of each character."""

    numbers: Mapping[str, int]
    widths: Mapping[str, int]

    def encode(self, text: str) -> bytes:
        """The text as two-byte glyph numbers.

        Raises:
            SigningError: ``signing.value_letters`` when a character has no glyph in the embedded subset.
        """
        missing = sorted({letter for letter in text if letter not in self.numbers})
        if missing:
            raise SigningError("signing.value_letters", letters=" ".join(missing))
        return b"".join(self.numbers[letter].to_bytes(2, "big") for letter in text)

    def width(self, text: str, size: float) -> float:
        """Width of the line in points."""
        return sum(self.widths[letter] for letter in text) * size / 1000


def embed(pdf: Pdf, font: bytes, alphabet: str) -> pikepdf.Object:
    """Embed the subset of the TrueType *font* for *alphabet* as a Type 0 font; return its indirect dictionary."""
    program = _subset(font, "".join(sorted(set(unicodedata.normalize("NFC", alphabet)) | {" "})))
    face = TTFont(io.BytesIO(program))
    scale = 1000 / face["head"].unitsPerEm
    order = face.getGlyphOrder()
    widths = [round(face["hmtx"][name][0] * scale) for name in order]
    name = Name("/" + "MOTCUA+" + str(face["name"].getDebugName(6) or "Text").replace(" ", ""))
    head, hhea = face["head"], face["hhea"]
    descriptor = pdf.make_indirect(
        Dictionary(
            Type=Name.FontDescriptor,
            FontName=name,
            Flags=4,
            FontBBox=[round(head.xMin * scale), round(head.yMin * scale), round(head.xMax * scale), round(head.yMax * scale)],
            ItalicAngle=0,
            Ascent=round(hhea.ascent * scale),
            Descent=round(hhea.descent * scale),
            CapHeight=662,
            StemV=80,
            FontFile2=pdf.make_stream(program, Length1=len(program)),
        )
    )
    descendant = pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType2,
            BaseFont=name,
            CIDSystemInfo=Dictionary(Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String("Identity"), Supplement=0),
            FontDescriptor=descriptor,
            DW=1000,
            W=Array([0, Array(widths)]),
            CIDToGIDMap=Name.Identity,
        )
    )
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=name,
            Encoding=Name("/Identity-H"),
            DescendantFonts=Array([descendant]),
            ToUnicode=pdf.make_stream(_to_unicode(face)),
        )
    )


@lru_cache(maxsize=64)
def glyphs_of(program: bytes) -> Glyphs:
    """Glyph numbers and widths of an embedded font program (the bytes of its FontFile2)."""
    face = TTFont(io.BytesIO(program))
    scale = 1000 / face["head"].unitsPerEm
    best = {chr(point): name for point, name in face.getBestCmap().items()}
    return Glyphs(
        {letter: face.getGlyphID(name) for letter, name in best.items()},
        {letter: round(face["hmtx"][name][0] * scale) for letter, name in best.items()},
    )


@lru_cache(maxsize=16)
def _subset(font: bytes, letters: str) -> bytes:
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = [1, 2, 4, 6]
    options.recalc_timestamp = False
    face = TTFont(io.BytesIO(font), recalcTimestamp=False)
    missing = sorted(set(letters) - {chr(point) for point in face.getBestCmap()})
    if missing:
        raise SigningError("signing.font_letters", letters=" ".join(missing))
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=letters)
    subsetter.subset(face)
    face.save(out := io.BytesIO())
    return out.getvalue()


def _to_unicode(face: TTFont) -> bytes:
    pairs = sorted((face.getGlyphID(name), point) for point, name in face.getBestCmap().items())
    chunks = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]
    body = "\n".join(
        f"{len(chunk)} beginbfchar\n" + "\n".join(f"<{number:04X}> <{point:04X}>" for number, point in chunk) + "\nendbfchar"
        for chunk in chunks
    )
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
        "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
        f"{body}\nendcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode()
