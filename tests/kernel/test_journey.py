"""A journey to the database: rows come back as they were kept, whatever goes wrong is told at once, and the connection stays usable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from threading import Event, Thread
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from engine.kernel import journey, wire
from engine.kernel.clock import SystemClock
from engine.kernel.database import open_engine, open_sessions
from engine.kernel.session import WorkSession
from engine.kernel.unit_of_work import Actor, begin
from tests.support.database import Databases

AT = datetime(2026, 3, 2, 1, 30, 0, 123456, tzinfo=UTC)
ID = UUID("01234567-89ab-7cde-8f01-23456789abcd")


@pytest.fixture(scope="module")
def engine(databases: Databases) -> Iterator[Engine]:
    """Connections to the test run's server; nothing is kept in it."""
    engine = open_engine(databases.owner_url("postgres"), pool_size=1, max_overflow=1)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose work is thrown away."""
    with WorkSession(engine) as session:
        yield session


def names(session: Session) -> list[str]:
    """Return what the server keeps prepared for this connection, of ours."""
    found = session.execute(text("select name from pg_prepared_statements where name like 'motcua%' order by name"))
    return [name for (name,) in found]


def test_values_come_back_as_they_were_sent(session: Session) -> None:
    given = [ID, 'Tờ trình số 12 – "ý kiến" $1 %s \\ \'', AT, b"\x00\xff%s", 7, 2**40, True, None, ["a,b", 'c"d', "{}"], '{"vi": "xã"}']
    kinds = ("uuid", "text", "timestamptz", "bytea", "int2", "int8", "bool", "text", "text[]", "jsonb")
    asked = "select " + ", ".join(f"${number}::{kind}" for number, kind in enumerate(kinds, 1))
    ((*found,),), (one,) = wire.line(session).go([(asked, given), ("select 1 as a", [])])
    assert found == [*given[:-1], {"vi": "xã"}]
    assert one == (1,)


def test_each_statement_sees_what_those_before_it_did_and_a_transaction_is_begun_once(session: Session) -> None:
    line = wire.line(session)
    line.go([("create temporary table seen (a int) on commit drop", []), ("insert into seen values ($1), ($2)", [1, 2])])
    assert line.pgconn.transaction_status == TransactionStatus.INTRANS
    assert line.go([("select sum(a) from seen", [])], b"commit") == [[(3,)]]
    assert line.pgconn.transaction_status == TransactionStatus.IDLE


def test_a_refused_statement_is_told_as_the_session_says_it_and_nothing_behind_it_runs(session: Session, engine: Engine) -> None:
    with pytest.raises(DBAPIError) as refused:
        wire.read(session, [wire.Prepared("select 1 / $1::int", ("by",)), wire.Prepared("select pg_sleep(60)", ())], {"by": 0})
    assert isinstance(refused.value.orig, psycopg.errors.DivisionByZero)
    assert "Parameters" not in str(refused.value)
    session.rollback()
    assert wire.line(session).go([("select 2", [])]) == [[(2,)]]


def test_a_value_that_cannot_be_written_is_refused_before_anything_is_sent(session: Session) -> None:
    line = wire.line(session)
    with pytest.raises(psycopg.ProgrammingError):
        line.go([("select 1", []), ("select $1::text", [object()])])
    assert line.pgconn.transaction_status == TransactionStatus.IDLE
    assert line.go([("select 3", [])]) == [[(3,)]]


@pytest.mark.parametrize("value", ["a\0b", "\ud800", datetime(2026, 3, 2, 1, 30)])  # noqa: DTZ001 — a naive one is what is refused
def test_what_would_arrive_as_something_else_is_refused(session: Session, value: Any) -> None:
    """A text ends at a NUL for the driver, an instant without a zone is none, half a character is no UTF-8."""
    line = wire.line(session)
    with pytest.raises((psycopg.DataError, UnicodeEncodeError, TypeError)):
        line.go([("select $1", [value])])
    assert line.pgconn.transaction_status == TransactionStatus.IDLE


@pytest.mark.parametrize("value", [ID, AT, AT.astimezone(timezone(timedelta(hours=7))), datetime(1, 1, 1, tzinfo=UTC)])
def test_what_travels_in_the_servers_form_is_what_the_driver_would_send(session: Session, value: Any) -> None:
    (((told,),),) = wire.line(session).go([("select $1::text", [str(value)])])
    kind = "uuid" if isinstance(value, UUID) else "timestamptz"
    (((same,),),) = wire.line(session).go([(f"select $1 = $2::text::{kind}", [value, told])])
    assert same


def test_the_hour_that_comes_twice_is_written_as_two(session: Session) -> None:
    """For Python the two are equal and have one hash, so nothing may be kept of an instant by its value."""
    first, second = (datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold) for fold in (0, 1))
    assert wire.line(session).go([("select $2 - $1", [first, second])]) == [[(timedelta(hours=1),)]]


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
@example(texts=["", "NULL", 'a"b\\', "{,}", " "])
def test_a_list_of_texts_comes_back_as_it_was_sent(session: Session, texts: list[str]) -> None:
    assert wire.line(session).go([("select $1::text[]", [texts])]) == [[(texts,)]]


def test_an_identifier_in_the_place_of_a_text_is_refused(session: Session) -> None:
    """Sixteen bytes that happen to be a text would be taken for one."""
    with pytest.raises(psycopg.errors.UndefinedFunction):
        wire.line(session).go([("select 1 where $1 = 'a'::text", [ID])])


def test_a_session_and_its_journeys_are_one_transaction_on_one_connection(session: Session, engine: Engine) -> None:
    """Whoever comes first; and what only a journey did is committed and taken back with the session."""
    wire.line(session).go([("create temporary table both_ways (a int)", [])])
    session.commit()
    assert engine.pool.checkedout() == 1  # type: ignore[attr-defined]
    wire.line(session).go([("insert into both_ways values (1)", [])])
    assert session.scalar(text("select sum(a) from both_ways")) == 1
    session.rollback()
    session.execute(text("insert into both_ways values (2)"))
    assert wire.line(session).go([("select sum(a) from both_ways", [])]) == [[(2,)]]
    session.commit()
    wire.line(session).go([("insert into both_ways values (4)", [])])
    session.commit()
    wire.line(session).go([("insert into both_ways values (8)", [])])
    session.rollback()
    assert session.scalar(text("select sum(a) from both_ways")) == 6
    wire.line(session).go([("drop table both_ways", [])], b"commit")
    session.close()
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_journey_left_open_is_taken_back_when_its_session_ends(engine: Engine) -> None:
    with WorkSession(engine) as session:
        wire.line(session).go([("create temporary table left_open (a int)", [])])
    with WorkSession(engine) as session:
        assert wire.line(session).go([("select to_regclass('left_open')", [])]) == [[(None,)]]


def test_statements_stay_prepared_through_rollbacks_of_transactions_and_savepoints(session: Session) -> None:
    """The driver would deallocate every statement of the connection, its own and ours, at the first sight of a rollback."""
    line, asked = wire.line(session), [("select $1::int + 40", [2])]
    for _ in range(6):  # the driver prepares what it was asked five times
        session.execute(text("select 1"))
    line.go(asked)
    known = names(session)
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text("select 1 / 0"))
    session.execute(text("select 1"))
    assert line.go(asked) == [[(42,)]]
    session.rollback()
    session.execute(text("select 1"))
    assert wire.line(session) is line
    assert line.go(asked) == [[(42,)]]
    assert names(session) == known


def test_what_somebody_deallocated_is_prepared_anew_after_one_error(session: Session) -> None:
    line, asked = wire.line(session), [("select $1::int + 50", [1])]
    line.go(asked)
    session.execute(text("deallocate all"))
    with pytest.raises(psycopg.errors.InvalidSqlStatementName):
        line.go(asked)
    session.rollback()
    assert line.go(asked) == [[(51,)]]


def test_a_connection_keeps_only_so_many_statements_prepared(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journey, "KEPT", 3)
    line = wire.line(session)
    for number in range(100, 110):
        assert line.go([(f"select {number}", [])]) == [[(number,)]]
    assert len(names(session)) == 3
    assert line.go([("select 100", [])]) == [[(100,)]]


def test_more_than_the_network_takes_at_once(session: Session) -> None:
    """Both sides write at the same time: whoever only wrote would wait for the other for ever."""
    large = "x" * 8_000_000
    found = wire.line(session).go([("select $1::text", [large])] * 3)
    assert [len(rows[0][0]) for rows in found] == [len(large)] * 3


def test_other_threads_run_while_a_journey_waits(session: Session) -> None:
    turns, over = 0, Event()

    def turn() -> None:
        nonlocal turns
        while not over.is_set():
            turns += 1

    other = Thread(target=turn)
    other.start()
    line = wire.line(session)
    before = turns
    line.go([("select pg_sleep(0.2)", [])])
    during = turns - before
    over.set()
    other.join()
    assert during > 1000


@pytest.mark.parametrize("gone", [psycopg.OperationalError, KeyboardInterrupt])
def test_a_journey_cut_short_leaves_no_connection_to_be_misread(engine: Engine, gone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with WorkSession(engine) as session:
        line = wire.line(session)
        if gone is KeyboardInterrupt:
            monkeypatch.setattr(line, "_answers", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                wire.read(session, [wire.Prepared("select 'theirs'", ())], {})
        else:
            with engine.connect() as other:
                other.execute(text("select pg_terminate_backend(:pid)"), {"pid": line.pgconn.backend_pid})
            with pytest.raises(DBAPIError) as lost:
                wire.read(session, [wire.Prepared("select 1", ())], {})
            assert lost.value.connection_invalidated
        assert line.closed
    monkeypatch.undo()
    with WorkSession(engine) as session:
        assert wire.line(session) is not line
        assert wire.line(session).go([("select 'mine'", [])]) == [[("mine",)]]


def test_a_session_is_handed_out_again_only_after_it_ended_well(engine: Engine) -> None:
    sessions = open_sessions(engine)

    def work() -> Any:
        return begin(sessions, Actor("system", label="tests"), SystemClock(), 1, cast(Any, None))

    with work() as first:
        kept = first.session
        kept.info["known"] = 1
        with work() as inside:
            assert inside.session is not kept
        wire.line(kept).go([("select 1", [])])
    assert not hasattr(first, "session")
    with work() as second, work() as third:
        assert kept in (second.session, third.session)
        assert second.session is not third.session
        assert "known" not in kept.info
    with pytest.raises(ZeroDivisionError), work() as failed:
        broken = failed.session
        raise ZeroDivisionError
    assert all(sessions.take() is not broken for _ in range(4))
