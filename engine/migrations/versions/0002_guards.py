"""Guards of the journal, the job queue, autovacuum of busy tables"""

from __future__ import annotations

from alembic import op

from engine.kernel.schema import install_jobs

revision = "0002"
down_revision = "0001"

REFUSE_CHANGE = """
create or replace function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the journal is only added to: %% on %% is refused', tg_op, tg_table_name
    using errcode = 'integrity_constraint_violation';
end $$
"""

GUARDS = (
    "create or replace trigger journal_line_kept before update or delete on journal_line for each row execute function refuse_change()",
    "create or replace trigger journal_line_not_emptied before truncate on journal_line for each statement execute function refuse_change()",
    "create or replace trigger journal_seal_kept before update or delete on journal_seal for each row execute function refuse_change()",
    "create or replace trigger journal_seal_not_emptied before truncate on journal_seal for each statement execute function refuse_change()",
    "create or replace trigger journal_seal_leaf_kept before update or delete on journal_seal_leaf for each row execute function refuse_change()",
    "create or replace trigger journal_seal_leaf_not_emptied before truncate on journal_seal_leaf for each statement execute function refuse_change()",
    "create or replace trigger journal_token_kept before update or delete on journal_token for each row execute function refuse_change()",
    "create or replace trigger journal_token_not_emptied before truncate on journal_token for each statement execute function refuse_change()",
    "alter table procrastinate_jobs set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)",
    "alter table procrastinate_events set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)",
    "alter table outbox_message set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)",
    "alter table due set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)",
)


def upgrade() -> None:
    install_jobs(op.get_bind())
    op.get_bind().exec_driver_sql(REFUSE_CHANGE)
    for statement in GUARDS:
        op.get_bind().exec_driver_sql(statement)
