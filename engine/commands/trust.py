"""The authorities an installation trusts: put forward by one person, let in by another, withdrawn by one; each act in the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import text

from engine.documents.signature import translated
from engine.documents.trust import folder_of
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.standing import acting, require_administrator
from engine.settings import Settings
from signing import trust_store
from signing.errors import SigningError
from signing.trust_store import Entry, Role

SECOND = ("technical_administrator", "inspector")
"""Who may be the second person: another administrator, or who inspects the office."""
FIELDS = {
    "trust.unreadable": "certificate",
    "trust.expired": "certificate",
    "trust.known": "certificate",
    "trust.source_missing": "source",
    "trust.host_invalid": "hosts",
}
"""What of a proposal a refusal is about."""


def propose(w: UnitOfWork, certificate: bytes, *, regime: str, role: Role, source: str, hosts: Sequence[str]) -> Entry:
    """Put a certificate forward; it counts for nothing yet.

    Raises:
        Refused: ``trust.unreadable``, ``trust.source_missing``, ``trust.host_invalid``, ``trust.known``; Forbidden: the actor administers
            nothing.
    """
    require_administrator(w)
    more = {"regime": regime, "role": role, "source": source, "hosts": tuple(hosts)}
    return _kept(w, "trust.proposed", lambda: trust_store.propose(_folder(w), certificate, by=name_of(w), at=w.now, **more))  # type: ignore[arg-type]


def approve(w: UnitOfWork, sha256: str) -> Entry:
    """Let a proposed certificate count; never by the hand that proposed it.

    Raises:
        Refused: ``trust.unknown``, ``trust.one_hand``, ``trust.not_proposed``; Forbidden: the actor is neither administrator nor inspector.
    """
    _require_second(w)
    return _kept(w, "trust.approved", lambda: trust_store.approve(_folder(w), sha256, by=name_of(w), at=w.now))


def withdraw(w: UnitOfWork, sha256: str) -> Entry:
    """Let a certificate count no more; one person suffices.

    Raises:
        Refused: ``trust.unknown``, ``trust.withdrawn``; Forbidden: as `approve`.
    """
    _require_second(w)
    return _kept(w, "trust.withdrawn", lambda: trust_store.withdraw(_folder(w), sha256, by=name_of(w), at=w.now))


def listed(w: UnitOfWork) -> trust_store.Store:
    """Return everything in the store, and what is wrong with its files."""
    _require_second(w)
    return trust_store.load(_folder(w))


def wanted(store: trust_store.Store) -> dict[str, str]:
    """Return the national roots that have not been let in, by regime."""
    known = {one.regime for one in store.entries if one.state == "approved" and one.role == "anchor"}
    return {regime: name for regime, name in trust_store.WANTED.items() if regime not in known}


def is_known_root(sha256: str) -> bool:
    """Say whether a national root is publicly known by this fingerprint; a help for whoever compares, never a reason to trust."""
    return trust_store.known_root(sha256) is not None


def name_of(w: UnitOfWork) -> str:
    """Return the hand as the store keeps it: the same for one person however often they sign in."""
    if w.actor.kind in ("cli", "system"):
        return f"{w.actor.label or w.actor.kind} (cli)"
    standing = acting(w)
    return f"{standing.name} ({standing.person_id})"


def _require_second(w: UnitOfWork) -> None:
    if w.actor.kind not in ("cli", "system"):
        acting(w).require(*SECOND)


def _folder(w: UnitOfWork) -> Path:
    return folder_of(w.part(Settings).home)


def _kept(w: UnitOfWork, kind: str, change: Callable[[], Entry]) -> Entry:
    # The store is a folder: two people who approve at the same moment come one after the other, and the second is told.
    w.session.execute(text("select pg_advisory_xact_lock(hashtext('trust_store'), :province)"), {"province": w.province})
    try:
        entry = change()
    except SigningError as refused:
        raise translated(refused, field=FIELDS.get(refused.code)) from None
    w.record(kind, sha256=entry.sha256, regime=entry.regime, role=entry.role, source=entry.source)
    return entry
