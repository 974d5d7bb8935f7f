"""Dossiers: search, the whole page, the journal, and what the counter does with one: fee, supplement, withdrawal, stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from flask import Response, request

from engine.commands import dossiers as commands
from engine.commands import files as uploads
from engine.errors import Invalid, Refused
from engine.queries import dossiers as queries
from engine.queries import registers, signing
from engine.runtime import UnitOfWork
from webapp.api.procedures import OutlineLine
from webapp.api.routes import Page, bounded, download, listed, page_of, route
from webapp.api.shapes import taken
from webapp.errors import attempted
from webapp.transaction import work

TAG = "dossiers"
FILE = "file."


@dataclass(frozen=True)
class Search(Page):
    """Which dossiers; words match code, subject, procedure and names without diacritics, `identity` a whole number."""

    text: str = ""
    identity: str = ""
    status: str = ""
    procedure: str = ""
    late: bool = False


@route("POST", "/dossiers/search", "Find dossiers; a POST, for what is looked up is personal", tag=TAG, answer=page_of(queries.Found),
       body=Search, pure=True)  # fmt: skip
def search_dossiers(w: UnitOfWork, body: Search) -> Any:
    """Return the dossiers the person may read that fit."""
    found, total = queries.search(
        w, body.text, status=body.status, procedure=body.procedure, identity=body.identity, late=body.late, page_number=body.page,
        size=bounded(body),
    )  # fmt: skip
    return page_of(queries.Found)(found, total, body.page, None)


@dataclass(frozen=True)
class PaperFacts:
    """A document the office made; state draft, signed, numbered or issued."""

    id: UUID
    kind: str
    key: str
    name: dict[str, str]
    state: str
    number: int | None
    symbol: str | None
    issued_on: date | None
    sha256: str | None
    public_id: str


@dataclass(frozen=True)
class FileFacts:
    """A file somebody brought."""

    id: UUID
    component: str | None
    name: str
    sha256: str
    size: int
    media_type: str
    pages: int
    signed: bool


@dataclass(frozen=True)
class FeeFacts:
    """A fee in đồng and its payment."""

    key: str
    name: dict[str, str]
    amount: int
    legal_basis: str
    paid_at: datetime | None
    receipt_number: int | None


@dataclass(frozen=True)
class ComponentFacts:
    """A paper of the checklist."""

    key: str
    name: dict[str, str]
    required: bool
    present: bool
    asked: bool


@dataclass(frozen=True)
class PauseFacts:
    """A stretch in which the clock stood still."""

    ground: str
    legal_basis: str
    suspended_at: datetime
    resumed_at: datetime | None


@dataclass(frozen=True)
class Place:
    """Where a dossier is on its diagram: nodes done and active, flows walked."""

    done: Sequence[str]
    active: Sequence[str]
    walked: Sequence[str]


@dataclass(frozen=True)
class Dossier:
    """Everything about one dossier."""

    code: str
    procedure: dict[str, str]
    version: dict[str, Any]
    scope: str
    status: str
    national_code: int
    financial_status: str
    delivery_status: str
    sync_status: str
    subject: str
    channel: str
    delivery: str
    owner: dict[str, str]
    submitter: dict[str, str]
    reception_unit: str
    deciding_unit: str
    received_at: datetime
    due_at: datetime | None
    original_due_at: datetime | None
    provisional: bool
    left: timedelta | None
    outcome: str | None
    resolved_at: datetime | None
    closed_at: datetime | None
    tasks: Sequence[queries.TaskLine]
    components: Sequence[ComponentFacts]
    files: Sequence[FileFacts]
    documents: Sequence[PaperFacts]
    fees: Sequence[FeeFacts]
    pauses: Sequence[PauseFacts]
    handovers: Sequence[dict[str, Any]]
    place: Place | None
    outline: Sequence[OutlineLine]


@route("GET", "/dossiers/<code>", "Everything about one dossier", tag=TAG, answer=Dossier)
def dossier(w: UnitOfWork, code: str) -> Dossier:
    """Return one dossier whole; the reading is journalled."""
    page = queries.page(w, code)
    d = page.dossier
    return taken(
        Dossier,
        d,
        procedure=dict(page.procedure),
        version=dict(page.version),
        national_code=page.national.code,
        owner=dict(page.owner),
        submitter=dict(page.submitter),
        reception_unit=page.reception_unit,
        deciding_unit=page.deciding_unit,
        provisional=d.due_provisional,
        left=page.left,
        tasks=page.tasks,
        components=[taken(ComponentFacts, c) for c in d.components],
        files=[taken(FileFacts, f) for f in page.files],
        documents=[taken(PaperFacts, p) for p in page.documents],
        fees=[taken(FeeFacts, f) for f in page.fees],
        pauses=[taken(PauseFacts, s) for s in page.suspensions],
        handovers=[dict(h) for h in page.handovers],
        place=Place(list(page.place.done), list(page.place.active), list(page.place.walked)) if page.place is not None else None,
        outline=[OutlineLine(e.number, e.depth, e.id, e.kind, dict(e.sentence)) for e in page.outline],
    )


@route("GET", "/dossiers/<code>/journal", "The dossier's journal, newest first", tag=TAG, answer=Sequence[queries.HistoryLine])
def dossier_journal(w: UnitOfWork, code: str) -> Any:
    """Return the journal of a dossier."""
    return list(queries.page(w, code).history)


@route("GET", "/dossiers/<code>/diagram", "The diagram this dossier runs by (BPMN 2.0)", tag=TAG, media="application/xml")
def dossier_diagram(w: UnitOfWork, code: str) -> Response:
    """Send the diagram a dossier runs by."""
    return download(queries.page(w, code).diagram.encode(), f"{code}.bpmn", "application/xml")


@dataclass(frozen=True)
class Note:
    """A line to the office."""

    note: str = ""


@route("POST", "/dossiers/<code>/supplement", "Take the papers that were asked for, at the counter", tag=TAG, body=Note,
       files=(f"{FILE}*",), transaction=False)  # fmt: skip
def supplement(code: str, body: Note) -> None:
    """Take the answer to a supplement request; every file is looked at before the transaction begins."""
    answers = brought()
    with work() as w:
        commands.answer_supplement(w, code, answers, body.note)


def brought() -> dict[str, list[uploads.Examined]]:
    """Return the files sent as ``file.<component>``, each looked at; all that is wrong is said together.

    Raises:
        Invalid: with the reason at each component.
    """
    found: dict[str, list[uploads.Examined]] = {}
    wrong: dict[str, Refused] = {}
    for name, sent in request.files.items(multi=True):
        shelf = found.setdefault(name.removeprefix(FILE), [])
        content, called = sent.read(), sent.filename or ""

        def look_at(content: bytes = content, called: str = called, shelf: list[uploads.Examined] = shelf) -> None:
            shelf.append(uploads.examine(content, called))

        error = attempted(look_at)
        if error is not None:
            wrong[name] = error if isinstance(error, Refused) else Refused(error.code, **dict(error.facts))
    if wrong:
        raise Invalid(wrong)
    return found


@dataclass(frozen=True)
class Payment:
    """How the fees were paid at the counter."""

    method: Literal["cash", "transfer"] = "cash"


@route("POST", "/dossiers/<code>/payment", "Take the open fees at the counter", tag=TAG, body=Payment)
def pay(w: UnitOfWork, code: str, body: Payment) -> None:
    """Take the fees."""
    commands.pay(w, code, body.method)


@dataclass(frozen=True)
class Withdrawal:
    """Why the owner withdraws."""

    reason: str


@route("POST", "/dossiers/<code>/withdrawal", "The owner withdraws the dossier", tag=TAG, body=Withdrawal)
def withdraw(w: UnitOfWork, code: str, body: Withdrawal) -> None:
    """End the dossier on its owner's wish."""
    commands.withdraw(w, code, body.reason)


