"""The load of ``motcua bench complete-task`` over HTTP: officers at their browsers and programs with tokens, each on a kept connection.

One process, one thread, plain sockets and requests put together beforehand: on a machine shared with what is measured, the load has to
cost as little as it can. Nothing of the way a request takes through the server is left out.
"""

from __future__ import annotations

import http.client
import re
import secrets
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
import psycopg

OPEN = (
    "select distinct on (dossier_id) dossier_id, id, version from task where dossier_id = any(%s) and state = 'open' "
    "order by dossier_id, opened_at, id"
)
REQUEST_ID = 24
"""How long the number is that a page gives its form."""


@dataclass(frozen=True)
class Key:
    """How somebody proves at every request who they are: what stands around the address and the body."""

    head: bytes
    body: bytes
    path: str
    done: bytes
    """The status of an answer that means: completed."""

    def request(self, task: UUID, version: int) -> bytes:
        """Return the bytes that complete a task."""
        body = self.body.replace(b"@request_id", secrets.token_hex(REQUEST_ID // 2).encode()).replace(b"@version", b"%d" % version)
        return b"POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % ((self.path % task).encode(), self.head, len(body), body)


def by_token(token: str, answers: dict[str, Any]) -> Key:
    """Return the key of a program: an access token."""
    head = f"Host: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    body = orjson.dumps({"answers": answers})[:-1] + b', "version": @version}'
    return Key(head.encode(), body, "/api/v1/tasks/%s/completion", b"200")


def by_browser(port: int, name: str, password: str, answers: dict[str, Any]) -> Key:
    """Sign in as a browser does, name and password through the page; return the session's key, with the token its forms carry."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    jar: dict[str, str] = {}

    def ask(method: str, path: str, fields: dict[str, str] | None = None) -> str:
        headers = {"Host": "localhost", "Cookie": "; ".join(f"{one}={value}" for one, value in jar.items())}
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(fields) if fields is not None else None, headers)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie", []):
            one, _, value = line.partition(";")[0].partition("=")
            jar[one] = value
        page = answer.read().decode()
        if answer.status != (200 if fields is None else 303):
            raise RuntimeError(f"{path}: {answer.status}")
        return page

    ask("POST", "/login", {"csrf_token": form_token(ask("GET", "/login")), "name": name, "password": password})
    mark = form_token(ask("GET", "/account"))
    connection.close()
    return session_key(jar["motcua"], mark, answers)


def session_key(cookie: str, mark: str, answers: dict[str, Any]) -> Key:
    """Return the key of a browser's session: its cookie, and the token its forms carry."""
    head = f"Host: localhost\r\nCookie: motcua={cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    fields = urlencode({"csrf_token": mark, **{f"f.{field}": value for field, value in answers.items()}})
    return Key(head.encode(), f"{fields}&request_id=@request_id&_version=@version".encode(), "/desk/tasks/%s/completion", b"303")


def form_token(page: str) -> str:
    """Return the token of a page's forms."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None, "a page without a form"
    return found[1]


@dataclass
class Line:
    """Officers one after the other, each with the connection their browser keeps; one request of a line at a time is under way."""

    work: Iterator[tuple[Key, bytes]]
    sockets: dict[Key, socket.socket]
    done: bytes
    sent: float = 0.0
    answer: bytearray = field(default_factory=bytearray)


@dataclass
class Load:
    """What the clients measured: seconds from sending to the last byte, and answers that were no completion."""

    times: list[float]
    seconds: float
    failures: list[str]


def work_of(looking: psycopg.Connection[Any], dossiers: dict[UUID, Key]) -> Iterator[tuple[Key, bytes]]:
    """Yield requests that complete one open step of every dossier, then look what is open now, until nothing is."""
    while waiting := looking.execute(OPEN, [list(dossiers)]).fetchall():
        for dossier, task, version in waiting:
            yield dossiers[dossier], dossiers[dossier].request(task, version)


def load(port: int, url: str, dossiers: Sequence[UUID], keys: Sequence[Key], clients: int) -> Load:
    """Complete all *dossiers*, each by one of *keys*, *clients* requests at once; looking what is open is part of the load.

    Everybody has a connection of their own, as browsers do: which web process answers is decided by the kernel when a connection begins,
    and four connections are one to three, or all four at one, more often than two to two.
    """
    result = Load([], 0.0, [])
    with psycopg.connect(url, autocommit=True) as looking, selectors.DefaultSelector() as ready:
        lines = []
        for number in range(clients):
            mine = keys[number::clients]
            owners = {one: mine[place % len(mine)] for place, one in enumerate(dossiers[number::clients])}
            line = Line(work_of(looking, owners), {one: connected(port) for one in set(owners.values())}, keys[0].done)
            for connection in line.sockets.values():
                ready.register(connection, selectors.EVENT_READ, line)
            lines.append(line)
        begun = time.perf_counter()
        busy = sum(map(go_on, lines))
        while busy and not result.failures:
            for event, _ in ready.select(60):
                line = event.data
                if answered(line, event.fileobj, result) and not go_on(line):
                    busy -= 1
        result.seconds = time.perf_counter() - begun
        for line in lines:
            for connection in line.sockets.values():
                connection.close()
    return result


def connected(port: int) -> socket.socket:
    """Return a connection to the server."""
    made = socket.create_connection(("127.0.0.1", port), timeout=60)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def go_on(line: Line) -> bool:
    """Send the next request of a line; False when there is none."""
    following = next(line.work, None)
    if following is None:
        return False
    key, request = following
    line.sent = time.perf_counter()
    line.sockets[key].sendall(request)
    return True


def answered(line: Line, connection: Any, result: Load) -> bool:
    """Take what has arrived; True when the answer is whole."""
    arrived = connection.recv(65536)
    if not arrived:
        result.failures.append("the server hung up")
        return False
    line.answer += arrived
    end = line.answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(line.answer[:end])
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    if len(line.answer) < end + 4 + (int(length[1]) if length else 0):
        return False
    result.times.append(time.perf_counter() - line.sent)
    if head[9:12] != line.done or b"/login" in head:
        result.failures.append(f"{head[:60]!r} {bytes(line.answer[end + 4 : end + 300])!r}")
    line.answer.clear()
    return True
