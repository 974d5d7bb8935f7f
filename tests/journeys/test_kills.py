"""Kill -9 of any process of the office at random moments while dossiers move: what was answered is there, once; nothing is half done.

Clients work over the interface and send a request again, with its key, until they get an answer. The supervisor's own death is the subject
of `tests/installation`.
"""

from __future__ import annotations

import json
import random
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest
from sqlalchemy import select

from engine.accounts.model import AccessToken, new_token
from engine.dossier.model import Dossier
from engine.kernel.journal import JournalLine
from engine.kernel.outbox import OutboxMessage
from engine.kernel.postgres import server_of
from engine.kernel.unit_of_work import Actor
from engine.office.standing import standing_of
from engine.organisation.model import Person
from engine.procedure.registry import ProcedureCache
from engine.process.instance import program, view
from engine.process.model import Instance, Task
from tests.journeys.conftest import Installation
from tests.journeys.installed import beside, processes, ready, until, web, worker
from tests.journeys.steps import RECEPTION, SPECIALIST
from tests.journeys.test_crash import consecutive, sound
from tests.support.office import scan

SYSTEM = Actor("system", label="tests")
PATIENCE = 600  # seconds a client goes on asking
ANSWERS = {
    "sign": {"decision": "approve", "paper_name": "Bằng tốt nghiệp", "paper_issuer": "Trường Đại học Mẫu", "compared": "true"},
    "": {"decision": "refuse", "reason": "Bản chính bị tẩy xóa.", "legal_basis": "Khoản 1 Điều 22 Nghị định số 23/2015/NĐ-CP"},
}


def passing(status: int, problem: bytes) -> bool:
    """Whether a refusal is about the moment: the office is starting, busy, or asked too often."""
    return status >= 500 or status == 429 or (status == 409 and b"work." in problem)


@dataclass
class Clients:
    """Programs at the counter and at an officer's desk, with all that the office has answered them."""

    address: str
    unit: str
    tokens: dict[str, str]
    paper: bytes
    over: threading.Event = field(default_factory=threading.Event)
    received: dict[str, str] = field(default_factory=dict)
    """Subject → code, as answered."""
    decided: dict[str, str] = field(default_factory=dict)
    """Subject → the step that must be open now, or nothing where the dossier was refused, as answered."""
    broken: int = 0

    def ask(self, who: str, method: str, path: str, body: Any = None, file: bytes | None = None) -> Any:
        """Ask until there is an answer: a dead connection, a starting server, a busy dossier are asked again with the same key."""
        key, until_then = uuid.uuid4().hex, time.monotonic() + PATIENCE
        headers = {"Authorization": f"Bearer {self.tokens[who]}", "Idempotency-Key": key, "Content-Type": "application/json"}
        payload = json.dumps(body or {}).encode() if method == "POST" else None
        if file is not None:
            edge = uuid.uuid4().hex
            headers["Content-Type"] = f"multipart/form-data; boundary={edge}"
            parts = "".join(f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in body.items())
            head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="scan.pdf"\r\n\r\n'
            payload = f"{parts}{head}".encode() + file + f"\r\n--{edge}--\r\n".encode()
        while True:
            assert time.monotonic() < until_then, f"no answer to {method} {path}"
            request = urllib.request.Request(f"{self.address}/api/v1{path}", payload, headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    said = answer.read()
                    return json.loads(said) if said else None
            except urllib.error.HTTPError as refused:
                if not passing(refused.code, refused.read()):
                    raise
            except OSError:
                pass
            self.broken += 1
            time.sleep(0.2)

    def work(self, number: int) -> None:
        """Receive dossiers and decide them, until it is over."""
        turn = 0
        while not self.over.is_set():
            turn += 1
            subject = f"Hồ sơ thử {number}/{turn}/{uuid.uuid4().hex[:6]}"
            draft = uuid.uuid4().hex
            self.ask("reception", "POST", "/uploads", {"component": "original", "upload_key": draft}, self.paper)
            owner = {"name": "Nguyễn Thị Mai", "identity": "001190012345", "birth_on": "1990-05-17", "sex": "female"}
            new = {
                "procedure": "certified_electronic_copy", "deciding_unit": self.unit, "owner": owner, "components": ["original"],
                "upload_key": draft, "subject": subject, "paid": "cash",
            }  # fmt: skip
            code = self.received[subject] = self.ask("reception", "POST", "/dossiers", new)["code"]
            [task] = [row["task_id"] for row in self.ask("specialist", "GET", f"/tasks?search={code}")["items"]]
            follows = "sign" if turn % 3 == 0 else ""
            self.ask("specialist", "POST", f"/tasks/{task}/completion", {"answers": ANSWERS[follows]})
            self.decided[subject] = follows


def clients(installation: Installation) -> Clients:
    """Programs with the rights of two people of one commune."""
    tokens = {}
    with beside(installation) as runtime, runtime.begin(SYSTEM) as w:
        for who, name in {"reception": RECEPTION, "specialist": SPECIALIST}.items():
            person = w.session.scalars(select(Person).where(Person.full_name == name)).one()
            text, digest = new_token()
            tokens[who] = text
            w.session.add(AccessToken(account=person.account_id, name="kills", hash=digest, scopes=[], created_at=w.now))
            unit = standing_of(w, person.id).require("specialist").agency_id if who == "specialist" else None
    return Clients(installation.address, str(unit), tokens, scan(1))


def victims(installation: Installation) -> dict[str, list[psutil.Process]]:
    """Whatever runs of the office now, by kind; of PostgreSQL the postmaster and one of its own processes."""
    postmaster = server_of(installation.home).postmaster()
    postgres: list[psutil.Process] = []
    with suppress(psutil.Error):
        if postmaster is not None:
            postgres = [psutil.Process(postmaster), *psutil.Process(postmaster).children()]
    return {
        "web": web(installation),
        "worker": worker(installation),
        "postgres": postgres,
        "custody": processes(installation, "signing.custody"),
        "trust services": processes(installation, "signing.trust_services"),
    }


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=[pytest.mark.full, pytest.mark.timeout(3000)])])
def test_nothing_is_lost_or_doubled_however_often_processes_are_killed(installation: Installation, kills: int):
    until(lambda: ready(installation))
    chance, many = random.Random(), clients(installation)
    killed: Counter[str] = Counter()
    with ThreadPoolExecutor(3) as threads:
        at_work = [threads.submit(many.work, number) for number in range(3)]
        try:
            until(lambda: len(many.decided) > 0)
            kinds = list(victims(installation))
            turns = [kinds[number % len(kinds)] for number in range(kills)]
            chance.shuffle(turns)
            for kind in turns:
                time.sleep(chance.random() * 1.5)
                until(lambda kind=kind: bool(victims(installation)[kind]))  # type: ignore[misc]
                with suppress(psutil.Error):
                    chance.choice(victims(installation)[kind]).kill()
                    killed[kind] += 1
                before = len(many.decided)
                until(lambda before=before: ready(installation) and len(many.decided) > before, 300)  # type: ignore[misc]
        finally:
            many.over.set()
        for one in at_work:
            one.result(PATIENCE)
    print(f"killed {dict(killed)}, {many.broken} requests asked again, {len(many.decided)} dossiers decided")
    until(lambda: ready(installation))
    assert many.decided.keys() == many.received.keys()
    check(installation, many)


