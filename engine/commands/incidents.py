"""Settling incidents: deliver the message again, or close with a reason."""

from __future__ import annotations

from uuid import UUID

from engine.errors import Refused
from engine.kernel import outbox
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.standing import require_administrator


def retry(w: UnitOfWork, incident_id: UUID, reason: str) -> None:
    """Try what failed again: a message with five fresh tries, what fell due at the next sweep.

    Raises:
        Forbidden: the actor is no administrator.
        Refused: no reason.
        Conflict: somebody has settled it already.
    """
    require_administrator(w)
    words = said(reason)
    found = outbox.retry(w.session, w.province, incident_id, w.now, w.actor.account)
    w.record("incident.retried", found.dossier, incident=str(incident_id), reason=words)


def settle(w: UnitOfWork, incident_id: UUID, reason: str) -> None:
    """Close an incident with a reason; its message, if any, is not sent any more.

    Raises:
        Forbidden: the actor is no administrator.
        Refused: no reason.
        Conflict: somebody has settled it already.
    """
    require_administrator(w)
    words = said(reason)
    found = outbox.settle(w.session, w.province, incident_id, w.now, w.actor.account)
    w.record("incident.settled", found.dossier, incident=str(incident_id), reason=words)


def said(reason: str) -> str:
    """Return a reason as the journal keeps it; the screen asks to name no citizen in it.

    Raises:
        Refused: there is none.
    """
    if not reason.strip():
        raise Refused("dossier.reason_missing", field="reason")
    return reason.strip()[:200]
