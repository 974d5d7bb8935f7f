"""Settling incidents: deliver the message again, or close with a reason."""

from __future__ import annotations

from uuid import UUID

from engine.errors import Refused
from engine.kernel import incidents, outbox
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.standing import require_administrator


def retry(w: UnitOfWork, incident_id: UUID) -> None:
    """Try the message of an incident again; it begins with five fresh tries."""
    require_administrator(w)
    outbox.retry(w.session, w.province, incident_id, w.now, w.actor.account)
    w.record("incident.retried", None, incident=str(incident_id))


def settle(w: UnitOfWork, incident_id: UUID, reason: str) -> None:
    """Close an incident with a reason."""
    require_administrator(w)
    if not reason.strip():
        raise Refused("dossier.reason_missing", field="reason")
    incident = incidents.find(w.session, w.province, incident_id, lock=True)
    incident.resolved_at, incident.resolved_by, incident.resolution = w.now, w.actor.account, "settled"
    w.record("incident.settled", None, incident=str(incident_id), reason=reason.strip()[:200])
