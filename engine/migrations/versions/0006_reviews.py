"""Reviews of procedures by a second person"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "procedure_review",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("drawing_hash", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("submitted_by_id", sa.Uuid(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_procedure_review")),
        sa.UniqueConstraint(
            "province", "content_hash", "drawing_hash", name=op.f("uq_procedure_review_province_content_hash_drawing_hash")
        ),
    )
    op.create_index(
        "ix_procedure_review_waiting", "procedure_review", ["province", "submitted_at"], unique=False, postgresql_where="state = 'waiting'"
    )
