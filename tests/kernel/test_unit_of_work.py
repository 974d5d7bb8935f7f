"""The unit of work: all of it or nothing; a request that comes twice is answered once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from engine.errors import Conflict
from engine.kernel import due, outbox
from engine.kernel.clock import MovableClock, ShiftedClock, shift
from engine.kernel.identifiers import new_id
from engine.kernel.outbox import OutboxMessage
from engine.kernel.unit_of_work import Actor
from engine.runtime import Runtime
from engine.settings import Settings
from tests.conftest import Statements
from tests.support.actors import CLOCK, SYSTEM, officer

JOBS = text("select count(*) from procrastinate_jobs")


def test_work_that_fails_leaves_no_message_and_no_job(runtime: Runtime) -> None:
    with pytest.raises(ZeroDivisionError), runtime.begin(officer()) as w:
        w.send("mail", "notice:1", {"template": "received"})
        outbox.write(w.session, w.province, w.now, [outbox.promise("mail", "notice:2", {}, None, None)])
        raise ZeroDivisionError

    with runtime.begin(SYSTEM) as w:
        assert w.session.scalar(select(func.count()).select_from(OutboxMessage)) == 0
        assert w.session.scalar(JOBS) == 0


def test_a_message_and_its_job_appear_together(runtime: Runtime) -> None:
    with runtime.begin(officer()) as w:
        w.send("mail", "notice:1", {"template": "received"})

    with runtime.begin(SYSTEM) as w:
        message = w.session.scalars(select(OutboxMessage)).one()
        arguments = w.session.scalar(text("select args from procrastinate_jobs"))
    assert arguments == {"province": 1, "message": str(message.id)}


def test_the_same_key_promises_once(runtime: Runtime) -> None:
    for _ in range(2):
        with runtime.begin(officer()) as w:
            w.send("mail", "notice:1", {"template": "received"})
            w.send("mail", "notice:1", {"template": "received"})

    with runtime.begin(SYSTEM) as w:
        assert w.session.scalar(select(func.count()).select_from(OutboxMessage)) == 1
        assert w.session.scalar(JOBS) == 1


def test_a_message_that_waits_gets_its_job_when_its_time_has_come(runtime: Runtime, clock: MovableClock) -> None:
    with runtime.begin(officer()) as w:
        w.send("mail", "reminder:1", {}, not_before=w.now + timedelta(days=1))
    with runtime.begin(CLOCK) as w:
        assert outbox.queue_waiting(w.session, w.province, w.now) == 0

    clock.move(timedelta(days=1))

    with runtime.begin(CLOCK) as w:
        assert outbox.queue_waiting(w.session, w.province, w.now) == 1
    with runtime.begin(CLOCK) as w:
        assert outbox.queue_waiting(w.session, w.province, w.now) == 0
        assert w.session.scalar(JOBS) == 1


def test_a_request_that_comes_again_gets_the_first_answer(runtime: Runtime) -> None:
    with runtime.begin(officer()) as w:
        assert w.recall("form-1") is None
        w.remember("form-1", {"dossier": "H29.100-260302-000001"})

    with runtime.begin(officer()) as w:
        assert w.recall("form-1") == {"dossier": "H29.100-260302-000001"}
    with runtime.begin(officer(account=8)) as w:
        assert w.recall("form-1") is None


def test_a_request_whose_work_failed_is_new_again(runtime: Runtime) -> None:
    with pytest.raises(ZeroDivisionError), runtime.begin(officer()) as w:
        w.recall("form-1")
        w.remember("form-1", {"done": True})
        raise ZeroDivisionError

    with runtime.begin(officer()) as w:
        assert w.recall("form-1") is None


def test_the_same_request_id_with_other_content_is_a_conflict(runtime: Runtime) -> None:
    with runtime.begin(officer()) as w:
        w.recall("form-1", "a")
        w.remember("form-1", {})

    with pytest.raises(Conflict) as refused, runtime.begin(officer()) as w:
        w.recall("form-1", "b")
    assert refused.value.code == "request.other_content"


def test_twenty_submits_at_once_act_once(runtime: Runtime) -> None:
    acts: list[int] = []
    together = threading.Barrier(5)

    def submit(number: int) -> object:
        if number < 5:
            together.wait()
        with runtime.begin(officer()) as w:
            known = w.recall("form-1")
            if known is not None:
                return known["number"]
            acts.append(number)
            w.send("mail", f"notice:{number}", {})
            w.remember("form-1", {"number": number})
            return number

    with ThreadPoolExecutor(5) as pool:
        answers = set(pool.map(submit, range(20)))

    assert len(acts) == 1
    assert answers == set(acts)


def test_of_two_who_looked_for_a_request_and_found_none_the_second_is_taken_back_and_finds_the_firsts_answer(runtime: Runtime) -> None:
    first_wrote, acts = threading.Event(), []

    def submit(number: int) -> object:
        try:
            with runtime.begin(officer()) as w:
                assert w.find("form-1") is None
                acts.append(number)
                together.wait()
                if number:
                    assert first_wrote.wait(60)
                w.send("mail", f"notice:{number}", {})
                w.remember("form-1", {"number": number}, claimed=False)
        except Conflict as refused:
            return refused.code
        first_wrote.set()
        return None

    together = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(submit, (0, 1)))

    assert (sorted(acts), told) == ([0, 1], [None, "work.stale"])
    with runtime.begin(officer()) as w:
        assert w.find("form-1") == {"number": 0} == w.recall("form-1")
        assert w.find("form-2") is None
        assert [one.key for one in w.session.scalars(select(OutboxMessage))] == ["notice:0"]
    with runtime.begin(officer(account=8)) as w:
        assert w.find("form-1") is None


def test_a_row_held_by_somebody_else_is_a_conflict_after_two_seconds(runtime: Runtime) -> None:
    dossier = new_id()
    with runtime.begin(SYSTEM) as w:
        due.put(w.session, w.province, dossier, "term", "", w.now)

    with runtime.begin(SYSTEM) as holder:
        holder.session.execute(select(due.Due).with_for_update())
        with pytest.raises(Conflict) as refused, runtime.begin(SYSTEM) as w:
            w.session.execute(select(due.Due).with_for_update())

    assert refused.value.code == "work.busy"


def test_the_instant_is_fixed_when_the_work_begins(runtime: Runtime, clock: MovableClock) -> None:
    with runtime.begin(SYSTEM) as w:
        before = w.now
        clock.move(timedelta(hours=1))
        assert w.now == before


def test_a_moved_demonstration_clock_is_the_same_for_everybody(runtime: Runtime) -> None:
    demonstration = runtime.with_clock(ShiftedClock())
    with demonstration.begin(SYSTEM) as w:
        real = w.now
        shift(w.session, w.province, timedelta(days=40))

    with demonstration.begin(SYSTEM) as w:
        assert timedelta(days=40) <= w.now - real < timedelta(days=40, seconds=30)


def test_an_empty_unit_of_work_sends_nothing_to_the_database(runtime: Runtime, statements: Statements) -> None:
    with runtime.begin(SYSTEM):
        pass

    assert len(statements) == 0


def test_a_part_nobody_offered_is_named(runtime: Runtime) -> None:
    with runtime.begin(SYSTEM) as w:
        assert w.part(Settings) is runtime.settings
        with pytest.raises(LookupError, match="Actor"):
            w.part(Actor)


def test_what_falls_due_is_found_once_and_in_order(runtime: Runtime, clock: MovableClock) -> None:
    dossier = new_id()
    with runtime.begin(SYSTEM) as w:
        due.put(w.session, w.province, dossier, "timer", "b", w.now + timedelta(hours=2))
        due.put(w.session, w.province, dossier, "timer", "a", w.now + timedelta(hours=1))
        due.put(w.session, w.province, dossier, "term", "", w.now + timedelta(days=9))
    clock.move(timedelta(hours=3))

    with runtime.begin(CLOCK) as w:
        first, second = due.candidates(w.session, w.province, w.now)
        with runtime.begin(CLOCK) as other:
            assert due.candidates(other.session, other.province, other.now) == []
        taken = due.take(w.session, w.province, first, w.now)
        assert taken is not None
        assert taken.ref == "a"
        assert due.take(w.session, w.province, first, w.now) is None

    with runtime.begin(CLOCK) as w:
        assert due.candidates(w.session, w.province, w.now) == [second]


def test_moving_an_instant_makes_it_wait_again(runtime: Runtime, clock: MovableClock) -> None:
    dossier = new_id()
    with runtime.begin(SYSTEM) as w:
        due.put(w.session, w.province, dossier, "term", "", w.now)
    with runtime.begin(CLOCK) as w:
        [only] = due.candidates(w.session, w.province, w.now)
        due.take(w.session, w.province, only, w.now)
    with runtime.begin(SYSTEM) as w:
        due.put(w.session, w.province, dossier, "term", "", w.now)
        assert due.candidates(w.session, w.province, w.now) == []
        due.put(w.session, w.province, dossier, "term", "", w.now + timedelta(hours=1))
    clock.move(timedelta(hours=1))

    with runtime.begin(CLOCK) as w:
        assert due.candidates(w.session, w.province, w.now) == [only]


def test_replacing_keeps_moves_and_clears(runtime: Runtime) -> None:
    dossier = new_id()
    with runtime.begin(SYSTEM) as w:
        due.replace(w.session, w.province, dossier, "timer", {"a": w.now, "b": w.now})
        due.replace(w.session, w.province, dossier, "timer", {"b": w.now + timedelta(hours=1), "c": w.now})
        rows = {row.ref: row.due_at - w.now for row in w.session.scalars(select(due.Due))}

    assert rows == {"b": timedelta(hours=1), "c": timedelta(0)}
