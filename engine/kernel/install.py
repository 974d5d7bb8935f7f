"""Making a database ready: schema, application role and its rights."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from engine.kernel.database import ensure_application_role, open_engine, role_of
from engine.kernel.schema import grant


def install(owner_url: str, secret: str, make_schema: Callable[[Connection], None], role: str | None = None) -> bool:
    """Let *make_schema* bring the schema up to date and give the application role its rights.

    Returns False when the owner may not make roles; the application then works as the owner, and the journal's triggers alone guard it.
    """
    name = role or role_of(owner_url)
    engine = open_engine(owner_url, pool_size=1, max_overflow=0, limits={})
    try:
        with engine.begin() as connection:
            make_schema(connection)
            separate = ensure_application_role(connection, secret, name)
            if separate:
                grant(connection, name)
            return separate
    finally:
        engine.dispose()
