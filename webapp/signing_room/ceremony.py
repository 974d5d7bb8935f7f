"""The three steps of a signature as the web does them: prepare (transaction), sign and time-stamp (none), finish (one each)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from engine.commands import signatures
from engine.errors import EngineError
from engine.queries import ceremony
from webapp.errors import attempted
from webapp.transaction import look, work


def prepared(task_ids: Sequence[UUID]) -> list[signatures.PreparedRow]:
    """Prepare documents for the signer, so that what is shown is what will be signed; a preparation still alive is used again."""
    with work() as w:
        return signatures.prepare(w, task_ids)


def approve(request_ids: Sequence[UUID], sealed_pin: str) -> list[signatures.Outcome]:
    """Sign prepared documents with one PIN; each is finished by itself, so that none takes the others down.

    Raises:
        Refused: the key refuses (wrong PIN, locked): nothing was signed.
        Conflict: a preparation is over: nothing was signed.
    """
    with work() as w:
        batch, office, now = signatures.to_sign(w, request_ids), signatures.office_of(w), w.now
    outcomes: list[signatures.Outcome] = []
    for answer in signatures.sign(office, batch, sealed_pin, now):
        error = attempted(partial(finish, answer, outcomes))
        if error is not None:
            outcomes.append(failed(UUID(answer.request_id), error))
    return outcomes


def finish(answer: signatures.Signed, outcomes: list[signatures.Outcome]) -> None:
    """Embed one answer in a unit of work of its own."""
    with work() as w:
        made = signatures.finish(w, [answer])
    outcomes.extend(made)


def failed(request_id: UUID, error: EngineError) -> signatures.Outcome:
    """Return the outcome of a document that could not be finished, for example because somebody was faster."""
    with look() as w:
        request = ceremony.request_of(w, request_id)
        return signatures.Outcome(request.task_id, request.document_id, {}, False, error.code, dict(error.facts))
