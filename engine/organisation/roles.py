"""The roles and signing capacities of the office, their names and how they are printed; from ``roles.toml`` and ``capacities.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args
from uuid import UUID

from engine.errors import Forbidden, Refused

Capacity = Literal["own_power", "for_collective", "for_head", "by_order", "by_authorisation", "acting_head"]
CAPACITIES: tuple[str, ...] = get_args(Capacity)


def known_roles() -> Mapping[str, Mapping[str, str]]:
    """Return every role with its names."""
    found: Mapping[str, Mapping[str, str]] = _read("roles.toml")["roles"]
    return found


def role_name(role: str, language: str = "vi") -> str:
    """Return what people call a role; the identifier itself when it has no name."""
    return known_roles().get(role, {}).get(language, role)


def answering(roles: Collection[str]) -> frozenset[str]:
    """Return the roles of positions that answer a call for *roles*: each itself, and the members of the wider ones."""
    members: Mapping[str, list[str]] = _read("roles.toml")["members"]
    return frozenset(roles).union(*(members.get(role, ()) for role in roles))


def capacity_name(capacity: str, language: str = "vi") -> str:
    """Return what people call a signing capacity."""
    return str(_capacity(capacity)[language])


def prefix(capacity: str) -> str:
    """Return the printed prefix of a signing capacity: TM., KT., TL., TUQ., Q. or nothing."""
    return str(_capacity(capacity)["prefix"])


def signature_lines(capacity: str, *, title: str, head: str = "", collective: str = "") -> tuple[str, ...]:
    """Return the lines above a signature, in capitals.

    *title* is the signer's own, *head* the title of the head of the agency, *collective* the body signed for (empty: an agency under one
    head).

    Raises:
        Refused: ``authority.capacity_unknown``.
    """
    row = _capacity(capacity)
    lines = row["lines_for_collective"] if collective and "lines_for_collective" in row else row["lines"]
    return tuple(line.format(title=title, head=head, collective=collective).upper() for line in lines)


def keep_apart(person: UUID, duty: str, done: Mapping[str, Collection[UUID]]) -> None:
    """Refuse a duty to somebody who has done the other one with the same thing.

    *done* maps duties to those who did them with this document or package.

    Raises:
        Forbidden: ``authority.separation_of_duties``.
    """
    for row in _read("roles.toml")["separate"]:
        if duty not in row["duties"]:
            continue
        for other in row["duties"]:
            if other != duty and person in done.get(other, ()):
                raise Forbidden("authority.separation_of_duties", source=row["legal_basis"], duty=duty, other=other)


def _capacity(capacity: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = _read("capacities.toml").get(capacity)
    if found is None:
        raise Refused("authority.capacity_unknown", capacity=capacity)
    return found


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("engine.organisation").joinpath(name).read_text(encoding="utf-8"))
