"""Keys on a token of the signer's own"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.alter_column(
        "signing_key",
        "approval",
        existing_type=sa.VARCHAR(),
        comment="pin | telephone | device: how its holder authorises a signature",
        existing_comment="pin | telephone: how its holder authorises a signature",
        existing_nullable=False,
    )
