"""The main job through the commands: from reception to a signed, numbered, sealed result in its owner's hands."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.commands import dossiers
from engine.documents.blobs import BlobStore
from engine.documents.model import Document, RegisterEntry
from engine.dossier.model import Dossier
from engine.errors import Conflict, Invalid
from engine.kernel.clock import MovableClock
from engine.kernel.unit_of_work import Actor
from engine.queries import tracking
from engine.runtime import Runtime
from tests.conftest import HANOI
from tests.support.office import OWNER, Office, make_office, pages


APPROVE = {
    "decision": "approve",
    "paper_name": "Bằng tốt nghiệp đại học",
    "paper_issuer": "Trường Đại học Mẫu",
    "compared": "true",
}


@pytest.fixture
def office(runtime: Runtime, clock: MovableClock) -> Office:
    clock.at = datetime(2026, 11, 23, 9, 0, tzinfo=HANOI)
    return make_office(runtime, clock, packages=["certified_electronic_copy"])


def dossier(office: Office, code: str) -> Dossier:
    with office.runtime.begin(Actor("system")) as w:
        found = w.session.scalars(select(Dossier).where(Dossier.code == code)).one()
        w.session.expunge(found)
        return found


def test_a_dossier_goes_from_the_counter_to_a_sealed_result_its_owner_downloads(office: Office, tmp_path: Path):
    received = office.receive()
    assert dossier(office, received.code).due_at == datetime(2026, 11, 23, 17, 0, tzinfo=HANOI)

    office.complete("specialist", received.code, APPROVE)
    [signed] = office.sign("head", received.code)
    [sealed] = office.issue("clerk", received.code)
    assert signed.signed
    assert sealed.signed
    assert dossier(office, received.code).status == "resolved"

    with office.runtime.begin(Actor("citizen", label="portal")) as w:
        dossiers.check_access(w, received.code, OWNER.identity, received.access_code)
        seen = tracking.owner(w, received.code)
        assert seen.result is not None
        pdf = w.part(BlobStore).get(seen.result.sha256 or "")
        dossiers_number = seen.result.number
    (tmp_path / "result.pdf").write_bytes(pdf)
    assert pages(pdf) == 3
    assert dossiers_number == 1
