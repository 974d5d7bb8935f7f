"""The papers a dossier gives rise to: receipt, supplement request, refusal, stop notice, results; numbered by yearly registers."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from engine.documents.blobs import BlobStore
from engine.documents.model import Document, DocumentRevision, Register, RegisterEntry, SignatureRequest, StoredFile
from engine.documents.signature import number_text
from engine.documents.templates import Printed, Printer, qr_rows
from engine.dossier.model import Dossier
from engine.errors import NotFound
from engine.kernel.identifiers import new_id
from engine.kernel.sealing import Sealing, place
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.flow import Flow
from engine.office.standing import ZONE, acting, agency_of, units_of
from engine.organisation.model import OrgUnit, Person
from engine.settings import Settings

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def short_code(length: int) -> str:
    """Return a random code of letters and digits that are not confused with each other."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


@dataclass(frozen=True, slots=True)
class Taken:
    """A number taken from a register, on a day."""

    number: int
    on: date
    entry_id: UUID


def take_number(
    w: UnitOfWork, unit_id: UUID, kind: str, subject: str, *, dossier_id: UUID | None, document_id: UUID | None, by: UUID | None
) -> Taken:
    """Take the next number of a yearly register; the register's row is the lock, a rollback gives the number back.

    Numbers run without a gap and restart at 1 on 1 January (NĐ 30/2020/NĐ-CP, Điều 15 and 22).
    """
    today = w.now.astimezone(ZONE).date()
    w.session.execute(
        insert(Register)
        .values(province=w.province, id=new_id(), unit_id=unit_id, kind=kind, year=today.year, last_number=0)
        .on_conflict_do_nothing()
    )
    register = w.session.scalars(
        select(Register)
        .where(Register.province == w.province, Register.unit_id == unit_id, Register.kind == kind, Register.year == today.year)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    register.last_number += 1
    entry = RegisterEntry(
        province=w.province,
        id=new_id(),
        register_id=register.id,
        number=register.last_number,
        on=today,
        dossier_id=dossier_id,
        document_id=document_id,
        subject=subject,
        by_id=by,
    )
    w.session.add(entry)
    w.session.flush()
    return Taken(register.last_number, today, entry.id)


def store(w: UnitOfWork, document: Document, pdf: bytes, kind: str, by: UUID | None) -> DocumentRevision:
    """Keep new bytes of a document as its next revision; content goes to the blob store before the row."""
    sha256 = w.part(BlobStore).put(pdf)
    revision = DocumentRevision(
        province=w.province, document_id=document.id, position=len(document.revisions) + 1, kind=kind, sha256=sha256, at=w.now, by_id=by
    )
    document.revisions.append(revision)
    document.sha256, document.version = sha256, (document.version or 0) + 1
    return revision


def agency_print(w: UnitOfWork, unit_id: UUID) -> Json:
    """Return the letterhead of a unit: its agency's name and place, the agency above it; a Centre prints under its own name."""
    units = units_of(w.session, w.province)
    unit = units[unit_id]
    agency = unit if unit.level == "centre" else units[agency_of(units, unit_id)]
    above = units.get(agency.parent_id) if agency.parent_id else None
    place = agency.place_name or (above.place_name if above is not None else "")
    return {
        "name": agency.name,
        "parent": above.name if above is not None else "",
        "place": place,
        "address": agency.address,
        "phone": agency.phone,
    }


def person_name(w: UnitOfWork, person_id: UUID | None) -> str:
    """Return the full name of one of our people, or nothing."""
    person = w.session.get(Person, (w.province, person_id)) if person_id else None
    return person.full_name if person else ""


def party_print(w: UnitOfWork, dossier: Dossier, kind: str) -> Json:
    """Return a party as printed on its own papers; opened here, never logged."""
    party, sealer = dossier.party(kind), w.part(Sealing)
    if party is None:
        return {"name": "", "identity": "", "birth": "", "address": "", "phone": "", "email": ""}

    def opened(column: str) -> str:
        sealed: bytes | None = getattr(party, f"{column}_sealed")
        return sealer.open(sealed, place("party", party.id, column)) if sealed else ""

    return {"name": party.name, "sex": party.sex or "", **{c: opened(c) for c in ("identity", "birth", "address", "phone", "email")}}


def base_content(flow: Flow, unit_id: UUID) -> Json:
    """Return what every template may print: letterhead, dossier, parties, procedure, instants, QR code, TEST mark."""
    w, d = flow.w, flow.dossier
    settings = w.part(Settings)
    now, owner, submitter = w.now.astimezone(ZONE), party_print(w, d, "owner"), d.party("submitter")
    url = f"{settings.address}/tra-cuu/{d.code}"
    return {
        "agency": agency_print(w, unit_id),
        "issued_at": now.isoformat(),
        "year": now.year,
        "dossier_code": d.code,
        "subject": d.subject,
        "qr": qr_rows(url) if d.scope == "public" else [],
        "tracking_url": url if d.scope == "public" else "",
        "owner": owner["name"],
        "address": owner["address"],
        "phone": owner["phone"],
        "email": owner["email"],
        "submitter": submitter.name if submitter is not None and submitter.kind == "submitter" else "",
        "procedure": flow.package.name.vi,
        "received_at": d.received_at.astimezone(ZONE).isoformat(),
        "due_at": d.due_at.astimezone(ZONE).isoformat() if d.due_at else "",
        "initiator": initiator_print(w, d),
    }


def initiator_print(w: UnitOfWork, dossier: Dossier) -> Json:
    """Return the official who started an internal procedure, as printed."""
    if dossier.initiator_id is None:
        return {"name": "", "title": "", "unit": ""}
    from engine.office.standing import standing_of

    standing = standing_of(w, dossier.initiator_id)
    seat = standing.seats[0] if standing.seats else None
    units = units_of(w.session, w.province)
    return {"name": standing.name, "title": seat.title if seat else "", "unit": units[seat.unit_id].name if seat else ""}


def print_paper(flow: Flow, template: str, content: Json, files: Mapping[str, bytes] | None = None) -> Printed:
    """Print a template of the package (or a shared one) with its content."""
    return flow.w.part(Printer).render(flow.package, template, content, files or {}, at=flow.w.now)


def fields_json(printed: Printed) -> list[Json]:
    """Return the field places of a print as kept with the document."""
    return [f.to_json() for f in printed.fields]


def copies_print(name: Json, form: str, copies: int) -> Json:
    """Return one line of the table of papers on Mẫu 01 and 02."""
    return {"name": name.get("vi", ""), form: copies}


def make(
    flow: Flow,
    kind: str,
    template: str,
    content: Json,
    *,
    unit_id: UUID,
    name: Json,
    register: str | None = None,
    symbol: str = "",
    key: str | None = None,
    files: dict[str, bytes] | None = None,
    by: UUID | None = None,
) -> Document:
    """Make a paper at once: number it when it has a register, print it, keep it."""
    w, d = flow.w, flow.dossier
    document = Document(
        province=w.province,
        id=new_id(),
        dossier_id=d.id,
        kind=kind,
        key=key or kind,
        name=name,
        template=template,
        content={},
        fields=[],
        unit_id=unit_id,
        register=register,
        drafted_by_id=by,
        created_at=w.now,
        public_id=short_code(12),
        version=0,
    )
    document.revisions = []
    w.session.add(document)
    w.session.flush()
    full: dict[str, Any] = {**base_content(flow, unit_id), **content}
    if d.scope == "public":
        # The same page as the address printed beside it, which then also shows where this very paper stands in the journal.
        full["qr"] = qr_rows(f"{w.part(Settings).address}/tra-cuu/{d.code}?giay={document.public_id}")
    if register:
        taken = take_number(w, unit_id, register, name.get("vi", kind), dossier_id=d.id, document_id=document.id, by=by)
        document.number, document.issued_on, document.symbol = taken.number, taken.on, symbol
        full |= {
            "number": number_text(taken.number),
            "symbol": symbol,
            "register_book": str(taken.on.year),
            "register_line": str(taken.number),
        }
        entry = w.session.get(RegisterEntry, (w.province, taken.entry_id))
        assert entry is not None
        entry.state = "issued"
    printed = print_paper(flow, template, full, files)
    document.content, document.fields, document.state = content, fields_json(printed), "issued"
    store(w, document, printed.pdf, "rendered", by)
    flow.papers.append(document.id)
    flow.irreversible = flow.irreversible or register is not None
    facts = {"document": str(document.id), "kind": kind, "number": document.number, "sha256": document.sha256}
    w.record("document.made", d.id, **facts, public_id=document.public_id)
    return document


def document_of(w: UnitOfWork, document_id: UUID, *, lock: bool = False) -> Document:
    """Return a document.

    Raises:
        NotFound: there is none.
    """
    query = select(Document).where(Document.province == w.province, Document.id == document_id)
    found = w.session.scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound("document.not_found")
    return found


def request_of(w: UnitOfWork, request_id: UUID) -> SignatureRequest:
    """Return one of the actor's own preparations for a signature.

    Raises:
        NotFound: there is none, for this person.
    """
    found = w.session.get(SignatureRequest, (w.province, request_id))
    if found is None or found.signer_id != acting(w).person_id:
        raise NotFound("signing.request_not_found")
    return found


def units_by_id(w: UnitOfWork) -> dict[UUID, OrgUnit]:
    """Return every unit of the province by id."""
    return units_of(w.session, w.province)


def files_of(w: UnitOfWork, dossier_id: UUID) -> list[StoredFile]:
    """Return the files of a dossier in the order they came."""
    return list(
        w.session.scalars(
            select(StoredFile)
            .where(StoredFile.province == w.province, StoredFile.dossier_id == dossier_id)
            .order_by(StoredFile.uploaded_at, StoredFile.id)
        )
    )
