"""A signing agent for tests: the real process with a SoftHSM2 token, asked as its office's pages ask, its form filled as its owner does."""

from __future__ import annotations

import base64
import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from engine.settings import ROOT
from tests.support.tokens import LIBRARY, PIN, Token

ORIGIN = "https://motcua.mau.gov.vn"


@dataclass(frozen=True)
class Reply:
    """What the agent answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The answer as JSON."""
        return json.loads(self.text)


@dataclass(frozen=True)
class AgentProcess:
    """A running agent."""

    port: int
    origin: str
    process: subprocess.Popen[str]

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str | None) -> Reply:
        """One request as given, and nothing else; a header named None is left out."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        line.putrequest(method, path, skip_host="Host" in told, skip_accept_encoding=True)
        for name, value in told.items():
            if value is not None:
                line.putheader(name, value)
        if body is not None:
            line.putheader("Content-Length", str(len(body)))
        line.endheaders(body)
        answer = line.getresponse()
        given = Reply(answer.status, dict(answer.getheaders()), answer.read().decode())
        line.close()
        return given

    def look(self, path: str) -> Reply:
        """What a page of the office reads."""
        return self.request("GET", f"/v1/{path}", Origin=self.origin)

    def post(self, path: str, told: object) -> Reply:
        """What a page of the office sends."""
        return self.request("POST", f"/v1/{path}", json.dumps(told).encode(), Origin=self.origin, Content_Type="application/json")

    def ask(self, certificate: str, contents: Sequence[bytes], names: Sequence[str] = ()) -> Reply:
        """Ask for signatures."""
        titles = names or [f"Văn bản {n}" for n in range(1, len(contents) + 1)]
        documents = [{"name": n, "content": base64.b64encode(c).decode()} for n, c in zip(titles, contents, strict=True)]
        return self.post("approvals", {"certificate": certificate, "documents": documents})

    def form(self, page: str, pin: str = PIN, act: str = "sign", **headers: str | None) -> Reply:
        """What the owner of the token sends from the agent's own page."""
        told: dict[str, str | None] = {"Origin": self.address, "Content_Type": "application/x-www-form-urlencoded", **headers}
        return self.request("POST", urlsplit(page).path, urlencode({"pin": pin, "act": act}).encode(), **told)

    def sign(self, certificate: str, contents: Sequence[bytes], pin: str = PIN) -> list[bytes]:
        """Ask, have the owner type the PIN, fetch the answer."""
        asked = self.ask(certificate, contents).json
        if asked["state"] == "waiting":
            self.form(asked["page"], pin)
        told = self.look(f"approvals/{asked['id']}").json
        assert told["state"] == "signed", told
        return [base64.b64decode(one) for one in told["signatures"]]


@contextmanager
def agent_of(token: Token, home: Path, *, origin: str = ORIGIN, port: int = 0, more: Sequence[str] = ()) -> Iterator[AgentProcess]:
    """An agent with a token, until the end of the block; it must have written nothing but its address."""
    command = [sys.executable, "-m", "signing.agent", "--origin", origin, "--library", LIBRARY, "--home", str(home)]
    with subprocess.Popen(
        [*command, "--port", str(port), "--no-browser", *more],
        cwd=ROOT, env=token.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)/", said)
        if found is None:
            raise AssertionError((said, process.communicate(timeout=10)))
        try:
            yield AgentProcess(int(found[1]), origin, process)
        finally:
            process.terminate()
            rest = process.communicate(timeout=30)
        assert rest == ("", ""), "requests are never written down"
