"""What every answer carries and every request must pass: content policy, headers, CSRF tokens, rate limits, honest cookies."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

import structlog
from flask import Blueprint, Flask, Response, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect
from itsdangerous import URLSafeTimedSerializer

from webapp.application import at_hand, carry, this_request, this_session
from webapp.sessions import HonestCookies, Seal, encoded

FIELD = "csrf_token"
HARMLESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="moving-window")
area = Blueprint("security", __name__)
log = structlog.get_logger("motcua.web")

# The editors of the designer write inline styles and embed their icon fonts; nobody else may.
EDITORS = "/designer"
POLICY = (
    "default-src 'self'; script-src 'self'{nonce}; style-src 'self'{styles}; img-src 'self' data: blob:; font-src 'self'{fonts}; "
    "connect-src 'self'{connect}; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'; report-uri /csp-report"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
}


class Tokens(CSRFProtect):  # type: ignore[misc]
    """Flask-WTF's tokens of forms. The usual one, sent with the form and exactly as the library wrote it, is checked at once; of whatever
    differs the library is the judge."""

    def __init__(self) -> None:
        super().__init__()
        self._seal: Seal | None = None
        self._exempted: dict[str, bool] = {}

    def protect(self, apply_exemptions: bool = False) -> None:
        """Let a request pass that carries the token of its session, or need not."""
        asked = this_request()
        if asked.method in HARMLESS:
            return
        endpoint = asked.endpoint
        exempt = self._exempted.get(endpoint) if endpoint is not None else None
        if exempt is None and endpoint is not None:
            exempt = self._exempted[endpoint] = self._is_exempt()
        if exempt and apply_exemptions:
            return
        if exempt is False and self.is_usual(asked.form.get(FIELD, ""), this_session().get(FIELD)):
            at_hand().csrf_valid = True
            return
        super().protect(apply_exemptions)

    def is_usual(self, token: str, mark: Any) -> bool:
        """Whether *token* is what the library writes for the *mark* of a session, at any time, and sealed with our key."""
        if type(mark) is not str or not token:
            return False
        if self._seal is None:
            self._seal = Seal(URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="wtf-csrf-token"))
        opened = self._seal.opened(token.encode())
        return opened is not None and hmac.compare_digest(opened[0], encoded(b'"%s"' % mark.encode()))


csrf = Tokens()


def install(app: Flask) -> None:
    """Install headers, tokens, limits and cookies."""
    app.session_interface = HonestCookies()
    app.config.update(
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_NAME="motcua",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    csrf.init_app(app)
    limiter.init_app(app)
    # Every limit stands at its view and is judged there, before it and without headers: around each request there is nothing to find.
    app.before_request_funcs[None].remove(limiter._check_request_limit)
    app.after_request_funcs[None] = [hook for hook in app.after_request_funcs[None] if getattr(hook, "args", ()) != (limiter,)]
    app.teardown_request_funcs[None].remove(limiter._Limiter__release_context)  # type: ignore[attr-defined]
    csrf.exempt(area)
    app.register_blueprint(area)
    app.after_request(add_headers)
    app.jinja_env.globals["nonce"] = nonce
    app.jinja_env.globals["new_request_id"] = lambda: secrets.token_urlsafe(18)


def nonce() -> str:
    """Return the request's own nonce; a page that asks for none allows none."""
    found: str | None = g.get("nonce")
    if found is None:
        found = g.nonce = secrets.token_urlsafe(16)
    return found


def policy(editor: bool, nonce: str | None = None, agent: str | None = None) -> str:
    """Return the content policy of a page; only where somebody signs with a token of their own it may talk to the computer's *agent*."""
    return POLICY.format(
        nonce=f" 'nonce-{nonce}'" if nonce else "",
        styles=" 'unsafe-inline'" if editor else "",
        fonts=" data:" if editor else "",
        connect=f" {agent}" if agent else "",
    )


STRICT = policy(editor=False)
FIXED = tuple(HEADERS.items())
USUAL = (("Content-Security-Policy", STRICT), *FIXED, ("Cache-Control", "no-store"), ("Vary", "Cookie"))
"""What a page without scripts of its own carries."""
OURS = frozenset(name.lower() for name, _ in USUAL) - {"vary"} | {"strict-transport-security"}


def add_headers(response: Response) -> Response:
    """Add the policy and the headers; pages with personal data are never stored by a browser or a proxy."""
    asked, known, headers = this_request(), at_hand(), response.headers
    given = {name.lower() for name, _ in headers}
    used, agent, editor = known.get("nonce"), known.get("agent"), asked.path.startswith(EDITORS)
    bundle = asked.endpoint == "static_files.asset"
    if not (used or agent or editor or bundle or asked.is_secure) and given.isdisjoint(OURS):
        carry(headers, USUAL)
        return response
    if "content-security-policy" not in given:
        headers.add("Content-Security-Policy", policy(editor, used, agent) if used or agent or editor else STRICT)
    headers.extend([(name, value) for name, value in FIXED if name.lower() not in given])
    if asked.is_secure and "strict-transport-security" not in given:
        headers.add("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if not bundle:
        if "cache-control" not in given:
            headers.add("Cache-Control", "no-store")
        headers.add("Vary", "Cookie")
    return response


@area.post("/csp-report")
@limiter.limit("60/minute")
def report() -> tuple[str, int]:
    """Write a violation of the content policy to the log; the tour of the tests demands that there is none."""
    violation = (request.get_json(silent=True, force=True) or {}).get("csp-report", {})
    log.warning(
        "csp.violation", directive=str(violation.get("violated-directive", ""))[:80], blocked=str(violation.get("blocked-uri", ""))[:80]
    )
    return "", 204
