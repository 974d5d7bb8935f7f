"""The application's own kinds of request and answer: what Flask and Werkzeug do for everybody, without what nobody here needs.

Each is measured on the way of a completed step; what is not plain goes the libraries' own way.
"""

from __future__ import annotations

import re
import time
from binascii import a2b_qp
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flask import Flask, Request, Response
from flask.globals import _cv_request
from markupsafe import escape
from werkzeug.datastructures import Headers, ImmutableMultiDict
from werkzeug.routing import MapAdapter
from werkzeug.sansio.http import parse_cookie
from werkzeug.utils import cached_property

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PLAIN_ADDRESS = re.compile(r"/(?:[A-Za-z0-9._~-][A-Za-z0-9/._~-]*)?(?:\?[A-Za-z0-9/._~&=-]+)?")
"""An address of ours that is written with its own letters already."""
URLENCODED = frozenset({"application/x-www-form-urlencoded", "application/x-www-form-urlencoded;charset=UTF-8"})
PLAIN_WORD = re.compile(r"[A-Za-z0-9._~-]+")
"""What stands in an address as it is."""
REDIRECTED = '<!doctype html>\n<html lang="vi">\n<title>→</title>\n<p><a href="{0}">{0}</a>\n'
KINDS = {None: "text/html; charset=utf-8", "text/html": "text/html; charset=utf-8", "application/json": "application/json"}
STATUSES = {None: ("200 OK", 200), 200: ("200 OK", 200), 303: ("303 SEE OTHER", 303), 422: ("422 UNPROCESSABLE ENTITY", 422)}
HOSTS = 64
"""How many ways to name this host are remembered; whoever makes them up is answered on the library's way."""


def fields_of(body: bytes) -> list[tuple[str, str]]:
    """Return the fields of an ``application/x-www-form-urlencoded`` body, exactly as `urllib.parse.parse_qsl` reads them for Werkzeug.

    The library reads an escape at a time, in Python, and a sentence in Vietnamese is half escapes: an opinion of one paragraph was a fifth
    of everything the web does for a step. They are decoded by the standard library's reader of quoted-printable, which differs by its sign.

    Raises:
        UnicodeDecodeError: the body is not UTF-8.
    """
    if body.isascii() and b"\r" not in body and b"\n" not in body:
        pairs = [pair.partition("=") for pair in body.decode("ascii").replace("+", " ").split("&") if pair]
        try:
            return [(_unescaped(name) if "%" in name else name, _unescaped(value) if "%" in value else value) for name, _, value in pairs]
        except ValueError:  # no UTF-8, or not an escape: the library leaves such as they are
            pass
    return parse_qsl(body.decode(), keep_blank_values=True, errors="werkzeug.url_quote")


def _unescaped(part: str) -> str:
    quoted = part.replace("=", "%3D").replace("%", "=")
    read = a2b_qp(quoted)
    if len(read) != len(quoted) - 2 * quoted.count("="):
        raise ValueError("a percent sign that begins no escape")
    return read.decode()


def form_of(fields: Iterable[tuple[str, str]]) -> ImmutableMultiDict[str, str]:
    """Return the fields as Werkzeug keeps them."""
    values: dict[str, list[str]] = {}
    for name, value in fields:
        if name in values:
            values[name].append(value)
        else:
            values[name] = [value]
    form: ImmutableMultiDict[str, str] = ImmutableMultiDict()
    dict.update(form, values)  # what the library's own classes do with themselves
    return form


def carry(headers: Headers, given: Sequence[tuple[str, str]]) -> None:
    """Let an answer carry headers that are constants of ours, or are known to hold no line's end: the library would look through each."""
    headers._list.extend(given)


@lru_cache
def areas_of(endpoint: str) -> list[str]:
    """Return the areas an endpoint belongs to, the innermost first."""
    found, names = [], endpoint.split(".")[:-1]
    while names:
        found.append(".".join(names))
        names.pop()
    return found


