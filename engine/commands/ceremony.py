"""The signing ceremony after preparation: shown → approved → signed → embedded, each step committed before the next begins.

What a person approved is claimed before their key is asked, and what the key answered is kept before anything is made of it. A lost
answer is therefore never asked for as a new signature: the worker carries on from the last step that was committed.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import select, update

from engine.commands import preservation, signatures, tasks
from engine.documents.blobs import BlobStore
from engine.documents.model import Document, RegisterEntry, SignatureRequest, SigningKey
from engine.documents.signature import Signed, SigningOffice, ToSign, embed, fits, translated
from engine.errors import Conflict, EngineError
from engine.kernel.incidents import open_incident
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import papers
from engine.office.flow import Flow, require_moving
from engine.office.keys import key_of_agency, key_of_person
from engine.office.standing import acting
from engine.process.model import Task
from signing.errors import SigningError
from signing.model import SignerCertificate

Begin: TypeAlias = Callable[[], AbstractContextManager[UnitOfWork]]

# The worker looks after an approval only when the person's own request must have ended one way or another.
FIRST_TRY = timedelta(seconds=75)
# After this long without an answer a key in our own custody has surely signed nothing; longer than its client waits.
LAPSE = timedelta(minutes=3)
# A signer types the PIN of a token at the agent, which waits ten minutes.
LAPSE_AT_AGENT = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(minutes=15)
TELL_AFTER = 5
BATCH = 100
# Nobody can say whether the key has signed: only asking it what it has signed can tell, and asking it to sign again is wrong.
UNCERTAIN = frozenset({"custody.answer_lost", "custody.remote_down", "custody.remote_late"})
# The bytes shown must not be signed again: the answer was for other bytes, or is lost for good. A new preparation is a new approval.
FINAL = frozenset({"signing.answer_wrong", "custody.answer_gone", "custody.remote_nonsense"})
# Troubles of the time-stamping authority pass; the signature waits for them.
PASSING = frozenset({"signing.tsa_down", "signing.clock_skew", "signing.token_broken"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document of a batch; with *waiting* nothing is to be done: it completes, or lapses, by itself."""

    request_id: UUID
    task_id: UUID | None
    document_id: UUID | None
    name: Json
    signed: bool
    failure: str | None = None
    facts: Json = field(default_factory=dict)
    next_task_id: UUID | None = None
    waiting: bool = False


After: TypeAlias = Callable[[UnitOfWork, Outcome], None]


def nothing(w: UnitOfWork, outcome: Outcome) -> None:
    """Do nothing more when a document is finished."""


def show(w: UnitOfWork, request_ids: Iterable[UUID]) -> None:
    """Note that the signer was given the very bytes their key will sign; only what was shown can be approved."""
    person = acting(w)
    w.session.execute(
        update(SignatureRequest)
        .where(
            SignatureRequest.province == w.province,
            SignatureRequest.id.in_(list(request_ids)),
            SignatureRequest.signer_id == person.person_id,
            SignatureRequest.state == "prepared",
        )
        .values(state="shown")
    )


def carry_through(
    begin: Begin, request_ids: Sequence[UUID], sealed_pin: str, *, verify: bool = False, after: After = nothing
) -> list[Outcome]:
    """Sign what was shown with one authorisation of one key: an outcome for each document, one failure stops no other.

    *begin* opens a unit of work of the signer; *after* is called in the one that finishes a document. With *verify* the whole document is
    judged before it is taken.

    Raises:
        Refused: the key refuses (wrong PIN, locked): nothing was signed and everything can be approved again.
    """
    wanted = list(dict.fromkeys(request_ids))
    outcomes: list[Outcome] = []
    batch: list[ToSign] = []
    for request_id in wanted:
        try:
            with begin() as w:
                batch.append(approve(w, request_id, verify=verify))
        except EngineError as error:
            with begin() as w:
                outcomes.append(unsigned(w, request_id, error.code, error.facts))
    at_agent = [item for item in batch if item.elsewhere]
    outcomes += give_back(begin, at_agent, "agent.needed", {})
    batch = [item for item in batch if not item.elsewhere]
    # One authorisation opens one key: what another key has to sign stays ready.
    others = [item for item in batch if item.key != batch[0].key]
    outcomes += give_back(begin, others, "signing.other_key", {})
    outcomes += ask(begin, [item for item in batch if item not in others], sealed_pin, after)
    return sorted(outcomes, key=lambda made: wanted.index(made.request_id))


