"""``motcua migrate | prepare | backup | restore | admin``: the installation itself."""

from __future__ import annotations

import argparse
import getpass
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from engine.cli import group, leaf
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.kernel.unit_of_work import UnitOfWork

POSTS = {
    "technical_administrator": "Quản trị kỹ thuật",
    "procedure_designer": "Quản trị nghiệp vụ",
    "procedure_approver": "Người duyệt quy trình",
}
"""What the first administrator may do: enough for the first hour of an empty installation."""


def add(commands: Any) -> None:
    """Add the commands."""
    leaf(commands, "migrate", migrate, "bring the database's schema up to date")
    leaf(commands, "prepare", prepare, "make the home ready: schema and TEST certificates (what serve does first)")
    backup = leaf(commands, "backup", save, "write database and documents into a folder")
    backup.add_argument("folder", type=Path)
    restore = leaf(commands, "restore", bring_back, "bring a backup into an empty home")
    restore.add_argument("folder", type=Path)
    admin = group(commands, "admin", "administrators of the installation")
    create = leaf(admin, "create", create_admin, "create an administrator's account")
    create.add_argument("email")
    create.add_argument("--name", default="Quản trị hệ thống", help="how the account is shown")
    create.add_argument("--agency", default="Cơ quan quản trị hệ thống", help="the agency the administrator belongs to")
    create.add_argument("--agency-code", default="QTHT", help="its agency code")
    create.add_argument("--basis", default="", help="the decision of appointment")
    create.add_argument("--password-stdin", action="store_true", help="read the password from standard input instead of asking")


def migrate(chosen: argparse.Namespace) -> int:
    """Migrate and say whether the application has a role of its own."""
    from engine.kernel.install import install
    from engine.kernel.postgres import owner_url
    from engine.migrations import make_schema

    settings = Settings.from_environment()
    with owner_url(settings) as url:
        separate = install(url, settings.secret_key, make_schema)
    print(
        "The schema is up to date."
        if separate
        else "The schema is up to date; this user may make no roles, so the application works as the owner."
    )
    return 0


def prepare(chosen: argparse.Namespace) -> int:
    """Migrate and make the TEST hierarchy of keys when the home has none."""
    from signing import testpki

    migrate(chosen)
    settings = Settings.from_environment()
    pki = settings.home / "pki"
    if not (pki / "root.der").exists():
        # Valid since before the demonstration's first dossier, whose clock stood in the past.
        testpki.create(pki, [], [], valid_from=datetime.now(UTC) - timedelta(days=3 * 365))
        print("TEST hierarchy of certificates made.")
    return 0


def create_admin(chosen: argparse.Namespace) -> int:
    """Create an account with the posts of the first hour."""
    from engine.accounts.administration import create_administrator
    from engine.cli._opening import opened, operator
    from engine.commands import organisation

    password = sys.stdin.readline().rstrip("\n") if chosen.password_stdin else _asked_password()
    with opened() as runtime, runtime.begin(operator()) as w:
        account = create_administrator(w, chosen.email, chosen.name, password)
        today = w.now.astimezone(runtime.settings.zone).date()
        person = organisation.add_person(w, chosen.name, email=account.email, account_id=account.id)
        unit = administration_unit(w, chosen.agency, chosen.agency_code, today)
        for role, title in POSTS.items():
            post = organisation.add_position(w, unit, title, role)
            organisation.appoint(w, person.id, post.id, today, basis=chosen.basis)
        number = account.id
    print(f"Account {number} may sign in and administer.")
    return 0


def administration_unit(w: UnitOfWork, name: str, code: str, today: date) -> UUID:
    """Return the unit administrators belong to: the one with this agency code, established if it is new."""
    from sqlalchemy import select

    from engine.commands import organisation
    from engine.organisation.model import OrgUnit

    known = w.session.scalars(select(OrgUnit.id).where(OrgUnit.province == w.province, OrgUnit.agency_code == code)).first()
    return known or organisation.add_unit(w, name=name, level="province", agency_code=code, valid_from=today).id


def _asked_password() -> str:
    while True:
        first = getpass.getpass("Password: ")
        if first == getpass.getpass("Again: "):
            return first
        print("The two differ.", file=sys.stderr)


def save(chosen: argparse.Namespace) -> int:
    """Write a backup."""
    from engine.kernel import backup
    from engine.kernel.postgres import owner_url

    settings = Settings.from_environment()
    with owner_url(settings) as url:
        kept = backup.save(url, settings.blobs, chosen.folder)
    print(f"{kept.lines} journal lines, {kept.blobs} documents in {chosen.folder}. Keys are backed up apart: {settings.home / 'keys'}")
    return 0


def bring_back(chosen: argparse.Namespace) -> int:
    """Restore a backup and check it."""
    from engine.kernel import backup
    from engine.kernel.install import install
    from engine.kernel.postgres import owner_url
    from engine.migrations import make_schema

    settings = Settings.from_environment()
    with owner_url(settings) as url:
        kept = backup.restore(url, settings.blobs, chosen.folder)
        install(url, settings.secret_key, make_schema)
    print(f"{kept.lines} journal lines and {kept.blobs} documents are back. Check them: motcua audit verify")
    return 0
