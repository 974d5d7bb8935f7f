"""TEST keys opened once for a whole simulation; never part of an installation that signs for people.

A custody opens a key for one authorisation at a time and pays for the slow derivation of the PIN each time. A simulation plays weeks of
signatures in seconds, under PINs that are printed on the demonstration's own page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from cryptography.hazmat.primitives.serialization import pkcs12

from signing.errors import SigningError
from signing.keys import mechanism_for, sign_with
from signing.model import Json
from signing.testpki import AuthorityKey, TestPki


class RehearsalKeys:
    """Stands where a custody stands: the keys of a TEST hierarchy under known PINs."""

    def __init__(self, pki: TestPki, pins: Mapping[str, str]) -> None:
        self._pki = pki
        self._pins = dict(pins)
        self._opened = lru_cache(maxsize=None)(self._open)

    def challenge(self, key_id: str) -> Json:
        """Nobody seals a PIN for a rehearsal."""
        raise SigningError("custody.down")

    def sign(self, key_id: str, sealed_pin: str, contents: Sequence[bytes]) -> list[bytes]:
        """Raw signatures over *contents*; *sealed_pin* is not looked at."""
        key, name = self._opened(key_id)
        return [sign_with(key, name, content) for content in contents]

    def answered(self, key_id: str, contents: Sequence[bytes]) -> list[bytes | None]:
        """Nothing is kept: what a simulation loses is played again."""
        return [None] * len(contents)

    def _open(self, key_id: str) -> tuple[AuthorityKey, str]:
        if key_id not in self._pins:
            raise SigningError("custody.key_unknown")
        raw = (self._pki.folder / "keys" / f"{key_id}.p12").read_bytes()
        key = pkcs12.load_pkcs12(raw, self._pins[key_id].encode()).key
        if not isinstance(key, AuthorityKey):
            raise SigningError("signing.key_unsupported", algorithm=type(key).__name__)
        return key, mechanism_for(self._pki.certificate(key_id).der)
