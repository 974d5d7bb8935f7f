"""One journey to the database: any number of statements sent at once, each answer read when it comes.

A completed step asks three statements. Sent through cursors they cost a quarter of its processor time: a cursor, its query and its
generators are made anew for each. Here the statements go to the driver's own layer over libpq, are prepared once a connection, and come
back as rows. Identifiers, instants and bytes travel in the server's own form; other values untyped, as a literal would: the server takes
each for what its place in the statement wants.
"""

from __future__ import annotations

import select
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import call
from typing import Any
from uuid import UUID

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq.abc import PGresult

Row = Sequence[Any]
KEPT = 200
"""How many statements a connection keeps prepared; the one not asked for the longest makes room."""
_IDLE = pq.TransactionStatus.IDLE
_SYNC, _FAILED, _DONE, _ROWS = (
    pq.ExecStatus.PIPELINE_SYNC, pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK,
)  # fmt: skip
_TEXT, _BINARY = pq.Format.TEXT, pq.Format.BINARY
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""From when PostgreSQL counts microseconds."""


def _text(value: str) -> bytes:
    written = value.encode()
    if 0 in written:  # a C string would end there; asked for as a number, for as bytes it costs five times as much
        raise psycopg.DataError("a NUL character cannot be stored")
    return written


def _instant(value: datetime) -> bytes:
    since = value - _EPOCH
    return ((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds).to_bytes(8, "big", signed=True)


def _texts(values: list[str]) -> bytes:
    """Return a list of texts as the server reads an array, each between quotes."""
    return b"{%b}" % b",".join([b'"%b"' % _text(one).replace(b"\\", rb"\\").replace(b'"', rb"\"") for one in values])


# By exact type: how a value is written, in which format if not as text, and what it is then said to be. All else is left to the driver.
_WRITE: dict[type, Callable[[Any], Any]] = {
    type(None): {}.get,  # nothing for nothing
    str: _text,
    int: b"%d".__mod__,
    bool: lambda value: b"t" if value else b"f",
    bytes: bytes,
    UUID: lambda value: value.int.to_bytes(16, "big"),
    datetime: _instant,
}
_FORMAT = dict.fromkeys((bytes, UUID, datetime), _BINARY)
_KIND = {UUID: psycopg.adapters.types["uuid"].oid, datetime: psycopg.adapters.types["timestamptz"].oid}


class _Writing:
    """How values of these kinds are written: each by what, in which format, and which of them only the driver knows."""

    def __init__(self, kinds: tuple[type, ...]) -> None:
        self.by = [_WRITE.get(kind, id) for kind in kinds]
        self.formats = [_FORMAT.get(kind, _TEXT) for kind in kinds]
        self.left = [place for place, kind in enumerate(kinds) if kind not in _WRITE]


_writing = lru_cache(1024)(_Writing)
_BEGIN: tuple[str, list[Any], list[pq.Format], list[Any]] = ("begin", [], [], [])
_FORGOTTEN = (psycopg.errors.InvalidSqlStatementName, psycopg.errors.FeatureNotSupported)


class Line:
    """A connection as journeys use it: what it has prepared, and how values and rows are written on it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.pgconn = connection.pgconn
        self._connection = connection
        self._names: OrderedDict[str, bytes] = OrderedDict()
        self._made = 0
        self._adapt = Transformer(connection)
        self._poll = select.poll()
        self._poll.register(self.pgconn.socket, select.POLLIN)

    @property
    def closed(self) -> bool:
        """Say whether the server is gone."""
        return self._connection.closed

    def go(self, statements: Sequence[tuple[str, Sequence[Any]]], end: bytes | None = None) -> list[list[Row]]:
        """Send all *statements*, with a transaction begun before them if none is under way and *end* behind them; return the rows of each.

        Raises:
            psycopg.Error: what the first statement that failed was refused with; those behind it were not run.
        """
        # What cannot be written is refused before anything is sent.
        given = [(text, *self._written(values), values) for text, values in statements]
        begun = self.pgconn.transaction_status == _IDLE
        try:
            new, wanted = self._send(given, begun, end)
            results = self._answers()
            self.pgconn.exit_pipeline_mode()
        except BaseException:
            self._connection.close()  # in the midst of a journey: nobody can say what the next answer belongs to
            raise
        for place, text, name in new:
            if place < len(results) and results[place].status == _DONE:
                self._names[text] = name
        for result in results:
            if result.status == _FAILED:
                self._refuse(result)
        while len(self._names) > KEPT:
            self.pgconn.close_prepared(self._names.popitem(last=False)[1])
        return [self._rows(results[place]) for place in wanted]

    def _send(
        self, given: Sequence[tuple[str, list[Any], list[pq.Format], Sequence[Any]]], begun: bool, end: bytes | None
    ) -> tuple[list[tuple[int, str, bytes]], list[int]]:
        """Send it all; return which answers say that a statement is prepared now, and which hold rows."""
        pgconn, new, wanted = self.pgconn, [], []
        place = 0
        pgconn.enter_pipeline_mode()
        for text, written, formats, values in (*([_BEGIN] if begun else []), *given, *([(end.decode(), [], [], [])] if end else [])):
            name = self._names.get(text)
            if name is None:
                name = b"motcua_%d" % self._made
                self._made += 1
                pgconn.send_prepare(name, text.encode(), [_KIND.get(type(value), 0) for value in values])
                new.append((place, text, name))
                place += 1
            else:
                self._names.move_to_end(text)
            pgconn.send_query_prepared(name, written, formats, _BINARY)
            wanted.append(place)
            place += 1
        pgconn.pipeline_sync()
        return new, wanted[begun : begun + len(given)]

    def _written(self, values: Sequence[Any]) -> tuple[list[Any], list[pq.Format]]:
        how = _writing(tuple(map(type, values)))
        written = [*map(call, how.by, values)]
        for place in how.left:
            written[place] = self._by_driver(values[place])
        return written, how.formats

    def _by_driver(self, value: Any) -> Any:
        if type(value) is list and {*map(type, value)} <= {str}:
            return _texts(value)
        (written,) = self._adapt.dump_sequence([value], [PyFormat.TEXT])
        return written

    def _rows(self, result: PGresult) -> list[Row]:
        if result.status != _ROWS:
            return []
        self._adapt.set_pgresult(result)
        return self._adapt.load_rows(0, result.ntuples, tuple)

    def _answers(self) -> list[PGresult]:
        """Return all answers up to the end of the journey; other threads run while this one waits."""
        pgconn = self.pgconn
        found: list[PGresult] = []
        silent = False
        while pgconn.flush():  # more than the network takes at once: the server may have to be heard before it listens
            readable, _, _ = select.select([pgconn.socket], [pgconn.socket], [])
            if readable:
                pgconn.consume_input()
        while True:
            while pgconn.is_busy():
                self._poll.poll()
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                if silent:
                    raise psycopg.OperationalError("the connection is lost")
                silent = True
                continue
            silent = False
            if result.status == _SYNC:
                return found
            found.append(result)

    def _refuse(self, result: PGresult) -> None:
        error = psycopg.errors.error_from_result(result, encoding=self._connection.info.encoding)
        if isinstance(error, _FORGOTTEN):  # a table was altered meanwhile, or somebody deallocated: all are prepared anew
            self._names.clear()
        raise error
