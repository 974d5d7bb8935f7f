"""The demonstration, played with one dossier of each kind; the whole of it with ``--full``."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.deadline.calendar import ZONE
from engine.deadline.calendar_file import Calendars
from engine.deadline.term import Pause, Term, due
from engine.dossier.model import Dossier
from engine.errors import Refused
from engine.kernel.clock import MovableClock
from engine.kernel.journal_check import faults_of
from engine.organisation.model import OrgUnit
from engine.runtime import Runtime, open_runtime
from engine.settings import ROOT, Settings
from engine.simulation import demo
from engine.simulation.organisation import SYSTEM
from engine.simulation.player import Player
from engine.simulation.scenario import Scenario
from signing import testpki

SUNDAY = datetime(2026, 11, 22, 13, 30, tzinfo=ZONE)
WHOLE = Scenario.read(ROOT / "bpmn" / "_demo" / "lives.toml")
REACHABLE = {"received", "processing", "awaiting_supplement", "refused", "withdrawn", "stopped", "resolved", "returned"}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The installation's procedures with a scenario of one dossier of each kind."""
    folder = tmp_path / "procedures"
    shutil.copytree(ROOT / "bpmn", folder)
    lives = folder / "_demo" / "lives.toml"
    lives.write_text(re.sub(r"^count = \d+$", "count = 1", lives.read_text(encoding="utf-8"), flags=re.MULTILINE), encoding="utf-8")
    return folder


@contextmanager
def installation(settings: Settings, **more: object) -> Iterator[Runtime]:
    demonstration = replace(settings, demo=True, **more)
    if not (settings.home / "pki").exists():
        testpki.create(settings.home / "pki", [], [], valid_from=SUNDAY - timedelta(days=3 * 365))
    opened = open_runtime(demonstration, clock=MovableClock(SUNDAY))
    try:
        yield opened
    finally:
        opened.close()


def silent(_: str) -> None:
    """Nobody watches the progress."""


def dossiers_of(runtime: Runtime) -> list[Dossier]:
    with runtime.begin(SYSTEM) as w:
        found = list(w.session.scalars(select(Dossier).where(Dossier.province == w.province)))
        for dossier in found:
            _ = dossier.suspensions, dossier.parties
        return found


def recomputed(runtime: Runtime, dossier: Dossier) -> datetime | None:
    with runtime.begin(SYSTEM) as w:
        unit = w.session.get(OrgUnit, (w.province, dossier.deciding_unit_id))
        assert unit is not None
        calendar = w.part(Calendars).of(unit.agency_code)
    pauses = [Pause(s.suspended_at, s.resumed_at, s.ground) for s in dossier.suspensions]
    return due(dossier.received_at, Term.from_json(dossier.term), pauses, calendar).at


def check(runtime: Runtime, scenario: Scenario) -> None:
    """Every dossier stands where its life ends, every due date recomputes, and the journal is sound."""
    dossiers = dossiers_of(runtime)

    assert Counter(d.status for d in dossiers) == Counter(life.row["ends"] for life in scenario.lives)
    assert all(d.received_at < SUNDAY for d in dossiers)
    assert [d.code for d in dossiers if recomputed(runtime, d) != d.due_at] == []
    with runtime.begin(SYSTEM) as w:
        assert list(faults_of(w.session, w.province, [0, 0])) == []


def test_the_scenario_has_two_hundred_dossiers_and_five_in_every_reachable_status():
    ends = Counter(life.row["ends"] for life in WHOLE.lives)

    assert sum(ends.values()) == 200
    assert set(ends) == REACHABLE
    assert min(ends.values()) >= 5


@pytest.mark.parametrize("now", ["2026-11-23T08:05", "2026-11-23T15:30", "2026-11-24T10:00", "2026-08-22T16:59", "2027-02-11T09:00"])
def test_whenever_it_is_made_everything_has_happened_in_office_hours_and_before_now(now):
    calendar = Calendars(ROOT / "bpmn" / "_calendars").of()
    until = datetime.fromisoformat(now).replace(tzinfo=ZONE)

    plan = WHOLE.plan(calendar, until)

    assert all(m.at < until for m in plan)
    assert all(calendar.working(m.at.date()) and calendar.opening(m.at.date()) <= m.at <= calendar.closing(m.at.date()) for m in plan)
    assert plan == WHOLE.plan(calendar, until)
    for life in WHOLE.lives[::7]:
        mine = [m.at for m in plan if m.life == life.number]
        assert mine == sorted(set(mine))


def test_the_two_shares_of_a_plan_are_the_plan_and_share_no_counter():
    plan = WHOLE.plan(Calendars(ROOT / "bpmn" / "_calendars").of(), SUNDAY)

    here, there = WHOLE.shares(plan)

    assert sorted([*here, *there], key=lambda m: (m.at, m.life, m.position)) == plan
    lives = {m.life for m in here}
    counters = {office[0] for life in WHOLE.lives if life.number in lives and (office := WHOLE.offices(life))}
    others = {office[0] for life in WHOLE.lives if life.number not in lives and (office := WHOLE.offices(life))}
    assert not counters & others


def test_one_dossier_of_each_kind_is_played_by_the_offices_own_commands(settings: Settings, small: Path):
    with installation(settings, procedures=small) as runtime:
        accounts = demo.build(runtime, silent)

        check(runtime, Scenario.read(small / "_demo" / "lives.toml"))
        assert {role for m in accounts.members for role in m.roles} >= {
            "reception_officer", "specialist", "division_head", "head", "deputy_head", "agency_clerk", "return_officer", "cashier",
            "personnel_officer", "procedure_designer", "procedure_approver", "technical_administrator", "inspector", "centre_leader",
        }  # fmt: skip
        told = (runtime.settings.home / "demo_accounts.txt").read_text(encoding="utf-8")
        assert all(m.email in told for m in accounts.members)


def test_made_twice_it_is_made_once(settings: Settings, small: Path):
    with installation(settings, procedures=small) as runtime:
        first = demo.build(runtime, silent)
        codes = {d.code for d in dossiers_of(runtime)}

        assert demo.build(runtime, silent) == first
        assert {d.code for d in dossiers_of(runtime)} == codes


def test_interrupted_it_goes_on_where_it_stopped(settings: Settings, small: Path):
    scenario = Scenario.read(small / "_demo" / "lives.toml")
    with installation(settings, procedures=small) as runtime:
        clock = MovableClock(SUNDAY)
        rehearsal = demo.rehearse(runtime, clock)
        province = demo.open_province(rehearsal, clock, SUNDAY, False, silent)
        calendar = rehearsal.part(Calendars).of()
        player = Player(rehearsal, clock, province, scenario, demo.papers_of(rehearsal, scenario), calendar, {})
        for moment in scenario.plan(calendar, SUNDAY)[:25]:
            player.play(moment)
        rehearsal.close()

        demo.build(runtime, silent)

        check(runtime, scenario)


def test_a_real_installation_refuses_the_demonstration(runtime: Runtime):
    with pytest.raises(Refused) as refused:
        demo.build(runtime, silent)

    assert refused.value.code == "demo.not_enabled"


@pytest.mark.full
def test_the_whole_demonstration(settings: Settings):
    with installation(settings) as runtime:
        demo.build(runtime, silent)

        check(runtime, WHOLE)
