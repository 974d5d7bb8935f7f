"""Connectors: what carries the office's promises to the outside.

A connector takes the messages of its kinds. It prepares a message inside a transaction (reading what it needs, the address included)
and delivers it outside of any. Delivery is at least once: the message's key goes along, so that the receiver can tell a repetition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol
from uuid import UUID

from engine.errors import EngineError
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.settings import Settings

GROUP = "motcua.connectors"


@dataclass(frozen=True, slots=True)
class Message:
    """A promise as the connector sees it."""

    id: UUID
    key: str
    kind: str
    dossier: UUID | None
    payload: Json
    attempt: int


class Connector(Protocol):
    """One way to the outside."""

    def prepare(self, w: UnitOfWork, message: Message) -> Any:
        """Return all that delivery needs; None when there is nobody to deliver to any more (the message counts as delivered)."""
        ...

    def deliver(self, prepared: Any) -> Json:
        """Hand it over, without a transaction, and return the receipt.

        Raises:
            Exception: when it was not handed over; it will be tried again.
        """
        ...


class Connectors:
    """The connectors of an installation by kind of message; packages add theirs with the entry point group ``motcua.connectors``."""

    def __init__(self, settings: Settings, makers: Mapping[str, Callable[[Settings], Connector]] | None = None) -> None:
        found: dict[str, Callable[[Settings], Connector]] = {}
        for point in entry_points(group=GROUP):
            found[point.name] = point.load()
        self._makers = {**found, **(_own() if makers is None else makers)}
        self._settings = settings
        self._made: dict[str, Connector] = {}

    def of(self, kind: str) -> Connector:
        """Return the connector that takes messages of this kind.

        Raises:
            EngineError: ``outbox.no_connector``.
        """
        if kind not in self._made:
            if kind not in self._makers:
                raise EngineError("outbox.no_connector", kind=kind)
            self._made[kind] = self._makers[kind](self._settings)
        return self._made[kind]


def _own() -> dict[str, Callable[[Settings], Connector]]:
    from engine.connectors.mail import MailConnector

    return {"mail": MailConnector}
