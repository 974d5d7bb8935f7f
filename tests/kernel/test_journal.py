"""The journal: what was written stays what was written, or is found at its exact line."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError

from engine.kernel.canonical import canonical, plain
from engine.kernel.database import address
from engine.kernel.identifiers import new_id
from engine.kernel.journal import HEAD, OFFICE, JournalHead, JournalLine, fact, remember_head, seal
from engine.kernel.journal_check import merkle_root
from engine.kernel.journal_seal import JournalSealLeaf, add_seal, unstamped, verify
from engine.kernel.unit_of_work import UnitOfWork
from engine.runtime import Runtime
from engine.settings import Settings
from tests.conftest import Statements
from tests.support.actors import SYSTEM, officer


@pytest.fixture
def dossier(runtime: Runtime) -> UUID:
    """A dossier whose chain has five lines; the office's chain has one."""
    dossier = new_id()
    for step in range(5):
        with runtime.begin(officer()) as w:
            w.record("task.completed", dossier, step=step, note="Đã kiểm tra", at=w.now)
    with runtime.begin(SYSTEM) as w:
        w.record("calendar.published", year=2026)
    return dossier


def tamper(settings: Settings, *statements: str) -> None:
    """Do what only somebody can do who owns the server: switch the guards off and change the past."""
    engine = create_engine(address(settings.database_url or ""))
    with engine.begin() as connection:
        connection.exec_driver_sql("set session_replication_role = replica")
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def faults(runtime: Runtime) -> list[tuple[UUID, int, str]]:
    with runtime.begin(SYSTEM) as w:
        return [(fault.chain, fault.number, fault.reason) for fault in verify(w.session, w.province).faults]


def test_an_untouched_journal_is_sound(runtime: Runtime, dossier: UUID) -> None:
    with runtime.begin(SYSTEM) as w:
        report = verify(w.session, w.province)

    assert report.sound
    assert (report.chains, report.lines) == (2, 6)


def test_a_changed_word_is_found_at_its_line(runtime: Runtime, settings: Settings, dossier: UUID) -> None:
    tamper(settings, f"update journal_line set facts = jsonb_set(facts, '{{step}}', '9') where chain = '{dossier}' and number = 3")

    assert faults(runtime) == [(dossier, 3, "altered")]


@pytest.mark.parametrize("bit", [0, 101, 255])
def test_a_flipped_bit_of_a_hash_is_found_at_its_line(runtime: Runtime, settings: Settings, dossier: UUID, bit: int) -> None:
    tamper(
        settings, f"update journal_line set hash = set_bit(hash, {bit}, 1 - get_bit(hash, {bit})) where chain = '{dossier}' and number = 2"
    )

    assert (dossier, 2, "altered") in faults(runtime)


@pytest.mark.parametrize(
    "change", ["at = at + interval '1 second'", "recorded_at = recorded_at - interval '1 microsecond'", "kind = 'task.begun'"]
)
def test_a_changed_instant_or_kind_is_found(runtime: Runtime, settings: Settings, dossier: UUID, change: str) -> None:
    tamper(settings, f"update journal_line set {change} where chain = '{dossier}' and number = 4")

    assert faults(runtime) == [(dossier, 4, "altered")]


def test_another_actor_is_found(runtime: Runtime, settings: Settings, dossier: UUID) -> None:
    tamper(settings, f"update journal_line set actor = jsonb_set(actor, '{{account}}', '8') where chain = '{dossier}' and number = 1")

    assert faults(runtime) == [(dossier, 1, "altered")]


def test_a_line_taken_out_of_the_middle_is_missing(runtime: Runtime, settings: Settings, dossier: UUID) -> None:
    tamper(settings, f"delete from journal_line where chain = '{dossier}' and number = 3")

    assert faults(runtime) == [(dossier, 3, "missing")]


def test_a_line_taken_out_and_the_rest_renumbered_is_found(runtime: Runtime, settings: Settings, dossier: UUID) -> None:
    tamper(
        settings,
        f"delete from journal_line where chain = '{dossier}' and number = 3",
        f"update journal_line set number = number - 1 where chain = '{dossier}' and number > 3",
    )

    assert (dossier, 3, "unlinked") in faults(runtime)


