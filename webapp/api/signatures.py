"""Signatures: prepare, look at the very bytes, seal the PIN at the client, sign several with it, issue with number and agency seal."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Response

from engine.commands import ceremony as ceremonies
from engine.commands import device as devices
from engine.commands import placement as places
from engine.commands import signatures as commands
from engine.commands import tasks
from engine.errors import NotFound, Refused
from engine.queries import ceremony, placement, signing
from engine.runtime import UnitOfWork
from engine.sentences import sentence
from webapp.api.routes import Page, bounded, download, listed, page_of, route
from webapp.api.shapes import taken
from webapp.i18n import language
from webapp.signing_room.ceremony import approve
from webapp.transaction import work

TAG = "signatures"
MOST = 100


@dataclass(frozen=True)
class Change:
    """One change between two drafts: a line removed or added, or a page that looks different."""

    kind: str
    page: int
    text: str


@dataclass(frozen=True)
class Preparing:
    """Signing or issuing tasks to prepare."""

    tasks: Sequence[UUID]


@dataclass(frozen=True)
class Reason:
    """Why something was not done: stable code, what, why, what to do."""

    code: str
    what: str
    why: str
    remedy: str


@dataclass(frozen=True)
class PreparedDocument:
    """One document ready to be signed, or the reason why it is not; compare `check_code` with the signing device."""

    task: UUID
    request: UUID | None
    document: UUID | None
    name: dict[str, str]
    check_code: str
    sha256: str
    failure: Reason | None


def reason(code: str | None, facts: Any) -> Reason | None:
    """Return a failure in words."""
    if not code:
        return None
    said = sentence(code, language(), facts)
    return Reason(code, said.what, said.why, said.do)


@route("POST", "/signatures/preparation", "Prepare documents of signing tasks: fields added, hash fixed", tag=TAG,
       answer=Sequence[PreparedDocument], body=Preparing)  # fmt: skip
def prepare_signatures(w: UnitOfWork, body: Preparing) -> list[PreparedDocument]:
    """Prepare documents for the signer; a failure stops no other."""
    few(body.tasks)
    return [prepared(row) for row in commands.prepare(w, body.tasks)]


def few(items: Sequence[Any]) -> None:
    """Refuse more documents than one authorisation takes.

    Raises:
        Refused: ``custody.batch_size``.
    """
    if not 0 < len(items) <= MOST:
        raise Refused("custody.batch_size", most=MOST)


def prepared(row: commands.PreparedRow) -> PreparedDocument:
    """Return a prepared document for programs."""
    return PreparedDocument(
        row.task_id, row.request_id, row.document_id, dict(row.name), row.check_code, row.sha256, reason(row.failure, row.facts)
    )


@route("POST", "/tasks/<uuid:task_id>/numbering", "Give number and date, prepare the agency's seal", tag=TAG, answer=PreparedDocument)
def number_document(w: UnitOfWork, task_id: UUID) -> PreparedDocument:
    """Number a signed document and prepare the seal; the number stays with it whatever happens next."""
    return prepared(commands.prepare_issue(w, task_id))


@dataclass(frozen=True)
class Placing:
    """Where the signature's upper left corner goes: millimetres from left and upper edge; without both, the template's place."""

    x_mm: Decimal | None = None
    y_mm: Decimal | None = None


@route("POST", "/tasks/<uuid:task_id>/signature-place", "Move the visible signature; the document is prepared anew", tag=TAG,
       answer=PreparedDocument, body=Placing)  # fmt: skip
def place_signature(w: UnitOfWork, task_id: UUID, body: Placing) -> PreparedDocument:
    """Move the signature, or put it back; the place is remembered for this template, the answer is a new preparation to be looked at."""
    if body.x_mm is None and body.y_mm is None:
        return prepared(places.reset(w, task_id))
    if body.x_mm is None or body.y_mm is None:
        raise Refused("placement.millimetres", field="x_mm" if body.x_mm is None else "y_mm")
    return prepared(places.place(w, task_id, float(body.x_mm), float(body.y_mm)))


@dataclass(frozen=True)
class Spot:
    """A rectangle on a page, in millimetres from its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Room:
    """Where the signature's upper left corner may be, so that it and the seal stay on the page, between title and name."""

    left: float
    right: float
    top: float
    bottom: float


