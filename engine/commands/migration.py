"""Running dossiers go on under another version of their procedure: plan, choices, apply in steps of one dossier each, undo.

A dossier stays with the version it was received under unless somebody entitled decides otherwise, with a legal basis. The plan only
proposes. Each dossier is judged again under its lock in the moment it is moved; one that has meanwhile gone elsewhere is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select, update

from engine.commands.dossiers import note_handover
from engine.errors import Conflict, EngineError, NotFound, Refused
from engine.kernel.identifiers import new_id
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow, moving
from engine.office.drafting import designer
from engine.office.standing import ZONE, acting
from engine.procedure.registry import ProcedureVersion, in_force
from engine.process.changes import Migration, MigrationItem

CHOICES = ("move", "keep", "place")
APPROVERS = ("procedure_approver",)
BATCH = 50


def plan(w: UnitOfWork, key: str, target: UUID, legal_basis: str) -> Migration:
    """Judge every running dossier of a procedure that is not under *target* yet, and keep the plan; nothing is moved.

    Raises:
        NotFound: there is no such version of this procedure.
        Refused: no legal basis, or the version is not the one in force: withdrawn, superseded, or of a later day.
        Forbidden: the actor designs no procedures.
    """
    designer(w)
    if not legal_basis.strip():
        raise Refused("procedure.basis_missing", field="legal_basis")
    require_in_force(w, moving.target_of(w, key, target))
    made = Migration(
        province=w.province, id=new_id(), key=key, target_id=target, legal_basis=legal_basis.strip()[:500], created_at=w.now,
        created_by_id=w.actor.person,
    )  # fmt: skip
    w.session.add(made)
    w.session.flush()
    for dossier_id, from_version, state in moving.running(w, key, target):
        verdict = moving.judge(w, from_version, target, state)
        reasons = [{"code": one.code, "element": one.element} for one in verdict.reasons]
        w.session.add(
            MigrationItem(
                province=w.province, id=new_id(), migration_id=made.id, dossier_id=dossier_id, from_version_id=from_version,
                kind=verdict.kind, reasons=reasons, group=moving.group_of(from_version, verdict), new_steps=list(verdict.new_steps),
                choice={"automatic": "move", "choice": ""}.get(verdict.kind, "keep"),
            )
        )  # fmt: skip
    w.session.flush()
    w.record(
        "migration.planned",
        None,
        migration=str(made.id),
        key=key,
        target=str(target),
        legal_basis=made.legal_basis,
        counts=moving.counts(w, made.id),
    )
    return made


def choose(w: UnitOfWork, migration_id: UUID, choices: Mapping[str, str]) -> None:
    """Decide for groups of dossiers: ``move``, ``keep``, or ``place:STEP`` (back onto an inserted step).

    Raises:
        Refused: a choice that does not exist for this group; nothing of a refused group can be chosen.
        Conflict: the plan is being carried out.
    """
    designer(w)
    found = moving.find(w, migration_id, lock=True)
    require(found, "planned")
    for group, choice in choices.items():
        kind, _, step = choice.partition(":")
        items = w.session.scalars(
            select(MigrationItem).where(
                MigrationItem.province == w.province, MigrationItem.migration_id == migration_id, MigrationItem.group == group
            )
        ).all()
        if not items or kind not in CHOICES or (items[0].kind == "refused" and kind != "keep") or (kind == "place") != bool(step):
            raise Refused("migration.choice_unknown", field=f"choice.{group}")
        if kind == "place" and step not in items[0].new_steps:
            raise Refused("migration.choice_unknown", field=f"choice.{group}")
        for item in items:
            item.choice, item.new_step = kind, step
    found.version += 1
    w.record("migration.chosen", None, migration=str(found.id), choices=dict(choices))


def require_in_force(w: UnitOfWork, version: ProcedureVersion) -> None:
    """Refuse a target under which no dossier received today would fall: what runs moves to the law in force, never beside or ahead of it.

    Raises:
        Refused: ``migration.target_withdrawn``, ``migration.target_later``, ``migration.target_superseded``.
    """
    today = w.now.astimezone(ZONE).date()
    if version.state == "withdrawn":
        raise Refused("migration.target_withdrawn", number=version.number)
    if version.effective_from > today:
        raise Refused("migration.target_later", number=version.number, on=version.effective_from.strftime("%d/%m/%Y"))
    now = in_force(w.session, w.province, version.key, today)
    if version.id != now.id:
        raise Refused("migration.target_superseded", number=version.number, now=now.number)


def start(w: UnitOfWork, migration_id: UUID) -> None:
    """Put a plan with all its choices before a second person; from the command line, which acts for the installation, it begins at once.

    Raises:
        Refused: a group still waits for a choice, or the target is no longer in force.
        Conflict: it was started, discarded or undone.
    """
    designer(w)
    found = moving.find(w, migration_id, lock=True)
    require(found, "planned")
    open_groups = w.session.scalar(
        select(func.count(MigrationItem.group.distinct())).where(
            MigrationItem.province == w.province, MigrationItem.migration_id == migration_id, MigrationItem.choice == ""
        )
    )
    if open_groups:
        raise Refused("migration.choice_missing", count=open_groups)
    require_in_force(w, moving.target_of(w, found.key, found.target_id))
    found.state, found.started_at, found.started_by_id, found.version = "submitted", w.now, w.actor.person, found.version + 1
    w.record("migration.submitted", None, migration=str(found.id), key=found.key, target=str(found.target_id))
    if w.actor.kind in ("cli", "system"):
        begin_moving(w, found)


def confirm(w: UnitOfWork, migration_id: UUID) -> None:
    """Let the worker move the dossiers of a plan: as an approver of procedures, and never of one's own submission.

    Raises:
        Forbidden: the actor approves no procedures.
        Refused: it is the actor's own submission, or the target is no longer in force.
        Conflict: it was confirmed or discarded meanwhile, or not submitted yet.
    """
    person = acting(w)
    person.require(*APPROVERS)
    found = moving.find(w, migration_id, lock=True)
    require(found, "submitted")
    if found.started_by_id == person.person_id:
        raise Refused("migration.own_submission")
    require_in_force(w, moving.target_of(w, found.key, found.target_id))
    begin_moving(w, found)


def begin_moving(w: UnitOfWork, found: Migration) -> None:
    """Hand a confirmed plan to the worker; what is to be kept is done with."""
    found.state, found.confirmed_at, found.confirmed_by_id, found.version = "applying", w.now, w.actor.person, found.version + 1
    w.session.execute(
        update(MigrationItem)
        .where(MigrationItem.province == w.province, MigrationItem.migration_id == found.id, MigrationItem.choice == "keep")
        .values(state="kept")
    )
    w.record(
        "migration.started", None, migration=str(found.id), key=found.key, target=str(found.target_id), legal_basis=found.legal_basis,
        submitted_by=str(found.started_by_id or ""),
    )  # fmt: skip


def discard(w: UnitOfWork, migration_id: UUID) -> None:
    """Put a plan aside that was not started."""
    designer(w)
    found = moving.find(w, migration_id, lock=True)
    require(found, "planned", "submitted")
    found.state, found.finished_at = "discarded", w.now
    w.record("migration.discarded", None, migration=str(found.id))


def undo(w: UnitOfWork, migration_id: UUID) -> None:
    """Let the worker put every moved dossier back that has not taken a new step.

    Raises:
        Conflict: it is not finished, or was undone.
    """
    designer(w)
    found = moving.find(w, migration_id, lock=True)
    require(found, "applied")
    found.state, found.finished_at, found.version = "undoing", None, found.version + 1
    w.record("migration.undo_started", None, migration=str(found.id), legal_basis=found.legal_basis)


def require(found: Migration, *states: str) -> None:
    """Refuse when a plan is in none of these states.

    Raises:
        Conflict: it is in another one.
    """
    if found.state not in states:
        raise Conflict("migration.not_now", state=found.state)


def waiting(w: UnitOfWork, migration_id: UUID, limit: int = BATCH) -> list[UUID]:
    """Return the next dossiers (ids of their items) of a plan that is being applied or undone."""
    wanted = {"applying": "planned", "undoing": "moved"}.get(moving.find(w, migration_id).state)
    return list(
        w.session.scalars(
            select(MigrationItem.id)
            .where(MigrationItem.province == w.province, MigrationItem.migration_id == migration_id, MigrationItem.state == wanted)
            .order_by(MigrationItem.id)
            .limit(limit)
        )
    )


def working(w: UnitOfWork) -> list[UUID]:
    """Return the plans that are being applied or undone."""
    query = select(Migration.id).where(Migration.province == w.province, Migration.state.in_(("applying", "undoing")))
    return list(w.session.scalars(query.order_by(Migration.created_at)))


def _locked(w: UnitOfWork, item_id: UUID) -> tuple[flow.Flow, MigrationItem, Migration]:
    found = w.session.get(MigrationItem, (w.province, item_id))
    if found is None:
        raise NotFound("migration.unknown")
    run = flow.lock(w, dossier_id=found.dossier_id)
    item = w.session.scalars(
        select(MigrationItem)
        .where(MigrationItem.province == w.province, MigrationItem.id == item_id)
        .execution_options(populate_existing=True)
    ).one()
    return run, item, moving.find(w, item.migration_id)


def carry(w: UnitOfWork, item_id: UUID) -> str:
    """Move or put back one dossier, under its lock, as its plan says now; return what became of it.

    Raises:
        Conflict: somebody works on the dossier at this moment.
    """
    run, item, migration = _locked(w, item_id)
    if migration.state == "applying" and item.state == "planned":
        return _carry_over(w, run, item, migration)
    if migration.state == "undoing" and item.state == "moved":
        return _carry_back(w, run, item, migration)
    return item.state


def _carry_over(w: UnitOfWork, run: flow.Flow, item: MigrationItem, migration: Migration) -> str:
    d = run.dossier
    if run.instance is None or run.instance.status == "ended" or d.closed_at is not None or d.procedure_version_id != item.from_version_id:
        return _leave(w, item, "migration.went_elsewhere")
    verdict = moving.judge(w, item.from_version_id, migration.target_id, run.instance.state)
    same = moving.group_of(item.from_version_id, verdict) == item.group
    if not same and (verdict.kind in ("choice", "refused") or item.new_step):
        # It has gone on since the plan, to where nobody has decided for it.
        item.kind, item.reasons = verdict.kind, [{"code": one.code, "element": one.element} for one in verdict.reasons]
        return _leave(w, item, "migration.went_elsewhere")
    state = run.instance.state
    try:
        with w.session.begin_nested():
            before = moving.move(run, migration.target_id, item.new_step)
    except Conflict:
        raise
    except EngineError as fault:
        return _leave(w, item, fault.code)
    item.state, item.moved_at, item.version_after = "moved", w.now, run.instance.version
    item.before, item.before_state, item.fault = before, state, ""
    note_handover(run, "migrated", "")
    w.record(
        "dossier.migrated", d.id, migration=str(migration.id), from_version=str(item.from_version_id), to_version=str(migration.target_id),
        legal_basis=migration.legal_basis, reasons=item.reasons, choice=item.choice, step=item.new_step,
    )  # fmt: skip
    return item.state


def _carry_back(w: UnitOfWork, run: flow.Flow, item: MigrationItem, migration: Migration) -> str:
    assert item.before is not None
    assert item.before_state is not None
    try:
        moving.put_back(run, item.version_after, item.before, item.before_state)
    except Conflict as late:
        item.state, item.fault = "gone_on", late.code
        return item.state
    item.state = "undone"
    note_handover(run, "migration_undone", "")
    w.record("dossier.migration_undone", run.dossier.id, migration=str(migration.id), to_version=str(item.from_version_id))
    return item.state


def _leave(w: UnitOfWork, item: MigrationItem, fault: str) -> str:
    item.state, item.fault = "failed", fault
    w.record("dossier.migration_refused", item.dossier_id, migration=str(item.migration_id), code=fault)
    return item.state


def finish(w: UnitOfWork, migration_id: UUID) -> bool:
    """Close a plan of which nothing waits any more; return whether it is closed."""
    found = moving.find(w, migration_id, lock=True)
    if found.state not in ("applying", "undoing"):
        return True
    if waiting(w, migration_id, 1):
        return False
    found.state, found.finished_at, found.version = {"applying": "applied", "undoing": "undone"}[found.state], w.now, found.version + 1
    w.record("migration.finished", None, migration=str(found.id), state=found.state)
    return True
