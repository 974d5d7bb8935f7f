"""Running dossiers on their way to another version: dry run, plan, choices, start, progress, report, undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from engine.commands import migration as commands
from engine.queries import migration as queries
from engine.runtime import UnitOfWork
from webapp.api.routes import Page, bounded, listed, page_of, route

TAG = "procedures"


@dataclass(frozen=True)
class Target:
    """The version dossiers would go to."""

    target: UUID


@dataclass(frozen=True)
class Decision:
    """The version running dossiers go to, and the act that says so."""

    target: UUID
    legal_basis: str


@dataclass(frozen=True)
class MigrationChoices:
    """Group → `move`, `keep` or `place:STEP`."""

    choices: dict[str, str]


@dataclass(frozen=True)
class MigrationGroup:
    """Dossiers decided together: untouched, automatic, choice or refused, with the reasons in words."""

    id: str
    kind: str
    number: int
    from_version: int
    reasons: Sequence[dict[str, str]]
    new_steps: Sequence[str]
    choice: str


@dataclass(frozen=True)
class MigrationPlan:
    """A plan and how far it has come."""

    id: UUID
    key: str
    target: int
    state: str
    legal_basis: str
    counts: dict[str, int]
    states: dict[str, int]
    total: int
    to_move: int
    handled: int
    groups: Sequence[MigrationGroup]


@dataclass(frozen=True)
class MigrationLine:
    """The report on one dossier."""

    code: str
    kind: str
    choice: str
    state: str
    reasons: Sequence[dict[str, str]]
    fault: dict[str, str] | None
    moved_at: datetime | None


@route("GET", "/procedures/<key>/migration", "Dry run: what moving every running dossier would do", tag=TAG, answer=dict[str, Any],
       query=Target)  # fmt: skip
def migration_dry_run(w: UnitOfWork, key: str, query: Target) -> dict[str, Any]:
    """Judge and carry over in memory; nothing is stored."""
    return queries.dry_run(w, key, query.target).as_json()


@route("POST", "/procedures/<key>/migrations", "Plan a move of running dossiers", tag=TAG, answer=MigrationPlan, body=Decision, status=201)
def plan_migration(w: UnitOfWork, key: str, body: Decision) -> MigrationPlan:
    """Judge every running dossier and keep the plan; nothing is moved."""
    return shown(w, commands.plan(w, key, body.target, body.legal_basis).id)


@route("GET", "/migrations/<uuid:migration_id>", "A plan: groups, choices, progress", tag=TAG, answer=MigrationPlan)
def migration_plan(w: UnitOfWork, migration_id: UUID) -> MigrationPlan:
    """Return a plan."""
    return shown(w, migration_id)


def shown(w: UnitOfWork, migration_id: UUID) -> MigrationPlan:
    """Return a plan for programs."""
    p = queries.page(w, migration_id)
    groups = [
        MigrationGroup(g.id, g.kind, g.number, g.from_number, [dict(r) for r in g.reasons], list(g.new_steps), g.choice) for g in p.groups
    ]
    return MigrationPlan(
        p.id, p.key, p.target.number, p.state, p.legal_basis, dict(p.counts), dict(p.states), p.total, p.to_move, p.handled, groups
    )


@route(
    "GET",
    "/migrations/<uuid:migration_id>/dossiers",
    "The report: one line for every dossier",
    tag=TAG,
    answer=page_of(MigrationLine),
    query=Page,
)
def migration_report(w: UnitOfWork, migration_id: UUID, query: Page) -> Any:
    """Return one page of the report."""
    found, total = queries.lines(w, migration_id, number=query.page, size=bounded(query))
    rows = [
        MigrationLine(
            one.code, one.kind, one.choice, one.state, [dict(r) for r in one.reasons], dict(one.fault) if one.fault else None, one.moved_at
        )
        for one in found
    ]
    return listed(MigrationLine, rows, total, query)


@route("POST", "/migrations/<uuid:migration_id>/choices", "Decide for groups of dossiers", tag=TAG, body=MigrationChoices)
def choose_migration(w: UnitOfWork, migration_id: UUID, body: MigrationChoices) -> None:
    """Decide for groups."""
    commands.choose(w, migration_id, body.choices)


@route("POST", "/migrations/<uuid:migration_id>/start", "Put a plan before its second person", tag=TAG)
def start_migration(w: UnitOfWork, migration_id: UUID) -> None:
    """Submit."""
    commands.start(w, migration_id)


@route("POST", "/migrations/<uuid:migration_id>/confirmation", "Let the worker move the dossiers, as the second person", tag=TAG)
def confirm_migration(w: UnitOfWork, migration_id: UUID) -> None:
    """Confirm."""
    commands.confirm(w, migration_id)


@route("POST", "/migrations/<uuid:migration_id>/discard", "Put a plan aside that was not started", tag=TAG)
def discard_migration(w: UnitOfWork, migration_id: UUID) -> None:
    """Discard."""
    commands.discard(w, migration_id)


@route("POST", "/migrations/<uuid:migration_id>/undo", "Put back every dossier that has taken no new step", tag=TAG)
def undo_migration(w: UnitOfWork, migration_id: UUID) -> None:
    """Undo."""
    commands.undo(w, migration_id)
