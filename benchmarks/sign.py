"""How long signing and verifying take on one core, beside stock pyHanko in the same run: ``motcua bench sign [--rounds N] [--json]``.

Milliseconds of processor time per operation (median), the ratio to the stock way, seconds for a batch of 100 documents under one
authorisation, and the most memory signing and verifying a file of 50 MB take, each in a process of its own; each goal with whether it is
kept.

Signing happens in processes that go on, so it is measured warm. Verifying happens in a child made for one document, so whatever the process
remembers of names and certificates is forgotten before each round. Stock pyHanko is measured with its own functions back in their places.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import typst
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import pkcs12
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from signing import container, fields, hastened, keys, pades, testpki
from signing.archive import raise_level
from signing.authorities import Authorities
from signing.evidence import Gathered
from signing.examine import Inquiry, examine
from signing.keys import mechanism_for, parsed, sign_with
from signing.model import LEADER, Box, FieldPlan
from signing.report import Verdict
from signing.revocation import Sources
from signing.tsa import LiveStamper, in_process

ROOT = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
PIN = b"135790"
LARGE = 50 * 1024 * 1024
GOALS = {
    "b_b_ms": 12, "b_t_ms": 26, "b_lta_ms": 40, "verify_ms": 50, "verify_with_pages_ms": 200, "batch_100_s": 5, "memory_50_mb_mib": 300,
    "memory_50_mb_verified_mib": 300,
}  # fmt: skip


@contextmanager
def _stock() -> Iterator[None]:
    """The libraries as they are delivered."""
    generic.read_hex_string_from_stream = hastened.read_slowly
    asn1_x509.NameTypeAndValue._ldap_string_prep = hastened.prepare_slowly
    asn1_x509.RDNSequence.__eq__ = hastened.same_slowly
    asn1_x509.RDNSequence.hashable = property(hastened.key_slowly)
    for kind, dump in hastened.dump_slowly.items():
        kind.dump = dump
    try:
        yield
    finally:
        hastened.hasten()


def _forget() -> None:
    """Be as a process that has seen no document yet."""
    for kept in (hastened._prepared, hastened._same, hastened._key, keys.parsed, container._issued):
        kept.cache_clear()


class _Own(Sources):
    """Evidence from the authorities in this process; warm: each answer is made once."""

    def __init__(self, authorities: Authorities) -> None:
        Sources.__init__(self, {}, most_requests=1_000_000)
        self._authorities = authorities

    def _ask(self, url: str, body: bytes, kind: str) -> bytes:
        return self._authorities.ocsp(body, NOW) if body else self._authorities.crl(url.rsplit("/", 1)[-1].removesuffix(".crl"), NOW)


class Desk:
    """A key, its hierarchy and a letter."""

    def __init__(self, folder: Path, algorithm: str = "ecdsa") -> None:
        person = testpki.PersonSpec("a", "A", "B", "C", "1", PIN.decode(), algorithm)
        self.pki = testpki.create(folder / "pki", [person], [], valid_from=datetime(2024, 1, 1, tzinfo=UTC))
        page = typst.compile(b"= Letter\n#lorem(200)", pdf_standards=["a-2b"])
        assert isinstance(page, bytes)
        self.pdf = fields.add_fields(page, FieldPlan(leader=Box(0, 300, 300, 200, 80)))
        self.container = (self.pki.folder / "keys" / "a.p12").read_bytes()
        self.key, self.certificate = pkcs12.load_pkcs12(self.container, PIN).key, self.pki.certificate("a")
        self.authorities = Authorities(self.pki)
        self.tsa, self.name = in_process(self.authorities.timestamp, lambda: NOW), mechanism_for(self.certificate.der)
        self.inquiry, self.gathered = self.asked_anew(), Gathered()
        self.stock = signers.SimpleSigner.load_pkcs12_data(self.container, [], PIN)

    def asked_anew(self) -> Inquiry:
        """An inquiry whose sources have answered nothing yet."""
        return Inquiry((self.pki.root,), (self.pki.issuing,), NOW, _Own(self.authorities))

    def b_b(self, pdf: bytes | None = None) -> bytes:
        """Signed."""
        assert self.key is not None
        prepared = pades.prepare(pdf or self.pdf, LEADER, self.certificate, NOW)
        return pades.finish(prepared.pdf, prepared.state, sign_with(self.key, self.name, prepared.to_sign))

    def b_t(self) -> bytes:
        """Signed and time-stamped."""
        assert self.key is not None
        prepared = pades.prepare(self.pdf, LEADER, self.certificate, NOW)
        raw = sign_with(self.key, self.name, prepared.to_sign)
        return pades.finish(prepared.pdf, prepared.state, raw, self.tsa.token(pades.imprint(raw), NOW))

    def b_lta(self) -> bytes:
        """Signed, time-stamped, with evidence and archive stamp, and read back."""
        raised = raise_level(self.b_t(), self.inquiry, self.tsa, gathered=self.gathered)
        assert raised.level == "B-LTA"
        return raised.pdf

    def stock_b_b(self) -> bytes:
        """Signed the way pyHanko's manual does it."""
        metadata = signers.PdfSignatureMetadata(field_name=LEADER, md_algorithm="sha256")
        return signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(self.pdf)), metadata, self.stock).getvalue()

    def stock_b_t(self) -> bytes:
        """The same with a time stamp."""
        metadata = signers.PdfSignatureMetadata(field_name=LEADER, md_algorithm="sha256")
        writer = IncrementalPdfFileWriter(io.BytesIO(self.pdf))
        return signers.sign_pdf(writer, metadata, self.stock, timestamper=LiveStamper(self.tsa, NOW)).getvalue()

    def stock_b_lta(self) -> bytes:
        """Signed, stamped, with evidence and archive stamp, the way pyHanko's manual does it; the evidence is in this process as well."""
        sources = self.inquiry.sources
        assert sources is not None
        context = ValidationContext(
            trust_roots=[parsed(self.pki.root)],
            other_certs=[parsed(self.pki.issuing)],
            allow_fetching=True,
            revocation_mode="require",
            fetchers=sources.get_fetchers(),
            moment=NOW,
        )
        metadata = signers.PdfSignatureMetadata(
            field_name=LEADER,
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            embed_validation_info=True,
            validation_context=context,
            use_pades_lta=True,
        )
        writer = IncrementalPdfFileWriter(io.BytesIO(self.pdf))
        return signers.sign_pdf(writer, metadata, self.stock, timestamper=LiveStamper(self.tsa, NOW)).getvalue()

    def stock_verify(self, pdf: bytes) -> object:
        """Verified the way pyHanko's manual does it: path and integrity, no revocation, no guards."""
        signature = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures[0]
        context = ValidationContext(trust_roots=[parsed(self.pki.root)], other_certs=[parsed(self.pki.issuing)], moment=NOW)
        return validate_pdf_signature(signature, context)


