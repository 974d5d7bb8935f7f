"""Procedures with their versions: the diagram, the same in words, what changed, and the files to take away."""

from __future__ import annotations

from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue

from engine.commands import proposals
from engine.queries import designing
from webapp.accounts import holding
from webapp.designer.area import DESIGNERS, SCOPE, STANDING, area, file
from webapp.transaction import look


@area.get("")
@holding(*DESIGNERS)
def procedures() -> ResponseReturnValue:
    """Show every procedure with the version in force and how its dossiers fare."""
    with look() as w:
        return render_template(
            "designer/procedures.html",
            rows=designing.overview(w),
            scopes=SCOPE,
            waiting=designing.waiting(w),
            supplied=proposals.supplied(w),
        )


@area.get("/<key>")
@holding(*DESIGNERS)
def procedure(key: str) -> ResponseReturnValue:
    """Show a procedure: its versions, the diagram in force beside its words, and the form for a new one."""
    with look() as w:
        page = designing.version_page(w, key)
        return render_template("designer/version.html", page=page, lines=designing.version_lines(w, key), standings=STANDING, whole=True)


@area.get("/<key>/versions/<uuid:version_id>")
@holding(*DESIGNERS)
def version(key: str, version_id: UUID) -> ResponseReturnValue:
    """Show one version."""
    with look() as w:
        page = designing.version_page(w, key, version_id)
        return render_template("designer/version.html", page=page, lines=designing.version_lines(w, key), standings=STANDING, whole=False)


@area.get("/<key>/versions/<uuid:version_id>/diagram.bpmn")
@holding(*DESIGNERS)
def diagram(key: str, version_id: UUID) -> ResponseReturnValue:
    """Send the diagram of a version, for the page and for any BPMN editor."""
    with look() as w:
        page = designing.version_page(w, key, version_id)
        return file(designing.diagram(page.package), f"{key}-{page.line.version.number}.bpmn", "application/xml")


@area.get("/<key>/versions/<uuid:version_id>/package.zip")
@holding(*DESIGNERS)
def package(key: str, version_id: UUID) -> ResponseReturnValue:
    """Send the whole package of a version: diagram, forms, decisions, templates, tests."""
    with look() as w:
        page = designing.version_page(w, key, version_id)
        return file(designing.archive(page.package), f"{key}-{page.line.version.number}.zip", "application/zip")
