"""Annexes in files of their own and electronic copies: what their line says, where it stands, what they remember being attached to."""

from __future__ import annotations

from engine.documents import attachment
from engine.documents.model import Document
from engine.documents.signature import plan_of, translated
from engine.errors import NotFound, Refused
from engine.kernel.tables import Json
from engine.office import papers, results
from engine.office.flow import Flow
from signing.model import FieldPlan


def attached(document: Document) -> Json | None:
    """Return what an annex or a copy is attached to; None for any other document, and before its line was prepared."""
    found: Json | None = (document.content or {}).get(attachment.KEPT)
    return found if document.kind in ("annex", "copy") else None


def said_on(run: Flow, document: Document) -> tuple[list[str], Json]:
    """Return the words of the line on an annex or a copy, and what the document will remember of what it is attached to.

    Raises:
        Refused: ``document.not_issued_yet``: an annex bears the number of its document, which has none.
    """
    spec = run.package.document(document.key)
    if spec.annex_of:
        try:
            main = results.current_document(run, spec.annex_of, "issued")
        except NotFound:
            raise Refused("document.not_issued_yet", document=run.package.document(spec.annex_of).name.vi) from None
        assert main.number is not None
        symbol = main.symbol or ""
        return attachment.annex_line(main.number, symbol), attachment.annex_link(main.number, symbol, main.name, str(main.id))
    copied = [{"vi": part.name.vi, "en": part.name.en} for part in run.package.components if part.key in spec.pages_of]
    agency = papers.units_by_id(run.w)[document.unit_id].name
    return attachment.copy_line(spec.copy, agency), attachment.copy_link(spec.copy, copied)


def print_attachment(run: Flow, document: Document) -> tuple[bytes, FieldPlan]:
    """Print an annex or a copy, the place of its line judged once more: the bytes about to be signed.

    Raises:
        Refused: ``placement.line_place``, ``placement.line_covers``.
    """
    printed, refusal = results.print_with_line(run, document)
    if refusal is not None:
        raise translated(refusal) from None
    return printed.pdf, plan_of(document.fields, document.order)
