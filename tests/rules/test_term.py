from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.deadline.calendar import ZONE, DayKind, Decision
from engine.deadline.explanation import explain
from engine.deadline.stage import remaining, stage_due
from engine.deadline.term import Extension, OutcomeClass, Pause, Term, due, outcome
from engine.errors import Refused
from engine.sentences import catalogue
from tests.rules.calendars import local, plain_week, vietnam

SAME_DAY = Term(0, "same_day", cutoff=time(15))
FIVE_DAYS = Term(5)

terms = st.one_of(
    st.builds(Term, st.integers(1, 40), st.just("working_day"), st.sampled_from(["day", "hour"])),
    st.builds(Term, st.integers(1, 80), st.just("working_hour"), st.just("hour")),
    st.builds(Term, st.integers(1, 60), st.just("calendar_day"), st.just("day")),
    st.just(SAME_DAY),
)
counted = st.tuples(terms, st.sampled_from(["resume", "restart"])).map(
    lambda pair: Term(pair[0].amount, pair[0].unit, pair[0].counting, pair[0].cutoff, pair[1])
)
instants = st.datetimes(datetime(2025, 1, 1), datetime(2027, 3, 1)).map(lambda t: t.replace(tzinfo=ZONE, second=0, microsecond=0))  # noqa: DTZ001


def at(received: str, term: Term = SAME_DAY, *pauses: Pause) -> datetime | None:
    return due(local(received), term, pauses, vietnam()).at


def test_received_before_three_is_due_on_the_same_day():
    assert at("2026-11-20T14:59") == local("2026-11-20T17:00")
    assert at("2026-11-20T15:00") == local("2026-11-20T17:00")


def test_received_a_second_after_three_is_due_on_the_next_working_day():
    assert at("2026-11-20T15:00:01") == local("2026-11-23T17:00")


def test_received_too_late_on_the_day_before_a_holiday_skips_the_holiday():
    assert at("2026-11-23T15:00:01") == local("2026-11-25T17:00")


def test_received_on_a_day_off_is_due_on_the_next_working_day():
    assert at("2026-11-24T09:00") == local("2026-11-25T17:00")
    assert at("2026-11-22T09:00") == local("2026-11-23T17:00")


def test_received_on_a_worked_saturday_is_due_on_that_saturday():
    assert at("2026-08-22T09:00") == local("2026-08-22T17:00")


def test_a_same_day_term_on_a_half_day_ends_at_noon():
    half = plain_week(Decision(date(2026, 11, 25), DayKind.HALF_DAY, "act", hours=((time(8), time(12)),)))

    assert due(local("2026-11-25T11:00"), SAME_DAY, [], half).at == local("2026-11-25T12:00")
    assert due(local("2026-11-25T12:30"), SAME_DAY, [], half).at == local("2026-11-26T17:00")


def test_without_a_cutoff_the_office_hours_decide():
    assert at("2026-11-20T16:59", Term(0, "same_day")) == local("2026-11-20T17:00")


def test_the_day_of_receipt_is_not_counted():
    assert at("2026-11-20T08:00", FIVE_DAYS) == local("2026-11-30T17:00")


def test_days_counted_to_the_hour_keep_the_hour():
    assert at("2026-11-16T10:00", Term(3, counting="hour")) == local("2026-11-19T10:00")
    assert at("2026-11-20T10:00", Term(2, counting="hour")) == local("2026-11-25T10:00")


def test_days_counted_to_the_hour_keep_it_in_an_office_of_other_hours():
    assert due(local("2026-11-16T10:00"), Term(3, counting="hour"), [], vietnam("H99.33")).at == local("2026-11-19T10:00")


def test_days_counted_to_the_hour_from_outside_office_hours_begin_with_the_next_opening():
    assert at("2026-11-15T10:00", Term(1, counting="hour")) == local("2026-11-16T17:00")
    assert at("2026-11-16T20:00", Term(1, counting="hour")) == local("2026-11-17T17:00")


