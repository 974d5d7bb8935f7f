"""What shared parts ask of the office: a fee stops the clock, a longer term, an apology, another agency's desk, the owner's word."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import select

from engine.commands import dossiers, fees, files, organisation, procedures, tasks
from engine.commands.dossiers import Reception
from engine.documents.model import Document
from engine.dossier.model import Dossier, DueChange
from engine.errors import Conflict, Forbidden, Invalid, Refused
from engine.kernel.unit_of_work import Actor
from engine.procedure.loader import load_folder
from engine.process.model import Task
from engine.queries import steps, tracking
from engine.settings import ROOT
from engine.worker.timers import sweep
from tests.conftest import HANOI
from tests.support.office import OWNER, SINCE, Office, scan

DECLARATION = {
    "child_name": "Nguyễn An Nhiên", "sex": "female", "born_on": "2026-11-10", "birth_place": "Bệnh viện đa khoa tỉnh Mẫu",
    "ethnicity": "Kinh", "home_town": "phường Mẫu", "proof_kind": "certificate", "mother_name": "Nguyễn Thị Mai",
    "mother_number": "001190012345", "parents_married": "yes", "father_name": "Nguyễn Văn Bình", "father_number": "001088012345",
    "declarant_relation": "Mẹ", "copies_asked": "0",
}  # fmt: skip
FOUND = {"marriage": "found", "marriage_record": "12/2020", "residence": "matched"}
ASK = {
    "marriage": "no_data", "residence": "matched", "asked_commune": "H99.102",
    "search_request": "Đề nghị tra sổ kết hôn năm 2014 của cha mẹ trẻ.",
}  # fmt: skip
REGISTER = {"decision": "register", "child_name": "Nguyễn An Nhiên", "father": "as_declared", "nationality": "Việt Nam", "compared": "true"}
PETITION = {"petition_text": "Đèn đường tại ngõ 12 tổ 3 hỏng hai tuần nay, buổi tối rất tối."}


def publish(office: Office, folder: str) -> None:
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        procedures.publish(w, load_folder(ROOT / "bpmn" / folder))


def neighbour(office: Office) -> None:
    """Another commune with one civil status officer."""
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        commune = organisation.add_unit(
            w, name="Ủy ban nhân dân xã Bình Mẫu", level="commune", agency_code="H99.102", parent_id=office.units["province"],
            place_name="xã Bình Mẫu", valid_from=SINCE,
        )  # fmt: skip
        person = organisation.add_person(w, "Triệu Thị Sen", email="sen@mau.example")
        position = organisation.add_position(w, commune.id, "Công chức tư pháp – hộ tịch", "specialist", title_en="civil status officer")
        organisation.appoint(w, person.id, position.id, SINCE, basis="Quyết định số 02/QĐ-UBND")
        office.people["neighbour"] = person.id


def received(office: Office, **changes: object) -> str:
    with office.as_("reception") as w:
        for component in ("declaration", "birth_proof"):
            files.keep(w, files.examine(scan(1), f"{component}.pdf"), component=component, upload_key="birth")
        given = {
            "procedure": "birth_registration", "deciding_unit_id": office.units["commune"], "owner": OWNER,
            "components": ["declaration", "birth_proof"], "upload_key": "birth", "answers": DECLARATION,
        }  # fmt: skip
        return dossiers.receive_dossier(w, Reception(**{**given, **changes})).code  # type: ignore[arg-type]


def dossier(office: Office, code: str) -> Dossier:
    with office.runtime.begin(Actor("system")) as w:
        found = w.session.scalars(select(Dossier).where(Dossier.code == code)).one()
        assert found.suspensions is not None
        assert found.fees is not None
        w.session.expunge_all()
        return found


def open_steps(office: Office, code: str) -> dict[str, Task]:
    with office.runtime.begin(Actor("system")) as w:
        query = select(Task).join(Dossier, Dossier.id == Task.dossier_id).where(Dossier.code == code, Task.state == "open")
        return {task.step.split("__of__")[0]: task for task in w.session.scalars(query)}


def do(office: Office, who: str, code: str, step: str, answers: dict[str, object]) -> None:
    task = open_steps(office, code)[step]
    with office.as_(who) as w:
        tasks.complete(w, task.id, answers)


def confirm(office: Office, code: str, agreed: bool, remark: str = "") -> None:
    with office.runtime.begin(Actor("citizen", label="portal")) as w:
        dossiers.confirm(w, code, agreed, remark, access_checked=True)


@pytest.fixture
def births(office: Office) -> Office:
    neighbour(office)
    publish(office, "birth_registration")
    return office


def test_an_open_fee_stops_the_clock_until_it_is_paid(births: Office):
    code = received(births, answers={**DECLARATION, "born_on": "2026-01-05"})
    waiting = dossier(births, code)
    assert (waiting.status, waiting.due_at) == ("awaiting_payment", None)
    assert [fee.amount for fee in waiting.fees] == [8000]

    with births.as_("reception") as w:
        fees.pay(w, code, "cash")

    going_on = dossier(births, code)
    assert (going_on.status, going_on.financial_status) == ("processing", "paid")
    assert going_on.due_at is not None
    assert list(open_steps(births, code)) == ["records_check"]


def test_a_birth_in_time_costs_nothing_and_waits_for_nobody(births: Office):
    code = received(births)
    assert dossier(births, code).fees == []
    assert list(open_steps(births, code)) == ["records_check"]


def test_verification_lengthens_the_term_once_and_lies_on_the_other_communes_desk(births: Office):
    code = received(births)
    before = dossier(births, code).due_at
    do(births, "specialist", code, "records_check", ASK)
    do(births, "specialist", code, "propose", {"reason": "Phải xác minh việc kết hôn tại xã Bình Mẫu."})
    do(births, "head", code, "approve", {"decision": "approve"})

    longer = dossier(births, code)
    assert longer.extension is not None
    assert longer.extension["apology"] is False
    assert before is not None
    assert longer.due_at is not None
    assert longer.due_at > before
    assert longer.original_due_at == before
    with pytest.raises(Forbidden):
        do(births, "specialist", code, "search_registers", {"entry_found": "no", "searched": "Sổ kết hôn 2014"})
    do(births, "neighbour", code, "search_registers", {"entry_found": "yes", "entry_number": "07/2014"})
    assert list(open_steps(births, code)) == ["examine"]


def test_a_commune_that_stays_silent_does_not_hold_the_dossier(births: Office):
    code = received(births)
    do(births, "specialist", code, "records_check", ASK)
    do(births, "specialist", code, "propose", {"reason": "Phải xác minh việc kết hôn tại xã Bình Mẫu."})
    do(births, "head", code, "approve", {"decision": "approve"})
    births.set_clock(datetime(2026, 12, 1, 9, 0, tzinfo=HANOI))
    sweep(births.runtime)
    assert list(open_steps(births, code)) == ["examine"]


def test_the_agency_to_ask_is_chosen_from_those_there_are(births: Office):
    code = received(births)
    task = open_steps(births, code)["records_check"]
    with births.as_("specialist") as w:
        form, _ = steps.opened(w, task.id)
        field = form.field("asked_commune")
        assert field is not None
        assert set(field.values) == {"H99.101", "H99.102"}
    with pytest.raises(Invalid):
        do(births, "specialist", code, "records_check", {**ASK, "asked_commune": "H77.001"})


def test_the_owner_sees_the_draft_and_has_a_day_to_correct_it(births: Office):
    code = received(births, channel="online")
    with births.runtime.begin(Actor("citizen", label="portal")) as w, pytest.raises(Conflict):
        dossiers.confirm(w, code, True, access_checked=True)
    do(births, "specialist", code, "records_check", FOUND)
    do(births, "specialist", code, "examine", REGISTER)

    with births.runtime.begin(Actor("citizen", label="portal")) as w:
        seen = tracking.owner(w, code)
        assert seen.confirm is not None
        assert seen.confirm_until is not None
        assert tracking.issued_bytes(w, code, seen.confirm.id)[1].startswith(b"%PDF")
    with births.runtime.begin(Actor("citizen", label="portal")) as w, pytest.raises(Forbidden):
        dossiers.confirm(w, code, True)
    with pytest.raises(Refused):
        confirm(births, code, False, "  ")
    confirm(births, code, False, "Chữ đệm viết là Ân")
    assert list(open_steps(births, code)) == ["examine"]
    do(births, "specialist", code, "examine", REGISTER)
    confirm(births, code, True)
    assert list(open_steps(births, code)) == ["enter_register"]
    with births.runtime.begin(Actor("citizen", label="portal")) as w:
        assert tracking.owner(w, code).confirm is None


def test_silence_of_a_day_is_consent(births: Office):
    code = received(births, channel="online")
    do(births, "specialist", code, "records_check", FOUND)
    do(births, "specialist", code, "examine", REGISTER)
    births.set_clock(datetime(2026, 11, 27, 9, 0, tzinfo=HANOI))
    sweep(births.runtime)
    assert list(open_steps(births, code)) == ["enter_register"]


def test_a_birth_certificate_is_signed_numbered_and_returned(births: Office):
    code = received(births)
    do(births, "specialist", code, "records_check", FOUND)
    do(births, "specialist", code, "examine", REGISTER)
    do(births, "specialist", code, "enter_register", {"personal_number": "001326000123", "register_volume": "01/2026"})
    assert births.sign("head", code)[0].signed
    assert births.issue("clerk", code)[0].signed
    assert dossier(births, code).status == "resolved"
    do(births, "returner", code, "return_result", {"receiver": "owner"})
    assert dossier(births, code).status == "returned"


@pytest.fixture
def petitions(office: Office) -> Office:
    publish(office, "petition")
    return office


def petition(office: Office) -> str:
    with office.as_("reception") as w:
        given = Reception("petition", office.units["commune"], OWNER, answers=PETITION, channel="online")
        code = dossiers.receive_dossier(w, given).code
    do(office, "reception", code, "classify", {"kind": "urban", "lead_unit": "H99.101.02"})
    return code


def answer(office: Office, code: str) -> None:
    do(office, "specialist", code, "unit_answer", {"facts_found": "Hai bóng đèn cháy.", "answer_text": "Đã thay hai bóng đèn hôm nay."})
    do(office, "head", code, "approve", {"decision": "approve"})
    assert office.sign("head", code)[0].signed
    assert office.issue("clerk", code)[0].signed
    do(office, "reception", code, "make_public", {"made_public": "no", "why_not": "Người gửi xin không công khai."})


def test_the_office_reminds_a_working_day_before_the_term_ends_and_apologises_once(petitions: Office):
    code = petition(petitions)
    due = dossier(petitions, code).due_at
    assert due is not None
    eve = dossier_eve(due)
    petitions.set_clock(eve)
    sweep(petitions.runtime)
    assert set(open_steps(petitions, code)) == {"unit_answer", "draft_apology"}

    late = {"apology_needed": "yes", "reason": "Phải chờ vật tư thay thế.", "new_day": (due.date().replace(day=28)).isoformat()}
    do(petitions, "specialist", code, "draft_apology", late)
    do(petitions, "head", code, "sign_apology", {"decision": "approve"})

    moved = dossier(petitions, code)
    assert moved.extension is not None
    assert moved.due_at is not None
    assert moved.due_at.astimezone(HANOI).date() >= due.date()
    assert moved.original_due_at == due
    with petitions.runtime.begin(Actor("system")) as w:
        letter = w.session.scalars(select(Document).where(Document.dossier_id == moved.id, Document.kind == "apology_letter")).one()
        assert letter.number == 1
        reasons = w.session.scalars(select(DueChange.reason).where(DueChange.dossier_id == moved.id)).all()
        assert list(reasons)[-1] == "extended"
    petitions.set_clock(dossier_eve(moved.due_at))
    sweep(petitions.runtime)
    assert set(open_steps(petitions, code)) == {"unit_answer"}


def dossier_eve(due: datetime) -> datetime:
    """The working day before, in the afternoon."""
    from datetime import timedelta

    on = due.astimezone(HANOI) - timedelta(days=1)
    while on.weekday() >= 5 or on.date() == date(2026, 11, 24):
        on -= timedelta(days=1)
    return on.replace(hour=17, minute=30)


def test_a_sender_who_is_not_content_opens_the_petition_again_and_the_wait_does_not_count(petitions: Office):
    code = petition(petitions)
    due = dossier(petitions, code).due_at
    answer(petitions, code)
    assert dossier(petitions, code).status == "resolved"
    petitions.set_clock(datetime(2026, 11, 25, 9, 0, tzinfo=HANOI))

    confirm(petitions, code, False, "Đèn lại hỏng từ tối qua.")

    again = dossier(petitions, code)
    assert (again.status, again.resolved_at, again.outcome) == ("processing", None, None)
    assert [pause.ground for pause in again.suspensions] == ["reopened"]
    assert due is not None
    assert again.due_at is not None
    assert again.due_at > due
    answer(petitions, code)
    confirm(petitions, code, True)
    assert dossier(petitions, code).closed_at is not None


def test_whoever_drafted_the_answer_cannot_approve_it(petitions: Office):
    code = petition(petitions)
    do(petitions, "specialist", code, "unit_answer", {"facts_found": "Hai bóng đèn cháy.", "answer_text": "Đã thay hai bóng đèn hôm nay."})
    with pytest.raises(Forbidden):
        do(petitions, "specialist", code, "approve", {"decision": "approve"})