def approve(w: UnitOfWork, request_id: UUID, *, verify: bool = False) -> ToSign:
    """Claim one document that was shown for the signer's key; who may sign is judged at this moment.

    Raises:
        NotFound: the preparation is not this person's.
        Conflict: it is over, or the document or the step has moved on since it was shown.
        Refused: there is no valid key any more.
        Forbidden: the appointment or delegation has ended meanwhile.
    """
    person = acting(w)
    request = papers.request_of(w, request_id)
    assert request.task_id is not None
    run, task = tasks.locked(w, request.task_id)
    w.session.refresh(request, with_for_update=True)
    tasks.require_open(w, task)
    tasks.require_mine(person, task)
    require_moving(run)
    if request.state == "prepared":
        raise Conflict("signing.not_shown")
    if request.state != "shown" or request.expires_at <= w.now:
        raise Conflict("signing.request_over", state="expired" if request.state == "shown" else request.state)
    document = papers.document_of(w, request.document_id, lock=True)
    if document.sha256 != request.shown:
        raise Conflict("signing.document_changed")
    if request.kind == "leader":
        signatures.separate_duties(run, document, person)
        signatures.entitled(run, task, document, person)
        key = key_of_person(w, person.person_id)
    else:
        person.require(*task.roles, unit=task.unit_id)
        key = key_of_agency(w, document.unit_id)
    if key.id != request.key_id:
        raise Conflict("signing.key_changed")
    at_agent = key.approval == "device"
    request.state, request.approved_at, request.attempts = "approved", w.now, 0
    request.try_at = w.now + (LAPSE_AT_AGENT if at_agent else FIRST_TRY)
    request.failure, request.basis = None, {**request.basis, "verify": verify, "failure": {}, "device": at_agent}
    w.record("signature.approved", run.dossier.id, document=str(document.id), request=str(request.id))
    return item_of(w, request, key)


def item_of(w: UnitOfWork, request: SignatureRequest, key: SigningKey) -> ToSign:
    """Return an approved request as it travels outside any transaction."""
    verify = bool(request.basis.get("verify"))
    pdf = w.part(BlobStore).get(request.prepared)
    return ToSign(request.id, key.reference, pdf, request.ceremony, verify, elsewhere=key.approval == "device")


def ask(begin: Begin, batch: Sequence[ToSign], sealed_pin: str, after: After) -> list[Outcome]:
    """Ask how the certificate stands, then the key, once for the whole batch; keep every answer, then complete one after the other."""
    if not batch:
        return []
    with begin() as w:
        office, now = w.part(SigningOffice), w.now
    try:
        stands = office.standing(certificate_of(batch[0]), now)
        raw = office.custody.sign(batch[0].key, sealed_pin, [item.content for item in batch])
    except SigningError as refused:
        if refused.code in UNCERTAIN:
            with begin() as w:
                return [unsigned(w, item.request_id, refused.code, refused.facts, waiting=True) for item in batch]
        give_back(begin, batch, refused.code, refused.facts)
        raise translated(refused, field="pin") from None
    good: list[tuple[ToSign, bytes]] = []
    outcomes: list[Outcome] = []
    for item, one in zip(batch, raw, strict=True):
        if isinstance(one, SigningError):
            outcomes += settle(begin, item, one.code)
        elif fits(item, one):
            good.append((item, one))
        else:
            outcomes += settle(begin, item, "signing.answer_wrong")
    with begin() as w:
        keep(w, [(item.request_id, one) for item, one in good], stands)
    return outcomes + [complete(begin, office, item, one, after) for item, one in good]


def settle(begin: Begin, item: ToSign, code: str) -> list[Outcome]:
    """Note what a key answered instead of a signature: nothing for ever, not this time, or nobody knows yet."""
    if code in UNCERTAIN:
        with begin() as w:
            return [unsigned(w, item.request_id, code, {}, waiting=True)]
    return give_up(begin, [item], code) if code in FINAL else give_back(begin, [item], code, {})


def certificate_of(item: ToSign) -> SignerCertificate:
    """Return the certificate a request was prepared for, with its chain."""
    told = item.ceremony
    return SignerCertificate(base64.b64decode(told["certificate"]), tuple(base64.b64decode(one) for one in told["chain"]))


def keep(w: UnitOfWork, answers: Sequence[tuple[UUID, bytes]], stands: str) -> None:
    """Keep what the key answered: from here on nothing needs the key again."""
    for request_id, raw in answers:
        request = locked(w, request_id)
        if request.state == "approved":
            request.state, request.raw, request.basis = "signed", raw, {**request.basis, "revocation": stands}
            request.try_at = min(request.try_at or w.now + FIRST_TRY, w.now + FIRST_TRY)