def measure(rounds: int) -> dict[str, Any]:
    """All figures, each with its goal where it has one."""
    with tempfile.TemporaryDirectory(prefix="motcua-bench-") as folder:
        desk = Desk(Path(folder))
        signed = desk.b_t()
        lasting = raise_level(signed, desk.inquiry, desk.tsa).pdf
        with _stock():
            figures: dict[str, Any] = {
                "stock_b_b_ms": _median(desk.stock_b_b, rounds),
                "stock_b_t_ms": _median(desk.stock_b_t, rounds),
                "stock_b_lta_ms": _median(desk.stock_b_lta, rounds),
                "stock_verify_ms": _median(lambda: desk.stock_verify(signed), rounds),
            }
        figures |= {
            "b_b_ms": _median(desk.b_b, rounds),
            "b_t_ms": _median(desk.b_t, rounds),
            "b_lta_ms": _median(desk.b_lta, rounds),
            "b_lta_first_ms": _median(lambda: raise_level(desk.b_t(), desk.asked_anew(), desk.tsa), rounds),
            "verify_ms": _median(lambda: examine(signed, desk.inquiry, second_view=False), rounds, _forget),
            "verify_with_pages_ms": _median(lambda: examine(signed, desk.inquiry), rounds, _forget),
            "verify_b_lta_with_pages_ms": _median(lambda: examine(lasting, desk.inquiry), rounds, _forget),
            "batch_100_s": round(_once(lambda: [desk.b_t() for _ in range(100)]) / 1000, 2),
            "batch_100_b_lta_s": round(_once(lambda: [desk.b_lta() for _ in range(100)]) / 1000, 2),
        }
    signing, verifying = _memory()
    figures |= {"memory_50_mb_mib": signing, "memory_50_mb_verified_mib": verifying}
    for name in ("b_b", "b_t", "b_lta", "verify"):
        figures[f"{name}_to_stock"] = round(figures[f"{name}_ms"] / figures[f"stock_{name}_ms"], 2)
    figures["goals"] = {name: {"limit": limit, "kept": figures[name] <= limit} for name, limit in GOALS.items()}
    return figures


