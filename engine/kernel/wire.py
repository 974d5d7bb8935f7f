"""Records read and written past the session's own statements: several statements, one journey to the database and back.

The session asks one thing at a time, waits for each answer, and describes every column anew. A completed step knows beforehand what it
will read and holds the lock on what it will write, so its reading travels together and so does its writing: `read` sends any number of
statements at once and makes session records of their rows, `write` sends everything the session has changed as one statement, and the end
of the transaction with it. Whatever is not plain rows (relations, deletions, columns the database fills in) is left to the session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import chain
from operator import attrgetter, methodcaller
from typing import Any, TypeVar, cast
from uuid import UUID

import psycopg
from sqlalchemy import ARRAY, JSON, Column, LargeBinary, Select, inspect
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.orm.base import NO_VALUE
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import TypeEngine

from engine.kernel.canonical import json_text
from engine.kernel.journey import Line, Row
from engine.kernel.session import WorkSession
from engine.kernel.tables import Instant

T = TypeVar("T")
_VALUES = frozenset({str, int, bool, bytes, dict, list, datetime, UUID, type(None)})  # what mostly stands in a column; no clause of SQL
LARGEST = 40
"""How many rows travel in one statement; a command that changes more is no hot path, and its text would be no one's prepared statement."""


@dataclass(frozen=True, slots=True)
class Part:
    """One more statement of a batch; *one* says that it changes one row, which has to be there, and returns 1 for it."""

    text: str
    values: list[Any]
    one: bool = False


Convert = Callable[[Any], Any] | None


def processors(kind: TypeEngine[Any], dialect: Any) -> tuple[Convert, Convert]:
    """Return what makes of a value what the driver is given, and of what it gives the value; the usual kinds without detours."""
    own: Any = kind.dialect_impl(dialect)
    match kind:
        case Instant():
            return _aware, methodcaller("astimezone", UTC)
        case JSON():  # as text: the driver's own wrapper is called three times for each value
            return _json(_json_text(own, dialect)), own.result_processor(dialect, None)
        case LargeBinary():
            return None, None
        case ARRAY() if own.item_type.result_processor(dialect, None) is own.item_type.bind_processor(dialect) is None:
            return None, None
    return own.bind_processor(dialect), own.result_processor(dialect, None)


_json_text: Any = JSON.bind_processor


