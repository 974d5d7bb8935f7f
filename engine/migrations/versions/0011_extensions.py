"""Extensions: the one new date a dossier may be given, with its ground and its paper"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("dossier", sa.Column("extension", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
