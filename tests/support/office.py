"""A small real office for tests: one commune with its Centre, people in every role, keys, published procedures."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pypdfium2
from cryptography.hazmat.primitives.serialization import pkcs12
from PIL import Image, ImageDraw

from engine.commands import ceremony, dossiers, files, organisation, procedures, signatures, tasks
from engine.commands.dossiers import PartyInput, Received, Reception
from engine.documents.preservation import Preserver
from engine.documents.signature import SigningOffice
from engine.kernel.clock import MovableClock
from engine.kernel.unit_of_work import Actor
from engine.procedure.loader import load_folder
from engine.process.model import Task
from engine.queries import inbox
from engine.runtime import Runtime, open_runtime
from engine.settings import ROOT, Settings
from signing import testpki
from signing.authorities import Authorities
from signing.examine import Inquiry
from signing.keys import mechanism_for, sign_with
from signing.model import SignerCertificate
from signing.revocation import Sources
from signing.standing import standing
from signing.trust_services import TrustServices
from signing.tsa import in_process
from signing.verify import Trust, verify
from tests.support.database import Databases

LEAVE = {  # what an official asks leave with
    "kind": "annual",
    "from_on": "2026-12-01",
    "to_on": "2026-12-02",
    "days": "2",
    "place": "x",
    "reason": "Việc nhà",
    "hand_over": "y",
}
SINCE = date(2025, 7, 1)
OWNER = PartyInput(
    "Nguyễn Thị Mai", "001190012345", birth_on=date(1990, 5, 17), sex="female", address="12 phố Huế, phường Mẫu", phone="0912345678"
)
PEOPLE = {
    "reception": ("Trần Thu Hà", "centre", "reception_officer", "Cán bộ tiếp nhận"),
    "returner": ("Lý Minh Tú", "centre", "return_officer", "Cán bộ trả kết quả"),
    "specialist": ("Phạm Văn Đức", "division", "specialist", "Công chức tư pháp – hộ tịch"),
    "colleague": ("Đỗ Thị Yến", "division", "specialist", "Công chức tư pháp – hộ tịch"),
    "division_head": ("Vũ Quang Huy", "division", "division_head", "Trưởng phòng"),
    "head": ("Lê Hoàng Nam", "commune", "head", "Chủ tịch"),
    "deputy": ("Ngô Bích Ngọc", "commune", "deputy_head", "Phó Chủ tịch"),
    "clerk": ("Bùi Thị Lan", "commune", "agency_clerk", "Văn thư"),
    "personnel": ("Hồ Sỹ Anh", "division", "personnel_officer", "Công chức tổ chức cán bộ"),
    "office": ("Mai Văn Phúc", "commune", "office_chief", "Chánh Văn phòng"),
    "designer": ("Tạ Ngọc Linh", "province", "procedure_designer", "Quản trị nghiệp vụ"),
    "approver": ("Hoàng Thị Thu", "province", "procedure_approver", "Người phê duyệt quy trình"),
    "administrator": ("Cao Xuân Bách", "province", "technical_administrator", "Quản trị kỹ thuật"),
    "inspector": ("Đinh Công Sơn", "province", "inspector", "Thanh tra viên"),
}
PINS = {"head": "135790", "deputy": "246813", "office": "357924", "seal": "864209"}


class OpenCustody:
    """Keys opened in this process: the ceremony is real, only the separate custody process is left out (tests/signing has it)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pki = testpki.TestPki(folder)
        self.given: dict[tuple[str, bytes], bytes] = {}

    def challenge(self, key_id: str) -> Any:
        return SimpleNamespace(public_key={}, nonce=key_id, seconds=60.0)

    def keys(self) -> list[Any]:
        return []

    def sign(self, key_id: str, sealed_pin: str, contents: Sequence[bytes]) -> list[bytes]:
        opened = pkcs12.load_pkcs12((self.folder / "keys" / f"{key_id}.p12").read_bytes(), sealed_pin.encode())
        assert opened.key is not None
        name = mechanism_for(self.pki.certificate(key_id).der)
        for content in contents:
            self.given.setdefault((key_id, content), sign_with(opened.key, name, content))
        return [self.given[key_id, content] for content in contents]

    def answered(self, key_id: str, contents: Sequence[bytes]) -> list[bytes | None]:
        return [self.given.get((key_id, content)) for content in contents]


