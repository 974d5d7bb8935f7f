"""Delivery: at least once, whatever is killed; five tries, then a person."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from engine.connectors import Connectors, Message
from engine.errors import Conflict
from engine.kernel import incidents, outbox
from engine.kernel.clock import MovableClock
from engine.kernel.journal import JournalLine
from engine.kernel.outbox import OutboxMessage
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.runtime import Runtime
from engine.settings import ROOT, Settings, environment
from engine.worker import app, dispatch
from tests.support.actors import CLOCK, SYSTEM


class Post:
    """A connector that fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.letters: list[str] = []

    def prepare(self, w: UnitOfWork, message: Message) -> Message | None:
        return None if message.payload.get("nobody") else message

    def deliver(self, prepared: Message) -> Json:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("Nguyễn Thị Mai does not open")
        self.letters.append(prepared.key)
        return {"letter": prepared.key}


def promise(runtime: Runtime, key: str, **payload: object) -> UUID:
    with runtime.begin(SYSTEM) as w:
        w.send("post", key, dict(payload))
    with runtime.begin(SYSTEM) as w:
        found = w.session.scalar(select(OutboxMessage.id).where(OutboxMessage.key == key))
        assert found is not None
        return found


def state(runtime: Runtime, message: UUID) -> OutboxMessage:
    with runtime.begin(SYSTEM) as w:
        return w.session.scalars(select(OutboxMessage).where(OutboxMessage.id == message)).one()


def install(runtime: Runtime, post: Post) -> None:
    runtime.parts.offer(Connectors, lambda: Connectors(runtime.settings, {"post": lambda _: post}))


def test_a_delivered_message_keeps_its_receipt_and_is_journalled(runtime: Runtime) -> None:
    post = Post()
    install(runtime, post)
    message = promise(runtime, "letter-1")

    dispatch.deliver(runtime, message)
    dispatch.deliver(runtime, message)

    row = state(runtime, message)
    assert (row.state, row.attempts, row.receipt) == ("delivered", 1, {"letter": "letter-1"})
    assert post.letters == ["letter-1"]
    with runtime.begin(SYSTEM) as w:
        assert w.session.scalars(select(JournalLine.kind)).all() == ["message.delivered"]


def test_nobody_to_deliver_to_is_no_failure(runtime: Runtime) -> None:
    install(runtime, Post())
    message = promise(runtime, "letter-1", nobody=True)

    dispatch.deliver(runtime, message)

    assert state(runtime, message).state == "delivered"


def test_each_failed_try_waits_longer_and_the_fifth_opens_an_incident(runtime: Runtime, clock: MovableClock) -> None:
    install(runtime, Post(failures=99))
    message = promise(runtime, "letter-1")

    waits = []
    for _ in range(4):
        dispatch.deliver(runtime, message)
        row = state(runtime, message)
        assert row.state == "waiting"
        waits.append(row.not_before - clock.at)
        clock.move(waits[-1])
        with runtime.begin(CLOCK) as w:
            assert outbox.queue_waiting(w.session, w.province, w.now) == 1
    dispatch.deliver(runtime, message)

    assert waits == sorted(waits)
    assert waits[0] == timedelta(minutes=1)
    row = state(runtime, message)
    assert (row.state, row.attempts) == ("failed", 5)
    assert row.incident is not None
    with runtime.begin(SYSTEM) as w:
        incident = incidents.find(w.session, w.province, row.incident)
    assert incident.code == "outbox.undeliverable"
    assert "Mai" not in repr(incident.facts)


def test_a_retried_incident_delivers_and_can_be_settled_only_once(runtime: Runtime, clock: MovableClock) -> None:
    post = Post(failures=5)
    install(runtime, post)
    message = promise(runtime, "letter-1")
    for _ in range(5):
        dispatch.deliver(runtime, message)
    incident = state(runtime, message).incident
    assert incident is not None

    with runtime.begin(SYSTEM) as w:
        outbox.retry(w.session, w.province, incident, w.now, 7)
    dispatch.deliver(runtime, message)

    assert state(runtime, message).state == "delivered"
    with pytest.raises(Conflict), runtime.begin(SYSTEM) as w:
        outbox.settle(w.session, w.province, incident, w.now, 8)


def test_a_kind_nobody_carries_ends_as_an_incident_too(runtime: Runtime) -> None:
    runtime.parts.offer(Connectors, lambda: Connectors(runtime.settings, {}))
    message = promise(runtime, "letter-1")

    for _ in range(5):
        dispatch.deliver(runtime, message)

    row = state(runtime, message)
    assert row.incident is not None
    with runtime.begin(SYSTEM) as w:
        assert incidents.find(w.session, w.province, row.incident).code == "outbox.no_connector"


def test_the_worker_finds_its_jobs_by_name(runtime: Runtime) -> None:
    post = Post()
    install(runtime, post)
    for number in range(20):
        promise(runtime, f"letter-{number}")

    jobs = app.assemble(runtime)

    async def work() -> None:
        async with jobs.open_async():
            await jobs.run_worker_async(
                queues=[outbox.QUEUE], wait=False, listen_notify=False, install_signal_handlers=False, delete_jobs="successful"
            )

    asyncio.run(work())
    assert sorted(post.letters) == sorted(f"letter-{number}" for number in range(20))
    with runtime.begin(SYSTEM) as w:
        assert w.session.scalar(text("select count(*) from procrastinate_jobs where queue_name = 'outbox'")) == 0


def until(met: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


def test_workers_killed_in_mid_delivery_lose_and_double_nothing(runtime: Runtime, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    keys = [f"letter-{number}" for number in range(24)]
    for key in keys:
        with runtime.begin(SYSTEM) as w:
            w.send("post", key, {})

    def worker(pause: float) -> subprocess.Popen[bytes]:
        told = [settings.database_url or "", settings.application_url or "", str(settings.home), str(folder), str(pause)]
        command = [sys.executable, "-m", "tests.worker.probe_worker", *told]
        return subprocess.Popen(command, cwd=ROOT, env=environment(), stderr=subprocess.DEVNULL)

    for pause in (0.4, 0.3):
        knocked = len((folder / "knocks").read_text().split()) if (folder / "knocks").exists() else 0
        doomed = worker(pause)
        until(lambda before=knocked: (folder / "knocks").exists() and len((folder / "knocks").read_text().split()) >= before + 3)  # type: ignore[misc]
        os.kill(doomed.pid, signal.SIGKILL)
        doomed.wait()
    last = worker(0.01)
    try:
        # Jobs of the dead are given back by the rescue of the living, once a minute at most.
        until(lambda: waiting(runtime) == 0, seconds=150)
    finally:
        last.terminate()
        last.wait(20)

    assert sorted(path.stem for path in folder.glob("*.letter")) == sorted(keys)
    with runtime.begin(SYSTEM) as w:
        lines = w.session.scalar(select(func.count()).select_from(JournalLine).where(JournalLine.kind == "message.delivered"))
    assert lines == len(keys)


def waiting(runtime: Runtime) -> int:
    with runtime.begin(SYSTEM) as w:
        return w.session.scalar(select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state == "waiting")) or 0
