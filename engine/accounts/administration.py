"""Accounts made from the command line and by demonstrations: the first administrator, and whoever needs no invitation."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from sqlalchemy import select

from engine.accounts.model import Account, RoleName
from engine.errors import Refused
from engine.kernel.unit_of_work import UnitOfWork

ADMINISTRATOR = "technical_administrator"
SHORTEST = 10  # characters; length beats rules about kinds of characters (NIST SP 800-63B, section 5.1.1)
HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password, normalised to NFC as keyboards differ in how they compose letters."""
    return HASHER.hash(unicodedata.normalize("NFC", password))


def role(w: UnitOfWork, name: str, description: str = "") -> RoleName:
    """Return the role of the installation, made if it is new."""
    found = w.session.scalars(select(RoleName).where(RoleName.name == name)).one_or_none()
    if found is None:
        found = RoleName(name=name, description=description or None)
        w.session.add(found)
        w.session.flush()
    return found


def create_account(
    w: UnitOfWork,
    email: str,
    display_name: str,
    *,
    password_hash: str | None,
    roles: tuple[str, ...] = (),
    kind: str = "staff",
    demo: bool = False,
) -> Account:
    """Create an account; without *password_hash* nobody signs in to it by password.

    Raises:
        Refused: ``account.email_taken`` or ``account.email_invalid``.
    """
    folded = unicodedata.normalize("NFC", email.strip()).lower()
    if folded.count("@") != 1 or folded.startswith("@") or folded.endswith("@") or any(letter.isspace() for letter in folded):
        raise Refused("account.email_invalid", field="email")
    if w.session.scalars(select(Account.id).where(Account.email == folded)).first() is not None:
        raise Refused("account.email_taken", field="email")
    account = Account(
        email=folded, display_name=display_name, password=password_hash, kind=kind, demo=demo, active=True, created_at=w.now,
        confirmed_at=w.now, roles=[role(w, name) for name in roles],
    )  # fmt: skip
    w.session.add(account)
    w.session.flush()
    w.record("account.created", account=account.id, kind=kind, roles=list(roles))
    return account


def create_administrator(w: UnitOfWork, email: str, display_name: str, password: str) -> Account:
    """Create an account that may administer the installation.

    Raises:
        Refused: when the e-mail address is taken or wrong, or the password too short.
    """
    if len(password) < SHORTEST:
        raise Refused("account.password_short", field="password", shortest=SHORTEST)
    return create_account(w, email, display_name, password_hash=hash_password(password), roles=(ADMINISTRATOR,))
