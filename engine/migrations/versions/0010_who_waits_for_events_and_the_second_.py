"""Who waits for events, and the second person of a move"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_index(
        "ix_instance_waiting", "instance", ["waiting"], unique=False, postgresql_using="gin", postgresql_where=sa.text("waiting <> '{}'")
    )
    op.add_column("migration", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("migration", sa.Column("confirmed_by_id", sa.Uuid(), nullable=True))
