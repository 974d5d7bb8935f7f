"""The operators a service task may call, with the parameters each needs; a diagram can ask for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OperatorKind:
    """One operator: parameters it requires and allows, and the outcome it gives the dossier (if any)."""

    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    outcome: str = ""
    document: bool = False
    """Whether ``document`` must name a document of the package."""
    open: bool = False
    """Whether further parameters are taken as they come (values for a template)."""


OPERATORS: Mapping[str, OperatorKind] = {
    "dossier/request_supplement": OperatorKind(frozenset(("reason",)), frozenset(("components", "legal_basis", "until"))),
    "dossier/suspend": OperatorKind(frozenset(("ground", "legal_basis")), frozenset(("document", "reference")), document=True),
    "dossier/resume": OperatorKind(frozenset(("ground",)), frozenset(("reference",))),
    "dossier/extend": OperatorKind(frozenset(("reason", "legal_basis")), frozenset(("until", "working_days", "apology"))),
    "dossier/reopen": OperatorKind(frozenset(("reason", "legal_basis"))),
    "dossier/refuse": OperatorKind(frozenset(("reason",)), frozenset(("legal_basis",)), outcome="refused"),
    "dossier/resolve": OperatorKind(frozenset(), frozenset(("document",)), outcome="resolved", document=True),
    "dossier/approve": OperatorKind(frozenset(), frozenset(("document",)), outcome="resolved", document=True),
    "dossier/close": OperatorKind(frozenset(), frozenset(("reason", "legal_basis", "outcome")), outcome="withdrawn"),
    "document/draft": OperatorKind(frozenset(("document",)), document=True, open=True),
    "notice/send": OperatorKind(frozenset(("template",)), frozenset(("to",))),
    "decision/evaluate": OperatorKind(frozenset(("decision",)), frozenset(("inputs",))),
}
SUPPLEMENT = "dossier/request_supplement"
SUPPLEMENT_ANSWERED = "supplement_answered"
TERM_ENDING = "term_ending"
"""Sent by the office one working day before the term ends, once: the last moment for an apology (NĐ 118/2025/NĐ-CP)."""
PAYMENT_RECEIVED = "payment_received"
CONFIRMATION_ANSWERED = "confirmation_answered"
"""Sent when the owner has looked at a draft: ``agreed`` and ``remark``."""
MESSAGES = frozenset((SUPPLEMENT_ANSWERED, "dossier_withdrawn", PAYMENT_RECEIVED, TERM_ENDING, CONFIRMATION_ANSWERED))
"""Messages the office sends to a running procedure."""
SUSPEND = "dossier/suspend"
RESUME = "dossier/resume"
GROUNDS = ("supplement", "financial_obligation", "other_authority")
"""What the statutory clock may stand still for; the life of a dossier (`engine.dossier.lifecycle`) knows what each begins and ends."""
EXTEND = "dossier/extend"
DRAFT = "document/draft"
NOTICE = "notice/send"
DECISION = "decision/evaluate"
"""Evaluates a decision of the package; pure, so that the interpreter does it itself. ``inputs`` is a context of inputs by name."""
ACTIONS = ("form", "sign", "issue", "return_result")
