"""The two fields of the agent's form, read without making texts: what held a PIN can be overwritten, a text could not."""

from __future__ import annotations


def pin_and_act(body: bytearray) -> tuple[bytearray, str]:
    """The PIN and the button of an ``application/x-www-form-urlencoded`` body; the caller wipes both PIN and body."""
    pin, act = bytearray(), ""
    at = 0
    while at < len(body):
        end = body.find(b"&", at)
        end = len(body) if end < 0 else end
        if body.startswith(b"pin=", at):
            _decode(body, at + 4, end, pin)
        elif body.startswith(b"act=", at):
            act = body[at + 4 : end].decode("ascii", "replace")
        at = end + 1
    return pin, act


def _decode(body: bytearray, at: int, end: int, into: bytearray) -> None:
    # Room for all of it at once: growing would leave copies behind.
    into[:] = bytes(end - at)
    length = 0
    while at < end:
        byte = body[at]
        if byte == ord("+"):
            byte = ord(" ")
        elif byte == ord("%") and at + 2 < end:
            byte = int(_digit(body[at + 1]) * 16 + _digit(body[at + 2]))
            at += 2
        into[length] = byte
        length, at = length + 1, at + 1
    del into[length:]


def _digit(byte: int) -> int:
    return int(chr(byte), 16) if chr(byte) in "0123456789abcdefABCDEF" else 0
