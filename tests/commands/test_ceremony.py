"""The signing ceremony under lost answers, dead processes and silent authorities: never a second signature, nothing lost."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy import select

from engine.commands import ceremony, signatures, tasks
from engine.documents.blobs import BlobStore
from engine.documents.model import Document, SignatureRequest
from engine.documents.signature import SigningOffice
from engine.errors import EngineError
from engine.kernel.incidents import Incident
from engine.kernel.journal import JournalLine
from engine.kernel.unit_of_work import Actor
from signing.errors import SigningError
from signing.testpki import TestPki
from signing.tsa import TimeStampClient
from tests.commands.test_main_job import APPROVE
from tests.support.office import PINS, Office

SYSTEM = Actor("system", label="tests")


class Custody:
    """The office's keys behind a line that can be cut; counts how often a key was asked to sign."""

    def __init__(self, real: Any) -> None:
        self.real, self.asked, self.lost, self.answers_lost = real, 0, False, False

    def challenge(self, key_id: str) -> Any:
        return self.real.challenge(key_id)

    def sign(self, key_id: str, sealed_pin: str, contents: Sequence[bytes]) -> list[bytes]:
        self.asked += 1
        answer: list[bytes] = self.real.sign(key_id, sealed_pin, contents)
        if self.lost:
            raise SigningError("custody.answer_lost")
        return answer

    def answered(self, key_id: str, contents: Sequence[bytes]) -> list[bytes | None]:
        if self.answers_lost:
            raise SigningError("custody.down")
        answer: list[bytes | None] = self.real.answered(key_id, contents)
        return answer


@pytest.fixture
def custody(office: Office) -> Custody:
    working = office.runtime.part(SigningOffice)
    watched = Custody(working.custody)
    office.runtime.parts.offer(SigningOffice, lambda: replace(working, custody=watched))
    return watched


def ready(office: Office) -> tuple[str, UUID]:
    """A document shown to the leader: the dossier's code and the request."""
    code = office.receive().code
    office.complete("specialist", code, APPROVE)
    return code, shown(office, code)


def shown(office: Office, code: str) -> UUID:
    task = office.open_task(code)
    with office.as_("head") as w:
        [row] = signatures.prepare(w, [task.id])
        assert row.request_id is not None, row
        ceremony.show(w, [row.request_id])
    return row.request_id


def sign(office: Office, *requests: UUID, pin: str = PINS["head"]) -> list[ceremony.Outcome]:
    return ceremony.carry_through(lambda: office.as_("head"), requests, pin)


def later(office: Office, by: timedelta = timedelta(minutes=20)) -> int:
    """Let the worker come by some time later."""
    office.clock.at += by
    return ceremony.carry_on(lambda: office.runtime.begin(Actor("system", label="worker")))


def request(office: Office, request_id: UUID) -> SignatureRequest:
    with office.runtime.begin(SYSTEM) as w:
        found = w.session.get(SignatureRequest, (w.province, request_id))
        assert found is not None
        w.session.expunge(found)
    return found


def signatures_in(office: Office, request_id: UUID) -> int:
    import io

    with office.runtime.begin(SYSTEM) as w:
        found = w.session.get(Document, (w.province, request(office, request_id).document_id))
        assert found is not None
        pdf = w.part(BlobStore).get(found.sha256 or "")
    return len(PdfFileReader(io.BytesIO(pdf)).embedded_signatures)


def test_a_lost_answer_is_fetched_not_asked_for_again(office: Office, custody: Custody):
    code, known = ready(office)
    custody.lost = True

    [outcome] = sign(office, known)

    assert (outcome.failure, outcome.waiting) == ("custody.answer_lost", True)
    assert request(office, known).state == "approved"
    with office.as_("head") as w:  # nobody can start a second ceremony meanwhile
        [row] = signatures.prepare(w, [office.open_task(code).id])
    assert row.failure == "signing.under_way"
    assert sign(office, known)[0].failure == "signing.request_over"

    assert later(office) == 1
    assert request(office, known).state == "embedded"
    assert office.open_task(code).action == "issue"
    assert (custody.asked, signatures_in(office, known)) == (1, 1)


def test_an_approval_that_reached_no_key_lapses_and_can_be_given_again(office: Office, custody: Custody):
    code, known = ready(office)
    with office.as_("head") as w:
        ceremony.approve(w, known)  # and the process dies

    assert later(office, timedelta(seconds=30)) == 0, "the person's own request may still be running"
    later(office, timedelta(seconds=60))
    assert request(office, known).state == "approved", "too early to say that nothing was signed"
    later(office, timedelta(minutes=5))
    assert (request(office, known).state, request(office, known).failure) == ("shown", "signing.approval_lapsed")

    assert sign(office, known)[0].signed
    assert office.open_task(code).action == "issue"


