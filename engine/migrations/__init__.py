"""The schema's history (alembic), and the one place that knows every record.

There is no way back: a backup is the way back. A new revision is written with ``motcua dev migration "what it does"``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent


def configuration(connection: Connection, **attributes: Any) -> Config:
    """Return alembic's configuration for this connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes.update(connection=connection, **attributes)
    return config


def head() -> str | None:
    """Return the newest revision this program knows: the number its file begins with."""
    return max((path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py")), default=None)


def current(connection: Connection) -> str | None:
    """Return the revision of the database; None when it has none yet."""
    if not connection.scalar(text("select to_regclass('alembic_version')")):
        return None
    found: str | None = connection.scalar(text("select version_num from alembic_version"))
    return found


def make_schema(connection: Connection) -> None:
    """Bring the schema of this database up to date."""
    if head() is None:
        from engine.kernel.schema import create_all
        from engine.migrations import records  # noqa: F401  declares every table

        create_all(connection)
    elif current(connection) != head():
        from alembic import command

        command.upgrade(configuration(connection), "head")
