"""Who asks: the person of an access token, or the owner of one dossier who has proved it within the last half hour."""

from __future__ import annotations

from typing import cast

from flask import abort, current_app, g, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from engine.errors import Forbidden
from engine.queries.signed_in import SignedIn, signed_in
from engine.queries.tokens import holder
from engine.runtime import Actor, UnitOfWork
from webapp.allowance import count
from webapp.application import at_hand, this_request
from webapp.transaction import look

SYSTEM = Actor(kind="system", label="api")
GRANT = "Motcua-Grant"
GRANT_SECONDS = 30 * 60


def bearer() -> str:
    """Return the token of the request; empty when there is none."""
    scheme, _space, token = this_request().headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def recognise(w: UnitOfWork) -> None:
    """Find out whose token this is; the act that follows is that person's act, with that person's rights of today.

    Raises:
        Unauthorized: there is no token, or it is unknown, over or revoked, or its account is closed.
        TooManyRequests: the person has used up the minute's allowance.
    """
    text = bearer()
    found = holder(w, text) if text else None
    if found is None:
        unknown()
        abort(401)
    count(f"account:{found.actor.account}")
    if this_request().method != "GET" and not found.writes:
        raise Forbidden("api.token_reads_only")
    at_hand().actor = found.actor


def unknown() -> None:
    """Count a request of somebody who is nobody here by the address it came from.

    Raises:
        TooManyRequests: too many came from there.
    """
    count(f"address:{request.remote_addr}")


def me() -> SignedIn:
    """Return the person of the token."""
    if "me" not in g:
        with look(SYSTEM) as w:
            g.me = signed_in(w, g.actor.account)
    return cast(SignedIn, g.me)


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
