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
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Flask, Request, Response
from flask.globals import _cv_app, _cv_request
from flask.sessions import SessionMixin
from flask.signals import request_tearing_down
from markupsafe import escape
from werkzeug.datastructures import Headers, ImmutableMultiDict
from werkzeug.routing import Map, MapAdapter, Rule, UUIDConverter
from werkzeug.sansio.http import parse_cookie
from werkzeug.utils import cached_property

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PLAIN_ADDRESS = re.compile(r"/(?:[A-Za-z0-9._~-][A-Za-z0-9/._~-]*)?(?:\?[A-Za-z0-9/._~&=-]+)?")
"""An address of ours that is written with its own letters already."""
URLENCODED = frozenset({"application/x-www-form-urlencoded", "application/x-www-form-urlencoded;charset=UTF-8"})
PLAIN_WORD = re.compile(r"[A-Za-z0-9._~-]+")
"""What stands in an address as it is."""
PLAIN_LETTERS = (ascii_letters + digits + "._~-").encode()
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
        try:
            text = _unescaped(body)
        except UnicodeDecodeError:  # the library leaves such escapes as they are
            text = None
        if text is not None:
            pairs = [pair.partition(EQUALS) for pair in text.split(AND) if pair]
            return [(name, value if EQUALS not in value else value.replace(EQUALS, "=")) for name, _, value in pairs]
    return parse_qsl(body.decode(), keep_blank_values=True, errors="werkzeug.url_quote")


EQUALS, AND = "\x01", "\x02"
QUOTED = bytes.maketrans(b"%=&+", b"=\x01\x02 ")
"""What separates fields becomes a sign no field holds, so that everything between is decoded at once."""


def _unescaped(body: bytes) -> str | None:
    """Return a form decoded, its separators as `EQUALS` and `AND`; None when it is not plainly that, which is proved by counting."""
    quoted = body.translate(QUOTED)
    read = a2b_qp(quoted)
    # A percent sign that begins no escape stays as one of these, or is lost at the end. To count them all takes as long as to read.
    if (b"=" in read or quoted.endswith(b"=")) and len(read) != len(quoted) - 2 * body.count(b"%"):
        return None
    text = read.decode()
    return text if text.count(EQUALS) == body.count(b"=") and text.count(AND) == body.count(b"&") else None


def form_of(fields: Sequence[tuple[str, str]]) -> ImmutableMultiDict[str, str]:
    """Return the fields as Werkzeug keeps them."""
    values: dict[str, list[str]] = {name: [value] for name, value in fields}
    if len(values) != len(fields):
        values = {}
        for name, value in fields:
            values.setdefault(name, []).append(value)
    form: ImmutableMultiDict[str, str] = ImmutableMultiDict()
    dict.update(form, values)  # what the library's own classes do with themselves
    return form


def carry(headers: Headers, given: Sequence[tuple[str, str]]) -> None:
    """Let an answer carry headers that are constants of ours, or are known to hold no line's end: the library would look through each."""
    headers._list.extend(given)


def this_request() -> Asked:
    """Return the request under way. Each look through Flask's own proxies raises and catches an error before it finds anything."""
    return _cv_request.get().request  # type: ignore[return-value]


def this_session() -> SessionMixin:
    """Return the session of the request under way."""
    return _cv_request.get().session


def at_hand() -> Any:
    """Return what is at hand while a request is under way: Flask's `g`."""
    return _cv_app.get().g


def this_application() -> Web:
    """Return the application that serves the request under way."""
    return _cv_app.get().app  # type: ignore[return-value]


def redirect_to(endpoint: str, **values: Any) -> Response:
    """Send the browser to a page of ours, which it then asks for: what an act answers."""
    app = this_application()
    return app.redirect(app.url_for(endpoint, **values), 303)


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
        if not sent:
            return None
        for one in sent.split(";") if sent.isascii() and '"' not in sent else ():
            key, _, value = one.partition("=")
            if key.strip() == name:
                value = value.strip()
                return value if value and not value.encode().translate(None, PLAIN_LETTERS) else self.cookies.get(name)
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
        given = dict(headers._list)
        if not (self._status_code in STATUSES and type(self.response) is list and AS_IT_IS.issuperset(given)):
            return super().get_wsgi_headers(environ)
        if "Location" in given and (PLAIN_ADDRESS.fullmatch(given["Location"]) is None or len(given) != len(headers._list)):
            return super().get_wsgi_headers(environ)
        if "Content-Length" not in given:
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


AS_IT_IS = frozenset({"Content-Type", "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy",
                      "Permissions-Policy", "Cache-Control", "Vary", "Set-Cookie", "Content-Language", "Content-Length",
                      "Location", "Strict-Transport-Security"})  # fmt: skip