def test_two_lines_that_changed_places_are_found(runtime: Runtime, settings: Settings, dossier: UUID) -> None:
    tamper(
        settings,
        f"update journal_line set number = number + 100 where chain = '{dossier}' and number in (2, 3)",
        f"update journal_line set number = 105 - number where chain = '{dossier}' and number > 100",
    )

    assert {(dossier, 2, "altered"), (dossier, 3, "altered")} <= set(faults(runtime))


def test_a_cut_tail_is_found_by_the_head(runtime: Runtime, settings: Settings, dossier: UUID) -> None:
    tamper(settings, f"delete from journal_line where chain = '{dossier}' and number = 5")

    assert faults(runtime) == [(dossier, 5, "cut")]


def test_a_whole_chain_taken_out_is_found(runtime: Runtime, settings: Settings, dossier: UUID) -> None:
    tamper(settings, f"delete from journal_line where chain = '{dossier}'")

    assert faults(runtime) == [(dossier, 1, "missing")]


def test_a_cut_tail_with_a_rewritten_head_is_found_by_the_daily_seal(runtime: Runtime, settings: Settings, dossier: UUID) -> None:
    with runtime.begin(SYSTEM) as w:
        sealed = add_seal(w.session, w.province, w.now)
    assert sealed is not None
    tamper(
        settings,
        f"delete from journal_line where chain = '{dossier}' and number = 5",
        f"update journal_head set number = 4, hash = (select hash from journal_line where chain = '{dossier}' and number = 4) "
        f"where chain = '{dossier}'",
    )

    assert faults(runtime) == [(dossier, 5, "sealed_line_missing")]


def test_a_seal_with_a_leaf_taken_out_is_found(runtime: Runtime, settings: Settings, dossier: UUID) -> None:
    with runtime.begin(SYSTEM) as w:
        add_seal(w.session, w.province, w.now)
    tamper(settings, f"delete from journal_seal_leaf where chain = '{dossier}'")

    assert faults(runtime) == [(OFFICE, 1, "seal_altered")]


def test_a_seal_covers_only_chains_that_grew(runtime: Runtime, dossier: UUID) -> None:
    with runtime.begin(SYSTEM) as w:
        first = add_seal(w.session, w.province, w.now)
    with runtime.begin(SYSTEM) as w:
        assert add_seal(w.session, w.province, w.now) is None
    with runtime.begin(officer()) as w:
        w.record("task.completed", dossier, step=5)
    with runtime.begin(SYSTEM) as w:
        second = add_seal(w.session, w.province, w.now)
        waiting = [seal.number for seal in unstamped(w.session, w.province)]

    assert first is not None
    assert second is not None
    assert (first.count, second.count) == (2, 1)
    assert second.previous == first.hash
    assert waiting == [1, 2]
    assert faults(runtime) == []


def read_under_lock(w: UnitOfWork, dossier: UUID) -> None:
    """As a command that locks its dossier and the end of its chain together."""
    query = select(*HEAD).where(JournalHead.province == w.province, JournalHead.chain == dossier).with_for_update()
    remember_head(w.session, dossier, w.session.execute(query).one())


def test_whichever_way_a_line_is_added_its_chain_stands_under_the_next_seal(runtime: Runtime, dossier: UUID) -> None:
    fresh = new_id()
    ways: list[tuple[UUID, list[UUID], bool]] = [
        (fresh, [fresh], False),  # begins its chain
        (dossier, [dossier], False),  # locks the head itself
        (dossier, [dossier], True),  # all in the statement that ends the transaction
        (dossier, [dossier, OFFICE], True),  # in one statement with the head's move, beside another chain
    ]
    for chain, recorded, known in ways:
        with runtime.begin(SYSTEM) as w:
            add_seal(w.session, w.province, w.now)
        with runtime.begin(officer()) as w:
            if known:
                read_under_lock(w, chain)
            for one in recorded:
                w.record("task.completed", None if one == OFFICE else one, step=7)
        with runtime.begin(SYSTEM) as w:
            made = add_seal(w.session, w.province, w.now)
            assert made is not None, (recorded, known)
            of_seal = select(JournalSealLeaf.chain).where(JournalSealLeaf.province == w.province, JournalSealLeaf.seal == made.number)
            assert set(w.session.scalars(of_seal)) == set(recorded), (recorded, known)
    assert faults(runtime) == []


