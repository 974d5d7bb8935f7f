"""The demonstration's trust services in one process on loopback: time-stamps, OCSP, revocation lists, CA certificates.

``python -m signing.trust_services --home DIR [--port N] [--clock-file FILE] [--offset SECONDS] [--address-file FILE]``

The clock is the machine's plus an offset; the clock file (one number of seconds, may be absent) is read at every answer, so the services
follow the office's shifted clock without being told.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import signal
import sys
import threading
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from signing.authorities import Authorities
from signing.testpki import SERVICE_ADDRESS, TestPki

Clock = Callable[[], datetime]
_MAX_REQUEST = 64 * 1024


def clock_of(file: Path | None, offset: float = 0) -> Clock:
    """The machine's clock moved by *offset* seconds and by the number of seconds in *file* (absent or empty: none)."""

    def now() -> datetime:
        moved = offset
        if file is not None and file.exists():
            moved += float(file.read_text().strip() or 0)
        return datetime.now(UTC) + timedelta(seconds=moved)

    return now


class TrustServices:
    """The server, started and stopped by its owner; tests run it in a thread, the supervisor as its own process."""

    def __init__(self, folder: Path, clock: Clock, port: int = 0) -> None:
        self._authorities = Authorities(TestPki(folder))
        self._folder = folder
        self._clock = clock
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        """Where it listens, e.g. ``http://127.0.0.1:40123``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def routes(self) -> dict[str, str]:
        """The address written in the certificates → where it is answered; the allow-list of the verifier's fetchers."""
        return {SERVICE_ADDRESS: self.address}

    @property
    def tsa_url(self) -> str:
        """The time-stamping address."""
        return f"{self.address}/tsa"

    def serve(self) -> None:
        """Answer until ``stop`` is called from another thread."""
        self._server.serve_forever(poll_interval=0.2)

    def start(self) -> None:
        """Answer from a thread of this process."""
        threading.Thread(target=self.serve, daemon=True).start()

    def stop(self) -> None:
        """Stop answering and close the socket."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, body: bytes) -> tuple[str, bytes] | None:
        """Content type and answer to one request, None for an unknown address."""
        now = self._clock()
        if method == "POST" and path == "/tsa":
            return "application/timestamp-reply", self._authorities.timestamp(body, now)
        if method == "POST" and path == "/ocsp":
            return "application/ocsp-response", self._authorities.ocsp(body, now)
        if method == "GET" and path.startswith("/ocsp/"):
            raw = base64.b64decode(urllib.parse.unquote(path.removeprefix("/ocsp/")))
            return "application/ocsp-response", self._authorities.ocsp(raw, now)
        if method == "GET" and path in ("/issuing.crl", "/root.crl"):
            return "application/pkix-crl", self._authorities.crl(path[1:-4], now)
        if method == "GET" and path in ("/issuing.der", "/root.der"):
            return "application/pkix-cert", (self._folder / path[1:]).read_bytes()
        if method == "GET" and path == "/healthz":
            return "text/plain", now.isoformat().encode()
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        services = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def do_GET(self) -> None:
                self._reply(b"")

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                if not 0 < length <= _MAX_REQUEST:
                    self.send_error(413)
                    return
                self._reply(self.rfile.read(length))

            def _reply(self, body: bytes) -> None:
                try:
                    answer = services.answer(self.command, self.path, body)
                except (ValueError, TypeError, KeyError):
                    # A malformed query is the asker's fault; the service goes on.
                    self.send_error(400)
                    return
                if answer is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Type", answer[0])
                self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1])

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Say nothing: the services log no requests."""

        return Handler


def main(arguments: list[str] | None = None) -> int:
    """Run as a process until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="signing.trust_services")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--clock-file", type=Path)
    parser.add_argument("--offset", type=float, default=0)
    parser.add_argument("--address-file", type=Path)
    chosen = parser.parse_args(arguments)
    services = TrustServices(chosen.home, clock_of(chosen.clock_file, chosen.offset), chosen.port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=services.stop).start())
    told = json.dumps({"address": services.address, "tsa": services.tsa_url, "routes": services.routes, "pid": os.getpid()})
    if chosen.address_file:
        temporary = chosen.address_file.with_suffix(".new")
        temporary.write_text(told)
        temporary.replace(chosen.address_file)
    sys.stdout.write(told + "\n")
    sys.stdout.flush()
    services.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
