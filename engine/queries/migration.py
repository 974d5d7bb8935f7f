"""What people see of a move to another version: classes with counts and reasons in words, every dossier, progress, and a dry run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from engine.dossier.model import Dossier
from engine.errors import EngineError
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import moving, papers
from engine.office.drafting import designer
from engine.office.standing import acting
from engine.procedure.compatibility import CLASSES
from engine.procedure.phrases import name_words
from engine.procedure.registry import ProcedureVersion
from engine.process.changes import Migration, MigrationItem
from engine.sentences import LANGUAGES, sentence

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """Dossiers that are decided together: how many, from which version, why, and what may be chosen."""

    id: str
    kind: str
    number: int
    from_number: int
    reasons: Sequence[Words]
    new_steps: Mapping[str, Words]
    choice: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with its groups and how far it has come."""

    id: UUID
    key: str
    state: str
    legal_basis: str
    target: ProcedureVersion
    created_at: Any
    created_by: str
    finished_at: Any
    counts: Mapping[str, int]
    states: Mapping[str, int]
    groups: Sequence[Group]
    confirmable: bool = False
    """Whether the actor is a second person who may confirm it now."""

    @property
    def total(self) -> int:
        """How many dossiers the plan is about."""
        return sum(self.counts.values())

    @property
    def to_move(self) -> int:
        """How many are to be moved or have been."""
        return self.total - self.states.get("kept", 0)

    @property
    def handled(self) -> int:
        """How many of these are through."""
        return self.to_move - self.states.get("moved" if self.state == "undoing" else "planned", 0)


