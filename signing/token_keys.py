"""Keys on a PKCS#11 token or HSM: the key never leaves its device, only raw signatures do.

A key in custody that lives on a token has, instead of its PKCS#12 file, ``<key_id>.p11.json``: ``library``, ``token`` and ``label``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11.exceptions import (
    DeviceRemoved,
    NoSuchKey,
    NoSuchToken,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    TokenNotPresent,
    TokenNotRecognised,
)
from pkcs11.util.ec import encode_ecdsa_signature

from signing.errors import SigningError


@dataclass(frozen=True)
class TokenKey:
    """Where one key lives: the driver *library*, the *token* label and the key's own *label*."""

    library: str
    token: str
    label: str

    @classmethod
    def read(cls, path: Path) -> TokenKey:
        """Read the place of a key."""
        told = json.loads(path.read_text())
        return cls(str(told["library"]), str(told["token"]), str(told["label"]))

    def write(self, path: Path) -> None:
        """Write the place of a key."""
        path.write_text(json.dumps({"library": self.library, "token": self.token, "label": self.label}))

    def sign(self, pin: bytearray, contents: Sequence[bytes]) -> list[bytes]:
        """Raw signatures over *contents* in one session: ECDSA, or RSASSA-PSS with the salt as long as the hash.

        Raises:
            SigningError: ``signing.pin_wrong``, ``signing.pin_locked``, ``custody.device_missing``, ``custody.device_failed``,
                ``custody.key_unknown``.
        """
        with self._session(pin) as session:
            try:
                key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=self.label)
            except NoSuchKey as problem:
                raise SigningError("custody.key_unknown") from problem
            return [_signature(key, content) for content in contents]

    @contextmanager
    def _session(self, pin: bytearray) -> Iterator[Any]:
        try:
            token = pkcs11.lib(self.library).get_token(token_label=self.token)
            with token.open(user_pin=pin.decode()) as session:
                yield session
        except (PinIncorrect, PinInvalid, PinLenRange) as problem:
            raise SigningError("signing.pin_wrong", left=0) from problem
        except PinLocked as problem:
            raise SigningError("signing.pin_locked") from problem
        except (NoSuchToken, TokenNotPresent, TokenNotRecognised, DeviceRemoved) as problem:
            raise SigningError("custody.device_missing") from problem
        except (PKCS11Error, RuntimeError) as problem:
            raise SigningError("custody.device_failed") from problem


def _signature(key: Any, content: bytes) -> bytes:
    mechanism = pkcs11.Mechanism
    if key.key_type is pkcs11.KeyType.EC:
        # The device answers r and s side by side; CMS wants them as DER.
        raw = key.sign(hashlib.sha256(content).digest(), mechanism=mechanism.ECDSA)
        return bytes(encode_ecdsa_signature(raw))
    salted = (mechanism.SHA256, pkcs11.MGF.SHA256, 32)
    return bytes(key.sign(content, mechanism=mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=salted))