@pytest.mark.parametrize("died", ["after the key signed", "after the answer was kept"])
def test_a_process_that_dies_in_the_ceremony_costs_no_second_signature(office: Office, custody: Custody, died: str):
    code, known = ready(office)
    with office.as_("head") as w:
        item = ceremony.approve(w, known)
    [raw] = custody.sign(item.key, PINS["head"], [item.content])
    if died == "after the answer was kept":
        with office.as_("head") as w:
            ceremony.keep(w, [(known, raw)], "good")
        assert request(office, known).state == "signed"

    later(office)

    assert request(office, known).raw == raw
    assert office.open_task(code).action == "issue"
    assert (custody.asked, signatures_in(office, known)) == (1, 1)
    assert later(office) == 0


def test_eight_at_once_make_one_signature(office: Office, custody: Custody):
    code, known = ready(office)

    with ThreadPoolExecutor(8) as pool:
        outcomes = [made for [made] in pool.map(lambda _: sign(office, known), range(8))]

    assert sum(made.signed for made in outcomes) == 1
    assert {made.failure for made in outcomes if not made.signed} <= {"signing.request_over", "task.closed"}
    assert (custody.asked, signatures_in(office, known)) == (1, 1)
    assert office.open_task(code).action == "issue"


def test_two_workers_finish_a_signature_once(office: Office, custody: Custody):
    code, known = ready(office)
    custody.lost = True
    sign(office, known)
    office.clock.at += timedelta(minutes=20)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ceremony.carry_on(lambda: office.runtime.begin(Actor("system", label="worker"))), range(4)))

    assert signatures_in(office, known) == 1
    assert office.open_task(code).action == "issue"
    with office.runtime.begin(SYSTEM) as w:
        assert len(w.session.scalars(select(JournalLine).where(JournalLine.kind == "document.signed")).all()) == 1


def test_an_answer_for_other_bytes_gets_into_no_file(office: Office, custody: Custody):
    code, known = ready(office)
    real = custody.real
    custody.real = type("Wrong", (), {"sign": lambda _, key, pin, contents: real.sign(key, pin, [b"other"] * len(contents))})()

    [outcome] = sign(office, known)

    assert (outcome.failure, outcome.waiting) == ("signing.answer_wrong", False)
    assert (request(office, known).state, request(office, known).raw) == ("refused", None)
    assert signatures_in(office, known) == 0
    custody.real = real
    assert sign(office, shown(office, code))[0].signed


def test_a_wrong_pin_leaves_everything_ready(office: Office, custody: Custody):
    code, known = ready(office)

    class Locked:
        def sign(self, *_: Any) -> list[bytes]:
            raise SigningError("signing.pin_wrong", left=2)

    real, custody.real = custody.real, Locked()
    with pytest.raises(EngineError) as refused:
        sign(office, known)
    assert refused.value.code == "signing.pin_wrong"
    assert request(office, known).state == "shown"

    custody.real = real
    assert sign(office, known)[0].signed
    assert office.open_task(code).action == "issue"


def test_with_the_time_stamp_service_away_the_signature_waits_and_a_person_is_told(office: Office, custody: Custody):
    code, known = ready(office)
    working = office.runtime.part(SigningOffice)

    def nobody(_url: str, _body: bytes) -> bytes:
        raise OSError("connection refused")

    office.runtime.parts.offer(SigningOffice, lambda: replace(working, timestamps=TimeStampClient(["http://127.0.0.1:9/"], post=nobody)))
    [outcome] = sign(office, known)
    assert (outcome.failure, outcome.waiting) == ("signing.tsa_down", True)
    assert request(office, known).state == "signed"
    for _ in range(6):
        later(office)
    with office.runtime.begin(SYSTEM) as w:
        incident = w.session.scalars(select(Incident)).one()
        assert (incident.code, incident.facts["cause"]) == ("signing.unfinished", "signing.tsa_down")

    office.runtime.parts.offer(SigningOffice, lambda: working)
    later(office)

    assert office.open_task(code).action == "issue"
    assert (custody.asked, signatures_in(office, known)) == (1, 1)


def test_only_what_was_shown_can_be_approved(office: Office):
    code = office.receive().code
    office.complete("specialist", code, APPROVE)
    with office.as_("head") as w:
        [row] = signatures.prepare(w, [office.open_task(code).id])
    assert row.request_id is not None

    assert sign(office, row.request_id)[0].failure == "signing.not_shown"


