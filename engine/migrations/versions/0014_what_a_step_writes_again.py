"""What a step writes again: no version of the dossier, heads of chains rewritten in their place"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.drop_column("dossier", "version")
    op.drop_index("ix_journal_head_unsealed", table_name="journal_head")
    op.add_column("journal_head", sa.Column("unsealed", sa.Boolean(), sa.Computed("number > sealed", persisted=True), nullable=False))
    op.create_index("ix_journal_head_unsealed", "journal_head", ["province"], unique=False, postgresql_where="unsealed")
