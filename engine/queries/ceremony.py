"""What a signer sees around the documents themselves: who prepared them, what changed since last time, the exact bytes, past signatures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select

from engine.documents.blobs import BlobStore
from engine.documents.compare import Change, changes
from engine.documents.digitise import page_count, picture
from engine.documents.model import Document, SignatureRequest
from engine.dossier.model import Dossier
from engine.errors import NotFound, Refused
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.papers import request_of as request_of  # asked for here by whoever shows a ceremony
from engine.office.standing import acting
from engine.organisation.model import Person
from engine.process.model import Task

DPI_READING = 110
READY, UNDER_WAY = ("prepared", "shown"), ("approved", "signed")


@dataclass(frozen=True, slots=True)
class Brief:
    """What a list says about the document of a signing step; ``changed`` is None when the actor has never opened an earlier draft."""

    task_id: UUID
    document_id: UUID
    name: Json
    drafted_by: str
    drafted_at: datetime
    opened_at: datetime | None
    changed: Sequence[Change] | None


@dataclass(frozen=True, slots=True)
class BatchLine:
    """How one document of a batch stands: ready, under way (approved, completing by itself), signed, or why it is not."""

    task_id: UUID
    dossier_code: str
    name: Json
    step: Json
    state: str
    closed_at: datetime | None
    request_id: UUID | None
    pages: int
    check_code: str
    failure: str | None
    facts: Json


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """How a signature is authorised: ``approval`` is pin, telephone or device; ``certificate`` is its SHA-256 in hex."""

    approval: str
    certificate: str


@dataclass(frozen=True, slots=True)
class Past:
    """One signature the actor has given."""

    at: datetime
    name: Json
    document_id: UUID
    document_state: str
    capacity: str | None
    dossier_code: str
    subject: str


def briefs(w: UnitOfWork, task_ids: Sequence[UUID], *, before: bool = False) -> dict[UUID, Brief]:
    """Return the briefs of signing steps by task, in four statements however many they are; without a document there is none.

    ``before`` leaves the current draft out of what the actor has seen.
    """
    tasks = list(w.session.scalars(select(Task).where(Task.province == w.province, Task.id.in_(task_ids))))
    drafts: dict[tuple[UUID, str], list[Document]] = {}
    for document in w.session.scalars(
        select(Document)
        .where(Document.province == w.province, Document.dossier_id.in_([t.dossier_id for t in tasks]), Document.kind == "result")
        .order_by(Document.created_at.desc())
    ):
        if document.dossier_id is not None:
            drafts.setdefault((document.dossier_id, document.key), []).append(document)
    opened = last_opened(w, [d.id for own in drafts.values() for d in own])
    authors = {d.drafted_by_id for own in drafts.values() for d in own}
    names = {p.id: p.full_name for p in w.session.scalars(select(Person).where(Person.province == w.province, Person.id.in_(authors)))}
    made = {}
    for task in tasks:
        own = drafts.get((task.dossier_id, str(task.properties.get("document", ""))), [])
        current = next((d for d in own if d.state != "cancelled"), None)
        seen = {d.id: opened[d.id] for d in own if d.id in opened and not (before and d is current)}
        made[task.id] = brief_of(w, task, own, seen, names)
    return {task_id: found for task_id, found in made.items() if found is not None}


def brief_of(
    w: UnitOfWork, task: Task, drafts: Sequence[Document], opened: Mapping[UUID, datetime], names: Mapping[UUID, str]
) -> Brief | None:
    """Return the brief of one signing step from its drafts, newest first, and when the actor opened each of them."""
    current = next((d for d in drafts if d.state != "cancelled"), None)
    if current is None:
        return None
    seen = max((d for d in drafts if d.id in opened), key=lambda d: opened[d.id], default=None)
    return Brief(
        task.id,
        current.id,
        current.name,
        names.get(current.drafted_by_id, "") if current.drafted_by_id else "",
        current.created_at,
        opened[seen.id] if seen is not None else None,
        between(w, seen, current) if seen is not None else None,
    )


def brief(w: UnitOfWork, task: Task) -> Brief | None:
    """Return the brief of one signing step as its own page tells it: against the draft seen before this one."""
    return briefs(w, [task.id], before=True).get(task.id)


def last_opened(w: UnitOfWork, document_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Return when the actor last prepared each of these drafts: the last time they were looked at in order to sign."""
    rows = w.session.execute(
        select(SignatureRequest.document_id, func.max(SignatureRequest.created_at))
        .where(
            SignatureRequest.province == w.province,
            SignatureRequest.document_id.in_(document_ids),
            SignatureRequest.signer_id == w.actor.person,
            SignatureRequest.kind == "leader",
        )
        .group_by(SignatureRequest.document_id)
    )
    found: dict[UUID, datetime] = dict(rows.all())
    return found


