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
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from signing.errors import SigningError
from signing.keys import mechanism_for, sign_with
from signing.model import SignerCertificate
from signing.pin_seal import wipe_bytes
from signing.places import SUFFIX, UNCERTAIN, RemotePlace
from signing.testpki import AuthorityKey, sealed_p12

if TYPE_CHECKING:
    # The driver's wrapper is loaded only where a key lives on a device.
    from signing.token_keys import TokenKey

T = TypeVar("T")
TRIES = 3
SHORTEST_PIN = 6
# A signature, or the reason why there is none.
Answer: TypeAlias = bytes | SigningError
_DEVICE_FILE = ".p11.json"
_ASKED = ".asked"
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
        endings = (".p12", _DEVICE_FILE, SUFFIX)
        return sorted(path.name.removesuffix(ending) for ending in endings for path in self._folder.glob(f"*{ending}"))

    def certificate(self, key_id: str) -> SignerCertificate:
        """Certificate and chain of a key; public, needs no PIN."""
        self._path(key_id)
        pem = (self._folder / f"{key_id}.pem").read_bytes()
        leaf, *above = (one.public_bytes(serialization.Encoding.DER) for one in x509.load_pem_x509_certificates(pem))
        return SignerCertificate(leaf, tuple(above))

    def tries_left(self, key_id: str) -> int:
        """How many wrong PINs are left before the key locks; 0 = locked."""
        return max(0, TRIES - self._failures().get(key_id, 0))

    def needs_pin(self, key_id: str) -> bool:
        """Whether this key is opened by a PIN; otherwise its owner approves elsewhere."""
        place = self._remote(key_id)
        return place is None or place.needs_pin

    def connect(self, key_id: str, place: RemotePlace, pem: bytes) -> None:
        """Take note of a key at a signing service; *pem* is its certificate with the chain above it."""
        self._check_new(key_id)
        try:
            x509.load_pem_x509_certificates(pem)
        except ValueError:
            raise SigningError("custody.file_incomplete") from None
        self._write(f"{key_id}.pem", pem)
        self._write(f"{key_id}{SUFFIX}", json.dumps(place.to_json()).encode())

    def hold(self, key_id: str, place: TokenKey, certificate: SignerCertificate) -> None:
        """Take note of a key on a device, or of where it is now."""
        self._check_name(key_id)
        chain = (x509.load_der_x509_certificate(der) for der in (certificate.der, *certificate.chain))
        self._write(f"{key_id}.pem", b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain))
        self._write(f"{key_id}{_DEVICE_FILE}", place.to_json().encode())

    def sign(self, key_id: str, pin: bytearray, contents: Sequence[bytes]) -> Sequence[Answer]:
        """Raw signatures over *contents* under one authorisation; the key leaves memory when this returns.

        What this key has signed before is answered with the same signature: an answer lost on its way, asked for again, never becomes
        a second signature. A signing service may refuse single ones: their place holds the reason.
        """
        remote = self._remote(key_id)
        if remote is not None:
            with self._lock(key_id):
                return Elsewhere(self, key_id, remote).sign(pin, contents)
        place = self._folder / f"{key_id}{_DEVICE_FILE}"
        if place.exists():
            from signing.token_keys import TokenKey

            known = self.answered(key_id, contents)
            # Nothing is asked of the device, so no PIN is tried: it may neither cost a try nor give tries back.
            if all(isinstance(one, bytes) for one in known):
                return [one for one in known if one is not None]
            return self._tried(key_id, lambda: self._once(key_id, contents, lambda new: TokenKey.read(place).sign(pin, new)))
        path = self._path(key_id)

        def opened_and_signed() -> list[bytes]:
            key, certificate, _ = _opened(path.read_bytes(), pin)
            name = mechanism_for(certificate.public_bytes(serialization.Encoding.DER))
            return self._once(key_id, contents, lambda new: [sign_with(key, name, content) for content in new])

        return self._tried(key_id, opened_and_signed)

    def answered(self, key_id: str, contents: Sequence[bytes]) -> Sequence[Answer | None]:
        """The signatures this key has given over *contents* before, None where it has given none; needs no PIN, signs nothing.

        Raises:
            SigningError: ``custody.remote_late``, ``custody.remote_down``: a signing service does not say yet.
        """
        self._path(key_id)
        remote = self._remote(key_id)
        with self._lock(key_id):
            if remote is not None:
                return Elsewhere(self, key_id, remote).answered(contents)
            return [self.kept(key_id, content) for content in contents]

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
        self._check_new(key_id)
        _, certificate, above = _opened(p12, pin)
        pem = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in [certificate, *above])
        self._write(f"{key_id}.pem", pem)
        self._write(f"{key_id}.p12", p12)

    def unlock(self, key_id: str) -> None:
        """Give back all tries; the caller has made sure an administrator asks."""
        self._path(key_id)
        with self._lock(key_id):
            self._count(key_id, 0)

    def _check_name(self, key_id: str) -> None:
        if not key_id.replace("-", "").replace("_", "").isalnum() or not key_id.isascii():
            raise SigningError("custody.key_id_invalid")

    def _check_new(self, key_id: str) -> None:
        self._check_name(key_id)
        if key_id in self.key_ids():
            raise SigningError("custody.key_exists")

    def _remote(self, key_id: str) -> RemotePlace | None:
        path = self._folder / f"{key_id}{SUFFIX}"
        return RemotePlace.read(path) if path.exists() else None

    def _once(self, key_id: str, contents: Sequence[bytes], sign: Callable[[Sequence[bytes]], list[bytes]]) -> list[bytes]:
        """The kept answers, and new ones for the rest, on disk before anybody sees them."""
        known = {content: kept for content in contents if (kept := self.kept(key_id, content)) is not None}
        new = [content for content in dict.fromkeys(contents) if content not in known]
        for content, signature in zip(new, sign(new) if new else [], strict=True):
            self.keep(key_id, content, signature)
            known[content] = signature
        return [known[content] for content in contents]

    def _answer(self, key_id: str, content: bytes) -> str:
        place = f"answers/{key_id}"
        (self._folder / place).mkdir(parents=True, exist_ok=True, mode=0o700)
        return f"{place}/{hashlib.sha256(content).hexdigest()}"

    def keep(self, key_id: str, content: bytes, signature: bytes) -> None:
        """Keep an answer before anybody sees it; those of last month go."""
        self._write(self._answer(key_id, content), signature)
        self._forget(key_id)

    def mark(self, key_id: str, name: str, content: bytes | None) -> None:
        """Write, or with None take away, what is under way for a key."""
        place = f"answers/{key_id}/{name}"
        if content is None:
            (self._folder / place).unlink(missing_ok=True)
        else:
            (self._folder / place).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._write(place, content)

    def marks(self, key_id: str, ending: str) -> list[Path]:
        """What is under way for a key."""
        return sorted((self._folder / "answers" / key_id).glob(f"*{ending}"))

    def kept(self, key_id: str, content: bytes) -> bytes | None:
        """The answer kept for *content*."""
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