@dataclass
class Office:
    """The office with its people; every act goes through the real commands under the test's clock."""

    runtime: Runtime
    clock: MovableClock
    people: dict[str, UUID] = field(default_factory=dict)
    units: dict[str, UUID] = field(default_factory=dict)

    def actor(self, who: str) -> Actor:
        return Actor("person", account=None, person=self.people[who], label=who)

    def as_(self, who: str) -> Any:
        return self.runtime.begin(self.actor(who))

    def set_clock(self, at: datetime) -> None:
        self.clock.at = at

    def open_task(self, code: str) -> Task:
        from sqlalchemy import select

        from engine.dossier.model import Dossier

        with self.runtime.begin(Actor("system", label="tests")) as w:
            return w.session.scalars(
                select(Task).join(Dossier, Dossier.id == Task.dossier_id).where(Dossier.code == code, Task.state == "open")
            ).one()

    def receive(self, **changes: Any) -> Received:
        upload = files.examine(scan(), "ban chinh.pdf")
        with self.as_("reception") as w:
            files.keep(w, upload, component="original", upload_key="draft-1")
            given: dict[str, Any] = {
                "procedure": "certified_electronic_copy", "deciding_unit_id": self.units["commune"], "owner": OWNER,
                "components": ["original"], "upload_key": "draft-1", "subject": "Bằng tốt nghiệp đại học", "paid": "cash",
            }  # fmt: skip
            return dossiers.receive_dossier(w, Reception(**{**given, **changes}))

    def complete(self, who: str, code: str, answers: dict[str, Any]) -> tasks.Completed:
        task = self.open_task(code)
        with self.as_(who) as w:
            return tasks.complete(w, task.id, answers)

    def sign(self, who: str, code: str, pin: str | None = None) -> list[ceremony.Outcome]:
        task = self.open_task(code)
        with self.as_(who) as w:
            rows = signatures.prepare(w, [task.id])
        assert rows[0].failure is None, rows
        return self.approve(who, [r.request_id for r in rows if r.request_id], pin or PINS[who])

    def issue(self, who: str, code: str, pin: str | None = None, *, verify: bool = False) -> list[ceremony.Outcome]:
        task = self.open_task(code)
        with self.as_(who) as w:
            row = signatures.prepare_issue(w, task.id)
        assert row.request_id is not None
        return self.approve(who, [row.request_id], pin or PINS["seal"], verify=verify)

    def approve(self, who: str, requests: list[UUID], pin: str, *, verify: bool = False) -> list[ceremony.Outcome]:
        with self.as_(who) as w:
            ceremony.show(w, requests)
        return ceremony.carry_through(lambda: self.as_(who), requests, pin, verify=verify)

    def inbox(self, who: str, **filters: Any) -> inbox.InboxPage:
        with self.as_(who) as w:
            return inbox.page(w, **filters)


def scan(pages: int = 2) -> bytes:
    """A scanned paper: pictures of pages in a PDF."""
    import io

    sheets = []
    for number in range(pages):
        sheet = Image.new("RGB", (827, 1169), "white")
        drawing = ImageDraw.Draw(sheet)
        drawing.rectangle((60, 60, 767, 1109), outline="black", width=3)
        for line in range(20):
            drawing.line((120, 200 + 40 * line, 700 - 13 * ((line * 7 + number) % 17), 200 + 40 * line), fill="black", width=4)
        sheets.append(sheet)
    out = io.BytesIO()
    sheets[0].save(out, "PDF", save_all=True, append_images=sheets[1:], resolution=100)
    return out.getvalue()


def photo() -> bytes:
    """A photo of a paper."""
    import io

    out = io.BytesIO()
    Image.new("RGB", (900, 1200), "#f4f1ea").save(out, "JPEG")
    return out.getvalue()


@dataclass(frozen=True)
class Pattern:
    """An office made once a session: its database and home are copied for each test, which is far faster than making it anew."""

    database: str
    home: Path
    people: dict[str, UUID]
    units: dict[str, UUID]


@contextmanager
def pattern(databases: Databases, folder: Path) -> Iterator[Pattern]:
    """Make the office once, with both procedures published."""
    with databases.clone() as name:
        settings = Settings(
            home=folder / "home",
            database_url=databases.owner_url(name),
            application_url=databases.application_url(name),
            procedures=ROOT / "bpmn",
        )
        clock = MovableClock(MADE_AT)
        runtime = open_runtime(settings, clock=clock)
        office = make_office(runtime, clock)
        runtime.close()
        yield Pattern(name, settings.home, office.people, office.units)


def settings_for(databases: Databases, name: str, home: Path) -> Settings:
    """Settings of an installation on one database and home."""
    return Settings(
        home=home, database_url=databases.owner_url(name), application_url=databases.application_url(name), procedures=ROOT / "bpmn"
    )


MADE_AT = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


@contextmanager
def copy_of(databases: Databases, made: Pattern, folder: Path, at: datetime) -> Iterator[Office]:
    """A copy of the office for one test, at an instant."""
    with databases.clone(of=made.database) as name:
        shutil.copytree(made.home, folder / "home")
        settings = Settings(
            home=folder / "home",
            database_url=databases.owner_url(name),
            application_url=databases.application_url(name),
            procedures=ROOT / "bpmn",
        )
        clock = MovableClock(at)
        runtime = open_runtime(settings, clock=clock)
        office = Office(runtime, clock, made.people, made.units)
        open_keys(office)
        try:
            yield office
        finally:
            runtime.close()


