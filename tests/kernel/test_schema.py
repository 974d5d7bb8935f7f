"""The schema: revisions and records say the same, and the application role may do only its work."""

from __future__ import annotations

from uuid import UUID

from alembic import command
from sqlalchemy import create_engine, text

from engine.kernel.database import address
from engine.kernel.tables import Base, Record
from engine.migrations import configuration, current, head, make_schema
from tests.support.database import Databases, difference

CONTENT = text(
    "select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns where table_schema = 'public' "
    "union all select event_object_table, trigger_name, event_manipulation, action_timing, action_statement "
    "from information_schema.triggers where trigger_schema = 'public' order by 1, 2, 3"
)

HEAD_OF_OLD = text("insert into journal_head (province, chain, number, hash, sealed) values (1, :chain, :number, '', :sealed)")

UNCOMPRESSED = text(
    "select attrelid::regclass || '.' || attname from pg_attribute join pg_class on pg_class.oid = attrelid "
    "where relnamespace = 'public'::regnamespace and relkind = 'r' and atttypid = 'bytea'::regtype and attstorage = 'e' order by 1"
)


def test_the_revisions_lead_exactly_to_the_records(databases: Databases) -> None:
    """When this fails, a record has changed: write a revision with ``motcua dev migration "what it does"``."""
    with databases.clone(empty=True) as name:
        engine = create_engine(address(databases.owner_url(name)))
        with engine.begin() as connection:
            command.upgrade(configuration(connection), "0013")
            for chain, number, sealed in ((1, 5, 5), (2, 5, 4), (3, 1, 0)):
                connection.execute(HEAD_OF_OLD, {"chain": UUID(int=chain), "number": number, "sealed": sealed})
        with engine.begin() as connection:
            make_schema(connection)
            found = difference(connection)
            unsealed = connection.scalars(text("select chain from journal_head where unsealed order by chain")).all()
            packed = connection.scalars(UNCOMPRESSED).all()
        engine.dispose()

    assert found == []
    assert unsealed == [UUID(int=2), UUID(int=3)]
    assert packed == ["instance.state", "task.before_state"], "the server would try to compress what is compressed"


def test_a_second_migration_changes_nothing(databases: Databases) -> None:
    with databases.clone(empty=True) as name:
        engine = create_engine(address(databases.owner_url(name)))
        with engine.begin() as connection:
            make_schema(connection)
            first = connection.execute(CONTENT).all()
        with engine.begin() as connection:
            make_schema(connection)
            assert connection.execute(CONTENT).all() == first
            assert current(connection) == head()
        engine.dispose()


def test_the_province_is_the_first_column_of_every_key_but_those_of_accounts() -> None:
    exempt = {"account", "account_role", "account_role_name", "account_preference", "access_token", "sign_in_failure"}
    without = {
        table.name for table in Base.metadata.tables.values() if next(iter(table.primary_key.columns)).name != "province"
    }  # fmt: skip
    assert without <= exempt

    for mapper in Record.registry.mappers:
        if issubclass(mapper.class_, Record):
            assert [column.name for column in mapper.primary_key] == ["province", "id"]


def test_every_foreign_key_between_provincial_records_carries_the_province() -> None:
    for table in Base.metadata.tables.values():
        for key in table.foreign_key_constraints:
            target = key.referred_table
            if "province" in target.columns and "province" in table.columns:
                assert "province" in key.column_keys, f"{table.name} → {target.name}"


def test_the_application_role_owns_nothing(databases: Databases, database: str) -> None:
    engine = create_engine(address(databases.application_url(database)))
    with engine.connect() as connection:
        owned = connection.scalar(text("select count(*) from pg_tables where schemaname = 'public' and tableowner = current_user"))
        may_create = connection.scalar(text("select has_schema_privilege(current_user, 'public', 'create')"))
    engine.dispose()

    assert owned == 0
    assert may_create is False
