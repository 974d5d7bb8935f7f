"""The tree of units as values: which agency a unit belongs to, who is below whom, what became of a unit that was merged; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol, Self
from uuid import UUID

from engine.errors import NotFound, Refused

PARTS_OF_AN_AGENCY = frozenset({"division", "centre"})


class UnitRecord(Protocol):
    """What the tree reads of a unit's record."""

    id: UUID
    parent_id: UUID | None
    level: str
    name: str
    name_en: str
    agency_code: str
    valid_from: date
    valid_to: date | None
    successor_id: UUID | None


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as a value."""

    id: UUID
    parent_id: UUID | None
    level: str
    name: str
    name_en: str = ""
    agency_code: str = ""
    valid_from: date = date.min
    valid_to: date | None = None
    successor_id: UUID | None = None

    def valid(self, on: date) -> bool:
        """Say whether the unit exists on a day."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


class Tree:
    """All units of a province."""

    def __init__(self, units: Iterable[Unit]) -> None:
        """Index the units.

        Raises:
            Refused: ``organisation.unit_loop``: a unit stands above itself.
        """
        self._units = {unit.id: unit for unit in units}
        self._below: dict[UUID, list[UUID]] = {}
        for unit in self._units.values():
            if unit.parent_id is not None:
                self._below.setdefault(unit.parent_id, []).append(unit.id)
        for unit in self._units.values():
            list(self._upwards(unit.id))

    @classmethod
    def of(cls, records: Iterable[UnitRecord]) -> Self:
        """Return the tree of unit records."""
        return cls(
            Unit(r.id, r.parent_id, r.level, r.name, r.name_en, r.agency_code, r.valid_from, r.valid_to, r.successor_id) for r in records
        )

    def unit(self, unit_id: UUID) -> Unit:
        """Return a unit.

        Raises:
            NotFound: there is none.
        """
        try:
            return self._units[unit_id]
        except KeyError:
            raise NotFound("organisation.unit_unknown") from None

    def agency_of(self, unit_id: UUID) -> Unit:
        """Return the agency a unit belongs to: the nearest unit upwards that is not a mere part of one."""
        for unit in self._upwards(unit_id):
            if unit.level not in PARTS_OF_AN_AGENCY or unit.parent_id is None:
                return unit
        raise NotFound("organisation.unit_unknown")

    def reach(self, unit_id: UUID) -> tuple[UUID, ...]:
        """Return the unit and those above it up to its agency, nearest first: work addressed to any of them may land here."""
        agency, found = self.agency_of(unit_id).id, []
        for unit in self._upwards(unit_id):
            found.append(unit.id)
            if unit.id == agency:
                break
        return tuple(found)

    def within(self, unit_id: UUID) -> frozenset[UUID]:
        """Return the unit and its parts, but no other agency below it."""
        found, waiting = set(), [unit_id]
        while waiting:
            found.add(waiting[-1])
            waiting.extend(u for u in self._below.get(waiting.pop(), ()) if self._units[u].level in PARTS_OF_AN_AGENCY)
        return frozenset(found)

    def below(self, unit_id: UUID) -> frozenset[UUID]:
        """Return the unit and everything below it, agencies included."""
        found, waiting = set(), [unit_id]
        while waiting:
            found.add(waiting[-1])
            waiting.extend(self._below.get(waiting.pop(), ()))
        return frozenset(found)

    def successor(self, unit_id: UUID, on: date) -> Unit:
        """Return what a unit has become on a day: itself, or the unit it was merged into, through any number of mergers.

        Raises:
            NotFound: it ended without a successor.
        """
        seen: set[UUID] = set()
        unit = self.unit(unit_id)
        while unit.valid_to is not None and on >= unit.valid_to:
            if unit.successor_id is None or unit.id in seen:
                raise NotFound("organisation.unit_ended", unit=unit.name)
            seen.add(unit.id)
            unit = self.unit(unit.successor_id)
        return unit

    def _upwards(self, unit_id: UUID) -> Iterator[Unit]:
        seen: set[UUID] = set()
        here: UUID | None = unit_id
        while here is not None and here in self._units:
            if here in seen:
                raise Refused("organisation.unit_loop", unit=self._units[here].name)
            seen.add(here)
            yield self._units[here]
            here = self._units[here].parent_id
