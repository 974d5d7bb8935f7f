"""Who asks: the person of an access token, or the owner of one dossier who has proved it within the last half hour."""

from __future__ import annotations

from datetime import timedelta

from flask import abort, current_app, g, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import select

from engine.accounts.model import AccessToken, Account, token_hash
from engine.errors import Forbidden
from engine.queries.signed_in import SignedIn, signed_in
from engine.runtime import Actor
from webapp.transaction import look

SYSTEM = Actor(kind="system", label="api")
GRANT = "Motcua-Grant"
GRANT_SECONDS = 30 * 60
FRESH = timedelta(minutes=1)


def bearer() -> str:
    """Return the token of the request; empty when there is none."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def recognise() -> None:
    """Find out whose token this is; the act that follows is that person's act, with that person's rights of today.

    Raises:
        Unauthorized: there is no token, or it is unknown, over or revoked, or its account is closed.
    """
    text = bearer()
    if not text:
        abort(401)
    with look(SYSTEM) as w:
        found = w.session.execute(
            select(AccessToken, Account).join(Account, Account.id == AccessToken.account).where(AccessToken.hash == token_hash(text))
        ).first()
        token = found[0] if found is not None else None
        over = token is None or token.revoked_at is not None or (token.expires_at is not None and token.expires_at <= w.now)
        if found is None or token is None or over or not found[1].active or found[1].must_change_password:
            abort(401)
        if request.method != "GET" and token.scopes and "write" not in token.scopes:
            raise Forbidden("api.token_reads_only")
        if token.last_used_at is None or w.now - token.last_used_at > FRESH:
            token.last_used_at = w.now
        g.me = signed_in(w, token.account)
    g.actor = Actor(kind="person", account=g.me.account, person=g.me.person)


def me() -> SignedIn:
    """Return the person of the token."""
    found: SignedIn = g.me
    return found


def grants() -> URLSafeTimedSerializer:
    """Return what signs and reads the owners' grants."""
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="owner-grant")


def grant(code: str) -> str:
    """Return the grant of somebody who has proved to be the owner of a dossier."""
    return str(grants().dumps(code))


def require_grant(code: str) -> None:
    """Let only the owner go on.

    Raises:
        Forbidden: there is no grant for this dossier, or it is over.
    """
    try:
        granted = grants().loads(request.headers.get(GRANT, ""), max_age=GRANT_SECONDS)
    except BadSignature:
        granted = None
    if granted != code:
        raise Forbidden("tracking.access_needed")
    g.actor = Actor(kind="citizen", label=f"owner:{code}")
