"""How long signing and verifying take on one core, beside stock pyHanko in the same run: ``python benchmarks/sign.py [--rounds N]``.

Prints JSON: milliseconds of processor time per operation (median), and the ratio to the stock signer.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import typst
from cryptography.hazmat.primitives.serialization import pkcs12
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers

from signing import fields, pades, testpki
from signing.archive import raise_level
from signing.authorities import Authorities
from signing.examine import Inquiry, examine
from signing.keys import mechanism_for, sign_with
from signing.model import LEADER, Box, FieldPlan
from signing.revocation import Sources
from signing.tsa import in_process

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
PIN = b"135790"


class _Own(Sources):
    """Evidence from the authorities in this process."""

    def __init__(self, authorities: Authorities) -> None:
        Sources.__init__(self, {}, most_requests=1_000_000)
        self._authorities = authorities

    def _ask(self, url: str, body: bytes, kind: str) -> bytes:
        return self._authorities.ocsp(body, NOW) if body else self._authorities.crl(url.rsplit("/", 1)[-1].removesuffix(".crl"), NOW)


def measure(rounds: int) -> dict[str, float]:
    """All figures."""
    with tempfile.TemporaryDirectory(prefix="motcua-bench-") as folder:
        pki = testpki.create(
            Path(folder) / "pki",
            [testpki.PersonSpec("a", "A", "B", "C", "1", PIN.decode())],
            [],
            valid_from=datetime(2024, 1, 1, tzinfo=UTC),
        )
        return _measure(pki, rounds)


def _measure(pki: testpki.TestPki, rounds: int) -> dict[str, float]:
    page = typst.compile(b"= Letter\n#lorem(200)", pdf_standards=["a-2b"])
    assert isinstance(page, bytes)
    pdf = fields.add_fields(page, FieldPlan(leader=Box(0, 300, 300, 200, 80)))
    container = (pki.folder / "keys" / "a.p12").read_bytes()
    key, certificate = pkcs12.load_pkcs12(container, PIN).key, pki.certificate("a")
    assert key is not None
    authorities = Authorities(pki)
    tsa, name = in_process(authorities.timestamp, lambda: NOW), mechanism_for(certificate.der)
    inquiry = Inquiry((pki.root,), (pki.issuing,), NOW, _Own(authorities))
    stock = signers.SimpleSigner.load_pkcs12_data(container, [], PIN)
    metadata = signers.PdfSignatureMetadata(field_name=LEADER, md_algorithm="sha256")

    def b_b() -> bytes:
        prepared = pades.prepare(pdf, LEADER, certificate, NOW)
        return pades.finish(prepared.pdf, prepared.state, sign_with(key, name, prepared.to_sign))

    def b_t() -> bytes:
        prepared = pades.prepare(pdf, LEADER, certificate, NOW)
        raw = sign_with(key, name, prepared.to_sign)
        return pades.finish(prepared.pdf, prepared.state, raw, tsa.token(pades.imprint(raw), NOW))

    signed = b_t()
    figures = {
        "stock_b_b_ms": _median(lambda: signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), metadata, stock), rounds),
        "b_b_ms": _median(b_b, rounds),
        "b_t_ms": _median(b_t, rounds),
        "raise_to_b_lta_ms": _median(lambda: raise_level(signed, inquiry, tsa), max(3, rounds // 4)),
        "verify_b_t_ms": _median(lambda: examine(signed, inquiry), rounds),
    }
    return figures | {"b_b_to_stock": round(figures["b_b_ms"] / figures["stock_b_b_ms"], 2)}


def _median(act: Callable[[], object], rounds: int) -> float:
    act()
    taken = []
    for _ in range(rounds):
        begun = time.process_time()
        act()
        taken.append((time.process_time() - begun) * 1000)
    return round(statistics.median(taken), 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    print(json.dumps(measure(parser.parse_args().rounds), indent=1))
