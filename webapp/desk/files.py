"""Papers as pictures of their pages (drawn here, so that no viewer has to be trusted) and as files to take away."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request
from flask.typing import ResponseReturnValue

from engine.queries import files as queries
from engine.queries import signing
from webapp.accounts import signed_in
from webapp.desk.area import area
from webapp.transaction import look

SANDBOX = "sandbox; default-src 'none'"


def picture(content: bytes) -> Response:
    """Return a page's picture; it never changes, and only this browser keeps it."""
    response = Response(content, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def download(content: bytes, name: str, media_type: str) -> Response:
    """Return a file to take away; nothing in it runs on our pages."""
    response = Response(content, mimetype=media_type)
    response.headers.set(
        "Content-Disposition", "inline" if request.args.get("view") and media_type == "application/pdf" else "attachment", filename=name
    )
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


@area.get("/files/<uuid:file_id>/pages/<int:number>")
@signed_in
def file_page(file_id: UUID, number: int) -> ResponseReturnValue:
    """Send one page of a file somebody brought."""
    with look() as w:
        return picture(queries.page_picture(w, file_id, number))


@area.get("/files/<uuid:file_id>")
@signed_in
def file(file_id: UUID) -> ResponseReturnValue:
    """Send a file somebody brought, as it was brought."""
    with look() as w:
        stored, content = queries.content(w, file_id)
        return download(content, stored.name, stored.media_type)


@area.get("/documents/<uuid:document_id>/pages/<int:number>")
@signed_in
def document_page(document_id: UUID, number: int) -> ResponseReturnValue:
    """Send one page of a document the office made."""
    with look() as w:
        return picture(signing.page_picture(w, document_id, number, sha256=request.args.get("sha256"), dpi=110))


@area.get("/documents/<uuid:document_id>.pdf")
@signed_in
def document(document_id: UUID) -> ResponseReturnValue:
    """Send a document the office made."""
    with look() as w:
        found, content = signing.bytes_of(w, document_id)
        return download(content, f"{found.kind}-{found.public_id}.pdf", "application/pdf")
