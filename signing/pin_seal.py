"""How a PIN travels from the signer's browser to the key-custody process: sealed so that nobody in between can read it.

ECDH P-256 with a key that lives only in the custody process, HKDF-SHA256 salted with a nonce used once, AES-256-GCM. The text form is
``v1.<nonce>.<base64url(point 65 bytes, iv 12, ciphertext)>``; ``webapp/assets/src/seal-pin.js`` makes the same with WebCrypto.
"""

from __future__ import annotations

import base64
import ctypes
import os
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from signing.errors import SigningError
from signing.model import Json

INFO = b"motcua pin v1"
# Every PIN is padded to this many bytes, so the length of the sealed text tells nothing.
BLOCK = 64
_POINT, _IV, _TAG = 65, 12, 16


def seal_pin(public_key: Json, nonce: str, pin: str) -> str:
    """Seal *pin* for the custody process that published *public_key* (JWK) together with *nonce*; for API clients and tests."""
    raw = unicodedata.normalize("NFC", pin).encode()
    if not 0 < len(raw) <= BLOCK or b"\0" in raw:
        raise SigningError("signing.pin_shape", most=BLOCK)
    point = b"\x04" + _unbase64(public_key["x"]) + _unbase64(public_key["y"])
    own = ec.generate_private_key(ec.SECP256R1())
    secret = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point))
    key = HKDF(hashes.SHA256(), 32, nonce.encode(), INFO).derive(secret)
    iv = os.urandom(_IV)
    sealed = AESGCM(key).encrypt(iv, raw.ljust(BLOCK, b"\0"), nonce.encode())
    mine = own.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return f"v1.{nonce}.{_base64(mine + iv + sealed)}"


def nonce_of(sealed: str) -> str:
    """The nonce a sealed PIN claims."""
    parts = sealed.split(".")
    if len(parts) != 3 or parts[0] != "v1":
        raise SigningError("signing.pin_seal_broken")
    return parts[1]


class SealingKey:
    """The custody process's own key pair; made at its start, never written anywhere."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> Json:
        """The public half as a JSON Web Key."""
        numbers = self._key.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "x": _base64(numbers.x.to_bytes(32, "big")), "y": _base64(numbers.y.to_bytes(32, "big"))}

    def open(self, sealed: str) -> bytearray:
        """The PIN inside; the caller wipes it (``wipe``).

        Raises:
            SigningError: ``signing.pin_seal_broken`` when it was not sealed for this process or was altered.
        """
        nonce = nonce_of(sealed).encode()
        secret, key, block = b"", bytearray(32), bytearray(BLOCK)
        try:
            raw = _unbase64(sealed.split(".")[2])
            if len(raw) != _POINT + _IV + BLOCK + _TAG:
                raise SigningError("signing.pin_seal_broken")
            theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw[:_POINT])
            secret = self._key.exchange(ec.ECDH(), theirs)
            HKDF(hashes.SHA256(), 32, nonce, INFO).derive_into(secret, key)
            AESGCM(key).decrypt_into(raw[_POINT : _POINT + _IV], raw[_POINT + _IV :], nonce, block)
            length = block.find(b"\0")
            return bytearray(block[: length if length >= 0 else BLOCK])
        except (ValueError, InvalidTag) as problem:
            raise SigningError("signing.pin_seal_broken") from problem
        finally:
            wipe_bytes(secret)
            wipe(key)
            wipe(block)


def wipe(secret: bytearray) -> None:
    """Overwrite a secret in place."""
    for position in range(len(secret)):
        secret[position] = 0


def wipe_bytes(secret: bytes) -> None:
    """Overwrite an immutable bytes object nobody else holds; as far as CPython lets one."""
    if secret:
        ctypes.memset(id(secret) + bytes.__basicsize__ - 1, 0, len(secret))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