def check(installation: Installation, many: Clients) -> None:
    """What was answered is there, once, and whole."""
    with beside(installation) as runtime, runtime.begin(SYSTEM) as w:
        known = {d.subject: d for d in w.session.scalars(select(Dossier).where(Dossier.subject.like("Hồ sơ thử %")))}
        assert {s: known[s].code for s in many.received} == many.received
        ids = {known[s].id: s for s in many.received}
        all_of_them = w.session.scalars(select(Dossier.id).where(Dossier.subject.in_(list(many.received)))).all()
        assert len(all_of_them) == len(many.received), "received twice"
        done: Counter[str] = Counter()
        for line in w.session.scalars(
            select(JournalLine).where(JournalLine.chain.in_(ids), JournalLine.kind.in_(("task.completed", "dossier.received")))
        ):
            done[f"{line.kind} {ids[line.chain]}"] += 1
        assert set(done.values()) == {1}
        assert len(done) == 2 * len(ids)
        tasks: dict[Any, list[Task]] = {one: [] for one in ids}
        for task in w.session.scalars(select(Task).where(Task.dossier_id.in_(ids), Task.state == "open")):
            tasks[task.dossier_id].append(task)
        for instance in w.session.scalars(select(Instance).where(Instance.dossier_id.in_(ids))):
            subject = ids[instance.dossier_id]
            wanted = {many.decided[subject]} - {""}
            assert {one.step for one in tasks[instance.dossier_id]} == wanted
            assert len(tasks[instance.dossier_id]) == len(wanted)
            made = program(instance.procedure_version_id, w.part(ProcedureCache).package(w, instance.procedure_version_id))
            assert set(view(made, instance.state).active) == wanted
            assert known[subject].status == ("processing" if wanted else "refused")
        keys = w.session.scalars(select(OutboxMessage.key).where(OutboxMessage.dossier.in_(ids))).all()
        assert len(keys) == len(set(keys))
    assert consecutive(installation)
    assert sound(installation)
