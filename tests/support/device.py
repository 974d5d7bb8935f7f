"""A person of the office whose key is on a USB token: issued, registered by the administrator, signed with as the agent would."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import pkcs12

from engine.commands import keys
from engine.kernel.unit_of_work import Actor
from signing import testpki
from signing.keys import fingerprint, mechanism_for, sign_with
from signing.model import SignerCertificate
from tests.support.office import PEOPLE, Office

P12_PIN = "443322"


@dataclass
class TokenHolder:
    """The certificate on the token and what signs with its key; every content signed is counted."""

    name: str
    folder: Path
    certificate: SignerCertificate
    signed: list[bytes] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """The name of the certificate at the agent."""
        return fingerprint(self.certificate.der)

    def sign(self, content: bytes) -> bytes:
        """What the agent answers when its owner has typed the PIN."""
        opened = pkcs12.load_pkcs12((self.folder / f"{self.name}.p12").read_bytes(), P12_PIN.encode()).key
        assert opened is not None
        self.signed.append(content)
        return sign_with(opened, mechanism_for(self.certificate.der), content)


def issue(office: Office, who: str, *, name: str = "", key_id: str = "") -> TokenHolder:
    """A certificate for somebody, or for the agency (``seal``), not registered yet."""
    pki = testpki.TestPki(office.runtime.settings.home / "pki")
    key_id = key_id or f"{who}-token"
    since = datetime(2024, 1, 1, tzinfo=UTC)
    if who == "seal":
        made = pki.issue_agency(testpki.AgencySpec(key_id, name or "Ủy ban nhân dân phường Mẫu", "H01.02", P12_PIN), valid_from=since)
    else:
        person = testpki.PersonSpec(key_id, name or PEOPLE[who][0], PEOPLE[who][3], "Ủy ban nhân dân phường Mẫu", f"t-{who}", P12_PIN)
        made = pki.issue_person(person, valid_from=since)
    return TokenHolder(key_id, pki.folder / "keys", made)


def register(office: Office, who: str) -> TokenHolder:
    """Somebody's key on a token, in use instead of the one they had."""
    holder = issue(office, who)
    kind, owner = ("agency", office.units["commune"]) if who == "seal" else ("person", office.people[who])
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        # The token holds the signer's certificate alone: those above it are the office's to add.
        keys.register(w, kind, owner, holder.certificate.der)
    return holder
