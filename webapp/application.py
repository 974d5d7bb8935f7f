"""The application's own kinds of request and answer: what Flask and Werkzeug do for everybody, without what nobody here needs.

Each is measured on the way of a completed step; what is not plain goes the libraries' own way.
"""

from __future__ import annotations

import re
from binascii import a2b_qp
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flask import Flask, Request, Response
from markupsafe import escape
from werkzeug.datastructures import Headers, ImmutableMultiDict
from werkzeug.sansio.http import parse_cookie
from werkzeug.utils import cached_property

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

ESCAPED = re.compile(rb"[^%\r\n]*(?:%[0-9A-Fa-f]{2}[^%\r\n]*)*")
"""What browsers send: every percent sign begins an escape, and a line's end is one."""
PLAIN_ADDRESS = re.compile(r"/(?:[A-Za-z0-9._~-][A-Za-z0-9/._~-]*)?(?:\?[A-Za-z0-9/._~&=-]+)?")
"""An address of ours that is written with its own letters already."""
URLENCODED = frozenset({"application/x-www-form-urlencoded", "application/x-www-form-urlencoded;charset=UTF-8"})
REDIRECTED = '<!doctype html>\n<html lang="vi">\n<title>→</title>\n<p><a href="{0}">{0}</a>\n'


def fields_of(body: bytes) -> list[tuple[str, str]]:
    """Return the fields of an ``application/x-www-form-urlencoded`` body, exactly as `urllib.parse.parse_qsl` reads them for Werkzeug.

    The library reads an escape at a time, in Python, and a sentence in Vietnamese is half escapes: an opinion of one paragraph was a fifth
    of everything the web does for a step. They are decoded by the standard library's reader of quoted-printable, which differs by its sign.

    Raises:
        UnicodeDecodeError: the body is not UTF-8.
    """
    if body.isascii() and ESCAPED.fullmatch(body) is not None:
        pairs = [pair.partition(b"=") for pair in body.replace(b"+", b" ").split(b"&") if pair]
        with suppress(UnicodeDecodeError):  # the library leaves such escapes as they are
            return [(_unescaped(name), _unescaped(value)) for name, _, value in pairs]
    return parse_qsl(body.decode(), keep_blank_values=True, errors="werkzeug.url_quote")


def _unescaped(part: bytes) -> str:
    return (a2b_qp(part.replace(b"=", b"%3D").replace(b"%", b"=")) if b"%" in part else part).decode()


class Asked(Request):
    """A request; the usual form is read at once, and all cookies stand in one line, as a WSGI server gives them."""

    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """The cookies the browser sent."""
        return parse_cookie(self.environ.get("HTTP_COOKIE"), self.dict_storage_class)  # type: ignore[return-value]

    def _load_form_data(self) -> None:
        known = self.__dict__
        if "form" in known or "_cached_data" in known or self.environ.get("CONTENT_TYPE") not in URLENCODED:
            super()._load_form_data()
            return
        try:
            fields = fields_of(self.stream.read())
        except UnicodeDecodeError:  # as the library takes it: a form without fields
            fields = []
        known["form"], known["files"] = self.parameter_storage_class(fields), self.parameter_storage_class()


class Answer(Response):
    """An answer; the usual ones are sent as they stand."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """Return the headers to send: of a page or a plain redirect these, with the length; of anything else what Werkzeug makes of them.

        An answer is sent once, so nobody needs a copy.
        """
        headers = self.headers
        location = headers.get("Location")
        usual = self.status_code in (200, 303, 422) and (location is None or PLAIN_ADDRESS.fullmatch(location) is not None)
        if not usual or not self.is_sequence or "Content-Location" in headers:
            return super().get_wsgi_headers(environ)
        if "Content-Length" not in headers:
            headers["Content-Length"] = str(sum(map(len, self.iter_encoded())))
        return headers


class Web(Flask):
    """Flask with our requests and answers; none of our views is a coroutine, so nobody has to look each time."""

    request_class = Asked
    response_class = Answer

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function."""
        return func

    def redirect(self, location: str, code: int = 302) -> Response:
        """Return a redirection; its note is read by nobody with a browser."""
        response = self.response_class(REDIRECTED.format(escape(location)), code, mimetype="text/html")
        response.headers["Location"] = location
        return response