def _json(written: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the same for lists and objects without looking for the kinds of nothing JSON knows."""
    return lambda value: json_text(value) if type(value) is dict or type(value) is list else written(value)


def _aware(value: datetime | None) -> datetime | None:
    if value is not None and value.tzinfo is None:
        raise ValueError("a naive datetime reached the database")
    return value


class Shape:
    """How the plain columns of a mapped class are read and written: by attribute, each with what the driver is given and gives."""

    def __init__(self, mapper: Mapper[Any], dialect: Any) -> None:
        self.mapper = mapper
        self.table = mapper.local_table.description
        self.relations = frozenset(relation.key for relation in mapper.relationships)
        self.columns: dict[str, tuple[str, Convert]] = {}
        self.read: list[str] = []
        self.converted: list[tuple[str, Callable[[Any], Any]]] = []
        self.selected: list[Column[Any]] = []
        self.defaults: dict[str, Any] = {}
        self.nulls: set[str] = set()  # where None is a value of its own: JSON
        self.filled = False  # whether the database fills in a column the record may be asked for
        self._bindings: dict[tuple[str, ...], list[tuple[int, Callable[[Any], Any]]]] = {}
        self.unread: set[str] = set()  # computed by the database; asked for when somebody wants them
        for prop in mapper.column_attrs:
            column = prop.columns[0]
            assert isinstance(column, Column)
            if column.computed is not None:
                self.unread.add(prop.key)
                continue
            bind, convert = processors(column.type, dialect)
            self.columns[prop.key] = (f'"{column.name}"', bind)
            self.read.append(prop.key)
            if convert is not None:
                self.converted.append((prop.key, convert))
            self.selected.append(column)
            if column.identity is not None or column.onupdate is not None or (column.server_default is not None and column.default is None):
                self.filled = True
            if column.type.should_evaluate_none:
                self.nulls.add(prop.key)
            if column.default is not None:
                self.defaults[prop.key] = column.default
        self.keys = [mapper.get_property_by_column(column).key for column in mapper.primary_key]
        self.settable = self.columns.keys() - set(self.keys)
        self.new = mapper.class_manager.new_instance

    def binding(self, given: tuple[str, ...]) -> list[tuple[int, Callable[[Any], Any]]]:
        """Return which of the values of these attributes are converted for the driver, and by what."""
        found = self._bindings.get(given)
        if found is None:
            every = [(place, self.columns[name][1]) for place, name in enumerate(given)]
            found = self._bindings[given] = [(place, bind) for place, bind in every if bind is not None]
        return found

    def bound(self, given: tuple[str, ...], values: list[Any]) -> list[Any] | None:
        """Return the values of these attributes as the driver is given them; None where one is a clause of SQL."""
        if not _VALUES.issuperset(map(type, values)) and any(isinstance(value, ClauseElement) for value in values):
            return None
        for place, bind in self.binding(given):
            values[place] = bind(values[place])
        return values

    def complete(self, attributes: dict[str, Any]) -> None:
        """Give the attributes that have no value yet the defaults of their columns."""
        if None not in map(attributes.get, self.defaults):
            return
        for name, default in self.defaults.items():
            if attributes.get(name) is None and (name not in attributes or name not in self.nulls):
                attributes[name] = default.arg(None) if default.is_callable else default.arg


_DIALECT: Any = PGDialect_psycopg(json_serializer=json_text)  # type: ignore[no-untyped-call]
_NUMBERED: Any = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


_shapes: dict[Any, Shape] = {}


def shape(record: Any) -> Shape:
    """Return how a mapped class is read and written."""
    known = _shapes.get(record)
    if known is None:
        mapper: Mapper[Any] = inspect(record)
        if mapper.inherits is not None or len(mapper.tables) != 1:
            raise TypeError(f"{record.__name__} is not one table")
        known = _shapes[record] = Shape(mapper, _DIALECT)
    return known


def columns(record: type) -> list[Column[Any]]:
    """Return the columns a statement selects for `made` to make a record of."""
    return shape(record).selected


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as the server takes it, and the names of its values in their order."""

    text: str
    names: tuple[str, ...]


def prepared(query: Select[Any]) -> Prepared:
    """Return a statement for the driver; its constants have to be literals."""
    compiled = query.compile(dialect=_NUMBERED)
    assert all(bind.required for bind in compiled.binds.values()), "a constant that is not a literal"
    return Prepared(str(compiled), tuple(compiled.positiontup or ()))


def line(session: Session) -> Line:
    """Return the connection of this session, whose one transaction is the unit of work."""
    return cast(WorkSession, session).line()


def read(session: Session, statements: Sequence[Prepared], given: Mapping[str, Any]) -> list[list[Row]]:
    """Send all *statements* at once, each seeing what the ones before it locked; return their rows."""
    return _go(session, [(one.text, [given[name] for name in one.names]) for one in statements])


def send(session: Session, part: Part) -> None:
    """Send one statement by itself, now."""
    _go(session, [(numbered(part.text), part.values)])


def _go(session: Session, statements: Sequence[tuple[str, Sequence[Any]]], end: bytes | None = None) -> list[list[Row]]:
    """Make a journey; an error of the driver is told as the session would tell it."""
    work = cast(WorkSession, session)
    try:
        return work.line().go(statements, end)
    except psycopg.Error as error:
        gone = work.lost()
        if gone and isinstance(error, psycopg.OperationalError):  # the others are gone with the server, as the session would say
            work.engine.dispose()
        raise DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=gone) from error
    except BaseException:
        work.lost()  # interrupted in the midst of a journey
        raise


def made(session: Session, record: type[T], values: Row) -> T:
    """Return the session's record of a row of `columns`, as it is now in the database."""
    known: Shape = shape(record)
    attributes = dict(zip(known.read, values, strict=True))
    for name, convert in known.converted:
        value = attributes[name]
        if value is not None:
            attributes[name] = convert(value)
    key = known.mapper.identity_key_from_primary_key(tuple(attributes[name] for name in known.keys))
    found = session.identity_map.get(key)
    if found is not None:
        for name, value in attributes.items():
            set_committed_value(found, name, value)
        return cast(T, found)
    one = known.new()
    one.__dict__.update(attributes)
    # As the session's own loading does it; `Session.add` would look through every relation of the record for others to add.
    state = instance_state(one)
    state.key, state.session_id = key, session.hash_key
    state.expired_attributes.update(known.unread)
    session.identity_map.add(state)
    return cast(T, one)


def fresh(session: Session, record: type[T], **values: Any) -> T:
    """Return a new record of the session with these *values* and the defaults of its columns, as one assignment."""
    known: Shape = shape(record)
    one = known.new()
    one.__dict__.update(values)
    known.complete(one.__dict__)
    # As `Session.add` does it, which would look through every relation of a record that has none yet.
    state = instance_state(one)
    state.session_id = session.hash_key
    state.insert_order = len(session._new)
    session._new[state] = one
    return cast(T, one)


