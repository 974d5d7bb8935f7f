"""The schema's history, and the one place that knows every record."""

from __future__ import annotations

from sqlalchemy import Connection


def make_schema(connection: Connection) -> None:
    """Bring the schema of this database up to date."""
    from engine.kernel.schema import create_all
    from engine.migrations import records  # noqa: F401  declares every table

    create_all(connection)
