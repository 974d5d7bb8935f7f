"""Key custody: the client every other process uses, and ``python -m signing.custody`` that runs the process holding the keys.

``python -m signing.custody --home DIR [--address-file FILE]``: keys in DIR/keys, address and token in FILE (0600, default
DIR/custody.json). Web and worker pass the sealed PIN on without being able to read it.
"""

from __future__ import annotations

import argparse
import base64
import json
import signal
import socket
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from signing.errors import SigningError
from signing.model import Json, SignerCertificate
from signing.pin_seal import seal_pin as seal_pin

_SECONDS = 60.0


@dataclass(frozen=True)
class Challenge:
    """What the signer's browser needs to seal a PIN: the custody's public key (JWK) and a nonce good once, for *seconds*."""

    public_key: Json
    nonce: str
    seconds: float


@dataclass(frozen=True)
class HeldKey:
    """One key in custody; ``tries_left`` 0 means locked."""

    key_id: str
    certificate: SignerCertificate
    tries_left: int


class Custody:
    """Client of the custody process; knows only the address file, so the process may be restarted under it."""

    def __init__(self, address_file: Path) -> None:
        self._address_file = address_file

    def challenge(self, key_id: str) -> Challenge:
        """Ask for a nonce to seal a PIN for *key_id*."""
        answer = self._ask("challenge", key_id=key_id)
        return Challenge(answer["public_key"], str(answer["nonce"]), float(answer["seconds"]))

    def keys(self) -> list[HeldKey]:
        """All keys in custody with their certificates."""
        return [
            HeldKey(
                str(one["key_id"]),
                SignerCertificate(base64.b64decode(one["certificate"]), tuple(base64.b64decode(der) for der in one["chain"])),
                int(one["tries_left"]),
            )
            for one in self._ask("keys")["keys"]
        ]

    def key(self, key_id: str) -> HeldKey:
        """One key.

        Raises:
            SigningError: ``custody.key_unknown``.
        """
        for one in self.keys():
            if one.key_id == key_id:
                return one
        raise SigningError("custody.key_unknown")

    def sign(self, key_id: str, sealed_pin: str, contents: Sequence[bytes]) -> Sequence[bytes | SigningError]:
        """Raw signatures over each of *contents* (``Prepared.to_sign``) under one authorisation, in the same order.

        A key at a signing service may refuse single ones: their place holds the reason. *sealed_pin* is empty for a key whose owner
        approves on a telephone.

        Raises:
            SigningError: ``signing.pin_wrong`` (fact ``left``), ``signing.pin_locked``, ``signing.pin_seal_expired`` (nonce used, too old
                or of a restarted process: ask again), ``signing.pin_seal_broken``, ``custody.key_unknown``, ``custody.down`` (nothing was
                asked), ``custody.answer_lost`` (whether it has signed, ``answered`` tells).
        """
        answer = self._ask("sign", key_id=key_id, sealed_pin=sealed_pin, contents=[_text(one) for one in contents])
        return [_given(one, code) or SigningError("custody.request_broken") for one, code in _pairs(answer)]

    def answered(self, key_id: str, contents: Sequence[bytes]) -> Sequence[bytes | SigningError | None]:
        """What ``sign`` has answered for these *contents* before, None where it has signed nothing; asks for no PIN, signs nothing.

        Raises:
            SigningError: ``custody.down``, ``custody.answer_lost``, ``custody.remote_late``, ``custody.remote_down``: ask again later.
        """
        answer = self._ask("answered", key_id=key_id, contents=[_text(one) for one in contents])
        return [_given(one, code) for one, code in _pairs(answer)]

    def connect(self, key_id: str, place: Json, pem: bytes) -> SignerCertificate:
        """Make a key at a signing service known: *place* as in ``signing.places``, *pem* its certificate and the chain above it.

        Raises:
            SigningError: ``custody.place_invalid`` with the field, ``custody.key_exists``, ``custody.file_incomplete``.
        """
        self._ask("connect", key_id=key_id, place=place, pem=pem.decode("ascii", "replace"))
        return self.key(key_id).certificate

    def change_pin(self, key_id: str, sealed_pin: str, sealed_new_pin: str) -> None:
        """Put the key under another PIN; each PIN is sealed with a nonce of its own."""
        self._ask("change_pin", key_id=key_id, sealed_pin=sealed_pin, sealed_new_pin=sealed_new_pin)

    def unlock(self, key_id: str) -> None:
        """Give a locked key its tries back; an administrator's act, which the caller authorises and records."""
        self._ask("unlock", key_id=key_id)

    def take_in(self, key_id: str, p12: bytes, sealed_pin: str) -> None:
        """Hand over an existing PKCS#12 file."""
        self._ask("take_in", key_id=key_id, p12=_text(p12), sealed_pin=sealed_pin)

    def issue_person(
        self, key_id: str, sealed_pin: str, *, name: str, title: str, agency: str, uid: str, valid_from: datetime
    ) -> SignerCertificate:
        """Make a TEST key for a person under a PIN only that person knows."""
        subject = {"name": name, "title": title, "agency": agency, "uid": uid}
        self._ask("issue", key_id=key_id, sealed_pin=sealed_pin, kind="person", subject=subject, valid_from=valid_from.isoformat())
        return self.key(key_id).certificate

    def issue_agency(self, key_id: str, sealed_pin: str, *, name: str, code: str, valid_from: datetime) -> SignerCertificate:
        """Make a TEST key for an agency's seal signature."""
        subject = {"name": name, "code": code}
        self._ask("issue", key_id=key_id, sealed_pin=sealed_pin, kind="agency", subject=subject, valid_from=valid_from.isoformat())
        return self.key(key_id).certificate

    def _ask(self, act: str, **what: object) -> Json:
        try:
            told = json.loads(self._address_file.read_text())
            port, token = int(told["port"]), told["token"]
            line = socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)
        except (OSError, ValueError, KeyError) as problem:
            raise SigningError("custody.down") from problem
        with line:
            try:
                line.sendall(json.dumps({"token": token, "act": act, **what}).encode() + b"\n")
                answer: Json = json.loads(line.makefile("rb").readline())
            except (OSError, ValueError):
                # The request may have been carried out; not chained, the causes could carry it.
                raise SigningError("custody.answer_lost") from None
        if "code" in answer:
            raise SigningError(answer["code"], **answer["facts"])
        return answer


def _pairs(answer: Json) -> Iterable[tuple[str | None, str | None]]:
    return zip(answer["signatures"], answer["failures"], strict=True)


def _given(one: str | None, code: str | None) -> bytes | SigningError | None:
    if code:
        return SigningError(code)
    return base64.b64decode(one) if one else None


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def main(arguments: list[str] | None = None) -> int:
    """Run the custody process until SIGTERM or SIGINT."""
    from signing.custody_server import NONCE_SECONDS, CustodyServer, close_memory

    parser = argparse.ArgumentParser(prog="signing.custody")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--address-file", type=Path)
    parser.add_argument("--nonce-seconds", type=float, default=NONCE_SECONDS)
    chosen = parser.parse_args(arguments)
    close_memory()
    server = CustodyServer(chosen.home, chosen.address_file or chosen.home / "custody.json", chosen.nonce_seconds)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.stop).start())
    sys.stdout.write("custody ready\n")
    sys.stdout.flush()
    server.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
