"""Reception: the card, the files, what is missing and due before anything is promised, and the new dossier."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from flask import Response, request

from engine.commands import files as uploads
from engine.commands import reception as commands
from engine.commands.dossiers import PartyInput, Reception
from engine.errors import Invalid, Refused
from engine.queries import files as stored
from engine.queries import reception as queries
from engine.runtime import UnitOfWork
from webapp.api.routes import download, route
from webapp.rendering.formats import ZONE
from webapp.transaction import work

TAG = "reception"


@dataclass(frozen=True)
class CardText:
    """The text of an identity card's QR code."""

    text: str


@dataclass(frozen=True)
class CardPerson:
    """The person on the card."""

    name: str
    number: str
    birth_on: date
    sex: str
    address: str


@route("POST", "/identity-cards", "Read the text of an identity card's QR code", tag=TAG, answer=CardPerson, body=CardText, pure=True)
def read_card(w: UnitOfWork, body: CardText) -> CardPerson:
    """Return the person on a scanned card."""
    card = queries.card(w, body.text)
    return CardPerson(card.name, card.number, card.birth_on, card.sex, card.address)


@dataclass(frozen=True)
class UploadFacts:
    """Which component a file is for, and the draft it belongs to; `safe_copy` takes active content out instead of refusing it."""

    component: str
    upload_key: str = ""
    safe_copy: bool = False


@dataclass(frozen=True)
class Uploaded:
    """A file that passed the intake and waits for its reception."""

    id: UUID
    upload_key: str
    component: str | None
    name: str
    sha256: str
    size: int
    media_type: str
    pages: int
    signed: bool


@route("POST", "/uploads", "Take a file: looked at in a child process, kept by content", tag=TAG, answer=Uploaded, body=UploadFacts,
       files=("file",), status=201, transaction=False)  # fmt: skip
def upload(body: UploadFacts) -> Uploaded:
    """Examine and keep one file."""
    sent = request.files.get("file")
    if sent is None:
        raise Invalid({"file": Refused("api.field_missing", field="file", name="file")})
    examined = uploads.examine(sent.read(), sent.filename or "", safe_copy=body.safe_copy, field="file")
    key = body.upload_key or secrets.token_urlsafe(18)
    with work() as w:
        return uploaded(uploads.keep(w, examined, component=body.component, upload_key=key))


def uploaded(file: Any) -> Uploaded:
    """Return a kept file for programs."""
    return Uploaded(file.id, file.upload_key, file.component, file.name, file.sha256, file.size, file.media_type, file.pages, file.signed)


@route("GET", "/uploads/<upload_key>", "Files that wait under a draft key", tag=TAG, answer=Sequence[Uploaded])
def waiting_uploads(w: UnitOfWork, upload_key: str) -> list[Uploaded]:
    """Return the files of a draft."""
    return [uploaded(file) for file in uploads.waiting(w, upload_key)]


@route("DELETE", "/uploads/<upload_key>/<uuid:file_id>", "Take a file out of a draft", tag=TAG)
def discard_upload(w: UnitOfWork, upload_key: str, file_id: UUID) -> None:
    """Discard a file before its reception."""
    uploads.discard(w, upload_key, file_id)


@route("GET", "/files/<uuid:file_id>", "A file somebody brought, as it was brought", tag=TAG, media="application/octet-stream")
def file_content(w: UnitOfWork, file_id: UUID) -> Response:
    """Send a file."""
    found, content = stored.content(w, file_id)
    return download(content, found.name, found.media_type)


@dataclass(frozen=True)
class Party:
    """Submitter or owner."""

    name: str
    identity: str = ""
    birth_on: date | None = None
    sex: str = ""
    address: str = ""
    phone: str = ""
    email: str = ""

    def given(self) -> PartyInput:
        """Return the party as the engine takes it."""
        return PartyInput(self.name, self.identity, self.birth_on, self.sex, self.address, self.phone, self.email)


@dataclass(frozen=True)
class NewDossier:
    """Everything the counter says about a new dossier; files wait under `upload_key`."""

    procedure: str
    deciding_unit: UUID
    owner: Party
    submitter: Party | None = None
    channel: Literal["in_person", "postal", "online"] = "in_person"
    components: Sequence[str] = ()
    upload_key: str = ""
    subject: str = ""
    delivery: Literal["counter", "postal", "download", "store"] = "counter"
    answers: dict[str, Any] = field(default_factory=dict)
    paid: Literal["cash", "transfer"] | None = None

    def reception(self) -> Reception:
        """Return the reception as the engine takes it."""
        submitter = self.submitter.given() if self.submitter is not None else None
        return Reception(
            self.procedure, self.deciding_unit, self.owner.given(), submitter, self.channel, self.components, self.upload_key, self.subject,
            self.delivery, self.answers, self.paid,
        )  # fmt: skip


