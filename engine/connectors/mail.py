"""Mail: over SMTP, or, when no server is set, as .eml files in the home's ``mail`` folder."""

from __future__ import annotations

import hashlib
import os
import re
import smtplib
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy import select

from engine.connectors import Message
from engine.dossier.model import Dossier
from engine.kernel.sealing import Sealing, place
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.organisation.model import Person
from engine.procedure.registry import ProcedureCache
from engine.settings import Settings

TIMEOUT = 20  # seconds
TEXTS = Path(__file__).with_name("notices.toml")


@dataclass(frozen=True)
class Letter:
    """One mail, ready to go; ``repr`` shows no address."""

    key: str
    mail: EmailMessage

    def __repr__(self) -> str:
        return f"Letter({self.key!r})"


class MailConnector:
    """Sends notices; the Message-ID is made from the message's key, so a repeated delivery is recognised as one mail."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def prepare(self, w: UnitOfWork, message: Message) -> Letter | None:
        """Read the address and write the notice of the payload's template; None when the owner or the official has no address."""
        dossier = w.session.scalars(
            select(Dossier).where(Dossier.province == w.province, Dossier.id == UUID(message.payload["dossier"]))
        ).one_or_none()
        if dossier is None:
            return None
        inside = "person" in message.payload
        address = of_person(w, UUID(message.payload["person"])) if inside else of_owner(w, dossier)
        if not address:
            return None
        facts = {"code": dossier.code, "url": f"{self._settings.address}/{'desk/dossiers' if inside else 'tra-cuu'}/{dossier.code}"}
        texts = written(w, dossier, str(message.payload.get("template")))
        mail = EmailMessage()
        mail["To"], mail["From"] = address, self._settings.mail_from
        mail["Subject"] = filled(texts["subject"], facts)
        mail["Date"] = w.now
        mail["Message-ID"] = f"<{hashlib.sha256(message.key.encode()).hexdigest()[:32]}@{urlsplit(self._settings.address).hostname}>"
        mail.set_content(filled(texts["text"], facts).strip() + "\n")
        return Letter(message.key, mail)

    def deliver(self, prepared: Letter) -> Json:
        """Hand the mail to the SMTP server, or drop it as a file named after its key."""
        if self._settings.smtp_url is None:
            return drop(self._settings.home / "mail", prepared)
        return _submit(self._settings.smtp_url, prepared.mail)


def of_owner(w: UnitOfWork, dossier: Dossier) -> str:
    """Return the owner's address, opened; empty when none was left."""
    party = dossier.party("owner")
    if party is None or party.email_sealed is None:
        return ""
    return w.part(Sealing).open(party.email_sealed, place("party", party.id, "email"))


def of_person(w: UnitOfWork, person_id: UUID) -> str:
    """Return an official's address."""
    person = w.session.get(Person, (w.province, person_id))
    return person.email if person is not None else ""


def written(w: UnitOfWork, dossier: Dossier, template: str) -> Mapping[str, str]:
    """Return subject and text of a notice: the procedure's own, Vietnamese before English, or the system's."""
    own = w.part(ProcedureCache).package(w, dossier.procedure_version_id).notices.get(template)
    if own is None:
        return notices().get(template, notices()["default"])
    subject, body = own["subject"], own["text"]
    return {"subject": str(subject["vi"]), "text": f"{body['vi']}\n{{url}}\n\n{body.get('en', '')}"}


def filled(text: str, facts: Mapping[str, str]) -> str:
    """Return a text with its known words in braces filled; others stay as they are, a designer's slip must lose no mail."""
    return re.sub(r"\{(\w+)\}", lambda found: facts.get(found[1], found[0]), text)


def drop(folder: Path, letter: Letter) -> Json:
    """Write the mail as a file; delivered twice it is still one file."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"{hashlib.sha256(letter.key.encode()).hexdigest()[:24]}.eml"
    draft = target.with_suffix(f".{os.getpid()}")
    draft.write_bytes(bytes(letter.mail))
    draft.replace(target)
    return {"file": target.name}


def _submit(url: str, mail: EmailMessage) -> Json:
    parts = urlsplit(url)
    host, trust = parts.hostname or "localhost", ssl.create_default_context()
    client: Any
    if parts.scheme == "smtps":
        client = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT, context=trust)
    else:
        client = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT)
    with client:
        if parts.scheme == "smtp" and client.has_extn("starttls"):
            client.starttls(context=trust)
        if parts.username:
            client.login(unquote(parts.username), unquote(parts.password or ""))
        client.send_message(mail)
    return {"server": host}


@cache
def notices() -> dict[str, dict[str, str]]:
    """Return the texts of notices by template."""
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))
