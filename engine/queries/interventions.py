"""What can be done about a dossier from outside its diagram, by whom; which proposals wait. No personal data of its parties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from engine.dossier.model import Dossier
from engine.errors import NotFound
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow, intervening
from engine.office.standing import acting
from engine.procedure.normaliser import normalise
from engine.procedure.phrases import name_words
from engine.procedure.registry import ProcedureCache
from engine.process.changes import TokenMove
from engine.process.model import Task
from engine.queries.desk import holds_task, instance_of, oversees
from engine.queries.dossiers import by_code, name_of, names

LEGAL_ACTS = ("sign", "issue", "return_result")


@dataclass(frozen=True, slots=True)
class OpenStep:
    """A step that is open: on whose desk, and whether an administrator may skip it."""

    task: UUID
    name: Json
    who: str
    skippable: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A move of the token that is possible now, its ends in words."""

    source: str
    target: str
    source_name: Json
    target_name: Json


@dataclass(frozen=True, slots=True)
class Move:
    """A proposed, made, rejected or undone move."""

    id: UUID
    code: str
    source_name: Json
    target_name: Json
    state: str
    reason: str
    legal_basis: str
    note: str
    proposed_at: datetime
    proposed_by: str
    decided_at: datetime | None
    decided_by: str
    own: bool


@dataclass(frozen=True, slots=True)
class Interventions:
    """What the actor may do about a dossier now."""

    code: str
    status: str
    procedure: Json
    ground: str
    since: datetime | None
    steps: Sequence[OpenStep]
    ways: Sequence[Choice]
    moves: Sequence[Move]
    may_suspend: bool
    may_resume: bool
    may_skip: bool
    may_propose: bool
    may_approve: bool

    @property
    def anything(self) -> bool:
        """Whether there is something for the actor to do or to follow here."""
        return any((self.may_suspend, self.may_resume, self.may_skip, self.may_propose, self.may_approve, self.moves))


def page(w: UnitOfWork, code: str) -> Interventions:
    """Return what the actor may do about a dossier.

    Raises:
        NotFound: there is none, for this person.
    """
    person, d = acting(w), by_code(w, code)
    if not (intervening.administers(person) or oversees(w, d) or holds_task(w, d)):
        raise NotFound("dossier.not_found")
    package = w.part(ProcedureCache).package(w, d.procedure_version_id)
    run = flow.Flow(w, d, instance_of(w, d), package)
    state = run.instance.status if run.instance is not None else "ended"
    lives = state != "ended" and d.closed_at is None and d.resolved_at is None
    suspended = intervening.standing_still(d) if state == "suspended" else None
    proposes = lives and suspended is None and intervening.may_propose(w, person, d)
    called = words(w, d.procedure_version_id)
    ways = intervening.ways(run) if proposes else ()
    people = names(w)
    open_now = w.session.scalars(
        select(Task).where(Task.province == w.province, Task.dossier_id == d.id, Task.state == "open").order_by(Task.opened_at)
    ).all()
    return Interventions(
        d.code,
        d.status,
        {"key": package.key, "vi": package.name.vi, "en": package.name.en},
        suspended.ground if suspended is not None else "",
        suspended.suspended_at if suspended is not None else None,
        [OpenStep(t.id, t.name, name_of(people, t.assignee_id), t.action not in LEGAL_ACTS) for t in open_now],
        [Choice(one.source, one.target, called(one.source), called(one.target)) for one in ways],
        moves(w, d),
        lives and intervening.standing_still(d) is None and intervening.seat_for(w, person, intervening.SUSPENDERS, d) is not None,
        suspended is not None and intervening.seat_for(w, person, intervening.RESUMERS, d) is not None,
        lives and suspended is None and intervening.administers(person),
        proposes,
        lives and intervening.may_approve(w, person, d),
    )


def words(w: UnitOfWork, version: UUID) -> Callable[[str], Json]:
    """Return what names a node of one version in both languages, by its id where it has no name."""
    nodes = normalise(w.part(ProcedureCache).package(w, version).diagram).diagram.nodes

    def called(node: str) -> Json:
        found = nodes.get(node)
        said = name_words(found) if found is not None else None
        return {"vi": said.vi if said else node, "en": (said.en or said.vi) if said else node}

    return called


def moves(w: UnitOfWork, d: Dossier) -> list[Move]:
    """Return the moves of a dossier's token, newest first."""
    found = w.session.scalars(
        select(TokenMove)
        .where(TokenMove.province == w.province, TokenMove.dossier_id == d.id)
        .order_by(TokenMove.proposed_at.desc(), TokenMove.id.desc())
    )
    return [_move(w, one, d) for one in found]


def waiting(w: UnitOfWork) -> list[Move]:
    """Return every proposal that waits where the actor may propose or approve, the oldest first."""
    person = acting(w)
    rows = w.session.execute(
        select(TokenMove, Dossier)
        .join(Dossier, (Dossier.province == TokenMove.province) & (Dossier.id == TokenMove.dossier_id))
        .where(TokenMove.province == w.province, TokenMove.state == "proposed")
        .order_by(TokenMove.proposed_at)
    )
    return [_move(w, one, d) for one, d in rows if intervening.may_propose(w, person, d) or intervening.may_approve(w, person, d)]


def _move(w: UnitOfWork, one: TokenMove, d: Dossier) -> Move:
    people, called = names(w), words(w, d.procedure_version_id)
    return Move(
        one.id, d.code, called(one.source), called(one.target), one.state, one.reason, one.legal_basis, one.note, one.proposed_at,
        name_of(people, one.proposed_by_id), one.decided_at, name_of(people, one.decided_by_id), one.proposed_by_id == w.actor.person,
    )  # fmt: skip
