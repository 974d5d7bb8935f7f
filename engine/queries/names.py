"""What statuses, roles and signing capacities are called, for the screens."""

from __future__ import annotations

from collections.abc import Mapping

from engine.dossier import statuses
from engine.organisation import roles


def status_names() -> Mapping[str, Mapping[str, str]]:
    """Return every business status with its names, in the order of a dossier's life."""
    return statuses.names()


def role_names() -> Mapping[str, Mapping[str, str]]:
    """Return every role with its names."""
    return roles.known_roles()


def capacity_names() -> Mapping[str, Mapping[str, str]]:
    """Return every signing capacity with its names."""
    return {capacity: {language: roles.capacity_name(capacity, language) for language in ("vi", "en")} for capacity in roles.CAPACITIES}
