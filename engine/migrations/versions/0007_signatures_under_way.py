"""Signatures under way: what was approved is claimed before the key is asked, what it answered is kept"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("signature_request", sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("signature_request", sa.Column("raw", sa.LargeBinary(), nullable=True))
    op.add_column("signature_request", sa.Column("try_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("signature_request", sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("signature_request", "attempts", server_default=None)
    op.create_index(
        "ix_signature_request_under_way",
        "signature_request",
        ["province", "try_at"],
        unique=False,
        postgresql_where=sa.text("state in ('prepared', 'shown', 'approved', 'signed')"),
    )
    op.drop_index("ix_signature_request_live", table_name="signature_request")
    op.create_index(
        "ix_signature_request_live",
        "signature_request",
        ["province", "document_id"],
        unique=True,
        postgresql_where=sa.text("state in ('prepared', 'shown', 'approved', 'signed')"),
    )
