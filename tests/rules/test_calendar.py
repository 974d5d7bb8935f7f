from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.deadline.calendar import ZONE, DayKind, Decision, HoursRule, WeekRule, WorkingCalendar, load_calendar
from engine.deadline.calendar_file import Calendars
from engine.errors import NotFound, Refused
from tests.rules.calendars import EIGHT_HOURS, PUBLISHED, local, plain_week, vietnam

days = st.dates(date(2024, 1, 1), date(2027, 6, 30))
instants = st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 30)).map(lambda t: t.replace(tzinfo=ZONE))  # noqa: DTZ001


def test_five_working_days_after_a_friday_skip_the_day_of_culture():
    assert vietnam().add_working_days(date(2026, 11, 20), 5) == date(2026, 11, 30)
    assert vietnam().day(date(2026, 11, 24)).kind is DayKind.HOLIDAY
    assert vietnam().day(date(2026, 11, 24)).legal_basis == "Nghị quyết 28/2026/QH16"


def test_the_24th_of_november_is_an_ordinary_day_before_the_law():
    assert vietnam().working(date(2025, 11, 24))


@pytest.mark.parametrize(("year", "off"), [
    (2024, "01-01 02-08 02-09 02-12 02-13 02-14 04-18 04-29 04-30 05-01 09-02 09-03"),
    (2025, "01-01 01-27 01-28 01-29 01-30 01-31 04-07 04-30 05-01 05-02 09-01 09-02"),
    (2026, "01-01 01-02 02-16 02-17 02-18 02-19 02-20 04-27 04-30 05-01 08-31 09-01 09-02 11-24"),
    (2027, "01-01 02-04 02-05 02-08 02-09 02-10 04-16 04-30 05-03 09-02 09-03 11-24"),
])  # fmt: skip
def test_weekdays_off_are_exactly_the_published_ones(year, off):
    every = (date(year, 1, 1) + timedelta(n) for n in range(365))
    found = [d for d in every if d.weekday() < 5 and not vietnam().working(d)]

    assert [d.strftime("%m-%d") for d in found] == off.split()


@pytest.mark.parametrize(("year", "worked"), [(2024, ["05-04"]), (2025, ["04-26"]), (2026, ["01-10", "08-22"]), (2027, [])])
def test_saturdays_worked_in_exchange_count(year, worked):
    every = (date(year, 1, 1) + timedelta(n) for n in range(365))
    found = [d for d in every if d.weekday() >= 5 and vietnam().working(d)]

    assert [d.strftime("%m-%d") for d in found] == worked
    assert all(vietnam().day(d).kind is DayKind.MAKEUP_WORK for d in found)


def test_every_day_names_the_act_that_decided_it():
    every = (date(2024, 1, 1) + timedelta(n) for n in range(4 * 365))

    assert all(vietnam().day(d).legal_basis for d in every)


def test_the_prefilled_holidays_of_the_public_library_agree_but_for_the_exchange_it_does_not_know():
    holidays = pytest.importorskip("holidays")
    known = holidays.country_holidays("VN", years=[2024, 2025, 2026, 2027])
    every = (date(2024, 1, 1) + timedelta(n) for n in range(4 * 365))

    differing = [d for d in every if known.is_working_day(d) != vietnam().working(d)]

    assert differing == [date(2026, 1, 2), date(2026, 1, 10)]


def test_a_year_not_yet_approved_is_provisional():
    assert not vietnam().provisional(date(2026, 12, 31))
    assert vietnam().provisional(date(2027, 1, 4))


def test_an_agency_with_hours_of_its_own_keeps_them_and_gives_them_to_its_units():
    summer = date(2026, 7, 1)

    assert vietnam().opening(summer) == local("2026-07-01T07:00")
    assert vietnam("H99.33").opening(summer) == local("2026-07-01T07:30")
    assert vietnam("H99.33.01").opening(summer) == local("2026-07-01T07:30")
    assert vietnam("H99.331").opening(summer) == local("2026-07-01T07:00")


def test_seasons_change_the_hours_on_their_first_day():
    assert vietnam().opening(date(2026, 10, 15)).time() == time(7)
    assert vietnam().opening(date(2026, 10, 16)).time() == time(7, 30)
    assert vietnam().opening(date(2026, 4, 15)).time() == time(7, 30)
    assert vietnam().opening(date(2026, 4, 16)).time() == time(7)


def test_a_half_day_closes_at_noon_and_still_counts():
    half = plain_week(Decision(date(2026, 11, 25), DayKind.HALF_DAY, "act", hours=((time(8), time(12)),)))

    assert half.closing(date(2026, 11, 25)) == local("2026-11-25T12:00")
    assert half.add_working_days(date(2026, 11, 24), 1) == date(2026, 11, 25)


