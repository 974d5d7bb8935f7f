"""One table of routes: what Flask serves, what the OpenAPI document says and what is checked are the same entry."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, Literal

import orjson
from flask import Response, jsonify, make_response, request, url_for
from werkzeug.exceptions import BadRequest

from engine.errors import Invalid, Refused
from engine.runtime import UnitOfWork
from webapp.api import access
from webapp.api.area import area
from webapp.api.shapes import asked, read, written
from webapp.application import Answer, this_request
from webapp.security import limiter
from webapp.transaction import actor, runtime, work

JSON = "application/json"
KEY = "Idempotency-Key"
Who = Literal["person", "owner", "anyone"]


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted."""

    page: int = 1
    page_size: int = 25


@dataclass(frozen=True)
class Route:
    """One thing a program can do."""

    method: str
    path: str
    name: str
    summary: str
    tag: str
    who: Who
    body: type | None
    files: Sequence[str]
    query: type | None
    answer: Any
    status: int
    media: str

    @property
    def address(self) -> str:
        """The path as OpenAPI writes it."""
        return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", self.path)


ROUTES: list[Route] = []
View = Callable[..., Any]


def route(
    method: str,
    path: str,
    summary: str,
    *,
    tag: str,
    answer: Any = None,
    who: Who = "person",
    body: type | None = None,
    files: Sequence[str] = (),
    query: type | None = None,
    status: int = 200,
    media: str = JSON,
    transaction: bool = True,
    limit: str = "",
    once: Sequence[str] = (),
    pure: bool = False,
) -> Callable[[View], View]:
    """Serve a view under an address and write it into the table.

    The view gets the open unit of work first (unless ``transaction`` is off: it opens its own), then the parts of the path, ``body``,
    ``query``. Fields named in ``once`` are secrets: a repeated request gets the first answer without them. A ``pure`` POST changes nothing
    (it is a POST because what it asks for is personal): its answer is never kept, and given anew each time.
    """

    def decorate(view: View) -> View:
        entry = Route(method, path, view.__name__, summary, tag, who, body, files, query, answer, status, media)
        ROUTES.append(entry)

        # Who asks and what is asked are one transaction, unless a body may be long in coming: nobody's slow line holds a connection.
        together = entry.who == "person" and transaction and not files

        def given(parts: dict[str, Any]) -> None:
            if query is not None:
                parts["query"] = asked(query, request.args)
            if body is not None:
                parts["body"] = asked(body, sent(entry)) if files else read(body, sent(entry))

        @wraps(view)
        def answered(**parts: Any) -> Response:
            if together:
                this_request().get_data()
                with runtime().begin(access.SYSTEM) as w:
                    access.recognise(w)
                    w.actor = actor()
                    given(parts)
                    return in_transaction(w, entry, view, parts, once, idempotency() if not pure else ("", ""))
            identify(entry, parts)
            given(parts)
            if method == "GET" and not transaction:
                return finished(entry, view(**parts))
            return carried_out(entry, view, parts, transaction, once, idempotency() if not pure else ("", ""))

        served = limiter.limit(limit)(answered) if limit else answered
        area.add_url_rule(path, view.__name__, served, methods=[method])
        return view

    return decorate


def identify(entry: Route, parts: Mapping[str, Any]) -> None:
    """Let in whom the route is for."""
    if entry.who == "person":
        with work(access.SYSTEM) as w:
            access.recognise(w)
        return
    access.unknown()
    if entry.who == "owner":
        access.require_grant(parts["code"])


def sent(entry: Route) -> Any:
    """Return the request's fields: JSON, or the plain fields beside files.

    Raises:
        Invalid: the body is not what its type says.
    """
    if entry.files:
        return {name: text for name, text in request.form.items() if name not in entry.files}
    body = this_request()
    if not body.data:
        return {}
    try:
        return body.get_json(force=True)
    except BadRequest:
        raise Invalid({"body": Refused("api.body_unreadable", field="body")}) from None