def test_only_the_first_line_after_a_seal_touches_the_index_of_what_is_to_be_sealed(runtime: Runtime, dossier: UUID) -> None:
    rewritten = text(
        "select pg_stat_get_xact_tuples_updated('journal_head'::regclass), pg_stat_get_xact_tuples_hot_updated('journal_head'::regclass)"
    )
    with runtime.begin(SYSTEM) as w:
        add_seal(w.session, w.province, w.now)
    with runtime.begin(SYSTEM) as w:
        before = w.session.execute(rewritten).one()
        for step in range(3):
            seal(w.session, w.province, w.now, w.actor.identity, [fact("task.completed", dossier, {"step": step})])
        after = w.session.execute(rewritten).one()

    # Two each: the head is locked by an update that changes nothing, then moved.
    assert (after[0] - before[0], after[1] - before[1]) == (6, 5)


@pytest.mark.parametrize("statement", ["update journal_line set kind = 'x'", "delete from journal_line", "truncate journal_line"])
def test_the_application_role_may_not_touch_the_past(runtime: Runtime, dossier: UUID, statement: str) -> None:
    with pytest.raises(DBAPIError) as refused, runtime.begin(SYSTEM) as w:
        w.session.execute(text(statement))

    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize("statement", ["update journal_line set kind = 'x'", "delete from journal_line", "truncate journal_line"])
def test_even_the_owner_is_refused(settings: Settings, runtime: Runtime, dossier: UUID, statement: str) -> None:
    engine = create_engine(address(settings.database_url or ""))

    with pytest.raises(DBAPIError, match="only added to"), engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def test_work_rolled_back_leaves_no_line(runtime: Runtime, dossier: UUID) -> None:
    with pytest.raises(RuntimeError, match="changed my mind"), runtime.begin(officer()) as w:
        w.record("task.completed", dossier, step=99)
        raise RuntimeError("changed my mind")

    with runtime.begin(SYSTEM) as w:
        assert w.session.scalar(select(JournalLine.number).where(JournalLine.chain == dossier).order_by(JournalLine.number.desc())) == 5


def test_a_line_says_who_did_what_when(runtime: Runtime) -> None:
    dossier = new_id()
    with runtime.begin(officer(account=12)) as w:
        w.record("dossier.received", dossier, code="H29.100-260302-000001", pages=3)

    with runtime.begin(SYSTEM) as w:
        line = w.session.scalars(select(JournalLine).where(JournalLine.chain == dossier)).one()
        assert line.at == runtime.clock.now(w.session, 1)
    assert line.actor == {"kind": "person", "account": 12}
    assert line.facts == {"code": "H29.100-260302-000001", "pages": 3}


def test_sealing_two_chains_takes_six_statements(runtime: Runtime, statements: Statements) -> None:
    dossier = new_id()
    with runtime.begin(SYSTEM) as w:
        for step in range(10):
            w.record("task.completed", dossier, step=step)
        w.record("office.opened")

    assert len(statements) == 6


facts = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcđê", min_size=1), inner, max_size=4),
)


@given(facts)
def test_canonical_bytes_do_not_depend_on_where_they_were_kept(value: object) -> None:
    import json

    assert canonical(json.loads(json.dumps(plain(value)))) == canonical(value)


def test_canonical_form_refuses_floats_naive_instants_and_nul() -> None:
    from datetime import datetime

    with pytest.raises(TypeError):
        plain(0.1)
    with pytest.raises(ValueError, match="naive"):
        plain(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="NUL"):
        plain("a\0b")


@given(st.lists(st.binary(min_size=1, max_size=4), max_size=9), st.lists(st.binary(min_size=1, max_size=4), max_size=9))
def test_two_lists_never_share_a_root(left: list[bytes], right: list[bytes]) -> None:
    assert (merkle_root(left) == merkle_root(right)) == (left == right)
