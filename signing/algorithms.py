"""Which algorithms may still be relied on, and until when: what was proven before an algorithm's end stays proven.

Weak from the start: MD5, SHA-1, RSA below 2048 bits (Thông tư 15/2025/TT-BKHCN, annex I, as transcribed publicly; to be compared with the
gazette).
Ends lying ahead are announced by the authority that runs the system, not guessed here: `Sunset` takes them as data.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from asn1crypto import algos, keys
from pyhanko_certvalidator.policy_decl import AlgorithmUsageConstraint, DisallowWeakAlgorithmsPolicy


class Sunset(DisallowWeakAlgorithmsPolicy):
    """Refuses weak algorithms always, others after their end.

    *ends* maps a name (``sha256``, ``rsa``, ``rsa-2048``: RSA keys below 3072 bits, ``ecdsa``, ``ecdsa-256``) to the first instant
    (ISO 8601) at which it proves nothing new.
    """

    def __init__(self, ends: Mapping[str, str] | None = None) -> None:
        DisallowWeakAlgorithmsPolicy.__init__(self)
        self._ends = {name: _instant(text) for name, text in (ends or {}).items()}

    def digest_algorithm_allowed(self, algo: algos.DigestAlgorithm, moment: datetime | None) -> AlgorithmUsageConstraint:
        """Whether a digest may be relied on at *moment*."""
        weak = super().digest_algorithm_allowed(algo, moment)
        return weak if not weak.allowed else self._until([str(algo["algorithm"].native)], moment)

    def signature_algorithm_allowed(
        self, algo: algos.SignedDigestAlgorithm, moment: datetime | None, public_key: keys.PublicKeyInfo | None
    ) -> AlgorithmUsageConstraint:
        """Whether a signature mechanism with this key may be relied on at *moment*."""
        weak = super().signature_algorithm_allowed(algo, moment, public_key)
        return weak if not weak.allowed else self._until(_names(algo, public_key), moment)

    def _until(self, names: list[str], moment: datetime | None) -> AlgorithmUsageConstraint:
        ends = [self._ends[name] for name in names if name in self._ends]
        if not ends:
            return AlgorithmUsageConstraint(allowed=True)
        end = min(ends)
        reached = moment is None or moment >= end
        return AlgorithmUsageConstraint(
            allowed=not reached, not_allowed_after=end, failure_reason=f"ended {end.date()}" if reached else None
        )


def _names(algo: algos.SignedDigestAlgorithm, key: keys.PublicKeyInfo | None) -> list[str]:
    def known(read: Any) -> str:
        try:
            return str(read())
        except ValueError:
            return ""

    family = "rsa" if known(lambda: algo.signature_algo).startswith("rsa") else known(lambda: algo.signature_algo)
    bits = key.bit_size if key is not None else 0
    size = "rsa-2048" if family == "rsa" and bits < 3072 else f"{family}-{bits}"
    return [family, size, known(lambda: algo.hash_algo)]


def _instant(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
