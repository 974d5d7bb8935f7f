"""The programming interface ``/api/v1``: everything the screens do, for programs, described by one table of routes."""

from typing import Any

from webapp.api import (
    decisions,
    document,
    dossiers,
    drafts,
    intake,
    interventions,
    law,
    migration,
    organisation,
    oversight,
    procedures,
    signatures,
    tasks,
    tracking,
    trust,
)
from webapp.api.area import area

navigation: list[Any] = []

__all__ = [
    "area",
    "decisions",
    "document",
    "dossiers",
    "drafts",
    "intake",
    "interventions",
    "law",
    "migration",
    "navigation",
    "organisation",
    "oversight",
    "procedures",
    "signatures",
    "tasks",
    "tracking",
    "trust",
]
