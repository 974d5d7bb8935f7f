"""Shared parts: written out where they are called, judged and run there, kept with the version that calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.procedure.calls import calls
from engine.procedure.declaration import PackageInvalid
from engine.procedure.framing import ADDED
from engine.procedure.gate import check
from engine.procedure.layout import check_layout, points_on_a4
from engine.procedure.loader import load_folder, load_zip, to_zip
from engine.procedure.outline import milestones, outline
from engine.procedure.package import Package
from engine.procedure.parts import installed_parts, parts_in, read_part
from engine.procedure.scenarios import Move
from engine.process.proof import prove
from engine.process.rehearsal import Rehearsal, rehearse, try_all
from engine.settings import ROOT
from tests.procedures.packages import DECLARATION, LANE, act, small, step
from tests.procedures.test_scenarios import functions
from tests.process.kit import NS, el

PARTS = installed_parts(ROOT / "bpmn")
PACKAGES = sorted(path.parent for path in (ROOT / "bpmn").glob("*/procedure.toml"))

PUBLIC = (
    DECLARATION.replace('scope = "internal"', 'scope = "public"')
    + """
[[document]]
key = "permit"
template = "permit"
register = "permits"
symbol = "GP"
type = "GP"
[document.name]
vi = "Giấy phép"
en = "Permit"
"""
)
ONE_PART = {
    "part.toml": """
