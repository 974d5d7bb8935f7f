"""The agent's HTTP side on 127.0.0.1: ``/v1/…`` for the pages of one office, ``/`` and ``/approvals/…`` for the owner of this computer.

Three doors are kept shut. Another site: the Origin must be the one configured, exactly. A name that was made to point here (DNS rebinding):
the Host must be this computer's own. The office's own pages: they can ask and read the answer, they cannot read the page with the PIN nor
send its form, which is taken from the agent's own origin only. No request is ever written down.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from signing.agent import page
from signing.agent.approvals import Approval, Approvals, Asked
from signing.agent.form import pin_and_act
from signing.agent.words import LANGUAGES, word
from signing.errors import SigningError
from signing.keys import certificate_facts
from signing.model import Json
from signing.pin_seal import wipe

PORT = 18417
VERSION = 1
_MOST_BYTES = 1_000_000
_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


class Agent:
    """Serves *origin* on 127.0.0.1:*port* (0 takes a free one) until stopped; *opened* is told the address of a page that waits."""

    def __init__(self, origin: str, approvals: Approvals, port: int = PORT, opened: Callable[[str], object] = lambda _: None) -> None:
        self.origin = canonical_origin(origin)
        self.approvals, self.opened = approvals, opened
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self.port = int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def hosts(self) -> frozenset[str]:
        """The only values of the Host header that are answered."""
        return frozenset({f"127.0.0.1:{self.port}", f"localhost:{self.port}"})

    def serve(self) -> None:
        """Answer until ``stop``."""
        try:
            self._server.serve_forever(poll_interval=0.2)
        finally:
            self._server.server_close()

    def stop(self) -> None:
        """End ``serve``; call from another thread."""
        self._server.shutdown()

    def asked(self, told: Json) -> Json:
        """An approval is asked for."""
        documents = [Asked(str(one["name"]), base64.b64decode(one["content"], validate=True)) for one in told["documents"]]
        language = told.get("language")
        made = self.approvals.ask(str(told["certificate"]), documents, language if language in LANGUAGES else "vi")
        if made.state == "waiting":
            self.opened(self.page_of(made))
        return self.told(made)

    def told(self, approval: Approval) -> Json:
        """How an approval stands, for the page that asked."""
        signatures = [base64.b64encode(one).decode() for one in approval.signatures]
        return {
            "id": approval.id, "state": approval.state, "code": approval.code, "page": self.page_of(approval), "signatures": signatures,
        }  # fmt: skip

    def page_of(self, approval: Approval) -> str:
        """Where its owner looks at an approval."""
        return f"{self.address}/approvals/{approval.id}"

    def certificates(self) -> Json:
        """What a person may sign with."""
        return {
            "certificates": [
                {
                    "name": facts.common_name,
                    "issuer": facts.issuer,
                    "sha256": one.fingerprint,
                    "certificate": base64.b64encode(one.certificate.der).decode(),
                    "chain": [base64.b64encode(der).decode() for der in one.certificate.chain],
                }
                for one in self.approvals.certificates()
                for facts in [certificate_facts(one.certificate.der)]
            ]
        }

    def answered(self, told: Json) -> Json:
        """What a key has signed before."""
        given = self.approvals.answered(str(told["certificate"]), [base64.b64decode(one, validate=True) for one in told["contents"]])
        return {"signatures": [base64.b64encode(one).decode() if one is not None else None for one in given]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A trace could quote what was asked; nothing is written down."""


def canonical_origin(text: str) -> str:
    """The origin of an address as a browser writes it.

    Raises:
        SigningError: ``agent.origin_invalid`` for what is neither https nor this computer.
    """
    parts = urlsplit(text.strip())
    try:
        port, host = parts.port, (parts.hostname or "").encode("idna").decode()
    except ValueError:
        raise SigningError("agent.origin_invalid") from None
    local = host in ("localhost", "127.0.0.1")
    if not host or parts.username or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise SigningError("agent.origin_invalid")
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != usual else "")