@dataclass(frozen=True)
class SignaturePlace:
    """Where signature and seal stand, where the template has the signature, and why one's own place was not taken (`why`)."""

    page: int
    signature: Spot
    seal: Spot | None
    template: Spot
    room: Room
    moved: bool
    why: Reason | None


@route("GET", "/signatures/requests/<uuid:request_id>/place", "Where the visible signature stands", tag=TAG, answer=SignaturePlace)
def signature_place(w: UnitOfWork, request_id: UUID) -> SignaturePlace:
    """Return where the signature of a preparation stands.

    Raises:
        NotFound: the preparation is not one's own, or its signature is invisible.
    """
    found = placement.of_request(w, request_id)
    if found is None:
        raise NotFound("document.no_signature_place")
    return SignaturePlace(
        found.page,
        taken(Spot, found.signature),
        taken(Spot, found.seal) if found.seal is not None else None,
        taken(Spot, found.template),
        taken(Room, found.room),
        found.moved,
        reason(found.why, found.facts),
    )


@route("GET", "/signatures/requests/<uuid:request_id>/document", "The very bytes that will be signed", tag=TAG, media="application/pdf")
def prepared_document(w: UnitOfWork, request_id: UUID) -> Response:
    """Send the bytes of a preparation; only what was fetched like this can be approved."""
    ceremonies.show(w, [request_id])
    return download(ceremony.prepared_bytes(w, request_id), f"{request_id}.pdf", "application/pdf")


@dataclass(frozen=True)
class Invitation:
    """What a PIN is sealed to (ECDH P-256, HKDF-SHA256, AES-256-GCM); good once, for some seconds."""

    public_key: dict[str, str]
    nonce: str
    seconds: float


@route("GET", "/tasks/<uuid:task_id>/invitation", "What the PIN of the task's key is sealed to", tag=TAG, answer=Invitation)
def invitation(w: UnitOfWork, task_id: UUID) -> Invitation:
    """Return the invitation of one's own key, or of the agency's for an issuing task."""
    if tasks.find(w, task_id).action == "issue":
        reference = commands.key_of_agency(w, signing.page(w, task_id).document.unit_id).reference
    else:
        reference = ceremony.key_reference(w)
    told = commands.invitation(w, reference)
    return Invitation(told["public_key"], told["nonce"], float(told["seconds"]))


@dataclass(frozen=True)
class Signing:
    """Preparations to sign with one sealed PIN."""

    requests: Sequence[UUID]
    sealed_pin: str


@dataclass(frozen=True)
class SignatureOutcome:
    """What became of one document; with `waiting` the signature is completed by the system, the key is not needed again."""

    request: UUID
    task: UUID | None
    document: UUID | None
    name: dict[str, str]
    signed: bool
    waiting: bool
    failure: Reason | None


@route("POST", "/signatures", "Sign prepared documents with one PIN; an outcome each", tag=TAG, answer=Sequence[SignatureOutcome],
       body=Signing, transaction=False)  # fmt: skip
def sign(body: Signing) -> list[SignatureOutcome]:
    """Sign: the key and the time-stamping authority answer outside any transaction, each document is finished by itself."""
    few(body.requests)
    return [outcome_of(one) for one in approve(body.requests, body.sealed_pin[:2000])]


def outcome_of(one: ceremonies.Outcome) -> SignatureOutcome:
    """Return an outcome for programs."""
    why = reason(one.failure, one.facts)
    return SignatureOutcome(one.request_id, one.task_id, one.document_id, dict(one.name), one.signed, one.waiting, why)


@dataclass(frozen=True)
class AtAgent:
    """Shown preparations whose key is on a USB token."""

    requests: Sequence[UUID]


