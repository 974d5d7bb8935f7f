"""``motcua key``: keys held by a signing service are made known to the installation."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any
from uuid import UUID

from engine.cli import group, leaf
from engine.errors import NotFound, Refused
from engine.kernel.unit_of_work import UnitOfWork


def add(commands: Any) -> None:
    """Add the commands."""
    found = group(commands, "key", "signing keys held elsewhere")
    one = leaf(found, "connect", connect, "let a key at a signing service (CSC v1, or digests approved on a telephone) be used")
    one.add_argument("holder", help="mail address of the person, or agency code of the agency")
    one.add_argument("place", type=Path, help="JSON: kind (csc | polled), url and what that kind takes; read once, kept by custody")
    one.add_argument("certificate", type=Path, help="PEM: the key's certificate and the chain above it")


def connect(chosen: argparse.Namespace) -> int:
    """Connect and say until when the key may be used."""
    from engine.cli._opening import opened, operator
    from engine.commands import keys

    for path in (chosen.place, chosen.certificate):
        if not path.is_file():
            raise NotFound("file.not_found", name=path.name)
    try:
        place = json.loads(chosen.place.read_text(encoding="utf-8"))
    except ValueError:
        place = None
    if not isinstance(place, dict):
        raise Refused("custody.place_invalid", field=chosen.place.name)
    with opened() as runtime, runtime.begin(operator()) as w:
        kind, holder = holder_of(w, chosen.holder)
        key = keys.connect(w, kind, holder, place, chosen.certificate.read_bytes())
        print(f"{key.reference}: may sign until {key.valid_to.date().isoformat()}, authorised by {key.approval}.")
    return 0


def holder_of(w: UnitOfWork, named: str) -> tuple[str, UUID]:
    """Return the person of a mail address or the agency of a code.

    Raises:
        NotFound: there is neither.
    """
    from sqlalchemy import func, select

    from engine.organisation.model import OrgUnit, Person

    person = w.session.scalars(select(Person.id).where(Person.province == w.province, func.lower(Person.email) == named.lower())).first()
    if person is not None:
        return "person", person
    unit = w.session.scalars(select(OrgUnit.id).where(OrgUnit.province == w.province, OrgUnit.agency_code == named)).first()
    if unit is None:
        raise NotFound("organisation.person_not_found")
    return "agency", unit
