"""The key-custody process: holds keys and PINs, answers on a private loopback socket to whoever knows its token.

One line of JSON in, one line out, per connection. It writes no log at all; the address file (0600) says where it listens.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import hmac
import json
import os
import secrets
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from signing.errors import SigningError
from signing.model import Json
from signing.pin_seal import SealingKey, nonce_of, wipe
from signing.places import RemotePlace
from signing.testpki import AgencySpec, PersonSpec, TestPki
from signing.vault import SHORTEST_PIN, Answer, Vault

NONCE_SECONDS = 600
MOST_CONTENTS = 500
_MOST_NONCES = 10_000
_MOST_BYTES = 16 * 1024 * 1024


class CustodyServer:
    """Serves the keys under *home*/keys until stopped; *seconds* is the life of a nonce."""

    def __init__(self, home: Path, address_file: Path, seconds: float = NONCE_SECONDS) -> None:
        self._home = home
        self._vault = Vault(home / "keys")
        self._sealing = SealingKey()
        self._seconds = seconds
        self._nonces: dict[str, tuple[str, float]] = {}
        self._guard = threading.Lock()
        self._token = secrets.token_urlsafe(32)
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler(), bind_and_activate=False)
        self._server.daemon_threads = True
        self._server.server_bind()
        self._server.server_activate()
        self._address_file = address_file
        self._acts: dict[str, Callable[[Json], Json]] = {
            "challenge": self._challenge,
            "keys": self._keys,
            "sign": self._sign,
            "answered": self._answered,
            "change_pin": self._change_pin,
            "unlock": self._unlock,
            "take_in": self._take_in,
            "issue": self._issue,
            "connect": self._connect,
        }

    def serve(self) -> None:
        """Write the address file and answer until ``stop``."""
        told = {"port": self._server.server_address[1], "token": self._token, "pid": os.getpid()}
        temporary = self._address_file.with_suffix(".new")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(told, out)
        temporary.replace(self._address_file)
        try:
            self._server.serve_forever(poll_interval=0.2)
        finally:
            self._server.server_close()
            self._address_file.unlink(missing_ok=True)

    def stop(self) -> None:
        """End ``serve``; call from another thread."""
        self._server.shutdown()

    def answer(self, line: bytes) -> Json:
        """The answer to one request; never raises and never repeats what was asked."""
        try:
            asked = json.loads(line)
            if not hmac.compare_digest(str(asked.get("token", "")), self._token):
                return {"code": "custody.token_wrong", "facts": {}}
            return self._acts[str(asked["act"])](asked)
        except SigningError as problem:
            return {"code": problem.code, "facts": dict(problem.facts)}
        except Exception:
            # Whatever went wrong, neither the request nor the trace may leave this process: both could hold a secret.
            return {"code": "custody.request_broken", "facts": {}}

    def _challenge(self, asked: Json) -> Json:
        key_id = str(asked["key_id"])
        nonce, until = secrets.token_urlsafe(18), time.monotonic() + self._seconds
        with self._guard:
            now = time.monotonic()
            self._nonces = {one: entry for one, entry in self._nonces.items() if entry[1] > now}
            if len(self._nonces) >= _MOST_NONCES:
                raise SigningError("custody.busy")
            self._nonces[nonce] = (key_id, until)
        return {"public_key": self._sealing.public, "nonce": nonce, "seconds": self._seconds}

    def _pin(self, asked: Json, name: str = "sealed_pin") -> bytearray:
        sealed = str(asked[name])
        with self._guard:
            key_id, until = self._nonces.pop(nonce_of(sealed), ("", 0.0))
        # Used once, for the key it was asked for, while it lives; a repeated request meets an unknown nonce.
        if until <= time.monotonic() or key_id != str(asked["key_id"]):
            raise SigningError("signing.pin_seal_expired")
        return self._sealing.open(sealed)

    def _keys(self, asked: Json) -> Json:
        found = []
        for key_id in self._vault.key_ids():
            certificate = self._vault.certificate(key_id)
            chain = [_text(der) for der in certificate.chain]
            found.append(
                {"key_id": key_id, "certificate": _text(certificate.der), "chain": chain, "tries_left": self._vault.tries_left(key_id)}
            )
        return {"keys": found}

    def _sign(self, asked: Json) -> Json:
        contents = [base64.b64decode(one) for one in asked["contents"]]
        if not 0 < len(contents) <= MOST_CONTENTS:
            raise SigningError("custody.batch_size", most=MOST_CONTENTS)
        key_id = str(asked["key_id"])
        pin = self._pin(asked) if self._vault.needs_pin(key_id) else bytearray()
        try:
            return _answers(self._vault.sign(key_id, pin, contents))
        finally:
            wipe(pin)

    def _answered(self, asked: Json) -> Json:
        contents = [base64.b64decode(one) for one in asked["contents"]]
        return _answers(self._vault.answered(str(asked["key_id"]), contents))

    def _change_pin(self, asked: Json) -> Json:
        pin, new_pin = self._pin(asked), self._pin(asked, "sealed_new_pin")
        try:
            self._vault.change_pin(str(asked["key_id"]), pin, new_pin)
        finally:
            wipe(pin)
            wipe(new_pin)
        return {}

    def _unlock(self, asked: Json) -> Json:
        self._vault.unlock(str(asked["key_id"]))
        return {}

    def _take_in(self, asked: Json) -> Json:
        pin = self._pin(asked)
        try:
            self._vault.take_in(str(asked["key_id"]), base64.b64decode(asked["p12"]), pin)
        finally:
            wipe(pin)
        return {}

    def _connect(self, asked: Json) -> Json:
        self._vault.connect(str(asked["key_id"]), RemotePlace.from_json(dict(asked["place"])), str(asked["pem"]).encode())
        return {}

    def _issue(self, asked: Json) -> Json:
        """A new TEST key under a PIN only its owner knows."""
        pin = self._pin(asked)
        try:
            if len(pin) < SHORTEST_PIN:
                raise SigningError("signing.pin_short", least=SHORTEST_PIN)
            pki, since = TestPki(self._home), datetime.fromisoformat(asked["valid_from"])
            fields: dict[str, Any] = {"key_id": str(asked["key_id"]), "pin": pin.decode(), **asked["subject"]}
            if asked["kind"] == "agency":
                pki.issue_agency(AgencySpec(**fields), valid_from=since)
            else:
                pki.issue_person(PersonSpec(**fields), valid_from=since)
        finally:
            wipe(pin)
        return {}

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        custody = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = 30

            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    line = self.rfile.readline(_MOST_BYTES)
                    self.wfile.write(json.dumps(custody.answer(line)).encode() + b"\n")

        return Handler


def close_memory() -> None:
    """Keep this process's memory from core dumps and from other processes of the same user, where the system can."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        set_dumpable = 4
        ctypes.CDLL(None).prctl(set_dumpable, 0, 0, 0, 0)


def _answers(given: Sequence[Answer | None]) -> Json:
    return {
        "signatures": [_text(one) if isinstance(one, bytes) else None for one in given],
        "failures": [one.code if isinstance(one, SigningError) else None for one in given],
    }


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
