"""The demonstration: a province that does not exist, its people and two hundred dossiers, made by the office's own commands.

What has been made is never made twice, and a run that was interrupted goes on where it stopped: every act writes its progress in its own
transaction.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine.commands import files, procedures, proposals
from engine.deadline.calendar import ZONE
from engine.deadline.calendar_file import Calendars
from engine.documents.blobs import BlobStore
from engine.documents.signature import SigningOffice
from engine.errors import Refused
from engine.kernel import requests
from engine.kernel.clock import MovableClock
from engine.kernel.database import LIMITS, open_engine
from engine.kernel.journal import JournalLine
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.procedure.loader import load_folder, to_zip
from engine.runtime import Runtime
from engine.settings import ROOT, Settings
from engine.simulation import ACCOUNTS, MADE, organisation
from engine.simulation.citizens import photograph
from engine.simulation.organisation import SYSTEM, Member, Province
from engine.simulation.player import PROGRESS, OutOfStep, Player
from engine.simulation.scenario import Moment, Scenario
from signing.authorities import Authorities
from signing.rehearsal import RehearsalKeys
from signing.testpki import TestPki
from signing.tsa import in_process

SPAN = timedelta(days=45)
"""How long before its first dossier the office is entered."""
PLAN = "demonstration:plan"
Report = Callable[[str], Any]


@dataclass(frozen=True)
class DemoAccounts:
    """How to sign in to the demonstration, and with which PINs to sign."""

    password: str
    members: tuple[Member, ...]
    seals: dict[str, str]

    def lines(self) -> list[str]:
        """Return the accounts as people read them."""
        rows = [f"Demo accounts (TEST), password {self.password}:"]
        for member in self.members:
            pin = f"   PIN {member.pin}" if member.pin else ""
            rows.append(f"  {member.email:<36} {' · '.join(member.titles)}: {member.name}{pin}")
        rows += [f"  seal {name}: PIN {pin}" for name, pin in self.seals.items()]
        return rows


def build(runtime: Runtime, report: Report = print) -> DemoAccounts:
    """Make the demonstration province, or what is missing of it, and return its accounts.

    Raises:
        Refused: ``demo.not_enabled``: the installation is a real one.
    """
    settings = runtime.settings
    if not settings.demo:
        raise Refused("demo.not_enabled")
    with runtime.begin(SYSTEM) as w:
        made, known, now = is_made(w), organisation.founded(w), w.now
        until = planned_until(w) if known and not made else now
        if made or until is None:
            return accounts_of(settings.home, organisation.read_back(w, now))
    clock = MovableClock(until)
    rehearsal = rehearse(runtime, clock)
    try:
        province = open_province(rehearsal, clock, until, known, report)
        play(rehearsal, clock, province, until, report)
    finally:
        rehearsal.close()
    return accounts_of(settings.home, province)


def is_made(w: UnitOfWork) -> bool:
    """Say whether the journal knows a finished demonstration."""
    return (
        w.session.scalar(select(JournalLine.kind).where(JournalLine.province == w.province, JournalLine.kind == MADE).limit(1)) is not None
    )


def planned_until(w: UnitOfWork) -> datetime | None:
    """Return when the plan of an interrupted run ends; None when its progress is gone."""
    plan = requests.recall(w.session, w.province, PLAN, w.now)
    return datetime.fromisoformat(plan["until"]) if plan else None


def rehearse(runtime: Runtime, clock: MovableClock) -> Runtime:
    """Return the installation under a moved clock, with its TEST keys opened and a time-stamping authority that follows the clock."""
    pki = TestPki(runtime.settings.home / "pki")
    province = organisation.read_province()
    pins = {organisation.key_name(row["key"]): row["pin"] for row in province["person"] if "pin" in row}
    pins |= {organisation.key_name(row["unit"]): row["pin"] for row in province["seal"]}
    office = replace(
        runtime.part(SigningOffice),
        custody=RehearsalKeys(pki, pins),
        timestamps=in_process(Authorities(pki).timestamp, lambda: clock.at),
        # The keys were made a moment ago by this very process: nobody else could have revoked them.
        standing=lambda certificate, at: "good",
    )
    parts = runtime.parts.copy()
    parts.offer(SigningOffice, lambda: office)
    parts.offer(BlobStore, lambda: HastyBlobs(runtime.settings.blobs))
    # A power cut would only make the demonstration be made again: no commit waits for the disk.
    engine = open_engine(runtime.engine.url, pool_size=1, limits={**LIMITS, "synchronous_commit": "off"})
    return Runtime(runtime.settings, engine, clock, parts)


class HastyBlobs(BlobStore):
    """A blob store that leaves writing to the disk to the operating system; `play` syncs once at the end."""

    def put(self, content: bytes) -> str:
        """Keep a content and return its SHA-256 (hex)."""
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.path(sha256)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_suffix(".draft")
            draft.write_bytes(content)
            draft.replace(target)
        return sha256


def open_province(runtime: Runtime, clock: MovableClock, until: datetime, known: bool, report: Report) -> Province:
    """Enter the office as of a few weeks before its first dossier, publish its procedures, and let one leader delegate."""
    rows = organisation.read_province()
    pki = TestPki(runtime.settings.home / "pki")
    if not known:
        report("Demo province: people, positions, keys …")
        clock.at = until - SPAN
        with runtime.begin(SYSTEM) as w:
            organisation.found(w, pki)
            requests.recall(w.session, w.province, PLAN, w.now)
            requests.remember(w.session, w.province, PLAN, {"until": until.isoformat()})
    clock.at = until - SPAN + timedelta(hours=1)
    with runtime.begin(SYSTEM) as w:
        province = organisation.read_back(w, until)
    publish(runtime, province, report)
    if not known:
        for row in rows.get("delegation", ()):
            with runtime.begin(province.member(row["from"]).actor) as w:
                organisation.lend(w, row, province, until.astimezone(ZONE))
    return province


def publish(runtime: Runtime, province: Province, report: Report) -> None:
    """Publish every package that is delivered; those already published stay as they are."""
    wanted = [place.parent.name for place in runtime.settings.procedures.glob("[!_]*/procedure.toml")]
    designer, approver = (
        next(m for m in province.members.values() if role in m.roles) for role in ("procedure_designer", "procedure_approver")
    )
    for key in sorted(wanted):
        package = load_folder(runtime.settings.procedures / key)
        with runtime.begin(designer.actor) as w:
            proposed = proposals.propose(w, key, to_zip(package), f"{key}.zip")
        if proposed.kind != "same":
            with runtime.begin(approver.actor) as w:
                procedures.publish(w, package)
            report(f"Published: {key}")


def play(runtime: Runtime, clock: MovableClock, province: Province, until: datetime, report: Report) -> None:
    """Play the scenario to its end, on two processors where there are two, and say so in the journal."""
    scenario = scenario_of(runtime)
    plan = scenario.plan(runtime.part(Calendars).of(), until)
    if (os.cpu_count() or 1) > 1:
        with second_process(runtime.settings, until):
            play_share(runtime, clock, province, scenario.shares(plan)[0], report)
    else:
        play_share(runtime, clock, province, plan, report)
    os.sync()
    clock.at = until
    with runtime.begin(SYSTEM) as w:
        w.record(MADE, dossiers=len(scenario.lives), acts=len(plan))


def play_share(
    runtime: Runtime,
    clock: MovableClock,
    province: Province,
    share: list[Moment],
    report: Report,
    wanted: Callable[[], bool] = lambda: True,
) -> None:
    """Play a part of the plan, as long as it is *wanted*."""
    # A short-lived process that makes many records: looking for garbage rarely saves a tenth of its time.
    gc.set_threshold(100_000, 50, 100)
    scenario = scenario_of(runtime)
    calendar = runtime.part(Calendars).of()
    player = Player(runtime, clock, province, scenario, papers_of(runtime, scenario), calendar, progress_of(runtime))
    for position, moment in enumerate(share, start=1):
        if not wanted():
            return
        player.play(moment)
        if position % 100 == 0 or position == len(share):
            report(f"Demo dossiers: {position} of {len(share)} acts")


@contextmanager
def second_process(settings: Settings, until: datetime) -> Iterator[None]:
    """Let another process play the second share beside the block, and wait for it.

    Raises:
        OutOfStep: it failed; its reason stands on standard error.
    """
    told = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(settings).items()}
    child = subprocess.Popen([sys.executable, "-m", "engine.simulation.second_share"], stdin=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdin is not None
    try:
        json.dump({"settings": told, "until": until.isoformat(), "parent": os.getpid()}, child.stdin)
        child.stdin.close()
        yield
    except BaseException:
        child.kill()
        child.wait()
        raise
    if child.wait() != 0:
        raise OutOfStep("the second share of the demonstration failed")


def papers_of(runtime: Runtime, scenario: Scenario) -> list[list[files.Examined]]:
    """Return the photographs of every paper of the scenario, examined as any upload is."""
    fonts = runtime.part(SigningOffice).fonts
    return [
        [files.examine(photograph(paper, page, fonts), f"trang-{page}.jpg") for page in range(1, paper["pages"] + 1)]
        for paper in scenario.content["paper"]
    ]


def scenario_of(runtime: Runtime) -> Scenario:
    """Return the scenario of the installation's procedures."""
    return Scenario.read(runtime.settings.procedures / "_demo" / "lives.toml")


def progress_of(runtime: Runtime) -> dict[str, Json]:
    """Return how far an interrupted run came with every life."""
    prefix = PROGRESS.format(number="")
    with runtime.begin(SYSTEM) as w:
        rows = w.session.execute(
            select(requests.AnsweredRequest.key, requests.AnsweredRequest.answer).where(
                requests.AnsweredRequest.province == w.province, requests.AnsweredRequest.key.startswith(prefix)
            )
        )
        return {key: answer for key, answer in rows if answer}


def accounts_of(home: Path, province: Province) -> DemoAccounts:
    """Return the accounts and write them into the home, where the start of the installation prints them from."""
    accounts = DemoAccounts(province.password, tuple(province.members.values()), dict(province.seals))
    draft = home / f"{ACCOUNTS}.new"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write("\n".join(accounts.lines()) + "\n")
    draft.replace(home / ACCOUNTS)
    return accounts
