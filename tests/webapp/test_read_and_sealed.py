"""Forms read, cookies sealed and tokens checked by our own short ways: exactly what the libraries read, write and refuse."""

from __future__ import annotations

import io
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import pytest
from flask import Blueprint, Flask, Response, after_this_request, g, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, generate_csrf
from flask_wtf.csrf import validate_csrf as validate
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.urls import iri_to_uri

from webapp.application import HOSTS, PLAIN_ADDRESS, Answer, Web, areas_of, fields_of, form_of
from webapp.security import Tokens, add_headers
from webapp.sessions import HonestCookies, Session, decoded, encoded

FORM = "application/x-www-form-urlencoded"
PIECES = [b"%", b"%%", b"%01", b"%02", b"\x01", b"\x02", b"%C3", b"%a9", b"%e1%bb%9d", b"&", b"=", b"+", b"a", b" ", b"\t", b"\r", b"\n",
          b"%0d%0A", b"%3D", b"%26", b"%00", b"%zz"]  # fmt: skip
KINDS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=6) | st.uuids() | st.text(max_size=4).map(Markup),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.sampled_from([" t", " u"]), inner, max_size=2),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def web() -> Web:
    app = Web(__name__, static_folder=None)
    app.config.update(SECRET_KEY="a key of these tests", WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False, SESSION_COOKIE_NAME="motcua")
    app.session_interface = HonestCookies()
    tokens = Tokens()
    tokens.init_app(app)
    app.add_url_rule("/", "page", lambda: generate_csrf())
    app.add_url_rule("/", "act", lambda: str(g.csrf_valid), methods=["POST"])
    app.add_url_rule("/desk/", "desk.inbox", lambda: "")
    app.add_url_rule("/desk/<int:number>", "desk.task", lambda number: str(number))
    app.add_url_rule("/two", "two", str)
    app.add_url_rule("/two/<word>", "two", str)
    return app


def as_the_library(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode(), keep_blank_values=True, errors="werkzeug.url_quote")


@given(st.lists(st.tuples(st.text(max_size=6), st.text(max_size=9))), st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
@example([("f.opinion", "Đồng ý; trình lãnh đạo ký.\r\n= 100 % +")], b"a=%F0&b=\xc3\xa9%C3")
def test_a_form_is_read_as_the_library_reads_it(fields: list[tuple[str, str]], broken: bytes) -> None:
    assert fields_of(urlencode(fields).encode()) == fields
    assert fields_of(broken) == as_the_library(broken)


@given(st.from_regex(PLAIN_ADDRESS, fullmatch=True))
def test_a_plain_address_is_one_the_library_would_not_change(address: str) -> None:
    assert iri_to_uri(address) == address


def test_a_form_is_a_form_whatever_stands_behind_its_kind_and_is_limited(web: Web) -> None:
    for kind in (
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded;charset=UTF-8",
        "Application/x-www-form-urlencoded",
    ):
        with web.test_request_context("/", method="POST", data=b"a=%C4%91&a=2&b", content_type=kind) as context:
            assert (context.request.form.to_dict(flat=False), len(context.request.files)) == ({"a": ["đ", "2"], "b": [""]}, 0)
    with web.test_request_context("/", method="POST", data=b"a=\xff", content_type=FORM) as context:
        assert len(context.request.form) == 0
    with web.test_request_context("/", method="POST", data=b"a=" + b"x" * 99, content_type=FORM) as context:
        context.request.max_content_length = 50
        with pytest.raises(Exception, match="413"):
            _ = context.request.form


def test_a_form_is_read_up_to_the_length_told_however_it_arrives(web: Web) -> None:
    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size, 3) if size and size > 0 else size)

    def read(body: bytes, length: str | None, **more: Any) -> list[tuple[str, str]]:
        environ = EnvironBuilder(method="POST", content_type=FORM, input_stream=Dripping(body)).get_environ()
        environ.update(more | {"CONTENT_LENGTH": length})
        if length is None:
            del environ["CONTENT_LENGTH"]
        with web.request_context(environ) as context:
            return list(context.request.form.items(multi=True))

    fields = [("a", "đ"), ("b", "2"), ("a", "")]
    body = urlencode(fields).encode()
    told, ended = str(len(body)), {"wsgi.input_terminated": True}
    assert sorted(read(body, told)) == sorted(read(body + b"&c=3", told)) == sorted(read(body, told, **ended)) == sorted(fields)
    assert sorted(read(body, None, HTTP_TRANSFER_ENCODING="chunked", **ended)) == sorted(fields)
    assert sorted(read(body, "2", HTTP_TRANSFER_ENCODING="chunked", **ended)) == sorted(fields)
    assert read(body, None) == read(body, "-1") == read(body, "x") == []
    assert sorted(read(body, "x", **ended)) == sorted(fields)
    web.config["MAX_CONTENT_LENGTH"] = 5
    try:
        with pytest.raises(HTTPException, match="413"):
            read(body, told)
    finally:
        web.config["MAX_CONTENT_LENGTH"] = None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=2)), max_size=6), st.binary(max_size=40))
