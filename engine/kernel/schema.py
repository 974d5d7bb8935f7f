"""The schema beside the tables: what guards the journal, the job queue's own tables, and the application role's rights."""

from __future__ import annotations

from importlib import resources

from sqlalchemy import Connection, MetaData, text

from engine.kernel.tables import Base

APPEND_ONLY = ("journal_line", "journal_seal", "journal_seal_leaf", "journal_token")

REFUSE_CHANGE = """
create or replace function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the journal is only added to: % on % is refused', tg_op, tg_table_name
    using errcode = 'integrity_constraint_violation';
end $$
"""

# Queues are written and emptied all day: let autovacuum follow closely (procrastinate issues 1242 and 1454).
BUSY_TABLES = ("procrastinate_jobs", "procrastinate_events", "outbox_message", "due")


def guards() -> list[str]:
    """Return the statements that let the database refuse to change the journal's past, and the busy tables' autovacuum settings."""
    statements = [REFUSE_CHANGE.strip()]
    for table in APPEND_ONLY:
        refused = "execute function refuse_change()"
        statements += [
            f"create or replace trigger {table}_kept before update or delete on {table} for each row {refused}",
            f"create or replace trigger {table}_not_emptied before truncate on {table} for each statement {refused}",
        ]
    return statements + [
        f"alter table {table} set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)" for table in BUSY_TABLES
    ]


def install_jobs(connection: Connection) -> None:
    """Create procrastinate's tables and functions, unless they are there."""
    if connection.scalar(text("select to_regclass('procrastinate_jobs')")):
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute((resources.files("procrastinate.sql") / "schema.sql").read_text(encoding="utf-8"))


def grant(connection: Connection, role: str) -> None:
    """Give the application role what it needs and no more: the journal it may read and add to."""
    name = connection.dialect.identifier_preparer.quote_identifier(role)
    for statement in (
        f"grant usage on schema public to {name}",
        f"grant select, insert, update, delete on all tables in schema public to {name}",
        f"grant usage, select on all sequences in schema public to {name}",
        f"grant execute on all functions in schema public to {name}",
        f"revoke update, delete, truncate on {', '.join(APPEND_ONLY)} from {name}",
        f"revoke delete, truncate on journal_head from {name}",
    ):
        connection.exec_driver_sql(statement)
    if connection.scalar(text("select to_regclass('alembic_version')")):
        connection.exec_driver_sql(f"revoke insert, update, delete on alembic_version from {name}")


def create_all(connection: Connection, metadata: MetaData = Base.metadata) -> None:
    """Create everything from the records' own definitions; revisions say the same, which a test proves."""
    metadata.create_all(connection)
    install_jobs(connection)
    for statement in guards():
        connection.exec_driver_sql(statement.replace("%", "%%"))
