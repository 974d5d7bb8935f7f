"""What every answer carries and every request must pass: content policy, headers, CSRF tokens, rate limits, honest cookies."""

from __future__ import annotations

import secrets

import structlog
from flask import Blueprint, Flask, Response, g, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect

csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="moving-window")
area = Blueprint("security", __name__)
log = structlog.get_logger("motcua.web")

# The editors of the designer write inline styles and embed their icon fonts; nobody else may.
EDITORS = "/designer"
POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self'{styles}; img-src 'self' data: blob:; font-src 'self'{fonts}; "
    "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'; report-uri /csp-report"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
}


class HonestCookies(SecureCookieSessionInterface):
    """The session cookie is Secure exactly when the request came by https; a local installation has no certificate.

    What a page fetches beside itself (progress, suggestions, pictures) does not send it again unless it changed something: its answer
    could arrive after that of a form, and would put the session back to before it, the words about what was done with it.
    """

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether this request came by https."""
        return request.is_secure

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie with every page, so that whoever works is not signed out meanwhile, and with whatever changed it."""
        beside = response.mimetype != "text/html" or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        if session.modified or not beside:
            super().save_session(app, session, response)


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
    csrf.exempt(area)
    app.register_blueprint(area)
    app.before_request(new_nonce)
    app.after_request(add_headers)
    app.jinja_env.globals["nonce"] = lambda: g.nonce
    app.jinja_env.globals["new_request_id"] = lambda: secrets.token_urlsafe(18)


def new_nonce() -> None:
    """Give the request its own nonce."""
    g.nonce = secrets.token_urlsafe(16)


def add_headers(response: Response) -> Response:
    """Add the policy and the headers; pages with personal data are never stored by a browser or a proxy."""
    if "Content-Security-Policy" not in response.headers:
        editor = request.path.startswith(EDITORS)
        nonce = g.get("nonce") or secrets.token_urlsafe(16)
        response.headers["Content-Security-Policy"] = POLICY.format(
            nonce=nonce, styles=" 'unsafe-inline'" if editor else "", fonts=" data:" if editor else ""
        )
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if request.endpoint != "static_files.asset":
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.add("Vary", "Cookie")
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