"""The headers of usual answers; whatever else one carries is the library's to look at."""


IDENTIFIER = re.compile(f"(?<=/)({UUIDConverter.regex})(?=/|$)")
WHOLE = {"return_rule": True}


class Table(Map):
    """The table of addresses, and what was found in it: by method and what stands around the identifiers in an address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.found: dict[tuple[str, ...], Rule] = {}
        super().__init__(*args, **kwargs)

    def add(self, rulefactory: Any) -> None:
        """Add rules; what was found before may not be what is found now."""
        self.found.clear()
        super().add(rulefactory)


class Finder(MapAdapter):
    """Finds whose page an address is. The library goes through its table part by part; where nothing but identifiers varies, a page
    that was found once is found again by the rest of its address."""

    def match(self, *given: Any, **wanted: Any) -> Any:
        """Return the rule of an address and the values in it."""
        table = self.map
        if given or wanted != WHOLE or type(table) is not Table:
            return super().match(*given, **wanted)
        pieces = IDENTIFIER.split(self.path_info)
        pattern, words = (self.default_method, *pieces[::2]), pieces[1::2]
        rule = table.found.get(pattern)
        if rule is not None:
            return rule, {name: UUID(word) for name, word in zip(rule._converters, words, strict=True)}
        rule, values = super().match(return_rule=True)
        if self._varies_by_identifiers(rule, len(words)):
            table.found[pattern] = rule
        return rule, values

    def _varies_by_identifiers(self, rule: Rule, number: int) -> bool:
        """Whether a rule that was found is what is found whatever the identifiers are; then there are as many patterns as methods."""
        alone = rule.map._rules_by_endpoint[rule.endpoint] == [rule] and not rule.map.host_matching
        plain = not self.websocket and not self.path_info.startswith("//") and self.default_method in (rule.methods or ())
        kinds = [type(one) for one in rule._converters.values()]
        return alone and plain and kinds == [UUIDConverter] * number and not rule.defaults and rule.redirect_to is None


class Hooks(NamedTuple):
    """What is called around the pages of an area, in this order."""

    before: tuple[Callable[[], Any], ...]
    after: tuple[Callable[[Any], Any], ...]
    leaving: tuple[Callable[[BaseException | None], Any], ...]


class Web(Flask):
    """Flask with our requests and answers; none of our views is a coroutine, so nobody has to look each time."""

    request_class = Asked
    response_class = Answer
    url_map_class = Table

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hosts: dict[tuple[str, str], tuple[str, str]] = {}
        self._addresses: dict[str, str | None] = {}
        self._hooks: dict[str | None, Hooks] = {}

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
        return Finder(self.url_map, server, "", subdomain, host[0], path or "", environ["REQUEST_METHOD"], query)

    def hooks(self, asked: Request) -> Hooks:
        """Return what is called around a page; once requests are served nothing is added any more."""
        found = self._hooks.get(asked.endpoint)
        if found is None:
            inner = (*asked.blueprints, None)
            before = [hook for name in reversed(inner) for hook in self.before_request_funcs.get(name, ())]
            after = [hook for name in inner for hook in reversed(self.after_request_funcs.get(name, ()))]
            leaving = [hook for name in inner for hook in reversed(self.teardown_request_funcs.get(name, ()))]
            found = self._hooks[asked.endpoint] = Hooks(tuple(before), tuple(after), tuple(leaving))
        return found

    def preprocess_request(self) -> Any:
        """Call what comes before a page; what one of them answers is the answer."""
        if self.url_value_preprocessors:
            return super().preprocess_request()
        for hook in self.hooks(_cv_request.get().request).before:
            answer = hook()
            if answer is not None:
                return answer
        return None

    def dispatch_request(self) -> Any:
        """Return what the page answers."""
        asked = _cv_request.get().request
        rule = asked.url_rule
        if rule is None or asked.routing_exception is not None or asked.method == "OPTIONS":
            return super().dispatch_request()
        return self.view_functions[rule.endpoint](**(asked.view_args or {}))

    def process_response(self, response: Response) -> Response:
        """Call what comes after a page, and keep the session."""
        context = _cv_request.get()
        hooks: tuple[Callable[[Any], Any], ...] = (*context._after_request_functions, *self.hooks(context.request).after)
        for hook in hooks:
            response = hook(response)
        kept = context._session
        if kept is not None and not self.session_interface.is_null_session(kept):
            self.session_interface.save_session(self, kept, response)
        return response

    def do_teardown_request(self, exc: Any = None) -> None:
        """Call what ends a request."""
        for hook in self.hooks(_cv_request.get().request).leaving:
            hook(exc)
        request_tearing_down.send(self, _async_wrapper=self.ensure_sync, exc=exc)

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
