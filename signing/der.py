"""Writing DER (X.690) for the few fixed structures signing has to write; whatever came from outside is read by asn1crypto.

A general ASN.1 library builds an object for every value and asks each again for its length: nine tenths of the time one signature took.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

BOOLEAN, INTEGER, OCTETS, NULL, OBJECT, UTC_TIME, GENERAL_TIME, SEQUENCE, SET = 0x01, 0x02, 0x04, 0x05, 0x06, 0x17, 0x18, 0x30, 0x31
_CONTEXT, _CONSTRUCTED = 0x80, 0x20


def element(tag: int, *parts: bytes) -> bytes:
    """One element: tag, the shortest length, content."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE of elements in their order."""
    return element(SEQUENCE, *parts)


def set_of(parts: Iterable[bytes], tag: int = SET) -> bytes:
    """SET OF in the one order DER allows: that of the encodings; *tag* where the set is tagged implicitly."""
    return element(tag, *sorted(parts))


def context(number: int, *parts: bytes) -> bytes:
    """A constructed element tagged ``[number]``."""
    return element(context_tag(number), *parts)


def context_tag(number: int) -> int:
    """The tag of a constructed ``[number]``."""
    return _CONTEXT | _CONSTRUCTED | number


def boolean(value: bool) -> bytes:
    """BOOLEAN."""
    return element(BOOLEAN, b"\xff" if value else b"\0")


def integer(value: int) -> bytes:
    """INTEGER, not negative."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(content: bytes) -> bytes:
    """OCTET STRING."""
    return element(OCTETS, content)


@lru_cache(maxsize=256)
def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return element(OBJECT, bytes(content))


def time_of(at: datetime) -> bytes:
    """Time to the second: UTCTime through 2049, GeneralizedTime from 2050 (RFC 5652, 11.3)."""
    at = at.astimezone(UTC)
    return element(UTC_TIME, at.strftime("%y%m%d%H%M%SZ").encode()) if 1950 <= at.year < 2050 else general_time(at)


def general_time(at: datetime) -> bytes:
    """GeneralizedTime to the second."""
    return element(GENERAL_TIME, at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())
