"""Two procedures of land and building law in a real office: papers by case, a clock that stands still for others, consent by silence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from engine.commands import dossiers, files, tasks
from engine.commands.dossiers import Reception
from engine.documents.model import Document
from engine.dossier.model import Dossier
from engine.errors import Invalid
from engine.kernel.unit_of_work import Actor
from engine.procedure.loader import load_folder
from engine.procedure.registry import store
from engine.process.model import Task
from engine.queries import reception, tracking
from engine.settings import ROOT
from engine.worker.timers import sweep
from tests.conftest import HANOI
from tests.support.office import OWNER, Office, scan

HOUSE = {
    "place": "Số 12, phường Mẫu",
    "designed_by": "professional",
    "floors": "4",
    "basements": "0",
    "floor_area": "320,5",
    "house_height": "14",
}
LAND = {
    "change_kind": "transfer", "parcel_extent": "whole", "parcel": "Thửa 45, tờ 12", "land_place": "phường Mẫu", "land_area": "120,5",
    "certificate_serial": "BA 685616", "receiving_party": "Ông Trần Văn An",
}  # fmt: skip


def published(office: Office, folder: str) -> None:
    """Store the package as published; the gate and its scenarios have judged it in tests/procedures."""
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        store(w, load_folder(ROOT / "bpmn" / folder))


def receive(office: Office, procedure: str, answers: dict[str, str], *papers: str) -> str:
    upload = files.examine(scan(1), "giay to.pdf")
    with office.as_("reception") as w:
        for key in papers:
            files.keep(w, upload, component=key, upload_key="case")
        asked = Reception(procedure, office.units["commune"], OWNER, components=papers, upload_key="case", answers=answers, paid="cash")
        return dossiers.receive_dossier(w, asked).code


def dossier(office: Office, code: str) -> Dossier:
    with office.runtime.begin(Actor("system")) as w:
        found = w.session.scalars(select(Dossier).where(Dossier.code == code)).one()
        _ = found.suspensions, found.fees, found.components
        w.session.expunge_all()
        return found


def open_steps(office: Office, code: str) -> dict[str, Task]:
    with office.runtime.begin(Actor("system")) as w:
        rows = w.session.scalars(
            select(Task).join(Dossier, Dossier.id == Task.dossier_id).where(Dossier.code == code, Task.state == "open")
        )
        return {task.step: task for task in rows}


def do(office: Office, who: str, code: str, step: str, **answers: Any) -> None:
    with office.as_(who) as w:
        tasks.complete(w, open_steps(office, code)[step].id, answers)


def at(office: Office, day: int, hour: int, month: int = 11) -> None:
    office.clock.at = datetime(2026, month, day, hour, 0, tzinfo=HANOI)


PAPERS = ("change_form", "old_certificate", "transfer_contract", "income_tax_form", "registration_fee_form")


def test_the_clock_stands_still_for_the_tax_office_and_for_the_payment_and_runs_on_by_just_the_time_that_is_left(office: Office):
    published(office, "land_change")
    code = receive(office, "land_change", LAND, *PAPERS)
    first = dossier(office, code)
    assert first.due_at == datetime(2026, 12, 4, 9, 0, tzinfo=HANOI)
    assert [fee.amount for fee in first.fees] == [300000, 28000]

    do(office, "specialist", code, "appraise", decision="fit", no_burden="true")
    office.sign("head", code)
    at(office, 25, 9)
    office.issue("clerk", code)
    waiting = dossier(office, code)
    assert (waiting.status, waiting.due_at) == ("awaiting_authority", None)
    [tax] = waiting.suspensions
    with office.runtime.begin(Actor("system")) as w:
        assert w.session.scalars(select(Document).where(Document.id == tax.document_id)).one().key == "tax_slip"

    at(office, 1, 9, month=12)
    do(office, "specialist", code, "record_notice", notice_number="1204/TB-CCT", noticed_on="30/11/2026", payable="21500000")
    paying = dossier(office, code)
    assert (paying.status, paying.due_at) == ("awaiting_payment", None)
    assert [(s.ground, s.resumed_at is None) for s in paying.suspensions] == [("other_authority", False), ("financial_obligation", True)]
    assert paying.suspensions[1].request == {"reference": "1204/TB-CCT"}

    at(office, 3, 9, month=12)
    do(office, "returner", code, "record_payment", proof_number="0012345", paid_on="02/12/2026", paid_amount="21500000")
    again = dossier(office, code)
    assert again.status == "processing"
    assert again.due_at == datetime(2026, 12, 14, 9, 0, tzinfo=HANOI), "six working days of standing still move the date by six"
    assert list(open_steps(office, code)) == ["prepare_change"]


def test_a_supplement_asked_for_after_the_payment_leads_back_to_that_very_step(office: Office):
    published(office, "land_change")
    code = receive(office, "land_change", {**LAND, "change_kind": "lease"}, "change_form", "old_certificate", "lease_contract")
    do(office, "specialist", code, "appraise", decision="fit", no_burden="true")
    assert list(open_steps(office, code)) == ["prepare_change"], "a lease owes nothing before it is registered"

    wrong = {"decision": "supplement", "components": ["lease_contract"], "reason": "Văn bản thiếu trang ký.", "legal_basis": "Phụ lục I"}
    do(office, "specialist", code, "prepare_change", **wrong)
    assert open_steps(office, code) == {}
    with office.runtime.begin(Actor("citizen", label="portal")) as w:
        answer = {"lease_contract": [files.examine(scan(1), "thue.pdf")]}
        dossiers.answer_supplement(w, code, answer, "Đã bổ sung.", access_checked=True)

    assert list(open_steps(office, code)) == ["prepare_change"]


CASES: dict[tuple[tuple[str, str], ...], set[str]] = {
    (): set(),
    (("adjoining", "true"),): {"adjoining_commitment"},
    (("heritage_area", "true"), ("design_verification", "true")): {"heritage_paper", "verification_report"},
    (("floors", "7"),): {"fire_result"},
    (("basements", "2"),): {"fire_result"},
}


def test_the_case_of_the_house_decides_which_papers_are_asked_for(office: Office):
    published(office, "house_construction_permit")
    always = ("application", "land_right", "drawings")
    with office.as_("reception") as w:
        blank = Reception("house_construction_permit", office.units["commune"], OWNER)
        page = reception.intake(w, "house_construction_permit", upload_key="", reception=blank, deciding_unit=None)
    assert {one.component.key for one in page.wanted if one.required} == set(always), "before the case is known nothing more is asked"

    for changes, wanted in CASES.items():
        answers = {**HOUSE, **dict(changes)}
        if wanted:
            with pytest.raises(Invalid) as refused:
                receive(office, "house_construction_permit", answers, *always)
            assert set(refused.value.errors) == {f"component.{key}" for key in wanted}
        code = receive(office, "house_construction_permit", answers, *always, *sorted(wanted))
        assert {c.key for c in dossier(office, code).components if c.required} == {*always, *wanted}


def test_silence_is_consent_only_where_the_law_says_so(office: Office):
    published(office, "house_construction_permit")
    code = receive(
        office, "house_construction_permit", {**HOUSE, "heritage_area": "true"}, "application", "land_right", "drawings", "heritage_paper"
    )
    unclear = {"decision": "complete", "site": "unneeded", "to_clarify": ["planning", "heritage"]}
    do(office, "specialist", code, "examine", **unclear)
    office.sign("head", code)
    office.issue("clerk", code)
    assert set(open_steps(office, code)) == {"planning", "heritage"}

    at(office, 27, 9)
    sweep(office.runtime)

    assert set(open_steps(office, code)) == {"heritage"}
    with office.runtime.begin(Actor("citizen", label="portal")) as w:
        assert not tracking.owner(w, code).progress.paused
