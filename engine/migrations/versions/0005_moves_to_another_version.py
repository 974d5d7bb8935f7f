"""Moves of running dossiers to another version"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "migration",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_by_id", sa.Uuid(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "target_id"],
            ["procedure_version.province", "procedure_version.id"],
            name=op.f("fk_migration_province_target_id"),
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_migration")),
    )
    op.create_index("ix_migration_key", "migration", ["province", "key", "created_at"], unique=False)
    op.create_index(
        "ix_migration_working",
        "migration",
        ["province", "state"],
        unique=False,
        postgresql_where=sa.text("state in ('applying', 'undoing')"),
    )
    op.create_table(
        "migration_item",
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("from_version_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("group", sa.String(length=64), nullable=False),
        sa.Column("new_steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("choice", sa.String(length=12), nullable=False),
        sa.Column("new_step", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version_after", sa.Integer(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("before_state", sa.LargeBinary(), nullable=True),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "dossier_id"],
            ["dossier.province", "dossier.id"],
            name=op.f("fk_migration_item_province_dossier_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["province", "migration_id"],
            ["migration.province", "migration.id"],
            name=op.f("fk_migration_item_province_migration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_migration_item")),
        sa.UniqueConstraint("province", "migration_id", "dossier_id", name=op.f("uq_migration_item_province_migration_id_dossier_id")),
    )
    op.create_index("ix_migration_item_state", "migration_item", ["province", "migration_id", "state", "id"], unique=False)
