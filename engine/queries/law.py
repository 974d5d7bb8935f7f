"""The index of law: which acts the procedures stand on, and what a change of an article concerns, running dossiers included."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from engine.dossier.model import Dossier
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.drafting import designer
from engine.procedure.drafts import ProcedureDraft
from engine.procedure.law import Act, merged, question
from engine.procedure.law_places import Place, concerned, places, shared_places
from engine.procedure.registry import ProcedureCache, ProcedureVersion
from engine.settings import Settings

CODES = 20
"""How many running dossiers of a version are named; the count is always whole."""
_KEPT = 4096
_known: OrderedDict[tuple[int, UUID], tuple[Place, ...]] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class ActLine:
    """An act with how many procedures, and places in them, cite it."""

    act: Act
    procedures: int
    places: int


@dataclass(frozen=True, slots=True)
class Running:
    """Dossiers that run under a version which cites the law asked about: their number, and some of their codes."""

    version: ProcedureVersion
    dossiers: int
    codes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Affected:
    """A procedure a change concerns: the places of its newest version, its running dossiers, a draft that is already worked on."""

    version: ProcedureVersion
    places: Sequence[Place]
    running: Sequence[Running]
    draft: UUID | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a change of *article* (empty: of anything) of *act* concerns; *shared* is what every procedure uses."""

    act: Act
    article: str
    affected: Sequence[Affected]
    shared: Sequence[Place]


def acts(w: UnitOfWork) -> list[ActLine]:
    """Return every act the newest versions stand on.

    Raises:
        Forbidden: the actor designs no procedures.
    """
    designer(w)
    cited = [(version.key, place) for version in _newest(w) for place in _places(w, version)]
    cited += [("", place) for place in shared_places(w.part(Settings).procedures)]
    known = merged(place.citation.act for _key, place in cited)
    found: dict[Act, tuple[set[str], int]] = {act: (set(), 0) for act in known}
    for key, place in cited:
        act = next(one for one in known if one.same(place.citation.act))
        keys, number = found[act]
        found[act] = ({*keys, key} - {""}, number + 1)
    return [ActLine(act, len(keys), number) for act, (keys, number) in found.items()]


def affected(w: UnitOfWork, text: str) -> Answer:
    """Return what a change of the law named in *text* (``Điều 54 NĐ 217/2026``) concerns.

    Raises:
        Forbidden: the actor designs no procedures.
        Refused: at the field: no act, or more than one, is named.
    """
    designer(w)
    act, article = question(text)
    running = _running(w, act, article)
    drafts = _drafts(w)
    found = []
    for version in _newest(w):
        own = concerned(_places(w, version), act, article)
        if own or version.key in running:
            found.append(Affected(version, own, running.get(version.key, ()), drafts.get(version.key)))
    return Answer(act, article, found, concerned(shared_places(w.part(Settings).procedures), act, article))


def _newest(w: UnitOfWork) -> Sequence[ProcedureVersion]:
    ranked = (
        select(ProcedureVersion.id)
        .where(ProcedureVersion.province == w.province)
        .ext(distinct_on(ProcedureVersion.key))
        .order_by(ProcedureVersion.key, ProcedureVersion.number.desc(), ProcedureVersion.drawing_number.desc())
        .subquery()
    )
    newest = select(ProcedureVersion).where(ProcedureVersion.province == w.province, ProcedureVersion.id.in_(select(ranked.c.id)))
    return w.session.scalars(newest.order_by(ProcedureVersion.name_vi)).all()


def _running(w: UnitOfWork, act: Act, article: str) -> Mapping[str, Sequence[Running]]:
    rows = w.session.execute(
        select(Dossier.procedure_version_id, func.count(), func.array_agg(Dossier.code))
        .where(Dossier.province == w.province, Dossier.closed_at.is_(None))
        .group_by(Dossier.procedure_version_id)
    ).all()
    wanted = {version: (number, codes) for version, number, codes in rows}
    versions = w.session.scalars(
        select(ProcedureVersion)
        .where(ProcedureVersion.province == w.province, ProcedureVersion.id.in_(wanted))
        .order_by(ProcedureVersion.key, ProcedureVersion.number.desc())
    )
    found: dict[str, list[Running]] = {}
    for version in versions:
        if concerned(_places(w, version), act, article):
            number, codes = wanted[version.id]
            found.setdefault(version.key, []).append(Running(version, number, sorted(codes)[:CODES]))
    return found


def _drafts(w: UnitOfWork) -> dict[str, UUID]:
    drafts = w.session.scalars(
        select(ProcedureDraft)
        .where(ProcedureDraft.province == w.province, ProcedureDraft.state == "draft")
        .order_by(ProcedureDraft.updated_at)
    )
    return {draft.key: draft.id for draft in drafts}


def _places(w: UnitOfWork, version: ProcedureVersion) -> tuple[Place, ...]:
    """Return the places of a version, read once per process: a published version never changes."""
    name = (w.province, version.id)
    with _lock:
        known = _known.get(name)
    if known is None:
        known = places(w.part(ProcedureCache).package(w, version.id))
        with _lock:
            _known[name] = known
            while len(_known) > _KEPT:
                _known.popitem(last=False)
    return known