def test_half_a_day_is_half_a_day_when_counted_to_the_hour():
    half = plain_week(Decision(date(2026, 11, 25), DayKind.HALF_DAY, "act", hours=((time(8), time(12)),)))

    assert due(local("2026-11-24T17:00"), Term(1, counting="hour"), [], half).at == local("2026-11-26T12:00")


def test_calendar_days_end_with_the_last_day():
    assert at("2026-11-16T10:00", Term(4, "calendar_day")) == local("2026-11-20T17:00")


def test_calendar_days_that_end_on_a_day_off_end_on_the_next_working_day():
    assert at("2026-11-16T10:00", Term(5, "calendar_day")) == local("2026-11-23T17:00")
    assert at("2026-11-16T10:00", Term(8, "calendar_day")) == local("2026-11-25T17:00")


def test_working_hours_run_through_the_office_calendar():
    assert at("2026-11-20T16:00", Term(8, "working_hour")) == local("2026-11-23T16:00")


def test_the_clock_shows_no_date_while_it_stands_still():
    answer = due(local("2026-11-20T10:00"), FIVE_DAYS, [Pause(local("2026-11-23T10:00"))], vietnam())

    assert answer.at is None
    assert answer.base_at == local("2026-11-30T17:00")


def test_a_supplement_moves_the_date_by_exactly_the_suspended_working_time():
    pause = Pause(local("2026-11-25T10:00"), local("2026-11-27T10:00"))

    answer = due(local("2026-11-20T10:00"), FIVE_DAYS, [pause], vietnam())

    assert answer.at == local("2026-12-02T17:00")
    assert answer.suspended == timedelta(hours=16)


def test_a_supplement_may_restart_the_term():
    pause = Pause(local("2026-11-25T10:00"), local("2026-11-27T10:00"))
    afresh = Term(5, on_supplement="restart")

    assert at("2026-11-20T10:00", afresh, pause) == local("2026-12-04T17:00")


def test_only_a_supplement_restarts_the_term():
    obligation = Pause(local("2026-11-25T10:00"), local("2026-11-27T10:00"), "financial_obligation")

    assert at("2026-11-20T10:00", Term(5, on_supplement="restart"), obligation) == local("2026-12-02T17:00")


def test_a_same_day_term_restarted_after_three_is_due_on_the_next_working_day():
    pause = Pause(local("2026-11-20T10:00"), local("2026-11-23T15:30"))

    assert at("2026-11-20T09:00", Term(0, "same_day", cutoff=time(15), on_supplement="restart"), pause) == local("2026-11-25T17:00")


def test_a_same_day_term_keeps_the_hours_it_had_left():
    pause = Pause(local("2026-11-20T11:00"), local("2026-11-23T09:00"))

    assert at("2026-11-20T10:00", SAME_DAY, pause) == local("2026-11-23T15:00")


def test_suspensions_that_overlap_count_once():
    first = Pause(local("2026-11-25T10:00"), local("2026-11-26T10:00"))
    second = Pause(local("2026-11-25T14:00"), local("2026-11-27T10:00"), "financial_obligation")

    assert at("2026-11-20T10:00", FIVE_DAYS, first, second) == local("2026-12-02T17:00")


def test_a_calendar_term_answered_after_closing_time_on_its_last_day_gets_the_next_working_day():
    pause = Pause(local("2026-11-20T10:00"), local("2026-11-20T20:00"))

    assert at("2026-11-16T10:00", Term(4, "calendar_day"), pause) == local("2026-11-23T17:00")


def test_what_was_late_before_a_suspension_stays_late_after_it():
    pause = Pause(local("2026-12-01T10:00"), local("2026-12-03T10:00"))

    answer = due(local("2026-11-20T10:00"), FIVE_DAYS, [pause], vietnam())

    assert answer.at is not None
    assert answer.at < local("2026-12-03T10:00")


