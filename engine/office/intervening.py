"""Who may step into the course of a dossier from outside its diagram, and where a token may be put; shared by commands and screens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select

from engine.dossier import lifecycle
from engine.dossier.model import Dossier, Suspension
from engine.errors import NotFound
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.flow import Flow
from engine.office.standing import ADMINISTRATORS, Seat, Standing, agency_of, units_of
from engine.procedure.diagram import Diagram
from engine.procedure.normaliser import normalise
from engine.process.changes import TokenMove
from engine.process.instance import program, view
from engine.process.interventions import movable

LEADERS: Final = ("head", "deputy_head")
SUSPENDERS: Final = (*LEADERS, "division_head", "centre_leader")
"""Who answers for the term of a dossier may let it stand still, and sign the notice that says so."""
RESUMERS: Final = (*SUSPENDERS, "specialist")
GROUNDS: Final = tuple(ground for ground in lifecycle.GROUNDS if ground != "supplement")
"""Grounds on which a dossier may be suspended: those of the clock, but a supplement, which is asked for by its own paper."""
SIGNATURES: Final = ("sign", "issue")


def seat_for(w: UnitOfWork, person: Standing, roles: tuple[str, ...], d: Dossier) -> Seat | None:
    """Return the seat by which a person answers for the unit that decides a dossier, or for the agency above it."""
    agency = agency_of(units_of(w.session, w.province), d.deciding_unit_id)
    return person.seat(*roles, unit=d.deciding_unit_id) or person.seat(*LEADERS, unit=agency)


def administers(person: Standing) -> bool:
    """Say whether a person is a technical administrator today."""
    return person.seat(*ADMINISTRATORS) is not None


def standing_still(d: Dossier) -> Suspension | None:
    """Return the suspension that is open now."""
    return next((one for one in d.suspensions if one.resumed_at is None), None)


@dataclass(frozen=True, slots=True)
class Way:
    """A move that could be made now: from a node that holds the only token of its level to a step of that level."""

    source: str
    target: str


def ways(run: Flow) -> tuple[Way, ...]:
    """Return every move of a token that is sound and passes over no signature or seal that is still missing."""
    if run.instance is None or run.instance.status == "ended":
        return ()
    prog = program(run.dossier.procedure_version_id, run.package)
    diagram = normalise(run.package.diagram).diagram
    done = view(prog, run.instance.state).done
    missing = frozenset(node.id for node in diagram.nodes.values() if node.properties.get("action") in SIGNATURES and node.id not in done)
    return tuple(
        Way(one.node, step) for one in movable(prog, run.instance.state) for step in one.steps if not passes_over(diagram, step, missing)
    )


def passes_over(diagram: Diagram, step: str, missing: frozenset[str]) -> bool:
    """Say whether *step* can only be reached through one of the *missing* steps: being put there would spare a signature. Pure."""
    container = diagram.nodes[step].container
    reached = {node.id for node in diagram.inside(container) if not diagram.entering(node.id) and node.kind != "boundaryEvent"}
    waiting = list(reached)
    while waiting:
        name = waiting.pop()
        if name == step:
            return False
        if name in missing:
            continue
        following = [flow.target for flow in diagram.leaving(name)] + [one.id for one in diagram.boundary(name)]
        waiting += [one for one in following if one not in reached]
        reached.update(following)
    return True


def proposal(w: UnitOfWork, move_id: UUID) -> TokenMove:
    """Return a move of a token that was proposed.

    Raises:
        NotFound: there is none.
    """
    found = w.session.scalar(
        select(TokenMove).where(TokenMove.province == w.province, TokenMove.id == move_id).execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("intervention.unknown")
    return found


def may_propose(w: UnitOfWork, person: Standing, d: Dossier) -> bool:
    """Say whether a person may propose to move a token of a dossier: an administrator, or who leads where it is decided."""
    return administers(person) or seat_for(w, person, ("division_head",), d) is not None


def may_approve(w: UnitOfWork, person: Standing, d: Dossier) -> bool:
    """Say whether a person may approve such a move: the head or a deputy of the agency that decides."""
    return seat_for(w, person, LEADERS, d) is not None
