"""Stepping into the course of a dossier: suspend, resume, skip a step, propose and approve the move of a token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from engine.commands import interventions as commands
from engine.queries import interventions as queries
from engine.runtime import UnitOfWork
from webapp.api.routes import route
from webapp.api.shapes import taken

TAG = "dossiers"


@dataclass(frozen=True)
class DossierInterventions:
    """What the actor may do about a dossier, and the moves proposed for it."""

    code: str
    status: str
    ground: str
    since: datetime | None
    steps: Sequence[queries.OpenStep]
    ways: Sequence[queries.Choice]
    moves: Sequence[queries.Move]
    may_suspend: bool
    may_resume: bool
    may_skip: bool
    may_propose: bool
    may_approve: bool


@dataclass(frozen=True)
class SuspensionOrder:
    """On which ground, why, and by which act a dossier stands still."""

    ground: Literal["financial_obligation", "other_authority"]
    reason: str
    legal_basis: str


@dataclass(frozen=True)
class Why:
    """A reason."""

    reason: str


@dataclass(frozen=True)
class TokenMoveOrder:
    """From which node to which step, why, and by which act."""

    source: str
    target: str
    reason: str
    legal_basis: str


@dataclass(frozen=True)
class SkippedStep:
    """Until when the skip can be undone (`POST /tasks/<id>/undo`)."""

    undo_until: datetime | None


@dataclass(frozen=True)
class ProposedMove:
    """The proposal that waits for its second person."""

    id: UUID


@route("GET", "/dossiers/<code>/interventions", "What can be done about a dossier from outside its diagram", tag=TAG,
       answer=DossierInterventions)  # fmt: skip
def dossier_interventions(w: UnitOfWork, code: str) -> DossierInterventions:
    """Return what may be done."""
    return taken(DossierInterventions, queries.page(w, code))


@route("GET", "/token-moves", "Proposed moves that wait for a second person", tag=TAG, answer=Sequence[queries.Move])
def token_moves(w: UnitOfWork) -> Any:
    """Return the proposals."""
    return queries.waiting(w)


@route("POST", "/dossiers/<code>/suspension", "Let a dossier stand still, by a numbered notice", tag=TAG, body=SuspensionOrder)
def suspend_dossier(w: UnitOfWork, code: str, body: SuspensionOrder) -> None:
    """Suspend."""
    commands.suspend(w, code, body.ground, body.reason, body.legal_basis)


@route("POST", "/dossiers/<code>/resumption", "Let a suspended dossier go on; its deadlines move", tag=TAG, body=Why)
def resume_dossier(w: UnitOfWork, code: str, body: Why) -> None:
    """Resume."""
    commands.resume(w, code, body.reason)


@route("POST", "/tasks/<uuid:task_id>/skip", "Skip a step nobody can do (administrators)", tag="tasks", answer=SkippedStep, body=Why)
def skip_step(w: UnitOfWork, task_id: UUID, body: Why) -> SkippedStep:
    """Skip."""
    return SkippedStep(commands.skip(w, task_id, body.reason).undo_until)


@route("POST", "/dossiers/<code>/token-moves", "Propose an emergency move; nothing moves yet", tag=TAG, answer=ProposedMove,
       body=TokenMoveOrder, status=201)  # fmt: skip
def propose_token_move(w: UnitOfWork, code: str, body: TokenMoveOrder) -> ProposedMove:
    """Propose."""
    return ProposedMove(commands.propose_move(w, code, body.source, body.target, body.reason, body.legal_basis).id)


@route("POST", "/token-moves/<uuid:move_id>/approval", "Carry a proposed move out, as the second person", tag=TAG)
def approve_token_move(w: UnitOfWork, move_id: UUID) -> None:
    """Approve."""
    commands.approve_move(w, move_id)


@route("POST", "/token-moves/<uuid:move_id>/rejection", "Reject a proposed move, or take one's own back", tag=TAG, body=Why)
def reject_token_move(w: UnitOfWork, move_id: UUID, body: Why) -> None:
    """Reject."""
    commands.reject_move(w, move_id, body.reason)


@route("POST", "/token-moves/<uuid:move_id>/undo", "Put a moved token back until something is done", tag=TAG, body=Why)
def undo_token_move(w: UnitOfWork, move_id: UUID, body: Why) -> None:
    """Undo."""
    commands.undo_move(w, move_id, body.reason)
