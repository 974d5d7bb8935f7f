"""Personal data under lock: AES-256-GCM bound to its place, and a blind index to find equal values without opening them.

The keys live outside the database and its backup. A citizen number has few possible values: whoever holds the blind key can list
them all, so it is kept with the encryption keys.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.errors import EngineError
from engine.settings import kept_secret


def place(table: str, identifier: UUID | int, column: str) -> str:
    """Return the name of one cell; a value moved to another cell no longer opens."""
    return f"{table}:{identifier}:{column}"


@dataclass(frozen=True)
class Sealing:
    """The keys of one installation: *keys* by number, the *current* one, and the key of the blind index."""

    keys: Mapping[int, bytes]
    current: int
    blind_key: bytes

    def seal(self, value: str, place: str) -> bytes:
        """Return *value* encrypted for its *place*: key number, nonce, ciphertext."""
        nonce = os.urandom(12)
        return bytes([self.current]) + nonce + AESGCM(self.keys[self.current]).encrypt(nonce, value.encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> str:
        """Return what was sealed for this *place*.

        Raises:
            EngineError: ``sealing.broken`` when the value was changed, moved, or sealed with a key that is gone.
        """
        try:
            return AESGCM(self.keys[sealed[0]]).decrypt(sealed[1:13], sealed[13:], place.encode()).decode()
        except (InvalidTag, KeyError, IndexError, ValueError) as error:
            raise EngineError("sealing.broken") from error

    def blind(self, kind: str, value: str) -> bytes:
        """Return the index of a normalised *value* (digits only, for numbers); the same value of another *kind* has another index."""
        return hmac.digest(self.blind_key, f"{kind}:{value}".encode(), "sha256")


def open_keys(folder: Path) -> Sealing:
    """Return the keys kept in *folder*/data.keys (0600), making the first ones when there are none.

    The file is JSON: ``{"current": 1, "keys": {"1": hex}, "blind": hex}``. To rotate, add a key and move ``current``.
    """
    path = folder / "data.keys"
    fresh = {"current": 1, "keys": {"1": secrets.token_hex(32)}, "blind": secrets.token_hex(32)}
    kept = json.loads(kept_secret(path, json.dumps(fresh)))
    return Sealing({int(number): bytes.fromhex(key) for number, key in kept["keys"].items()}, kept["current"], bytes.fromhex(kept["blind"]))


def derived(secret: str, purpose: str) -> str:
    """Return a secret of its own for one *purpose*, derived from the installation's."""
    return hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256).hex()
