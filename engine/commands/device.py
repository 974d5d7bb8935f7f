"""Signing with a key on the signer's own computer (USB token): the browser carries what is approved to the agent there, its answer back.

The ceremony is the same: claimed before the key is asked, the answer kept before it is used. Only that nobody here can ask the key: what
the agent answers is taken for the approved bytes and the registered certificate or not at all; asked again by content it answers the same.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from engine.commands.ceremony import (
    After,
    Begin,
    Outcome,
    approve,
    certificate_of,
    complete,
    give_back,
    item_of,
    keep,
    nothing,
    settle,
    unsigned,
)
from engine.documents.model import SigningKey
from engine.documents.signature import SigningOffice, ToSign, fits, translated
from engine.errors import Conflict, EngineError, Refused
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.papers import request_of
from signing.errors import SigningError

# Why nothing was signed, as the agent or the page beside it may say it; anything else they say is not believed.
REASONS = frozenset(
    {
        "agent.absent",
        "agent.origin_wrong",
        "agent.certificate_missing",
        "agent.content_strange",
        "agent.approval_unknown",
        "agent.refused",
        "agent.withdrawn",
        "agent.replaced",
        "agent.expired",
        "agent.pin_locked",
        "custody.device_failed",
        "custody.device_missing",
        "custody.device_weak",
        "custody.key_unknown",
    }
)
OTHERWISE = "agent.withdrawn"


@dataclass(frozen=True, slots=True)
class Claimed:
    """One approved document for the agent: exactly the bytes the key signs, and the code both screens show."""

    request_id: UUID
    task_id: UUID | None
    name: Mapping[str, str]
    content: bytes
    certificate: str

    @property
    def check_code(self) -> str:
        """The first eight hex digits of what is signed, grouped."""
        digest = hashlib.sha256(self.content).hexdigest()
        return f"{digest[:4]} {digest[4:8]}".upper()


def claim(begin: Begin, request_ids: Sequence[UUID]) -> tuple[list[Claimed], list[Outcome]]:
    """Approve what was shown, for the agent on the signer's computer; asked again, the same. One failure stops no other.

    Raises:
        Refused: the certificate is revoked, expired or not trusted any more; everything is ready again.
    """
    claimed: list[tuple[ToSign, Claimed]] = []
    failed: list[Outcome] = []
    for request_id in dict.fromkeys(request_ids):
        try:
            with begin() as w:
                item = mine(w, request_id) or approve(w, request_id)
                if not item.elsewhere:
                    raise Refused("agent.key_elsewhere")
                claimed.append((item, told(w, item)))
        except EngineError as error:
            with begin() as w:
                failed.append(unsigned(w, request_id, error.code, error.facts))
    others = [item for item, _ in claimed if item.key != claimed[0][0].key]
    failed += give_back(begin, others, "signing.other_key", {})
    claimed = [one for one in claimed if one[0] not in others]
    if claimed:
        stands(begin, [item for item, _ in claimed])
    return [one for _, one in claimed], failed


def answer(begin: Begin, answers: Mapping[UUID, bytes], *, after: After = nothing) -> list[Outcome]:
    """Take what the agent has signed: each answer for the approved bytes and the registered certificate; given twice, it counts once.

    An approval that has lapsed meanwhile is judged anew.

    Raises:
        Refused: the certificate is revoked, expired or not trusted any more.
    """
    good: list[tuple[ToSign, bytes]] = []
    outcomes: list[Outcome] = []
    for request_id, raw in answers.items():
        try:
            with begin() as w:
                finished = done(w, request_id)
                item = None if finished else mine(w, request_id) or approve(w, request_id)
                if item is not None and not item.elsewhere:
                    raise Refused("agent.key_elsewhere")
        except EngineError as error:
            with begin() as w:
                outcomes.append(unsigned(w, request_id, error.code, error.facts))
            if error.code == "task.closed":  # the same answer, given twice, may have arrived between the first look and the second
                with begin() as w:
                    outcomes[-1] = done(w, request_id) or outcomes[-1]
            continue
        if item is None:
            assert finished is not None
            outcomes.append(finished)
        elif fits(item, raw):
            good.append((item, raw))
        else:
            outcomes += settle(begin, item, "signing.answer_wrong")
    if good:
        how = stands(begin, [item for item, _ in good])
        with begin() as w:
            keep(w, [(item.request_id, raw) for item, raw in good], how)
            office = w.part(SigningOffice)
        outcomes += [complete(begin, office, item, raw, after) for item, raw in good]
    wanted = list(answers)
    return sorted(outcomes, key=lambda made: wanted.index(made.request_id))


def put_back(begin: Begin, request_ids: Sequence[UUID], code: str) -> list[Outcome]:
    """The agent has signed nothing, or nobody waits for it any more: what was approved is ready again, with the reason beside it.

    Should the agent have signed after all, the same bytes asked again get the same answer.
    """
    items = []
    for request_id in dict.fromkeys(request_ids):
        with begin() as w:
            item = mine(w, request_id)
        if item is not None:
            items.append(item)
    return give_back(begin, items, code if code in REASONS else OTHERWISE, {})


def mine(w: UnitOfWork, request_id: UUID) -> ToSign | None:
    """Return a request that the actor has approved for their agent, or None.

    Raises:
        NotFound: it is not the actor's.
    """
    request = request_of(w, request_id)
    if not request.at_agent:
        return None
    key = w.session.get(SigningKey, (w.province, request.key_id))
    assert key is not None
    if key.revoked_at is not None and key.revoked_at <= w.now:
        raise Conflict("signing.key_changed")
    return item_of(w, request, key)


def done(w: UnitOfWork, request_id: UUID) -> Outcome | None:
    """Return the outcome of a request that has been answered already, None when an answer is still awaited."""
    request = request_of(w, request_id)
    if request.state not in ("signed", "embedded"):
        return None
    found = unsigned(w, request_id, "signing.under_way", {}, waiting=True)
    if request.state == "embedded":
        return Outcome(found.request_id, found.task_id, found.document_id, found.name, True)
    return found


def told(w: UnitOfWork, item: ToSign) -> Claimed:
    """Return what the agent is told of an approved document."""
    outcome = unsigned(w, item.request_id, "signing.under_way", {})
    certificate = base64.b64decode(item.ceremony["certificate"])
    return Claimed(item.request_id, outcome.task_id, outcome.name, item.content, hashlib.sha256(certificate).hexdigest())


def stands(begin: Begin, items: Sequence[ToSign]) -> str:
    """Ask how the certificate stands now; on a refusal everything is given back.

    Raises:
        Refused: it is revoked, expired or not trusted any more.
    """
    with begin() as w:
        office, now = w.part(SigningOffice), w.now
    try:
        return office.standing(certificate_of(items[0]), now)
    except SigningError as refused:
        give_back(begin, items, refused.code, refused.facts)
        raise translated(refused, field="pin") from None
