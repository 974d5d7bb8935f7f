"""Whose access token this is: asked anew at every request, in one statement; who the person is stands in the directory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from sqlalchemy import LargeBinary, SmallInteger, bindparam, select, update

from engine.accounts.model import AccessToken, Account, token_hash
from engine.kernel import wire
from engine.kernel.unit_of_work import Actor, UnitOfWork
from engine.organisation.directory import OrganisationChange, directory, renumber

FRESH = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who acts with a token, and whether it may change anything."""

    actor: Actor
    writes: bool


def holder(w: UnitOfWork, token: str) -> Holder | None:
    """Return who acts with *token*; None when it is unknown, over or revoked, or its account is closed or has to change its password."""
    found = wire.read(w.session, (_known(),), {"hash": token_hash(token), "province": w.province})[0]
    if not found:
        return None
    number, scopes, expires_at, last_used_at, revoked_at, account, active, must_change_password, organisation = found[0]
    if revoked_at is not None or (expires_at is not None and expires_at <= w.now) or not active or must_change_password:
        return None
    if last_used_at is None or w.now - last_used_at > FRESH:
        w.session.execute(update(AccessToken).where(AccessToken.id == number).values(last_used_at=w.now))
    renumber(w.session, w.province, organisation)
    person = directory(w.session, w.province).accounts.get(account)
    return Holder(Actor(kind="person", account=account, person=person), not scopes or "write" in scopes)


@cache
def _known() -> wire.Prepared:
    organisation = select(OrganisationChange.number).where(OrganisationChange.province == bindparam("province", type_=SmallInteger()))
    return wire.prepared(
        select(
            AccessToken.id, AccessToken.scopes, AccessToken.expires_at, AccessToken.last_used_at, AccessToken.revoked_at,
            Account.id, Account.active, Account.must_change_password, organisation.scalar_subquery(),
        )
        .join(Account, Account.id == AccessToken.account)
        .where(AccessToken.hash == bindparam("hash", type_=LargeBinary()))
    )  # fmt: skip
