"""How alembic comes to a connection and to the records it compares with."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from engine.kernel.tables import Base, Instant


def ours(name: str | None, kind: str, parents: Any) -> bool:
    """Leave the job queue's own tables alone: procrastinate brings their schema."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


def as_sql(kind: str, item: Any, _autogenerating: Any) -> str | Literal[False]:
    """Write our own column type as what it is in the database: a revision must not change when our code does."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Instant) else False


if context.config.attributes.get("compare"):
    from engine.migrations import records  # noqa: F401  declares every table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=ours,
    render_item=as_sql,
    compare_type=True,
    compare_server_default=True,
    transaction_per_migration=False,
)
context.run_migrations()
