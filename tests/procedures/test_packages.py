"""The packages we ship: accepted by the gate, drawn for A4, told in two languages, and doing what their scenarios say."""

from __future__ import annotations

import json
import tomllib
import unicodedata
from pathlib import Path

import pytest

from engine.deadline.calendar_file import Calendars
from engine.deadline.functions import working_time
from engine.procedure.difference import difference
from engine.procedure.gate import check
from engine.procedure.layout import check_layout, points_on_a4
from engine.procedure.loader import load_files, load_folder, load_zip, to_zip
from engine.procedure.package import Package
from engine.procedure.scenarios import Move
from engine.process.rehearsal import Rehearsal, rehearse
from engine.settings import ROOT
from tests.procedures.packages import SHIPPED

BPMN = ROOT / "bpmn"
HERE = Path(__file__).parent
BROKEN = sorted(path.name for path in (HERE / "broken").iterdir())


def shipped(name: str) -> Package:
    return load_folder(BPMN / name)


def drawn_as(name: str, diagram: Path) -> Package:
    return load_files({**shipped(name).files, "process.bpmn": diagram.read_bytes()}, name)


def walk(package: Package) -> Rehearsal:
    return rehearse(package, lambda now: working_time(Calendars(BPMN / "_calendars").of(), now))


def open_steps(run: Rehearsal) -> list[str]:
    return [task.step for task in run.open]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_gate_accepts_every_shipped_package(name: str) -> None:
    report = check(shipped(name), layout=True)

    assert [finding.en for finding in report.findings if finding.severity == "refused"] == []
    assert [finding.rule for finding in report.findings if finding.rule.startswith(("layout", "name-in", "form-in", "key-unread"))] == []


@pytest.mark.parametrize(
    "diagram", [*(BPMN / name / "process.bpmn" for name in SHIPPED), HERE / "with_division_head" / "process.bpmn"], ids=str
)
def test_every_diagram_is_legible_on_a4_and_nothing_overlaps(diagram: Path) -> None:
    package = drawn_as("certified_electronic_copy", diagram)

    assert check_layout(package.diagram) == []
    assert points_on_a4(package.diagram, 11) >= 7


@pytest.mark.parametrize("name", SHIPPED)
def test_a_package_is_the_same_after_the_zip_that_carries_it(name: str) -> None:
    package = shipped(name)

    carried = load_zip(to_zip(package), name)

    assert dict(carried.files) == dict(package.files)
    assert carried.content_hash == package.content_hash


@pytest.mark.parametrize("name", SHIPPED)
def test_vietnamese_text_is_composed_and_every_name_has_an_english_one(name: str) -> None:
    package = shipped(name)

    for path, content in package.files.items():
        text = content.decode("utf-8")
        assert unicodedata.is_normalized("NFC", text), path
    for node in package.diagram.nodes.values():
        assert not node.name or node.properties.get("name_en"), node.id
    for path, content in package.files.items():
        for found in json.loads(content)["components"] if path.startswith("forms/") else ():
            assert found.get("label_en"), (path, found.get("key"))
            assert all(value.get("label_en") for value in found.get("values", []))


@pytest.mark.parametrize("name", [name for name in SHIPPED if not name.startswith("_")])
def test_the_law_behind_a_procedure_is_named_with_its_date(name: str) -> None:
    package = shipped(name)

    assert package.term.legal_basis
    assert package.legal_basis
    assert all(basis.act and basis.valid_from for basis in package.legal_basis)
    assert all(fee.legal_basis and fee.valid_from for fee in package.fees)
    assert all(component.legal_basis for component in package.components)
    assert all(reason.legal_basis for reason in package.reasons if reason.kind == "refusal")


def test_a_supplement_returns_to_the_step_that_asked_and_tells_what_is_missing() -> None:
    run = walk(shipped("certified_electronic_copy"))
    run.begin({})

    missing = {"decision": "supplement", "components": ["original"], "reason": "Thiếu trang 3, đề nghị nộp lại.", "legal_basis": "Điều 20"}
    run.act(Move("step", "examine", missing))
    assert open_steps(run) == []
    [asked] = run.done[-1].called
    run.act(Move("message", "supplement_answered"))

    assert open_steps(run) == ["examine"]
    assert asked.id == "dossier/request_supplement"
    assert asked.parameters["components"] == ["original"]


LEAVE = {"kind": "annual", "from_on": "2026-12-01", "to_on": "2026-12-02", "place": "Bắc Ninh", "reason": "Việc nhà", "hand_over": "Bà Hà"}


def test_two_reviewers_of_a_leave_work_at_the_same_time() -> None:
    run = walk(shipped("internal_leave"))

    run.begin({**LEAVE, "days": 2})

    assert set(open_steps(run)) == {"division_review", "office_check"}


@pytest.mark.parametrize(("days", "signer"), [(0.5, "office_signs"), (2, "office_signs"), (2.5, "leader_signs"), (30, "leader_signs")])
def test_the_number_of_days_decides_who_signs_the_leave(days: float, signer: str) -> None:
    run = walk(shipped("internal_leave"))
    run.begin({**LEAVE, "days": days})

    run.act(Move("step", "division_review", {"decision": "agree"}))
    run.act(Move("step", "office_check", {"decision": "agree", "balance": 12}))

    assert open_steps(run) == [signer]


def test_the_added_step_of_the_division_head_is_taken_by_the_changed_diagram_only() -> None:
    before = shipped("certified_electronic_copy")
    after = drawn_as("certified_electronic_copy", HERE / "with_division_head" / "process.bpmn")
    answers = {"decision": "approve", "paper_name": "Học bạ", "paper_issuer": "Trường THPT", "compared": True}

    old, new = walk(before), walk(after)
    for run in (old, new):
        run.begin({})
        run.act(Move("step", "examine", answers))

    assert open_steps(old) == ["sign"]
    [step] = new.open
    assert (step.name, step.lane) == ("Trưởng phòng xem xét", "Trưởng phòng")
    assert [finding.en for finding in check(after).findings if finding.severity == "refused"] == []
    assert any("Trưởng phòng xem xét" in change.vi for change in difference(before, after))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_diagram_is_refused_with_sentence_element_and_place(name: str) -> None:
    expected = tomllib.loads((HERE / "broken" / name / "expected.toml").read_text(encoding="utf-8"))
    package = drawn_as(expected["package"], HERE / "broken" / name / "process.bpmn")

    report = check(package, layout=True)

    [found, *_] = [f for f in report.findings if (f.rule, f.element) == (expected["rule"], expected["element"])] or [None]
    assert found is not None, [(f.rule, f.element) for f in report.findings]
    assert found.severity == expected["severity"]
    assert found.vi
    assert found.en
    assert found.repair("vi")
    assert found.repair("en")
    assert found.place.file == "process.bpmn" or found.rule.startswith("xml.")
    assert found.name == "" or found.name in found.vi