class Elsewhere:
    """A key at a signing service under the vault's lock: what is asked is written down first, and asked once."""

    def __init__(self, vault: Vault, key_id: str, place: RemotePlace) -> None:
        self._vault, self._key_id, self._place = vault, key_id, place

    def sign(self, pin: bytearray, contents: Sequence[bytes]) -> list[Answer]:
        """One answer for each of *contents*; what is still under way is not asked for again."""
        known = zip(contents, self.answered(contents), strict=True)
        answers: dict[bytes, Answer] = {content: kept for content, kept in known if kept is not None}
        new = [content for content in dict.fromkeys(contents) if content not in answers]
        if new:
            transaction = hashlib.sha256(b"".join([self._key_id.encode(), *map(_digest, new)])).hexdigest()[:32]
            self._vault.mark(self._key_id, transaction + _ASKED, json.dumps([one.hex() for one in new]).encode())
            try:
                given = self._place.sign(pin.decode(), self._vault.certificate(self._key_id), new, transaction)
            except SigningError as problem:
                if problem.code not in UNCERTAIN:
                    self._vault.mark(self._key_id, transaction + _ASKED, None)
                raise
            answers |= self._settle(transaction, new, given)
        return [answers[content] for content in contents]

    def answered(self, contents: Sequence[bytes]) -> list[Answer | None]:
        """What the service has answered, or answers now to an earlier request."""
        answers: dict[bytes, Answer] = {}
        for mark in self._vault.marks(self._key_id, _ASKED):
            asked = [bytes.fromhex(one) for one in json.loads(mark.read_text())]
            if not set(asked) & set(contents):
                continue
            transaction = mark.name.removesuffix(_ASKED)
            try:
                given = self._place.fetch(self._vault.certificate(self._key_id), asked, transaction)
            except SigningError as problem:
                if problem.code in UNCERTAIN:
                    raise
                given = [problem] * len(asked)
            answers |= self._settle(transaction, asked, given)
        return [self._vault.kept(self._key_id, content) or answers.get(content) for content in contents]

    def _settle(self, transaction: str, asked: Sequence[bytes], given: Sequence[Answer]) -> dict[bytes, Answer]:
        for content, one in zip(asked, given, strict=True):
            if isinstance(one, bytes):
                self._vault.keep(self._key_id, content, one)
        self._vault.mark(self._key_id, transaction + _ASKED, None)
        return dict(zip(asked, given, strict=True))


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


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