def make_office(
    runtime: Runtime, clock: MovableClock, *, packages: Sequence[str] = ("certified_electronic_copy", "internal_leave")
) -> Office:
    """Establish the office with the real commands."""
    office = Office(runtime, clock)
    with runtime.begin(Actor("cli", label="tests")) as w:
        province = organisation.add_unit(
            w, name="Ủy ban nhân dân tỉnh Mẫu", level="province", agency_code="H99", place_name="Mẫu", valid_from=SINCE
        )
        commune = organisation.add_unit(
            w, name="Ủy ban nhân dân phường Mẫu", level="commune", agency_code="H99.101", parent_id=province.id, place_name="phường Mẫu",
            valid_from=SINCE, phone="0243 000 101",
        )  # fmt: skip
        centre = organisation.add_unit(
            w, name="Trung tâm Phục vụ hành chính công phường Mẫu", level="centre", agency_code="H99.101.01", parent_id=commune.id,
            place_name="phường Mẫu", valid_from=SINCE,
        )  # fmt: skip
        division = organisation.add_unit(
            w, name="Phòng Văn hóa – Xã hội phường Mẫu", level="division", agency_code="H99.101.02", parent_id=commune.id, valid_from=SINCE
        )
        office.units = {"province": province.id, "commune": commune.id, "centre": centre.id, "division": division.id}
        for who, (name, unit, role, title) in PEOPLE.items():
            person = organisation.add_person(w, name, email=f"{who}@mau.example")
            position = organisation.add_position(w, office.units[unit], title, role, title_en=role.replace("_", " "))
            organisation.appoint(w, person.id, position.id, SINCE, basis="Quyết định số 01/QĐ-UBND")
            office.people[who] = person.id
        for folder in packages:
            procedures.publish(w, load_folder(ROOT / "bpmn" / folder))
    give_keys(office)
    return office


def give_keys(office: Office) -> None:
    """Make a TEST hierarchy in the office's home and register the keys."""
    folder = office.runtime.settings.home / "pki"
    since = datetime(2024, 1, 1, tzinfo=UTC)
    people = [
        testpki.PersonSpec(who, PEOPLE[who][0], PEOPLE[who][3], "Ủy ban nhân dân phường Mẫu", f"00{n}", PINS[who])
        for n, who in enumerate(("head", "deputy", "office"))
    ]
    pki = testpki.create(
        folder, people, [testpki.AgencySpec("seal", "Ủy ban nhân dân phường Mẫu", "H99.101", PINS["seal"])], valid_from=since
    )
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        for key in ("head", "deputy", "office", "seal"):
            certificate = pki.certificate(key)
            organisation.register_key(
                w, key, "agency" if key == "seal" else "leader", certificate.der, [base64.b64encode(c).decode() for c in certificate.chain],
                since, datetime(2034, 1, 1, tzinfo=UTC),
                person_id=office.people.get(key), unit_id=office.units["commune"] if key == "seal" else None,
            )  # fmt: skip
    open_keys(office)


def open_keys(office: Office) -> None:
    """Let the office sign with its TEST keys, opened in this process, under the test's clock."""
    folder = office.runtime.settings.home / "pki"
    authorities = Authorities(testpki.TestPki(folder))
    real = office.runtime.part(SigningOffice)

    def verify_here(pdf: bytes, now: datetime) -> dict[str, Any]:
        services = TrustServices(folder, lambda: office.clock.at)
        services.start()
        try:
            return verify(pdf, Trust.of_test_pki(folder, services.routes), now=now).to_json()
        finally:
            services.stop()

    def stands(certificate: SignerCertificate, now: datetime) -> str:
        trust = Trust.of_test_pki(folder)
        return standing(certificate, Inquiry(trust.anchors, trust.intermediates, now, AskedHere(authorities, lambda: office.clock.at)))

    custody, stamps = OpenCustody(folder), in_process(authorities.timestamp, lambda: office.clock.at)
    office.runtime.parts.offer(
        SigningOffice, lambda: SigningOffice(custody, stamps, verify_here, stands, real.fonts, True, real.intermediates)
    )


def open_preserver(office: Office) -> None:
    """Let issued documents be made to last by the office's own authorities, in this process."""
    folder = office.runtime.settings.home / "pki"

    def authorities() -> Authorities:
        return Authorities(testpki.TestPki(folder))

    stamps = in_process(lambda body, at: authorities().timestamp(body, at), lambda: office.clock.at)
    made = Preserver(lambda: Trust.of_test_pki(folder), lambda _: AskedHere(authorities(), lambda: office.clock.at), stamps)
    office.runtime.parts.offer(Preserver, lambda: made)


class AskedHere(Sources):
    """Evidence from the office's own authorities, without a network."""

    def __init__(self, authorities: Authorities, now: Callable[[], datetime]) -> None:
        super().__init__({})
        self._authorities, self._now = authorities, now

    def _ask(self, url: str, body: bytes, kind: str) -> bytes:
        if url.endswith("/ocsp"):
            return self._authorities.ocsp(body, self._now())
        return self._authorities.crl(url.rsplit("/", 1)[-1].removesuffix(".crl"), self._now())


def pages(pdf: bytes) -> int:
    """The number of pages of a PDF."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return len(document)
    finally:
        document.close()
