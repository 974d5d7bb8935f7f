"""Time travel: what a signature of each level proves now, later, and after certificates, authorities and algorithms have ended.

``python -m tests.signing.time_travel [--json] [--write]`` makes every file, moves the clock to every date, judges with and without a
network and prints verdict and reason as a table; ``--write`` puts it into ``docs/signing-time-travel.md``. Leaves end in 2029, the
responder in 2031, the time-stamping authority in 2033, the authorities in 2036; signed on 22 November 2026.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asn1crypto import ocsp
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.authority import AuthorityWithCert
from pyhanko_certvalidator.fetchers.common_utils import format_ocsp_request

from signing import archive, fields, pades, testpki
from signing.archive import raise_level
from signing.authorities import Authorities
from signing.examine import Inquiry, examine
from signing.keys import parsed
from signing.model import LEADER, FieldPlan
from signing.report import Report, Verdict
from signing.tsa import LiveStamper
from tests.support.signing_office import NOW, PINS, VALID_FROM, InProcessSources, Office, letter, plan

PAGE = Path(__file__).parents[2] / "docs" / "signing-time-travel.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"
TIMES = {
    "+1 h": NOW + timedelta(hours=1),
    "+1 d": NOW + timedelta(days=1),
    "+18 m": NOW + timedelta(days=548),
    "leaf expired": datetime(2029, 6, 1, tzinfo=UTC),
    "responder expired": datetime(2031, 6, 1, tzinfo=UTC),
    "TSA expired": datetime(2033, 6, 1, tzinfo=UTC),
    "CA expired": datetime(2036, 6, 1, tzinfo=UTC),
}
WORDS = {Verdict.VALID: "**valid**", Verdict.INSUFFICIENT: "", Verdict.INVALID: "INVALID "}


def make(folder: Path) -> None:
    """The hierarchy whose parts end one after the other."""
    people = [
        testpki.PersonSpec("lan", "Nguyễn Thị Lan", "Giám đốc", "Sở Tư pháp", "0001", PINS["lan"]),
        testpki.PersonSpec("binh", "Trần Văn Bình", "Phó Giám đốc", "Sở Tư pháp", "0002", PINS["binh"], "rsa"),
    ]
    testpki.create(folder, people, [], valid_from=VALID_FROM, years=12, lives={"people": 5, "ocsp": 7, "tsa": 9})


def signed(office: Office, key_id: str = "lan", *, stamped: bool = True, stamped_at: datetime | None = None) -> bytes:
    """One leader's signature, its time-stamp perhaps from another time than claimed."""
    prepared = pades.prepare(
        fields.add_fields(letter(), FieldPlan(leader=plan().leader)), LEADER, office.pki.certificate(key_id), office.now
    )
    raw = office.raw_sign(key_id, prepared.to_sign)
    claimed, office.now = office.now, stamped_at or office.now
    token = office.tsa.token(pades.imprint(raw), office.now) if stamped else None
    office.now = claimed
    return pades.finish(prepared.pdf, prepared.state, raw, token)


def raised(office: Office, pdf: bytes, *, to_archive: bool) -> archive.Raised:
    """The document with evidence, and with an archive stamp."""
    inquiry = Inquiry((office.pki.root,), (office.pki.issuing,), office.now, InProcessSources(office))
    return raise_level(pdf, inquiry, office.tsa, archive=to_archive)


def renewed(office: Office, pdf: bytes, at: datetime) -> archive.Raised:
    """Stamped again at *at*, by authorities that have new certificates."""
    office.now = at
    for role in ("ocsp", "tsa"):
        office.pki.renew_service(role, valid_from=at - timedelta(days=30), years=8)
    office.authorities = Authorities(office.pki)
    return raised(office, pdf, to_archive=True)


def with_store(office: Office, pdf: bytes, answers: list[bytes]) -> bytes:
    """The document with an evidence store of just these status answers."""
    out = io.BytesIO(pdf)
    contents = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures[0].pkcs7_content
    DocumentSecurityStore.add_dss(
        out,
        contents.hex().encode("ascii"),
        certs=[parsed(office.pki.issuing), parsed(office.pki.root)],
        ocsps=[ocsp.OCSPResponse.load(one) for one in answers],
        crls=[],
    )
    return out.getvalue()


def status_answer(office: Office, at: datetime) -> bytes:
    """What the responder said about the leader's certificate at an instant."""
    authority = AuthorityWithCert(parsed(office.pki.issuing))
    request = format_ocsp_request(parsed(office.pki.certificate("lan").der), authority, certid_hash_algo="sha256", request_nonces=False)
    return office.authorities.ocsp(request.dump(), at)


def foreign_stamp(office: Office, pdf: bytes, folder: Path) -> bytes:
    """The document with an archive stamp of an authority nobody knows."""
    testpki.create(folder, [], [], valid_from=VALID_FROM)
    stranger = Office(folder, office.now)
    stamper, out = PdfTimeStamper(LiveStamper(stranger.tsa, office.now)), io.BytesIO()
    pades.settle(stamper.async_timestamp_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), "sha256", output=out))
    return out.getvalue()


def travel(office: Office, at: datetime) -> None:
    """Move the office's clock; services renew their certificates in time, as they must."""
    office.now = at
    for role, until in (("ocsp", 2031), ("tsa", 2033)):
        if until <= at.year < 2036:  # an authority that has ended makes no more certificates
            office.pki.renew_service(role, valid_from=at - timedelta(days=200), years=9)
    office.authorities = Authorities(office.pki)


