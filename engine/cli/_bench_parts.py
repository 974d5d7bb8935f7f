"""Parts of ``motcua bench complete-task`` that run in processes of their own or look at statements as the driver sends them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from engine.kernel.database import conninfo

Sent = list[tuple[str, Any]]


@contextmanager
def listening() -> Iterator[Sent]:
    """Collect what this process sends to its databases: texts with their values, BEGIN and COMMIT apart."""
    sent: Sent = []
    execute, executemany = psycopg.Cursor.execute, psycopg.Cursor.executemany

    def one(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        sent.append((str(query), params))
        return execute(self, query, params, **options)

    def many(self: Any, query: Any, params_seq: Any, **options: Any) -> Any:
        sent.append((str(query), list(params_seq)))
        return executemany(self, query, params_seq, **options)

    psycopg.Cursor.execute, psycopg.Cursor.executemany = one, many  # type: ignore[method-assign]
    try:
        yield sent
    finally:
        psycopg.Cursor.execute, psycopg.Cursor.executemany = execute, executemany  # type: ignore[method-assign]


def replay(url: str, transactions: Sequence[Sent]) -> float:
    """Send the same writes once more with nothing but a connection; return transactions a second."""
    begun = time.perf_counter()
    with psycopg.connect(conninfo(url)) as connection:
        for writes in transactions:
            with connection.transaction(), connection.cursor() as cursor:
                for text, values in writes:
                    if isinstance(values, list) and values and isinstance(values[0], dict):
                        cursor.executemany(text, values)
                    else:
                        cursor.execute(text, values)
    return len(transactions) / (time.perf_counter() - begun)
