"""A PIN typed in the browser is nowhere but in the key custody: not in the database, logs, jobs, nor the memory of web and worker."""

from __future__ import annotations

import base64
import re
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from engine.kernel.postgres import binaries, running_url
from signing.custody import Custody, seal_pin
from tests.journeys.conftest import Installation
from tests.journeys.installed import ask, web, worker
from tests.journeys.steps import LEADER, LEADER_PIN, RECEPTION, SPECIALIST, Person, approve, receive, sign

pytestmark = pytest.mark.browser


def forms(secret: str) -> re.Pattern[bytes]:
    """A secret as it stands, as hexadecimal digits, as base64 at any offset; nothing of the pattern contains the secret itself."""
    raw = secret.encode()
    written = [raw, raw.hex().encode(), raw.hex().upper().encode()]
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        written.append(encoded[(0, 2, 3)[shift] : len(encoded) // 4 * 4 - 4])
    return re.compile(b"|".join(b"".join(b"[%c]" % byte for byte in one) for one in written))


@pytest.fixture
def canary(installation: Installation) -> Iterator[str]:
    """A PIN that occurs nowhere by chance; the leader's key has it for this test."""
    custody = Custody(installation.home / "pki" / "custody.json")
    key = ask(
        installation,
        "select reference from signing_key k join person p on p.id = k.person_id where p.full_name = :name and revoked_at is null",
        name=LEADER,
    )

    def sealed(pin: str) -> str:
        challenge = custody.challenge(key)
        return seal_pin(challenge.public_key, challenge.nonce, pin)

    made = "".join(secrets.choice("0123456789") for _ in range(16))
    custody.change_pin(key, sealed(LEADER_PIN), sealed(made))
    yield made
    custody.change_pin(key, sealed(made), sealed(LEADER_PIN))


def test_the_pin_of_a_leader_is_found_nowhere(
    somebody: Callable[..., Person], installation: Installation, canary: str, paper: Path, tmp_path: Path
):
    code, _access = receive(somebody(RECEPTION), paper, tmp_path)
    approve(somebody(SPECIALIST), code)
    leader = somebody(LEADER)
    sign(leader, code, canary)
    waiting = "select action from task t join dossier d on d.id = t.dossier_id where d.code = :code and t.state = 'open'"
    assert ask(installation, waiting, code=code) == "issue"
    wanted = forms(canary)

    dump = subprocess.run(
        [binaries() / "pg_dump", "--dbname", running_url(installation.home)], capture_output=True, check=True, timeout=120
    ).stdout
    assert forms(code).search(dump), "the search finds what is certainly there"
    for table in (b"outbox_message", b"procrastinate_jobs", b"answered_request", b"journal_line"):
        assert re.search(rb"COPY public\." + table + rb" ", dump), "the dump holds this table"
    assert not wanted.search(dump)

    logs = {log: log.read_bytes() for log in (installation.home / "log").rglob("*") if log.is_file()}
    assert any(b"granian" in said.lower() or b"worker" in said.lower() for said in logs.values())
    assert [log.name for log, said in logs.items() if wanted.search(said)] == []

    home = forms(str(installation.home))
    running = [*web(installation), *worker(installation)]
    assert len(running) >= 3
    for process in running:
        assert seen(process, home), "the search finds what is certainly there"
        assert not seen(process, wanted), " ".join(process.cmdline())


def seen(process: psutil.Process, wanted: re.Pattern[bytes]) -> bool:
    """Whether a pattern occurs in the writable memory of a process."""
    place = Path("/proc") / str(process.pid)
    with (place / "mem").open("rb", 0) as memory:
        for line in (place / "maps").read_text().splitlines():
            span, rights = line.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if not rights.startswith("rw"):
                continue
            try:
                memory.seek(start)
                if wanted.search(memory.read(end - start)):
                    return True
            except (OSError, ValueError, OverflowError):
                continue
    return False
