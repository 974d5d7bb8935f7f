"""A few functions of the libraries, answered as before but without their detours.

The room of one signature has 32,768 hexadecimal digits, and the reader asked the file for each by itself: half the time of a verification.
The same few names of authorities are compared hundreds of times a signature, and each comparison took both apart and prepared every part
for comparison again (RFC 4518).
A structure whose length ends in the octet 80 (one in 256) was taken for one of indefinite length and written anew at every level of
whatever holds it: a signature with a time stamp inside such a structure took eight seconds instead of milliseconds.
``tests/signing/test_hastened.py`` holds the answers against the originals'.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, BinaryIO

from asn1crypto import core, x509
from pyhanko.pdf_utils import generic

from signing.der import SEQUENCE, element

_CHUNK = 4096
_DIGITS = b"0123456789abcdefABCDEF"
read_slowly = generic.read_hex_string_from_stream
prepare_slowly = x509.NameTypeAndValue._ldap_string_prep
dump_slowly = {kind: kind.dump for kind in (core.Sequence, core.SequenceOf)}
same_slowly, key_slowly = x509.RDNSequence.__eq__, x509.RDNSequence.hashable.fget


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


@lru_cache(maxsize=4096)
def _same(one: bytes, other: bytes) -> bool:
    return bool(same_slowly(_name(one), _name(other)))


def same_name(one: x509.RDNSequence, other: object) -> bool:
    """Whether two names are one and the same (RFC 5280, 7.1)."""
    if not isinstance(other, x509.RDNSequence):
        return False
    return _same(one.contents, other.contents)


@lru_cache(maxsize=4096)
def _key(content: bytes) -> str:
    return str(key_slowly(_name(content)))


def name_key(name: x509.RDNSequence) -> str:
    """What a name is found by in a dictionary."""
    return _key(name.contents)


def _name(content: bytes) -> x509.RDNSequence:
    return x509.RDNSequence.load(element(SEQUENCE, content))


def indefinite(header: bytes) -> bool:
    """Whether the last of the headers in a row (explicit tags, then the value's own) says "indefinite length" (X.690, 8.1.3.6)."""
    at, last = 0, b""
    while at < len(header):
        at += 1
        if header[at - 1] & 0x1F == 0x1F:  # a tag of several octets: all but the last have the highest bit
            while at < len(header) and header[at] & 0x80:
                at += 1
            at += 1
        more = header[at] & 0x7F if at < len(header) and header[at] & 0x80 else 0
        last = header[at : at + 1 + more]
        at += 1 + more
    return last == b"\x80"


def dump_sequence(self: Any, force: bool = False) -> bytes:
    """The bytes of a sequence or set: as they were read or made unless something in it changed since."""
    if not force and self._header is not None and self._header[-1:] == b"\x80" and not indefinite(self._header):
        contents = self.contents  # forgets the header when something changed
        if self._header is not None:
            return bytes(self._header + contents + self._trailer)
    kind = core.Sequence if isinstance(self, core.Sequence) else core.SequenceOf
    return bytes(dump_slowly[kind](self, force=force))


def hasten() -> None:
    """Let the libraries use them from now on."""
    for kind in dump_slowly:
        kind.dump = dump_sequence
    generic.read_hex_string_from_stream = read_hex_string
    x509.NameTypeAndValue._ldap_string_prep = prepare_name
    x509.RDNSequence.__eq__ = same_name
    x509.RDNSequence.hashable = property(name_key)
