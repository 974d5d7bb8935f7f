"""Trusted authorities for programs: the store, proposals, the second person's approval, withdrawal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from engine.commands import trust as commands
from engine.runtime import UnitOfWork
from webapp.api.routes import route

TAG = "trust"


@dataclass(frozen=True)
class Authority:
    """One certificate: what it is, where it came from, who let it in and when; the state is proposed, approved or withdrawn."""

    sha256: str
    name: str
    regime: str
    role: str
    state: str
    source: str
    hosts: Sequence[str]
    valid_from: str
    valid_until: str
    proposed_by: str
    proposed_at: str
    approved_by: str
    approved_at: str
    withdrawn_by: str
    withdrawn_at: str
    known_root: bool
    """Whether a national root is publicly known by this fingerprint; a help for whoever compares, never a reason to trust."""


@dataclass(frozen=True)
class TrustStore:
    """Everything in the store, files that are not what they should be (name and code), national roots still wanted."""

    authorities: Sequence[Authority]
    faults: dict[str, str]
    wanted: dict[str, str]
    me: str
    """The hand the asker would propose or approve with."""


@dataclass(frozen=True)
class AuthorityProposal:
    """A certificate (PEM) put forward; the source says where it came from and how its fingerprint was compared."""

    certificate: str
    source: str
    regime: Literal["public", "specialised", "other"] = "public"
    role: Literal["anchor", "intermediate"] = "anchor"
    hosts: Sequence[str] = field(default_factory=tuple)


def told(entry: Any) -> Authority:
    """Return an entry for programs."""
    return Authority(
        **{**asdict(entry), "state": entry.state, "hosts": list(entry.hosts), "known_root": commands.is_known_root(entry.sha256)}
    )


@route("GET", "/trust", "The authorities this installation trusts, with provenance and dates", tag=TAG, answer=TrustStore)
def trusted_authorities(w: UnitOfWork) -> TrustStore:
    """Return the store."""
    store = commands.listed(w)
    return TrustStore([told(one) for one in store.entries], store.faults, commands.wanted(store), commands.name_of(w))


@route("POST", "/trust", "Put an authority's certificate forward", tag=TAG, answer=Authority, body=AuthorityProposal, status=201)
def propose_authority(w: UnitOfWork, body: AuthorityProposal) -> Authority:
    """Put forward; it counts when a second person approves."""
    return told(
        commands.propose(w, body.certificate.encode(), regime=body.regime, role=body.role, source=body.source[:2000], hosts=body.hosts)
    )


@route("POST", "/trust/<sha256>/approval", "Let a proposed certificate count, as the second person", tag=TAG, answer=Authority)
def approve_authority(w: UnitOfWork, sha256: str) -> Authority:
    """Approve."""
    return told(commands.approve(w, sha256))


@route("POST", "/trust/<sha256>/withdrawal", "Let a certificate count no more", tag=TAG, answer=Authority)
def withdraw_authority(w: UnitOfWork, sha256: str) -> Authority:
    """Withdraw."""
    return told(commands.withdraw(w, sha256))
