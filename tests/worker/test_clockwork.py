"""What the clock does by itself: the sweep, the daily seal with its time stamp."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from asn1crypto import cms
from sqlalchemy import select

from engine.kernel import due, journal_seal, outbox
from engine.kernel.clock import MovableClock
from engine.kernel.identifiers import new_id
from engine.kernel.incidents import Incident
from engine.runtime import Runtime
from engine.worker import seal, timers
from signing import testpki
from signing.trust_services import TrustServices
from tests.support.actors import SYSTEM


def test_a_dossier_that_cannot_go_on_does_not_stop_the_clock_of_others(runtime: Runtime, clock: MovableClock) -> None:
    with runtime.begin(SYSTEM) as w:
        for _ in range(3):
            due.put(w.session, w.province, new_id(), "timer", "nowhere", w.now)

    assert timers.sweep(runtime) == 3
    assert timers.sweep(runtime) == 0

    with runtime.begin(SYSTEM) as w:
        incidents = w.session.scalars(select(Incident)).all()
        assert {incident.code for incident in incidents} == {"due.failed"}
        assert len(incidents) == 3
        outbox.retry(w.session, w.province, incidents[0].id, w.now, 7)
    assert timers.sweep(runtime) == 1


def test_nothing_fires_before_its_time(runtime: Runtime, clock: MovableClock) -> None:
    with runtime.begin(SYSTEM) as w:
        due.put(w.session, w.province, new_id(), "timer", "nowhere", w.now + timedelta(minutes=1))

    assert timers.sweep(runtime) == 0


def test_the_journal_is_sealed_once_a_day_by_the_offices_clock(runtime: Runtime, clock: MovableClock) -> None:
    def record() -> None:
        with runtime.begin(SYSTEM) as w:
            w.record("office.opened")

    record()
    assert seal.seal_once_a_day(runtime)
    record()
    assert not seal.seal_once_a_day(runtime)
    clock.move(timedelta(hours=16))  # midnight in Hanoi

    assert seal.seal_once_a_day(runtime)
    with runtime.begin(SYSTEM) as w:
        assert journal_seal.verify(w.session, w.province).sound
        assert [made.number for made in journal_seal.unstamped(w.session, w.province)] == [1, 2]


def test_a_seal_is_stamped_as_soon_as_the_authority_answers(runtime: Runtime, clock: MovableClock, tmp_path: Path) -> None:
    with runtime.begin(SYSTEM) as w:
        w.record("office.opened")
    seal.seal_once_a_day(runtime)
    told = runtime.settings.home / "trust_services.json"
    told.parent.mkdir(parents=True, exist_ok=True)
    told.write_text(json.dumps({"tsa": "http://127.0.0.1:9/tsa"}))
    assert seal.stamp(runtime) == 0

    testpki.create(tmp_path / "pki", [], [], valid_from=clock.at - timedelta(days=1))
    authority = TrustServices(tmp_path / "pki", lambda: clock.at)
    authority.start()
    told.write_text(json.dumps({"tsa": authority.tsa_url}))
    assert seal.stamp(runtime) == 1
    assert seal.stamp(runtime) == 0
    authority.stop()

    with runtime.begin(SYSTEM) as w:
        sealed = w.session.scalars(select(journal_seal.JournalSeal)).one()
        token = w.session.scalars(select(journal_seal.JournalToken)).one().token
    info = cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed
    assert info["message_imprint"]["hashed_message"].native == sealed.hash


@pytest.mark.parametrize("age", [timedelta(days=6), timedelta(days=8)])
def test_answers_to_requests_are_kept_for_a_week(runtime: Runtime, clock: MovableClock, age: timedelta) -> None:
    with runtime.begin(SYSTEM) as w:
        w.recall("form-1")
        w.remember("form-1", {"first": True})
        w.record("office.opened")
    clock.move(age)

    seal.seal_once_a_day(runtime)

    with runtime.begin(SYSTEM) as w:
        assert (w.recall("form-1") is None) == (age > timedelta(days=7))
