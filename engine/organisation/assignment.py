"""Why is this on my desk: from the lane of a step to the people who may take it, each with the reason; pure.

A lane names a role and a rule for the unit; the places of the dossier turn the rule into a unit; positions of that role in it or its
parts, held by appointment or lent by delegation, give the people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from engine.errors import Refused
from engine.organisation.authority import Act, Grant, Holding, Lending, permitted
from engine.organisation.roles import answering
from engine.organisation.tree import Tree


@dataclass(frozen=True, slots=True)
class Places:
    """The units a dossier knows: where it was received, who decides, whose matter it is, who started it."""

    reception: UUID
    deciding: UUID
    owner_unit: UUID | None = None
    initiator_unit: UUID | None = None
    initiator: UUID | None = None
    agencies: Mapping[str, UUID] | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who may take a step: through which grant, and why, as a catalogue code with its facts."""

    person_id: UUID
    grant: Grant | None
    reason_code: str
    facts: Mapping[str, Any]


def unit_for(rule: str, places: Places, tree: Tree) -> UUID:
    """Return the unit a lane's rule means for this dossier.

    Raises:
        Refused: ``assignment.unit_rule_unknown``: neither a rule nor the code of an agency.
    """
    fixed = {
        "reception": places.reception,
        "deciding": places.deciding,
        "owner_unit": places.owner_unit or places.deciding,
        "initiator": places.initiator_unit or places.owner_unit or places.reception,
    }
    if rule in fixed:
        return fixed[rule]
    if rule == "agency":
        return tree.agency_of(places.initiator_unit or places.deciding).id
    if places.agencies and rule in places.agencies:
        return places.agencies[rule]
    raise Refused("assignment.unit_rule_unknown", rule=rule)


def candidates(
    lane: str,
    role: str,
    rule: str,
    places: Places,
    tree: Tree,
    holdings: Iterable[Holding],
    lendings: Iterable[Lending],
    at: datetime,
    *,
    field: str = "",
) -> list[Candidate]:
    """Return everyone who may take a step of this lane now, each once, those in their own position before those who stand in."""
    if role == "initiator":
        assert places.initiator is not None, "an internal procedure has an initiator"
        return [Candidate(places.initiator, None, "assignment.as_initiator", {"lane": lane})]
    unit = unit_for(rule, places, tree)
    act = Act("perform", frozenset({role}), tree.within(unit), field)
    held, lent = tuple(holdings), tuple(lendings)
    roles = answering({role})
    people = {h.person_id for h in held if h.role in roles} | {x.delegate_id for x in lent}
    found = []
    for person in people:
        grant = permitted(act, person, held, lent, at)
        if grant is not None:
            found.append(Candidate(person, grant, _reason(grant), _facts(grant, lane, role, unit, tree)))
    return sorted(found, key=lambda c: (c.grant is not None and c.grant.lending is not None, str(c.person_id)))


def _reason(grant: Grant) -> str:
    return "assignment.by_appointment" if grant.lending is None else "assignment.by_delegation"


def _facts(grant: Grant, lane: str, role: str, unit: UUID, tree: Tree) -> dict[str, Any]:
    """Return ids and titles, never a name: the screen adds what its reader may see."""
    facts = {
        "lane": lane,
        "role": role,
        "unit": tree.unit(unit).name,
        "unit_en": tree.unit(unit).name_en or tree.unit(unit).name,
        "title": grant.holding.title,
        "title_en": grant.holding.title_en or grant.holding.title,
        "basis": grant.holding.basis,
        "appointment": str(grant.holding.appointment_id),
    }
    if grant.lending is not None:
        facts |= {"basis": grant.lending.basis, "until": grant.lending.ends_at.isoformat(), "delegation": str(grant.lending.delegation_id)}
    return facts
