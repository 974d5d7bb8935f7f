"""Signing as the web does it: prepare and show in one transaction, then the ceremony with the actor's own units of work."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from engine.commands import ceremony, signatures
from engine.sentences import sentence
from webapp.i18n import gettext as _
from webapp.i18n import language, pick
from webapp.transaction import work


def prepared(task_ids: Sequence[UUID]) -> list[signatures.PreparedRow]:
    """Prepare documents for the page that shows their very bytes; a preparation still alive is used again."""
    with work() as w:
        rows = signatures.prepare(w, task_ids)
        ceremony.show(w, [row.request_id for row in rows if row.request_id is not None])
        return rows


def approve(request_ids: Sequence[UUID], sealed_pin: str) -> list[ceremony.Outcome]:
    """Sign what was shown with one PIN, an outcome for each document.

    Raises:
        Refused: the key refuses (wrong PIN, locked): nothing was signed.
    """
    return ceremony.carry_through(work, request_ids, sealed_pin)


def under_way(outcome: ceremony.Outcome) -> str:
    """Return what to say of a signature that completes by itself: that it does, and what it waits for."""
    words = _("%(name)s: chữ ký đang được hoàn tất, không cần nhập lại mã PIN.") % {"name": pick(outcome.name)}
    return f"{words} {sentence(outcome.failure or 'signing.under_way', language(), outcome.facts).what}"