def between(w: UnitOfWork, seen: Document, current: Document) -> list[Change]:
    """Return what changed between two drafts, as drafted: without the signer's own lines, which every signer prints anew."""
    if seen.id == current.id:
        return []
    blobs = w.part(BlobStore)
    old, new = (next((r.sha256 for r in d.revisions if r.kind == "drafted"), d.sha256 or "") for d in (seen, current))
    return changes(blobs.get(old), blobs.get(new))


@dataclass(frozen=True, slots=True)
class Opened:
    """Another signer who has this document open for signing."""

    name: str
    since: datetime


def open_elsewhere(w: UnitOfWork, task_id: UUID) -> Opened | None:
    """Return who else has prepared this step's document for signing and may be reading it; a notice, not a lock."""
    row = w.session.execute(
        select(Person.full_name, SignatureRequest.created_at)
        .join(Person, and_(Person.province == SignatureRequest.province, Person.id == SignatureRequest.signer_id))
        .where(
            SignatureRequest.province == w.province,
            SignatureRequest.task_id == task_id,
            SignatureRequest.state.in_(READY),
            SignatureRequest.expires_at > w.now,
            SignatureRequest.signer_id != w.actor.person,
        )
        .limit(1)
    ).first()
    return Opened(row[0], row[1]) if row is not None else None


def progress(w: UnitOfWork, request_ids: Sequence[UUID]) -> dict[str, int]:
    """Return how many of the actor's own requests stand in each state, for a page that watches a batch being signed."""
    rows = w.session.execute(
        select(SignatureRequest.state, func.count())
        .where(
            SignatureRequest.province == w.province,
            SignatureRequest.id.in_(request_ids),
            SignatureRequest.signer_id == acting(w).person_id,
        )
        .group_by(SignatureRequest.state)
    )
    return {state: number for state, number in rows}  # noqa: C416  a row is no pair for the type checker


