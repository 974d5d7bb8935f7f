"""The packages we ship: accepted by the gate, drawn for A4, told in two languages, and doing what their scenarios say."""

from __future__ import annotations

import json
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from engine.feel import compile_expression
from engine.procedure.difference import difference
from engine.procedure.gate import check
from engine.procedure.layout import check_layout, points_on_a4
from engine.procedure.loader import load_files, load_folder, load_zip, to_zip
from engine.procedure.package import Package
from engine.process import instance
from engine.process.instance import Advance, Context, Operation
from engine.settings import ROOT

BPMN = ROOT / "bpmn"
HERE = Path(__file__).parent
SHIPPED = ("certified_electronic_copy", "internal_leave", "_template")
BROKEN = sorted(path.name for path in (HERE / "broken").iterdir())
MONDAY = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


def shipped(name: str) -> Package:
    return load_folder(BPMN / name)


def drawn_as(name: str, diagram: Path) -> Package:
    return load_files({**shipped(name).files, "process.bpmn": diagram.read_bytes()}, name)


def scenarios() -> list[Any]:
    return [
        pytest.param(name, scenario, id=f"{name}: {scenario['name']}")
        for name in SHIPPED
        for path in sorted((BPMN / name / "tests").glob("*.toml"))
        for scenario in tomllib.loads(path.read_text(encoding="utf-8"))["scenario"]
    ]


@dataclass
class Walk:
    """One dossier walking through a diagram on the real engine; the office's operators only note that they were called."""

    package: Package
    now: datetime = MONDAY
    called: list[Operation] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    advance: Advance | None = None

    @property
    def context(self) -> Context:
        def note(operation: Operation) -> Any:
            self.called.append(operation)
            self.passed.append(operation.step)
            return {}

        operators = {node.operator.id: note for node in self.package.diagram.nodes.values() if node.operator is not None}
        functions = {"working hours": lambda hours: (self.now + timedelta(hours=float(hours))).isoformat()}
        dossier = {"code": "H99-1", "channel": "in_person", "pages": 3, "by_representative": False, "received_on": "2026-11-23"}
        return Context(self.now, operators, functions, dossier)

    def start(self, variables: Mapping[str, Any]) -> None:
        self.advance = instance.start(self.program, variables, self.context)

    @property
    def program(self) -> instance.Program:
        return instance.program(UUID(self.package.content_hash[:32]), self.package)

    def open(self) -> dict[str, instance.OpenTask]:
        assert self.advance is not None
        return {task.step: task for task in self.advance.ready}

    def do(self, step: str, answers: Mapping[str, Any]) -> None:
        assert self.advance is not None
        task = self.open()[step]
        form, variable = task.properties.get("form"), task.properties.get("variable") or task.properties.get("form")
        given: Any = self.package.form(form).check(answers) if form else dict(answers)
        self.passed.append(step)
        self.advance = instance.complete(self.program, self.advance.state, task.uuid, variable, given, self.context)

    def receive(self, message: str) -> None:
        assert self.advance is not None
        self.advance = instance.receive(self.program, self.advance.state, message, {"answered_at": self.now.isoformat()}, self.context)

    def wait_for(self, timer: str) -> None:
        assert self.advance is not None
        [due] = [found.due_at for found in self.advance.timers if found.step == timer]
        self.now = due + timedelta(seconds=1)
        self.advance = instance.fire(self.program, self.advance.state, self.context)


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
    for key in package.form_keys:
        for found in json.loads(package.files[f"forms/{key}.json"])["components"]:
            assert found.get("label_en"), (key, found.get("key"))
            assert all(value.get("label_en") for value in found.get("values", []))


@pytest.mark.parametrize("name", ["certified_electronic_copy", "internal_leave"])
def test_the_law_behind_a_procedure_is_named_with_its_date(name: str) -> None:
    package = shipped(name)

    assert package.term.legal_basis
    assert package.legal_basis
    assert all(basis.act and basis.valid_from for basis in package.legal_basis)
    assert all(fee.legal_basis and fee.valid_from for fee in package.fees)
    assert all(component.legal_basis for component in package.components)
    assert all(reason.legal_basis for reason in package.reasons if reason.kind == "refusal")


@pytest.mark.parametrize(("name", "scenario"), scenarios())
def test_a_scenario_goes_as_it_is_written(name: str, scenario: dict[str, Any]) -> None:
    package = shipped(name)
    if "fee" in scenario:
        [fee] = package.fees
        amount = compile_expression(fee.amount)
        assert [int(amount.evaluate({"dossier": {"pages": line["pages"]}})) for line in scenario["fee"]] == [
            line["amount"] for line in scenario["fee"]
        ]
        return
    walk = Walk(package)

    start = package.start_form
    walk.start({start: package.form(start).check(scenario["start"])} if start else {})
    for line in scenario["step"]:
        if "message" in line:
            walk.receive(line["message"])
        elif "wait" in line:
            walk.wait_for(line["wait"])
        else:
            walk.do(line["step"], line.get("answers", {}))

    assert walk.advance is not None
    assert walk.advance.ended == scenario["expect"]["ends"]
    steps = iter(walk.passed)
    assert all(wanted in steps for wanted in scenario["expect"]["passes"]), walk.passed


def test_a_supplement_returns_to_the_step_that_asked_and_tells_what_is_missing() -> None:
    walk = Walk(shipped("certified_electronic_copy"))
    walk.start({})

    walk.do(
        "examine",
        {"decision": "supplement", "components": ["original"], "reason": "Thiếu trang 3, đề nghị nộp lại.", "legal_basis": "Điều 20"},
    )
    assert walk.open() == {}
    walk.receive("supplement_answered")

    assert list(walk.open()) == ["examine"]
    [asked] = walk.called
    assert asked.id == "dossier/request_supplement"
    assert asked.parameters["components"] == ["original"]


def test_two_reviewers_of_a_leave_work_at_the_same_time() -> None:
    walk = Walk(shipped("internal_leave"))

    walk.start({"leave_request": {"days": 2}})

    assert set(walk.open()) == {"division_review", "office_check"}


@pytest.mark.parametrize(("days", "signer"), [(0.5, "office_signs"), (2, "office_signs"), (2.5, "leader_signs"), (30, "leader_signs")])
def test_the_number_of_days_decides_who_signs_the_leave(days: float, signer: str) -> None:
    walk = Walk(shipped("internal_leave"))
    walk.start({"leave_request": {"days": days}})

    walk.do("division_review", {"decision": "agree"})
    walk.do("office_check", {"decision": "agree", "balance": 12})

    assert list(walk.open()) == [signer]


def test_the_added_step_of_the_division_head_is_taken_by_the_changed_diagram_only() -> None:
    before = shipped("certified_electronic_copy")
    after = drawn_as("certified_electronic_copy", HERE / "with_division_head" / "process.bpmn")
    answers = {"decision": "approve", "paper_name": "Học bạ", "paper_issuer": "Trường THPT", "compared": True}

    old, new = Walk(before), Walk(after)
    for walk in (old, new):
        walk.start({})
    old.do("examine", answers)
    new.do("examine", answers)

    assert list(old.open()) == ["sign"]
    [step] = new.open().values()
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