@dataclass(frozen=True)
class WantedComponent:
    """A paper on the facts so far: is it required, how many files have been brought."""

    key: str
    name: dict[str, str]
    required: bool
    files: int


@dataclass(frozen=True)
class FeePreview:
    """A fee that would be due, in đồng."""

    key: str
    name: dict[str, str]
    amount: int
    legal_basis: str


@dataclass(frozen=True)
class DayReason:
    """One day of the appointment's account."""

    on: date
    reason: str
    counted: str
    running: str
    act: str


@dataclass(frozen=True)
class Preview:
    """What would be promised now: papers, pages, fees, the appointment day by day."""

    components: Sequence[WantedComponent]
    pages: int
    fees: Sequence[FeePreview]
    due_at: datetime | None
    provisional: bool
    days: Sequence[DayReason]


@route(
    "POST",
    "/dossiers/preview",
    "Papers, fees and appointment before they are promised",
    tag=TAG,
    answer=Preview,
    body=NewDossier,
    pure=True,
)
def preview(w: UnitOfWork, body: NewDossier) -> Preview:
    """Return what a reception would promise now."""
    seen = queries.intake(w, body.procedure, upload_key=body.upload_key, reception=body.reception(), deciding_unit=body.deciding_unit)
    return Preview(
        [WantedComponent(x.component.key, both(x.component.name), x.required, len(x.files)) for x in seen.wanted],
        seen.pages,
        [FeePreview(f.key, both(f.name), f.amount, f.legal_basis) for f in seen.fees],
        seen.due["due_at"],
        bool(seen.due["provisional"]),
        [DayReason(d.on, d.reason_code, str(d.counted), str(d.running), d.act) for d in seen.due["days"]],
    )


def both(text: Any) -> dict[str, str]:
    """Return a text in both languages."""
    return dict(text) if isinstance(text, dict) else {"vi": text.vi, "en": text.en}


@dataclass(frozen=True)
class NewlyReceived:
    """The answer of the counter; `access_code` is told once: a repeated request gets null, the receipt has it printed."""

    code: str
    access_code: str | None
    receipt: UUID | None


@route("POST", "/dossiers", "Receive a dossier at the counter", tag=TAG, answer=NewlyReceived, body=NewDossier, status=201,
       once=("access_code",))  # fmt: skip
def receive_dossier(w: UnitOfWork, body: NewDossier) -> NewlyReceived:
    """Receive a dossier: code, appointment, receipt."""
    done = commands.receive_dossier(w, body.reception())
    return NewlyReceived(done.code, done.access_code, done.receipt_id)


@dataclass(frozen=True)
class InternalStart:
    """An internal procedure started for oneself."""

    procedure: str
    answers: dict[str, Any] = field(default_factory=dict)
    upload_key: str = ""


@route("POST", "/internal-dossiers", "Start an internal procedure for oneself", tag=TAG, answer=NewlyReceived, body=InternalStart,
       status=201, once=("access_code",))  # fmt: skip
def start_internal(w: UnitOfWork, body: InternalStart) -> NewlyReceived:
    """Start an internal procedure."""
    done = commands.start_internal(w, body.procedure, body.answers, upload_key=body.upload_key)
    return NewlyReceived(done.code, done.access_code, done.receipt_id)


@route("GET", "/receptions/today", "What this counter has received today", tag=TAG, answer=Sequence[queries.TodayRow])
def received_today(w: UnitOfWork) -> Any:
    """Return today's receptions."""
    return queries.today(w)


@dataclass(frozen=True)
class OneDay:
    """Which day; without one, today."""

    on: date | None = None


@route("GET", "/handovers", "What this counter handed over on a day, by unit", tag=TAG, query=OneDay,
       answer=dict[str, Sequence[queries.HandoverRow]])  # fmt: skip
def handovers(w: UnitOfWork, query: OneDay) -> Any:
    """Return a day's hand-over lists."""
    return queries.handovers(w, query.on or w.now.astimezone(ZONE).date())


@route("GET", "/files/<uuid:file_id>/pages/<int:number>", "One page of a file as a picture", tag=TAG, media="image/jpeg")
def file_page(w: UnitOfWork, file_id: UUID, number: int) -> Response:
    """Send one page of a file."""
    return download(stored.page_picture(w, file_id, number), f"{number}.jpg", "image/jpeg")