def carried_out(
    entry: Route, view: View, parts: Mapping[str, Any], transaction: bool, once: Sequence[str], identity: tuple[str, str]
) -> Response:
    """Do what was asked, once: a request with a known Idempotency-Key gets its first answer again."""
    key, content = identity
    if transaction:
        with runtime().begin(actor()) as w:
            return in_transaction(w, entry, view, parts, once, identity)
    if key:
        with work() as w:
            known = w.recall(key, content)
        if known is not None:
            return again(known)
    response = finished(entry, view(**parts))
    if key:
        with work() as w:
            keep(w, key, response, once)
    return response


def in_transaction(
    w: UnitOfWork, entry: Route, view: View, parts: Mapping[str, Any], once: Sequence[str], identity: tuple[str, str]
) -> Response:
    """Do what was asked in an open unit of work, once."""
    key, content = identity
    known = w.recall(key, content) if key else None
    if known is not None:
        return again(known)
    response = finished(entry, view(w, **parts))
    keep(w, key, response, once)
    return response


def idempotency() -> tuple[str, str]:
    """Return the request's key, and a fingerprint of what is asked; no key when nobody is known who could repeat it.

    Raises:
        Invalid: the key is too long.
    """
    key = this_request().headers.get(KEY, "").strip()
    if len(key) > 200:
        raise Invalid({KEY: Refused("api.field_wrong", field=KEY, name=KEY, expected="≤ 200")})
    if not key or request.method == "GET" or not (actor().account is not None or actor().label.startswith("owner:")):
        return "", ""
    parts = [request.method, request.full_path]
    if request.mimetype == "multipart/form-data":
        parts += [f"{name}={text}" for name, text in sorted(request.form.items(multi=True))]
        parts += [f"{name}:{hashlib.sha256(upload.stream.read()).hexdigest()}" for name, upload in request.files.items(multi=True)]
        for upload in request.files.values():
            upload.stream.seek(0)
        return f"api:{key}", hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"api:{key}", hashlib.sha256("\n".join(parts).encode() + request.get_data()).hexdigest()


def keep(w: UnitOfWork, key: str, response: Response, once: Sequence[str]) -> None:
    """Keep an answer for the case that its request comes again; files are not kept, their requests change nothing twice."""
    if not key or (response.mimetype != JSON and response.status_code != 204):
        return
    body = response.get_json(silent=True) if response.status_code != 204 else None
    if isinstance(body, dict):
        body = {name: None if name in once else value for name, value in body.items()}
    w.remember(key, {"status": response.status_code, "body": body})


def again(known: Mapping[str, Any]) -> Response:
    """Return the first answer to a repeated request."""
    response = jsonify(known["body"]) if known["status"] != 204 else Response()
    response.status_code = known["status"]
    response.headers["Idempotency-Replayed"] = "true"
    return response


def finished(entry: Route, answer: Any) -> Response:
    """Return a view's answer as a response."""
    if isinstance(answer, Response):
        return answer
    if answer is None:
        return Response(status=204)
    told = written(answer)
    try:
        content = orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # a number or a letter only the library writes
        return make_response(jsonify(told), entry.status)
    return Answer(content, entry.status, mimetype=JSON)


@cache
def page_of(shape: type) -> type:
    """Return the shape of one page of a list of *shape*."""
    items: Any = Sequence[shape]  # type: ignore[valid-type]
    fields: list[tuple[str, Any]] = [("items", items), ("total", int), ("page", int), ("next", str | None)]
    made = dataclasses.make_dataclass(f"{shape.__name__}Page", fields, frozen=True)
    made.__doc__ = f"One page of a list; `next` is the address of the following one. Items: {shape.__name__}."
    return made


def listed(shape: type, items: Sequence[Any], total: int, asked_page: Page) -> Any:
    """Return one page of a list with the address of the next one."""
    more = asked_page.page * bounded(asked_page) < total
    following = {**request.args, "page": asked_page.page + 1, **(request.view_args or {})}
    return page_of(shape)(list(items), total, asked_page.page, url_for(request.endpoint or "", **following) if more else None)


def bounded(asked_page: Page) -> int:
    """Return the size of a page: between 1 and 100."""
    return min(max(asked_page.page_size, 1), 100)


def download(content: bytes, name: str, media: str) -> Response:
    """Return bytes as a file."""
    response = Response(content, mimetype=media)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
