"""The fees of a dossier: dated rules of the procedure, each amount a FEEL expression in đồng over the facts of the dossier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

from engine.dossier.checklist import Named
from engine.errors import Refused
from engine.feel import Expression, compile_expression


class BilingualName(Named, Protocol):
    """A name with its English."""

    @property
    def en(self) -> str:
        """The English name."""


class FeeRule(Protocol):
    """What the count needs to know of a fee of a procedure."""

    @property
    def key(self) -> str:
        """The fee's key."""

    @property
    def kind(self) -> str:
        """``fee`` (phí) or ``charge`` (lệ phí)."""

    @property
    def name(self) -> BilingualName:
        """What it is called on the receipt."""

    @property
    def amount(self) -> str:
        """The FEEL expression of the amount in đồng."""

    @property
    def legal_basis(self) -> str:
        """The act that sets it."""

    @property
    def valid_from(self) -> date | None:
        """The first day on which it is taken."""


@dataclass(frozen=True, slots=True)
class FeeLine:
    """A fee to be paid, in whole đồng."""

    key: str
    kind: str
    name: dict[str, str]
    amount: int
    legal_basis: str


def due_fees(rules: Iterable[FeeRule], facts: Mapping[str, Any]) -> list[FeeLine]:
    """Return the fees due on the facts of a dossier; fees of nothing are left out.

    The rule is chosen by the day of reception (``received_on``): the newest already in force wins.

    Raises:
        Refused: an amount is no whole, non-negative number of đồng.
    """
    on = date.fromisoformat(str(facts["received_on"]))
    chosen: dict[str, FeeRule] = {}
    for rule in sorted(rules, key=lambda r: r.valid_from or date.min):
        if (rule.valid_from or date.min) <= on:
            chosen[rule.key] = rule
    lines = [
        FeeLine(rule.key, rule.kind, {"vi": rule.name.vi, "en": rule.name.en}, amount(rule, facts), rule.legal_basis)
        for rule in chosen.values()
    ]
    return [line for line in lines if line.amount]


def amount(rule: FeeRule, facts: Mapping[str, Any]) -> int:
    """Return the amount of one fee in đồng.

    Raises:
        Refused: it is no whole, non-negative number of đồng.
    """
    try:
        value = _expression(rule.amount).evaluate({"dossier": dict(facts)})
    except Exception as wrong:
        raise Refused("fee.amount_undecided", field=rule.key, fee=rule.key) from wrong
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0 or value != int(value):
        raise Refused("fee.amount_not_money", field=rule.key, fee=rule.key)
    return int(value)


@lru_cache(maxsize=512)
def _expression(text: str) -> Expression:
    return compile_expression(text)
