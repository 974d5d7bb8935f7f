"""What is on the tokens plugged into this computer: certificates a person may sign with; reading them needs no PIN."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pkcs11
from asn1crypto import x509
from pkcs11.exceptions import PKCS11Error

from signing.errors import SigningError
from signing.model import SignerCertificate
from signing.token_keys import GONE, TokenKey

SIGNING = frozenset({"digital_signature", "non_repudiation"})


@dataclass(frozen=True)
class DeviceCertificate:
    """One certificate a person may sign with, the certificates above it the token holds, and where its key lives."""

    certificate: SignerCertificate
    key: TokenKey

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate in hex; its name everywhere."""
        return str(x509.Certificate.load(self.certificate.der).sha256.hex())


class Device:
    """The tokens the driver *library* reaches."""

    def __init__(self, library: str) -> None:
        self._library = library

    def certificates(self) -> list[DeviceCertificate]:
        """The certificates for signing on every token that is plugged in.

        Raises:
            SigningError: ``custody.device_failed`` when the driver cannot be loaded or a token does not answer.
        """
        try:
            return list(self._found())
        except (PKCS11Error, RuntimeError) as problem:
            raise SigningError("custody.device_failed") from problem

    def find(self, fingerprint: str) -> DeviceCertificate:
        """The certificate of that name.

        Raises:
            SigningError: ``agent.certificate_missing``, ``custody.device_failed``.
        """
        with contextlib.suppress(SigningError):
            for held in self.certificates():
                if held.fingerprint == fingerprint:
                    return held
        # Some drivers never find a token that was plugged in, or back in, while they ran; started anew they do.
        pkcs11.unload(self._library)
        for held in self.certificates():
            if held.fingerprint == fingerprint:
                return held
        raise SigningError("agent.certificate_missing")

    def _found(self) -> Iterator[DeviceCertificate]:
        for slot in pkcs11.lib(self._library).get_slots(token_present=True):
            try:
                token = slot.get_token()
                if not token.flags & pkcs11.TokenFlag.TOKEN_INITIALIZED:
                    continue
                with token.open() as session:
                    held = [_read(one) for one in session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE})]
            except GONE:
                continue  # pulled out while we looked
            known = {one.subject.dump(): one for _, one in held if one.ca}
            for identifier, one in held:
                if not one.ca and _may_sign(one):
                    above = tuple(link.dump() for link in _above(one, known))
                    yield DeviceCertificate(
                        SignerCertificate(one.dump(), above), TokenKey(self._library, token.label, identifier=identifier)
                    )


def _read(found: Any) -> tuple[str, x509.Certificate]:
    return bytes(found[pkcs11.Attribute.ID]).hex(), x509.Certificate.load(found[pkcs11.Attribute.VALUE])


def _may_sign(certificate: x509.Certificate) -> bool:
    usage = certificate.key_usage_value
    return usage is None or bool(SIGNING & usage.native)


def _above(certificate: x509.Certificate, known: dict[bytes, x509.Certificate]) -> Iterator[x509.Certificate]:
    for _ in known:
        found = known.get(certificate.issuer.dump())
        if found is None or found.dump() == certificate.dump():
            return
        yield found
        certificate = found