@dataclass(frozen=True)
class ApprovedDocument:
    """What the agent signs (`content`, base64) and the code its owner compares."""

    request: UUID
    task: UUID | None
    name: dict[str, str]
    check_code: str
    content: str


@dataclass(frozen=True)
class Approved:
    """What was approved, for the key of `certificate` (SHA-256 in hex), and what could not be."""

    certificate: str
    documents: Sequence[ApprovedDocument]
    failures: Sequence[SignatureOutcome]


@route("POST", "/signatures/agent", "Approve shown documents for the agent beside a USB token; asked again, the same", tag=TAG,
       answer=Approved, body=AtAgent, transaction=False)  # fmt: skip
def approve_for_agent(body: AtAgent) -> Approved:
    """Approve and say what the agent is to sign."""
    few(body.requests)
    claimed, failed = devices.claim(work, body.requests)
    documents = [
        ApprovedDocument(one.request_id, one.task_id, dict(one.name), one.check_code, base64.b64encode(one.content).decode())
        for one in claimed
    ]
    return Approved(claimed[0].certificate if claimed else "", documents, [outcome_of(one) for one in failed])


@dataclass(frozen=True)
class AgentAnswer:
    """The raw signature (base64) the agent gave for one preparation."""

    request: UUID
    signature: str


@dataclass(frozen=True)
class AgentAnswers:
    """What the agent signed."""

    answers: Sequence[AgentAnswer]


@route("POST", "/signatures/agent/answers", "Bring what the agent has signed; an outcome each, given twice it counts once", tag=TAG,
       answer=Sequence[SignatureOutcome], body=AgentAnswers, transaction=False)  # fmt: skip
def take_agent_answers(body: AgentAnswers) -> list[SignatureOutcome]:
    """Take the answers: each for the approved bytes and the registered certificate, or not at all."""
    few(body.answers)
    return [outcome_of(one) for one in devices.answer(work, {one.request: raw_of(one.signature) for one in body.answers})]


def raw_of(text: str) -> bytes:
    """Return a raw signature; what is none fits no document."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


@dataclass(frozen=True)
class AgentRefusal:
    """Preparations the agent has not signed, and why (`agent.refused`, `agent.absent` …)."""

    requests: Sequence[UUID]
    code: str


@route("POST", "/signatures/agent/return", "Give back what the agent has not signed", tag=TAG, answer=Sequence[SignatureOutcome],
       body=AgentRefusal, transaction=False)  # fmt: skip
def return_from_agent(body: AgentRefusal) -> list[SignatureOutcome]:
    """Make approved documents ready again."""
    few(body.requests)
    return [outcome_of(one) for one in devices.put_back(work, body.requests, body.code)]


@route("GET", "/signatures", "The signatures I have given, newest first", tag=TAG, answer=page_of(ceremony.Past), query=Page)
def given_signatures(w: UnitOfWork, query: Page) -> Any:
    """Return one's own signatures."""
    rows, total = ceremony.signed_by_me(w, number=query.page, size=bounded(query))
    return listed(ceremony.Past, rows, total, query)


@dataclass(frozen=True)
class SigningFacts:
    """What a signer looks at before signing: what differs from the template, what changed since last time, until when the key holds."""

    document: UUID
    name: dict[str, str]
    drafted_by: str
    pages: int
    key_valid_to: datetime | None
    differences: Sequence[signing.Difference]
    opened_at: datetime | None
    changes: Sequence[Change]


@route("GET", "/tasks/<uuid:task_id>/document", "What a signer looks at before signing", tag=TAG, answer=SigningFacts)
def signing_facts(w: UnitOfWork, task_id: UUID) -> SigningFacts:
    """Return the facts of one document before its signature."""
    page = signing.page(w, task_id)
    brief = ceremony.brief(w, page.desk.task)
    return SigningFacts(
        page.document.id,
        dict(page.document.name),
        page.drafted_by,
        page.pages,
        page.key_until,
        page.differences,
        brief.opened_at if brief is not None else None,
        [taken(Change, one) for one in (brief.changed or ())] if brief is not None else [],
    )
