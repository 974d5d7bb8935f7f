"""The session's cookie: sealed so that nobody but this installation writes one, in the format of Flask's own."""

from __future__ import annotations

import hmac
import time
import zlib
from binascii import a2b_base64, b2a_base64
from datetime import timedelta
from typing import Any

import orjson
from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeTimedSerializer

from webapp.application import Asked

RENEWED = timedelta(minutes=5)
"""How old a session's cookie may be before a page sends it again; a session without any page for twelve hours is over."""
PLAIN = frozenset({str, int, float, bool, type(None)})
EXACT = PLAIN - {float}
LONG = 1_000
"""From how many bytes on a session is compressed; a browser keeps four thousand."""


class Seal:
    """What `itsdangerous` seals and opens, with the key derived once and one call of HMAC for each.

    Only what is exactly as the library writes it is opened here; whoever asks lets the library judge the rest.
    """

    def __init__(self, serializer: URLSafeTimedSerializer) -> None:
        signer = serializer.make_signer(serializer.salt)
        self.serializer = serializer
        self._key, self._digest = signer.derive_key(), signer.digest_method().name

    def sealed(self, content: bytes) -> bytes:
        """Return *content*, which is written in the alphabet of the library, with the time and the seal."""
        instant = int(time.time())
        timed = content + b"." + encoded(instant.to_bytes((instant.bit_length() + 7) // 8, "big"))
        return timed + b"." + self._of(timed)

    def opened(self, text: bytes) -> tuple[bytes, int] | None:
        """Return the content and when it was sealed (seconds since 1970); None when this is not our seal."""
        timed, _, seal = text.rpartition(b".")
        content, _, instant = timed.rpartition(b".")
        if not content or not hmac.compare_digest(self._of(timed), seal):
            return None
        return content, int.from_bytes(decoded(instant), "big")

    def _of(self, timed: bytes) -> bytes:
        return encoded(hmac.digest(self._key, timed, self._digest))


def encoded(content: bytes) -> bytes:
    """Return bytes in the alphabet of addresses."""
    return b2a_base64(content, newline=False).translate(TO_ADDRESSES).rstrip(b"=")


def decoded(text: bytes) -> bytes:
    """Return the bytes of `encoded`."""
    return a2b_base64(text.translate(FROM_ADDRESSES) + b"=" * (-len(text) % 4))


TO_ADDRESSES, FROM_ADDRESSES = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")


class Session(SecureCookieSession):
    """The session of a request; ``sealed_at`` is when its cookie was written, 0 for a new one."""

    sealed_at = 0


class HonestCookies(SecureCookieSessionInterface):
    """The session cookie is Secure exactly when the request came by https; a local installation has no certificate.

    What a page fetches beside itself (progress, suggestions, pictures) does not send it again unless it changed something: its answer
    could arrive after that of a form, and would put the session back to before it, the words about what was done with it. A page sends
    it again when it is a few minutes old: whoever works is not signed out meanwhile, and not every answer has to be sealed.
    """

    session_class = Session

    def __init__(self) -> None:
        self._seal: Seal | None = None

    def seal(self, app: Flask) -> Seal:
        """Return what seals and opens cookies, made once: the key of an installation does not change while it runs."""
        if self._seal is None:
            serializer = self.get_signing_serializer(app)
            assert serializer is not None, "an installation without a secret key"
            self._seal = Seal(serializer)
        return self._seal

    def open_session(self, app: Flask, request: Request) -> Session:
        """Return the session of a request's cookie, and remember when it was sealed."""
        name = app.config["SESSION_COOKIE_NAME"]
        cookie = request.cookie(name) if isinstance(request, Asked) else request.cookies.get(name)
        if not cookie:
            return Session()
        longest, seal = int(app.permanent_session_lifetime.total_seconds()), self.seal(app)
        opened = seal.opened(cookie.encode())
        try:
            if opened is None:
                facts, at = seal.serializer.loads(cookie, max_age=longest, return_timestamp=True)
                sealed_at = int(at.timestamp())
            else:
                content, sealed_at = opened
                if not 0 <= int(time.time()) - sealed_at <= longest:
                    return Session()
                facts = self.facts_of(content)
        except BadSignature:
            return Session()
        session = Session(facts)
        session.sealed_at = sealed_at
        return session

    def facts_of(self, content: bytes) -> Any:
        """Return what a session holds."""
        text = zlib.decompress(decoded(content[1:])) if content.startswith(b".") else decoded(content)
        # Whatever JSON cannot say is written by the library as an object whose only name begins with a space; of a number that is too
        # long our reader of JSON makes a fraction.
        if b'{" ' not in text:
            facts = orjson.loads(text)
            if not any(map(too_long, facts.values())):
                return facts
        return self.serializer.loads(text.decode())

    def content_of(self, session: SessionMixin) -> bytes:
        """Return what a session holds, written as the library writes it."""
        facts: dict[str, Any] = dict(session)
        if "_flashes" in facts:  # pairs of words; as lists they need no names of their own
            facts["_flashes"] = [list(note) for note in facts["_flashes"]]
        try:
            text = orjson.dumps(facts) if is_plain(facts) else self.serializer.dumps(dict(session)).encode()
        except orjson.JSONEncodeError:  # a number or a letter that only the library writes
            text = self.serializer.dumps(dict(session)).encode()
        if len(text) < LONG:
            return encoded(text)
        squeezed = zlib.compress(text)
        return b"." + encoded(squeezed) if len(squeezed) < len(text) - 1 else encoded(text)

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether this request came by https."""
        return request.is_secure

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie with a page when it grows old, and with whatever changed it."""
        if not session.modified and not self.grown_old(session, response):
            return
        if not session or not self.should_set_cookie(app, session):
            super().save_session(app, session, response)
            return
        response.set_cookie(
            app.config["SESSION_COOKIE_NAME"],
            self.seal(app).sealed(self.content_of(session)).decode(),
            expires=self.get_expiration_time(app, session),
            path=self.get_cookie_path(app),
            domain=self.get_cookie_domain(app),
            secure=self.get_cookie_secure(app),
            httponly=self.get_cookie_httponly(app),
            samesite=self.get_cookie_samesite(app),
        )

    def grown_old(self, session: SessionMixin, response: Response) -> bool:
        """Whether this is a page, and the cookie it came with is old."""
        age = time.time() - getattr(session, "sealed_at", 0)
        return (
            age > RENEWED.total_seconds()
            and response.mimetype == "text/html"
            and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        )


def too_long(value: Any) -> bool:
    """Whether a number beyond 64 bits stands anywhere in this; it has become a fraction."""
    kind = type(value)
    if kind is dict or kind is list:
        return any(map(too_long, value.values() if kind is dict else value))
    return kind is float and not -(2.0**63) < value < 2.0**63


def is_plain(value: Any) -> bool:
    """Whether JSON says this exactly."""
    kind = type(value)
    if kind in PLAIN:
        return True
    if kind is list:
        return all(map(is_plain, value))
    return kind is dict and all(type(name) is str and name[:1] != " " and is_plain(one) for name, one in value.items())
