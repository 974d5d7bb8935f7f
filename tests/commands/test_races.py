"""Many at once on the same work: one act, one effect; who comes too late is told who was faster; deadline and officer in one order."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from engine.commands import deadlines, organisation, tasks
from engine.commands.procedures import replaced
from engine.dossier.model import Dossier, Handover
from engine.errors import Conflict
from engine.kernel.clock import MovableClock
from engine.kernel.due import Due
from engine.kernel.journal import JournalLine
from engine.kernel.unit_of_work import Actor, UnitOfWork, begin
from engine.office import flow
from engine.organisation.model import Position
from engine.procedure.registry import store
from engine.process.model import Instance, Task
from engine.queries import audit
from tests.commands.test_leave import asked
from tests.procedures.packages import real
from tests.support.office import PEOPLE, Office

CLIENTS, EACH = 8, 10
RIVALS = ("division_head", "colleague", "personnel")
SYSTEM = Actor("system", label="tests")
PATIENT = text("set local lock_timeout = '60s'")


def more_heads(office: Office) -> None:
    """Let three people hold the role the step asks for: nobody races only against themselves."""
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        seat = w.session.scalars(select(Position).where(Position.role == "division_head")).one()
        for who in RIVALS[1:]:
            organisation.appoint(w, office.people[who], seat.id, date(2025, 7, 1), basis="Quyết định số 02/QĐ-UBND")


@dataclass(frozen=True)
class Attempt:
    """One client's try at one task: who it was, what they answered, and what they were told."""

    task: UUID
    who: str
    note: str
    told: Conflict | None


