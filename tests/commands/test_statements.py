"""How many statements the office asks of its database: a completed step takes eight at the most, whatever lies behind the dossier."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import inspect, select, text, update

from engine.commands import dossiers, organisation, procedures, tasks
from engine.dossier.model import Dossier
from engine.errors import Conflict
from engine.kernel import wire
from engine.kernel.journal import JournalLine
from engine.kernel.journal_check import faults_of
from engine.kernel.unit_of_work import Actor
from engine.office import flow
from engine.procedure.loader import load_folder
from engine.process.model import Task
from engine.settings import ROOT
from tests.support.office import LEAVE, SINCE, Office
from tests.support.statements import counted

MOST = 8
INSTANCES = Dossier.metadata.tables["instance"]
SYSTEM = Actor("system", label="tests")


def leave_at_the_head(office: Office) -> tuple[str, Any]:
    """Return a leave request's code and its task on the desk of the head of division, claimed."""
    with office.as_("specialist") as w:
        started = dossiers.start_internal(w, "internal_leave", LEAVE)
    task = next(one for one in open_tasks(office, started.code) if one.step == "division_review")
    with office.as_("division_head") as w:
        tasks.claim(w, task.id)
    return started.code, task


def open_tasks(office: Office, code: str) -> list[Any]:
    with office.runtime.begin(SYSTEM) as w:
        query = select(Task).join(Dossier, Dossier.id == Task.dossier_id).where(Dossier.code == code, Task.state == "open")
        return list(w.session.scalars(query))


def test_a_step_without_papers_takes_at_most_eight_statements(office: Office) -> None:
    _, task = leave_at_the_head(office)

    with counted() as asked, office.as_("division_head") as w:
        tasks.complete(w, task.id, {"decision": "agree"})

    assert len(asked) <= MOST, asked


def test_a_step_that_opens_the_next_desk_takes_no_more(office: Office) -> None:
    with office.as_("specialist") as w:
        started = dossiers.start_internal(w, "internal_leave", LEAVE)
    for who, step, answers in (
        ("division_head", "division_review", {"decision": "agree"}),
        ("office", "office_check", {"decision": "send_back", "balance": "1", "comment": "Hết phép."}),
    ):
        task = next(one for one in open_tasks(office, started.code) if one.step == step)
        with counted() as asked, office.as_(who) as w:
            tasks.complete(w, task.id, answers)

    assert [one.step for one in open_tasks(office, started.code)] == ["revise"]
    assert len(asked) <= MOST, asked


@pytest.fixture
def bench_case(office: Office) -> tuple[Office, Actor]:
    """The case of the benchmark in this office, and one person who may do every step of it."""
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        unit = organisation.add_unit(w, name="Phường đo", level="commune", agency_code="H98.9", place_name="đo", valid_from=SINCE)
        person = organisation.add_person(w, "Người đo", email="bench@localhost.test")
        for role in ("specialist", "division_head", "office_chief", "head"):
            organisation.appoint(w, person.id, organisation.add_position(w, unit.id, role, role).id, SINCE, basis="test")
        procedures.publish(w, load_folder(ROOT / "benchmarks" / "case"))
        return office, Actor("person", person=person.id, label="test")


def test_every_step_of_the_benchmark_is_read_in_one_journey_and_written_in_another(bench_case: tuple[Office, Actor]) -> None:
    office, actor = bench_case
    answers = {"decision": "approve", "pages": 12, "on": "2026-01-05", "text": "Đồng ý.", "file_number": "1/TTr"}
    with office.runtime.begin(actor) as w:
        code = dossiers.start_internal(w, "benchmark_case", {}).code
    counts: list[int] = []
    while waiting := sorted(open_tasks(office, code), key=lambda one: one.opened_at):
        with counted() as asked, office.runtime.begin(actor) as w:
            tasks.complete(w, waiting[0].id, answers)
        counts.append(len(asked))

    assert len(counts) == 12
    # Setting and stopping a timer travels with the rest; the last step approves and closes the dossier, and looks for an owner to tell.
    assert (counts[1:-1], counts[-1]) == ([3] * 10, 4), counts
    with office.runtime.begin(SYSTEM) as w:
        assert list(faults_of(w.session, w.province, [0, 0])) == []