def test_a_term_beyond_the_approved_years_is_provisional():
    assert due(local("2026-12-30T10:00"), FIVE_DAYS, [], vietnam()).provisional
    assert not due(local("2026-11-20T10:00"), FIVE_DAYS, [], vietnam()).provisional


def test_an_extension_sets_the_new_date_and_a_later_suspension_moves_it():
    promised = Extension(local("2026-11-27T09:00"), local("2026-12-04T17:00"))
    pause = Pause(local("2026-12-01T10:00"), local("2026-12-02T10:00"))
    received = local("2026-11-20T10:00")

    assert due(received, FIVE_DAYS, [], vietnam(), promised).at == local("2026-12-04T17:00")
    assert due(received, FIVE_DAYS, [pause], vietnam(), promised).at == local("2026-12-07T17:00")


def test_an_extension_never_shortens():
    earlier = Extension(local("2026-11-23T09:00"), local("2026-11-25T17:00"))

    assert due(local("2026-11-20T10:00"), FIVE_DAYS, [], vietnam(), earlier).at == local("2026-11-30T17:00")


@pytest.mark.parametrize(("finished", "expected"), [
    ("2026-11-27T17:00", OutcomeClass.EARLY),
    ("2026-11-30T08:00", OutcomeClass.ON_TIME),
    ("2026-11-30T17:00", OutcomeClass.ON_TIME),
    ("2026-11-30T17:00:01", OutcomeClass.LATE),
])  # fmt: skip
def test_early_on_time_and_late(finished, expected):
    assert outcome(local(finished), local("2026-11-30T17:00")) is expected


def test_a_step_is_due_after_its_working_hours():
    assert stage_due(local("2026-11-23T16:30"), 2, vietnam()) == local("2026-11-25T09:00")


def test_what_is_left_is_working_time_and_negative_when_late():
    assert remaining(local("2026-11-23T16:00"), local("2026-11-25T08:30"), vietnam()) == timedelta(hours=2)
    assert remaining(local("2026-11-25T08:30"), local("2026-11-23T16:00"), vietnam()) == timedelta(hours=-2)


def test_a_term_survives_its_journey_through_json():
    term = Term(0, "same_day", "hour", time(15), "restart", "Điều 7")

    assert Term.from_json(term.to_json()) == term
    assert Term.from_rule(term) == term
    assert Term.from_rule(term.to_json()) == term


@pytest.mark.parametrize("row", [
    {"amount": 5, "unit": "fortnight"},
    {"amount": 0, "unit": "working_day"},
    {"amount": -3},
    {"amount": "five"},
    {"amount": 5, "counting": "minute"},
    {"amount": 5, "on_supplement": "ignore"},
    {"unit": "same_day", "cutoff": "quarter past"},
])  # fmt: skip
def test_a_term_that_makes_no_sense_is_refused(row):
    with pytest.raises(Refused):
        Term.from_json(row)


@given(received=instants, term=counted, start=st.integers(0, 20_000), length=st.integers(0, 20_000))
def test_a_suspension_never_shortens_a_term(received, term, start, length):
    since = received + timedelta(minutes=start)
    pause = Pause(since, since + timedelta(minutes=length))

    with_it, without = due(received, term, [pause], vietnam()).at, due(received, term, [], vietnam()).at

    assert with_it is not None
    assert without is not None
    assert with_it >= without


@given(received=instants, term=terms, start=st.integers(0, 5_000), length=st.integers(1, 10_000))
def test_a_suspension_keeps_the_working_time_that_was_left(received, term, start, length):
    assume(term.unit != "calendar_day")
    since = received + timedelta(minutes=start)
    until = since + timedelta(minutes=length)
    before, after = due(received, term, [], vietnam()).at, due(received, term, [Pause(since, until)], vietnam()).at
    assert before is not None
    assert after is not None

    assert remaining(since, before, vietnam()) == remaining(until, after, vietnam())


