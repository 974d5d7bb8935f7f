"""Notices by mail: over SMTP, or as files; the address is read only when it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from uuid import UUID

import pytest
from sqlalchemy import select, text

from engine.commands import dossiers
from engine.connectors import Connectors
from engine.connectors.mail import filled
from engine.kernel import outbox
from engine.kernel.outbox import OutboxMessage
from engine.worker import dispatch, timers
from tests.commands.test_leave import REQUEST
from tests.support.actors import CLOCK, SYSTEM
from tests.support.office import OWNER, Office
from tests.support.smtp import MailServer

ADDRESS = "mai.nguyen@example.org"


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server on loopback."""
    opened = MailServer()
    yield opened
    opened.close()


def promised(office: Office) -> tuple[str, list[UUID]]:
    received = office.receive(owner=replace(OWNER, email=ADDRESS))
    with office.runtime.begin(SYSTEM) as w:
        return received.code, list(w.session.scalars(select(OutboxMessage.id).where(OutboxMessage.kind == "mail")))


def send_over(office: Office, url: str) -> None:
    settings = replace(office.runtime.settings, smtp_url=url, public_url="https://motcua.example.org")
    office.runtime.parts.offer(Connectors, lambda: Connectors(settings))


def test_without_a_server_the_mail_is_a_file_named_by_its_key(office: Office) -> None:
    code, [message] = promised(office)

    dispatch.deliver(office.runtime, message)
    with office.runtime.begin(SYSTEM) as w:
        outbox.lock(w.session, w.province, message).state = "waiting"
    dispatch.deliver(office.runtime, message)

    [file] = (office.runtime.settings.home / "mail").glob("*.eml")
    mail = message_from_bytes(file.read_bytes())
    assert mail["To"] == ADDRESS
    assert code in str(make_header(decode_header(mail["Subject"])))


def test_over_smtp_the_same_promise_is_the_same_message_id(office: Office, server: MailServer) -> None:
    send_over(office, server.url)
    code, [message] = promised(office)

    dispatch.deliver(office.runtime, message)
    with office.runtime.begin(SYSTEM) as w:
        outbox.lock(w.session, w.province, message).state = "waiting"
    dispatch.deliver(office.runtime, message)

    first, again = server.letters
    assert first["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"].endswith("@motcua.example.org>")
    body = first.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert f"https://motcua.example.org/tra-cuu/{code}" in body.decode()


def test_a_refusing_server_leaves_the_message_waiting(office: Office, server: MailServer) -> None:
    send_over(office, server.url)
    server.refusing = True
    _, [message] = promised(office)
    dispatch.deliver(office.runtime, message)
    server.refusing = False
    office.clock.move(timedelta(minutes=1))

    with office.runtime.begin(CLOCK) as w:
        assert outbox.queue_waiting(w.session, w.province, w.now) >= 1
    dispatch.deliver(office.runtime, message)

    assert len(server.letters) == 1
    with office.runtime.begin(SYSTEM) as w:
        assert outbox.lock(w.session, w.province, message).attempts == 2


def test_the_address_stands_neither_in_the_outbox_nor_in_a_job_nor_in_the_journal(office: Office) -> None:
    _, [message] = promised(office)
    dispatch.deliver(office.runtime, message)

    with office.runtime.begin(SYSTEM) as w:
        for table in ("outbox_message", "procrastinate_jobs", "procrastinate_events", "journal_line"):
            assert not w.session.scalar(text(f"select bool_or(row_to_json({table})::text like '%{ADDRESS}%') from {table}")), table


def test_the_procedures_own_notices_go_to_whom_they_name(office: Office) -> None:
    """The reminder to those whose turn it is, the news to the initiator: with the procedure's words, never the owner's address."""
    with office.as_("specialist") as w:
        code = dossiers.start_internal(w, "internal_leave", REQUEST).code
    office.clock.at += timedelta(hours=30)
    timers.sweep(office.runtime)
    office.clock.at += timedelta(minutes=5)
    with office.runtime.begin(SYSTEM) as w:
        waiting = list(w.session.scalars(select(OutboxMessage.id).where(OutboxMessage.kind == "mail")))
    for message in waiting:
        dispatch.deliver(office.runtime, message)

    mails = [message_from_bytes(file.read_bytes()) for file in (office.runtime.settings.home / "mail").glob("*.eml")]
    reminders = [mail for mail in mails if "Nhắc việc" in str(make_header(decode_header(mail["Subject"])))]
    assert {mail["To"] for mail in reminders} >= {"division_head@mau.example"}
    body = reminders[0].get_payload(decode=True)
    assert isinstance(body, bytes)
    assert f"/desk/dossiers/{code}" in body.decode()
    assert "quá 4 giờ" in body.decode()


def test_a_slip_in_a_procedures_words_loses_no_mail() -> None:
    assert filled("Hồ sơ {code} của {nobody}: {url}", {"code": "H99", "url": "u"}) == "Hồ sơ H99 của {nobody}: u"