def under_way(w: UnitOfWork, task_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Return since when the documents of these steps are approved and being completed by the system.

    What waits for the agent at its signer's computer is not among them: only the signer can get it on.
    """
    found = w.session.scalars(
        select(SignatureRequest).where(
            SignatureRequest.province == w.province, SignatureRequest.task_id.in_(task_ids), SignatureRequest.state.in_(UNDER_WAY)
        )
    )
    return {one.task_id: one.approved_at for one in found if one.task_id is not None and one.approved_at is not None and not one.at_agent}


def prepared_bytes(w: UnitOfWork, request_id: UUID) -> bytes:
    """Return the very bytes the actor's key will sign, the place of the signature included."""
    return w.part(BlobStore).get(request_of(w, request_id).prepared)


def prepared_picture(w: UnitOfWork, request_id: UUID, number: int, *, dpi: int = DPI_READING) -> bytes:
    """Return one page (from 1) of the very bytes the actor's key will sign, as JPEG.

    Raises:
        NotFound: no such preparation or page, for this person.
    """
    try:
        return picture(prepared_bytes(w, request_id), "application/pdf", number - 1, dpi)
    except IndexError:
        raise NotFound("document.page_not_found") from None


def batch(w: UnitOfWork, task_ids: Sequence[UUID], failures: dict[UUID, tuple[str, Json]]) -> list[BatchLine]:
    """Return how each document of a batch stands, in the order asked; *failures* are those of preparing them just now."""
    person = acting(w).person_id
    found = w.session.execute(
        select(Task, Dossier.code)
        .join(Dossier, and_(Dossier.province == Task.province, Dossier.id == Task.dossier_id))
        .where(Task.province == w.province, Task.id.in_(task_ids), Task.action == "sign")
    )
    rows = {task.id: (task, code) for task, code in found}
    return [stands(w, person, *rows[t], failures.get(t)) for t in dict.fromkeys(task_ids) if t in rows]


def stands(w: UnitOfWork, person: UUID, task: Task, code: str, failure: tuple[str, Json] | None) -> BatchLine:
    """Return how one document of a batch stands."""
    request = w.session.scalars(
        select(SignatureRequest)
        .where(SignatureRequest.province == w.province, SignatureRequest.task_id == task.id, SignatureRequest.signer_id == person)
        .order_by(SignatureRequest.created_at.desc())
        .limit(1)
    ).one_or_none()
    document = w.session.get(Document, (w.province, request.document_id)) if request is not None else None
    name = document.name if document is not None else task.name
    if task.state != "open":
        signed = request is not None and request.state == "embedded"
        return BatchLine(task.id, code, name, task.name, "signed" if signed else "closed", task.closed_at, None, 0, "", None, {})
    told = dict(request.basis.get("failure") or {}) if request is not None else {}
    waiting = request is not None and request.at_agent
    if request is not None and request.state in UNDER_WAY and not waiting:
        return BatchLine(task.id, code, name, task.name, "under_way", request.approved_at, None, 0, "", request.failure, told)
    if failure is not None or request is None or not (waiting or (request.state in READY and request.expires_at > w.now)):
        why, facts = failure or ("signing.request_over", {"state": request.state if request is not None else "–"})
        return BatchLine(task.id, code, name, task.name, "refused", None, None, 0, "", why, facts)
    digest = str(request.ceremony["to_sign_sha256"])
    pages = page_count(w.part(BlobStore).get(request.prepared), "application/pdf")
    check = f"{digest[:4]} {digest[4:8]}".upper()
    facts = dict(request.basis.get("failure") or {})
    return BatchLine(task.id, code, name, task.name, "ready", None, request.id, pages, check, request.failure, facts)


def signed_by_me(w: UnitOfWork, *, number: int = 1, size: int = 25) -> tuple[list[Past], int]:
    """Return the signatures the actor has given, newest first, and how many there are."""
    given = and_(
        SignatureRequest.province == w.province,
        SignatureRequest.signer_id == acting(w).person_id,
        SignatureRequest.kind == "leader",
        SignatureRequest.state == "embedded",
    )
    total = w.session.scalar(select(func.count()).select_from(SignatureRequest).where(given)) or 0
    rows = w.session.execute(
        select(SignatureRequest, Document, Dossier)
        .join(Document, and_(Document.province == SignatureRequest.province, Document.id == SignatureRequest.document_id))
        .join(Dossier, and_(Dossier.province == Document.province, Dossier.id == Document.dossier_id))
        .where(given)
        .order_by(SignatureRequest.finished_at.desc())
        .limit(size)
        .offset((max(number, 1) - 1) * size)
    )
    return [Past(r.finished_at or r.created_at, d.name, d.id, d.state, r.capacity, s.code, s.subject) for r, d, s in rows], total


def key_in_use(w: UnitOfWork, unit_id: UUID | None = None) -> KeyInUse:
    """Return the actor's own key, or the seal key of an agency; without any, one that is opened by a PIN and is nobody's."""
    from engine.office.keys import key_of_agency, key_of_person

    try:
        key = key_of_agency(w, unit_id) if unit_id is not None else key_of_person(w, acting(w).person_id)
    except Refused:
        return KeyInUse("pin", "")
    return KeyInUse(key.approval, hashlib.sha256(key.certificate).hexdigest())


def key_reference(w: UnitOfWork) -> Any:
    """Return the reference under which custody keeps the actor's own key.

    Raises:
        Refused: there is no valid key.
    """
    from engine.office.keys import key_of_person

    return key_of_person(w, acting(w).person_id).reference
