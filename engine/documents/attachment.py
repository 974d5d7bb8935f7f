"""What the agency's line on an annex or an electronic copy says, and what such a paper is attached to; pure.

NĐ 30/2020/NĐ-CP, Phụ lục I: an annex in a file of its own and an electronic copy carry the agency's signature alone, top right of page 1,
without an image. On an annex the line tells number and symbol of its document; on a copy the form of copy (Điều 25) and the agency that
copies; on both the time of signing by ISO 8601.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.documents.signature import number_text

COPY_FORMS = {"full_copy": "SAO Y", "re_copy": "SAO LỤC", "extract": "TRÍCH SAO"}
KEPT = "attached"
"""Where a document's content keeps what it is attached to."""


def annex_line(number: int, symbol: str) -> list[str]:
    """Return what an annex says above the time of signing: number and symbol of its document, as printed there."""
    return [f"{number_text(number)}/{symbol}"]


def copy_line(form: str, agency: str) -> list[str]:
    """Return what a copy says above the time of signing: the form of copy and the name of the agency that copies."""
    return [COPY_FORMS[form], agency]


def annex_link(number: int, symbol: str, name: Mapping[str, Any], document_id: str) -> dict[str, Any]:
    """Return what an issued annex remembers of its document."""
    return {"to": document_id, "number": number, "symbol": symbol, "name": dict(name)}


def copy_link(form: str, of: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what an issued copy remembers: the form of copy and the names of the papers copied."""
    return {"copy": form, "of": [dict(name) for name in of]}
