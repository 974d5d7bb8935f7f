"""How the server answers the statements of a step: planned once a connection, reading what is open, however much is held or closed."""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy import text

from engine.kernel.database import conninfo
from engine.office import flow
from engine.process.model import Task
from tests.commands.test_statements import leave_at_the_head
from tests.support.office import Office

MANY = 3000
TRIED = 5
"""So often the server plans a statement for the values at hand before it keeps a plan for all, or finds that it had better not."""
OWN = ("id", "engine_task", "state", "opened_at", "due_at")


def many_more(office: Office, task: Any, state: str, many: int = MANY) -> None:
    """Give the dossier of *task* many more like it, one due a minute after the other, and let the server learn of it."""
    copied = ", ".join(one.name for one in Task.__table__.columns if one.name not in OWN)
    with psycopg.connect(conninfo(office.runtime.settings.database_url or ""), autocommit=True) as connection:
        connection.execute(
            f"insert into task ({copied}, {', '.join(OWN)}) "
            f"select {copied}, gen_random_uuid(), gen_random_uuid(), %s, opened_at + n * interval '1 minute', "
            "now() + n * interval '1 minute' from task, generate_series(1, %s) n where id = %s",
            [state, many, task.id],
        )
        connection.execute("analyze task")


def read_around(office: Office, task: Any, times: int, asked: str) -> Any:
    """Lock and read what completing *task* needs so many times on a new connection; return what it then says to what is *asked*."""
    office.runtime.engine.dispose()
    with office.as_("office") as w:
        for _ in range(times):
            flow.lock_task(w, task.id)
        return w.session.execute(text(asked)).one()


def test_a_step_is_not_planned_anew_each_time_where_somebody_else_holds_much(office: Office) -> None:
    (_, held), (_, task) = leave_at_the_head(office), leave_at_the_head(office)
    many_more(office, held, "open")

    planned = read_around(
        office,
        task,
        4 * TRIED,
        "select sum(custom_plans), sum(generic_plans) from pg_prepared_statements where statement ~* '^select.*task'",
    )

    assert planned == (2 * TRIED, 2 * 3 * TRIED)


def test_a_step_reads_the_open_tasks_of_a_dossier_however_many_it_has_closed(office: Office) -> None:
    (_, held), (_, task) = leave_at_the_head(office), leave_at_the_head(office)
    many_more(office, held, "open", MANY // 10)
    many_more(office, task, "closed")

    read = read_around(office, task, 1, "select idx_tup_fetch, seq_tup_read from pg_stat_xact_user_tables where relname = 'task'")

    assert sum(read) < MANY / 20
