"""The index of law: what a change of an act or an article concerns, and the drafts it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from engine.commands import law as commands
from engine.queries import drafts as drafting
from engine.queries import law as queries
from engine.runtime import UnitOfWork
from webapp.api.drafts import Draft, told
from webapp.api.routes import route

TAG = "law"


@dataclass(frozen=True)
class CitedAct:
    """An act with how many procedures, and places in them, cite it."""

    act: str
    procedures: int
    places: int


@dataclass(frozen=True)
class CitingPlace:
    """One place that cites: what it is and which one, where it stands, and the text."""

    kind: str
    key: str
    title: dict[str, str]
    file: str
    line: int | None
    act: str
    articles: Sequence[str]
    text: str


@dataclass(frozen=True)
class RunningUnder:
    """Dossiers that run under a version which cites the law; `codes` names some of them."""

    version: int
    version_id: UUID
    dossiers: int
    codes: Sequence[str]


@dataclass(frozen=True)
class ConcernedProcedure:
    """A procedure a change concerns; `draft` is one that is already worked on."""

    key: str
    version: int
    places: Sequence[CitingPlace]
    running: Sequence[RunningUnder]
    draft: UUID | None


@dataclass(frozen=True)
class Concerned:
    """What a change of `article` (empty: of anything) of `act` concerns."""

    act: str
    article: str
    procedures: Sequence[ConcernedProcedure]
    shared: Sequence[CitingPlace]


@dataclass(frozen=True)
class LawAsked:
    """The law that changed, as people write it: `Điều 54 NĐ 217/2026`."""

    q: str


@dataclass(frozen=True)
class LawChanged:
    """The law that changed and the procedures whose drafts are begun."""

    q: str
    keys: Sequence[str]


def place(found: Any) -> CitingPlace:
    """Return a place for programs."""
    return CitingPlace(**found.as_json())


@route("GET", "/law", "Every legal act the procedures stand on", tag=TAG, answer=Sequence[CitedAct])
def cited_acts(w: UnitOfWork) -> list[CitedAct]:
    """Return every act the newest versions cite."""
    return [CitedAct(one.act.label, one.procedures, one.places) for one in queries.acts(w)]


@route("GET", "/law/citations", "What a change of an act or article concerns", tag=TAG, answer=Concerned, query=LawAsked)
def law_citations(w: UnitOfWork, query: LawAsked) -> Concerned:
    """Return the procedures, places and running dossiers that cite it."""
    found = queries.affected(w, query.q)
    procedures = [
        ConcernedProcedure(
            one.version.key,
            one.version.number,
            [place(own) for own in one.places],
            [RunningUnder(group.version.number, group.version.id, group.dossiers, group.codes) for group in one.running],
            one.draft,
        )
        for one in found.affected
    ]
    return Concerned(found.act.label, found.article, procedures, [place(own) for own in found.shared])


@route("POST", "/law/drafts", "Begin drafts because the law changed", tag=TAG, answer=Sequence[Draft], body=LawChanged, status=201)
def begin_law_drafts(w: UnitOfWork, body: LawChanged) -> list[Draft]:
    """Begin a draft of each procedure; its history says which law changed."""
    return [told(drafting.page(w, made.id).line) for made in commands.begin_drafts(w, body.q, body.keys)]
