"""Issued documents are made to last by themselves, an hour after the seal and again before their evidence expires."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy import select

from engine.documents.blobs import BlobStore
from engine.documents.model import Document
from engine.documents.preservation import Preserver
from engine.kernel import due
from engine.kernel.journal import JournalLine
from engine.queries import preservation as queries
from engine.queries import verification
from engine.worker import timers
from engine.worker.preservation import preserve_waiting
from signing import testpki
from signing.examine import Inquiry, examine
from signing.report import Verdict
from signing.revocation import Sources
from tests.support.actors import SYSTEM
from tests.support.office import Office, open_preserver

APPROVE = {"decision": "approve", "paper_name": "Bằng tốt nghiệp", "paper_issuer": "Trường Đại học Mẫu", "compared": "true"}


@pytest.fixture
def issued(office: Office) -> Office:
    """An office with one sealed document."""
    received = office.receive()
    office.complete("specialist", received.code, APPROVE)
    office.sign("head", received.code)
    assert office.issue("clerk", received.code)[0].signed
    open_preserver(office)
    return office


def stored(office: Office) -> list[bytes]:
    """Every revision of the result, oldest first."""
    with office.runtime.begin(SYSTEM) as w:
        document = w.session.scalars(select(Document).where(Document.kind == "result")).one()
        return [w.part(BlobStore).get(one.sha256) for one in document.revisions]


def facts(office: Office) -> list[dict[str, Any]]:
    with office.runtime.begin(SYSTEM) as w:
        lines = select(JournalLine.facts).where(JournalLine.kind == "document.preserved").order_by(JournalLine.number)
        return list(w.session.scalars(lines))


def report(office: Office) -> list[queries.Renewal]:
    with office.runtime.begin(SYSTEM) as w:
        return queries.report(w)


def stamps(pdf: bytes) -> int:
    return len(PdfFileReader(io.BytesIO(pdf)).embedded_timestamp_signatures)


def test_an_issued_document_is_made_to_last_and_renewed_before_its_evidence_expires(issued: Office) -> None:
    sealed = stored(issued)[-1]
    assert preserve_waiting(issued.runtime) == 0  # the hour of grace
    assert [(row.level, row.until) for row in report(issued)] == [("B-T", None)]

    issued.clock.move(timedelta(hours=2))
    timers.sweep(issued.runtime)  # terms and timers leave it alone
    assert preserve_waiting(issued.runtime) == 1
    assert preserve_waiting(issued.runtime) == 0

    lasting = stored(issued)[-1]
    assert lasting.startswith(sealed)
    assert stamps(lasting) == 1
    [row] = report(issued)
    assert (row.level, row.missing, row.late) == ("B-LTA", "", False)
    assert row.until is not None
    assert row.until - row.next_at == timedelta(days=180)
    with issued.runtime.begin(SYSTEM) as w:
        assert verification.known(w, sealed).newest
        assert verification.known(w, lasting).newest

    pki = testpki.TestPki(issued.runtime.settings.home / "pki")
    issued.clock.move(row.next_at - issued.clock.at + timedelta(minutes=1))
    for role in ("ocsp", "tsa"):
        pki.renew_service(role, valid_from=issued.clock.at - timedelta(days=1), years=9)
    assert preserve_waiting(issued.runtime) == 1

    renewed = stored(issued)[-1]
    assert renewed.startswith(lasting)
    assert stamps(renewed) == 2
    assert len(facts(issued)) == 2
    [again] = report(issued)
    assert again.until is not None
    assert again.until > row.until
    anchored = Inquiry((pki.root,), (pki.issuing,), issued.clock.at, None)
    assert examine(renewed, anchored).verdict is Verdict.VALID  # with the network off


def test_services_that_are_down_lose_nothing_and_are_told(issued: Office) -> None:
    before = stored(issued)
    good = issued.runtime.part(Preserver)
    issued.runtime.parts.offer(Preserver, lambda: Preserver(good.trust, lambda _: Sources({}), good.timestamps))
    issued.clock.move(timedelta(hours=2))

    assert preserve_waiting(issued.runtime) == 0

    assert stored(issued) == before
    [row] = report(issued)
    assert (row.level, row.missing, row.late) == ("B-T", "signing.evidence_down", True)
    assert row.next_at == issued.clock.at + timedelta(hours=6)

    issued.runtime.parts.offer(Preserver, lambda: good)
    issued.clock.move(timedelta(hours=6, minutes=1))
    assert preserve_waiting(issued.runtime) == 1
    assert report(issued)[0].level == "B-LTA"


def test_a_document_changed_meanwhile_is_tried_anew(issued: Office) -> None:
    from engine.commands import preservation

    issued.clock.move(timedelta(hours=2))
    with issued.runtime.begin(SYSTEM) as w:
        [row] = due.candidates(w.session, w.province, w.now, kind=due.PRESERVE)
        found = preservation.waiting(w, row)
    assert found is not None
    made = issued.runtime.part(Preserver)(found[1], issued.clock.at)

    with issued.runtime.begin(SYSTEM) as w:
        assert not preservation.keep(w, row, "0" * 64, made)
    with issued.runtime.begin(SYSTEM) as w:
        assert preservation.keep(w, row, found[0], made)
    with issued.runtime.begin(SYSTEM) as w:
        assert not preservation.keep(w, row, found[0], made)  # the second of two workers
