"""Running dossiers go on under another version: what is untouched, automatic, a choice, refused; dry run, steps, undo to the very bytes."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from engine.commands import interventions, migration, procedures, tasks
from engine.commands.procedures import replaced
from engine.documents import digitise
from engine.documents.templates import Printer
from engine.dossier.model import Dossier
from engine.errors import Conflict, Forbidden, Refused
from engine.kernel.due import Due
from engine.kernel.journal import JournalLine
from engine.kernel.unit_of_work import Actor
from engine.office import papers, results
from engine.procedure.registry import ProcedureVersion, store
from engine.process.changes import MigrationItem
from engine.process.model import Instance, Task
from engine.queries import migration as queries
from engine.worker import migrations
from tests.commands.test_main_job import APPROVE, SUPPLEMENT, dossier
from tests.conftest import HANOI
from tests.procedures.packages import changed, real, up_to_date, with_head
from tests.support.office import Office

KEY = "certified_electronic_copy"
BASIS = "Quyết định số 12/QĐ-UBND ngày 20/11/2026"
SYSTEM = Actor("system", label="tests")


def publish(office: Office, package: Any) -> UUID:
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        done = procedures.publish(w, up_to_date(package))
        assert done.version is not None
        return done.version.id


def published(office: Office, package: Any, since: date) -> UUID:
    """A version that takes effect on a day."""
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        return store(w, package, effective_from=since)[0].id


def facts(office: Office) -> dict[str, Any]:
    """Everything of running dossiers that a move must not touch, or an undo must restore."""
    with office.runtime.begin(SYSTEM) as w:
        states = {i.dossier_id: (i.state, i.procedure_version_id, tuple(i.waiting)) for i in w.session.scalars(select(Instance))}
        dossiers = {d.id: (d.procedure_version_id, d.due_at, d.status, d.term) for d in w.session.scalars(select(Dossier))}
        work = {
            t.id: (t.step, t.state, t.lane, t.assignee_id, t.unit_id, tuple(t.roles), t.due_at, t.draft, t.properties, t.name)
            for t in w.session.scalars(select(Task))
        }
        due = {(row.dossier, row.kind, row.ref): row.due_at for row in w.session.scalars(select(Due))}
        return {"states": states, "dossiers": dossiers, "tasks": work, "due": due}


def plan(office: Office, target: UUID) -> UUID:
    with office.as_("designer") as w:
        return migration.plan(w, KEY, target, BASIS).id


def apply(office: Office, plan_id: UUID, **choices: str) -> None:
    with office.as_("designer") as w:
        waiting = [g.id for g in queries.page(w, plan_id).groups if g.kind == "choice"]
        if waiting:
            migration.choose(w, plan_id, dict.fromkeys(waiting, choices.get("choice", "move")))
        migration.start(w, plan_id)
    with office.as_("approver") as w:
        migration.confirm(w, plan_id)
    migrations.carry_on(office.runtime, plan_id)


def kinds(office: Office, plan_id: UUID) -> dict[str, int]:
    with office.as_("designer") as w:
        return {kind: number for kind, number in queries.page(w, plan_id).counts.items() if number}


def test_a_dossier_before_the_new_step_moves_by_itself_and_walks_it(office: Office):
    received = office.receive()
    target = publish(office, with_head())
    plan_id = plan(office, target)
    assert kinds(office, plan_id) == {"automatic": 1}

    apply(office, plan_id)
    office.complete("specialist", received.code, APPROVE)

    assert office.open_task(received.code).roles == ["division_head"]


def test_a_dossier_past_the_new_step_waits_for_a_choice_and_can_be_put_on_it(office: Office):
    received = office.receive()
    office.complete("specialist", received.code, APPROVE)
    target = publish(office, with_head())
    plan_id = plan(office, target)
    assert kinds(office, plan_id) == {"choice": 1}
    with office.as_("designer") as w:
        [group] = queries.page(w, plan_id).groups
        with pytest.raises(Refused, match="choice_missing"):
            migration.start(w, plan_id)
    [step] = group.new_steps
    before = facts(office)

    apply(office, plan_id, choice=f"place:{step}")
    assert office.open_task(received.code).step == step

    with office.as_("designer") as w:
        migration.undo(w, plan_id)
    migrations.carry_on(office.runtime, plan_id)
    after = facts(office)
    assert after["states"] == before["states"]
    assert {k: v for k, v in after["tasks"].items() if k in before["tasks"]} == before["tasks"]
    assert after["due"] == before["due"]
    assert office.sign("head", received.code)[0].signed


def test_nothing_of_drafts_terms_and_deadlines_changes_and_an_undo_restores_every_byte(office: Office):
    received = office.receive()
    task = office.open_task(received.code)
    with office.as_("specialist") as w:
        tasks.claim(w, task.id)
    with office.as_("specialist") as w:
        tasks.save_draft(w, task.id, {"paper_name": "Bằng tốt nghiệp"}, 0)
    target = publish(office, with_head())
    before = facts(office)

    plan_id = plan(office, target)
    apply(office, plan_id)
    after = facts(office)
    assert after["tasks"] == before["tasks"]
    assert after["due"] == before["due"]
    assert {d: facts_[1:] for d, facts_ in after["dossiers"].items()} == {d: facts_[1:] for d, facts_ in before["dossiers"].items()}
    assert {facts_[0] for facts_ in after["dossiers"].values()} == {target}

    with office.as_("designer") as w:
        migration.undo(w, plan_id)
    migrations.carry_on(office.runtime, plan_id)
    assert facts(office) == before


def test_an_undo_leaves_alone_what_has_taken_a_new_step(office: Office):
    one, other = office.receive(), office.receive()
    target = publish(office, with_head())
    plan_id = plan(office, target)
    apply(office, plan_id)
    office.complete("specialist", one.code, APPROVE)

    with office.as_("designer") as w:
        migration.undo(w, plan_id)
    migrations.carry_on(office.runtime, plan_id)

    with office.as_("designer") as w:
        lines, _ = queries.lines(w, plan_id)
    assert {line.code: line.state for line in lines} == {one.code: "gone_on", other.code: "undone"}
    assert office.open_task(one.code).roles == ["division_head"]
    office.complete("specialist", other.code, APPROVE)
    assert office.sign("head", other.code)[0].signed


def test_an_active_step_that_is_removed_keeps_its_dossier_under_the_old_version(office: Office):
    publish(office, with_head())
    received = office.receive()
    office.complete("specialist", received.code, APPROVE)
    target = publish(office, real())
    plan_id = plan(office, target)
    assert kinds(office, plan_id) == {"refused": 1}
    with office.as_("designer") as w:
        [group] = queries.page(w, plan_id).groups
        with pytest.raises(Refused, match="choice_unknown"):
            migration.choose(w, plan_id, {group.id: "move"})
    assert group.reasons[0]["code"] == "active_step_removed"
    assert "không còn trong phiên bản mới" in group.reasons[0]["vi"]
    assert "is not in the new version" in group.reasons[0]["en"]
    before = facts(office)

    apply(office, plan_id)
    assert facts(office) == before
    office.complete("division_head", received.code, {"decision": "agree"})


def test_a_step_that_passes_to_another_role_is_a_choice_and_its_holder_gives_way(office: Office):
    received = office.receive()
    with office.as_("specialist") as w:
        tasks.claim(w, office.open_task(received.code).id)
    due = office.open_task(received.code).due_at
    target = publish(office, changed(real(), declaration=[('role = "specialist"', 'role = "division_head"')]))
    plan_id = plan(office, target)
    assert kinds(office, plan_id) == {"choice": 1}

    apply(office, plan_id)

    task = office.open_task(received.code)
    assert (task.roles, task.assignee_id, task.due_at) == (["division_head"], None, due)


def test_a_dossier_that_went_on_after_the_plan_is_left_alone(office: Office):
    received = office.receive()
    target = publish(office, with_head())
    plan_id = plan(office, target)
    office.complete("specialist", received.code, APPROVE)
    before = facts(office)

    apply(office, plan_id)

    with office.as_("designer") as w:
        [line], _ = queries.lines(w, plan_id)
    assert (line.state, line.fault is not None) == ("failed", True)
    assert facts(office) == before


def test_a_waiting_dossier_keeps_waiting_and_its_answer_comes_back(office: Office):
    from engine.commands import dossiers, files
    from tests.support.office import scan

    received = office.receive()
    office.complete("specialist", received.code, SUPPLEMENT)
    target = publish(office, with_head())
    plan_id = plan(office, target)
    apply(office, plan_id)
    answer = files.examine(scan(3), "bo sung.pdf")
    with office.runtime.begin(Actor("citizen", label="portal")) as w:
        dossiers.answer_supplement(w, received.code, {"original": [answer]}, "", access_checked=True)
    assert office.open_task(received.code).step == "examine"
    office.complete("specialist", received.code, APPROVE)
    assert office.open_task(received.code).roles == ["division_head"]


def test_the_dry_run_says_the_same_and_stores_nothing(office: Office):
    office.receive()
    passed = office.receive()
    office.complete("specialist", passed.code, APPROVE)
    target = publish(office, with_head())
    before = facts(office)

    with office.as_("designer") as w:
        found = queries.dry_run(w, KEY, target)

    assert facts(office) == before
    assert found.counts == {"untouched": 0, "automatic": 1, "choice": 1, "refused": 0}
    assert found.faults == {}
    with office.runtime.begin(SYSTEM) as w:
        assert w.session.scalars(select(MigrationItem)).all() == []


def test_every_move_is_a_journal_line_with_the_legal_basis(office: Office):
    received = office.receive()
    plan_id = plan(office, publish(office, with_head()))
    apply(office, plan_id)
    with office.runtime.begin(SYSTEM) as w:
        [line] = w.session.scalars(select(JournalLine).where(JournalLine.kind == "dossier.migrated"))
        assert line.facts["legal_basis"] == BASIS
        dossier = w.session.scalars(select(Dossier).where(Dossier.code == received.code)).one()
        assert line.chain == dossier.id


def test_only_designers_plan_and_only_with_a_legal_basis(office: Office):
    target = publish(office, with_head())
    with pytest.raises(Forbidden), office.as_("specialist") as w:
        migration.plan(w, KEY, target, BASIS)
    with pytest.raises(Refused, match="basis_missing"), office.as_("designer") as w:
        migration.plan(w, KEY, target, "  ")


def test_a_move_takes_a_second_person_who_approves_procedures(office: Office):
    received = office.receive()
    target = publish(office, with_head())
    plan_id = plan(office, target)
    with pytest.raises(Conflict, match="not_now"), office.as_("approver") as w:
        migration.confirm(w, plan_id)  # nothing was submitted yet
    with office.as_("approver") as w:
        migration.start(w, plan_id)
    migrations.carry_on(office.runtime, plan_id)
    assert dossier(office, received.code).procedure_version_id != target  # submitted is not moved
    with pytest.raises(Refused, match="own_submission"), office.as_("approver") as w:
        migration.confirm(w, plan_id)
    with pytest.raises(Forbidden), office.as_("designer") as w:
        migration.confirm(w, plan_id)
    with office.as_("designer") as w:
        migration.discard(w, plan_id)

    plan_id = plan(office, target)
    with office.as_("designer") as w:
        migration.start(w, plan_id)
        assert not queries.page(w, plan_id).confirmable
    with office.as_("approver") as w:
        assert queries.page(w, plan_id).confirmable
        migration.confirm(w, plan_id)
    migrations.carry_on(office.runtime, plan_id)
    assert dossier(office, received.code).procedure_version_id == target
    with office.runtime.begin(SYSTEM) as w:
        [line] = w.session.scalars(select(JournalLine).where(JournalLine.kind == "migration.started"))
        assert (line.actor["person"], line.facts["submitted_by"]) == (str(office.people["approver"]), str(office.people["designer"]))


def test_dossiers_move_to_the_version_in_force_only(office: Office):
    office.receive()
    first = publish(office, with_head())
    later = published(office, changed(real(), declaration=[('role = "specialist"', 'role = "division_head"')]), date(2027, 1, 1))
    with pytest.raises(Refused, match="target_later") as refused, office.as_("designer") as w:
        migration.plan(w, KEY, later, BASIS)
    assert (refused.value.facts["number"], refused.value.facts["on"]) == (3, "01/01/2027")
    plan_id = plan(office, first)
    with office.as_("designer") as w:
        migration.start(w, plan_id)

    office.set_clock(datetime(2027, 1, 4, 9, 0, tzinfo=HANOI))
    for act in (lambda w: migration.plan(w, KEY, first, BASIS), lambda w: migration.confirm(w, plan_id)):
        with pytest.raises(Refused, match="target_superseded") as refused, office.as_("approver") as w:
            act(w)
        assert (refused.value.facts["number"], refused.value.facts["now"]) == (2, 3)
    assert plan(office, later) is not None


def test_a_withdrawn_version_takes_no_dossiers(office: Office):
    office.receive()
    target = publish(office, with_head())
    with office.runtime.begin(SYSTEM) as w:
        found = w.session.get(ProcedureVersion, (w.province, target))
        assert found is not None
        found.state = "withdrawn"
    with pytest.raises(Refused, match="target_withdrawn"), office.as_("designer") as w:
        migration.plan(w, KEY, target, BASIS)


def test_a_new_drawing_moves_nobody(office: Office):
    received = office.receive()
    before = dossier(office, received.code).procedure_version_id
    office.clock.move(timedelta(days=1))
    package = real()
    drawn = package.files["process.bpmn"].replace(b'<dc:Bounds x="', b'<dc:Bounds x="1', 1)
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        version, kind = store(w, replaced(package, {"process.bpmn": drawn}))
        assert (kind, version.number, version.drawing_number) == ("redrawn", 1, 2)
    assert dossier(office, received.code).procedure_version_id == before
    plan_id = plan(office, version.id)
    assert kinds(office, plan_id) == {"untouched": 1}


def test_a_suspended_dossier_moves_and_its_deadlines_still_stand(office: Office):
    received = office.receive()
    with office.as_("division_head") as w:
        interventions.suspend(w, received.code, "other_authority", "Chờ ý kiến", BASIS)
    target = publish(office, with_head())
    plan_id = plan(office, target)
    apply(office, plan_id)
    with office.runtime.begin(SYSTEM) as w:
        assert w.session.scalars(select(Instance.status)).all() == ["suspended"]
        assert w.session.scalars(select(Due).where(Due.kind == "timer")).all() == []
    with office.as_("specialist") as w:
        interventions.resume(w, received.code, "Đã có ý kiến")
    office.complete("specialist", received.code, APPROVE)
    assert office.open_task(received.code).roles == ["division_head"]


def test_a_plan_is_carried_out_once(office: Office):
    plan_id = plan(office, publish(office, with_head()))
    apply(office, plan_id)
    with pytest.raises(Conflict, match="not_now"), office.as_("designer") as w:
        migration.start(w, plan_id)


@pytest.fixture
def printed_once(monkeypatch: pytest.MonkeyPatch):
    """Papers take no part in a move: a template is printed for its first dossier, and each later one gets that print."""
    prints: dict[str, Any] = {}
    render, draw = Printer.render, digitise._drawn

    def again(self: Printer, package: Any, template: str, *given: Any, **named: Any) -> Any:
        if template not in prints:
            prints[template] = render(self, package, template, *given, **named)
        return prints[template]

    def drawn(content: bytes, media_type: str, dpi: int) -> Any:
        if media_type not in prints:
            prints[media_type] = draw(content, media_type, dpi)
        return prints[media_type]

    monkeypatch.setattr(Printer, "render", again)
    monkeypatch.setattr(digitise, "_drawn", drawn)
    for drawing in (papers, results):
        monkeypatch.setattr(drawing, "qr_rows", lambda text: ["1"])


@pytest.mark.parametrize("number", [24, pytest.param(1000, marks=[pytest.mark.full, pytest.mark.timeout(1800)])])
def test_many_dossiers_at_many_places_move_and_come_back(office: Office, printed_once: None, monkeypatch: pytest.MonkeyPatch, number: int):
    batch, told = 10, list[int]()
    monkeypatch.setattr(migration.waiting, "__defaults__", (batch,))

    def interrupted(worked: int) -> None:
        assert worked == batch
        raise KeyboardInterrupt

    for place in range(number):
        received = office.receive()
        if place % 3:
            office.complete("specialist", received.code, APPROVE if place % 3 == 1 else SUPPLEMENT)
    target = publish(office, with_head())
    before = facts(office)
    plan_id = plan(office, target)
    expected = Counter({0: "automatic", 1: "choice", 2: "automatic"}[place % 3] for place in range(number))
    assert kinds(office, plan_id) == dict(expected)

    apply(office, plan_id)
    with office.as_("designer") as w:
        page = queries.page(w, plan_id)
    assert (page.state, page.states, page.handled) == ("applied", {"moved": number}, number)
    after = facts(office)
    assert after["due"] == before["due"]
    assert {d[0] for d in after["dossiers"].values()} == {target}

    with office.as_("designer") as w:
        migration.undo(w, plan_id)
    # A worker that dies in the midst of it leaves whole dossiers, and the next one goes on from there.
    with pytest.raises(KeyboardInterrupt):
        migrations.carry_on(office.runtime, plan_id, interrupted)
    migrations.carry_on(office.runtime, plan_id, told.append)
    assert facts(office) == before
    assert told == [*range(batch, number - batch, batch), number - batch, number - batch]
