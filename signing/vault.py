"""The keys of the custody process: PKCS#12 files under PINs, opened for one authorisation at a time.

A wrong PIN costs one of three tries, written down before the PIN is tried, so that neither killing the process nor asking from many
sides at once buys a guess.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from signing.errors import SigningError
from signing.keys import mechanism_for, sign_with
from signing.model import SignerCertificate
from signing.pin_seal import wipe_bytes
from signing.testpki import AuthorityKey, sealed_p12

T = TypeVar("T")
TRIES = 3
SHORTEST_PIN = 6
_DEVICE_FILE = ".p11.json"
_KEEP_ANSWERS = 30 * 86400  # seconds


class Vault:
    """The keys in *folder*: ``<key_id>.pem`` beside ``<key_id>.p12``, or ``<key_id>.p11.json`` for one on a device."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._tries_file = folder / "tries.json"
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def key_ids(self) -> list[str]:
        """All keys, sorted."""
        files = [path.stem for path in self._folder.glob("*.p12")]
        return sorted(files + [path.name.removesuffix(_DEVICE_FILE) for path in self._folder.glob(f"*{_DEVICE_FILE}")])

    def certificate(self, key_id: str) -> SignerCertificate:
        """Certificate and chain of a key; public, needs no PIN."""
        self._path(key_id)
        pem = (self._folder / f"{key_id}.pem").read_bytes()
        leaf, *above = (one.public_bytes(serialization.Encoding.DER) for one in x509.load_pem_x509_certificates(pem))
        return SignerCertificate(leaf, tuple(above))

    def tries_left(self, key_id: str) -> int:
        """How many wrong PINs are left before the key locks; 0 = locked."""
        return max(0, TRIES - self._failures().get(key_id, 0))

    def sign(self, key_id: str, pin: bytearray, contents: Sequence[bytes]) -> list[bytes]:
        """Raw signatures over *contents* under one authorisation; the key leaves memory when this returns.

        What this key has signed before is answered with the same signature: an answer lost on its way, asked for again, never becomes
        a second signature.
        """
        place = self._folder / f"{key_id}{_DEVICE_FILE}"
        if place.exists():
            from signing.token_keys import TokenKey

            return self._tried(key_id, lambda: self._once(key_id, contents, lambda new: TokenKey.read(place).sign(pin, new)))
        path = self._path(key_id)

        def opened_and_signed() -> list[bytes]:
            key, certificate, _ = _opened(path.read_bytes(), pin)
            name = mechanism_for(certificate.public_bytes(serialization.Encoding.DER))
            return self._once(key_id, contents, lambda new: [sign_with(key, name, content) for content in new])

        return self._tried(key_id, opened_and_signed)

    def answered(self, key_id: str, contents: Sequence[bytes]) -> list[bytes | None]:
        """The signatures this key has given over *contents* before, None where it has given none; needs no PIN, signs nothing."""
        self._path(key_id)
        with self._lock(key_id):
            return [self._kept(key_id, content) for content in contents]

    def change_pin(self, key_id: str, pin: bytearray, new_pin: bytearray) -> None:
        """Put the key under *new_pin*; a wrong *pin* costs a try."""
        _check_shape(new_pin)
        key, certificate, above = self._open(key_id, pin)
        secret = bytes(new_pin)
        try:
            self._write(f"{key_id}.p12", sealed_p12(key_id, key, certificate, above, secret))
        finally:
            del key
            wipe_bytes(secret)

    def take_in(self, key_id: str, p12: bytes, pin: bytearray) -> None:
        """Take over an existing PKCS#12 file whose PIN is *pin*."""
        if not key_id.replace("-", "").replace("_", "").isalnum() or not key_id.isascii():
            raise SigningError("custody.key_id_invalid")
        if (self._folder / f"{key_id}.p12").exists():
            raise SigningError("custody.key_exists")
        _, certificate, above = _opened(p12, pin)
        pem = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in [certificate, *above])
        self._write(f"{key_id}.pem", pem)
        self._write(f"{key_id}.p12", p12)

    def unlock(self, key_id: str) -> None:
        """Give back all tries; the caller has made sure an administrator asks."""
        self._path(key_id)
        with self._lock(key_id):
            self._count(key_id, 0)

    def _once(self, key_id: str, contents: Sequence[bytes], sign: Callable[[Sequence[bytes]], list[bytes]]) -> list[bytes]:
        """The kept answers, and new ones for the rest, on disk before anybody sees them."""
        known = {content: kept for content in contents if (kept := self._kept(key_id, content)) is not None}
        new = [content for content in dict.fromkeys(contents) if content not in known]
        if new:
            self._forget(key_id)
        for content, signature in zip(new, sign(new) if new else [], strict=True):
            self._write(self._answer(key_id, content), signature)
            known[content] = signature
        return [known[content] for content in contents]

    def _answer(self, key_id: str, content: bytes) -> str:
        place = f"answers/{key_id}"
        (self._folder / place).mkdir(parents=True, exist_ok=True, mode=0o700)
        return f"{place}/{hashlib.sha256(content).hexdigest()}"

    def _kept(self, key_id: str, content: bytes) -> bytes | None:
        place = self._folder / self._answer(key_id, content)
        return place.read_bytes() if place.exists() else None

    def _forget(self, key_id: str) -> None:
        until = time.time() - _KEEP_ANSWERS
        for place in (self._folder / "answers" / key_id).iterdir():
            if place.stat().st_mtime < until:
                place.unlink(missing_ok=True)

    def _open(self, key_id: str, pin: bytearray) -> tuple[AuthorityKey, x509.Certificate, list[x509.Certificate]]:
        path = self._path(key_id)
        if not path.exists():
            raise SigningError("custody.key_on_device")
        return self._tried(key_id, lambda: _opened(path.read_bytes(), pin))

    def _tried(self, key_id: str, attempt: Callable[[], T]) -> T:
        """The outcome of an *attempt* with a PIN, counted before it is made."""
        self._path(key_id)
        with self._lock(key_id):
            failures = self._failures().get(key_id, 0)
            if failures >= TRIES:
                raise SigningError("signing.pin_locked")
            self._count(key_id, failures + 1)
            try:
                outcome = attempt()
            except SigningError as problem:
                if problem.code != "signing.pin_wrong":
                    self._count(key_id, failures)
                    raise
                left = TRIES - failures - 1
                if left == 0:
                    raise SigningError("signing.pin_locked") from None
                raise SigningError("signing.pin_wrong", left=left) from None
            self._count(key_id, 0)
            return outcome

    def _path(self, key_id: str) -> Path:
        if key_id not in self.key_ids():
            raise SigningError("custody.key_unknown")
        return self._folder / f"{key_id}.p12"

    def _lock(self, key_id: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(key_id, threading.Lock())

    def _failures(self) -> dict[str, int]:
        return dict(json.loads(self._tries_file.read_text())) if self._tries_file.exists() else {}

    def _count(self, key_id: str, failures: int) -> None:
        with self._guard:
            entries = self._failures()
            if entries.get(key_id, 0) == failures:
                return
            entries[key_id] = failures
            self._write(self._tries_file.name, json.dumps(entries).encode())

    def _write(self, name: str, content: bytes) -> None:
        temporary = (self._folder / name).with_name(f".{Path(name).name}.new")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(self._folder / name)


def _opened(p12: bytes, pin: bytearray) -> tuple[AuthorityKey, x509.Certificate, list[x509.Certificate]]:
    try:
        found = pkcs12.load_pkcs12(p12, pin)  # type: ignore[arg-type]  # takes any buffer; a bytearray can be wiped
    except ValueError as problem:
        raise SigningError("signing.pin_wrong", left=0) from problem
    if found.cert is None or not isinstance(found.key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise SigningError("custody.file_incomplete")
    return found.key, found.cert.certificate, [one.certificate for one in found.additional_certs]


def _check_shape(pin: bytearray) -> None:
    if len(pin) < SHORTEST_PIN:
        raise SigningError("signing.pin_short", least=SHORTEST_PIN)
