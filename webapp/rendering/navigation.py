"""The left navigation: every area says what it offers to whom; counts come from one query a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from babel.support import LazyProxy
from flask import Flask, request, url_for

STAFF = frozenset({"*"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation: where it leads, who sees it (``STAFF`` = everybody who is signed in), which count stands beside it.

    With ``also_waiting`` whoever has something of this count sees it too, whatever the role.
    """

    section: str | LazyProxy
    label: str | LazyProxy
    endpoint: str
    icon: str
    roles: frozenset[str] = STAFF
    count: str = ""
    shortcut: str = ""
    arguments: tuple[tuple[str, str], ...] = ()
    also_waiting: bool = False


def install(app: Flask, entries: Iterable[Entry]) -> None:
    """Keep the entries of all areas in the order the areas were given."""
    app.extensions["navigation"] = tuple(entries)


def visible(app: Flask, roles: frozenset[str], counts: Mapping[str, int]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the sections and their lines that somebody with *roles* sees."""
    sections: dict[str, list[dict[str, Any]]] = {}
    best = current_entry(app)
    for entry in app.extensions["navigation"]:
        if entry.roles is not STAFF and not entry.roles & roles and not (entry.also_waiting and counts.get(entry.count)):
            continue
        address = url_for(entry.endpoint, **dict(entry.arguments))
        sections.setdefault(str(entry.section), []).append(
            {
                "label": str(entry.label),
                "href": address,
                "icon": entry.icon,
                "count": counts.get(entry.count),
                "late": counts.get(f"{entry.count}_late"),
                "current": entry is best,
                "shortcut": entry.shortcut,
            }
        )
    return list(sections.items())


def current_entry(app: Flask) -> Entry | None:
    """Return the entry whose address is the longest beginning of this page's address."""
    found, length = None, 0
    for entry in app.extensions["navigation"]:
        address = url_for(entry.endpoint, **dict(entry.arguments)).split("?", 1)[0]
        if (request.path == address or request.path.startswith(address.rstrip("/") + "/")) and len(address) > length:
            found, length = entry, len(address)
    return found
