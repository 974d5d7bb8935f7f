"""One dossier from one version to another and back: its instance, its open tasks, nothing of its term, drafts or running deadlines."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from engine.dossier.model import Dossier
from engine.errors import Conflict, NotFound, Refused
from engine.kernel import due as due_table
from engine.kernel.canonical import canonical
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow
from engine.office.flow import Flow
from engine.office.standing import standing_of
from engine.procedure.compatibility import Comparison, Place, Verdict
from engine.procedure.registry import ProcedureCache, ProcedureVersion
from engine.process.changes import Migration, MigrationItem
from engine.process.instance import program, view
from engine.process.migration import move_to, place_on
from engine.process.model import Instance, Task
from engine.process.values import Advance

_FOLLOWS = (
    "name",
    "lane",
    "properties",
    "roles",
    "unit_id",
    "assignee_id",
    "claimed_at",
    "reason",
    "state",
    "closed_how",
    "closed_by_id",
    "closed_at",
)


_KEPT = 32
_comparisons: OrderedDict[tuple[UUID, UUID], Comparison] = OrderedDict()


def comparison(w: UnitOfWork, old: UUID, new: UUID) -> Comparison:
    """Return two versions side by side, computed once per process: versions never change."""
    found = _comparisons.get((old, new))
    if found is None:
        cache = w.part(ProcedureCache)
        found = _comparisons[old, new] = Comparison(cache.package(w, old), cache.package(w, new))
        while len(_comparisons) > _KEPT:
            _comparisons.popitem(last=False)
    return found


def judge(w: UnitOfWork, from_version: UUID, target: UUID, state: bytes) -> Verdict:
    """Return the verdict on an instance with this *state* under *from_version*."""
    seen = view(program(from_version, w.part(ProcedureCache).package(w, from_version)), state)
    place = Place(frozenset(seen.done), frozenset((*seen.active, *seen.events)))
    return comparison(w, from_version, target).judge(place)


def group_of(from_version: UUID, verdict: Verdict) -> str:
    """Return the name of all dossiers that are decided together: same versions, same class, same reasons."""
    said = [str(from_version), verdict.kind, *(f"{one.code}:{one.element}" for one in verdict.reasons)]
    return hashlib.sha256(canonical(said)).hexdigest()[:32]


def carried(w: UnitOfWork, from_version: UUID, target: UUID, state: bytes) -> Advance:
    """Return the instance under the target version; nothing is stored.

    Raises: Refused ``migration.*``.
    """
    cache = w.part(ProcedureCache)
    return move_to(program(from_version, cache.package(w, from_version)), program(target, cache.package(w, target)), state)


def move(run: Flow, target: UUID, new_step: str = "") -> Json:
    """Move a locked dossier to another version, optionally onto a step inserted before its present one; return what an undo puts back."""
    w, d = run.w, run.dossier
    assert run.instance is not None
    before = before_move(run)
    made = carried(w, d.procedure_version_id, target, run.instance.state)
    d.procedure_version_id = run.instance.procedure_version_id = target
    run.package = w.part(ProcedureCache).package(w, target)
    if new_step:
        if len(made.ready) != 1:
            raise Refused("process.cannot_place", step=new_step)
        flow.advance(run, lambda prog, _, ctx: place_on(prog, made.state, made.ready[0].uuid, new_step, ctx))
    else:
        run.instance.state, run.instance.waiting = made.state, flow.awaited(made)
        run.instance.version += 1
        flow.follow_timers(run, made)
        readdress(run, made)
    w.session.flush()
    return before


def before_move(run: Flow) -> Json:
    """Return what `put_back` restores of a dossier beside the bytes of its instance."""
    d = run.dossier
    waiting = list(run.instance.waiting) if run.instance is not None else []
    return {"from_version": str(d.procedure_version_id), "waiting": waiting, "status": d.status, "tasks": _tasks(run)}


def readdress(run: Flow, made: Advance) -> None:
    """Let the open tasks follow what the new version says of their steps; drafts and due instants stay as they are."""
    w, rows = run.w, {row.engine_task: row for row in _open(run)}
    for opened in made.ready:
        row = rows.get(opened.uuid)
        if row is None:
            raise Refused("migration.not_the_same")
        lane = flow.lane_of(run.package, opened.lane)
        name = {"vi": opened.name, "en": opened.properties.get("name_en") or opened.name}
        properties, roles = dict(opened.properties), flow.roles_of(lane)
        same_people = (row.lane, list(row.roles)) == (lane.id, roles)
        if same_people and row.name == name and row.properties == properties:
            continue
        row.name, row.properties, row.version = name, properties, row.version + 1
        row.action = properties.get("action", "form")
        if same_people:
            continue
        unit, named = flow.address(run, lane, properties, opened.variables)
        row.lane, row.roles, row.unit_id = lane.id, roles, unit
        row.reason = {"lane": lane.id, "roles": roles, "unit": str(unit), "rule": lane.unit, "initiator": named is not None}
        if named is not None:
            row.assignee_id = named
        elif row.assignee_id is not None and standing_of(w, row.assignee_id).seat(*roles, unit=unit) is None:
            row.assignee_id, row.claimed_at = None, None


def put_back(run: Flow, version_after: int | None, before: Json, state: bytes) -> None:
    """Undo a move: the very bytes of the instance, its tasks as they were.

    Raises:
        Conflict: a step was done since.
    """
    w, d = run.w, run.dossier
    assert run.instance is not None
    if run.instance.version != version_after or run.instance.status != "running":
        raise Conflict("migration.gone_on")
    version = UUID(before["from_version"])
    d.procedure_version_id = run.instance.procedure_version_id = version
    run.package = w.part(ProcedureCache).package(w, version)
    run.instance.state, run.instance.waiting = state, before["waiting"]
    run.instance.version += 1
    run.instance.rewound = True
    d.status = before["status"]
    for row in _open(run):
        if str(row.id) not in before["tasks"]:
            row.state, row.closed_at, row.closed_how = "undone", w.now, "undone"
    for key, facts in before["tasks"].items():
        task = w.session.get(Task, (w.province, UUID(key)))
        assert task is not None
        for name, value in facts.items():
            setattr(task, name, _read(name, value))
        task.version += 1
    timers = view(program(version, run.package), state).timers
    due_table.replace(w.session, w.province, d.id, "timer", {one.key: one.due_at for one in timers})
    w.session.flush()


def running(w: UnitOfWork, key: str, target: UUID) -> list[tuple[UUID, UUID, bytes]]:
    """Return the running dossiers of a procedure under other versions: id, version, state."""
    rows = w.session.execute(
        select(Dossier.id, Dossier.procedure_version_id, Instance.state)
        .join(Instance, (Instance.province == Dossier.province) & (Instance.dossier_id == Dossier.id))
        .where(
            Dossier.province == w.province, Dossier.procedure_key == key, Dossier.closed_at.is_(None),
            Dossier.procedure_version_id != target, Instance.status != "ended",
        )
        .order_by(Dossier.received_at, Dossier.id)
    )  # fmt: skip
    return [(dossier, version, state) for dossier, version, state in rows]


def target_of(w: UnitOfWork, key: str, target: UUID) -> ProcedureVersion:
    """Return a version of a procedure.

    Raises:
        NotFound: there is none.
    """
    version = w.session.get(ProcedureVersion, (w.province, target))
    if version is None or version.key != key:
        raise NotFound("procedure.unknown", key=key)
    return version


def counts(w: UnitOfWork, migration_id: UUID) -> dict[str, int]:
    """Return how many dossiers of a plan are in each class."""
    rows = w.session.execute(
        select(MigrationItem.kind, func.count())
        .where(MigrationItem.province == w.province, MigrationItem.migration_id == migration_id)
        .group_by(MigrationItem.kind)
    )
    return {row[0]: row[1] for row in rows}


def find(w: UnitOfWork, migration_id: UUID, *, lock: bool = False) -> Migration:
    """Return a plan.

    Raises:
        NotFound: there is none.
    """
    query = select(Migration).where(Migration.province == w.province, Migration.id == migration_id)
    found = w.session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)
    if found is None:
        raise NotFound("migration.unknown")
    return found


def _open(run: Flow) -> list[Task]:
    w = run.w
    query = select(Task).where(Task.province == w.province, Task.dossier_id == run.dossier.id, Task.state == "open")
    return list(w.session.scalars(query.execution_options(populate_existing=True)))


def _tasks(run: Flow) -> Json:
    return {str(row.id): {name: _plain(getattr(row, name)) for name in (*_FOLLOWS, "action")} for row in _open(run)}


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _read(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.endswith("_id"):
        return UUID(value)
    return datetime.fromisoformat(value) if name.endswith("_at") else value
