"""The session of a unit of work: its journeys and its own statements share one connection, and only what is used is paid for."""

from __future__ import annotations

from typing import Any, cast

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import PoolProxiedConnection

from engine.kernel.journey import Line, Row

_LINE = "line"


class WorkSession(Session):
    """A session on one engine that keeps its connection from its first use until it is closed.

    A completed step goes to the database by journeys alone. For these the connection comes straight from the pool; the session's own
    layers (its transaction, the engine's connection and its transaction) are laid over the same connection when somebody asks the session.
    """

    def __init__(self, bind: Engine, **options: Any) -> None:
        super().__init__(bind, **options)
        self.engine = bind
        self._kept: PoolProxiedConnection | None = None
        self._line: Line | None = None
        self._over: Connection | None = None

    def line(self) -> Line:
        """Return this session's connection for journeys; the first begins the transaction, if none is under way."""
        if self._line is None:
            kept = self._fetched()
            found: Line | None = kept.info.get(_LINE)
            if found is None:
                found = kept.info[_LINE] = Line(cast("psycopg.Connection[Row]", kept.driver_connection))
            self._line = found
        return self._line

    def get_bind(self, mapper: Any = None, *, bind: Any = None, **_: Any) -> Engine | Connection:
        """Return the connection everything this session asks goes to."""
        if bind is not None:
            return cast(Engine | Connection, bind)
        if self._over is None:
            self._over = Connection(self.engine, connection=self._fetched())
        return self._over

    def rollback(self) -> None:
        """Take back what journeys have done too."""
        self.join()
        super().rollback()

    def close(self) -> None:
        """Take back what was not committed, and give the connection back."""
        try:
            super().close()
        finally:
            kept, over = self._kept, self._over
            self._kept = self._line = self._over = None
            if over is not None:
                over.close()
            elif kept is not None:
                kept.close()

    def lost(self) -> bool:
        """Throw the connection away if it is closed; return whether it was."""
        if self._line is None or not self._line.closed:
            return False
        self.invalidate()
        if self._kept is not None and self._kept.is_valid:
            self._kept.invalidate()
        self._kept = self._line = self._over = None
        return True

    def _fetched(self) -> PoolProxiedConnection:
        if self._kept is None:
            self._kept = self.engine.raw_connection()
        return self._kept

    def join(self) -> None:
        """Let the session's transaction be the one a journey has begun."""
        if self._line is not None and self._line.pgconn.transaction_status != TransactionStatus.IDLE:
            self.connection()


def engine_of(session: Session) -> Engine:
    """Return the engine a session works on, without asking for its connection."""
    if isinstance(session, WorkSession):
        return session.engine
    bind = session.get_bind()
    return bind if isinstance(bind, Engine) else bind.engine


class Sessions(sessionmaker[WorkSession]):
    """Makes sessions, and hands one out again after a unit of work that ended well: making one costs as much as a journey."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, class_=WorkSession, expire_on_commit=False)
        self._rested: list[WorkSession] = []

    def take(self) -> WorkSession:
        """Return a session nobody uses; who takes it closes it."""
        try:
            return self._rested.pop()
        except IndexError:
            return self()

    def give_back(self, session: WorkSession) -> None:
        """Take back a closed session; nothing of what it knew is left in it."""
        session.info.clear()
        self._rested.append(session)


@event.listens_for(WorkSession, "before_commit")
def _journeys_too(session: WorkSession) -> None:
    session.join()
