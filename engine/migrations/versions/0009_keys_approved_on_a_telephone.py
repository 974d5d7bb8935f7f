"""Keys whose holder approves on a telephone"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    comment = "pin | telephone: how its holder authorises a signature"
    op.add_column("signing_key", sa.Column("approval", sa.String(), nullable=False, server_default="pin", comment=comment))
    op.alter_column("signing_key", "approval", server_default=None)