def _once(act: Callable[[], object]) -> float:
    begun = time.process_time()
    act()
    return (time.process_time() - begun) * 1000


def _median(act: Callable[[], object], rounds: int, before: Callable[[], object] = lambda: None) -> float:
    act()
    times = []
    for _ in range(rounds):
        before()
        times.append(_once(act))
    return round(statistics.median(times), 1)


def _memory() -> tuple[int, int]:
    """The most resident memory (MiB) of a process that signs 50 MB and of one that verifies them, libraries included."""
    with tempfile.TemporaryDirectory(prefix="motcua-bench-") as folder:
        desk = Desk(Path(folder))
        with pikepdf.open(io.BytesIO(desk.pdf)) as pdf:
            picture = pdf.make_stream(os.urandom(LARGE), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 1, 1])
            pdf.pages[0].obj.Resources.XObject = pikepdf.Dictionary(Large=picture)
            pdf.save(Path(folder) / "large.pdf", compress_streams=False)
        told = []
        for act in LARGE_ACTS:
            command = [sys.executable, __file__, "--large", folder, "--act", act]
            told.append(int(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout))
    return told[0], told[1]


def large(folder: Path) -> int:
    """Sign the large file of *folder* in this process; the most memory it took (MiB)."""
    pki = testpki.TestPki(folder / "pki")
    certificate = pki.certificate("a")
    key = pkcs12.load_pkcs12((folder / "pki" / "keys" / "a.p12").read_bytes(), PIN).key
    assert key is not None
    prepared = pades.prepare((folder / "large.pdf").read_bytes(), LEADER, certificate, NOW)
    signature = sign_with(key, mechanism_for(certificate.der), prepared.to_sign)
    finished = pades.finish(prepared.pdf, prepared.state, signature)
    most = _peak()
    assert len(finished) > LARGE
    (folder / "signed.pdf").write_bytes(finished)
    return most


def large_verified(folder: Path) -> int:
    """Verify the large file that was signed, both readers and the pages included; the most memory it took (MiB)."""
    pki = testpki.TestPki(folder / "pki")
    report = examine((folder / "signed.pdf").read_bytes(), Inquiry((pki.root,), (pki.issuing,), NOW, None))
    assert report.verdict is Verdict.INSUFFICIENT, "offline nothing answers for its certificate"
    return _peak()


LARGE_ACTS = {"sign": large, "verify": large_verified}


def _peak() -> int:
    """The most resident memory of this process (MiB); what Linux reports by rusage goes back to before the program was loaded."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 * 1024 if sys.platform == "darwin" else 1024)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.sign")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--large", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--act", choices=LARGE_ACTS, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    print(LARGE_ACTS[chosen.act](chosen.large) if chosen.large else json.dumps(measure(chosen.rounds), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
