"""Where a person wants their signature on the documents of one template"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "signature_place",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("procedure", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("right", sa.Integer(), nullable=False),
        sa.Column("down", sa.Integer(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("province", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["province", "person_id"],
            ["person.province", "person.id"],
            name=op.f("fk_signature_place_province_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("province", "id", name=op.f("pk_signature_place")),
        sa.UniqueConstraint(
            "province", "person_id", "procedure", "document", name=op.f("uq_signature_place_province_person_id_procedure_document")
        ),
    )
