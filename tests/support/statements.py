"""Counting what the database is asked: every statement that reaches the driver, whoever sends it, and every journey to the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import psycopg


@dataclass
class Asked:
    """The texts of the statements sent, BEGIN and COMMIT apart."""

    texts: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)

    def __str__(self) -> str:
        return "\n".join(text[:160].replace("\n", " ") for text in self.texts)


@contextmanager
def counted() -> Iterator[Asked]:
    """The statements this process sends while the block runs."""
    asked = Asked()
    execute, executemany = psycopg.Cursor.execute, psycopg.Cursor.executemany

    def one(self: Any, query: Any, *given: Any, **options: Any) -> Any:
        asked.texts.append(str(query))
        return execute(self, query, *given, **options)

    def many(self: Any, query: Any, *given: Any, **options: Any) -> Any:
        asked.texts.append(str(query))
        return executemany(self, query, *given, **options)

    with mock.patch.object(psycopg.Cursor, "execute", one), mock.patch.object(psycopg.Cursor, "executemany", many):
        yield asked