def test_somebody_elses_preparation_is_not_found(office: Office):
    _, known = ready(office)

    [outcome] = ceremony.carry_through(lambda: office.as_("specialist"), [known], PINS["head"])

    assert (outcome.failure, outcome.document_id, dict(outcome.name)) == ("signing.request_not_found", None, {})


def test_what_nobody_approves_in_time_expires(office: Office):
    code, known = ready(office)

    later(office, signatures.LIFE)

    assert request(office, known).state == "expired"
    assert sign(office, known)[0].failure == "signing.request_over"
    assert sign(office, shown(office, code))[0].signed


def test_a_document_that_changed_after_it_was_shown_is_not_signed(office: Office):
    _, known = ready(office)
    with office.runtime.begin(SYSTEM) as w:
        document = w.session.get(Document, (w.province, request(office, known).document_id))
        assert document is not None
        document.sha256 = "0" * 64

    assert sign(office, known)[0].failure == "signing.document_changed"


def test_an_appointment_that_ended_between_reading_and_signing_signs_nothing(office: Office, custody: Custody):
    code, known = ready(office)
    with office.runtime.begin(SYSTEM) as w:
        from engine.organisation.model import Appointment

        for held in w.session.scalars(select(Appointment).where(Appointment.person_id == office.people["head"])):
            held.valid_to = (w.now - timedelta(days=1)).date()

    [outcome] = sign(office, known)

    assert not outcome.signed
    assert outcome.failure is not None
    assert custody.asked == 0
    assert office.open_task(code).action == "sign"


def test_a_revoked_certificate_is_refused_by_name_before_the_key_is_asked(office: Office, custody: Custody):
    _, known = ready(office)
    TestPki(office.runtime.settings.home / "pki").revoke("head", office.clock.at - timedelta(hours=1))

    with pytest.raises(EngineError) as refused:
        sign(office, known)

    assert refused.value.code == "signing.certificate_revoked"
    assert refused.value.facts["since"] == "2026-11-23"
    assert (custody.asked, request(office, known).state) == (0, "shown")


def test_when_nobody_answers_for_revocation_the_signature_is_made_and_labelled(office: Office):
    _, known = ready(office)
    working = office.runtime.part(SigningOffice)
    office.runtime.parts.offer(SigningOffice, lambda: replace(working, standing=lambda certificate, now: "unknown"))

    assert sign(office, known)[0].signed
    assert request(office, known).basis["revocation"] == "unknown"


def test_one_of_a_batch_is_refused_by_name_and_the_others_are_signed(office: Office, custody: Custody):
    pairs = [ready(office) for _ in range(4)]
    sent_back = pairs[1][0]
    with office.as_("head") as w:
        tasks.send_back(w, office.open_task(sent_back).id, "examine", "Thiếu trang 3")

    outcomes = sign(office, *[known for _, known in pairs])

    assert [made.signed for made in outcomes] == [True, False, True, True]
    assert outcomes[1].failure == "task.closed"
    assert outcomes[1].name["vi"]
    assert custody.asked == 1, "one authorisation for the whole batch"
    assert office.open_task(sent_back).step == "examine"


@pytest.mark.full
def test_a_hundred_documents_under_one_authorisation(office: Office, custody: Custody):
    pairs = [ready(office) for _ in range(100)]
    with office.as_("head") as w:
        tasks.send_back(w, office.open_task(pairs[41][0]).id, "examine", "Thiếu trang 3")

    outcomes = sign(office, *[known for _, known in pairs])

    assert [place for place, made in enumerate(outcomes) if not made.signed] == [41]
    assert outcomes[41].failure == "task.closed"
    assert custody.asked == 1
    assert all(signatures_in(office, known) == 1 for place, (_, known) in enumerate(pairs) if place != 41)


def test_a_step_sent_back_while_its_signature_waits_takes_no_signature(office: Office, custody: Custody):
    code, known = ready(office)
    custody.lost = True
    sign(office, known)
    with office.as_("head") as w:
        tasks.send_back(w, office.open_task(code).id, "examine", "Xem lại trang 2")

    later(office)

    assert (request(office, known).state, request(office, known).failure) == ("refused", "signing.document_changed")
    assert office.open_task(code).step == "examine"
    assert later(office) == 0


def test_a_key_replaced_after_preparation_asks_for_a_new_look(office: Office):
    _, known = ready(office)
    with office.runtime.begin(SYSTEM) as w:
        found = w.session.get(SignatureRequest, (w.province, known))
        assert found is not None
        found.key_id = UUID(int=1)

    assert sign(office, known)[0].failure == "signing.key_changed"