def test_fields_and_letters_are_kept_as_the_libraries_keep_them(fields: list[tuple[str, str]], content: bytes) -> None:
    assert form_of(fields).to_dict(flat=False) == MultiDict(fields).to_dict(flat=False)
    assert encoded(content) == urlsafe_b64encode(content).rstrip(b"=")
    assert decoded(encoded(content)) == content
    text = content.hex().encode() + b"-_"
    assert decoded(text[: len(text) // 4 * 4]) == urlsafe_b64decode(text[: len(text) // 4 * 4])


@given(
    st.lists(
        st.sampled_from(["a", "b=", "a=1", "a =2", " a= 3 ", 'a="4;\\"5"', "a=", "a=é", "\xa0a=6", "b=a=7", "", "=a", 'b="7;a=8"']),
        max_size=5,
    )
)
def test_a_cookie_is_the_one_the_library_finds(web: Web, sent: list[str]) -> None:
    with web.test_request_context("/", environ_overrides={"HTTP_COOKIE": ";".join(sent)}) as context:
        request: Any = context.request
        assert request.cookie("a") == request.cookies.get("a")


def test_a_body_is_the_same_however_it_is_asked_for(web: Web) -> None:
    for kind, body in ((FORM, b"a=1&b=2"), ("application/json", b'{"a": 1}'), ("text/plain", b"")):
        for ask in ("get_data", "form", "json"):
            with web.test_request_context("/", method="POST", data=body, content_type=kind) as context:
                request = context.request
                if ask == "form":
                    assert request.form.to_dict() == ({"a": "1", "b": "2"} if kind == FORM else {})
                    assert request.get_data() == (b"" if kind == FORM else body)
                    continue
                assert (request.get_data() if ask == "get_data" else request.get_json(force=True, silent=True)) == (
                    body if ask == "get_data" else {"a": 1} if b"{" in body else None
                )
                assert (request.get_data(), request.data, request.get_data(as_text=True)) == (body, body, body.decode())
                assert request.form.to_dict() == ({"a": "1", "b": "2"} if kind == FORM else {})


BODIES = ("một", b"\x00", None, ["một ", b"door"], ("a",), [], iter)
STATUSES = (None, 200, 303, 422, 204, 304, 404, "303 elsewhere")
GIVEN: tuple[dict[str, Any], ...] = (
    {}, {"mimetype": "text/html"}, {"mimetype": "application/json"}, {"mimetype": "text/csv"}, {"content_type": "text/x"},
    {"headers": {"location": "/a?b=1", "Content-Location": "/ổ"}}, {"headers": [("content-length", "1"), ("Location", "/desk?done=7")]},
)  # fmt: skip


def test_an_answer_is_made_and_sent_as_the_library_makes_and_sends_it() -> None:
    def sent(kind: type[Response], method: str, body: Any, status: Any, given: dict[str, Any]) -> Any:
        closed: list[str] = []
        response = kind(iter(["a", "b"]) if body is iter else body, status, **given)
        if method == "POST":
            response.call_on_close(lambda: closed.append("closed"))
            response.headers.add("Location", "/tệp?a=ổ")
        parts, line, headers = run_wsgi_app(response, EnvironBuilder(method=method).get_environ(), buffered=True)
        return b"".join(parts), line, list(headers), closed

    for case in product(("GET", "HEAD", "POST"), BODIES, STATUSES, GIVEN):
        assert sent(Answer, *case) == sent(Response, *case), case


def test_an_answer_that_is_whole_is_sent_in_one_piece() -> None:
    environ = EnvironBuilder().get_environ()
    assert type(Answer("một cửa")(environ, lambda *_: lambda _data: None)) is list
    assert type(Answer(iter(["một"]))(environ, lambda *_: lambda _data: None)) is not list


def test_the_usual_headers_are_those_every_answer_gets(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def carried(**given: Any) -> list[tuple[str, str]]:
        with web.test_request_context("/desk/", **given):
            return list(add_headers(Answer("a")).headers)

    short, secure = carried(), carried(base_url="https://localhost")
    monkeypatch.setattr("webapp.security.OURS", {"content-type"})
    assert short == carried()
    assert [one for one in secure if one not in short] == [("Strict-Transport-Security", "max-age=31536000; includeSubDomains")]


def test_addresses_are_built_and_found_as_the_library_builds_and_finds_them(web: Web) -> None:
    asked = [("desk.inbox", {}), ("desk.inbox", {"done": "8-a_~."}), ("desk.inbox", {"done": "ổ &"}), ("desk.inbox", {"done": ""}),
             ("desk.inbox", {"done": None}), ("desk.inbox", {"n": 7}), ("desk.inbox", {"b": "1", "a": "2"}), ("desk.task", {"number": 4}),
             ("desk.inbox", {"_anchor": "a b"}), ("desk.inbox", {"_external": True}), ("page", {}), ("two", {}), ("two", {"word": "a"}),
             ("two", {"a": "b"})]  # fmt: skip
    for root in ("", "/under"):
        for _ in range(2):  # the first time nothing is known
            with web.test_request_context("/", base_url=f"http://localhost{root}"):
                assert [url_for(name, **values) for name, values in asked] == [Flask.url_for(web, name, **values) for name, values in asked]


def test_a_host_and_a_path_are_taken_as_the_library_takes_them(web: Web) -> None:
    def facts(made: Any) -> Any:
        return {name: value for name, value in vars(made).items() if name != "map"}

    for host in ("localhost", "Localhost:80", "a.example:8080", "[::1]:81", "bad host", "ổ.vn", "", "x_y", "a,b", "localhost@evil"):
        for scheme in ("http", "https"):
            for path, query in (("/desk/", ""), ("/desk/7", "a=1"), ("", ""), ("/t\xc3\xa9", ""), ("/", "t\xc3\xa9")):
                for more in ({}, {"HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "websocket"}, {"SCRIPT_NAME": "/under"}):
                    environ = EnvironBuilder().get_environ() | {"HTTP_HOST": host, "wsgi.url_scheme": scheme} | more
                    environ |= {"PATH_INFO": path, "QUERY_STRING": query}
                    for _ in range(2):
                        ours, theirs = web.request_class(environ), web.request_class(environ)
                        try:
                            expected = Flask.create_url_adapter(web, theirs)
                        except HTTPException as refused:
                            with pytest.raises(type(refused)):
                                web.create_url_adapter(ours)
                            continue
                        assert facts(web.create_url_adapter(ours)) == facts(expected)
                        assert ours.host == theirs.host
    for number in range(2 * HOSTS):
        web.test_client().get("/desk/", headers={"Host": f"h{number}.example"})
    assert len(web._hosts) == HOSTS


def test_an_address_is_whose_the_library_says_it_is_whatever_was_found_before(web: Web) -> None:
    app = Web(__name__, static_folder=None)

    def page(**_: Any) -> str:
        return ""

    for rule, endpoint, more in (
        ("/tasks/<uuid:task>/completion", "completed", {"methods": ["POST"]}),
        ("/tasks/<uuid:task>/completion", "completion", {}),
        ("/tasks/<uuid:task>/files/<uuid:file>", "file", {}),
        ("/tasks/<uuid:task>/pages/<int:page>", "page", {}),
        ("/tasks/", "tasks", {}),
        ("/tasks/<name>", "name", {}),
        ("/many/<uuid:one>", "many", {}),
        ("/many/", "many", {"defaults": {"one": None}}),
        ("/moved/<uuid:one>", "moved", {"redirect_to": "/many/<one>"}),
    ):
        app.add_url_rule(rule, endpoint, page, **more)
    one, other, third = UUID(int=7), UUID(int=2**127 + 5), UUID(int=3)

    def found(adapter: Any) -> Any:
        try:
            rule, values = adapter.match(return_rule=True)
        except HTTPException as refused:
            return type(refused), getattr(refused, "new_url", None)
        return rule, values

    for _, a, b in product(range(2), (one, other, str(one).upper(), f"{one}x", "x", f"{{{one}}}"), (third, "8")):
        paths = ("tasks/{a}/completion", "/tasks/{a}/completion", "tasks/{a}/completion/", "tasks/{a}/files/{b}", "tasks//{a}/files/{b}",
                 "tasks/{a}/pages/{b}", "tasks/{a}", "tasks/", "tasks", "many/{a}", "many/", "moved/{a}", "", "{a}")  # fmt: skip
        for path in ("", *("/" + one.format(a=a, b=b) for one in paths)):
            for method in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "get"):
                environ = EnvironBuilder().get_environ() | {"PATH_INFO": path, "REQUEST_METHOD": method}
                expected = found(Flask.create_url_adapter(app, app.request_class(environ)))
                assert found(app.create_url_adapter(app.request_class(environ))) == expected, (method, path)
    # By method and what stands around the identifiers, and nothing a stranger makes up: HEAD and OPTIONS come with GET and POST.
    known = {(method, "".join(rest)) for method, *rest in app.url_map.found}  # type: ignore[attr-defined]
    assert known == {
        *((method, "/tasks//completion") for method in ("GET", "HEAD", "POST", "OPTIONS")),
        *((method, path) for method in ("GET", "HEAD", "OPTIONS") for path in ("/tasks//files/", "/tasks/")),
    }
    app.add_url_rule(f"/tasks/{one}/completion", "one", lambda: "")
    environ = EnvironBuilder().get_environ() | {"PATH_INFO": f"/tasks/{one}/completion"}
    assert found(app.create_url_adapter(app.request_class(environ)))[0].endpoint == "one"


def test_what_is_around_a_page_is_called_as_the_library_calls_it() -> None:
    def told(kind: type[Flask]) -> list[Any]:
        app, heard = kind(__name__, static_folder=None), []
        outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)

        def heard_of(name: str, answer: Any = None) -> Any:
            def hook(given: Any = None) -> Any:
                heard.append((name, request.endpoint, isinstance(given, Response)))
                if name.endswith("after"):
                    return given
                return answer if request.args.get("stop") == name else None

            return hook

        for area, name in ((app, "app"), (outer, "outer"), (inner, "inner")):
            for turn in ("first", "second"):
                area.before_request(heard_of(f"{name} {turn} before", answer=("stopped", 418)))
                area.after_request(heard_of(f"{name} {turn} after"))
                area.teardown_request(heard_of(f"{name} {turn} leaving"))

        def page(**values: Any) -> str:
            after_this_request(heard_of("this after"))
            return f"{values}"

        def fails() -> str:
            raise ValueError

        inner.add_url_rule("/page/<int:number>", "page", page)
        inner.add_url_rule("/fails", "fails", fails)
        outer.register_blueprint(inner)
        app.register_blueprint(outer)
        app.add_url_rule("/", "front", page, methods=["GET", "POST"])
        app.secret_key, client = "a key of these tests", app.test_client()
        for path in ("/", "/page/7", "/page/7?stop=outer second before", "/page/x", "/nothing", "/fails"):
            for method in ("GET", "OPTIONS", "DELETE", "GET"):
                answer = client.open(path, method=method)
                heard.append((answer.status_code, answer.data, sorted(answer.headers.get("Allow", "").split(", "))))
        return heard

    assert told(Web) == told(Flask)


def test_an_area_within_an_area_is_named_as_the_library_names_it(web: Web) -> None:
    for endpoint in ("page", "desk.inbox", "a.b.c"):
        with web.test_request_context("/") as context:
            context.request.url_rule = web.url_map._rules[0].empty()
            context.request.url_rule.endpoint = endpoint
            assert context.request.blueprints == areas_of(endpoint) == Flask.request_class.blueprints.fget(context.request)  # type: ignore[attr-defined]


def cookie_of(web: Web, facts: dict[str, Any]) -> str:
    cookies: Any = web.session_interface
    return str(cookies.seal(web).sealed(cookies.content_of(Session(facts))).decode())


@given(st.dictionaries(st.text(max_size=5), KINDS, max_size=3))
@example({"_flashes": [("done", "Đã lưu."), ("done", Markup("<b>"))], "note": "x" * 2000, "id": UUID(int=1), "at": 1.5})
@example({"long": -(2**63) - 1, "longer": 2**64})
def test_what_we_seal_the_library_opens_and_what_it_seals_we_open(web: Web, facts: dict[str, Any]) -> None:
    theirs = SecureCookieSessionInterface().get_signing_serializer(web)
    assert theirs is not None
    for cookie in (cookie_of(web, facts), str(theirs.dumps(facts))):
        with web.test_request_context("/", headers={"Cookie": f"motcua={cookie}"}):
            opened = dict(session)
        assert opened == theirs.loads(cookie)
        notes = opened.pop("_flashes", [])
        assert [tuple(note) for note in notes] == [tuple(note) for note in facts.get("_flashes", [])]
        assert opened == {name: value for name, value in facts.items() if name != "_flashes"}


def test_a_cookie_that_was_changed_is_over_or_comes_from_tomorrow_is_no_session(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie, now = cookie_of(web, {"_user_id": "somebody"}), time.time()

    def held(text: str) -> dict[str, Any]:
        with web.test_request_context("/", headers={"Cookie": f"motcua={text}"}):
            return dict(session)

    assert held(cookie) == {"_user_id": "somebody"}
    for place in range(len(cookie) - 1):  # of the last letter the alphabet leaves two bits unused
        changed = cookie[:place] + ("A" if cookie[place] != "A" else "B") + cookie[place + 1 :]
        assert held(changed) == {}, place
    assert [held(text) for text in ("", ".", "..", cookie[:-5], "é.é.é", cookie.rpartition(".")[0])] == [{}] * 6
    lifetime = web.permanent_session_lifetime.total_seconds()
    for moved, kept in ((lifetime - 5, True), (lifetime + 5, False), (-60, False)):
        monkeypatch.setattr(time, "time", lambda moved=moved: now + moved)
        assert bool(held(cookie)) is kept, moved


def test_a_form_passes_with_the_token_of_its_own_session_and_no_other(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    own, other = web.test_client(), web.test_client()
    token, foreign = own.get("/").text, other.get("/").text
    forged = web.test_client().get("/").text.rpartition(".")[0] + token[token.rindex(".") :]
    asked_library: list[str] = []
    monkeypatch.setattr("flask_wtf.csrf.validate_csrf", lambda sent: (asked_library.append(sent or ""), validate(sent)))

    assert own.post("/", data={"csrf_token": token}).text == "True"
    assert asked_library == []  # the usual way
    assert own.post("/", headers={"X-CSRFToken": token}).text == "True"
    assert own.post("/", data={"prefix-csrf_token": token}).text == "True"
    for wrong in (foreign, forged, token[:-3], token + "A", "", token.replace(".", "", 1), "é.é.é", "a" + token):
        refused = own.post("/", data={"csrf_token": wrong})
        assert (refused.status_code, asked_library.pop()) == (CSRFError.code, wrong), wrong
    assert web.test_client().post("/", data={"csrf_token": token}).status_code == CSRFError.code
    assert own.post("/").status_code == CSRFError.code
    assert own.post("/", data={"csrf_token": token}).text == "True"
