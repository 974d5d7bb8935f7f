"""One fast signer for every custody: whoever holds the key answers with a raw signature, the rest is the same for all."""

from __future__ import annotations

from dataclasses import dataclass

from pyhanko.sign import signers

from signing.keys import mechanism, parsed
from signing.model import SignerCertificate
from signing.signed_data import DATA, container, signed_attributes


@dataclass(frozen=True)
class KeySigner:
    """A certificate and the *mechanism* its key signs by; the mechanism is always explicit."""

    certificate: SignerCertificate
    mechanism: str

    def attributes(self, digest: bytes) -> bytes:
        """The signed attributes over a document's SHA-256 *digest*: exactly what the key signs."""
        return signed_attributes(self.certificate.der, digest, DATA)

    def container(self, attributes: bytes, signature: bytes, token: bytes | None) -> bytes:
        """The CMS container that goes into the file, with a time-stamp *token* over *signature* for level B-T."""
        return container(self.certificate, self.mechanism, attributes, signature, token)

    def layout(self) -> signers.Signer:
        """What pyHanko wants to know of a signer to lay out the field; it signs nothing."""
        return signers.Signer(signing_cert=parsed(self.certificate.der), signature_mechanism=mechanism(self.mechanism))