def test_a_closure_binds_the_agency_it_names_and_no_other():
    closed = Decision(date(2026, 11, 25), DayKind.CLOSURE, "storm", agency="H99.31")
    rules = {"weeks": [WeekRule(frozenset({5, 6}), "week")], "hours": [HoursRule(EIGHT_HOURS, "hours")], "decided": [closed]}

    assert not WorkingCalendar(**rules, agency="H99.31.02").working(date(2026, 11, 25))
    assert WorkingCalendar(**rules, agency="H99.32").working(date(2026, 11, 25))


def test_a_calendar_that_never_works_is_an_error_and_not_an_endless_loop():
    never = WorkingCalendar(weeks=[WeekRule(frozenset(range(7)), "week")], hours=[HoursRule(EIGHT_HOURS, "hours")])

    with pytest.raises(LookupError):
        never.add_working_days(date(2026, 1, 1), 1)


def test_the_same_instant_in_another_zone_counts_the_same():
    start = local("2026-11-20T16:00")

    assert (
        vietnam().add_working_minutes(start.astimezone(UTC), 120) == vietnam().add_working_minutes(start, 120) == local("2026-11-23T08:30")
    )


@given(start=days, n=st.integers(0, 120))
def test_counting_undoes_adding(start, n):
    assert vietnam().working_days_between(start, vietnam().add_working_days(start, n)) == n


@given(start=days, n=st.integers(0, 60), m=st.integers(0, 60))
def test_adding_twice_is_adding_the_sum(start, n, m):
    calendar = vietnam()

    assert calendar.add_working_days(calendar.add_working_days(start, n), m) == calendar.add_working_days(start, n + m)


@given(start=days, later=st.integers(0, 30), n=st.integers(0, 60))
def test_a_later_start_never_ends_earlier(start, later, n):
    assert vietnam().add_working_days(start, n) <= vietnam().add_working_days(start + timedelta(later), n)


@given(start=instants, minutes=st.integers(0, 20_000))
def test_measuring_undoes_adding_working_time(start, minutes):
    calendar = vietnam()

    assert calendar.working_minutes_between(start, calendar.add_working_minutes(start, minutes)) == minutes


@given(a=instants, b=instants, c=instants)
def test_working_time_adds_up(a, b, c):
    between = vietnam().working_time_between

    assert between(a, b) + between(b, c) == between(a, c)


@given(start=instants, minutes=st.integers(1, 5_000))
def test_working_time_ends_inside_office_hours(start, minutes):
    end = vietnam().add_working_minutes(start, minutes)

    assert vietnam().opening(end.date()) < end <= vietnam().closing(end.date())


WRONG = {
    "no toml": "[[day",
    "no act": '[[day]]\non = 2026-01-01\nkind = "holiday"',
    "unknown kind": '[[day]]\non = 2026-01-01\nkind = "feast"\nlegal_basis = "x"',
    "a text instead of a date": '[[day]]\non = "2026-01-01"\nkind = "holiday"\nlegal_basis = "x"',
    "a half day without hours": '[[day]]\non = 2026-01-01\nkind = "half_day"\nlegal_basis = "x"',
    "hours on a day off": '[[day]]\non = 2026-01-01\nkind = "holiday"\nopen = [["08:00", "09:00"]]\nlegal_basis = "x"',
    "a day decided twice": '[[day]]\non = 2026-01-01\nkind = "holiday"\nlegal_basis = "x"\n' * 2,
    "an exchange that is not made up": '[[day]]\non = 2026-01-02\nkind = "swap_off"\nlegal_basis = "x"',
    "hours that run backwards": '[[hours]]\nopen = [["12:00", "08:00"]]\nlegal_basis = "x"',
    "no such season": '[[hours]]\nseason = ["02-30", "05-01"]\nopen = [["08:00", "12:00"]]\nlegal_basis = "x"',
    "no such weekday": '[[week]]\nrest = ["caturday"]\nlegal_basis = "x"',
    "no week at all": '[[hours]]\nopen = [["08:00", "12:00"]]\nlegal_basis = "x"',
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_calendar_is_refused_with_its_place(text):
    with pytest.raises(Refused) as refused:
        load_calendar(text.encode())

    assert refused.value.code == "calendar.invalid"
    assert refused.value.facts["place"]
    assert refused.value.facts["problem"]


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(Refused):
        load_calendar(b"\xff\xfe")


def test_each_agency_gets_its_calendar_once():
    calendars = Calendars(PUBLISHED.parent)

    assert calendars.of("H99.33") is calendars.of("H99.33")
    assert calendars.of("H99.33").agency == "H99.33"
    assert calendars.of().agency == ""


def test_an_unknown_calendar_is_not_found(tmp_path: Path):
    with pytest.raises(NotFound):
        Calendars(tmp_path).of()
    with pytest.raises(NotFound):
        Calendars(PUBLISHED.parent).of(key="../vietnam")