def _handler(agent: Agent) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"
        server_version, sys_version = "motcua-agent", ""
        timeout = 30
        # No buffer of the library's own may hold a PIN: the body is read into memory that is overwritten afterwards.
        rbufsize = 0

        def do_OPTIONS(self) -> None:
            if not self._let_in():
                return
            self._send(204, b"", "text/plain", {**self._shared(), "Access-Control-Max-Age": "600", **_private(self.headers)})

        def do_GET(self) -> None:
            parts = self.path.split("?")[0].strip("/").split("/")
            if parts[0] == "v1":
                if self._let_in():
                    self._answer(lambda: self._look(parts[1:]))
            elif self._own_host():
                self._page(parts)

        def do_POST(self) -> None:
            parts = self.path.split("?")[0].strip("/").split("/")
            if parts[0] == "v1":
                if self._let_in():
                    self._answer(lambda: self._do(parts[1:]))
            elif self._own_host():
                self._form(parts)

        def log_message(self, *_: object) -> None:
            """Nothing is written down."""

        # -- for the office's pages ----------------------------------------------------------------------------------------------------

        def _look(self, parts: list[str]) -> Json:
            match parts:
                case ["status"]:
                    return {"program": "motcua-agent", "version": VERSION}
                case ["certificates"]:
                    return agent.certificates()
                case ["approvals", approval_id]:
                    return agent.told(agent.approvals.find(approval_id))
            raise SigningError("agent.approval_unknown")

        def _do(self, parts: list[str]) -> Json:
            match parts:
                case ["approvals"]:
                    return agent.asked(self._json())
                case ["approvals", approval_id, "withdrawal"]:
                    return agent.told(agent.approvals.withdraw(approval_id))
                case ["answered"]:
                    return agent.answered(self._json())
            raise SigningError("agent.approval_unknown")

        def _answer(self, act: Callable[[], Json]) -> None:
            status, body = 200, {}
            try:
                body = act()
            except SigningError as problem:
                status, body = 422, {"code": problem.code, "facts": dict(problem.facts)}
            except (ValueError, TypeError, KeyError, RecursionError):
                status, body = 400, {"code": "agent.content_strange", "facts": {}}
            self._send(status, json.dumps(body).encode(), "application/json", self._shared())

        def _json(self) -> Json:
            if self.headers.get_content_type() != "application/json":
                # Anything else could be sent from another site without being asked for permission first.
                raise SigningError("agent.content_strange")
            told = json.loads(bytes(self._body()))
            if not isinstance(told, dict):
                raise SigningError("agent.content_strange")
            return told

        def _shared(self) -> dict[str, str]:
            return {
                "Access-Control-Allow-Origin": agent.origin,
                "Access-Control-Allow-Methods": "GET, POST",
                "Access-Control-Allow-Headers": "content-type",
                "Vary": "Origin",
            }

        def _let_in(self) -> bool:
            if not self._own_host():
                return False
            if self.headers.get_all("Origin", []) == [agent.origin]:
                return True
            self._send(403, b'{"code": "agent.origin_wrong", "facts": {}}', "application/json")
            return False

        def _own_host(self) -> bool:
            named = self.headers.get_all("Host", [])
            if len(named) == 1 and named[0] in agent.hosts:
                return True
            self._send(403, b"", "text/plain")
            return False

        # -- for the owner of this computer --------------------------------------------------------------------------------------------

        def _page(self, parts: list[str]) -> None:
            match parts:
                case [""]:
                    found, problem = [], ""
                    try:
                        found = agent.approvals.certificates()
                    except SigningError as failed:
                        problem = failed.code
                    self._html(200, page.home_page(self._language(), agent.origin, found, problem))
                case ["agent.css"]:
                    self._send(200, page.STYLE.encode(), "text/css")
                case ["approvals", approval_id]:
                    self._show(approval_id)
                case _:
                    self._html(404, page.message_page(self._language(), "agent.approval_unknown"))

        def _show(self, approval_id: str, problem: str = "", status: int = 200) -> None:
            try:
                approval = agent.approvals.find(approval_id)
            except SigningError as unknown:
                self._html(404, page.message_page(self._language(), unknown.code))
                return
            self._html(status, page.approval_page(approval, agent.approvals.owner(approval), agent.origin, problem))

        def _form(self, parts: list[str]) -> None:
            if len(parts) != 2 or parts[0] != "approvals" or self.headers.get("Origin") not in {f"http://{one}" for one in agent.hosts}:
                self._send(403, b"", "text/plain")
                return
            try:
                body = self._body()
            except ValueError:
                self._send(400, b"", "text/plain")
                return
            pin, act = pin_and_act(body)
            problem = ""
            try:
                approval = agent.approvals.find(parts[1])
                if act == "refuse":
                    agent.approvals.refuse(approval.id)
                elif not pin:
                    problem = word("pin_missing", approval.language)
                else:
                    try:
                        agent.approvals.sign(approval.id, pin)
                    except SigningError as failed:
                        problem = word(failed.code, approval.language, **failed.facts)
            except SigningError:
                pass  # unknown: the page says so
            finally:
                wipe(pin)
                wipe(body)
            self._show(parts[1], problem, 422 if problem else 200)

        def _html(self, status: int, text: str) -> None:
            self._send(status, text.encode(), "text/html; charset=utf-8")

        def _language(self) -> str:
            return "en" if self.headers.get("Accept-Language", "vi").lower().startswith("en") else "vi"

        # -- both ----------------------------------------------------------------------------------------------------------------------

        def _body(self) -> bytearray:
            told = self.headers.get("Content-Length", "")
            if not told.isdecimal() or int(told) > _MOST_BYTES:
                raise ValueError("length")
            body = bytearray(int(told))
            view, at = memoryview(body), 0
            while at < len(body):
                got: Any = self.rfile.readinto(view[at:])
                if not got:
                    raise ValueError("short")
                at += int(got)
            return body

        def _send(self, status: int, body: bytes, kind: str, extra: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            headers = {
                "Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": _POLICY, "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
                **(extra or {}),
            }  # fmt: skip
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _private(asked: Any) -> dict[str, str]:
    """Private Network Access: the browser asks whether a site of the open network may talk to this computer."""
    return {"Access-Control-Allow-Private-Network": "true"} if asked.get("Access-Control-Request-Private-Network") == "true" else {}
