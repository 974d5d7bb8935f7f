"""Oversight: the board, the journal and its check, incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from engine.commands import incidents as commands
from engine.queries import audit, board, preservation
from engine.runtime import UnitOfWork
from webapp.api.routes import Page, bounded, listed, page_of, route
from webapp.api.shapes import taken

TAG = "oversight"


@route("GET", "/board", "On time, due soon, late: by unit and procedure", tag=TAG, answer=Sequence[board.BoardRow])
def board_rows(w: UnitOfWork) -> Any:
    """Return the board."""
    return board.rows(w)


@dataclass(frozen=True)
class JournalQuery(Page):
    """Which lines of the journal."""

    code: str = ""
    kind: str = ""


@route("GET", "/journal", "The journal, newest first", tag=TAG, answer=page_of(audit.AuditLine), query=JournalQuery)
def journal(w: UnitOfWork, query: JournalQuery) -> Any:
    """Return lines of the journal."""
    rows, total = audit.lines(w, code=query.code, kind=query.kind, number=query.page, size=bounded(query))
    return listed(audit.AuditLine, rows, total, query)


@dataclass(frozen=True)
class JournalFault:
    """One place where the journal is not what was written."""

    chain: UUID
    number: int
    reason: str


@dataclass(frozen=True)
class JournalCheck:
    """What the check has read and found."""

    sound: bool
    chains: int
    lines: int
    seals: int
    stamped: int
    faults: Sequence[JournalFault]


@route("POST", "/journal/check", "Walk every chain: is the journal whole?", tag=TAG, answer=JournalCheck, pure=True)
def check_journal(w: UnitOfWork) -> JournalCheck:
    """Check the journal."""
    found = audit.check(w)
    return taken(JournalCheck, found, faults=[taken(JournalFault, fault) for fault in found.faults])


@dataclass(frozen=True)
class PaperProof:
    """Where a printed paper stands in the journal; the proof is null until the night's seal covers it."""

    public_id: str
    at: datetime
    number: int
    sha256: str
    proof: dict[str, Any] | None


@route("GET", "/journal/proofs/<public_id>", "The proof that a printed paper stands in the journal, to be checked offline", tag=TAG,
       answer=PaperProof, who="anyone", limit="30/minute")  # fmt: skip
def paper_proof(w: UnitOfWork, public_id: str) -> PaperProof:
    """Return the proof behind a printed code."""
    return taken(PaperProof, audit.paper(w, public_id))


@route("GET", "/evidence", "Until when the signatures of issued documents can be proven", tag=TAG, answer=Sequence[preservation.Renewal])
def evidence(w: UnitOfWork) -> Any:
    """Return what is to be renewed, the nearest first."""
    return preservation.renewals(w)


@dataclass(frozen=True)
class IncidentFacts:
    """What went wrong without anybody at the screen."""

    id: UUID
    number: str
    code: str
    facts: dict[str, Any]
    opened_at: datetime
    resolved_at: datetime | None


@route("GET", "/incidents", "Open incidents, newest first", tag=TAG, answer=Sequence[IncidentFacts])
def incidents(w: UnitOfWork) -> list[IncidentFacts]:
    """Return the open incidents."""
    return [taken(IncidentFacts, one) for one in audit.incidents(w)]


@dataclass(frozen=True)
class Settlement:
    """Why an incident is closed, or tried again; no names of citizens."""

    reason: str


@route("POST", "/incidents/<uuid:incident_id>/retry", "Try what failed again", tag=TAG, body=Settlement)
def retry_incident(w: UnitOfWork, incident_id: UUID, body: Settlement) -> None:
    """Retry."""
    commands.retry(w, incident_id, body.reason)


@route("POST", "/incidents/<uuid:incident_id>/settlement", "Close an incident with a reason", tag=TAG, body=Settlement)
def settle_incident(w: UnitOfWork, incident_id: UUID, body: Settlement) -> None:
    """Settle."""
    commands.settle(w, incident_id, body.reason)
