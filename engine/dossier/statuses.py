"""The names of the business statuses, and their codes on the national portal; all from ``statuses.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from engine.errors import NotFound


@dataclass(frozen=True, slots=True)
class NationalStatus:
    """A status as an outside interface knows it."""

    code: int
    vi: str
    en: str


def name(status: str, language: str = "vi") -> str:
    """Return what our screens call a status."""
    names: Mapping[str, str] = _table()["names"].get(status, {})
    return names.get(language) or names.get("vi") or status


def names() -> Mapping[str, Mapping[str, str]]:
    """Return every status with its names, in the order of a dossier's life."""
    found: Mapping[str, Mapping[str, str]] = _table()["names"]
    return found


def national(status: str, on: date, interface: str = "dvcqg") -> NationalStatus:
    """Return the national status in the list of an interface valid on a day.

    Raises:
        NotFound: the interface has no list on that day, or the list has no such status.
    """
    valid = [row for row in _table()["list"] if row["interface"] == interface and row["valid_from"] <= on < row.get("valid_to", date.max)]
    for row in sorted(valid, key=lambda r: r["valid_from"], reverse=True):
        code = row["map"].get(status)
        for entry in row["codes"]:
            if entry["code"] == code:
                return NationalStatus(entry["code"], entry["vi"], entry["en"])
    raise NotFound("dossier.national_status_unknown", status=status, interface=interface)


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(resources.files("engine.dossier").joinpath("statuses.toml").read_text(encoding="utf-8"))
