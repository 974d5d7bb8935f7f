"""Packed bytes are not packed again"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"

PACKED = (("instance", "state"), ("task", "before_state"))


def upgrade() -> None:
    for table, column in PACKED:  # compressed by us already; whatever stands is read as before
        op.get_bind().exec_driver_sql(f"alter table {table} alter column {column} set storage external")