class Asked(Request):
    """A request; the usual form is read at once, and all cookies stand in one line, as a WSGI server gives them."""

    longest_form = 0
    """The application's limit in bytes; that of one request is the library's to judge."""

    def __init__(self, environ: WSGIEnvironment, populate_request: bool = True, shallow: bool = False) -> None:
        super().__init__(environ, populate_request, shallow)
        self.began = time.perf_counter()

    @property
    def blueprints(self) -> list[str]:
        """The areas this request's page belongs to, the innermost first."""
        rule = self.url_rule
        return [] if rule is None else areas_of(rule.endpoint)

    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """The cookies the browser sent."""
        return parse_cookie(self.environ.get("HTTP_COOKIE"), self.dict_storage_class)  # type: ignore[return-value]

    @cached_property
    def form_number(self) -> str:
        """The number of the form that is sent; empty when it has none."""
        return str(self.form.get("request_id", ""))[:64]

    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False) -> Any:
        """Return the body."""
        known = self.__dict__
        if cache and not as_text and not parse_form_data and "_cached_data" not in known and (body := self._told()) is not None:
            known["stream"], known["_cached_data"] = BytesIO(), body
            return body
        return super().get_data(cache, as_text, parse_form_data)  # type: ignore[call-overload]

    def cookie(self, name: str) -> str | None:
        """Return one cookie; where everything is written in plain letters the others are not read."""
        sent = self.environ.get("HTTP_COOKIE", "")
        for one in sent.split(";") if sent.isascii() and '"' not in sent else ():
            key, _, value = one.partition("=")
            if key.strip() == name:
                value = value.strip()
                return value if PLAIN_WORD.fullmatch(value) is not None else self.cookies.get(name)
        return self.cookies.get(name)

    def _load_form_data(self) -> None:
        known, environ = self.__dict__, self.environ
        if "form" in known or "_cached_data" in known or environ.get("CONTENT_TYPE") not in URLENCODED:
            super()._load_form_data()
            return
        body = self._told()
        if body is None:
            body = self.stream.read()
        else:
            known["stream"] = BytesIO()
        try:
            fields = fields_of(body)
        except UnicodeDecodeError:  # as the library takes it: a form without fields
            fields = []
        known["form"], known["files"] = form_of(fields), NO_FILES

    def _told(self) -> bytes | None:
        """Return a body whose length was told and is within the limit; None when the library has to look, or was here before."""
        environ, length = self.environ, self.environ.get("CONTENT_LENGTH", "")
        if not (length.isascii() and length.isdecimal()) or "HTTP_TRANSFER_ENCODING" in environ or "stream" in self.__dict__:
            return None
        left = int(length)
        if left > self.longest_form or self._max_content_length is not None:
            return None
        read: Callable[[int], bytes] = environ["wsgi.input"].read
        body = read(left) if left else b""
        while len(body) < left and (more := read(left - len(body))):
            body += more
        return body

    def close(self) -> None:
        """Let go of the files that were sent."""
        if self.__dict__.get("files"):
            super().close()


NO_FILES: ImmutableMultiDict[str, Any] = ImmutableMultiDict()


