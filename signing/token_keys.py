"""Keys on a PKCS#11 token or HSM: the key never leaves its device, only raw signatures do.

A key in custody that lives on a token has, instead of its PKCS#12 file, ``<key_id>.p11.json``: ``library``, ``token`` and ``label``, or
``identifier`` (CKA_ID in hex) where the vendor gave its keys no label.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
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
    SlotIDInvalid,
    TokenNotPresent,
    TokenNotRecognised,
)
from pkcs11.util.ec import encode_ecdsa_signature

from signing.errors import SigningError
from signing.pin_seal import wipe_bytes

GONE = (NoSuchToken, TokenNotPresent, TokenNotRecognised, DeviceRemoved, SlotIDInvalid)


@dataclass(frozen=True)
class TokenKey:
    """Where one key lives: the driver *library*, the *token* label and the key's own *label*, or its *identifier* in hex."""

    library: str
    token: str
    label: str = ""
    identifier: str = ""

    @classmethod
    def read(cls, path: Path) -> TokenKey:
        """Read the place of a key."""
        told = json.loads(path.read_text())
        return cls(str(told["library"]), str(told["token"]), str(told.get("label", "")), str(told.get("identifier", "")))

    def to_json(self) -> str:
        """The place as it is kept."""
        return json.dumps(asdict(self))

    def write(self, path: Path) -> None:
        """Write the place of a key."""
        path.write_text(self.to_json())

    def sign(self, pin: bytearray, contents: Sequence[bytes]) -> list[bytes]:
        """Raw signatures over *contents* in one session: ECDSA, or RSASSA-PSS with the salt as long as the hash.

        Raises:
            SigningError: ``signing.pin_wrong``, ``signing.pin_locked``, ``custody.device_missing``, ``custody.device_failed``,
                ``custody.device_weak``, ``custody.key_unknown``.
        """
        with self._session(pin) as session:
            named = {"label": self.label} if self.label else {"id": bytes.fromhex(self.identifier)}
            try:
                key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, **named)
            except NoSuchKey as problem:
                raise SigningError("custody.key_unknown") from problem
            return [_signature(session, key, content) for content in contents]

    @contextmanager
    def _session(self, pin: bytearray) -> Iterator[Any]:
        typed: Any = _Pin(pin)
        try:
            token = pkcs11.lib(self.library).get_token(token_label=self.token)
            if token.flags & pkcs11.TokenFlag.USER_PIN_LOCKED:
                raise SigningError("signing.pin_locked")
            with token.open(user_pin=typed) as session:
                yield session
        except (PinIncorrect, PinInvalid, PinLenRange) as problem:
            raise SigningError("signing.pin_wrong", left=0) from problem
        except PinLocked as problem:
            raise SigningError("signing.pin_locked") from problem
        except GONE as problem:
            raise SigningError("custody.device_missing") from problem
        except (PKCS11Error, RuntimeError) as problem:
            raise SigningError("custody.device_failed") from problem
        finally:
            typed.wipe()


class _Pin:
    """Stands for the text the driver's wrapper encodes: what it hands out can be overwritten afterwards, a text could not."""

    def __init__(self, pin: bytearray) -> None:
        self._raw = bytes(pin)

    def encode(self, _encoding: str) -> bytes:
        return self._raw

    def wipe(self) -> None:
        wipe_bytes(self._raw)


def _signature(session: Any, key: Any, content: bytes) -> bytes:
    mechanism = pkcs11.Mechanism
    digest = hashlib.sha256(content).digest()
    if key.key_type is pkcs11.KeyType.EC:
        # The device answers r and s side by side; CMS wants them as DER.
        raw = key.sign(digest, mechanism=mechanism.ECDSA)
        return bytes(encode_ecdsa_signature(raw))
    salted = (mechanism.SHA256, pkcs11.MGF.SHA256, 32)
    able = session.token.slot.get_mechanisms()
    if mechanism.SHA256_RSA_PKCS_PSS in able:
        return bytes(key.sign(content, mechanism=mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=salted))
    if mechanism.RSA_PKCS_PSS in able:
        # Older devices pad what was hashed outside.
        return bytes(key.sign(digest, mechanism=mechanism.RSA_PKCS_PSS, mechanism_param=salted))
    raise SigningError("custody.device_weak")
