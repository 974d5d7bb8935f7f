"""Connections: the owner makes the schema, the application role works in it and may not touch the journal's past."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url

from engine.kernel.canonical import json_text
from engine.kernel.sealing import derived
from engine.kernel.session import Sessions

# Limits that a vanished peer or a forgotten transaction runs into; milliseconds, tcp_user_timeout included.
LIMITS = {"lock_timeout": "2s", "statement_timeout": "30s", "idle_in_transaction_session_timeout": "60s"}


def address(url: str | URL) -> URL:
    """Return *url* for SQLAlchemy with psycopg 3."""
    return make_url(url).set(drivername="postgresql+psycopg")


def conninfo(url: str | URL) -> str:
    """Return *url* for libpq."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def open_engine(url: str | URL, *, pool_size: int = 5, max_overflow: int = 5, limits: dict[str, str] | None = None) -> Engine:
    """Return an engine whose connections speak UTC and give up rather than hang."""
    options = " ".join(f"-c {name}={value}" for name, value in {"timezone": "UTC", **(LIMITS if limits is None else limits)}.items())
    engine = create_engine(
        address(url),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=10,
        pool_pre_ping=False,
        pool_recycle=1800,
        json_serializer=json_text,
        json_deserializer=orjson.loads,
        connect_args={"connect_timeout": 10, "tcp_user_timeout": 20_000, "options": options, "application_name": "motcua"},
    )
    engine.dialect.do_rollback = _roll_back  # type: ignore[method-assign, assignment]
    engine.dialect.do_rollback_to_savepoint = _roll_back_to  # type: ignore[method-assign]
    return engine


# Taken back past the driver, which would forget every prepared statement of the connection with it, ours (`journey`) too. It does so
# because a rollback may bring back dropped tables; the application drops none.
def _roll_back(kept: Any) -> None:
    connection: psycopg.Connection[Any] = getattr(kept, "dbapi_connection", kept)
    state = connection.pgconn.transaction_status
    if state in _UNDER_WAY:
        _taken_back(connection, b"ROLLBACK")
    elif state != TransactionStatus.IDLE:
        connection.rollback()


def _roll_back_to(connection: Connection, name: str) -> None:
    _taken_back(connection.connection.driver_connection, b'ROLLBACK TO SAVEPOINT "%s"' % name.encode())


def _taken_back(connection: Any, words: bytes) -> None:
    result = connection.pgconn.exec_(words)
    if result.status != ExecStatus.COMMAND_OK:
        raise error_from_result(result)


_UNDER_WAY = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


def open_sessions(engine: Engine) -> Sessions:
    """Return the maker of sessions; records stay readable after their transaction."""
    return Sessions(engine)


def role_of(url: str | URL) -> str:
    """Return the name of the application role that belongs to the database of *url*."""
    return f"{make_url(url).database}_app"


def application_url(owner_url: str | URL, secret: str, role: str | None = None) -> URL:
    """Return the application role's URL; its password is derived from the installation's *secret*, so no file has to keep it."""
    url = make_url(owner_url)
    return url.set(username=role or role_of(url), password=derived(secret, "application role"))


def ensure_application_role(connection: Connection, secret: str, role: str) -> bool:
    """Make the application role or give it its present password; False when the owner may not make roles."""
    may = connection.scalar(text("select rolsuper or rolcreaterole from pg_roles where rolname = current_user"))
    if not may:
        return False
    quoted = partial(connection.dialect.identifier_preparer.quote_identifier)
    known = connection.scalar(text("select true from pg_roles where rolname = :role"), {"role": role})
    password = derived(secret, "application role")  # hexadecimal: safe inside quotes
    verb = "alter" if known else "create"
    connection.exec_driver_sql(f"{verb} role {quoted(role)} login password '{password}' nosuperuser nocreatedb nocreaterole")
    return True


def may_log_in(url: URL) -> bool:
    """Say whether the server accepts this user and password now."""
    engine = open_engine(url, pool_size=1, max_overflow=0)
    try:
        with engine.connect():
            return True
    except Exception:  # whatever the reason, this role cannot be used
        return False
    finally:
        engine.dispose()
