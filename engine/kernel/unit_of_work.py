"""The unit of work: one command, one transaction, one instant, one actor.

Whatever a command changes, promises and records becomes true together when the block ends, or not at all. This is the only module
in which the word *commit* stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, Protocol, TypeVar
from uuid import UUID

from psycopg import errors as postgres
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from engine.errors import Conflict
from engine.kernel import due, journal, outbox, requests, wire
from engine.kernel.canonical import plain
from engine.kernel.clock import Clock
from engine.kernel.session import Sessions
from engine.kernel.tables import Json

T = TypeVar("T")
END = b"commit"


class Parts(Protocol):
    """What one installation is made of, by type."""

    def part(self, kind: type[T]) -> T:
        """Return the installation's only object of this type."""
        ...


@dataclass(frozen=True)
class Actor:
    """Who acts: a signed-in person, a citizen at the portal, the clock, the system itself or the command line. Holds ids, no names."""

    kind: Literal["person", "citizen", "clock", "system", "cli"]
    account: int | None = None
    person: UUID | None = None
    appointment: UUID | None = None
    label: str = ""

    @property
    def identity(self) -> Json:
        """The actor as the journal keeps it: only what is known."""
        return dict(_known(self))

    @property
    def requester(self) -> str:
        """Whose request ids these are: the same id from somebody else is another request."""
        return f"{self.kind}:{self.account if self.account is not None else self.label}"


@lru_cache(256)
def _known(actor: Actor) -> tuple[tuple[str, Any], ...]:
    known = {field.name: getattr(actor, field.name) for field in fields(actor)}
    return tuple([(name, plain(value)) for name, value in known.items() if value not in (None, "")])


class UnitOfWork:
    """What a command works with: the session, the actor, the fixed instant, and ways to record, promise and remember."""

    def __init__(self, session: Session, actor: Actor, now: datetime, province: int, parts: Parts) -> None:
        self.session = session
        self.actor = actor
        self.now = now
        self.province = province
        self._parts = parts
        self._facts: list[journal.Fact] = []
        self._promises: list[outbox.Promise] = []
        self._answers: list[wire.Part] = []

    def part(self, kind: type[T]) -> T:
        """Return the installation's object of this type: the blob store, the calendars, the settings …"""
        return self._parts.part(kind)

    def record(self, kind: str, /, dossier: UUID | None = None, **facts: Any) -> None:
        """Write a fact in the past tense into the journal; it is sealed when the unit of work ends. Facts hold ids, no personal data."""
        self._facts.append(journal.fact(kind, dossier, facts))

    def send(self, kind: str, key: str, payload: Json, *, dossier: UUID | None = None, not_before: datetime | None = None) -> None:
        """Promise a message to the outside; a *key* that is known already promises nothing new."""
        self._promises.append(outbox.promise(kind, key, payload, dossier, not_before))

    def recall(self, request_key: str, content: str = "") -> Json | None:
        """Return the answer this requester got for this request id before, or None when it is new.

        Raises:
            Conflict: when the id comes again with other *content*.
        """
        return requests.recall(self.session, self.province, f"{self.actor.requester}:{request_key}", self.now, content)

    def remember(self, request_key: str, answer: Json, *, claimed: bool = True) -> None:
        """Keep the answer to a request id that was asked for with `recall`; without *claimed* to one that was only looked for (`find`).

        Then the same request may be answered at the same moment: whoever is second is taken back when the unit of work ends, with a
        `Conflict`, and finds the first's answer.
        """
        key = f"{self.actor.requester}:{request_key}"
        kept = requests.answered(self.province, key, answer) if claimed else requests.first_answered(self.province, key, answer, self.now)
        self._answers.append(kept)

    def find(self, request_key: str) -> Json | None:
        """Return the answer this requester got for this request id, if there is one; unlike `recall` it claims nothing."""
        return requests.find(self.session, self.province, f"{self.actor.requester}:{request_key}")

    def _complete(self) -> bool:
        """Send the changes, promises and facts to the database, in this order: the shared chain is locked last.

        Where the end of the only chain was read under the dossier's lock, the changes, its lines and the end of the transaction travel
        together; returns whether they did.
        """
        lines = journal.parts(self.session, self.province, self.now, self.actor.identity, self._facts)
        if lines is None:
            self.session.flush()
            due.settle(self.session)
        if self._promises:
            outbox.write(self.session, self.province, self.now, self._promises)
        if lines is not None:
            later = due.parts(self.session)
            if wire.write(self.session, [*later, *lines, *self._answers], END):
                return True
            self.session.flush()
            for part in later:
                wire.send(self.session, part)
        for part in self._answers:
            wire.send(self.session, part)
        if self._facts:
            journal.seal(self.session, self.province, self.now, self.actor.identity, self._facts)
        return False


@contextmanager
def begin(sessions: Sessions, actor: Actor, clock: Clock, province: int, parts: Parts) -> Iterator[UnitOfWork]:
    """Open a unit of work; commit when the block ends, roll back when it raises.

    Raises:
        Conflict: when somebody else holds or has changed what this unit of work needs.
    """
    session = sessions.take()
    ended_well = False
    try:
        w = UnitOfWork(session, actor, clock.now(session, province), province, parts)
        yield w
        if not w._complete():
            session.commit()
        ended_well = True
    except StaleDataError as error:
        raise Conflict("work.stale") from error
    except DBAPIError as error:
        if isinstance(error.orig, postgres.LockNotAvailable | postgres.DeadlockDetected | postgres.SerializationFailure):
            raise Conflict("work.busy") from error
        if isinstance(error.orig, postgres.UniqueViolation) and error.orig.diag.constraint_name == requests.TWICE:
            raise Conflict("work.stale") from error
        raise
    finally:
        session.close()
        if ended_well:
            del w.session  # from here on another's
            sessions.give_back(session)
