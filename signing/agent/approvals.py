"""What waits for its owner at the agent: one approval at a time, up to a hundred documents, one PIN; each answer kept by its content.

``waiting`` → ``signed``, or ``refused``, ``withdrawn`` (by the page that asked), ``replaced`` (by a newer one), ``expired``, ``failed``.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from signing.agent.contents import check_code, require_attributes
from signing.agent.device import Device, DeviceCertificate
from signing.errors import SigningError
from signing.vault import Vault

State = Literal["waiting", "signed", "refused", "withdrawn", "replaced", "expired", "failed"]
MOST = 100
LONGEST_NAME = 300
SECONDS = 600.0
_KEPT = 20
# Another PIN does not help: what was asked is over.
_FINAL = frozenset({"signing.pin_locked", "custody.device_weak", "custody.key_unknown"})
ENDED: dict[State, str] = {
    "refused": "agent.refused",
    "withdrawn": "agent.withdrawn",
    "replaced": "agent.replaced",
    "expired": "agent.expired",
}


@dataclass(frozen=True)
class Asked:
    """One document to sign: what the office calls it, and the very bytes the key signs."""

    name: str
    content: bytes

    @property
    def check_code(self) -> str:
        """Compared by the signer with what the signing room shows."""
        return check_code(self.content)


@dataclass
class Approval:
    """One act of signing and how it stands; *code* says why nothing was signed."""

    certificate: str
    documents: tuple[Asked, ...]
    language: str
    until: float
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    state: State = "waiting"
    code: str = ""
    signatures: tuple[bytes, ...] = ()

    @property
    def contents(self) -> list[bytes]:
        """What the key signs, in the order asked."""
        return [one.content for one in self.documents]


class Approvals:
    """The approvals of one agent; what a key has answered is kept in *vault* and never asked of the token again."""

    def __init__(self, device: Device, vault: Vault, clock: Callable[[], float] = time.monotonic) -> None:
        self._device, self._vault, self._clock = device, vault, clock
        self._guard = threading.Lock()
        self._plug = threading.Lock()  # one at a time at the device: its driver may be started anew
        self._known: dict[str, Approval] = {}

    def ask(self, certificate: str, documents: Sequence[Asked], language: str = "vi") -> Approval:
        """Put documents before the owner; the same ones asked again are the same approval, those signed before are answered at once.

        Raises:
            SigningError: ``agent.batch_size``, ``agent.content_strange``, ``agent.certificate_missing``, ``custody.device_failed``.
        """
        if not 0 < len(documents) <= MOST:
            raise SigningError("agent.batch_size", most=MOST)
        if certificate in self._vault.key_ids():
            given = self._vault.answered(certificate, [one.content for one in documents])
            if all(isinstance(one, bytes) for one in given):
                # No token is needed to repeat an answer: it may have been pulled out since.
                return self._keep(self._made(certificate, documents, language, tuple(one for one in given if isinstance(one, bytes))))
        with self._plug:
            self._find_key(certificate)
        der = self._vault.certificate(certificate).der
        for one in documents:
            if not one.name or len(one.name) > LONGEST_NAME:
                raise SigningError("agent.content_strange")
            require_attributes(one.content, der)
        wanted = [one.content for one in documents]
        with self._guard:
            for known in self._waiting():
                if (known.certificate, known.contents) == (certificate, wanted):
                    return known
                known.state, known.code = "replaced", ENDED["replaced"]
        return self._keep(self._made(certificate, documents, language, ()))

    def find(self, approval_id: str) -> Approval:
        """One approval, as it stands now.

        Raises:
            SigningError: ``agent.approval_unknown``.
        """
        with self._guard:
            self._waiting()
            known = self._known.get(approval_id)
        if known is None:
            raise SigningError("agent.approval_unknown")
        return known

    def sign(self, approval_id: str, pin: bytearray) -> Approval:
        """Sign with the owner's PIN; a wrong one leaves the approval waiting.

        Raises:
            SigningError: ``signing.pin_wrong`` (fact ``left``), ``custody.device_missing``, ``custody.device_failed``: may be tried again.
        """
        known = self.find(approval_id)
        if known.state != "waiting":
            return known
        try:
            with self._plug:
                self._find_key(known.certificate)
                given = self._vault.sign(known.certificate, pin, known.contents)
        except SigningError as problem:
            if problem.code not in _FINAL:
                raise
            return self._end(known, "failed", "agent.pin_locked" if problem.code == "signing.pin_locked" else problem.code)
        with self._guard:
            # Withdrawn while the token was signing: the answer is kept by its content, asked again it is the same one.
            if known.state == "waiting":
                known.state, known.signatures = "signed", tuple(one for one in given if isinstance(one, bytes))
        return known

    def refuse(self, approval_id: str) -> Approval:
        """The owner says no."""
        return self._end(self.find(approval_id), "refused")

    def withdraw(self, approval_id: str) -> Approval:
        """The page that asked no longer wants it."""
        return self._end(self.find(approval_id), "withdrawn")

    def answered(self, certificate: str, contents: Sequence[bytes]) -> list[bytes | None]:
        """What the key has signed before, None where it has signed nothing; neither PIN nor token is needed."""
        if certificate not in self._vault.key_ids():
            return [None] * len(contents)
        return [one if isinstance(one, bytes) else None for one in self._vault.answered(certificate, contents)]

    def owner(self, approval: Approval) -> bytes:
        """The certificate (DER) an approval is for."""
        return self._vault.certificate(approval.certificate).der

    def unlock(self) -> None:
        """Give every key its tries back; the owner of this computer asks."""
        for key_id in self._vault.key_ids():
            self._vault.unlock(key_id)

    def certificates(self) -> list[DeviceCertificate]:
        """What is plugged in.

        Raises:
            SigningError: ``custody.device_failed``.
        """
        with self._plug:
            return self._device.certificates()

    def _find_key(self, certificate: str) -> None:
        held = self._device.find(certificate)
        self._vault.hold(certificate, held.key, held.certificate)

    def _made(self, certificate: str, documents: Sequence[Asked], language: str, signatures: tuple[bytes, ...]) -> Approval:
        made = Approval(certificate, tuple(documents), language, self._clock() + SECONDS, signatures=signatures)
        if signatures:
            made.state = "signed"
        return made

    def _keep(self, made: Approval) -> Approval:
        with self._guard:
            self._known[made.id] = made
            for oldest in list(self._known)[:-_KEPT]:
                del self._known[oldest]
        return made

    def _end(self, known: Approval, state: State, code: str = "") -> Approval:
        with self._guard:
            if known.state == "waiting":
                known.state, known.code = state, code or ENDED[state]
        return known

    def _waiting(self) -> list[Approval]:
        """Those still waiting, under the guard; what has waited too long is over."""
        for known in self._known.values():
            if known.state == "waiting" and known.until <= self._clock():
                known.state, known.code = "expired", ENDED["expired"]
        return [known for known in self._known.values() if known.state == "waiting"]
