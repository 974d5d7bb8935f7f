"""Counting what the database is asked: every statement that reaches the driver, whoever sends it, and every journey to the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import psycopg

from engine.kernel import journey


@dataclass
class Asked:
    """The texts of the statements sent, BEGIN and COMMIT apart, and how many transactions were ended by a commit."""

    texts: list[str] = field(default_factory=list)
    commits: int = 0

    def __len__(self) -> int:
        return len(self.texts)

    def __str__(self) -> str:
        return "\n".join(text[:160].replace("\n", " ") for text in self.texts)


@contextmanager
def counted() -> Iterator[Asked]:
    """The statements this process sends while the block runs."""
    asked = Asked()
    execute, executemany, commit = psycopg.Cursor.execute, psycopg.Cursor.executemany, psycopg.Connection.commit
    go = journey.Line.go

    def one(self: Any, query: Any, *given: Any, **options: Any) -> Any:
        asked.texts.append(str(query))
        return execute(self, query, *given, **options)

    def many(self: Any, query: Any, *given: Any, **options: Any) -> Any:
        asked.texts.append(str(query))
        return executemany(self, query, *given, **options)

    def gone(self: Any, statements: Any, end: bytes | None = None) -> Any:
        asked.texts.extend(text for text, _ in statements)
        asked.commits += end is not None
        return go(self, statements, end)

    def ended(self: Any) -> Any:
        asked.commits += self.info.transaction_status != psycopg.pq.TransactionStatus.IDLE
        return commit(self)

    with (
        mock.patch.object(psycopg.Cursor, "execute", one),
        mock.patch.object(psycopg.Cursor, "executemany", many),
        mock.patch.object(psycopg.Connection, "commit", ended),
        mock.patch.object(journey.Line, "go", gone),
    ):
        yield asked
