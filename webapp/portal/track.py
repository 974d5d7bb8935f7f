"""Following a dossier: the code alone shows progress; number and access code of the receipt open the rest for half an hour."""

from __future__ import annotations

import time
from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from engine.commands import dossiers as commands
from engine.errors import Forbidden
from engine.queries import tracking
from engine.runtime import UnitOfWork
from webapp.i18n import gettext as _
from webapp.portal.area import area
from webapp.security import limiter
from webapp.transaction import act, look

OPEN_FOR = 30 * 60
GRANTS = "opened"


def opened(code: str) -> bool:
    """Say whether this browser has proved access to a dossier within the last half hour."""
    grants: dict[str, float] = session.get(GRANTS, {})
    return grants.get(code, 0) > time.time()


def grant(code: str) -> None:
    """Remember in the signed session that access was proved; only the code is kept."""
    kept = {c: until for c, until in session.get(GRANTS, {}).items() if until > time.time()}
    session[GRANTS] = {**kept, code: time.time() + OPEN_FOR}


def require_opened(code: str) -> None:
    """Refuse pages with personal data to a browser that has not proved access.

    Raises:
        Forbidden: ``tracking.access_needed``.
    """
    if not opened(code):
        raise Forbidden("tracking.access_needed")


def parts_of(progress: tracking.Progress) -> dict[str, Any]:
    """Return what every page about a dossier shows of its progress."""
    return {"progress": progress, "open": opened(progress.code)}


@area.get("/tra-cuu")
@limiter.limit("30/minute")
def search() -> ResponseReturnValue:
    """Show the look-up, or lead to the dossier asked for."""
    code = request.args.get("code", "").strip().upper()
    if code:
        return redirect(url_for("portal.progress", code=code), 303)
    return render_template("portal/search.html")


@area.get("/tra-cuu/<code>")
@limiter.limit("30/minute")
def progress(code: str) -> ResponseReturnValue:
    """Show how far a dossier is: stage, unit, dates; no personal data. Who comes by a paper's QR picture is led on to its proof."""
    paper = request.args.get("giay", "")
    with look() as w:
        shown = parts_of(tracking.public(w, code.strip().upper()))
        return render_template("portal/progress.html", paper=paper if paper.isascii() and paper.isalnum() else "", **shown)


@area.post("/tra-cuu/<code>/mo")
@limiter.limit("10/minute")
@act("portal.progress", remembered=False)
def prove(w: UnitOfWork, code: str) -> ResponseReturnValue:
    """Check number and access code, and open the dossier for half an hour."""
    commands.check_access(w, code, request.form.get("number", ""), request.form.get("access", ""))
    grant(code)
    return redirect(url_for("portal.dossier", code=code), 303)


@area.post("/ho-so/<code>/dong")
def leave(code: str) -> ResponseReturnValue:
    """Close the dossier in this browser: on a shared computer nobody reads on."""
    session[GRANTS] = {c: until for c, until in session.get(GRANTS, {}).items() if c != code}
    flash(_("Đã đóng hồ sơ trên máy này."), "done")
    return redirect(url_for("portal.progress", code=code), 303)
