"""The journal for those who check it: search, who read a dossier, is every chain whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from engine.documents import anchor
from engine.documents.anchor import ProvenPaper
from engine.dossier.model import Dossier
from engine.kernel.incidents import Incident
from engine.kernel.journal import JournalLine
from engine.kernel.journal_check import Report
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.standing import acting
from engine.organisation.model import Person
from engine.queries.dossiers import names, who

AUDITORS = ("inspector", "technical_administrator", "procedure_controller")


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One journal line with the name of who acted and the code of the dossier."""

    at: datetime
    recorded_at: datetime
    kind: str
    who: str
    dossier: str
    number: int
    facts: Json
    hash: str


def lines(w: UnitOfWork, *, code: str = "", kind: str = "", number: int = 1, size: int = 50) -> tuple[list[AuditLine], int]:
    """Return journal lines, newest first, and how many match (capped at 1000).

    Raises:
        Forbidden: the actor checks nothing.
    """
    acting(w).require(*AUDITORS)
    query = (
        select(JournalLine, Dossier.code)
        .outerjoin(Dossier, (Dossier.province == JournalLine.province) & (Dossier.id == JournalLine.chain))
        .where(JournalLine.province == w.province)
    )
    if code:
        query = query.where(Dossier.code == code.strip())
    if kind:
        query = query.where(JournalLine.kind == kind)
    total = (
        w.session.scalar(
            select(func.count()).select_from(query.with_only_columns(JournalLine.number, maintain_column_froms=True).limit(1001).subquery())
        )
        or 0
    )
    people, accounts = names(w), holders(w)
    found = w.session.execute(
        query.order_by(JournalLine.at.desc(), JournalLine.chain, JournalLine.number.desc()).limit(size).offset((max(number, 1) - 1) * size)
    )
    return [
        AuditLine(
            line.at,
            line.recorded_at,
            line.kind,
            accounts.get(line.facts.get("account", 0)) or who(people, line.actor),
            dossier or "",
            line.number,
            line.facts,
            line.hash.hex(),
        )
        for line, dossier in found
    ], total


def holders(w: UnitOfWork) -> dict[int, str]:
    """Return whose account is whose: at the moment of signing in nobody acts yet, the line names the account alone."""
    rows = w.session.execute(
        select(Person.account_id, Person.full_name).where(Person.province == w.province, Person.account_id.is_not(None))
    )
    return {account: name for account, name in rows if account is not None}


def check(w: UnitOfWork) -> Report:
    """Walk every chain and return what is broken, and where.

    Raises:
        Forbidden: the actor checks nothing.
    """
    acting(w).require(*AUDITORS)
    return anchor.judged(w)


def paper(w: UnitOfWork, public_id: str) -> ProvenPaper:
    """Return where a printed paper stands in the journal and the proof of it; whoever holds the paper may ask.

    Raises:
        NotFound: no paper made at the counter carries this code.
    """
    return anchor.paper(w, public_id)


@dataclass(frozen=True, slots=True)
class SealFacts:
    """The night's seal a paper stands under."""

    number: int
    at: datetime
    stamped: bool


def seal_of(found: ProvenPaper) -> SealFacts | None:
    """Return the seal of a proof, None while there is none."""
    if found.proof is None:
        return None
    number, at = json.loads(found.proof["seal"]["content"])[:2]
    return SealFacts(number, datetime.fromisoformat(at), bool(found.proof["seal"]["token"]))


def kinds(w: UnitOfWork) -> list[str]:
    """Return the kinds of facts the journal holds."""
    return list(w.session.scalars(select(JournalLine.kind).where(JournalLine.province == w.province).distinct().order_by(JournalLine.kind)))


def incidents(w: UnitOfWork, *, open_only: bool = True) -> list[Incident]:
    """Return incidents, newest first.

    Raises:
        Forbidden: the actor administers nothing.
    """
    acting(w).require("technical_administrator", "procedure_controller")
    query = select(Incident).where(Incident.province == w.province).order_by(Incident.opened_at.desc()).limit(200)
    if open_only:
        query = query.where(Incident.resolved_at.is_(None))
    return list(w.session.scalars(query))


def chain_of(w: UnitOfWork, dossier_id: UUID) -> list[JournalLine]:
    """Return one dossier's chain in order, for an offline check."""
    return list(
        w.session.scalars(
            select(JournalLine).where(JournalLine.province == w.province, JournalLine.chain == dossier_id).order_by(JournalLine.number)
        )
    )
