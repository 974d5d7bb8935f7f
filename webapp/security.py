"""What every answer carries and every request must pass: content policy, headers, CSRF tokens, rate limits, honest cookies."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import structlog
from flask import Blueprint, Flask, Request, Response, g, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect
from itsdangerous import BadSignature, URLSafeTimedSerializer

csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="moving-window")
area = Blueprint("security", __name__)
log = structlog.get_logger("motcua.web")

# The editors of the designer write inline styles and embed their icon fonts; nobody else may.
EDITORS = "/designer"
POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self'{styles}; img-src 'self' data: blob:; font-src 'self'{fonts}; "
    "connect-src 'self'{connect}; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'; report-uri /csp-report"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
}


RENEWED = timedelta(minutes=5)
"""How old a session's cookie may be before a page sends it again; a session without any page for twelve hours is over."""


class HonestCookies(SecureCookieSessionInterface):
    """The session cookie is Secure exactly when the request came by https; a local installation has no certificate.

    What a page fetches beside itself (progress, suggestions, pictures) does not send it again unless it changed something: its answer
    could arrive after that of a form, and would put the session back to before it, the words about what was done with it. A page sends
    it again when it is a few minutes old: whoever works is not signed out meanwhile, and not every answer has to be sealed.
    """

    def __init__(self) -> None:
        self._serializer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return what seals and reads cookies, made once: the key of an installation does not change while it runs."""
        if self._serializer is None:
            self._serializer = super().get_signing_serializer(app)
        return self._serializer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of a request's cookie, and remember when it was sealed."""
        serializer, cookie = self.get_signing_serializer(app), request.cookies.get(self.get_cookie_name(app))
        if serializer is None or not cookie:
            return super().open_session(app, request)
        try:
            facts, sealed = serializer.loads(cookie, max_age=int(app.permanent_session_lifetime.total_seconds()), return_timestamp=True)
        except BadSignature:
            return self.session_class()
        g.session_sealed = sealed
        return self.session_class(facts)

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether this request came by https."""
        return request.is_secure

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie with a page when it grows old, and with whatever changed it."""
        beside = response.mimetype != "text/html" or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        sealed: datetime | None = g.get("session_sealed")
        if session.modified or (not beside and (sealed is None or datetime.now(UTC) - sealed > RENEWED)):
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
    # Every limit stands at its view and is judged there; before each request of the whole application there would be none to find.
    app.before_request_funcs[None].remove(limiter._check_request_limit)
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
        # Only a page on which somebody signs with a token of their own may talk to the agent on their computer.
        connect = f" {g.agent}" if g.get("agent") else ""
        response.headers["Content-Security-Policy"] = POLICY.format(
            nonce=nonce, styles=" 'unsafe-inline'" if editor else "", fonts=" data:" if editor else "", connect=connect
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