def test_whoever_looks_at_a_dossier_while_a_step_is_completed_stands_in_its_chain_too(office: Office) -> None:
    _, task = leave_at_the_head(office)
    looked = threading.Event()

    def look() -> None:
        with office.runtime.begin(SYSTEM) as other:
            other.record("dossier.viewed", task.dossier_id)
        looked.set()

    with office.as_("division_head") as w:
        tasks.complete(w, task.id, {"decision": "agree"})
        reader = threading.Thread(target=look)
        reader.start()
        assert not looked.wait(0.2), "the end of the chain is locked until the step is completed"
    reader.join(60)

    with office.runtime.begin(SYSTEM) as w:
        lines = w.session.execute(
            select(JournalLine.number, JournalLine.kind).where(JournalLine.chain == task.dossier_id).order_by(JournalLine.number)
        ).all()
        assert [number for number, _ in lines] == list(range(1, len(lines) + 1))
        assert lines[-1].kind == "dossier.viewed"
        assert list(faults_of(w.session, w.province, [0, 0])) == []


def test_two_steps_of_one_dossier_exclude_each_other_and_leave_its_row_as_it_is(office: Office) -> None:
    _, task = leave_at_the_head(office)
    row = text("select xmin::text, ctid::text from dossier where id = :id").bindparams(id=task.dossier_id)
    with office.as_("division_head") as w:
        flow.status(flow.lock_task(w, task.id), "work_started")  # else the step changes the status, and with it the row
    with office.runtime.begin(SYSTEM) as w:
        before = w.session.execute(row).one()
    refused: list[str] = []
    ended = threading.Event()

    def again() -> None:
        with pytest.raises(Conflict) as caught, office.as_("division_head") as other:
            tasks.complete(other, task.id, {"decision": "agree"})
        refused.append(caught.value.code)
        ended.set()

    with office.as_("division_head") as w:
        tasks.complete(w, task.id, {"decision": "agree"})
        second = threading.Thread(target=again)
        second.start()
        assert not ended.wait(0.2), "the dossier is locked until the step is completed"
    second.join(60)

    assert refused == ["task.closed"]
    with office.runtime.begin(SYSTEM) as w:
        assert w.session.execute(row).one() == before
        kinds = list(w.session.scalars(select(JournalLine.kind).where(JournalLine.chain == task.dossier_id)))
        assert kinds.count("task.completed") == 1
        assert list(faults_of(w.session, w.province, [0, 0])) == []


def test_a_row_that_is_not_as_it_was_read_takes_everything_back(office: Office) -> None:
    code, task = leave_at_the_head(office)
    before = {one.id: (one.state, one.version) for one in open_tasks(office, code)}
    with pytest.raises(Conflict) as caught, office.as_("division_head") as w:
        tasks.complete(w, task.id, {"decision": "agree"})
        # Past every lock and every command, as a fault would do it: the session does not know.
        w.session.connection().execute(
            update(INSTANCES).where(INSTANCES.c.dossier_id == task.dossier_id).values(version=INSTANCES.c.version + 7)
        )

    assert caught.value.code == "work.stale"
    assert {one.id: (one.state, one.version) for one in open_tasks(office, code)} == before
    with office.runtime.begin(SYSTEM) as w:
        kinds = list(w.session.scalars(select(JournalLine.kind).where(JournalLine.chain == task.dossier_id)))
        assert "task.completed" not in kinds
        assert list(faults_of(w.session, w.province, [0, 0])) == []


def test_changing_several_attributes_at_once_is_assigning_each(office: Office) -> None:
    _, task = leave_at_the_head(office)
    facts = {"note": "xem lại", "version": task.version + 1, "draft": {"a": [1]}, "undo_until": None}
    ways = []
    for at_once in (True, False):
        with office.runtime.sessions() as session:
            record = session.scalars(select(Task).where(Task.id == task.id)).one()
            if at_once:
                wire.change(record, **facts)
            else:
                for name, value in facts.items():
                    setattr(record, name, value)
            ways.append((dict(inspect(record).committed_state), record in session.dirty, wire._parts(session)))
    assert ways[0] == ways[1]
    assert ways[0][1]
    assert len(ways[0][2] or []) == 1
