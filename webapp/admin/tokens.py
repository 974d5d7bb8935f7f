"""Personal access tokens for the programming interface: shown once, kept as a hash, revoked by one button."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from engine.accounts.model import AccessToken, new_token
from engine.errors import NotFound, Refused
from engine.queries import administration
from engine.runtime import UnitOfWork
from webapp.accounts import signed_in
from webapp.admin.area import area
from webapp.i18n import gettext as _
from webapp.transaction import act, look

LIFE = timedelta(days=365)


@area.get("/tokens", endpoint="tokens")
@signed_in
def token_list() -> ResponseReturnValue:
    """Show my tokens and the form for a new one."""
    with look() as w:
        return render_template("admin/tokens.html", rows=administration.tokens(w, current_user.id), fresh=None)


@area.post("/tokens")
@signed_in
@act("admin.tokens", remembered=False)
def create_token(w: UnitOfWork) -> ResponseReturnValue:
    """Make a token and show it this once."""
    name = request.form.get("name", "").strip()[:80]
    if not name:
        raise Refused("web.name_missing", field="name")
    text, digest = new_token()
    w.session.add(AccessToken(account=current_user.id, name=name, hash=digest, scopes=[], created_at=w.now, expires_at=w.now + LIFE))
    w.session.flush()
    w.record("token.created", account=current_user.id)
    return render_template("admin/tokens.html", rows=administration.tokens(w, current_user.id), fresh=text)


@area.post("/tokens/<int:token_id>/revocation")
@signed_in
@act("admin.tokens")
def revoke_token(w: UnitOfWork, token_id: int) -> ResponseReturnValue:
    """Revoke a token at once."""
    token = w.session.get(AccessToken, token_id)
    if token is None or token.account != current_user.id:
        raise NotFound("web.no_token")
    token.revoked_at = w.now
    w.record("token.revoked", account=current_user.id)
    flash(_("Đã thu hồi mã."), "done")
    return redirect(url_for("admin.tokens"), 303)
