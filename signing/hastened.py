"""Two functions of the libraries, answered as before but without their detours.

The room of one signature has 32,768 hexadecimal digits, and the reader asked the file for each by itself: half the time of a verification.
Names of authorities are compared hundreds of times a signature, and each comparison prepared both for comparison again (RFC 4518).
``tests/signing/test_hastened.py`` holds the answers against the originals'.
"""

from __future__ import annotations

from functools import lru_cache
from typing import BinaryIO

from asn1crypto import x509
from pyhanko.pdf_utils import generic

_CHUNK = 4096
_DIGITS = b"0123456789abcdefABCDEF"
read_slowly = generic.read_hex_string_from_stream
prepare_slowly = x509.NameTypeAndValue._ldap_string_prep


def read_hex_string(stream: BinaryIO) -> generic.ByteStringObject | generic.TextStringObject:
    """A string written ``<…>``: digits in one piece are taken at once, every other spelling is left to the library."""
    begun = stream.tell()
    stream.read(1)
    digits = bytearray()
    chunk, length = b"", 0
    while length == len(chunk) and (chunk := stream.read(_CHUNK)):
        length = len(chunk) - len(chunk.lstrip(_DIGITS))
        digits += chunk[:length]
    if chunk[length : length + 1] != b">" or len(digits) % 2:
        stream.seek(begun)
        return read_slowly(stream)
    stream.seek(begun + len(digits) + 2)
    return generic.pdf_string(bytes.fromhex(digits.decode("ascii")))


@lru_cache(maxsize=4096)
def _prepared(text: str) -> str:
    prepared: str = prepare_slowly(None, text)
    return prepared


def prepare_name(_self: object, text: str) -> str:
    """A name's part as it is compared; what cannot be prepared raises each time."""
    return _prepared(text)


def hasten() -> None:
    """Let the libraries use both from now on."""
    generic.read_hex_string_from_stream = read_hex_string
    x509.NameTypeAndValue._ldap_string_prep = prepare_name
