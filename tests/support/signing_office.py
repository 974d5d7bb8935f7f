"""A small office for tests of signatures: its TEST hierarchy, two leaders, an agency, keys opened without a custody process."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typst
from cryptography.hazmat.primitives.serialization import pkcs12

from signing import appearance, fields, pades, testpki
from signing.authorities import Authorities
from signing.errors import SigningError
from signing.examine import Inquiry, examine
from signing.keys import mechanism_for, sign_with
from signing.model import AGENCY, LEADER, Box, FieldPlan, TextField
from signing.report import Report
from signing.revocation import Sources
from signing.tsa import TimeStampClient, in_process

FONTS = Path(__file__).parents[2] / "webapp" / "assets" / "node_modules" / "@expo-google-fonts" / "tinos"
FONT = FONTS / "400Regular" / "Tinos_400Regular.ttf"
PINS = {"lan": "135790", "binh": "246801", "agency": "975310", "canary": "Ca-Na-Ry-774411"}
VALID_FROM = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 2, 5, 11, tzinfo=UTC)

LETTER = """
#set page(paper: "a4", margin: 25mm)
#set text(font: "Tinos", 13pt, lang: "vi")
#set document(title: "Quyết định")
#align(center)[*QUYẾT ĐỊNH*]
Số: #h(3cm)/QĐ-STP
#v(2cm)
#lorem(60)
"""


@contextmanager
def refused(code: str) -> Iterator[dict[str, Any]]:
    """Expect exactly this code; its facts are in the mapping afterwards."""
    facts: dict[str, Any] = {}
    with pytest.raises(SigningError) as caught:
        yield facts
    assert caught.value.code == code, dict(caught.value.facts)
    facts.update(caught.value.facts)


def wait_for(ready: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until *ready*, or fail."""
    until = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.02)


def make_hierarchy(folder: Path) -> None:
    """The hierarchy of the tests, made once a session and copied."""
    people = [
        testpki.PersonSpec("lan", "Nguyễn Thị Lan", "Giám đốc", "Sở Tư pháp", "0001", PINS["lan"]),
        testpki.PersonSpec("binh", "Trần Văn Bình", "Phó Giám đốc", "Sở Tư pháp", "0002", PINS["binh"], "rsa"),
        testpki.PersonSpec("canary", "Lê Chim Hoàng Yến", "Phó Giám đốc", "Sở Tư pháp", "0003", PINS["canary"]),
    ]
    testpki.create(folder, people, [testpki.AgencySpec("agency", "Sở Tư pháp", "H27.05", PINS["agency"])], valid_from=VALID_FROM)


def letter(text: str = LETTER) -> bytes:
    """One page made by Typst."""
    compiled = typst.compile(text.encode(), font_paths=[str(FONTS)], pdf_standards=["a-2b"])
    assert isinstance(compiled, bytes)
    return compiled


def plan() -> FieldPlan:
    """Number, date, leader and agency on the letter."""
    leader, agency = appearance.signature_boxes(Box(0, 300, 250, 200, 90))
    return FieldPlan(
        leader,
        agency,
        TextField(Box(0, 95, 733, 70, 18), fields.NUMBER_PATTERN, fields.DIGITS, align="centre"),
        TextField(Box(0, 300, 733, 220, 18), fields.DATE_PATTERN, fields.DATE_ALPHABET, align="right"),
    )


@dataclass
class Office:
    """Everything a test needs to sign; *now* is its clock."""

    folder: Path
    now: datetime = NOW
    pins: dict[str, str] = field(default_factory=lambda: dict(PINS))

    def __post_init__(self) -> None:
        self.pki = testpki.TestPki(self.folder)
        self.authorities = Authorities(self.pki)

    @classmethod
    def copy_of(cls, made: Path, folder: Path) -> Office:
        """An office of its own for one test."""
        shutil.copytree(made, folder)
        return cls(folder)

    @property
    def tsa(self) -> TimeStampClient:
        """Time-stamps under the office's clock, without a network."""
        return in_process(self.authorities.timestamp, lambda: self.now)

    def raw_sign(self, key_id: str, content: bytes) -> bytes:
        """What the key answers."""
        opened = pkcs12.load_pkcs12((self.folder / "keys" / f"{key_id}.p12").read_bytes(), self.pins[key_id].encode())
        assert opened.key is not None
        return sign_with(opened.key, mechanism_for(self.pki.certificate(key_id).der), content)

    def sign(self, pdf: bytes, field_name: str, key_id: str, *, stamped: bool = True, visible: bool = True) -> bytes:
        """Sign one field at level B-T (or B-B)."""
        places = plan()
        look = None
        if visible and field_name == LEADER and places.leader:
            look = appearance.leader_appearance(places.leader, key_id, fonts=FONTS)
        if visible and field_name == AGENCY and places.agency:
            look = appearance.agency_appearance(places.agency, "Sở Tư pháp", fonts=FONTS)
        prepared = pades.prepare(pdf, field_name, self.pki.certificate(key_id), self.now, appearance=look)
        raw = self.raw_sign(key_id, prepared.to_sign)
        token = self.tsa.token(pades.imprint(raw), self.now) if stamped else None
        return pades.finish(prepared.pdf, prepared.state, raw, token)

    def with_fields(self, text: str = LETTER) -> bytes:
        """The letter with its four fields."""
        return fields.add_fields(letter(text), plan(), FONT.read_bytes())

    def leader_signed(self, key_id: str = "lan") -> bytes:
        """Signed by the leader."""
        return self.sign(self.with_fields(), LEADER, key_id)

    def issued(self, key_id: str = "lan", number: str = "15") -> bytes:
        """Signed by the leader, numbered and dated, sealed by the agency."""
        numbered = fields.fill_number(self.leader_signed(key_id), number, "ngày 22 tháng 11 năm 2026")
        return self.sign(numbered, AGENCY, "agency")


class InProcessSources(Sources):
    """Evidence from the office's own authorities, without a network."""

    def __init__(self, office: Office) -> None:
        super().__init__({})
        self._office = office

    def _ask(self, url: str, body: bytes, kind: str) -> bytes:
        office = self._office
        if url.endswith("/ocsp"):
            return office.authorities.ocsp(body, office.now)
        return office.authorities.crl(url.rsplit("/", 1)[-1].removesuffix(".crl"), office.now)


def examined(office: Office, pdf: bytes, *, now: datetime | None = None, online: bool = True) -> Report:
    """The verdict made in this process: the same examination the verifying child does, without starting one."""
    sources = InProcessSources(office) if online else None
    return examine(pdf, Inquiry((office.pki.root,), (office.pki.issuing,), now or office.now, sources))