@dataclass(frozen=True, slots=True)
class Line:
    """One dossier of a plan: what was judged, decided and done, each reason a sentence."""

    code: str
    dossier_id: UUID
    kind: str
    choice: str
    state: str
    reasons: Sequence[Words]
    fault: Words | None
    moved_at: Any


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a plan would do if it were carried out now; nothing is stored."""

    key: str
    target: int
    counts: Mapping[str, int]
    faults: Mapping[str, str] = field(default_factory=dict)
    """Dossiers that would be moved but could not be carried over: code of the dossier → code of the reason."""
    groups: Sequence[Group] = ()
    dossiers: Sequence[Mapping[str, Any]] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        groups = [
            {
                "kind": g.kind,
                "number": g.number,
                "from": g.from_number,
                "reasons": [dict(one) for one in g.reasons],
                "new_steps": list(g.new_steps),
            }
            for g in self.groups
        ]
        return {
            "key": self.key, "target": self.target, "counts": dict(self.counts), "faults": dict(self.faults), "groups": groups,
            "dossiers": [dict(one) for one in self.dossiers],
        }  # fmt: skip


def dry_run(w: UnitOfWork, key: str, target: UUID) -> DryRun:
    """Judge every running dossier and carry each that could move over in memory; nothing is stored or locked.

    Raises:
        NotFound: there is no such version.
        Forbidden: the actor designs no procedures.
    """
    designer(w)
    version = moving.target_of(w, key, target)
    found: dict[str, list[Any]] = {}
    counts, faults, listed = Counter[str](), {}, []
    codes = _codes(w, key)
    for dossier_id, from_version, state in moving.running(w, key, target):
        verdict = moving.judge(w, from_version, target, state)
        counts[verdict.kind] += 1
        found.setdefault(moving.group_of(from_version, verdict), [verdict, from_version, 0])[2] += 1
        line = {
            "dossier": codes[dossier_id],
            "kind": verdict.kind,
            "reasons": [{"code": r.code, "element": r.element} for r in verdict.reasons],
        }
        listed.append(line)
        if verdict.kind in ("automatic", "choice"):
            try:
                moving.carried(w, from_version, target, state)
            except EngineError as fault:
                faults[codes[dossier_id]] = fault.code
    groups = [
        _group(w, target, group, verdict.kind, number, from_version, [(r.code, r.element) for r in verdict.reasons], verdict.new_steps, "")
        for group, (verdict, from_version, number) in found.items()
    ]
    return DryRun(key, version.number, {kind: counts[kind] for kind in CLASSES}, faults, _sorted(groups), listed)


def page(w: UnitOfWork, migration_id: UUID) -> Plan:
    """Return a plan with its groups, counts and progress.

    Raises:
        NotFound: there is none.
        Forbidden: the actor designs no procedures.
    """
    designer(w)
    found = moving.find(w, migration_id)
    target = moving.target_of(w, found.key, found.target_id)
    own = (MigrationItem.province == w.province, MigrationItem.migration_id == migration_id)
    counts = dict.fromkeys(CLASSES, 0) | moving.counts(w, migration_id)
    states = {
        row[0]: row[1] for row in w.session.execute(select(MigrationItem.state, func.count()).where(*own).group_by(MigrationItem.state))
    }
    numbers = {
        row[0]: row[1] for row in w.session.execute(select(MigrationItem.group, func.count()).where(*own).group_by(MigrationItem.group))
    }
    groups = []
    for item in w.session.scalars(select(MigrationItem).where(*own).ext(distinct_on(MigrationItem.group)).order_by(MigrationItem.group)):
        reasons = [(one["code"], one["element"]) for one in item.reasons]
        chosen = f"{item.choice}:{item.new_step}" if item.new_step else item.choice
        groups.append(
            _group(w, found.target_id, item.group, item.kind, numbers[item.group], item.from_version_id, reasons, item.new_steps, chosen)
        )
    return Plan(
        found.id, found.key, found.state, found.legal_basis, target, found.created_at, papers.person_name(w, found.created_by_id),
        found.finished_at, counts, states, _sorted(groups), found.state == "submitted" and _second(w, found),
    )  # fmt: skip


def _second(w: UnitOfWork, found: Migration) -> bool:
    """Whether the actor approves procedures and did not submit this plan."""
    if w.actor.person is None or found.started_by_id == w.actor.person:
        return False
    return acting(w).seat("procedure_approver") is not None


def lines(w: UnitOfWork, migration_id: UUID, *, kind: str = "", number: int = 1, size: int = 25) -> tuple[list[Line], int]:
    """Return the legality report: one line for every dossier of a plan, and how many there are."""
    designer(w)
    found = moving.find(w, migration_id)
    own = [MigrationItem.province == w.province, MigrationItem.migration_id == migration_id]
    own += [MigrationItem.kind == kind] if kind else []
    total = w.session.scalar(select(func.count(MigrationItem.id)).where(*own)) or 0
    rows = w.session.execute(
        select(MigrationItem, Dossier.code)
        .join(Dossier, (Dossier.province == MigrationItem.province) & (Dossier.id == MigrationItem.dossier_id))
        .where(*own)
        .order_by(Dossier.code)
        .offset((number - 1) * size)
        .limit(size)
    )
    listed = []
    for item, code in rows:
        fault = {language: str(sentence(item.fault, language)) for language in LANGUAGES} if item.fault else None
        reasons = [said(w, one["code"], one["element"], item.from_version_id, found.target_id) for one in item.reasons]
        listed.append(Line(code, item.dossier_id, item.kind, item.choice, item.state, reasons, fault, item.moved_at))
    return listed, total


def plans(w: UnitOfWork, key: str) -> list[tuple[Migration, int]]:
    """Return the plans of a procedure, newest first, each with how many dossiers were moved."""
    designer(w)
    moved = func.count(MigrationItem.id).filter(MigrationItem.state == "moved")
    rows = w.session.execute(
        select(Migration, moved)
        .outerjoin(MigrationItem, (MigrationItem.province == Migration.province) & (MigrationItem.migration_id == Migration.id))
        .where(Migration.province == w.province, Migration.key == key)
        .group_by(Migration.province, Migration.id)
        .order_by(Migration.created_at.desc())
    )
    return [(one, number) for one, number in rows]


def said(w: UnitOfWork, code: str, element: str, old: UUID, new: UUID) -> Words:
    """Return a reason as a sentence with the element's name as the diagram has it."""
    names = moving.comparison(w, old, new)
    node = names.after.nodes.get(element) or names.before.nodes.get(element)
    words = name_words(node) if node is not None else None
    named = {"vi": words.vi if words else element, "en": (words.en or words.vi) if words else element}
    return {
        "code": code, "element": element,
        **{language: str(sentence(f"migration.{code}", language, {"element": f"«{named[language]}»"})) for language in LANGUAGES},
    }  # fmt: skip


def _group(
    w: UnitOfWork, target: UUID, group: str, kind: str, number: int, from_version: UUID, reasons: Any, new_steps: Sequence[str], choice: str
) -> Group:
    origin = w.session.get(ProcedureVersion, (w.province, from_version))
    nodes = moving.comparison(w, from_version, target).after.nodes
    steps = {}
    for step in new_steps:
        words = name_words(nodes[step])
        steps[step] = {"vi": words.vi if words else step, "en": (words.en or words.vi) if words else step}
    spoken = [said(w, code, element, from_version, target) for code, element in reasons]
    return Group(group, kind, number, origin.number if origin is not None else 0, spoken, steps, choice)


def _sorted(groups: list[Group]) -> list[Group]:
    order = {kind: place for place, kind in enumerate(("choice", "refused", "automatic", "untouched"))}
    return sorted(groups, key=lambda one: (order[one.kind], -one.number, one.id))


def _codes(w: UnitOfWork, key: str) -> dict[UUID, str]:
    query = select(Dossier.id, Dossier.code).where(
        Dossier.province == w.province, Dossier.procedure_key == key, Dossier.closed_at.is_(None)
    )
    return {row[0]: row[1] for row in w.session.execute(query)}
