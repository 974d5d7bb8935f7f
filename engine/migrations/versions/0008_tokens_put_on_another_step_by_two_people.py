"""Tokens put on another step by two people"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "token_move",
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("version_after", sa.Integer(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("before_state", sa.LargeBinary(), nullable=True),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "dossier_id"],
            ["dossier.province", "dossier.id"],
            name=op.f("fk_token_move_province_dossier_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_token_move")),
    )
    op.create_index("ix_token_move_dossier", "token_move", ["province", "dossier_id", "proposed_at"], unique=False)
    op.create_index(
        "ix_token_move_open", "token_move", ["province", "dossier_id"], unique=True, postgresql_where=sa.text("state = 'proposed'")
    )
