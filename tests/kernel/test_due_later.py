"""Changes of the due table travel at the end of a unit of work; whatever their order, it ends as if each had been made at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from engine.kernel import due
from engine.kernel.identifiers import new_id
from engine.runtime import Runtime
from tests.support.actors import SYSTEM
from tests.support.statements import counted

KINDS, REFS = ("timer", "term"), ("a", "b")
HOURS = st.integers(1, 3)
ROW = st.tuples(st.sampled_from(KINDS), st.sampled_from(REFS))
ACTS = st.one_of(
    st.tuples(st.just("put"), ROW, HOURS),
    st.tuples(st.just("clear"), st.sampled_from((None, *KINDS))),
    st.tuples(st.just("change"), st.sampled_from(KINDS), st.dictionaries(st.sampled_from(REFS), HOURS)),
    st.tuples(st.just("replace"), st.sampled_from(KINDS), st.dictionaries(st.sampled_from(REFS), HOURS)),
    st.tuples(st.just("look")),
)
Rows = dict[tuple[str, str], int]


def rows(w: Any, dossier: UUID) -> Rows:
    found = w.session.scalars(select(due.Due).where(due.Due.dossier == dossier).execution_options(populate_existing=True))
    return {(one.kind, one.ref): (one.due_at - w.now) // timedelta(hours=1) for one in found}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(ACTS, max_size=8), min_size=1, max_size=3))
def test_it_ends_as_if_each_change_had_been_made_at_once(runtime: Runtime, units: list[list[Any]]) -> None:
    dossier, other, wanted = new_id(), new_id(), dict[tuple[str, str], int]()
    with runtime.begin(SYSTEM) as w:
        due.put(w.session, w.province, other, "timer", "a", w.now + timedelta(hours=9))
    for acts in units:
        with runtime.begin(SYSTEM) as w:
            for kind, *given_ in acts:
                if kind == "look":
                    assert rows(w, dossier) == wanted
                    continue
                wanted = applied(w, dossier, wanted, kind, given_)
    with runtime.begin(SYSTEM) as w:
        assert rows(w, dossier) == wanted
        assert rows(w, other) == {("timer", "a"): 9}


def applied(w: Any, dossier: UUID, before: Rows, act: str, given_: list[Any]) -> Rows:
    """Make one change through the module and return what the rows should be then."""
    where = (w.session, w.province, dossier)
    if act == "put":
        (kind, ref), hours = given_
        due.put(*where, kind, ref, w.now + timedelta(hours=hours))
        return {**before, (kind, ref): hours}
    if act == "clear":
        (kind,) = given_
        due.clear(*where, kind)
        return {key: hours for key, hours in before.items() if kind not in (None, key[0])}
    kind, after = given_
    instants = {ref: w.now + timedelta(hours=hours) for ref, hours in after.items()}
    if act == "replace":
        due.replace(*where, kind, instants)
    else:
        known = {ref: w.now + timedelta(hours=hours) for (of, ref), hours in before.items() if of == kind}
        due.change(*where, kind, known, instants)
    return {key: hours for key, hours in before.items() if key[0] != kind} | {(kind, ref): hours for ref, hours in after.items()}


def test_nothing_is_sent_before_the_end(runtime: Runtime) -> None:
    with runtime.begin(SYSTEM) as w:
        assert rows(w, new_id()) == {}  # the connection is open
    with counted() as asked, runtime.begin(SYSTEM) as w:
        due.put(w.session, w.province, new_id(), "timer", "a", w.now)
        due.put(w.session, w.province, new_id(), "timer", "b", w.now)
        assert len(asked) == 0
    assert len(asked) == 1, asked
