"""Forms read, cookies sealed and tokens checked by our own short ways: exactly what the libraries read, write and refuse."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import pytest
from flask import g, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, generate_csrf
from flask_wtf.csrf import validate_csrf as validate
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup
from werkzeug.urls import iri_to_uri

from webapp.application import PLAIN_ADDRESS, Web, fields_of
from webapp.security import Tokens
from webapp.sessions import HonestCookies, Session

FORM = "application/x-www-form-urlencoded"
PIECES = [b"%", b"%C3", b"%a9", b"%e1%bb%9d", b"&", b"=", b"+", b"a", b" ", b"\t", b"\r", b"\n", b"%0d%0A", b"%3D", b"%26", b"%00", b"%zz"]
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


def cookie_of(web: Web, facts: dict[str, Any]) -> str:
    cookies: Any = web.session_interface
    return str(cookies.seal(web).sealed(cookies.content_of(Session(facts))).decode())


@given(st.dictionaries(st.text(max_size=5), KINDS, max_size=3))
@example({"_flashes": [("done", "Đã lưu."), ("done", Markup("<b>"))], "note": "x" * 2000, "id": UUID(int=1), "at": 1.5})
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
