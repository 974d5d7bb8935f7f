"""Drafting the documents a procedure issues: from the package's template, the dossier's facts and the pages of what was brought."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.documents.blobs import BlobStore
from engine.documents.digitise import sheets
from engine.documents.model import Document, RegisterEntry
from engine.documents.signature import plan_of
from engine.documents.templates import Printed, qr_rows
from engine.errors import NotFound
from engine.kernel.identifiers import new_id
from engine.kernel.tables import Json
from engine.office.flow import Flow
from engine.office.papers import base_content, fields_json, files_of, print_paper, short_code, store
from engine.office.standing import agency_of, units_of
from engine.procedure.package import DocumentKind
from engine.settings import Settings
from signing.errors import SigningError
from signing.placement import judge_line


def spec_of(flow: Flow, key: str) -> DocumentKind:
    """Return what the package says about a document.

    Raises:
        NotFound: the package names no such document; the gate refuses such a diagram.
    """
    return flow.package.document(key)


def draft_result(flow: Flow, key: str, extra: Json, variables: Json) -> Document:
    """Draft (or draft again) a document of the package; an earlier draft of the same key is cancelled."""
    w, d = flow.w, flow.dossier
    spec = spec_of(flow, key)
    for old in w.session.scalars(
        select(Document).where(
            Document.province == w.province,
            Document.dossier_id == d.id,
            Document.key == key,
            Document.state.in_(["draft", "signed", "numbered"]),
        )
    ):
        old.state = "cancelled"
        for entry in w.session.scalars(
            select(RegisterEntry).where(RegisterEntry.province == w.province, RegisterEntry.document_id == old.id)
        ):
            entry.state, entry.reason = "cancelled", "drafted_again"
        w.record("document.cancelled", d.id, document=str(old.id), reason="drafted_again")
    unit_id = d.support_unit_id if d.scope == "internal" and d.support_unit_id else d.deciding_unit_id
    units = units_of(w.session, w.province)
    agency = units[agency_of(units, unit_id)]
    document = Document(
        province=w.province,
        id=new_id(),
        dossier_id=d.id,
        kind=spec.kind,
        key=key,
        name={"vi": spec.name.vi, "en": spec.name.en},
        template=spec.template,
        content={**plain_answers(variables), **extra},
        fields=[],
        state="draft",
        unit_id=agency.id,
        register=spec.register or None,
        symbol=spec.symbol.replace("{agency}", agency.symbol),
        order=spec.order,
        capacity=spec.capacity,
        drafted_by_id=w.actor.person,
        created_at=w.now,
        public_id=short_code(12),
        version=0,
    )
    document.revisions = []
    w.session.add(document)
    w.session.flush()
    # A place that is not free is refused when the clerk signs: the step before, already signed, must not fail for it.
    printed = print_with_line(flow, document)[0] if spec.agency_only else print_result(flow, document, None)
    document.fields = fields_json(printed)
    store(w, document, printed.pdf, "drafted", w.actor.person)
    w.record("document.drafted", d.id, document=str(document.id), key=key, sha256=document.sha256)
    return document


def plain_answers(variables: Json) -> Json:
    """Return the answers of the steps so far; engine bookkeeping left out."""
    return {k: v for k, v in variables.items() if not k.startswith("_") and k not in ("dossier", "initiator")}


def print_result(flow: Flow, document: Document, signer: Json | None) -> Printed:
    """Print a draft: with the signer's own title and name when the signer is known."""
    w = flow.w
    settings = w.part(Settings)
    content: dict[str, Any] = {
        **base_content(flow, document.unit_id),
        **document.content,
        "symbol": document.symbol or "",
        "signer": signer or {},
        "verify_url": f"{settings.address}/xac-minh/{document.public_id}",
        "qr": qr_rows(f"{settings.address}/xac-minh/{document.public_id}"),
    }
    files: dict[str, bytes] = {}
    blobs, spec, pages = w.part(BlobStore), flow.package.document(document.key), []
    for position, stored in enumerate(f for f in files_of(w, flow.dossier.id) if f.component in spec.pages_of):
        for number, sheet in enumerate(sheets(blobs.get(stored.sha256), stored.media_type)):
            name = f"page-{position:02d}-{number:03d}.jpg"
            files[name] = sheet.picture
            pages.append({"file": name, "width_mm": sheet.width_mm, "height_mm": sheet.height_mm})
    if spec.pages_of:
        content["pages"] = pages
    return print_paper(flow, document.template, content, files)


def print_with_line(flow: Flow, document: Document) -> tuple[Printed, SigningError | None]:
    """Print an annex or a copy with the place of its line free; where a scanned page has something there, below a free band.

    Returned with the reason why the place is no good even so: ``placement.line_place``, ``placement.line_covers``.
    """
    refusal: SigningError | None = None
    for above in (False, True):
        document.content = {**document.content, "line_above": above}
        printed = print_result(flow, document, None)
        document.fields = fields_json(printed)
        line = plan_of(document.fields, document.order).agency
        assert line is not None
        try:
            judge_line(printed.pdf, line)
        except SigningError as refused:
            refusal = refused
        else:
            return printed, None
    return printed, refusal


def current_document(flow: Flow, key: str, *states: str) -> Document:
    """Return the newest document of a key in one of *states*.

    Raises:
        NotFound: there is none.
    """
    w = flow.w
    found = w.session.scalars(
        select(Document)
        .where(Document.province == w.province, Document.dossier_id == flow.dossier.id, Document.key == key, Document.state.in_(states))
        .order_by(Document.created_at.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        raise NotFound("document.not_found")
    return found


def document_for_task(flow: Flow, properties: Json, *states: str) -> Document:
    """Return the document a signing or issuing step is about."""
    return current_document(flow, str(properties.get("document", "")), *states)


def unit_of(document: Document) -> UUID:
    """Return the agency a document speaks for."""
    return document.unit_id
