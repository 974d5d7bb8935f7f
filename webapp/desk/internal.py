"""Internal procedures: an officer starts one for oneself, without a counter."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import dossiers as commands
from engine.errors import NotFound
from engine.queries.procedures import in_force, package_of
from engine.runtime import UnitOfWork
from webapp.accounts import signed_in
from webapp.desk.area import area
from webapp.desk.task import answers_of
from webapp.i18n import gettext as _
from webapp.rendering.forms import read_answers
from webapp.transaction import act, look


@area.get("/internal")
@signed_in
def internal() -> ResponseReturnValue:
    """Show the internal procedures that may be started."""
    with look() as w:
        return render_template("desk/internal.html", rows=in_force(w, "internal", counted=True))


@area.get("/internal/<key>")
@signed_in
def internal_form(key: str) -> ResponseReturnValue:
    """Show the start form of an internal procedure."""
    with look() as w:
        package = started_package(w, key)
        form = package.form(package.start_form) if package.start_form else None
        answers = answers_of(form, {}) if form else {}
        template = "desk/internal_fields.html" if g.get("reshaping") else "desk/internal_form.html"
        return render_template(template, package=package, form=form, answers=answers, items=form.shown_items(answers, {}) if form else ())


@area.post("/internal/<key>/fields")
@signed_in
def internal_fields(key: str) -> ResponseReturnValue:
    """Show the fields again for the answers given so far."""
    g.submitted, g.reshaping = request.form, True
    return internal_form(key)


@area.post("/internal/<key>")
@signed_in
@act("desk.internal_form")
def internal_start(w: UnitOfWork, key: str) -> ResponseReturnValue:
    """Start an internal procedure for myself."""
    package = started_package(w, key)
    answers = read_answers(package.form(package.start_form).fields) if package.start_form else {}
    started = commands.start_internal(w, key, answers)
    flash(_("Đã gửi. Mã: %(code)s") % {"code": started.code}, "done")
    return redirect(url_for("desk.dossier", code=started.code), 303)


def started_package(w: UnitOfWork, key: str) -> Any:
    """Return the package in force of an internal procedure.

    Raises:
        NotFound: none is in force under this key.
    """
    row = next((r for r in in_force(w, "internal") if r.version.key == key), None)
    if row is None:
        raise NotFound("procedure.unknown", key=key)
    return package_of(w, row.version.id)
