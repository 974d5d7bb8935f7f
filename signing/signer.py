"""One fast signer for every custody: only the raw signing operation differs."""

from __future__ import annotations

from collections.abc import Callable

from pyhanko.sign import signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing.keys import mechanism, parsed
from signing.model import SignerCertificate

RawSign = Callable[[bytes], bytes]


class KeySigner(signers.Signer):
    """pyHanko signer around one raw signing function; certificates parsed once, mechanism always explicit."""

    def __init__(self, certificate: SignerCertificate, name: str, raw_sign: RawSign | None = None) -> None:
        store = SimpleCertificateStore()
        store.register_multiple([parsed(der) for der in certificate.chain])
        super().__init__(signing_cert=parsed(certificate.der), cert_registry=store, signature_mechanism=mechanism(name))
        self._raw_sign = raw_sign

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Answer with the raw signature over *data*; a dry run answers with an empty one of the greatest size."""
        if dry_run or self._raw_sign is None:
            return bytes(512)
        return self._raw_sign(data)