def complete(begin: Begin, office: SigningOffice, item: ToSign, raw: bytes, after: After) -> Outcome:
    """Time-stamp and embed one kept signature and let its dossier move on; what passes by itself is tried again later."""
    with begin() as w:
        now = w.now
    answer = embed(office, item, raw, now)
    try:
        with begin() as w:
            outcome = finish(w, answer)
            after(w, outcome)
            return outcome
    except EngineError as error:  # somebody holds the dossier, or the step has gone: the signature is kept, the worker comes back to it
        with begin() as w:
            return unsigned(w, item.request_id, error.code, error.facts, waiting=True)


def finish(w: UnitOfWork, answer: Signed) -> Outcome:
    """Put the signed bytes in the document's place and close the step; a second answer for the same request changes nothing."""
    known = w.session.get(SignatureRequest, (w.province, answer.request_id))
    assert known is not None
    assert known.task_id is not None
    run, task = tasks.locked(w, known.task_id)
    request = locked(w, answer.request_id)
    document = papers.document_of(w, request.document_id, lock=True)
    told = Outcome(request.id, task.id, document.id, document.name, request.state == "embedded")
    if request.state != "signed":
        return told if told.signed else replace(told, failure="signing.request_over", facts={"state": request.state})
    failure, facts = answer.failure, answer.facts
    if failure is None and (task.state != "open" or document.sha256 != request.shown):
        failure, facts = "signing.document_changed", {}
    if failure is not None:
        request.failure, request.basis = failure, {**request.basis, "failure": facts}
        if failure not in PASSING:
            request.state, request.finished_at = "refused", w.now
        if request.attempts == 0 or failure not in PASSING:
            w.record("signature.failed", run.dossier.id, request=str(request.id), reason=failure)
        return replace(told, failure=failure, facts=facts, waiting=failure in PASSING)
    assert answer.pdf is not None
    request.state, request.finished_at, request.failure = "embedded", w.now, None
    papers.store(w, document, answer.pdf, "signed" if request.kind == "leader" else "sealed", request.signer_id)
    w.record(
        "document.signed" if request.kind == "leader" else "document.sealed",
        run.dossier.id,
        document=str(document.id),
        request=str(request.id),
        sha256=document.sha256,
        capacity=request.capacity,
        revocation=request.basis.get("revocation"),
    )
    if request.kind == "leader":
        document.state = "signed"
    else:
        issue(run, document)
    run.irreversible = True
    done = tasks.finish(run, task, {"document": str(document.id), "sha256": document.sha256}, request.signer_id, undo=False)
    return replace(told, signed=True, next_task_id=done.next_task_id)


def issue(run: Flow, document: Document) -> None:
    """The document is out: its number stands in the register for good."""
    document.state = "issued"
    w = run.w
    for entry in w.session.scalars(
        select(RegisterEntry).where(RegisterEntry.province == w.province, RegisterEntry.document_id == document.id)
    ):
        entry.state = "issued"
    preservation.plan(w, document)


def give_back(begin: Begin, batch: Sequence[ToSign], code: str, facts: Mapping[str, Any]) -> list[Outcome]:
    """The key has surely signed nothing: what was approved is ready again, with the reason beside it."""
    if not batch:
        return []
    with begin() as w:
        for item in batch:
            request = locked(w, item.request_id)
            if request.state == "approved":
                request.state, request.approved_at, request.try_at = "shown", None, None
                note(w, request, code, facts)
        return [unsigned(w, item.request_id, code, facts) for item in batch]


def give_up(begin: Begin, batch: Sequence[ToSign], code: str) -> list[Outcome]:
    """Nothing can come of these approvals any more: a new preparation is needed."""
    if not batch:
        return []
    with begin() as w:
        for item in batch:
            request = locked(w, item.request_id)
            if request.state in ("approved", "signed"):
                request.state, request.finished_at = "refused", w.now
                note(w, request, code, {})
        return [unsigned(w, item.request_id, code, {}) for item in batch]


def note(w: UnitOfWork, request: SignatureRequest, code: str, facts: Mapping[str, Any]) -> None:
    """Write down why a request did not get on."""
    request.failure, request.basis = code, {**request.basis, "failure": dict(facts)}
    assert request.task_id is not None
    task = w.session.get(Task, (w.province, request.task_id))
    assert task is not None
    w.record("signature.failed", task.dossier_id, request=str(request.id), reason=code)