@given(received=instants, term=counted, first=st.integers(0, 5_000), longer=st.integers(0, 5_000))
def test_a_longer_suspension_is_never_due_earlier(received, term, first, longer):
    since = received + timedelta(minutes=30)
    short = due(received, term, [Pause(since, since + timedelta(minutes=first))], vietnam()).at
    long = due(received, term, [Pause(since, since + timedelta(minutes=first + longer))], vietnam()).at

    assert short is not None
    assert long is not None
    assert short <= long


@given(received=instants, later=st.integers(0, 20_000), term=counted)
def test_received_later_is_never_due_earlier(received, later, term):
    first, second = due(received, term, [], vietnam()).at, due(received + timedelta(minutes=later), term, [], vietnam()).at

    assert first is not None
    assert second is not None
    assert first <= second


@given(received=instants, term=counted)
def test_every_due_date_lies_after_reception_and_inside_office_hours(received, term):
    answer = due(received, term, [], vietnam()).at
    assert answer is not None

    assert answer > received
    assert vietnam().working(answer.date())
    assert vietnam().opening(answer.date()) <= answer <= vietnam().closing(answer.date())


@given(received=instants, term=counted, start=st.integers(0, 10_000), length=st.none() | st.integers(0, 10_000))
def test_the_explanation_covers_every_day_and_reaches_the_term(received, term, start, length):
    since = received + timedelta(minutes=start)
    pause = Pause(since, None if length is None else since + timedelta(minutes=length))
    answer = due(received, term, [pause], vietnam())

    lines = explain(received, term, [pause], vietnam())

    assert [line.on for line in lines] == [received.date() + timedelta(n) for n in range(len(lines))]
    assert all(line.act for line in lines if not vietnam().working(line.on))
    assert all(line.reason_code in catalogue() for line in lines)
    assert [line.running for line in lines] == sorted(line.running for line in lines)
    if answer.at is not None:
        assert lines[-1].on == answer.at.astimezone(ZONE).date()
        assert float(lines[-1].running) == pytest.approx(term.amount if term.unit != "same_day" else 1, abs=0.02)


def test_the_explanation_names_the_act_of_every_day_off():
    lines = {line.on: line for line in explain(local("2026-11-20T10:00"), FIVE_DAYS, [], vietnam())}

    assert lines[date(2026, 11, 20)].reason_code == "deadline.day.received"
    assert lines[date(2026, 11, 21)].reason_code == "deadline.day.weekend"
    assert lines[date(2026, 11, 24)].reason_code == "deadline.day.holiday"
    assert lines[date(2026, 11, 24)].act == "Nghị quyết 28/2026/QH16"
    assert lines[date(2026, 11, 30)].running == 5


def test_the_explanation_says_that_the_cutoff_hour_had_passed():
    lines = explain(local("2026-11-23T15:00:01"), SAME_DAY, [], vietnam())

    assert [line.reason_code.rsplit(".", 1)[1] for line in lines] == ["after_cutoff", "holiday", "next_day"]


def test_the_explanation_says_where_the_clock_stood_still():
    pause = Pause(local("2026-11-25T10:00"), local("2026-11-27T10:00"))
    lines = {line.on.day: line for line in explain(local("2026-11-20T10:00"), FIVE_DAYS, [pause], vietnam()) if line.on.month == 11}

    assert lines[25].reason_code == "deadline.day.suspended_part"
    assert lines[26].reason_code == "deadline.day.suspended"
    assert lines[26].stood == timedelta(hours=8)


def test_the_explanation_marks_a_last_day_that_is_a_day_off():
    lines = {line.on: line for line in explain(local("2026-11-16T10:00"), Term(5, "calendar_day"), [], vietnam())}

    assert lines[date(2026, 11, 21)].reason_code == "deadline.day.last_day_off"
    assert lines[date(2026, 11, 21)].act == "Bộ luật Dân sự 2015, Điều 148 khoản 5"
