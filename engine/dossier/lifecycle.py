"""The business status of a dossier: which event leads from which status to which; pure.

The diagram decides what happens next, this table only what it means: a diagram may ask twice for a supplement, it may not reopen what was
returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from engine.errors import Conflict

Status = Literal[
    "received",
    "processing",
    "awaiting_supplement",
    "awaiting_payment",
    "awaiting_authority",
    "refused",
    "withdrawn",
    "stopped",
    "resolved",
    "returned",
]
Event = Literal[
    "work_started",
    "supplement_requested",
    "supplement_answered",
    "payment_requested",
    "paid",
    "authority_asked",
    "authority_answered",
    "refused",
    "withdrawn",
    "stopped",
    "resolved",
    "sent_back",
    "returned",
    "closed",
]

FIRST: Final[Status] = "received"
TERMINAL: Final = frozenset[str]({"refused", "withdrawn", "stopped", "returned"})
WAITING: Final = frozenset[str]({"awaiting_supplement", "awaiting_payment", "awaiting_authority"})
"""Statuses in which the statutory clock stands still."""
GROUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "supplement": ("supplement_requested", "supplement_answered"),
    "financial_obligation": ("payment_requested", "paid"),
    "other_authority": ("authority_asked", "authority_answered"),
}
"""What the clock may stand still for, with the events that begin and end it.

The owner's supplement; the owner's financial obligation (national status 6); another authority whose time the specialised law does not
count, such as the tax office that sets the obligation. Nothing inside the office is a ground.
"""

_ENDS: Final = {"refused": "refused", "withdrawn": "withdrawn", "stopped": "stopped"}
_WORK: Final = {
    "work_started": "processing",
    "supplement_requested": "awaiting_supplement",
    "payment_requested": "awaiting_payment",
    "authority_asked": "awaiting_authority",
    "resolved": "resolved",
    "closed": "returned",
    **_ENDS,
}
RULES: Final[Mapping[str, Mapping[str, str]]] = {
    "received": _WORK,
    "processing": {**_WORK, "sent_back": "processing"},
    "awaiting_supplement": {"supplement_answered": "processing", "work_started": "awaiting_supplement", **_ENDS},
    "awaiting_payment": {"paid": "processing", "work_started": "awaiting_payment", **_ENDS},
    "awaiting_authority": {"authority_answered": "processing", "work_started": "awaiting_authority", **_ENDS},
    "resolved": {"returned": "returned", "work_started": "resolved", "sent_back": "processing", "closed": "returned"},
}


def follow(status: str, event: str) -> str:
    """Return the status after *event*.

    Raises:
        Conflict: ``dossier.not_now``: the event means nothing in this status; somebody was faster.
    """
    after = RULES.get(status, {}).get(event)
    if after is None:
        raise Conflict("dossier.not_now", status=status, event=event)
    return after


def possible(status: str) -> frozenset[str]:
    """Return the events that mean something in a status."""
    return frozenset(RULES.get(status, {}))


def ended(status: str) -> bool:
    """Say whether nothing more can happen."""
    return status in TERMINAL
