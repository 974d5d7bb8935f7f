"""Universal forgery and wrapping: the signed ranges, the signature value and what lies between them altered; nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

Variant = tuple[str, bytes]
_PLACE = re.compile(rb"/ByteRange (\[[^\]]*\] *)")
_STEPS = (-40_000, -512, -20, -1, 1, 20, 512, 40_000)


def _spliced(pdf: bytes, found: re.Match[bytes], text: bytes) -> bytes | None:
    """*text* instead of what was found, in the room there is; None when it does not fit."""
    room = found.end() - found.start()
    return pdf[: found.start()] + text.ljust(room) + pdf[found.end() :] if len(text) <= room else None


def universal_forgery(pdf: bytes) -> Iterator[Variant]:
    """Byte ranges and signature values missing, malformed or pointing elsewhere; lengths kept so that everything else still parses."""
    places = list(_PLACE.finditer(pdf))
    for index, found in enumerate(places):
        numbers = [int(one) for one in re.findall(rb"\d+", found[1])]
        for title, text in _ranges(numbers, [int(one) for one in re.findall(rb"\d+", places[index - 1][1])]):
            forged = _spliced(pdf, found, text)
            if forged is not None:
                yield f"range {index}: {title}", forged
        for title, value in _values(pdf, numbers[1], numbers[2]):
            yield f"value {index}: {title}", pdf[: numbers[1]] + value + pdf[numbers[2] :]


def _ranges(numbers: list[int], others: list[int]) -> Iterator[tuple[str, bytes]]:
    def written(*values: object) -> bytes:
        return b"/ByteRange [" + b" ".join(str(one).encode() for one in values) + b"]"

    start, first, second, rest = numbers
    for place in range(4):
        for step in _STEPS:
            yield f"number {place} moved by {step}", written(*(one + step * (at == place) for at, one in enumerate(numbers)))
    yield from {
        "overlapping": written(start, first, first, rest + second - first),
        "late start": written(10, first - 10, second, rest),
        "wide gap": written(start, first - 40, second + 40, rest - 40),
        "narrow gap": written(start, first + 1, second - 1, rest + 1),
        "short end": written(start, first, second, rest - 20),
        "to the end of everything": written(start, first, second, rest + 500),
        "second range before the first": written(second, rest, start, first),
        "only the first range": written(start, first),
        "three numbers": written(start, first, second),
        "five numbers": written(start, first, second, rest, 0),
        "six numbers": written(start, first, second, rest, 0, 0),
        "another range twice": written(start, first, second, rest, second, rest),
        "empty": b"/ByteRange []",
        "zeros": written(0, 0, 0, 0),
        "negative": written(0, -first, second, rest),
        "negative zero": written("-0", first, second, rest),
        "plus sign": written(start, f"+{first}", second, rest),
        "reals": written("0.", f"{first}.", f"{second}.", f"{rest}."),
        "half": written(0, f"{first}.5", second, rest),
        "exponent": written(0, f"{first}e0", second, rest),
        "huge": written(0, first, second, 2**63),
        "beyond all integers": written(0, first, second, 10**30),
        "names": written(0, f"/{first}", second, rest),
        "strings": written(0, f"({first})", second, rest),
        "null inside": written(0, "null", second, rest),
        "nested": written(0, f"[{first} {second}]", rest),
        "null": b"/ByteRange null",
        "true": b"/ByteRange true",
        "string": b"/ByteRange (0 1 2 3)",
        "dictionary": b"/ByteRange << >>",
        "reference to nothing": b"/ByteRange 9999 0 R",
        "reference to the catalogue": b"/ByteRange 1 0 R",
        "gone": b"",
        "renamed": b"/ByteRangf [%d %d %d %d]" % tuple(numbers),
        "another case": b"/byterange [%d %d %d %d]" % tuple(numbers),
        "spelt otherwise": b"/Byte#52ange [%d %d %d %d]" % (numbers[0], numbers[1], numbers[2], numbers[3] - 1),
        "twice": b"/ByteRange [0 1 2 3] /ByteRange [%d %d %d %d]" % tuple(numbers),
        "the other signature's": written(*others),
        "leading zeros": written(0, f"00{first}", second, rest - 1),
        "a comment inside": b"/ByteRange [0 %%\n%d %d %d]" % (first, second, rest),
    }.items()


def _values(pdf: bytes, first: int, second: int) -> Iterator[tuple[str, bytes]]:
    room = second - first
    hexadecimal = pdf[first + 1 : second - 1]
    used = hexadecimal.rstrip(b"0")

    def held(text: bytes) -> bytes:
        return b"<" + text.ljust(room - 2, b"0")[: room - 2] + b">"

    yield "zeros", held(b"")
    yield "null", b"null".ljust(room)
    yield "empty", b"<>".ljust(room)
    yield "a name", b"/Contents".ljust(room)
    yield "a string", b"(" + b"a" * (room - 2) + b")"
    yield "no hexadecimal", held(b"zz")
    yield "spaces inside", held(used[:100] + b" " + used[100:])
    yield "a line inside", held(used[:100] + b"\n" + used[100:])
    yield "partly another case", held(used[:200] + used[200:].swapcase())
    yield "something in the unused room", b"<" + (used + b"00").ljust(room - 6, b"0") + b"abcd" + b">"
    yield "cut in half", held(used[: len(used) // 4 * 2])
    yield "one digit less", held(used[:-1])
    yield "doubled", held(used + used)
    yield "closed early", b"<" + used + b">" + b" " * (room - len(used) - 2)
    yield "closed early, text behind", b"<" + used + b">" + b"/X (" + b"a" * (room - len(used) - 7) + b")"
    yield "open", b"<" + hexadecimal + b"0"
    yield "an integer", b"1".ljust(room)
    yield "a reference", b"1 0 R".ljust(room)
    yield "an empty container", held(b"3000")
    yield "an endless container", held(b"3080")
    yield "a null inside", held(b"0500")
    yield "the content type only", held(b"300B06092A864886F70D010702")
    yield "shifted by one byte", held(b"00" + used)


def wrapping(pdf: bytes) -> Iterator[Variant]:
    """The signed second range moved away or covered, other bytes put between."""
    fillers = (
        b"% filler\n",
        b" " * 64,
        b"\0" * 64,
        b"(" + b"a" * 60 + b")\n",
        b"/Reason (x)\n",
        b"/Type /Catalog\n",
        b"\n900 0 obj\n<< /Type /Catalog >>\nendobj\n",
        b"\n900 0 obj\n<< /Type /Catalog >>\nendobj\n" * 3,
        b"/Contents <00>\n",
        b"/ByteRange [0 1 2 3]\n",
        b">>\nendobj\n1 0 obj\n<< /Type /Catalog /Pages 3 0 R >>\nendobj\n900 0 obj\n<<\n",
        b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 1 /Root 1 0 R >>\nstartxref\n0\n%%EOF\n",
        b"stream\nBT ET\nendstream\n",
        b"%%EOF\n",
    )
    for index, found in enumerate(_PLACE.finditer(pdf)):
        start, first, second, rest = (int(one) for one in re.findall(rb"\d+", found[1]))
        for number, filler in enumerate(fillers):
            size = len(filler)
            for title, values, at in (
                ("after the value", (start, first, second + size, rest), second),
                ("before the value", (start, first, second + size, rest), first),
                ("after the value, not told", (start, first, second, rest), second),
                ("in the first range", (start, first + size, second + size, rest), first - 60),
                ("in front", (size, first, second + size, rest), 0),
                ("at the end of the range", (start, first, second, rest + size), second + rest),
                ("as a longer gap", (start, first - size, second + size, rest), first),
            ):
                told = b"/ByteRange [%d %d %d %d]" % values
                forged = _spliced(pdf, found, told)
                # Bytes put before the range move it; the range found is replaced first, so places after it stay right.
                if forged is not None:
                    yield f"signature {index}, filler {number} {title}", forged[:at] + filler + forged[at:]
        copy = (
            b"\n900 0 obj\n<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached "
            + pdf[found.start() : second]
            + b" >>\nendobj\n"
        )
        yield f"signature {index}, a copy of it behind", pdf + copy
        yield f"signature {index}, the whole file behind itself", pdf + pdf