@dataclass(frozen=True)
class Stop:
    """Why handling stops, and the act that says so."""

    reason: str
    legal_basis: str


@route("POST", "/dossiers/<code>/stop", "Stop handling a dossier (Mẫu 05)", tag=TAG, body=Stop)
def stop(w: UnitOfWork, code: str, body: Stop) -> None:
    """Stop with a numbered notice."""
    commands.stop(w, code, body.reason, body.legal_basis)


@route("GET", "/documents/<uuid:document_id>", "A document the office made: its newest bytes", tag="documents", media="application/pdf")
def document(w: UnitOfWork, document_id: UUID) -> Response:
    """Send a document."""
    found, content = signing.bytes_of(w, document_id)
    return download(content, f"{found.kind}-{found.public_id}.pdf", "application/pdf")


@route("GET", "/documents/<uuid:document_id>/pages/<int:number>", "One page of a document, a picture", tag="documents", media="image/jpeg")
def document_page(w: UnitOfWork, document_id: UUID, number: int) -> Response:
    """Send one page of a document."""
    return download(signing.page_picture(w, document_id, number, dpi=110), f"{number}.jpg", "image/jpeg")


@route("GET", "/registers", "The yearly registers of one's units", tag="documents", answer=Sequence[registers.RegisterRow])
def register_list(w: UnitOfWork) -> Any:
    """Return the registers."""
    return registers.mine(w)


@route("GET", "/registers/<uuid:register_id>/entries", "The lines of a register, newest first", tag="documents",
       answer=page_of(registers.EntryRow), query=Page)  # fmt: skip
def register_entries(w: UnitOfWork, register_id: UUID, query: Page) -> Any:
    """Return the lines of a register."""
    rows, total = registers.entries(w, register_id, number=query.page, size=bounded(query))
    return listed(registers.EntryRow, rows, total, query)
