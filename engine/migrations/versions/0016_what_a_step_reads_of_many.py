"""What a step reads of many tasks: the next of a person and the open ones of a dossier come first in their indexes"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.drop_index("ix_task_assignee", table_name="task")
    op.create_index(
        "ix_task_assignee",
        "task",
        ["province", "assignee_id", "due_at", "opened_at"],
        unique=False,
        postgresql_where=text("state = 'open'"),
    )
    op.drop_index("ix_task_dossier", table_name="task")
    op.create_index("ix_task_dossier", "task", ["province", "dossier_id", "state"], unique=False)
