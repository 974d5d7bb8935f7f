"""How many statements the office asks of its database: a completed step takes eight at the most, whatever lies behind the dossier."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from engine.commands import tasks
from tests.support.office import Office

LEAVE = {
    "kind": "annual",
    "from_on": "2026-12-01",
    "to_on": "2026-12-02",
    "days": "2",
    "place": "x",
    "reason": "Việc nhà",
    "hand_over": "y",
}
MOST = 8


@contextmanager
def counted(office: Office) -> Iterator[list[str]]:
    """The statements sent while the block runs; BEGIN and COMMIT are none."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(office.runtime.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(office.runtime.engine, "before_cursor_execute", note)


def test_a_step_without_papers_takes_at_most_eight_statements(office: Office) -> None:
    from engine.commands import dossiers

    with office.as_("specialist") as w:
        started = dossiers.start_internal(w, "internal_leave", LEAVE)
    task = next(one for one in open_tasks(office, started.code) if one.step == "division_review")
    with office.as_("division_head") as w:
        tasks.claim(w, task.id)

    with counted(office) as sent, office.as_("division_head") as w:
        tasks.complete(w, task.id, {"decision": "agree"})

    assert len(sent) <= MOST, "\n".join(one[:160].replace("\n", " ") for one in sent)


def open_tasks(office: Office, code: str) -> list[Any]:
    from sqlalchemy import select

    from engine.dossier.model import Dossier
    from engine.kernel.unit_of_work import Actor
    from engine.process.model import Task

    with office.runtime.begin(Actor("system", label="tests")) as w:
        query = select(Task).join(Dossier, Dossier.id == Task.dossier_id).where(Dossier.code == code, Task.state == "open")
        return list(w.session.scalars(query))


def test_a_step_that_opens_the_next_desk_takes_no_more(office: Office) -> None:
    from engine.commands import dossiers

    with office.as_("specialist") as w:
        started = dossiers.start_internal(w, "internal_leave", LEAVE)
    for who, step, answers in (
        ("division_head", "division_review", {"decision": "agree"}),
        ("office", "office_check", {"decision": "send_back", "balance": "1", "comment": "Hết phép."}),
    ):
        task = next(one for one in open_tasks(office, started.code) if one.step == step)
        with counted(office) as sent, office.as_(who) as w:
            tasks.complete(w, task.id, answers)

    assert [one.step for one in open_tasks(office, started.code)] == ["revise"]
    assert len(sent) <= MOST, "\n".join(one[:160].replace("\n", " ") for one in sent)