key = "ask"
[name]
vi = "Hỏi"
en = "Ask"
[purpose]
vi = "Hỏi một câu"
en = "Asks a question"
[[parameter]]
key = "wanted"
[parameter.words]
vi = "Điều muốn hỏi"
en = "What is asked"
[[parameter]]
key = "hours"
kind = "text"
default = "2"
[parameter.words]
vi = "Số giờ"
en = "Hours"
""".encode(),
    "process.bpmn": b"",
    "forms/question.json": json.dumps(
        {"components": [{"type": "textfield", "key": "reply", "label": "Đáp", "label_en": "Reply"}]}
    ).encode(),
}


VERDICT = json.dumps(
    {"components": [{"type": "textfield", "key": "other", "label": "Lý do", "label_en": "Reason", "validate": {"required": True}}]}
).encode()


def call(node: str, part: str, **given: str) -> str:
    listed = "".join(
        f'<spiffworkflow:property name="{name.replace("__", ".")}" value="{value.replace(chr(34), "&quot;")}"/>'
        for name, value in given.items()
    )
    extensions = f"<bpmn:extensionElements><spiffworkflow:properties>{listed}</spiffworkflow:properties></bpmn:extensionElements>"
    return el("callActivity", node, extensions, name=f"Gọi {node}", calledElement=part)


def permit(**given: str) -> Package:
    """A procedure whose supplement, signature and hand-over are calls."""
    body = (
        step("examine", form="verdict")
        + el("exclusiveGateway", "x", name="Đủ?", default="x__draft")
        + call("ask", "supplement", **(given or {"given__reason": "examine.other"}))
        + act("draft", "document/draft", document='"permit"')
        + call("result", "sign_and_issue", given__document="permit", given__sign_hours="3")
        + call("giving", "hand_over", given__document="permit")
    )
    flows = 's>examine; examine>x; x>draft; x>ask?examine.other = "no"; ask>examine; draft>result; result>giving; giving>e'
    return small(body, flows, declaration=PUBLIC, files={"templates/permit.typ": b"x", "forms/verdict.json": VERDICT})


def walked(package: Package, *moves: tuple[str, str, dict[str, object]]) -> Rehearsal:
    run = rehearse(package, functions)
    run.begin({})
    for kind, name, answers in moves:
        run.act(Move(kind, name, answers))  # type: ignore[arg-type]
    return run


def test_there_are_parts_and_each_is_called_by_a_shipped_package() -> None:
    called = {part.key for folder in PACKAGES for _, part in calls(load_folder(folder).diagram, PARTS)}
    assert PARTS
    assert set(PARTS) == called


def test_every_flow_of_every_part_is_walked_by_a_scenario_of_a_shipped_package() -> None:
    walked: set[str] = set()
    for folder in PACKAGES:
        package = load_folder(folder)
        keys = {node.id: part.key for node, part in calls(package.diagram, PARTS)}
        for played in try_all(package, functions).played if keys else ():
            for flow in played.view.walked if played.view is not None else ():
                inner, _, call = flow.rpartition(ADDED)
                walked |= {f"{keys[call]}.{inner}"} if call in keys else set()
    assert {f"{part.key}.{flow}" for part in PARTS.values() for flow in part.diagram.flows} - walked == set()


@pytest.mark.parametrize("key", sorted(PARTS))
def test_the_drawing_of_a_part_is_neat_and_speaks_both_languages(key: str) -> None:
    part = PARTS[key]
    assert check_layout(part.diagram) == []
    assert points_on_a4(part.diagram, 11) >= 7
    for node in part.diagram.nodes.values():
        assert not node.name or node.properties.get("name_en"), node.id
    assert part.name.en
    assert part.purpose.en
    assert all(one.words.en for one in part.parameters)
    assert all(basis.valid_from for basis in part.legal_basis)


def test_a_call_is_judged_and_run_where_it_stands() -> None:
    package = permit()
    assert check(package).refused == ()
    assert prove(package) == []
    run = walked(
        package,
        ("step", "examine", {"other": "no"}),
        ("message", "supplement_answered", {}),
        ("step", "examine", {"other": "yes"}),
    )
    [task] = run.open
    assert (task.lane, task.properties["document"], task.properties["stage_hours"]) == ("Lãnh đạo cơ quan", "permit", "3")
    for name, answers in (("result.sign", {}), ("result.issue", {}), ("giving.return_result", {"receiver": "owner"})):
        run.act(Move("step", name, answers))
    assert run.passed == [
        *("examine", "ask.request", "examine", "draft", "result.sign", "result.issue", "giving.resolve", "giving.return_result"),
    ]
    assert run.advance is not None
    assert run.advance.ended == "e"
    assert [move.name for move in run.written().moves][-1] == "giving.return_result"


def test_a_document_nobody_drafted_before_the_call_is_found_at_the_call() -> None:
    body = call("result", "sign_and_issue", given__document="permit") + call("giving", "hand_over", given__document="permit")
    package = small(body, "s>result; result>giving; giving>e", declaration=PUBLIC, files={"templates/permit.typ": b"x"})
    assert [found.element for found in check(package).refused if found.rule == "draft-before-signing"] == ["result"]


def test_what_a_call_forgets_or_misspells_is_named() -> None:
    rules = {(found.rule, found.element) for found in check(permit(given__reson="examine.other")).refused}
    assert {("argument-missing", "ask"), ("argument-unknown", "ask")} <= rules
    rules = {found.rule for found in check(permit(given__reason="examine.other", lane__nobody=LANE)).refused}
    assert rules == {"argument-unknown"}


def test_a_reason_the_examination_does_not_give_is_an_unknown_name() -> None:
    assert [found.element for found in check(permit(given__reason="examine.nothing")).refused] == ["ask"]


def test_a_call_may_put_the_steps_of_a_part_into_lanes_of_its_own() -> None:
    body = act("draft", "document/draft", document='"permit"')
    body += call("result", "sign_and_issue", given__document="permit", lane__lane_leader=LANE, lane__lane_clerk=LANE)
    body += call("giving", "hand_over", given__document="permit")
    package = small(body, "s>draft; draft>result; result>giving; giving>e", declaration=PUBLIC, files={"templates/permit.typ": b"x"})
    assert check(package).refused == ()
    assert [task.lane for task in walked(package).open] == [LANE]


def test_the_stored_version_keeps_the_parts_and_the_folder_does_not() -> None:
    package = permit()
    kept = load_zip(to_zip(package, with_parts=True), package.folder)
    assert set(kept.frozen) == {"supplement", "sign_and_issue", "hand_over"}
    assert (kept.content_hash, kept.package_hash) == (package.content_hash, package.package_hash)
    assert kept.files == package.files
    assert to_zip(kept) == to_zip(package)


def test_a_part_that_changes_makes_another_version_and_leaves_the_stored_one_alone() -> None:
    package = permit()
    stored = to_zip(package, with_parts=True)
    changed = {name: content.replace("Ký số kết quả".encode(), "Ký duyệt kết quả".encode()) for name, content in package.part_files.items()}
    other = load_zip(stored, package.folder)
    object.__setattr__(other, "frozen", parts_in(changed))
    assert other.content_hash != package.content_hash
    assert any("Ký duyệt kết quả" in entry.sentence["vi"] for entry in outline(other))
    assert load_zip(stored, package.folder).content_hash == package.content_hash


def test_people_read_the_steps_inside_a_call() -> None:
    package = permit()
    numbers = {entry.number: entry.name["vi"] for entry in outline(package)}
    assert "Ký số kết quả" in numbers.values()
    assert [one.name["vi"] for one in milestones(package)][-1] == "Trả kết quả"


def test_two_calls_of_one_part_keep_their_answers_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = el("startEvent", "s0") + el("userTask", "question", QUESTION, name="Hỏi") + el("endEvent", "e0")
    inner += el("sequenceFlow", "f1", sourceRef="s0", targetRef="question") + el("sequenceFlow", "f2", sourceRef="question", targetRef="e0")
    drawn = f'<bpmn:definitions {NS} id="d" targetNamespace="u"><bpmn:process id="ask">{inner}</bpmn:process></bpmn:definitions>'
    part = read_part("ask", {**ONE_PART, "process.bpmn": drawn.encode()})
    monkeypatch.setattr("engine.procedure.parts.installed_parts", lambda: {"ask": part})
    body = call("first", "ask", given__wanted='"a"') + call("second", "ask", given__wanted="first.reply", given__hours="5")
    package = small(body + act("close", "dossier/close", reason="second.reply"), "s>first; first>second; second>close; close>e")
    assert check(package).refused == ()
    run = walked(package, ("step", "first.question", {"reply": "một"}))
    assert run.open[0].properties["stage_hours"] == "5"
    run.act(Move("step", "second.question", {"reply": "hai"}))
    assert run.done[-1].called[0].parameters == {"reason": "hai"}


QUESTION = (
    "<bpmn:extensionElements><spiffworkflow:properties>"
    + "".join(
        f'<spiffworkflow:property name="{name}" value="{value}"/>'
        for name, value in {"form": "question", "variable": "{call}", "stage_hours": "{hours}", "name_en": "Ask"}.items()
    )
    + "</spiffworkflow:properties></bpmn:extensionElements>"
)


def test_a_broken_part_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    with pytest.raises(PackageInvalid) as refused:
        read_part("other", {"part.toml": ONE_PART["part.toml"]})
    assert {one.code for one in refused.value.problems} == {"package.part_key", "package.file_missing"}
    good = PARTS[min(PARTS)]
    with pytest.raises(PackageInvalid) as refused:
        read_part("other", good.files)
    assert {one.code for one in refused.value.problems} == {"package.part_key", "package.part_process"}
    assert installed_parts(tmp_path) == {}


def test_the_lanes_of_a_part_hold_also_beside_an_event_sub_process() -> None:
    """Event sub-processes are run inside a frame; the steps keep the lanes they were drawn in."""
    aside = el("startEvent", "es", MESSAGE, isInterrupting="false") + step("x") + el("endEvent", "ee")
    aside += el("sequenceFlow", "f1", sourceRef="es", targetRef="x") + el("sequenceFlow", "f2", sourceRef="x", targetRef="ee")
    body = act("draft", "document/draft", document='"permit"') + call("result", "sign_and_issue", given__document="permit")
    body += call("giving", "hand_over", given__document="permit") + el("subProcess", "E", aside, triggeredByEvent="true", name="Nhắc")
    more = '<bpmn:message id="ending" name="term_ending"/>'
    files = {"templates/permit.typ": b"x"}
    package = small(body, "s>draft; draft>result; result>giving; giving>e", declaration=PUBLIC, files=files, more=more)
    run = walked(package, ("step", "result.sign", {}))
    assert [task.lane for task in run.open] == ["Văn thư"]
    run.act(Move("message", "term_ending", {}))
    assert {task.step: task.lane for task in run.open}["x"] == LANE


MESSAGE = '<bpmn:messageEventDefinition messageRef="ending"/>'
