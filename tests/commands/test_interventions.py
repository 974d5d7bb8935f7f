"""Stepping into the course of a dossier: suspend and resume, skip, move a token by two; each with authority, reason, journal line."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from engine.commands import dossiers, interventions, signatures, tasks
from engine.dossier.model import Dossier, Handover, Suspension
from engine.errors import Conflict, Forbidden, Refused
from engine.kernel.due import Due
from engine.kernel.journal import JournalLine
from engine.kernel.unit_of_work import Actor
from engine.process.changes import TokenMove
from engine.process.model import Instance, Task
from engine.queries import audit, desk
from engine.worker import timers
from tests.commands.test_leave import asked, open_tasks
from tests.commands.test_main_job import APPROVE, SUPPLEMENT, dossier
from tests.commands.test_migration import publish, with_head
from tests.conftest import HANOI
from tests.support.office import Office

SYSTEM = Actor("system", label="tests")
WHY, BASIS = "Chờ thông báo nộp thuế của chi cục thuế", "Điều 59 Luật Quản lý thuế"


def suspend(office: Office, code: str, who: str = "division_head", ground: str = "financial_obligation") -> None:
    with office.as_(who) as w:
        interventions.suspend(w, code, ground, WHY, BASIS)


def resume(office: Office, code: str, who: str = "specialist") -> None:
    with office.as_(who) as w:
        interventions.resume(w, code, "Đã có giấy nộp tiền.")


def rows(office: Office, kind: Any, code: str) -> list[Any]:
    with office.runtime.begin(SYSTEM) as w:
        found = list(w.session.scalars(select(kind).join(Dossier, Dossier.id == kind.dossier_id).where(Dossier.code == code)))
        w.session.expunge_all()
        return found


def lines(office: Office, code: str, kind: str) -> list[dict[str, Any]]:
    with office.runtime.begin(SYSTEM) as w:
        found = w.session.execute(
            select(JournalLine.facts, JournalLine.actor)
            .join(Dossier, Dossier.id == JournalLine.chain)
            .where(Dossier.code == code, JournalLine.kind == kind)
            .order_by(JournalLine.number)
        )
        return [{**facts, "by": actor.get("person")} for facts, actor in found]


# -- suspend and resume -----------------------------------------------------------------------------------------------------------


def test_a_suspended_dossier_stands_still_and_its_term_moves_by_that_working_time(office: Office):
    received = office.receive()
    task = office.open_task(received.code)
    suspend(office, received.code)
    still = dossier(office, received.code)
    assert (still.status, still.due_at) == ("awaiting_payment", None)
    for act in (
        lambda w: tasks.complete(w, task.id, APPROVE),
        lambda w: tasks.send_back(w, task.id, "examine", "x"),
    ):
        with pytest.raises(Refused, match=r"dossier\.suspended"), office.as_("specialist") as w:
            act(w)

    office.set_clock(datetime(2026, 11, 26, 9, 0, tzinfo=HANOI))  # Tuesday is a holiday: two working days stood still
    resume(office, received.code)

    again = dossier(office, received.code)
    assert (again.status, again.due_at) == ("processing", datetime(2026, 11, 26, 17, 0, tzinfo=HANOI))
    assert task.due_at is not None
    assert office.open_task(received.code).due_at == datetime(2026, 11, 26, 13, 30, tzinfo=HANOI)
    office.complete("specialist", received.code, APPROVE)
    assert office.sign("head", received.code)[0].signed


def test_the_suspension_is_a_numbered_paper_with_ground_and_journal_lines(office: Office):
    received = office.receive()
    suspend(office, received.code)
    resume(office, received.code)

    [line] = lines(office, received.code, "dossier.suspended")
    assert (line["ground"], line["legal_basis"], line["by"]) == ("financial_obligation", BASIS, str(office.people["division_head"]))
    assert line["reason_sha256"] == interventions.digest(WHY)
    [back] = lines(office, received.code, "dossier.resumed")
    assert back["by"] == str(office.people["specialist"])
    [kept] = rows(office, Suspension, received.code)
    assert (kept.request["reason"], kept.resumed_at is not None, kept.document_id is not None) == (WHY, True, True)
    assert [h.kind for h in rows(office, Handover, received.code)][-2:] == ["suspended", "resumed"]


def test_who_may_suspend_and_on_which_grounds(office: Office):
    received = office.receive()
    for who in ("specialist", "reception", "administrator", "clerk"):
        with pytest.raises(Forbidden):
            suspend(office, received.code, who)
    for ground, reason, basis, code in (
        ("waiting", WHY, BASIS, "ground_unknown"),
        ("financial_obligation", " ", BASIS, "reason_missing"),
        ("other_authority", WHY, "", "basis_missing"),
    ):
        with pytest.raises(Refused, match=code), office.as_("head") as w:
            interventions.suspend(w, received.code, ground, reason, basis)
    suspend(office, received.code, "head", "other_authority")
    assert dossier(office, received.code).status == "awaiting_authority"
    with pytest.raises(Conflict, match="stands_still"):
        suspend(office, received.code)
    with pytest.raises(Forbidden):
        resume(office, received.code, "reception")
    resume(office, received.code)
    with pytest.raises(Conflict, match="goes_on"):
        resume(office, received.code)


def test_no_deadline_of_the_process_fires_while_it_stands_still(office: Office):
    code = asked(office)
    with office.runtime.begin(SYSTEM) as w:
        [before] = w.session.scalars(select(Due.due_at).where(Due.kind == "timer"))
    suspend(office, code, "head", "other_authority")
    with office.runtime.begin(SYSTEM) as w:
        assert w.session.scalars(select(Due).where(Due.kind == "timer")).all() == []
    office.clock.move(timedelta(days=30))
    timers.sweep(office.runtime)
    resume(office, code, "head")
    with office.runtime.begin(SYSTEM) as w:
        [after] = w.session.scalars(select(Due.due_at).where(Due.kind == "timer"))
    assert after > before
    assert after > office.clock.at
    assert lines(office, code, "timer.fired") == []


def test_a_suspended_dossier_can_be_withdrawn(office: Office):
    received = office.receive()
    suspend(office, received.code)
    with office.as_("reception") as w:
        dossiers.withdraw(w, received.code, "Không còn nhu cầu.")
    assert dossier(office, received.code).status == "withdrawn"


def test_nothing_is_signed_of_a_suspended_dossier(office: Office):
    received = office.receive()
    office.complete("specialist", received.code, APPROVE)
    task = office.open_task(received.code)
    with office.as_("head") as w:
        [ready] = signatures.prepare(w, [task.id])
    suspend(office, received.code)
    with office.as_("head") as w:
        assert signatures.prepare(w, [task.id])[0].failure == "dossier.suspended"
    assert ready.request_id is not None
    [refused] = office.approve("head", [ready.request_id], "135790")
    assert refused.failure == "dossier.suspended"
    resume(office, received.code)
    assert office.sign("head", received.code)[0].signed


# -- skip -------------------------------------------------------------------------------------------------------------------------


def test_an_administrator_skips_a_step_with_a_reason_and_can_call_it_back(office: Office):
    code, why = asked(office), "Trưởng phòng khuyết, chưa có người thay."
    task = open_tasks(office, code)["Trưởng phòng"]
    with office.as_("division_head") as w:
        tasks.save_draft(w, task.id, {"decision": "agree"}, 0)
    with office.as_("administrator") as w:
        done = interventions.skip(w, task.id, why)
    assert {t.step for t in open_tasks(office, code).values()} == {"office_check"}
    [line] = lines(office, code, "task.skipped")
    assert (line["step"], line["by"]) == ("division_review", str(office.people["administrator"]))
    assert [h.note for h in rows(office, Handover, code) if h.kind == "skipped"] == [why]
    [skipped] = [t for t in rows(office, Task, code) if t.id == task.id]
    assert (skipped.state, skipped.closed_how, skipped.answers, skipped.note) == ("done", "skipped", {}, why)

    with office.as_("administrator") as w:
        tasks.undo(w, done.task_id)
    back = open_tasks(office, code)["Trưởng phòng"]
    assert (back.id, back.draft, back.note) == (task.id, {"decision": "agree"}, "")


def test_a_step_whose_answers_the_way_on_needs_is_not_skipped_and_nothing_changes(office: Office):
    received = office.receive()
    before = place(office, received.code)
    with pytest.raises(Refused, match="answers_needed"), office.as_("administrator") as w:
        interventions.skip(w, office.open_task(received.code).id, "x")
    assert place(office, received.code) == before


def test_only_an_administrator_skips_and_never_a_legal_act_nor_without_reason(office: Office):
    received = office.receive()
    task = office.open_task(received.code)
    for who in ("specialist", "division_head", "head"):
        with pytest.raises(Forbidden), office.as_(who) as w:
            interventions.skip(w, task.id, "x")
    with pytest.raises(Refused, match="reason_missing"), office.as_("administrator") as w:
        interventions.skip(w, task.id, "  ")
    office.complete("specialist", received.code, APPROVE)
    with pytest.raises(Conflict, match=r"task\.closed"), office.as_("administrator") as w:
        interventions.skip(w, task.id, "x")
    with pytest.raises(Refused, match="legal_act"), office.as_("administrator") as w:
        interventions.skip(w, office.open_task(received.code).id, "x")


# -- move a token -----------------------------------------------------------------------------------------------------------------


def propose(office: Office, code: str, source: str, target: str, who: str = "administrator") -> UUID:
    with office.as_(who) as w:
        return interventions.propose_move(w, code, source, target, "Ký nhầm hồ sơ, người thẩm định nghỉ ốm.", BASIS).id


def approve(office: Office, move: UUID, who: str = "head") -> None:
    with office.as_(who) as w:
        interventions.approve_move(w, move)


def place(office: Office, code: str) -> Any:
    [instance] = rows(office, Instance, code)
    work = sorted((t.id, t.step, t.state, t.assignee_id, t.draft) for t in rows(office, Task, code) if t.state == "open")
    return instance.state, instance.waiting, work, dossier(office, code).status, dossier(office, code).due_at


def test_one_proposes_another_approves_and_the_token_stands_on_the_other_step(office: Office):
    received = office.receive()
    office.complete("specialist", received.code, APPROVE)
    move = propose(office, received.code, "sign", "examine")
    assert office.open_task(received.code).step == "sign"  # nothing moves by a proposal

    approve(office, move)

    back = office.open_task(received.code)
    assert (back.step, back.assignee_id) == ("examine", office.people["specialist"])
    assert back.draft == {**APPROVE, "compared": True, "file_copy": False}
    [line] = lines(office, received.code, "token.moved")
    assert (line["source"], line["target"], line["legal_basis"]) == ("sign", "examine", BASIS)
    assert (line["proposed_by"], line["by"]) == (str(office.people["administrator"]), str(office.people["head"]))
    assert [one["by"] for one in lines(office, received.code, "token.move_proposed")] == [str(office.people["administrator"])]
    office.complete("specialist", received.code, APPROVE)
    assert office.sign("head", received.code)[0].signed
    with office.as_("inspector") as w:
        assert audit.check(w).sound


def test_nobody_approves_their_own_proposal_and_only_leaders_approve(office: Office):
    received = office.receive()
    office.complete("specialist", received.code, APPROVE)
    for who in ("specialist", "reception", "clerk"):
        with pytest.raises(Forbidden):
            propose(office, received.code, "sign", "examine", who)
    move = propose(office, received.code, "sign", "examine", "head")
    with pytest.raises(Refused, match="own_proposal"):
        approve(office, move)
    for who in ("administrator", "division_head", "specialist"):
        with pytest.raises(Forbidden):
            approve(office, move, who)
    with pytest.raises(Conflict, match="another_waits"):
        propose(office, received.code, "sign", "examine")
    approve(office, move, "deputy")
    with pytest.raises(Conflict, match=r"intervention\.decided") as late:
        approve(office, move, "deputy")
    assert late.value.facts["who"] == "Ngô Bích Ngọc"


def test_a_proposal_is_rejected_with_a_reason_or_taken_back_and_then_moves_nothing(office: Office):
    received = office.receive()
    office.complete("specialist", received.code, APPROVE)
    for who in ("head", "administrator"):
        before = place(office, received.code)
        move = propose(office, received.code, "sign", "examine")
        with pytest.raises(Refused, match="reason_missing"), office.as_(who) as w:
            interventions.reject_move(w, move, "")
        with office.as_(who) as w:
            interventions.reject_move(w, move, "Không cần nữa.")
        with pytest.raises(Conflict, match="decided"):
            approve(office, move)
        assert place(office, received.code) == before
    assert len(lines(office, received.code, "token.move_rejected")) == 2
    move = propose(office, received.code, "sign", "examine")
    with pytest.raises(Forbidden), office.as_("specialist") as w:
        interventions.reject_move(w, move, "x")


def test_an_undo_restores_every_byte_until_something_is_done(office: Office):
    received = office.receive()
    office.complete("specialist", received.code, APPROVE)
    before = place(office, received.code)
    move = propose(office, received.code, "sign", "examine")
    approve(office, move)
    with office.as_("head") as w:
        interventions.undo_move(w, move, "Đề xuất nhầm hồ sơ.")
    assert place(office, received.code) == before

    move = propose(office, received.code, "sign", "examine")
    approve(office, move)
    office.complete("specialist", received.code, APPROVE)
    with pytest.raises(Conflict, match="gone_on"), office.as_("head") as w:
        interventions.undo_move(w, move, "Muộn.")


def test_a_dossier_that_waits_for_papers_nobody_brings_can_be_put_on_and_its_clock_goes_on(office: Office):
    received = office.receive()
    office.complete("specialist", received.code, SUPPLEMENT)
    before = place(office, received.code)
    move = propose(office, received.code, "await_supplement", "examine")
    approve(office, move)
    assert office.open_task(received.code).step == "examine"
    moved = dossier(office, received.code)
    assert (moved.status, moved.due_at is not None) == ("processing", True)
    with office.as_("head") as w:
        interventions.undo_move(w, move, "Người dân đã đến.")
    assert place(office, received.code) == before
    with office.runtime.begin(Actor("citizen", label="portal")) as w:
        from engine.commands import files
        from tests.support.office import scan

        dossiers.answer_supplement(w, received.code, {"original": [files.examine(scan(3), "a.pdf")]}, "", access_checked=True)
    assert office.open_task(received.code).step == "examine"


def test_no_move_passes_over_a_signature_and_none_goes_to_what_is_no_step(office: Office):
    received = office.receive()
    for target in ("issue", "return_result", "conclusion", "nowhere"):
        with pytest.raises(Refused, match="no_way"):
            propose(office, received.code, "examine", target)
    with pytest.raises(Refused, match="basis_missing"), office.as_("administrator") as w:
        interventions.propose_move(w, received.code, "examine", "sign", "x", " ")
    move = propose(office, received.code, "examine", "sign")
    office.complete("specialist", received.code, SUPPLEMENT)
    with pytest.raises(Refused, match="no_way"):
        approve(office, move)  # the dossier has gone elsewhere since
    with office.runtime.begin(SYSTEM) as w:
        assert [m.state for m in w.session.scalars(select(TokenMove))] == ["proposed"]


# -- hand to somebody else --------------------------------------------------------------------------------------------------------


def test_taking_a_task_from_a_colleague_needs_authority_and_a_reason_and_is_journalled(office: Office):
    received = office.receive()
    task = office.open_task(received.code)
    with office.as_("specialist") as w:
        tasks.claim(w, task.id)
    with pytest.raises(Forbidden), office.as_("colleague") as w:
        tasks.assign(w, task.id, office.people["colleague"], "x")
    with pytest.raises(Refused, match="reason_missing"), office.as_("division_head") as w:
        tasks.assign(w, task.id, office.people["colleague"])
    with office.as_("division_head") as w:
        tasks.assign(w, task.id, office.people["colleague"], "Anh Đức nghỉ phép.")
    assert office.open_task(received.code).assignee_id == office.people["colleague"]
    [line] = lines(office, received.code, "task.assigned")
    assert (line["to"], line["before"]) == (str(office.people["colleague"]), str(office.people["specialist"]))
    assert [h.note for h in rows(office, Handover, received.code) if h.kind == "reassigned"] == ["Anh Đức nghỉ phép."]


# -- what has been there before: the same three things hold -----------------------------------------------------------------------


def test_a_dossier_goes_back_to_any_earlier_step_with_authority_reason_and_journal_line(office: Office):
    publish(office, with_head())
    received = office.receive()
    office.complete("specialist", received.code, APPROVE)
    reviewed = office.open_task(received.code)
    office.complete("division_head", received.code, {"decision": "agree"})
    task = office.open_task(received.code)
    with office.as_("head") as w:
        assert {one.step for one in desk.page(w, task.id).earlier} == {"examine", reviewed.step}
    with pytest.raises(Forbidden), office.as_("clerk") as w:
        tasks.send_back(w, task.id, "examine", "x")
    for step, reason, code in (("examine", " ", "reason_missing"), ("issue", "x", "cannot_send_back")):
        with pytest.raises(Refused, match=code), office.as_("head") as w:
            tasks.send_back(w, task.id, step, reason)
    with office.as_("head") as w:
        tasks.send_back(w, task.id, "examine", "Thiếu trang 2.")  # over the step between
    assert office.open_task(received.code).step == "examine"
    [line] = lines(office, received.code, "task.sent_back")
    assert (line["to_step"], line["by"]) == ("examine", str(office.people["head"]))
    assert [h.note for h in rows(office, Handover, received.code) if h.kind == "sent_back"] == ["Thiếu trang 2."]


def test_withdrawal_and_stop_have_authority_reason_and_journal_line_and_end_a_dossier_once(office: Office):
    received, other = office.receive(), office.receive()
    basis = "Khoản 3 Điều 17 Nghị định số 118/2025/NĐ-CP"
    with pytest.raises(Forbidden), office.as_("clerk") as w:
        dossiers.withdraw(w, received.code, "x")
    with pytest.raises(Forbidden), office.as_("reception") as w:
        dossiers.stop(w, other.code, "x", basis)
    with pytest.raises(Refused, match="reason_missing"), office.as_("reception") as w:
        dossiers.withdraw(w, received.code, "")
    with pytest.raises(Refused, match="legal_basis_missing"), office.as_("head") as w:
        dossiers.stop(w, other.code, "x", " ")
    with office.as_("reception") as w:
        dossiers.withdraw(w, received.code, "Không còn nhu cầu.")
    with office.as_("head") as w:
        dossiers.stop(w, other.code, "Trùng hồ sơ.", basis)
    assert [one["by"] for one in lines(office, received.code, "dossier.withdrawn")] == [str(office.people["reception"])]
    assert [one["by"] for one in lines(office, other.code, "dossier.stopped")] == [str(office.people["head"])]
    with pytest.raises(Conflict, match=r"dossier\.ended"), office.as_("reception") as w:
        dossiers.withdraw(w, received.code, "x")
