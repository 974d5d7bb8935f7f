"""The main job through the commands: from reception to a signed, numbered, sealed result in its owner's hands."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.commands import dossiers, files, tasks
from engine.commands.dossiers import PartyInput
from engine.documents.blobs import BlobStore
from engine.dossier.model import Dossier
from engine.errors import Conflict, Invalid, Refused
from engine.kernel.unit_of_work import Actor
from engine.queries import audit, desk, tracking
from tests.conftest import HANOI
from tests.support.office import OWNER, Office, pages, scan

APPROVE = {
    "decision": "approve",
    "paper_name": "Bằng tốt nghiệp đại học",
    "paper_issuer": "Trường Đại học Mẫu",
    "compared": "true",
}


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


SUPPLEMENT = {
    "decision": "supplement",
    "components": ["original"],
    "reason": "Bản quét thiếu trang 2, đề nghị nộp lại đủ các trang.",
    "legal_basis": "Khoản 1 Điều 20 Nghị định số 23/2015/NĐ-CP",
}
REFUSE = {
    "decision": "refuse",
    "reason": "Bản chính bị tẩy xóa, sửa chữa nội dung không hợp lệ.",
    "legal_basis": "Khoản 1 Điều 22 Nghị định số 23/2015/NĐ-CP",
}


def test_a_supplement_stops_the_clock_and_the_answer_leads_back_to_the_very_step(office: Office):
    received = office.receive()
    office.complete("specialist", received.code, SUPPLEMENT)
    waiting = dossier(office, received.code)
    assert waiting.status == "awaiting_supplement"
    assert waiting.due_at is None

    office.clock.at = datetime(2026, 11, 25, 10, 0, tzinfo=HANOI)
    answer = files.examine(scan(3), "bo sung.pdf")
    with office.runtime.begin(Actor("citizen", label="portal")) as w:
        dossiers.check_access(w, received.code, OWNER.identity, received.access_code)
        dossiers.answer_supplement(w, received.code, {"original": [answer]}, "Đã quét lại đủ trang.", access_checked=True)

    task = office.open_task(received.code)
    again = dossier(office, received.code)
    assert (task.step, task.round) == ("examine", 1)
    assert again.status == "processing"
    assert again.due_at == datetime(2026, 11, 25, 17, 0, tzinfo=HANOI)
    with office.as_("specialist") as w:
        kinds = [d.kind for d in desk.page(w, task.id).documents]
    assert kinds == ["receipt", "supplement_request"]


def test_an_answer_without_the_paper_asked_for_is_refused_at_its_field(office: Office):
    received = office.receive()
    office.complete("specialist", received.code, SUPPLEMENT)

    with pytest.raises(Invalid) as refused, office.runtime.begin(Actor("citizen", label="portal")) as w:
        dossiers.answer_supplement(w, received.code, {}, "", access_checked=True)

    assert list(refused.value.errors) == ["component.original"]
    assert dossier(office, received.code).status == "awaiting_supplement"


def test_a_refusal_is_a_numbered_paper_with_reason_and_ground(office: Office):
    received = office.receive()

    office.complete("specialist", received.code, REFUSE)

    ended = dossier(office, received.code)
    assert ended.status == "refused"
    assert ended.closed_at is not None
    with office.runtime.begin(Actor("citizen", label="portal")) as w:
        seen = tracking.owner(w, received.code)
    assert seen.refusal["legal_basis"] == REFUSE["legal_basis"]


def test_a_handover_can_be_called_back_for_ten_seconds(office: Office):
    received = office.receive()
    done = office.complete("specialist", received.code, APPROVE)

    office.clock.move(timedelta(seconds=9))
    with office.as_("specialist") as w:
        tasks.undo(w, done.task_id)

    task = office.open_task(received.code)
    assert task.id == done.task_id
    assert task.draft["paper_name"] == APPROVE["paper_name"]
    office.complete("specialist", received.code, APPROVE)
    assert office.sign("head", received.code)[0].signed


def test_after_ten_seconds_or_once_the_next_desk_has_begun_it_is_too_late(office: Office):
    received = office.receive()
    done = office.complete("specialist", received.code, APPROVE)
    with office.as_("head") as w:
        tasks.claim(w, office.open_task(received.code).id)

    with pytest.raises(Conflict, match="undo_overtaken"), office.as_("specialist") as w:
        tasks.undo(w, done.task_id)
    office.clock.move(timedelta(seconds=11))
    with pytest.raises(Conflict, match="undo_too_late"), office.as_("specialist") as w:
        tasks.undo(w, done.task_id)


def test_the_leader_sends_back_with_a_reason_and_the_former_answers_are_there(office: Office):
    received = office.receive()
    office.complete("specialist", received.code, APPROVE)
    task = office.open_task(received.code)

    with office.as_("head") as w:
        assert [s.step for s in desk.page(w, task.id).earlier] == ["examine"]
        tasks.send_back(w, task.id, "examine", "Tên giấy tờ ghi chưa đúng.")

    back = office.open_task(received.code)
    assert (back.step, back.round, back.note) == ("examine", 2, "Tên giấy tờ ghi chưa đúng.")
    assert back.draft["paper_name"] == APPROVE["paper_name"]
    office.complete("specialist", received.code, {**APPROVE, "paper_name": "Bằng cử nhân"})
    assert office.sign("head", received.code)[0].signed
    assert office.issue("clerk", received.code)[0].signed


def test_two_officers_on_one_task_the_second_learns_who_was_faster_and_when(office: Office):
    received = office.receive()
    task = office.open_task(received.code)
    office.complete("specialist", received.code, APPROVE)

    with pytest.raises(Conflict) as lost, office.as_("colleague") as w:
        tasks.complete(w, task.id, APPROVE)

    assert lost.value.code == "task.closed"
    assert lost.value.facts["who"] == "Phạm Văn Đức"
    assert lost.value.facts["at"].startswith("2026-11-23T02:00")


def test_wrong_fields_are_all_named_and_nothing_is_kept(office: Office):
    with pytest.raises(Invalid) as refused:
        office.receive(owner=PartyInput("", "123", birth_on=date(2030, 1, 1)), components=[], upload_key="")

    assert {"owner.name", "owner.identity", "component.original"} <= set(refused.value.errors)
    with office.runtime.begin(Actor("system")) as w:
        assert w.session.scalars(select(Dossier)).all() == []


def test_the_code_alone_shows_progress_and_no_personal_data(office: Office):
    received = office.receive()

    with office.runtime.begin(Actor("citizen", label="portal")) as w:
        progress = tracking.public(w, received.code)

    shown = repr(progress)
    assert progress.due_at is not None
    assert next(m.state for m in progress.milestones) in ("current", "done")
    for secret in (OWNER.name, OWNER.identity, OWNER.phone, OWNER.address):
        assert secret not in shown


def test_a_wrong_number_or_access_code_opens_nothing_and_does_not_say_which(office: Office):
    received = office.receive()
    for number, access in ((OWNER.identity, "WRONG1"), ("001190099999", received.access_code)):
        with pytest.raises(Refused, match="access_refused"), office.runtime.begin(Actor("citizen", label="portal")) as w:
            dossiers.check_access(w, received.code, number, access)


def test_a_withdrawal_and_a_stop_are_papers_and_end_the_process(office: Office):
    one, two = office.receive(), office.receive()
    with office.as_("reception") as w:
        dossiers.withdraw(w, one.code, "Không còn nhu cầu.")
    with office.as_("specialist") as w:
        dossiers.stop(w, two.code, "Chủ hồ sơ đề nghị cơ quan khác giải quyết.", "Khoản 3 Điều 17 Nghị định số 118/2025/NĐ-CP")

    assert dossier(office, one.code).status == "withdrawn"
    assert dossier(office, two.code).status == "stopped"
    assert office.inbox("specialist").total == 0


def test_the_owner_downloading_the_result_completes_the_return(office: Office):
    received = office.receive(delivery="download")
    office.complete("specialist", received.code, APPROVE)
    office.sign("head", received.code)
    office.issue("clerk", received.code)

    with office.runtime.begin(Actor("citizen", label="portal")) as w:
        tasks.return_by_download(w, received.code)

    ended = dossier(office, received.code)
    assert (ended.status, ended.delivery_status) == ("returned", "delivered")
    assert ended.outcome == "on_time"


def test_an_inbox_finds_without_diacritics_and_orders_by_time_left(office: Office):
    first = office.receive()
    office.clock.move(timedelta(hours=1))
    office.receive(owner=PartyInput("Đặng Thị Thùy Dương", "001190012346", birth_on=date(1990, 1, 2), sex="female"), subject="Chứng chỉ")

    assert next(r.dossier_code for r in office.inbox("specialist").rows) == first.code
    assert [r.owner for r in office.inbox("specialist", search="dang thuy d").rows] == ["Đặng Thị Thùy Dương"]
    assert office.inbox("clerk").total == 0


def test_every_line_of_every_chain_is_whole_after_the_job(office: Office):
    test_a_handover_can_be_called_back_for_ten_seconds(office)

    with office.as_("inspector") as w:
        report = audit.check(w)

    assert report.sound
    assert report.lines > 20