def attempt(office: Office, task: UUID, who: str, note: str) -> Attempt:
    """Complete a task as a person at a screen does: whoever finds the dossier busy presses again."""
    while True:
        try:
            with office.as_(who) as w:
                tasks.complete(w, task, {"decision": "send_back", "comment": note})
            return Attempt(task, who, note, None)
        except Conflict as refused:
            if refused.code != "work.busy":
                return Attempt(task, who, note, refused)


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("number", [20, pytest.param(1000, marks=pytest.mark.full)])
def test_of_ten_who_complete_a_task_at_once_one_does_and_nine_are_told_who(office: Office, number: int):
    more_heads(office)
    for _ in range(number):
        asked(office)
    with office.runtime.begin(SYSTEM) as w:
        waiting = list(w.session.scalars(select(Task.id).where(Task.step == "division_review", Task.state == "open")))
        versions = dict(w.session.execute(select(Task.id, Instance.version).join(Instance, Instance.id == Task.instance_id)).all())
    assert len(waiting) == number

    plan = [(task, RIVALS[turn % len(RIVALS)], f"{turn}") for task in waiting for turn in range(EACH)]
    random.Random(4).shuffle(plan)
    plan.sort(key=lambda one: waiting.index(one[0]) // CLIENTS)  # clients meet on the same few tasks
    with ThreadPoolExecutor(CLIENTS) as clients:
        attempts = list(clients.map(lambda one: attempt(office, *one), plan))

    assert len(attempts) == number * EACH  # no answer is lost
    winners = {one.task: one for one in attempts if one.told is None}
    assert Counter(one.told is None for one in attempts) == {True: number, False: number * (EACH - 1)}
    assert set(winners) == set(waiting)
    for one in attempts:
        if one.told is not None:
            assert one.told.code == "task.closed"
            assert one.told.facts["who"] == PEOPLE[winners[one.task].who][0]
            assert one.told.facts["at"]
    with office.runtime.begin(SYSTEM) as w:
        for task in w.session.scalars(select(Task).where(Task.id.in_(waiting))):
            winner = winners[task.id]
            assert (task.state, task.closed_by_id, task.answers["comment"]) == ("done", office.people[winner.who], winner.note)
        after = dict(w.session.execute(select(Task.id, Instance.version).join(Instance, Instance.id == Task.instance_id)).all())
        assert {after[task] - versions[task] for task in waiting} == {1}
        lines = Counter(w.session.scalars(select(JournalLine.facts["task"].astext).where(JournalLine.kind == "task.completed")))
        assert lines == dict.fromkeys(map(str, waiting), 1)
        assert w.session.scalar(select(func.count(Task.id)).where(Task.state == "open")) == number  # the other branch of each
        assert w.session.scalar(select(func.count(Handover.id))) == number * 2
    with office.as_("inspector") as w:
        assert audit.check(w).sound


# -- a deadline against an officer ------------------------------------------------------------------------------------------------

HANDS_OVER = b'cancelActivity="false" attachedToRef="division_review"'


def cut_off(office: Office) -> str:
    """A leave whose review is taken away by its deadline; the gate would ask for more, the race does not."""
    leave = real("internal_leave")
    diagram = leave.files["process.bpmn"]
    assert HANDS_OVER in diagram
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        store(w, replaced(leave, {"process.bpmn": diagram.replace(HANDS_OVER, HANDS_OVER.replace(b"false", b"true"))}))
    return asked(office)


def at(office: Office, who: Actor, moment: datetime) -> AbstractContextManager[UnitOfWork]:
    """A unit of work at an instant of its own: two that wait for the same lock began at different ones."""
    runtime = office.runtime
    return begin(runtime.sessions, who, MovableClock(moment), runtime.settings.province, runtime.parts)


def reviewed(office: Office, code: str) -> tuple[UUID, datetime, UUID]:
    with office.runtime.begin(SYSTEM) as w:
        task, due_at, due = w.session.execute(
            select(Task.id, Due.due_at, Due.id)
            .join(Dossier, Dossier.id == Task.dossier_id)
            .join(Due, Due.dossier == Dossier.id)
            .where(Dossier.code == code, Task.step == "division_review", Due.kind == "timer")
        ).one()
    return task, due_at, due


def refused(act: Callable[[], Any]) -> str | None:
    """The code an act was refused with, if it was."""
    try:
        act()
    except Conflict as conflict:
        return conflict.code
    return None


def first_then(office: Office, code: str, first: Callable[[], Any], then: Callable[[], Any]) -> tuple[Any, Any]:
    """Let *first* run while *then* already waits for the dossier's lock."""
    held, started = threading.Event(), threading.Event()

    def hold() -> None:
        with office.runtime.begin(SYSTEM) as w:
            flow.lock(w, code=code)
            held.set()
            started.wait(60)

    def outcome(act: Callable[[], Any]) -> Any:
        try:
            return act()
        except Conflict as refused:
            return refused

    with ThreadPoolExecutor(3) as threads:
        holder = threads.submit(hold)
        assert held.wait(60)
        one = threads.submit(outcome, first)
        waits(office, 1)
        other = threads.submit(outcome, then)
        waits(office, 2)
        started.set()
        holder.result(60)
        return one.result(60), other.result(60)


def waits(office: Office, number: int) -> None:
    """Wait until that many connections wait for a row somebody else holds: PostgreSQL serves them in this order."""
    for _ in range(600):
        with office.runtime.begin(SYSTEM) as w:
            blocked = w.session.scalar(
                text("select count(*) from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0")
            )
        if blocked == number:
            return
        threading.Event().wait(0.01)
    raise AssertionError("nobody waits")


OFFICER, CLOCK = "division_head", Actor("clock")


def completes(office: Office, task: UUID, moment: datetime) -> Callable[[], Any]:
    def act() -> str:
        with at(office, office.actor(OFFICER), moment) as w:
            w.session.execute(PATIENT)
            tasks.complete(w, task, {"decision": "agree"})
        return "completed"

    return act


def fires(office: Office, due: UUID, moment: datetime) -> Callable[[], Any]:
    def act() -> bool:
        with at(office, CLOCK, moment) as w:
            w.session.execute(PATIENT)
            return deadlines.fire(w, due)

    return act


def effects(office: Office, task: UUID) -> tuple[str, str | None, int, int]:
    """How the task was closed, and how often each of the two things that could happen to it happened."""
    with office.runtime.begin(SYSTEM) as w:
        found = w.session.get(Task, (w.province, task))
        assert found is not None

        def written(kind: str) -> int:
            chain = JournalLine.chain == found.dossier_id
            return w.session.scalar(select(func.count(JournalLine.number)).where(chain, JournalLine.kind == kind)) or 0

        return found.state, found.closed_how, written("task.completed"), written("timer.fired")


def test_an_officer_who_holds_the_dossier_before_the_deadline_is_in_time_and_the_clock_finds_nothing(office: Office):
    code = cut_off(office)
    task, due_at, due = reviewed(office, code)
    second = timedelta(seconds=1)
    done, fired = first_then(office, code, completes(office, task, due_at - second), fires(office, due, due_at + second))
    assert (done, fired) == ("completed", False)
    assert effects(office, task) == ("done", "completed", 1, 0)


def test_an_officer_who_comes_to_the_lock_after_the_clock_is_told_that_the_deadline_was_faster(office: Office):
    code = cut_off(office)
    task, due_at, due = reviewed(office, code)
    second = timedelta(seconds=1)
    fired, told = first_then(office, code, fires(office, due, due_at + second), completes(office, task, due_at - second))
    assert fired is True
    assert (told.code, told.facts["at"]) == ("task.overtaken", (due_at + second).isoformat())
    assert effects(office, task) == ("cancelled", "timer", 0, 1)


def test_an_officer_after_the_deadline_is_late_even_if_no_worker_has_run(office: Office):
    code = cut_off(office)
    task, due_at, due = reviewed(office, code)
    with pytest.raises(Conflict, match="overtaken"):
        completes(office, task, due_at + timedelta(seconds=1))()
    assert effects(office, task)[0] == "open"  # refused whole; the clock does its own work
    assert fires(office, due, due_at + timedelta(seconds=2))() is True
    assert effects(office, task) == ("cancelled", "timer", 0, 1)


def test_however_the_clock_and_an_officer_meet_one_of_them_has_its_way(office: Office):
    codes = [cut_off(office)] + [asked(office) for _ in range(9)]
    second = timedelta(seconds=1)
    work = [reviewed(office, code) for code in codes]
    with ThreadPoolExecutor(4) as threads:
        acts = [completes(office, task, due_at - second) for task, due_at, _ in work]
        acts += [fires(office, due, due_at + second) for _, due_at, due in work]
        random.Random(7).shuffle(acts)
        refusals = [one.result(120) for one in [threads.submit(refused, act) for act in acts]]
    assert set(refusals) <= {None, "task.overtaken"}
    for task, _due_at, _due in work:
        assert effects(office, task) in (("done", "completed", 1, 0), ("cancelled", "timer", 0, 1))
