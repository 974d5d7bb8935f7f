"""The journal and the world outside: its time-stamp tokens judged, copied seals compared, the proof behind a paper's printed code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from engine.documents.model import Document
from engine.documents.trust import anchors
from engine.errors import NotFound
from engine.kernel import journal_proof, journal_seal
from engine.kernel.journal import JournalLine
from engine.kernel.journal_check import Report
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.settings import Settings
from signing.tokens import token_fault


@dataclass(frozen=True, slots=True)
class ProvenPaper:
    """A paper's line in the journal; ``proof`` is None until a daily seal covers it."""

    public_id: str
    at: datetime
    number: int
    sha256: str
    proof: Json | None


def judged(w: UnitOfWork, copies: Sequence[Path] = ()) -> Report:
    """Read the whole journal: every hash, every seal, every token, and the *copies* of seals (the installation's when none are named)."""
    settings = w.part(Settings)
    trusted = anchors(settings.home)
    kept = [one for file in copies or [settings.kept_seals] for one in journal_proof.kept_in(file)]

    def fault(token: bytes, digest: bytes) -> str | None:
        return token_fault(token, digest, trusted.anchors, trusted.intermediates)

    return journal_seal.verify(w.session, w.province, token_fault=fault, kept=kept)


def paper(w: UnitOfWork, public_id: str) -> ProvenPaper:
    """Return where the paper with this printed code stands in the journal.

    Raises:
        NotFound: no paper made at the counter carries it.
    """
    code = public_id.strip().upper()
    document = w.session.scalars(select(Document).where(Document.province == w.province, Document.public_id == code)).one_or_none()
    line = (
        w.session.scalars(
            select(JournalLine)
            .where(JournalLine.province == w.province, JournalLine.chain == document.dossier_id, JournalLine.kind == "document.made")
            .where(JournalLine.facts["document"].astext == str(document.id))
        ).one_or_none()
        if document is not None
        else None
    )
    if line is None or document is None:
        raise NotFound("document.not_found")
    proof = journal_proof.proof(w.session, w.province, line.chain, line.number)
    return ProvenPaper(code, line.at, line.number, line.facts["sha256"], {"paper": code, **proof} if proof else None)
