"""The number of the organisation's last change; whether an instance ever went back"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TRIGGERS = (
    "create sequence if not exists organisation_change_number",
    """create or replace function note_organisation_change() returns trigger language plpgsql as $$
begin
  insert into organisation_change (province, number) values (coalesce(new.province, old.province), nextval('organisation_change_number'))
    on conflict (province) do update set number = excluded.number;
  return null;
end $$""",
    *(
        f"create or replace trigger {table}_noted after insert or update or delete on {table} "
        "for each row execute function note_organisation_change()"
        for table in ("org_unit", "position", "person", "appointment", "delegation")
    ),
)


def upgrade() -> None:
    op.create_table(
        "organisation_change",
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("province", name=op.f("pk_organisation_change")),
    )
    op.add_column("instance", sa.Column("rewound", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    for statement in TRIGGERS:
        op.get_bind().exec_driver_sql(statement)