def change(record: Any, **values: Any) -> None:
    """Assign all these *values*, as one assignment; for plain columns nobody listens to."""
    state = instance_state(record)
    attributes, before = state.dict, state.committed_state
    for name, value in values.items():
        if name not in before:
            before[name] = attributes.get(name, NO_VALUE)
        attributes[name] = value
    if not state.modified:
        # As `flag_dirty` does it, which would begin the session's own transaction beside the one a journey has begun.
        state.modified = True
        records = state._instance_dict()
        if records is not None:
            records._modified.add(state)
            state._strong_obj = record


def write(session: Session, extra: Sequence[Part], end: bytes) -> bool:
    """Write everything the session holds, and the *extra* parts, in one statement; the words that *end* the transaction travel with it.

    False: the session holds something only its own flush can write; nothing was done. After True the session is empty and its records
    stay readable.

    Raises:
        StaleDataError: a row to be changed is not there any more, or has another version; nothing was written.
    """
    parts = _parts(session)
    if parts is None:
        return False
    text, values = together([*parts, *extra])
    session.expunge_all()
    try:
        _go(session, [(text, values)], end)
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.DivisionByZero):
            raise StaleDataError("a record was changed or taken away meanwhile") from error
        raise
    return True


def together(parts: Sequence[Part]) -> tuple[str, list[Any]]:
    """Return several statements as one, and its values."""
    return _together(tuple([(part.text, part.one) for part in parts])), [*chain.from_iterable([part.values for part in parts])]


@lru_cache(512)
def numbered(text: str) -> str:
    """Return a statement with its values numbered, as the server wants them."""
    pieces = text.split("%s")
    return pieces[0] + "".join([f"${number}{piece}" for number, piece in enumerate(pieces[1:], 1)])


@lru_cache(512)
def _together(parts: tuple[tuple[str, bool], ...]) -> str:
    """Return the one statement of several; its values are numbered. A division by zero says that a row was not as it was read."""
    bodies = ", ".join([f"part{number} as ({text})" for number, (text, _) in enumerate(parts)])
    # The transaction ends with the statement: what is not as it was read has to fail in it, nobody looks afterwards. An INSERT adds its
    # row or fails by itself. To read what came back without counting it halves what the check costs the server.
    came = [f"(select 1 from part{number})" for number, (_, one) in enumerate(parts) if one]  # noqa: S608 — names of our own
    return f"with {numbered(bodies)} select 1 / (num_nulls({', '.join(came) or '1'}) = 0)::int"


def _parts(session: Session) -> list[Part] | None:
    if session.deleted:
        return None
    parts: list[Part] = []
    for record in session.dirty:
        state = instance_state(record)
        known, before, now = shape(type(record)), state.committed_state, state.dict
        if not known.settable.issuperset(before):
            return None
        changed = [name for name, old in before.items() if (new := now.get(name)) is not old and (type(new) is not type(old) or new != old)]
        if changed:
            updated = _update(known, before, now, sorted(changed))
            if updated is None:
                return None
            parts.append(updated)
    for record in session.new:
        attributes = instance_state(record).dict
        known = shape(type(record))
        related = known.relations & attributes.keys()
        inserted = None if known.filled or (related and any(map(attributes.get, related))) else _insert(known, attributes)
        if inserted is None:
            return None
        parts.append(inserted)
    # Always in the same order: the same change is the same text, which the server has prepared already.
    return sorted(parts, key=_by_text) if len(parts) <= LARGEST else None


_by_text = attrgetter("text")


def _update(known: Shape, before: dict[str, Any], now: dict[str, Any], changed: list[str]) -> Part | None:
    given = (*changed, *known.keys)
    values = known.bound(given, list(map(now.get, given)))
    if values is None:
        return None
    version = before.get("version")
    if not isinstance(version, int):
        return Part(_update_text(known, tuple(changed), False), values, one=True)
    return Part(_update_text(known, tuple(changed), True), [*values, version], one=True)


@cache
def _update_text(known: Shape, changed: tuple[str, ...], versioned: bool) -> str:
    assigned = ", ".join(f"{known.columns[name][0]} = %s" for name in changed)
    found = " and ".join(f"{known.columns[name][0]} = %s" for name in (*known.keys, *(["version"] if versioned else [])))
    return f"update {known.table} set {assigned} where {found} returning 1"  # noqa: S608 — names of our own tables


def _insert(known: Shape, attributes: dict[str, Any]) -> Part | None:
    known.complete(attributes)
    given = tuple(filter(attributes.__contains__, known.columns))
    values = known.bound(given, list(map(attributes.get, given)))
    return None if values is None else Part(_insert_text(known, given), values)


@cache
def _insert_text(known: Shape, given: tuple[str, ...]) -> str:
    names = ", ".join(known.columns[name][0] for name in given)
    return f"insert into {known.table} ({names}) values ({', '.join(['%s'] * len(given))})"  # noqa: S608 — names of our own tables
