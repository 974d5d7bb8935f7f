"""Where keys held by a signing service live: ``<key_id>.remote.json`` beside the certificate, readable by the custody process only.

``kind`` is ``csc`` (Cloud Signature Consortium, PIN for each authorisation) or ``polled`` (the owner approves on a telephone).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from signing.errors import SigningError
from signing.model import Json, SignerCertificate
from signing.remote import CloudKey, PolledKey, RemoteAnswer, Service

SUFFIX = ".remote.json"
KINDS = ("csc", "polled")
# Nobody knows whether the service has signed; what it has signed may still be asked for, nothing may be sent again.
UNCERTAIN = frozenset({"custody.remote_down", "custody.remote_late"})


@dataclass(frozen=True)
class RemotePlace:
    """One key at a service. *pause* seconds lie between two questions, *questions* are asked before the person's own wait ends."""

    kind: Literal["csc", "polled"]
    url: str
    token: str = field(default="", repr=False)
    credential: str = ""
    provider: str = ""
    password: str = field(default="", repr=False)
    user: str = ""
    pause: float = 4
    questions: int = 10

    @classmethod
    def from_json(cls, told: Json) -> RemotePlace:
        """Read a place.

        Raises:
            SigningError: ``custody.place_invalid``, with the field.
        """
        known = {name: told[name] for name in cls.__dataclass_fields__ if name in told}
        needed = {"csc": ("url", "credential"), "polled": ("url", "provider", "password", "user")}.get(str(told.get("kind")))
        if needed is None:
            raise SigningError("custody.place_invalid", field="kind")
        for name in needed:
            if not isinstance(known.get(name), str) or not known[name]:
                raise SigningError("custody.place_invalid", field=name)
        for name in set(told) - set(known):
            raise SigningError("custody.place_invalid", field=name)
        return cls(**known)

    @classmethod
    def read(cls, path: Path) -> RemotePlace:
        """Read the place of a key."""
        return cls.from_json(json.loads(path.read_text()))

    def to_json(self) -> Json:
        """The place as it is kept, secrets included."""
        return asdict(self)

    @property
    def needs_pin(self) -> bool:
        """Whether an authorisation takes a PIN; otherwise the owner approves on a telephone."""
        return self.kind == "csc"

    def sign(self, pin: str, certificate: SignerCertificate, contents: Sequence[bytes], transaction: str) -> list[RemoteAnswer]:
        """Ask once for signatures over *contents*.

        Raises:
            SigningError: ``custody.remote_down``, ``custody.remote_late``, ``custody.remote_refused``, ``custody.remote_nonsense``.
        """
        if self.kind == "csc":
            return CloudKey(self._service(), self.credential, pin).sign(certificate, contents)
        return self._polled(transaction, self.questions).sign(certificate, contents)

    def fetch(self, certificate: SignerCertificate, contents: Sequence[bytes], transaction: str) -> list[RemoteAnswer]:
        """Ask once what became of an earlier request; sends nothing that could be signed.

        Raises:
            SigningError: ``custody.answer_gone`` when this kind of service cannot tell, otherwise as ``sign``.
        """
        if self.kind == "csc":
            raise SigningError("custody.answer_gone")
        return self._polled(transaction, 1).resume(certificate, contents)

    def _service(self) -> Service:
        return Service(self.url, self.token)

    def _polled(self, transaction: str, questions: int) -> PolledKey:
        return PolledKey(self._service(), self.provider, self.password, self.user, transaction, self.pause, questions)
