"""The second procedure through the same commands: an internal leave request with parallel reviewers, a gateway, and a way back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.commands import dossiers, signatures, tasks
from engine.dossier.model import Dossier
from engine.errors import Refused
from engine.kernel.unit_of_work import Actor
from engine.process.model import Task
from tests.support.office import Office

REQUEST = {
    "kind": "annual", "from_on": "2026-12-01", "to_on": "2026-12-04", "days": "4", "place": "Bắc Ninh", "reason": "Việc gia đình",
    "hand_over": "Bàn giao cho đồng nghiệp",
}  # fmt: skip
AGREE = {"decision": "agree"}


def open_tasks(office: Office, code: str) -> dict[str, Task]:
    with office.runtime.begin(Actor("system")) as w:
        found = w.session.scalars(
            select(Task).join(Dossier, Dossier.id == Task.dossier_id).where(Dossier.code == code, Task.state == "open")
        )
        return {t.lane: t for t in found}


def complete(office: Office, who: str, task: Task, answers: dict[str, Any]) -> None:
    with office.as_(who) as w:
        tasks.complete(w, task.id, answers)


def status(office: Office, code: str) -> str:
    with office.runtime.begin(Actor("system")) as w:
        return w.session.scalars(select(Dossier.status).where(Dossier.code == code)).one()


def asked(office: Office, **changes: str) -> str:
    with office.as_("specialist") as w:
        return dossiers.start_internal(w, "internal_leave", {**REQUEST, **changes}).code


def test_a_leave_of_four_days_is_reviewed_by_two_signed_by_the_leader_and_numbered(office: Office):
    code = asked(office)
    reviewers = open_tasks(office, code)
    assert len(reviewers) == 2

    complete(office, "division_head", reviewers["Trưởng phòng"], AGREE)
    complete(office, "office", reviewers["Văn phòng"], {**AGREE, "balance": "9"})
    assert [t.action for t in open_tasks(office, code).values()] == ["sign"]
    assert office.sign("head", code)[0].signed
    assert office.issue("clerk", code)[0].signed

    assert open_tasks(office, code) == {}
    assert status(office, code) in ("resolved", "returned")


def test_a_leave_of_two_days_is_signed_by_order_by_the_chief_of_office(office: Office):
    code = asked(office, to_on="2026-12-02", days="2")
    reviewers = open_tasks(office, code)
    complete(office, "division_head", reviewers["Trưởng phòng"], AGREE)
    complete(office, "office", reviewers["Văn phòng"], {**AGREE, "balance": "9"})

    assert office.sign("office", code)[0].signed
    assert office.issue("clerk", code)[0].signed


def test_a_reviewer_sends_it_back_and_the_initiator_withdraws(office: Office):
    code = asked(office)
    reviewers = open_tasks(office, code)
    complete(office, "division_head", reviewers["Trưởng phòng"], AGREE)
    complete(office, "office", reviewers["Văn phòng"], {"decision": "send_back", "balance": "1", "comment": "Chỉ còn một ngày phép."})

    [revise] = open_tasks(office, code).values()
    assert revise.assignee_id == office.people["specialist"]
    complete(office, "specialist", revise, {**REQUEST, "decision": "withdraw", "reply": "Tôi rút đơn."})

    assert status(office, code) == "withdrawn"


def test_nobody_signs_their_own_leave(office: Office):
    with office.as_("head") as w:
        code = dossiers.start_internal(w, "internal_leave", REQUEST).code
    for lane, task in open_tasks(office, code).items():
        complete(office, "division_head" if lane == "Trưởng phòng" else "office", task, {**AGREE, "balance": "9"})
    [task] = open_tasks(office, code).values()

    with office.as_("head") as w:
        [row] = signatures.prepare(w, [task.id])

    assert row.failure == "signing.own_work"


def test_the_public_counter_does_not_receive_an_internal_procedure(office: Office):
    with pytest.raises(Refused, match="internal_procedure"):
        office.receive(procedure="internal_leave")