def unsigned(w: UnitOfWork, request_id: UUID, code: str, facts: Mapping[str, Any], *, waiting: bool = False) -> Outcome:
    """Return the outcome of a document that is not signed; of somebody else's nothing is told but the code."""
    request = w.session.get(SignatureRequest, (w.province, request_id))
    if request is None or code == "signing.request_not_found":
        return Outcome(request_id, None, None, {}, False, code, dict(facts))
    document = w.session.get(Document, (w.province, request.document_id))
    return Outcome(
        request.id, request.task_id, request.document_id, document.name if document else {}, False, code, dict(facts), waiting=waiting
    )


def locked(w: UnitOfWork, request_id: UUID) -> SignatureRequest:
    """Return a request, locked and read anew."""
    return w.session.scalars(
        select(SignatureRequest)
        .where(SignatureRequest.province == w.province, SignatureRequest.id == request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


# -- what the worker does ------------------------------------------------------------------------------------------------------------------


def carry_on(begin: Begin) -> int:
    """Carry on with what was left between approval and document, and end what nobody approved in time; return how many were worked on.

    The key is never asked to sign here: only what it has signed already is fetched.
    """
    with begin() as w:
        expire(w)
        due = waiting_requests(w)
    for request_id in due:
        with begin() as w:
            taken = take(w, request_id)
            office, now = w.part(SigningOffice), w.now
        if taken is None:
            continue
        item, raw, approved_at = taken
        if raw is None:
            raw = fetched(begin, office, item, overdue=now - approved_at >= LAPSE)
        if raw is not None:
            complete(begin, office, item, raw, nothing)
    return len(due)


def expire(w: UnitOfWork) -> None:
    """End preparations whose time has passed without an approval."""
    w.session.execute(
        update(SignatureRequest)
        .where(
            SignatureRequest.province == w.province,
            SignatureRequest.state.in_(("prepared", "shown")),
            SignatureRequest.expires_at <= w.now,
        )
        .values(state="expired", finished_at=w.now)
    )


def waiting_requests(w: UnitOfWork) -> list[UUID]:
    """Return the approved and signed requests that wait for the worker, the longest waiting first."""
    return list(
        w.session.scalars(
            select(SignatureRequest.id)
            .where(
                SignatureRequest.province == w.province,
                SignatureRequest.state.in_(("approved", "signed")),
                SignatureRequest.try_at <= w.now,
            )
            .order_by(SignatureRequest.try_at)
            .limit(BATCH)
        )
    )


def take(w: UnitOfWork, request_id: UUID) -> tuple[ToSign, bytes | None, datetime] | None:
    """Take one waiting request for the next while; None when another worker was faster. Too many tries are told to a person."""
    request = locked(w, request_id)
    if request.state not in ("approved", "signed") or request.try_at is None or request.try_at > w.now:
        return None
    request.attempts += 1
    request.try_at = w.now + min(FIRST_TRY * 2 ** min(request.attempts - 1, 6), LONGEST_PAUSE)
    if request.attempts == TELL_AFTER:
        task = w.session.get(Task, (w.province, request.task_id))
        code = request.failure or "custody.answer_lost"
        incident = open_incident(
            w.session, w.province, w.now, "signing.unfinished", dossier=task.dossier_id if task else None, request=request.id, cause=code
        )
        w.record("incident.opened", task.dossier_id if task else None, incident=incident.id, code="signing.unfinished")
    key = w.session.get(SigningKey, (w.province, request.key_id))
    assert key is not None
    return item_of(w, request, key), request.raw, request.approved_at or request.created_at


def fetched(begin: Begin, office: SigningOffice, item: ToSign, *, overdue: bool) -> bytes | None:
    """Fetch what the key has signed for an approval whose answer was lost, and keep it; an approval that led to nothing is given back.

    An agent on the signer's computer cannot be asked from here: what it has signed it answers again when the signer comes back.
    """
    if item.elsewhere:
        if overdue:
            give_back(begin, [item], "signing.approval_lapsed", {})
        return None
    try:
        [raw] = office.custody.answered(item.key, [item.content])
    except SigningError:
        return None
    if raw is None:
        if overdue:
            give_back(begin, [item], "signing.approval_lapsed", {})
        return None
    if isinstance(raw, SigningError) or not fits(item, raw):
        settle(begin, item, raw.code if isinstance(raw, SigningError) else "signing.answer_wrong")
        return None
    with begin() as w:
        keep(w, [(item.request_id, raw)], "unknown")
    return raw
