"""The schema's history (alembic), and the one place that knows every record.

There is no way back: a backup is the way back. A new revision is written with ``motcua dev migration "what it does"``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

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
    """Return the newest revision this program knows."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(FOLDER)).get_current_head()


def current(connection: Connection) -> str | None:
    """Return the revision of the database."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def make_schema(connection: Connection) -> None:
    """Bring the schema of this database up to date."""
    from engine.kernel.schema import create_all
    from engine.migrations import records  # noqa: F401  declares every table

    create_all(connection)


def upgrade(connection: Connection) -> None:
    """Apply the revisions this database does not have yet."""
    from alembic import command

    if current(connection) != head():
        command.upgrade(configuration(connection), "head")