@dataclass(frozen=True)
class Row:
    """One file: its name and how it is made; *ends* are announced ends of algorithms, *since* the first date it exists at."""

    name: str
    make: Callable[[Office], bytes]
    ends: Mapping[str, str] = field(default_factory=dict)
    since: datetime = NOW


def _revoked(office: Office, at: datetime, make_file: Callable[[Office], bytes]) -> bytes:
    made = make_file(office)
    office.pki.revoke("lan", at)
    return made


def _long(key: str, *, to_archive: bool) -> Callable[[Office], bytes]:
    return lambda office: raised(office, signed(office, key), to_archive=to_archive).pdf


LATE, EARLY, END_OF_RSA = NOW + timedelta(days=200), NOW - timedelta(days=10), {"rsa-2048": "2028-01-01"}
ROWS = (
    Row("B-B", lambda office: signed(office, stamped=False)),
    Row("B-T", signed),
    Row("B-LT", _long("lan", to_archive=False)),
    Row("B-LTA", _long("lan", to_archive=True)),
    Row(
        "B-LTA, renewed in March 2031",
        lambda office: renewed(office, _long("lan", to_archive=True)(office), datetime(2031, 3, 1, tzinfo=UTC)).pdf,
        since=datetime(2031, 3, 1, tzinfo=UTC),
    ),
    Row("a store without evidence", lambda office: with_store(office, signed(office), [])),
    Row("B-LT, RSA 2048 ends in 2028", _long("binh", to_archive=False), END_OF_RSA),
    Row("B-LTA, RSA 2048 ends in 2028", _long("binh", to_archive=True), END_OF_RSA),
    Row("B-T, RSA 2048 ends in 2028", lambda office: signed(office, "binh"), END_OF_RSA),
    Row("B-B, RSA 2048 ends in 2028", lambda office: signed(office, "binh", stamped=False), END_OF_RSA),
    Row("B-B, revoked 200 days later", lambda office: _revoked(office, LATE, lambda o: signed(o, stamped=False))),
    Row("B-T, revoked 200 days later", lambda office: _revoked(office, LATE, signed)),
    Row("B-LTA, revoked 200 days later", lambda office: _revoked(office, LATE, _long("lan", to_archive=True))),
    Row("B-T, revoked before signing", lambda office: _revoked(office, EARLY, signed)),
    Row(
        "revoked before signing, the revocation in its store",
        lambda office: _revoked(office, EARLY, lambda o: b"") or with_store(office, signed(office), [status_answer(office, NOW)]),
    ),
    Row(
        "revoked before signing, an older good answer in its store",
        lambda office: _revoked(
            office, EARLY, lambda o: with_store(o, signed(o), [status_answer(o, NOW - timedelta(days=30))])
        ),
    ),
    Row("stamped after its certificate ended", lambda office: signed(office, stamped_at=datetime(2029, 3, 1, tzinfo=UTC)),
        since=datetime(2029, 3, 1, tzinfo=UTC)),
    Row("stamped before its certificate began", lambda office: signed(office, stamped_at=VALID_FROM - timedelta(days=30))),
    Row(
        "B-LT with an unknown authority's archive stamp",
        lambda office: foreign_stamp(office, _long("lan", to_archive=False)(office), office.folder.parent / "stranger"),
    ),
)  # fmt: skip


def judged(office: Office, pdf: bytes, ends: Mapping[str, str], *, online: bool) -> Report:
    """The report now."""
    sources = InProcessSources(office) if online else None
    return examine(pdf, Inquiry((office.pki.root,), (office.pki.issuing,), office.now, sources, ends))


def said(report: Report) -> str:
    """Verdict and sub-indication; a valid one needs no reason."""
    if report.verdict is Verdict.VALID:
        return WORDS[Verdict.VALID]
    told = report.signatures[0].sub_indication if report.signatures else ", ".join(one.code for one in report.reasons)
    return f"{WORDS[report.verdict]}{told}"


def cells(row: Row, office: Office) -> dict[str, str]:
    """What is said of one file at each time, with a network / without."""
    made, told = row.make(office), {}
    for title, at in TIMES.items():
        if at < row.since:
            told[title] = "–"
            continue
        travel(office, at)
        told[title] = " / ".join(said(judged(office, made, row.ends, online=online)) for online in (True, False))
    return told


def run(folder: Path) -> dict[str, dict[str, str]]:
    """The whole table, each file in an office of its own."""
    make(folder / "made")
    table = {}
    for number, row in enumerate(ROWS):
        table[row.name] = cells(row, Office.copy_of(folder / "made", folder / str(number) / "office"))
        print(row.name, file=sys.stderr)
    return table


def text(table: Mapping[str, Mapping[str, str]]) -> str:
    """The table for a page."""
    head = "| file | " + " | ".join(TIMES) + " |\n|---|" + "---|" * len(TIMES) + "\n"
    return head + "".join(f"| {name} | {' | '.join(row.values())} |\n" for name, row in table.items())


def on_the_page() -> dict[str, dict[str, str]]:
    """The table as the page has it."""
    lines = PAGE.read_text("utf-8").split(BEGIN)[1].split(END)[0].splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]
    return {cells[0]: dict(zip(rows[0][1:], cells[1:], strict=True)) for cells in rows[1:]}


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.signing.time_travel")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help=f"put it into {PAGE.name}")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        table = run(Path(folder))
    if chosen.write:
        page = PAGE.read_text("utf-8")
        PAGE.write_text(page.split(BEGIN)[0] + BEGIN + text(table) + END + page.split(END)[1], "utf-8")
    print(json.dumps(table, ensure_ascii=False) if chosen.json else text(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
