"""Where a key of a TOML file stands: the standard parser gives values without lines, an error message needs the line."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=(.*)$""")


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """Return the 1-based line of *path* (``("fee", 1, "amount")``), or of the nearest table above it."""
    lines = _index(text)
    for length in range(len(path), 0, -1):
        found = lines.get(tuple(path[:length]))
        if found is not None:
            return found
    return None


def _index(text: str) -> dict[tuple[str | int, ...], int]:
    found: dict[tuple[str | int, ...], int] = {}
    counts: dict[str, int] = {}
    table: tuple[str | int, ...] = ()
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            if fence in line:
                fence = ""
            continue
        header = _HEADER.match(line)
        if header:
            name = header[2].replace('"', "").replace(" ", "")
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                table = _path(name, counts)
            else:
                table = _path(name, counts, last=False)
            found.setdefault(table, number)
            continue
        key = _KEY.match(line)
        if key:
            names = tuple(part.strip().strip("\"'") for part in key[1].split("."))
            for length in range(1, len(names) + 1):
                found.setdefault((*table, *names[:length]), number)
            for quote in ('"""', "'''"):
                if key[2].count(quote) % 2:
                    fence = quote
    return found


def _path(name: str, counts: dict[str, int], *, last: bool = True) -> tuple[str | int, ...]:
    path: list[str | int] = []
    parts = name.split(".")
    for position, part in enumerate(parts, 1):
        path.append(part)
        prefix = ".".join(parts[:position])
        if prefix in counts and (last or position < len(parts)):
            path.append(counts[prefix])
    return tuple(path)
