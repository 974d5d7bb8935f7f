from __future__ import annotations

from datetime import date

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.dossier import lifecycle, statuses
from engine.errors import Conflict, NotFound

EVENTS = sorted({event for rules in lifecycle.RULES.values() for event in rules})
STATUSES = sorted(set(lifecycle.RULES) | {after for rules in lifecycle.RULES.values() for after in rules.values()})


class Life(RuleBasedStateMachine):
    """A dossier to which anything may happen at any time."""

    @initialize()
    def receive(self) -> None:
        self.status: str = lifecycle.FIRST
        self.history = [self.status]

    @rule(event=st.sampled_from(EVENTS))
    def happen(self, event: str) -> None:
        if event in lifecycle.possible(self.status):
            self.status = lifecycle.follow(self.status, event)
            self.history.append(self.status)
        else:
            with pytest.raises(Conflict):
                lifecycle.follow(self.status, event)

    @invariant()
    def has_a_name_in_both_languages_and_a_national_code(self) -> None:
        assert statuses.name(self.status, "vi") != self.status
        assert statuses.name(self.status, "en")
        assert 1 <= statuses.national(self.status, date(2026, 11, 22)).code <= 10

    @invariant()
    def can_still_end(self) -> None:
        reached, waiting = set(), [self.status]
        while waiting:
            here = waiting.pop()
            if here not in reached:
                reached.add(here)
                waiting.extend(lifecycle.RULES.get(here, {}).values())
        assert reached & lifecycle.TERMINAL

    @precondition(lambda self: lifecycle.ended(self.status))
    @rule(event=st.sampled_from(EVENTS))
    def nothing_happens_after_the_end(self, event: str) -> None:
        with pytest.raises(Conflict):
            lifecycle.follow(self.status, event)


TestLife = Life.TestCase


def test_every_status_is_reached_and_leads_somewhere():
    assert set(STATUSES) == set(statuses.names())
    assert {s for s in STATUSES if not lifecycle.possible(s)} == lifecycle.TERMINAL


def test_the_usual_life():
    status = lifecycle.FIRST
    for event in ["work_started", "supplement_requested", "supplement_answered", "resolved", "returned"]:
        status = lifecycle.follow(status, event)

    assert status == "returned"


def test_the_refusal_of_an_event_names_status_and_event_but_nobody():
    with pytest.raises(Conflict) as refused:
        lifecycle.follow("returned", "refused")

    assert refused.value.facts == {"status": "returned", "event": "refused"}


@pytest.mark.parametrize(("status", "code"), [
    ("received", 2), ("refused", 3), ("processing", 4), ("awaiting_supplement", 5), ("awaiting_payment", 6), ("awaiting_authority", 4),
    ("withdrawn", 7), ("stopped", 8), ("resolved", 9), ("returned", 10),
])  # fmt: skip
def test_the_national_codes(status, code):
    assert statuses.national(status, date(2026, 11, 22)).code == code


def test_an_interface_without_a_list_on_that_day_is_not_guessed():
    with pytest.raises(NotFound):
        statuses.national("received", date(2010, 1, 1))
    with pytest.raises(NotFound):
        statuses.national("received", date(2026, 1, 1), "another")
