"""What is different between two states of a paper: lines of text that came or went, pages that look different."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

import pypdfium2
from PIL import ImageChops

DPI = 30
TONES = 24
"""How far two pixels of a small picture may be apart before the pages count as different: compression noise stays below."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: ``kind`` is ``removed``, ``added`` (a line of text) or ``page`` (it looks different, its text does not)."""

    kind: str
    page: int
    text: str = ""


def changes(before: bytes, after: bytes) -> list[Change]:
    """Return what came, went or looks different from *before* to *after*, both PDF."""
    if before == after:
        return []
    old, new = pypdfium2.PdfDocument(before), pypdfium2.PdfDocument(after)
    try:
        found = list(_lines(old, new))
        spoken = {change.page for change in found}
        found += [
            Change("page", page + 1)
            for page in range(max(len(old), len(new)))
            if page + 1 not in spoken and (page >= len(old) or page >= len(new) or _looks_different(old, new, page))
        ]
        return sorted(found, key=lambda change: change.page)
    finally:
        old.close()
        new.close()


def _lines(old: pypdfium2.PdfDocument, new: pypdfium2.PdfDocument) -> Iterator[Change]:
    left, right = _text(old), _text(new)
    matcher = SequenceMatcher(a=[text for _, text in left], b=[text for _, text in right], autojunk=False)
    for tag, from_left, to_left, from_right, to_right in matcher.get_opcodes():
        if tag != "equal":
            yield from (Change("removed", page, text) for page, text in left[from_left:to_left])
            yield from (Change("added", page, text) for page, text in right[from_right:to_right])


def _text(document: pypdfium2.PdfDocument) -> list[tuple[int, str]]:
    lines = []
    for number in range(len(document)):
        read = document[number].get_textpage().get_text_bounded()
        lines += [(number + 1, " ".join(line.split())) for line in read.splitlines() if line.strip()]
    return lines


def _looks_different(old: pypdfium2.PdfDocument, new: pypdfium2.PdfDocument, page: int) -> bool:
    pictures = [document[page].render(scale=DPI / 72).to_pil().convert("L") for document in (old, new)]
    if pictures[0].size != pictures[1].size:
        return True
    return any(count for tone, count in enumerate(ImageChops.difference(*pictures).histogram()) if tone > TONES)