class Answer(Response):
    """An answer; the usual ones are made and sent as they stand."""

    def __init__(
        self, response: Any = None, status: Any = None, headers: Any = None, mimetype: str | None = None, content_type: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:  # fmt: skip
        kind = type(response)
        if (
            (kind is not str and kind is not bytes) or headers is not None or content_type is not None or direct_passthrough
            or mimetype not in KINDS or status not in STATUSES
        ):  # fmt: skip
            super().__init__(response, status, headers, mimetype, content_type, direct_passthrough)
            return
        content = response.encode() if kind is str else response
        self.headers = Headers()
        carry(self.headers, (("Content-Type", KINDS[mimetype]), ("Content-Length", str(len(content)))))
        self._status, self._status_code = STATUSES[status]
        self.direct_passthrough, self._on_close, self.response = False, [], [content]

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """Return the headers to send: of a page or a plain redirect these, with the length; of anything else what Werkzeug makes of them.

        An answer is sent once, so nobody needs a copy.
        """
        headers = self.headers
        usual, length = self._status_code in STATUSES and isinstance(self.response, list), False
        for name, value in headers._list:
            if name == "Content-Length":
                length = True
            elif name == "Location":
                usual = usual and PLAIN_ADDRESS.fullmatch(value) is not None
            elif name not in AS_IT_IS and name.lower() in LOOKED_AT:
                usual = False
        if not usual:
            return super().get_wsgi_headers(environ)
        if not length:
            headers["Content-Length"] = str(sum(map(len, self.iter_encoded())))
        return headers

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send the answer. One that is whole and leaves nothing to close is a list, which the server sends in one piece."""
        content = self.response
        if (
            type(content) is not list or self._on_close or self.direct_passthrough or self._status_code not in STATUSES
            or environ["REQUEST_METHOD"] == "HEAD"
        ):  # fmt: skip
            return super().__call__(environ, start_response)
        headers = self.get_wsgi_headers(environ)
        start_response(self._status, headers.to_wsgi_list())
        return [one.encode() if type(one) is str else one for one in content]


LOOKED_AT = frozenset({"location", "content-location", "content-length"})
AS_IT_IS = frozenset({"Content-Type", "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy",
                      "Permissions-Policy", "Cache-Control", "Vary", "Set-Cookie", "Content-Language"})  # fmt: skip


class Web(Flask):
    """Flask with our requests and answers; none of our views is a coroutine, so nobody has to look each time."""

    request_class = Asked
    response_class = Answer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hosts: dict[tuple[str, str], tuple[str, str]] = {}
        self._addresses: dict[str, str | None] = {}

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds and builds addresses: of a host that was judged before and a path in plain letters put together here."""
        if request is None:
            return super().create_url_adapter(None)
        environ = request.environ
        path, query = environ.get("PATH_INFO"), environ.get("QUERY_STRING")
        request.longest_form = self.config["MAX_CONTENT_LENGTH"] or 0  # type: ignore[attr-defined]
        host = (environ["wsgi.url_scheme"], environ.get("HTTP_HOST", ""))
        known = self._hosts.get(host)
        plain = path is not None and query is not None and path.isascii() and query.isascii()
        if not plain or not host[1] or environ.get("SCRIPT_NAME") or "HTTP_UPGRADE" in environ:
            return super().create_url_adapter(request)
        if known is None:
            adapter = super().create_url_adapter(request)
            if adapter is not None and len(self._hosts) < HOSTS and not self.config["TRUSTED_HOSTS"]:
                self._hosts[host] = request.host, adapter.server_name
            return adapter
        request.host, server = known
        subdomain = self.url_map.default_subdomain or ""
        return MapAdapter(self.url_map, server, "", subdomain, host[0], path or "", environ["REQUEST_METHOD"], query)

    def url_for(
        self, /, endpoint: str, *, _anchor: str | None = None, _method: str | None = None, _scheme: str | None = None,
        _external: bool | None = None, **values: Any,
    ) -> str:  # fmt: skip
        """Return an address; that of a page without a name of its own in it is always the same, with at most one plain word behind it."""
        asked = _cv_request.get(None)
        whole = asked is not None and asked.url_adapter is not None and asked.url_adapter.script_name == "/"
        if not whole or len(values) > 1 or not (_anchor is None and _method is None and _scheme is None and _external is None):
            return super().url_for(endpoint, _anchor=_anchor, _method=_method, _scheme=_scheme, _external=_external, **values)
        path = self._addresses.get(endpoint, "")
        if path == "":
            path = self._fixed(endpoint)
        if path is None:
            return super().url_for(endpoint, **values)
        for name, word in values.items():
            if type(word) is not str or PLAIN_WORD.fullmatch(word) is None:
                return super().url_for(endpoint, **values)
            return f"{path}?{name}={word}"
        return path

    def _fixed(self, endpoint: str) -> str | None:
        """Return the address of a page that has only one, whoever asks; None when it has several, or its address names a thing."""
        rules = self.url_map._rules_by_endpoint.get(endpoint, [])
        alone = len(rules) == 1 and not rules[0].arguments and not rules[0].defaults and not rules[0].host and not rules[0].subdomain
        self._addresses[endpoint] = super().url_for(endpoint) if alone else None
        return self._addresses[endpoint]

    def redirect(self, location: str, code: int = 302) -> Response:
        """Return a redirection; its note is read by nobody with a browser."""
        response = self.response_class(REDIRECTED.format(escape(location)), code, mimetype="text/html")
        if PLAIN_ADDRESS.fullmatch(location) is not None:
            carry(response.headers, (("Location", location),))
        else:
            response.headers["Location"] = location
        return response
